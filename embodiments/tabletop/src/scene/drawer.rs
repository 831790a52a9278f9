//! The drawer's dimensions: a low cabinet at the far edge whose tray slides
//! towards the robot.
//!
//! It is at most 7 cm high, so that from the front camera it hides nothing of
//! the usable table. A bar stands before the tray's front: closed fingers go
//! down behind it to pull, before it to push.

/// Front face of the cabinet, and of the closed tray (m, base x).
pub(crate) const FRONT_X: f64 = 0.665;
/// Depth of the cabinet along x (m).
pub(crate) const CABINET_DEPTH: f64 = 0.145;
/// Width of the cabinet along y (m).
pub(crate) const CABINET_WIDTH: f64 = 0.19;
/// Height of the cabinet (m).
pub(crate) const CABINET_HEIGHT: f64 = 0.066;
/// Thickness of the cabinet's and tray's walls (m).
pub(crate) const WALL: f64 = 0.006;
/// Width of the tray along y (m).
pub(crate) const TRAY_WIDTH: f64 = 0.166;
/// Depth of the tray along x (m).
pub(crate) const TRAY_DEPTH: f64 = 0.130;
/// Height of the tray's walls above the table (m).
pub(crate) const TRAY_HEIGHT: f64 = 0.050;
/// The tray's floor lies this far above the table (m).
pub(crate) const TRAY_FLOOR: f64 = 0.006;
/// Greatest opening (m).
pub(crate) const TRAVEL: f64 = 0.115;
/// Distance of the bar's middle before the tray's front (m).
pub(crate) const BAR_OFFSET: f64 = 0.052;
/// Thickness of the bar along x (m).
pub(crate) const BAR_THICKNESS: f64 = 0.010;
/// Width of the bar along y (m).
pub(crate) const BAR_WIDTH: f64 = 0.110;
/// Bottom and top of the bar (m).
pub(crate) const BAR_Z: [f64; 2] = [0.014, 0.052];

/// Where a scene's drawer stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct DrawerSpec {
    /// Middle along y (m).
    pub(crate) y: f64,
    /// Opening at the start (m), 0 to [`TRAVEL`].
    pub(crate) opening: f64,
}

impl DrawerSpec {
    /// Middle of the bar at this opening (m): what is reported as the drawer's
    /// position.
    pub(crate) fn bar(self, opening: f64) -> [f64; 3] {
        [
            FRONT_X - opening - BAR_OFFSET,
            self.y,
            0.5 * (BAR_Z[0] + BAR_Z[1]),
        ]
    }

    /// Point on the tray's floor that is best reached at this opening: the
    /// middle of what lies outside the cabinet (m).
    pub(crate) fn inside(self, opening: f64) -> [f64; 3] {
        [
            FRONT_X - opening + 0.5 * opening.max(0.05),
            self.y,
            TRAY_FLOOR,
        ]
    }

    /// Whether a circle on the table touches what the tray and its bar sweep,
    /// with room for the gripper at work.
    pub(crate) fn sweeps(self, point: [f64; 2], radius: f64) -> bool {
        let near = FRONT_X - TRAVEL - BAR_OFFSET - 0.025;
        point[0] + radius > near && (point[1] - self.y).abs() < 0.5 * TRAY_WIDTH + 0.015 + radius
    }
}

/// One box of the drawer, for physics and pictures alike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DrawerBox {
    /// Whether it moves with the tray.
    pub(crate) slides: bool,
    /// Middle (m): x and z in the base frame with the tray closed, y from the
    /// drawer's middle. A sliding box is relative to the tray's body.
    pub(crate) center: [f64; 3],
    /// Half extents (m).
    pub(crate) half: [f64; 3],
    /// Linear RGB.
    pub(crate) color: [f32; 3],
}

/// The boxes of cabinet and tray.
///
/// The tray's body has its origin at the front face on the table, in the
/// drawer's middle.
pub(crate) fn drawer_boxes() -> Vec<DrawerBox> {
    const CASE: [f32; 3] = [0.50, 0.47, 0.44];
    const TRAY: [f32; 3] = [0.62, 0.60, 0.57];
    const BAR: [f32; 3] = [0.07, 0.07, 0.08];
    let fixed = |center, half| DrawerBox {
        slides: false,
        center,
        half,
        color: CASE,
    };
    let sliding = |center, half, color| DrawerBox {
        slides: true,
        center,
        half,
        color,
    };
    let (half_wall, back) = (0.5 * WALL, FRONT_X + CABINET_DEPTH);
    let middle_x = FRONT_X + 0.5 * CABINET_DEPTH;
    let side_y = 0.5 * CABINET_WIDTH - half_wall;
    let wall_z = 0.5 * (TRAY_HEIGHT + TRAY_FLOOR);
    let wall_half = 0.5 * (TRAY_HEIGHT - TRAY_FLOOR);
    let tray_y = 0.5 * TRAY_WIDTH - half_wall;
    let bar_z = 0.5 * (BAR_Z[0] + BAR_Z[1]);
    let bar_half = 0.5 * (BAR_Z[1] - BAR_Z[0]);
    let post_x = 0.5 * (BAR_OFFSET - 0.5 * BAR_THICKNESS);
    vec![
        fixed(
            [middle_x, 0.0, CABINET_HEIGHT - half_wall],
            [0.5 * CABINET_DEPTH, 0.5 * CABINET_WIDTH, half_wall],
        ),
        fixed(
            [middle_x, side_y, 0.5 * CABINET_HEIGHT],
            [0.5 * CABINET_DEPTH, half_wall, 0.5 * CABINET_HEIGHT - WALL],
        ),
        fixed(
            [middle_x, -side_y, 0.5 * CABINET_HEIGHT],
            [0.5 * CABINET_DEPTH, half_wall, 0.5 * CABINET_HEIGHT - WALL],
        ),
        fixed(
            [back - half_wall, 0.0, 0.5 * CABINET_HEIGHT],
            [
                half_wall,
                0.5 * CABINET_WIDTH - WALL,
                0.5 * CABINET_HEIGHT - WALL,
            ],
        ),
        sliding(
            [0.5 * TRAY_DEPTH, 0.0, TRAY_FLOOR - half_wall],
            [0.5 * TRAY_DEPTH, 0.5 * TRAY_WIDTH, half_wall],
            TRAY,
        ),
        sliding(
            [half_wall, 0.0, wall_z],
            [half_wall, 0.5 * TRAY_WIDTH, wall_half],
            TRAY,
        ),
        sliding(
            [TRAY_DEPTH - half_wall, 0.0, wall_z],
            [half_wall, 0.5 * TRAY_WIDTH, wall_half],
            TRAY,
        ),
        sliding(
            [0.5 * TRAY_DEPTH, tray_y, wall_z],
            [0.5 * TRAY_DEPTH - WALL, half_wall, wall_half],
            TRAY,
        ),
        sliding(
            [0.5 * TRAY_DEPTH, -tray_y, wall_z],
            [0.5 * TRAY_DEPTH - WALL, half_wall, wall_half],
            TRAY,
        ),
        sliding(
            [-BAR_OFFSET, 0.0, bar_z],
            [0.5 * BAR_THICKNESS, 0.5 * BAR_WIDTH, bar_half],
            BAR,
        ),
        sliding(
            [-post_x, 0.5 * BAR_WIDTH - 0.005, bar_z],
            [post_x, 0.005, 0.006],
            BAR,
        ),
        sliding(
            [-post_x, -0.5 * BAR_WIDTH + 0.005, bar_z],
            [post_x, 0.005, 0.006],
            BAR,
        ),
    ]
}

/// Opposite corners of the room in the tray, for a block's centre (m).
pub(crate) fn drawer_interior(drawer: DrawerSpec, opening: f64) -> ([f64; 3], [f64; 3]) {
    let front = FRONT_X - opening;
    let side = 0.5 * TRAY_WIDTH - WALL;
    (
        [front + WALL, drawer.y - side, TRAY_FLOOR],
        [
            front + TRAY_DEPTH - WALL,
            drawer.y + side,
            TRAY_HEIGHT + 0.5 * crate::catalog::BLOCK_HALF,
        ],
    )
}
