//! Numbers of the language: decimal, exact, of any size.
//!
//! A 64-bit integer is stored as one; everything else is an arbitrary-precision decimal behind a
//! shared pointer. The two forms never overlap, so equality and hashing are by value.
//!
//! Only division can make a number that is not exact: its quotient has 150 significant digits,
//! about as many as the 512 bits of the language's reference implementation. Arithmetic with such a
//! number takes a result that differs from a short number only in its last digits for that number,
//! so that `1 / 3 * 3` is 1.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use std::num::NonZeroU64;

use bigdecimal::{BigDecimal, Context, One, RoundingMode, Signed, ToPrimitive, Zero};
use num_bigint::BigInt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The largest count of digits before or after the decimal point that a number may have.
///
/// The language's reference implementation stops at a 512-bit mantissa; this bound only keeps
/// hostile input such as `1e999999999` from filling memory when it is printed.
const MAX_DIGITS: i64 = 20_000;

/// The significant digits of a quotient.
const QUOTIENT_DIGITS: NonZeroU64 = NonZeroU64::new(150).unwrap();

/// A number with a fraction and at least this many digits comes from a division.
const INEXACT_DIGITS: u64 = 140;

/// How many digits of an inexact result are trusted.
const TRUSTED_DIGITS: NonZeroU64 = NonZeroU64::new(130).unwrap();

/// A result of so few digits is what the inexact one was meant to be.
const SHORT_DIGITS: u64 = 100;

fn round(n: &BigDecimal, digits: NonZeroU64) -> BigDecimal {
    Context::default()
        .with_precision(digits)
        .with_rounding_mode(RoundingMode::HalfEven)
        .round_decimal_ref(n)
}

/// Whether the number has the length of a quotient that division had to round.
fn is_inexact(n: &BigDecimal) -> bool {
    n.fractional_digit_count() > 0 && n.digits() >= INEXACT_DIGITS
}

/// An exact decimal number.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(Repr);

/// Invariant: `Big` never holds a value that `Int` could, and is normalised (no trailing zeros).
#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Int(i64),
    Big(Arc<BigDecimal>),
}

/// A text that is not a number, or one beyond the supported size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a number is required")]
pub struct ParseNumberError;

impl Number {
    /// Zero.
    pub const ZERO: Number = Number(Repr::Int(0));
    /// One.
    pub const ONE: Number = Number(Repr::Int(1));

    fn from_big(n: BigDecimal) -> Number {
        let n = n.normalized();
        if n.is_integer()
            && let Some(i) = n.to_i64()
        {
            return Number(Repr::Int(i));
        }
        Number(Repr::Big(Arc::new(n)))
    }

    /// The number as an arbitrary-precision decimal.
    pub fn to_decimal(&self) -> BigDecimal {
        match &self.0 {
            Repr::Int(i) => BigDecimal::from(*i),
            Repr::Big(b) => (**b).clone(),
        }
    }

    /// From an arbitrary-precision decimal; `None` when it has more digits than are supported.
    pub fn from_decimal(n: BigDecimal) -> Option<Number> {
        let (_, exponent) = n.as_bigint_and_exponent();
        let digits = i64::try_from(n.digits()).ok()?;
        (exponent.abs() <= MAX_DIGITS && digits <= MAX_DIGITS).then(|| Number::from_big(n))
    }

    /// The result of arithmetic: one with an inexact operand is taken for the short number that it
    /// hardly differs from, if there is one.
    fn settled(n: BigDecimal, inexact: bool) -> Option<Number> {
        if inexact {
            let n = round(&n, QUOTIENT_DIGITS);
            let trusted = round(&n, TRUSTED_DIGITS).normalized();
            let short = trusted.digits() <= SHORT_DIGITS;
            return Number::from_decimal(if short { trusted } else { n });
        }
        Number::from_decimal(n)
    }

    /// From a big integer.
    pub fn from_bigint(n: BigInt) -> Number {
        Number::from_big(BigDecimal::from(n))
    }

    /// From a float: its shortest decimal form. `None` for infinities and NaN.
    pub fn from_f64(f: f64) -> Option<Number> {
        f.is_finite().then(|| f.to_string().parse().ok()).flatten()
    }

    /// The value as `i64`, when it is a whole number in range.
    pub fn to_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(i) => Some(*i),
            Repr::Big(_) => None,
        }
    }

    /// The value as `usize`, when it is a whole number in range.
    pub fn to_usize(&self) -> Option<usize> {
        self.to_i64().and_then(|i| usize::try_from(i).ok())
    }

    /// The nearest `f64`.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Repr::Int(i) => *i as f64,
            Repr::Big(b) => b.to_f64().unwrap_or(f64::NAN),
        }
    }

    /// Whether there is no fractional part.
    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Int(_) => true,
            Repr::Big(b) => b.is_integer(),
        }
    }

    /// The value as a big integer, when it has no fractional part.
    pub fn to_bigint(&self) -> Option<BigInt> {
        match &self.0 {
            Repr::Int(i) => Some(BigInt::from(*i)),
            Repr::Big(b) if b.is_integer() => Some(b.with_scale(0).into_bigint_and_exponent().0),
            Repr::Big(_) => None,
        }
    }

    /// Whether the number is below zero.
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Int(i) => *i < 0,
            Repr::Big(b) => b.is_negative(),
        }
    }

    /// The sum, or `None` when it has more digits than are supported.
    pub fn checked_add(&self, other: &Number) -> Option<Number> {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && let Some(n) = a.checked_add(*b)
        {
            return Some(Number(Repr::Int(n)));
        }
        let (a, b) = (self.to_decimal(), other.to_decimal());
        Number::settled(&a + &b, is_inexact(&a) || is_inexact(&b))
    }

    /// The difference, or `None` when it has more digits than are supported.
    pub fn checked_sub(&self, other: &Number) -> Option<Number> {
        self.checked_add(&other.neg())
    }

    /// The product, or `None` when it has more digits than are supported.
    pub fn checked_mul(&self, other: &Number) -> Option<Number> {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && let Some(n) = a.checked_mul(*b)
        {
            return Some(Number(Repr::Int(n)));
        }
        let (a, b) = (self.to_decimal(), other.to_decimal());
        Number::settled(&a * &b, is_inexact(&a) || is_inexact(&b))
    }

    /// The quotient to 150 significant digits, or `None` for a division by zero.
    pub fn checked_div(&self, other: &Number) -> Option<Number> {
        let (a, b) = (self.to_decimal(), other.to_decimal());
        if b.is_zero() {
            return None;
        }
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && a.checked_rem(*b) == Some(0)
        {
            return a.checked_div(*b).map(Number::from);
        }
        let inexact = is_inexact(&a) || is_inexact(&b);
        // The library divides to a fixed number of digits, trailing zeros of the dividend
        // included; with this factor there are always enough.
        let shift = QUOTIENT_DIGITS.get() + b.digits();
        let digits = i64::try_from(shift).ok()?;
        let (dividend, scale) = a.normalized().into_bigint_and_exponent();
        let (divisor, divisor_scale) = b.normalized().into_bigint_and_exponent();
        let scaled = dividend * BigInt::from(10).pow(u32::try_from(shift).ok()?);
        let quotient = BigDecimal::new(scaled / divisor, scale - divisor_scale + digits);
        Number::settled(round(&quotient, QUOTIENT_DIGITS), inexact)
    }

    /// The remainder with the sign of the dividend, or `None` for a division by zero.
    pub fn checked_rem(&self, other: &Number) -> Option<Number> {
        let divisor = other.to_decimal();
        if divisor.is_zero() {
            return None;
        }
        Number::from_decimal(self.to_decimal() % divisor)
    }

    /// The number with its sign turned.
    pub fn neg(&self) -> Number {
        match &self.0 {
            Repr::Int(i) => match i.checked_neg() {
                Some(n) => Number(Repr::Int(n)),
                None => Number::from_big(-BigDecimal::from(*i)),
            },
            Repr::Big(b) => Number::from_big(-(**b).clone()),
        }
    }

    /// The largest whole number that is not greater.
    pub fn floor(&self) -> Number {
        match &self.0 {
            Repr::Int(_) => self.clone(),
            Repr::Big(b) => {
                let truncated = b.with_scale(0);
                if b.is_negative() && truncated != **b {
                    Number::from_big(truncated - BigDecimal::one())
                } else {
                    Number::from_big(truncated)
                }
            }
        }
    }
}

impl From<i64> for Number {
    fn from(i: i64) -> Number {
        Number(Repr::Int(i))
    }
}

impl From<i32> for Number {
    fn from(i: i32) -> Number {
        Number(Repr::Int(i64::from(i)))
    }
}

impl From<u64> for Number {
    fn from(i: u64) -> Number {
        Number::from_bigint(BigInt::from(i))
    }
}

impl From<usize> for Number {
    fn from(i: usize) -> Number {
        Number::from_bigint(BigInt::from(i))
    }
}

impl FromStr for Number {
    type Err = ParseNumberError;

    /// Reads decimal notation with an optional sign, fraction and exponent.
    fn from_str(s: &str) -> Result<Number, ParseNumberError> {
        if let Ok(i) = s.parse::<i64>() {
            return Ok(Number(Repr::Int(i)));
        }
        // Before anything is computed from it: reading digits takes quadratic time.
        if s.len() > 2 * MAX_DIGITS as usize {
            return Err(ParseNumberError);
        }
        // BigDecimal accepts underscores; the language does not.
        let plain = s
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
        let starts = s
            .bytes()
            .find(|b| !matches!(b, b'-' | b'+'))
            .is_some_and(|b| b.is_ascii_digit() || b == b'.');
        if !plain || !starts {
            return Err(ParseNumberError);
        }
        let n = BigDecimal::from_str(s).map_err(|_| ParseNumberError)?;
        Number::from_decimal(n).ok_or(ParseNumberError)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Int(i) => i.fmt(f),
            Repr::Big(b) => f.write_str(&b.to_plain_string()),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        match (&self.0, &other.0) {
            (Repr::Int(a), Repr::Int(b)) => a.cmp(b),
            _ => self.to_decimal().cmp(&other.to_decimal()),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Number, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(s: &str) -> Number {
        s.parse().unwrap()
    }

    #[test]
    fn decimal_arithmetic_is_exact() {
        assert_eq!(n("0.1").checked_add(&n("0.2")).unwrap().to_string(), "0.3");
        assert_eq!(n("123456789012").to_string(), "123456789012");
        let big = n("9223372036854775807").checked_add(&Number::ONE).unwrap();
        assert_eq!(big.to_string(), "9223372036854775808");
        assert_eq!(
            big.checked_sub(&Number::ONE).unwrap(),
            n("9223372036854775807")
        );
        assert_eq!(n("1e3"), n("1000"));
        assert_eq!(n("1.50"), n("1.5"));
        assert_eq!(n("-1.5").floor(), n("-2"));
        assert_eq!(n("-7").checked_rem(&n("3")).unwrap(), n("-1"));
        assert!(n("1").checked_div(&Number::ZERO).is_none());
        assert_eq!(n("+1.5"), n("1.5"));
    }

    #[test]
    fn quotients_are_long_and_settle_on_what_they_stand_for() {
        let div = |a: &str, b: &str| n(a).checked_div(&n(b)).unwrap();
        assert_eq!(div("1", "4").to_string(), "0.25");
        assert_eq!(div("7", "-7"), n("-1"));
        assert_eq!(div("-9223372036854775808", "-1"), n("9223372036854775808"));
        assert_eq!(div("1e300", "1e290"), n("1e10"));
        assert_eq!(div("10", "3").to_string().len(), 151);
        for (a, b) in [
            ("1", "3"),
            ("10", "3"),
            ("2", "7"),
            ("22", "1.1"),
            ("1", "1e30"),
        ] {
            assert_eq!(
                div(a, b).checked_mul(&n(b)).unwrap(),
                n(a),
                "{a} / {b} * {b}"
            );
        }
        let third = div("1", "3");
        let sum = third.checked_add(&third).unwrap().checked_add(&third);
        assert_eq!(sum.unwrap(), Number::ONE);
        let shifted = div("10", "3").checked_add(&Number::ONE).unwrap();
        assert_eq!(shifted.checked_mul(&n("3")).unwrap(), n("13"));
        assert_ne!(third, n("0.333333333333333333333333333333333333333333"));
    }

    #[test]
    fn a_million_digits_are_refused_at_once() {
        assert!("9".repeat(1_000_000).parse::<Number>().is_err());
        assert!(n("1e19999").checked_mul(&n("1e19999")).is_none());
        assert!(n("1e19999").checked_add(&n("1e-19999")).is_none());
    }

    #[test]
    fn what_is_not_a_number_is_refused() {
        for text in [
            "",
            "-",
            "abc",
            "1_000",
            "++1",
            "+-1",
            "1e",
            "e5",
            "1e99999999",
            "0x10",
            " 1",
            "inf",
            "NaN",
            "--1",
        ] {
            assert!(text.parse::<Number>().is_err(), "{text}");
        }
    }
}
