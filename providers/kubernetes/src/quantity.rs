//! Kubernetes quantities: whether two texts are the same amount. `1000m` is `1`, `1024Mi` is
//! `1Gi`; the API keeps the canonical form, whatever was sent.

use topo_sdk::Number;

/// Whether both are the same amount. Text that is no quantity is only itself.
pub fn same(a: &str, b: &str) -> bool {
    a == b || matches!((amount(a), amount(b)), (Some(x), Some(y)) if x == y)
}

/// The amount, exactly. Rules: the API's description of `Quantity`.
fn amount(text: &str) -> Option<Number> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-')))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let number: Number = number.trim_start_matches('+').parse().ok()?;
    let factor: Number = match suffix {
        "" => "1",
        "n" => "0.000000001",
        "u" => "0.000001",
        "m" => "0.001",
        "k" => "1000",
        "M" => "1000000",
        "G" => "1000000000",
        "T" => "1000000000000",
        "P" => "1000000000000000",
        "E" => "1000000000000000000",
        "Ki" => "1024",
        "Mi" => "1048576",
        "Gi" => "1073741824",
        "Ti" => "1099511627776",
        "Pi" => "1125899906842624",
        "Ei" => "1152921504606846976",
        _ => return exponent(&number, suffix),
    }
    .parse()
    .ok()?;
    number.checked_mul(&factor)
}

/// `1e3`, `1E3`.
fn exponent(number: &Number, suffix: &str) -> Option<Number> {
    let power: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    // Beyond any quantity that the API takes.
    if power.abs() > 30 {
        return None;
    }
    let factor: Number = format!("1e{power}").parse().ok()?;
    number.checked_mul(&factor)
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn amounts_are_compared_not_texts() {
        for (a, b) in [
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1024Mi", "1Gi"),
            ("1e3", "1k"),
            ("256Mi", "256Mi"),
            ("1.5Gi", "1536Mi"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in [("1", "1m"), ("1G", "1Gi"), ("x", "y"), ("1Gi", "")] {
            assert!(!same(a, b), "{a} {b}");
        }
    }
}
