//! One reading: what was detected, what could be seen, what the gripper says.

use vola_types::{COLORS, KINDS};

/// Openness from which a drawer counts as open, 0..=1.
const OPEN_FROM: f64 = 0.5;

/// One detected object.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// `block`, `bowl`, `drawer`, …
    pub kind: String,
    /// Its colour, if it has one.
    pub color: Option<String>,
    /// Centre in metres, base frame.
    pub position: [f64; 3],
    /// 0..=1.
    pub confidence: f64,
    /// How far a drawer is open, 0..=1.
    pub openness: Option<f64>,
}

impl Detection {
    /// Reads one row of a scene head's `scene.objects`.
    ///
    /// # Shapes
    /// `[kind, color, x, y, z, confidence, extra, 0]`: indices into [`KINDS`]
    /// and [`COLORS`], metres in the base frame, 0..=1, openness. A row of
    /// confidence 0 is padding and gives `None`, as does any value that makes
    /// no sense.
    #[must_use]
    pub fn from_row(row: &[f32; 8]) -> Option<Self> {
        let value = |index: usize| f64::from(row[index]);
        let confidence = value(5);
        if !(confidence > 0.0 && confidence <= 1.0) {
            return None;
        }
        let kind = KINDS.get(index_of(row[0])?)?;
        let position = [value(2), value(3), value(4)];
        if !position.iter().all(|v| v.is_finite()) {
            return None;
        }
        let is_drawer = *kind == "drawer";
        let color = if is_drawer {
            None
        } else {
            Some((*COLORS.get(index_of(row[1])?)?).to_owned())
        };
        Some(Self {
            kind: (*kind).to_owned(),
            color,
            position,
            confidence,
            openness: is_drawer.then(|| value(6)).filter(|v| v.is_finite()),
        })
    }

    /// Whether a drawer counts as open; `None` for other things.
    #[must_use]
    pub fn is_open(&self) -> Option<bool> {
        self.openness.map(|openness| openness >= OPEN_FROM)
    }

    /// "red_block", "drawer": the id without a number.
    pub(super) fn base_name(&self) -> String {
        let name = match &self.color {
            Some(color) => format!("{color}_{}", self.kind),
            None => self.kind.clone(),
        };
        name.replace(' ', "_")
    }

    /// Order of numbering: from the left, then from far to near.
    pub(super) fn left_to_right(&self, other: &Self) -> std::cmp::Ordering {
        other.position[1]
            .total_cmp(&self.position[1])
            .then(other.position[0].total_cmp(&self.position[0]))
            .then(other.position[2].total_cmp(&self.position[2]))
            .then_with(|| self.base_name().cmp(&other.base_name()))
            .then(other.confidence.total_cmp(&self.confidence))
    }
}

fn index_of(value: f32) -> Option<usize> {
    let rounded = value.round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "guarded: a whole number from 0 to 255"
    )]
    (0.0..=255.0).contains(&rounded).then_some(rounded as usize)
}

/// What the gripper says at the time of a reading.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GripperReading {
    /// Pinch point in metres, base frame.
    pub position: Option<[f64; 3]>,
    /// Whether the fingers are apart.
    pub open: bool,
    /// Whether something stops the fingers.
    pub holding: bool,
}

/// A disc on the table that something hides from the camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Disc {
    /// Centre `(x, y)`, metres.
    pub center: [f64; 2],
    /// Radius, metres.
    pub radius: f64,
}

/// What the camera could see.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Seen extent in x, metres.
    pub x: [f64; 2],
    /// Seen extent in y, metres.
    pub y: [f64; 2],
    /// Places behind the arm or an object.
    pub hidden: Vec<Disc>,
}

impl Default for View {
    /// The front camera's view of the table, with nothing in the way.
    fn default() -> Self {
        Self {
            x: [0.27, 0.68],
            y: [-0.36, 0.36],
            hidden: Vec::new(),
        }
    }
}

impl View {
    /// A camera that sees nothing.
    #[must_use]
    pub fn blind() -> Self {
        Self {
            x: [0.0, 0.0],
            y: [0.0, 0.0],
            hidden: Vec::new(),
        }
    }

    /// Whether an object at this point would have been seen.
    #[must_use]
    pub fn sees(&self, [x, y, _]: [f64; 3]) -> bool {
        let inside = x > self.x[0] && x < self.x[1] && y > self.y[0] && y < self.y[1];
        inside
            && !self
                .hidden
                .iter()
                .any(|disc| (x - disc.center[0]).hypot(y - disc.center[1]) <= disc.radius)
    }
}

/// Everything one reading brings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Detections {
    /// Detected objects in any order.
    pub objects: Vec<Detection>,
    /// What could be seen.
    pub view: View,
    /// The gripper.
    pub gripper: GripperReading,
}

impl Detections {
    /// Finite detections in a canonical order, doubles merged into the surest.
    pub(super) fn cleaned(&self, duplicate_m: f64) -> Vec<Detection> {
        let finite = |d: &&Detection| {
            d.position.iter().all(|v| v.is_finite()) && d.confidence > 0.0 && d.confidence <= 1.0
        };
        let mut sorted: Vec<Detection> = self.objects.iter().filter(finite).cloned().collect();
        sorted.sort_by(|a, b| {
            b.confidence
                .total_cmp(&a.confidence)
                .then_with(|| a.left_to_right(b))
        });
        let mut kept: Vec<Detection> = Vec::new();
        for detection in sorted {
            let double = kept.iter().any(|known| {
                known.kind == detection.kind
                    && known.color == detection.color
                    && super::distance(known.position, detection.position) < duplicate_m
            });
            if !double {
                kept.push(detection);
            }
        }
        kept.sort_by(Detection::left_to_right);
        kept
    }
}
