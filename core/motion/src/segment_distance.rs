//! Distances of segments, the axes of capsules, in f64.
//!
//! The clearance guard compares a distance with the one of the tick before, and
//! an arm that starts softly moves a tenth of a micrometre in its first tick. In
//! the f32 of `parry3d` such a distance trembles by more than that, so an arm
//! that stands at the margin could not always leave it. Where no tick is
//! compared with another, `CollisionModel` uses `parry3d`; a test compares both.

use nalgebra::Point3;

/// Distance (m) of two segments.
///
/// The squared distance is a convex paraboloid over the two shares, so its
/// least value on the unit square is the free minimum pulled to the square, one
/// share after the other.
pub(crate) fn segment_to_segment(a: &[Point3<f64>; 2], b: &[Point3<f64>; 2]) -> f64 {
    let ([a_start, a_end], [b_start, b_end]) = (a, b);
    let (along_a, along_b, between) = (a_end - a_start, b_end - b_start, a_start - b_start);
    let (aa, bb, ab) = (
        along_a.norm_squared(),
        along_b.norm_squared(),
        along_a.dot(&along_b),
    );
    let (a_way, b_way) = (along_a.dot(&between), along_b.dot(&between));
    // The share of `a` that is best for a share of `b`, and the other way round.
    let best_a = |t: f64| share_of(ab * t - a_way, aa);
    let best_b = |s: f64| share_of(ab * s + b_way, bb);
    // Parallel axes have no free minimum; any share of `a` is as good.
    let s = share_of(ab * b_way - a_way * bb, aa * bb - ab * ab);
    let t = best_b(s);
    let s = best_a(t);
    ((a_start + along_a * s) - (b_start + along_b * t)).norm()
}

/// A quotient within 0 … 1; 0 where there is none.
fn share_of(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (part / whole).clamp(0.0, 1.0)
    } else {
        0.0
    }
}

/// Distance (m) of the segment from the box between two corners; zero where
/// they meet.
///
/// The squared distance of a point from a box is convex, and its slope along a
/// segment is linear between the places where the segment crosses a plane of the
/// box: the valley lies between two of these, where the slope changes its sign.
pub(crate) fn segment_to_box(
    start: &Point3<f64>,
    end: &Point3<f64>,
    low: &Point3<f64>,
    high: &Point3<f64>,
) -> f64 {
    let along = end - start;
    // Vector from the box to the point at this share of the segment.
    let apart = |share: f64| {
        let point = start + along * share;
        (low - point).sup(&(high - point).inf(&nalgebra::Vector3::zeros())) * -1.0
    };
    let slope = |share: f64| apart(share).dot(&along);
    let (mut left, mut right) = (0.0, 1.0);
    let (mut falls, mut rises) = (slope(left), slope(right));
    if falls >= 0.0 {
        return apart(left).norm();
    }
    if rises <= 0.0 {
        return apart(right).norm();
    }
    for corner in [low, high] {
        for ((plane, from), way) in corner.iter().zip(start.iter()).zip(along.iter()) {
            // Not between the two where the segment runs along the plane.
            let share = (plane - from) / way;
            if share > left && share < right {
                let here = slope(share);
                if here < 0.0 {
                    (left, falls) = (share, here);
                } else {
                    (right, rises) = (share, here);
                }
            }
        }
    }
    // A slope that is zero at `right` is met there.
    apart(left + (right - left) * (falls / (falls - rises))).norm()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point() -> impl Strategy<Value = Point3<f64>> {
        [-1.0..1.0_f64, -1.0..1.0, -1.0..1.0].prop_map(Point3::from)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn box_distance_agrees_with_dense_sampling(start in point(), end in point(), corner in point(), size in 0.01..0.8_f64) {
            let high = corner + nalgebra::Vector3::new(size, 0.5 * size, 0.2);
            let mut least = f64::INFINITY;
            for step in 0..=2000 {
                let at = start + (end - start) * (f64::from(step) / 2000.0);
                let nearest = at.sup(&corner).inf(&high);
                least = least.min((at - nearest).norm());
            }
            let found = segment_to_box(&start, &end, &corner, &high);
            prop_assert!(found <= least + 1e-9 && found >= least - 2e-3, "{found} against {least}");
        }

        #[test]
        fn segment_distance_agrees_with_parry(a in [point(), point()], b in [point(), point()]) {
            let vector = |p: Point3<f64>| parry3d::math::Vector::new(p.x as f32, p.y as f32, p.z as f32);
            let shape = |s: [Point3<f64>; 2]| parry3d::shape::Segment::new(vector(s[0]), vector(s[1]));
            let other = parry3d::query::details::distance_segment_segment(
                &parry3d::math::Pose::identity(), &shape(a), &shape(b));
            let found = segment_to_segment(&a, &b);
            prop_assert!((found - f64::from(other)).abs() < 1e-5, "{found} against {other}");
        }
    }

    #[test]
    fn degenerate_and_parallel_segments_have_a_distance() {
        let at = |x: f64, y: f64| Point3::new(x, y, 0.0);
        for (a, b, expected) in [
            (
                [at(0.0, 0.0), at(0.0, 0.0)],
                [at(0.0, 2.0), at(0.0, 2.0)],
                2.0,
            ),
            (
                [at(0.0, 0.0), at(1.0, 0.0)],
                [at(0.5, 1.0), at(0.5, 1.0)],
                1.0,
            ),
            (
                [at(0.0, 0.0), at(1.0, 0.0)],
                [at(0.0, 0.5), at(1.0, 0.5)],
                0.5,
            ),
            (
                [at(0.0, 0.0), at(1.0, 0.0)],
                [at(4.0, 4.0), at(5.0, 4.0)],
                5.0,
            ),
            (
                [at(0.0, 0.0), at(1.0, 0.0)],
                [at(5.0, 4.0), at(4.0, 4.0)],
                5.0,
            ),
            (
                [at(0.0, 0.0), at(1.0, 0.0)],
                [at(0.5, -1.0), at(0.5, 1.0)],
                0.0,
            ),
        ] {
            for (a, b) in [(a, b), (b, a)] {
                let found = segment_to_segment(&a, &b);
                assert!(
                    (found - expected).abs() < 1e-12,
                    "{found} against {expected}"
                );
            }
        }
    }
}
