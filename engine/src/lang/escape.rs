//! Which characters are shown as they are, and text as the language quotes it.

/// Whether a character is shown as itself in quoted text: letters, marks, numbers, punctuation,
/// symbols and the plain space, but no other space and nothing invisible. The rule is that of
/// Go's `unicode.IsPrint`, which the peers' output follows.
pub fn is_printable(c: char) -> bool {
    // Behind another character, so that combining marks count as what they are.
    let mut text = String::from("a");
    text.push(c);
    matches!(c, '\'' | '"' | '\\') || text.escape_debug().nth(1) != Some('\\')
}

/// Text as a quoted template that evaluates to it: `a "b" ${c}` is `"a \"b\" $${c}"`.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            // What would begin an interpolation or a directive is doubled.
            '$' | '%' => {
                quoted.push(c);
                if rest.peek() == Some(&'{') {
                    quoted.push(c);
                }
            }
            c if is_printable(c) => quoted.push(c),
            c if u32::from(c) < 0x1_0000 => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable() {
        for c in [
            'a', ' ', 'é', '\u{301}', '😀', '日', '\'', '"', '\\', '\u{fffd}',
        ] {
            assert!(is_printable(c), "{c:?}");
        }
        for c in [
            '\n',
            '\u{7f}',
            '\u{a0}',
            '\u{200b}',
            '\u{200c}',
            '\u{feff}',
            '\u{f0000}',
            '\u{2028}',
        ] {
            assert!(!is_printable(c), "{c:?}");
        }
    }

    #[test]
    fn quoted() {
        let text = "a\n\t\"\\ ${x} %{y} $x \u{200b}\u{f0000}";
        assert_eq!(
            quote(text),
            r#""a\n\t\"\\ $${x} %%{y} $x \u200b\U000f0000""#
        );
    }
}
