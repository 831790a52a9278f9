//! The little rotation mathematics that chunks need. Quaternions x, y, z, w.

/// Length below which a quaternion is no rotation.
const LEAST_LENGTH: f64 = 1e-3;

/// A unit quaternion with w ≥ 0, or the length found when it is too short.
pub(crate) fn unit(q: [f64; 4]) -> Result<[f64; 4], f64> {
    let length = q.iter().map(|value| value * value).sum::<f64>().sqrt();
    if !(length.is_finite() && length > LEAST_LENGTH) {
        return Err(length);
    }
    let sign = if q[3] < 0.0 { -1.0 } else { 1.0 };
    Ok(q.map(|value| sign * value / length))
}

/// First `b`, then `a`.
pub(crate) fn compose(a: [f64; 4], b: [f64; 4]) -> [f64; 4] {
    let [ax, ay, az, aw] = a;
    let [bx, by, bz, bw] = b;
    [
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    ]
}

/// The inverse of a unit quaternion.
pub(crate) fn inverse([x, y, z, w]: [f64; 4]) -> [f64; 4] {
    [-x, -y, -z, w]
}

/// The unit quaternion of a rotation vector (rad).
pub(crate) fn from_vector([x, y, z]: [f64; 3]) -> [f64; 4] {
    let angle = (x * x + y * y + z * z).sqrt();
    let half = angle / 2.0;
    // sin(half) / angle, with its series where the quotient loses digits.
    let factor = if angle < 1e-6 {
        0.5 - angle * angle / 48.0
    } else {
        half.sin() / angle
    };
    [x * factor, y * factor, z * factor, half.cos()]
}

/// The rotation vector (rad, at most π long) of a unit quaternion.
pub(crate) fn to_vector(q: [f64; 4]) -> [f64; 3] {
    let [x, y, z, w] = if q[3] < 0.0 { q.map(|value| -value) } else { q };
    let sine = (x * x + y * y + z * z).sqrt();
    let factor = if sine < 1e-9 {
        2.0
    } else {
        2.0 * sine.atan2(w) / sine
    };
    [x * factor, y * factor, z * factor]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quarter_turn_about_z() {
        let q = from_vector([0.0, 0.0, std::f64::consts::FRAC_PI_2]);
        let twice = to_vector(compose(q, q));
        assert!((twice[2] - std::f64::consts::PI).abs() < 1e-12);
        assert!(unit([0.0, 0.0, 0.0, 0.0]).is_err());
        assert!(unit([f64::NAN, 0.0, 0.0, 1.0]).is_err());
        let flipped = unit([0.0, 0.0, -2.0, -2.0]).unwrap();
        assert!(flipped[2] > 0.7 && flipped[3] > 0.7);
    }

    proptest! {
        #[test]
        fn vectors_come_back(x in -1.7..1.7f64, y in -1.7..1.7f64, z in -1.7..1.7f64) {
            let back = to_vector(from_vector([x, y, z]));
            for (a, b) in back.iter().zip([x, y, z]) {
                prop_assert!((a - b).abs() < 1e-9);
            }
        }

        #[test]
        fn inverse_undoes(x in -1.7..1.7f64, y in -1.7..1.7f64, z in -1.7..1.7f64) {
            let q = from_vector([x, y, z]);
            let none = to_vector(compose(q, inverse(q)));
            prop_assert!(none.iter().all(|value| value.abs() < 1e-9));
        }
    }
}
