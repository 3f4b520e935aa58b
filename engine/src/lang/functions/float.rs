//! Logarithms, exponentials and powers in double precision, to the last bit as the peers' runtime
//! computes them on the machines they are mostly run on: every digit that they print is ours.
//!
//! Methods: the logarithm of Sun's fdlibm (e_log.c); the exponential by Shibata's scaling with a
//! short Taylor series; the power by repeated squaring for the whole part of the exponent.

const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// The coefficients of fdlibm's polynomial, L1 to L7.
#[expect(
    clippy::excessive_precision,
    reason = "as they are published; the last digits only round"
)]
const LN: [f64; 7] = [
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
];

/// The mantissa in [0.5, 1) and the power of two of a finite number that is not zero.
fn frexp(x: f64) -> (f64, i32) {
    const SUBNORMAL: f64 = 4_503_599_627_370_496.0;
    if x.abs() < f64::MIN_POSITIVE {
        let (mantissa, exponent) = frexp(x * SUBNORMAL);
        return (mantissa, exponent - 52);
    }
    let bits = x.to_bits();
    // Eleven bits fit.
    let exponent = i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0) - 0x3fe;
    (
        f64::from_bits(bits & !(0x7ff << 52) | 0x3fe << 52),
        exponent,
    )
}

/// `x * 2^exponent`, in steps that neither overflow nor lose bits early.
fn ldexp(x: f64, exponent: i64) -> f64 {
    let mut left = exponent.clamp(-4000, 4000);
    let mut x = x;
    while left != 0 {
        // In the range of the exponent field.
        let step = i32::try_from(left.clamp(-1000, 1000)).unwrap_or(0);
        x *= 2f64.powi(step);
        left -= i64::from(step);
    }
    x
}

/// The natural logarithm.
pub(super) fn ln(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x.is_infinite() {
        return x;
    }
    let (mut mantissa, mut exponent) = frexp(x);
    if mantissa < std::f64::consts::FRAC_1_SQRT_2 {
        mantissa *= 2.0;
        exponent -= 1;
    }
    let k = f64::from(exponent);
    let f = mantissa - 1.0;
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let odd = s2 * (LN[0] + s4 * (LN[2] + s4 * (LN[4] + s4 * LN[6])));
    let even = s4 * (LN[1] + s4 * (LN[3] + s4 * LN[5]));
    let half_square = 0.5 * f * f;
    let rest = half_square - (s * (half_square + (odd + even)) + k * LN2_LOW);
    k * LN2_HIGH - (rest - f)
}

/// `e^x`
fn exp(x: f64) -> f64 {
    const LN2_UPPER: f64 = 0.693_147_180_559_662_956_511_601_805_686_950_683_593_75;
    const LN2_LOWER: f64 = 0.282_352_905_630_315_771_225_884_481_750_134_360_255_254_120_68e-12;
    const LIMIT: f64 = 7.09782712893384e+02;
    if x.is_nan() || x > LIMIT {
        return x.max(f64::INFINITY);
    }
    if x < -LIMIT - 40.0 {
        return 0.0;
    }
    let k = (std::f64::consts::LOG2_E * x).round_ties_even();
    let reduced = LN2_LOWER.mul_add(-k, LN2_UPPER.mul_add(-k, x)) * 0.0625;
    let mut series = 1.0 / 40320.0;
    for coefficient in [
        1.0 / 5040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
    ] {
        series = f64::mul_add(series, reduced, coefficient);
    }
    let mut y = reduced * series;
    // Four doublings undo the division by sixteen: (1+y)^2 - 1 = y * (y + 2).
    for _ in 0..3 {
        y *= y + 2.0;
    }
    // In the range of the exponent field.
    ldexp(y.mul_add(y + 2.0, 1.0), k as i64)
}

/// `x^y`
pub(super) fn pow(x: f64, y: f64) -> f64 {
    if y == 0.0 || x == 1.0 {
        return 1.0;
    }
    if y == 1.0 {
        return x;
    }
    if y == 0.5 {
        return x.sqrt();
    }
    if y == -0.5 {
        return 1.0 / x.sqrt();
    }
    let (mut whole, mut part) = (y.abs().trunc(), y.abs().fract());
    let plain = x.is_finite() && y.is_finite() && x != 0.0 && whole < 9.2e18;
    if !plain || (part != 0.0 && x < 0.0) {
        return x.powf(y);
    }
    let mut mantissa = 1.0;
    let mut exponent = 0i64;
    if part != 0.0 {
        if part > 0.5 {
            part -= 1.0;
            whole += 1.0;
        }
        mantissa = exp(part * ln(x));
    }
    let (mut square, power) = frexp(x);
    let mut power = i64::from(power);
    let mut bits = whole as u64;
    while bits != 0 {
        if !(-4096..=4096).contains(&power) {
            // Far beyond the range of doubles in either direction.
            exponent += power;
            break;
        }
        if bits & 1 == 1 {
            mantissa *= square;
            exponent += power;
        }
        square *= square;
        power *= 2;
        if square < 0.5 {
            square += square;
            power -= 1;
        }
        bits >>= 1;
    }
    if y < 0.0 {
        mantissa = 1.0 / mantissa;
        exponent = -exponent;
    }
    ldexp(mantissa, exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Within a few units in the last place of the standard library, over many magnitudes.
    #[test]
    fn close_to_the_standard_library() {
        let near = |a: f64, b: f64| a == b || (a - b).abs() <= b.abs() * 1e-12;
        for i in -300..300 {
            let x = 1.7 * 10f64.powi(i);
            assert!(near(ln(x), x.ln()), "ln {x}");
            for y in [0.3, -0.7, 2.0, 3.5, -2.25, 0.999] {
                let (ours, std) = (pow(x, y), x.powf(y));
                assert!(near(ours, std) || std < 1e-300, "{x}^{y}: {ours} {std}");
            }
            let y = f64::from(i);
            assert!(near(exp(y), y.exp()), "exp {y}");
        }
        assert_eq!(pow(0.0, -1.0), f64::INFINITY);
        assert!(pow(-1.0, 0.5).is_nan());
        assert_eq!(pow(2.0, 5000.0), f64::INFINITY);
        assert_eq!(pow(2.0, -5000.0), 0.0);
    }
}
