//! Triangle meshes of the simple forms, with outward normals.

use rapier3d::math::Vector;

/// An indexed mesh. Triangles turn counter-clockwise seen from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mesh {
    /// Corners (m).
    pub(crate) positions: Vec<Vector>,
    /// Unit normal of each corner.
    pub(crate) normals: Vec<Vector>,
    /// Corner indices of each triangle.
    pub(crate) triangles: Vec<[u32; 3]>,
}

impl Mesh {
    fn corner(&mut self, position: Vector, normal: Vector) -> u32 {
        self.positions.push(position);
        self.normals.push(normal);
        u32::try_from(self.positions.len() - 1).unwrap_or(u32::MAX)
    }

    /// A triangle, turned so that it faces along its corners' normals.
    fn triangle(&mut self, corners: [u32; 3]) {
        let at = |corner: u32| {
            self.positions
                .get(corner as usize)
                .copied()
                .unwrap_or(Vector::ZERO)
        };
        let normal: Vector = corners
            .iter()
            .filter_map(|corner| self.normals.get(*corner as usize))
            .fold(Vector::ZERO, |sum, normal| sum + *normal);
        let [a, b, c] = corners;
        let face = (at(b) - at(a)).cross(at(c) - at(a));
        if face.length() < 1e-12 {
            return;
        }
        self.triangles.push(if face.dot(normal) >= 0.0 {
            [a, b, c]
        } else {
            [a, c, b]
        });
    }

    fn quad(&mut self, [a, b, c, d]: [u32; 4]) {
        self.triangle([a, b, c]);
        self.triangle([a, c, d]);
    }

    /// A box with these half extents, edges rounded off by `bevel` (0: sharp).
    pub(crate) fn cuboid(half: [f32; 3], bevel: f32) -> Self {
        let mut mesh = Self::default();
        let mut faces: Vec<([f32; 3], u32)> = Vec::new();
        for axis in 0..3 {
            for sign in [-1.0_f32, 1.0] {
                let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
                let mut normal = [0.0; 3];
                normal[axis] = sign;
                let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(
                    |(a, b): (f32, f32)| {
                        let mut point = [0.0; 3];
                        point[axis] = sign * half[axis];
                        point[u] = a * (half[u] - bevel);
                        point[v] = b * (half[v] - bevel);
                        let mut octant = [0.0; 3];
                        octant[axis] = sign;
                        octant[u] = a;
                        octant[v] = b;
                        let corner = mesh.corner(Vector::from(point), Vector::from(normal));
                        faces.push((octant, corner));
                        corner
                    },
                );
                mesh.quad(corners);
            }
        }
        if bevel > 0.0 {
            mesh.bevels(&faces);
        }
        mesh
    }

    /// The strips between faces and the triangles at corners of a box. Each
    /// corner of the box owns three mesh corners, one a face.
    fn bevels(&mut self, faces: &[([f32; 3], u32)]) {
        let octants: Vec<[f32; 3]> = (0..8_u8)
            .map(|bits| [0, 1, 2].map(|axis| if bits >> axis & 1 == 1 { 1.0 } else { -1.0 }))
            .collect();
        let of = |octant: [f32; 3], axis: usize| {
            faces
                .iter()
                .enumerate()
                .filter(|(index, (own, _))| index / 8 == axis && same(own, &octant))
                .map(|(_, (_, corner))| *corner)
                .next()
        };
        for octant in &octants {
            if let (Some(a), Some(b), Some(c)) = (of(*octant, 0), of(*octant, 1), of(*octant, 2)) {
                self.triangle([a, b, c]);
            }
            for along in 0..3 {
                if octant[along] > 0.0 {
                    continue;
                }
                let mut other = *octant;
                other[along] = 1.0;
                let (u, v) = ((along + 1) % 3, (along + 2) % 3);
                if let (Some(a), Some(b), Some(c), Some(d)) =
                    (of(*octant, u), of(other, u), of(other, v), of(*octant, v))
                {
                    self.quad([a, b, c, d]);
                }
            }
        }
    }

    /// A solid of revolution about z. The profile runs as (radius, height,
    /// normal along radius, normal along height); consecutive points are
    /// joined by a band, so a sharp edge is two points at one place.
    pub(crate) fn revolve(profile: &[[f32; 4]], around: u32) -> Self {
        let mut mesh = Self::default();
        let mut rings: Vec<Vec<u32>> = Vec::new();
        for [radius, height, normal_r, normal_z] in profile {
            let ring = (0..around)
                .map(|step| {
                    #[allow(clippy::cast_precision_loss, reason = "a few dozen steps")]
                    let angle = std::f32::consts::TAU * step as f32 / around as f32;
                    let (sin, cos) = libm::sincosf(angle);
                    let normal = Vector::new(normal_r * cos, normal_r * sin, *normal_z);
                    mesh.corner(
                        Vector::new(radius * cos, radius * sin, *height),
                        normal.normalize(),
                    )
                })
                .collect();
            rings.push(ring);
        }
        for (pair, ends) in rings.windows(2).zip(profile.windows(2)) {
            let apart = (ends[0][0] - ends[1][0]).abs() + (ends[0][1] - ends[1][1]).abs();
            if apart < 1e-7 {
                continue;
            }
            let (low, high) = (&pair[0], &pair[1]);
            for step in 0..low.len() {
                let next = (step + 1) % low.len();
                mesh.quad([low[step], low[next], high[next], high[step]]);
            }
        }
        mesh
    }

    /// A cylinder along z with its edges rounded off a little.
    pub(crate) fn cylinder(radius: f32, half: f32, around: u32) -> Self {
        let bevel = (0.12 * radius).min(0.3 * half);
        Self::revolve(
            &[
                [0.0, -half, 0.0, -1.0],
                [radius - bevel, -half, 0.0, -1.0],
                [radius, -half + bevel, 1.0, 0.0],
                [radius, half - bevel, 1.0, 0.0],
                [radius - bevel, half, 0.0, 1.0],
                [0.0, half, 0.0, 1.0],
            ],
            around,
        )
    }

    /// A capsule along z: a cylinder of this half length with round ends.
    pub(crate) fn capsule(radius: f32, half: f32, around: u32) -> Self {
        let mut profile = Vec::new();
        let rings = 3_u8;
        for (sign, order) in [(-1.0_f32, true), (1.0, false)] {
            for step in 0..=rings {
                let share = f32::from(if order { rings - step } else { step }) / f32::from(rings);
                let (sin, cos) = libm::sincosf(share * std::f32::consts::FRAC_PI_2);
                profile.push([radius * cos, sign * (half + radius * sin), cos, sign * sin]);
            }
        }
        Self::revolve(&profile, around)
    }

    /// A bowl standing on z = 0: foot and rim radius, height, wall thickness.
    pub(crate) fn bowl(foot: f32, rim: f32, height: f32, wall: f32, around: u32) -> Self {
        let (dr, dz) = (height, -(rim - foot)); // outward normal of the outer wall
        let floor = wall;
        Self::revolve(
            &[
                [0.0, 0.0, 0.0, -1.0],
                [foot, 0.0, 0.0, -1.0],
                [foot, 0.0, dr, dz],
                [rim, height - 0.002, dr, dz],
                [rim - 0.3 * wall, height, 0.3, 1.0],
                [rim - 0.9 * wall, height, -0.3, 1.0],
                [rim - 1.2 * wall, height - 0.002, -dr, -dz],
                [foot - 0.3 * wall, floor + 0.004, -dr, -dz],
                [foot - 0.3 * wall - 0.005, floor, 0.0, 1.0],
                [0.0, floor, 0.0, 1.0],
            ],
            around,
        )
    }
}

fn same(a: &[f32; 3], b: &[f32; 3]) -> bool {
    a.iter().zip(b).all(|(x, y)| (x - y).abs() < 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A closed mesh has each edge twice, once in each sense; positions are
    /// compared, since smooth and sharp corners are stored apart.
    fn check(mesh: &Mesh, volume: f32) {
        let found: f32 = mesh
            .triangles
            .iter()
            .map(|t| {
                let [a, b, c] = t.map(|i| mesh.positions[i as usize]);
                a.dot(b.cross(c)) / 6.0
            })
            .sum();
        assert!(
            (found / volume - 1.0).abs() < 0.06,
            "volume {found}, expected {volume}"
        );
        assert!(mesh.normals.iter().all(|n| (n.length() - 1.0).abs() < 1e-4));
    }

    #[test]
    fn forms_are_closed_and_face_outwards() {
        check(&Mesh::cuboid([0.02; 3], 0.0), 0.04_f32.powi(3));
        check(&Mesh::cuboid([0.02; 3], 0.001), 0.04_f32.powi(3));
        let pi = std::f32::consts::PI;
        check(&Mesh::cylinder(0.05, 0.1, 32), pi * 0.05 * 0.05 * 0.2);
        check(
            &Mesh::capsule(0.05, 0.1, 32),
            pi * 0.05 * 0.05 * (0.2 + 4.0 / 3.0 * 0.05),
        );
        assert!(Mesh::bowl(0.044, 0.064, 0.04, 0.004, 24).triangles.len() > 300);
    }
}
