//! Numeric functions: exact on decimals wherever the operation allows it.

use num_bigint::BigInt;
use topo_sdk::{Number, Type, Value};

use super::ParamType as T;
use super::{Context, Function, FunctionError, Param, float, later, number, returns_number, text};

const NUM: Param = Param::new("num", T::Number, "A number.");

/// The most digits that a power may have.
const MAX_POWER_DIGITS: f64 = 20_000.0;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("abs", "The absolute value.", &[NUM], returns_number, abs),
    Function::new(
        "ceil",
        "The least whole number that is not less.",
        &[NUM],
        returns_number,
        ceil,
    ),
    Function::new(
        "floor",
        "The greatest whole number that is not greater.",
        &[NUM],
        returns_number,
        floor,
    ),
    Function::new(
        "log",
        "The logarithm to a base.",
        &[NUM, Param::new("base", T::Number, "The base.")],
        returns_number,
        log,
    ),
    Function::new(
        "max",
        "The greatest of the numbers.",
        &[],
        returns_number,
        max,
    )
    .variadic(Param::new("numbers", T::Number, "The numbers.")),
    Function::new("min", "The least of the numbers.", &[], returns_number, min)
        .variadic(Param::new("numbers", T::Number, "The numbers.")),
    Function::new(
        "parseint",
        "The whole number that a text spells in a base from 2 to 62.",
        &[
            Param::new("number", T::Any, "The text.").unknown(),
            Param::new("base", T::Number, "The base."),
        ],
        returns_number,
        parseint,
    ),
    Function::new(
        "pow",
        "A number raised to a power.",
        &[NUM, Param::new("power", T::Number, "The exponent.")],
        returns_number,
        pow,
    ),
    Function::new(
        "signum",
        "-1, 0 or 1 by the sign.",
        &[NUM],
        returns_number,
        signum,
    ),
];

fn abs(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let n = number(args, 0)?;
    Ok(Value::number(if n.is_negative() {
        n.neg()
    } else {
        n.clone()
    }))
}

fn floor(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::number(number(args, 0)?.floor()))
}

fn ceil(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    Ok(Value::number(number(args, 0)?.neg().floor().neg()))
}

fn signum(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let n = number(args, 0)?;
    Ok(Value::from(match n.cmp(&Number::ZERO) {
        std::cmp::Ordering::Less => -1,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    }))
}

fn max(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    some(args.iter().max_by(|a, b| a.total_cmp(b)))
}

fn min(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    some(args.iter().min_by(|a, b| a.total_cmp(b)))
}

fn some(extreme: Option<&Value>) -> Result<Value, FunctionError> {
    extreme
        .cloned()
        .ok_or_else(|| FunctionError::new("must pass at least one number"))
}

fn log(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let (n, base) = (number(args, 0)?.to_f64(), number(args, 1)?.to_f64());
    // In doubles, as the peers do, for the same digits.
    finite(float::ln(n) / float::ln(base))
}

fn finite(f: f64) -> Result<Value, FunctionError> {
    Number::from_f64(f)
        .map(Value::from)
        .ok_or_else(|| FunctionError::new("the result is not a finite number"))
}

fn pow(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let (base, power) = (number(args, 0)?, number(args, 1)?);
    let exact = power
        .to_i64()
        .and_then(|p| u32::try_from(p).ok())
        .filter(|_| base.is_integer());
    let Some(p) = exact else {
        return finite(float::pow(base.to_f64(), power.to_f64()));
    };
    let Some(base) = base.to_bigint() else {
        return Err(FunctionError::at(0, "value is out of range"));
    };
    // The number of bits bounds the digits: bits * log10(2).
    if base.bits() > 1 && base.bits() as f64 * f64::from(p) * 0.302 > MAX_POWER_DIGITS {
        return Err(FunctionError::new("the result is too large"));
    }
    Ok(Value::number(Number::from_bigint(base.pow(p))))
}

fn parseint(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    if args[0].ty() == Type::Dynamic {
        return Ok(later(Type::Number));
    }
    if args[0].ty() != Type::String {
        return Err(FunctionError::at(
            0,
            format!(
                "first argument must be a string, not {}",
                args[0].ty().friendly()
            ),
        ));
    }
    let base = number(args, 1)?;
    let Some(base) = base.to_i64().filter(|b| (2..=62).contains(b)) else {
        return Err(FunctionError::at(
            1,
            "base must be a whole number between 2 and 62 inclusive",
        ));
    };
    if !args[0].is_known() {
        return Ok(later(Type::Number));
    }
    let digits = text(args, 0)?;
    parse_digits(digits, base)
        .map(|n| Value::number(Number::from_bigint(n)))
        .ok_or_else(|| {
            FunctionError::at(
                0,
                format!("cannot parse {digits:?} as a base {base} integer"),
            )
        })
}

/// Digits are `0-9a-zA-Z`; case tells digits apart only where the base needs both cases.
fn parse_digits(text: &str, base: i64) -> Option<BigInt> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    if digits.is_empty() || digits.len() > MAX_POWER_DIGITS as usize {
        return None;
    }
    let mut n = BigInt::from(0);
    for d in digits {
        let value = match d {
            b'0'..=b'9' => d - b'0',
            b'a'..=b'z' => d - b'a' + 10,
            b'A'..=b'Z' if base <= 36 => d - b'A' + 10,
            b'A'..=b'Z' => d - b'A' + 36,
            _ => return None,
        };
        if i64::from(value) >= base {
            return None;
        }
        n = n * base + value;
    }
    Some(if negative { -n } else { n })
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;

    #[test]
    fn results() {
        check(&[
            ("abs", &[n("23")], "23"),
            ("abs", &[n("0")], "0"),
            ("abs", &[n("-12.4")], "12.4"),
            ("ceil", &[n("5")], "5"),
            ("ceil", &[n("5.1")], "6"),
            ("ceil", &[n("-5.1")], "-5"),
            ("floor", &[n("4.9")], "4"),
            ("floor", &[n("-4.9")], "-5"),
            ("log", &[n("50"), n("10")], "1.6989700043360185"),
            ("log", &[n("16"), n("2")], "4"),
            ("max", &[n("12"), n("54"), n("3")], "54"),
            ("min", &[n("12"), n("54"), n("3.5")], "3.5"),
            ("parseint", &[s("100"), n("10")], "100"),
            ("parseint", &[s("FF"), n("16")], "255"),
            ("parseint", &[s("-10"), n("16")], "-16"),
            ("parseint", &[s("1011111011101111"), n("2")], "48879"),
            ("parseint", &[s("aA"), n("62")], "656"),
            ("pow", &[n("3"), n("2")], "9"),
            ("pow", &[n("4"), n("0")], "1"),
            ("pow", &[n("2"), n("-1")], "0.5"),
            ("pow", &[n("9"), n("0.5")], "3"),
            ("signum", &[n("-13")], "-1"),
            ("signum", &[n("0")], "0"),
            ("signum", &[n("344.5")], "1"),
        ]);
        assert_eq!(
            run("pow", &[n("2"), n("70")]).unwrap(),
            n("1180591620717411303424")
        );
        assert_eq!(run("pow", &[n("1"), n("4000000000")]).unwrap(), n("1"));
    }

    #[test]
    fn refusals() {
        refuse(&[
            ("max", &[], "at least one number"),
            ("log", &[n("0"), n("10")], "finite"),
            ("log", &[n("-1"), n("10")], "finite"),
            ("pow", &[n("10"), n("100000")], "too large"),
            ("pow", &[n("-1"), n("0.5")], "finite"),
            (
                "parseint",
                &[s("FF"), n("10")],
                "cannot parse \"FF\" as a base 10 integer",
            ),
            ("parseint", &[s(""), n("10")], "cannot parse"),
            ("parseint", &[s("1"), n("63")], "between 2 and 62"),
            ("parseint", &[n("1"), n("10")], "must be a string"),
        ]);
    }
}
