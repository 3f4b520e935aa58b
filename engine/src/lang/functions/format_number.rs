//! The number verbs of `format`: whole numbers in several bases, and decimals with and without an
//! exponent, rounded as the peers round.

use bigdecimal::BigDecimal;
use num_bigint::BigInt;
use topo_sdk::Number;

use super::format::Verb;

/// The size of the peers' numbers, in bits of the mantissa.
const MANTISSA: u64 = 512;

/// A number by a verb.
///
/// # Errors
/// When the verb is for whole numbers and this is not one.
pub(super) fn render(verb: &Verb, n: &Number) -> Result<String, String> {
    let absolute = if n.is_negative() { n.neg() } else { n.clone() };
    let mut prefix = "";
    let digits = match verb.mode {
        'b' | 'd' | 'o' | 'x' | 'X' => {
            let whole = absolute.to_bigint().ok_or("an integer is required")?;
            let radix;
            (radix, prefix) = match verb.mode {
                'b' => (2, "0b"),
                'o' => (8, "0"),
                'd' => (10, ""),
                'X' => (16, "0X"),
                _ => (16, "0x"),
            };
            if !verb.sharp {
                prefix = "";
            }
            let mut digits = whole.to_str_radix(radix);
            if verb.mode == 'X' {
                digits.make_ascii_uppercase();
            }
            if let Some(p) = verb.precision {
                if digits == "0" {
                    digits.clear();
                }
                digits = "0".repeat(p.saturating_sub(digits.len())) + &digits;
            }
            digits
        }
        'f' => fixed(&absolute.to_decimal(), verb.precision.unwrap_or(6)),
        'e' | 'E' => exponent(
            &absolute.to_decimal(),
            verb.precision.unwrap_or(6),
            verb.mode,
        ),
        _ => general(&absolute, verb.precision, verb.mode),
    };
    let sign = match (n.is_negative(), verb.plus, verb.space) {
        (true, _, _) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    };
    let taken = sign.len() + prefix.len() + digits.len();
    let missing = verb.width.saturating_sub(taken);
    // An integer with a precision has its zeros already.
    let zeros = verb.zero && !(verb.precision.is_some() && "bdoxX".contains(verb.mode));
    Ok(if verb.minus {
        format!("{sign}{prefix}{digits}{}", " ".repeat(missing))
    } else if zeros {
        format!("{sign}{prefix}{}{digits}", "0".repeat(missing))
    } else {
        format!("{}{sign}{prefix}{digits}", " ".repeat(missing))
    })
}

/// With this many digits after the point; halves go to the even digit, but a decimal that has no
/// exact binary form counts as the peers hold it: a little more or less than the half.
fn round(n: &BigDecimal, scale: i64) -> BigDecimal {
    let even = n.with_scale_round(scale, bigdecimal::RoundingMode::HalfEven);
    let down = n.with_scale_round(scale, bigdecimal::RoundingMode::Down);
    let half = BigDecimal::new(BigInt::from(5), scale.saturating_add(1));
    if n - &down != half {
        return even;
    }
    match held_above(n) {
        Some(true) => n.with_scale_round(scale, bigdecimal::RoundingMode::Up),
        Some(false) => down,
        None => even,
    }
}

/// Whether the nearest number with a mantissa of the peers' size is greater than a positive
/// decimal, or not; nothing where it is the same.
fn held_above(n: &BigDecimal) -> Option<bool> {
    let (digits, scale) = n.normalized().into_bigint_and_exponent();
    let scale = u32::try_from(scale).ok().filter(|s| *s > 0)?;
    if &digits % BigInt::from(5).pow(scale) == BigInt::ZERO {
        return None;
    }
    let divisor = BigInt::from(10).pow(scale);
    let mut shift = (MANTISSA + divisor.bits()).saturating_sub(digits.bits());
    let mut quotient = (&digits << shift) / &divisor;
    if quotient.bits() > MANTISSA {
        shift -= 1;
        quotient = (&digits << shift) / &divisor;
    }
    let rest: BigInt = (&digits << shift) - quotient * &divisor;
    Some((rest << 1u8) > divisor)
}

/// With this many digits after the point.
fn fixed(n: &BigDecimal, precision: usize) -> String {
    round(n, i64::try_from(precision).unwrap_or(0)).to_plain_string()
}

/// The significant digits without trailing zeros, and the power of ten of the first.
fn significant(n: &BigDecimal) -> (String, i64) {
    let (digits, scale) = n.normalized().into_bigint_and_exponent();
    let digits = digits.to_string();
    if digits == "0" {
        return (digits, 0);
    }
    let length = i64::try_from(digits.len()).unwrap_or(0);
    (digits, length - 1 - scale)
}

/// As `d.ddde±dd` with this many digits after the point.
fn exponent(n: &BigDecimal, precision: usize, mode: char) -> String {
    let (digits, power) = significant(&round_significant(n, precision + 1));
    let fraction = &digits[1..];
    let zeros = "0".repeat(precision.saturating_sub(fraction.len()));
    let point = if precision > 0 { "." } else { "" };
    let e = if mode.is_ascii_uppercase() { 'E' } else { 'e' };
    let sign = if power < 0 { '-' } else { '+' };
    format!(
        "{}{point}{fraction}{zeros}{e}{sign}{:02}",
        &digits[..1],
        power.abs()
    )
}

fn round_significant(n: &BigDecimal, digits: usize) -> BigDecimal {
    let (_, power) = significant(n);
    let scale = i64::try_from(digits).unwrap_or(1) - 1 - power;
    round(n, scale)
}

/// `%e` for large and small exponents, else plain: to so many significant digits, or as many as
/// the value has.
pub(super) fn general(n: &Number, precision: Option<usize>, mode: char) -> String {
    let sign = if n.is_negative() { "-" } else { "" };
    let n = if n.is_negative() { n.neg() } else { n.clone() }.to_decimal();
    let n = match precision {
        Some(p) => round_significant(&n, p.max(1)),
        None => n,
    };
    let (digits, power) = significant(&n);
    // Where all digits are asked for, the limit is that of six.
    let limit = i64::try_from(precision.map_or(6, |p| p.max(1))).unwrap_or(i64::MAX);
    if power < -4 || power >= limit {
        let e = if mode == 'G' { 'E' } else { 'e' };
        return format!("{sign}{}", exponent(&n, digits.len() - 1, e));
    }
    format!("{sign}{}", n.normalized().to_plain_string())
}
