//! Small things about text: quoting as the language quotes, wrapping, plurals.

/// A string as the language writes it in one line, in quotes. Control characters are escaped, so
/// nothing in a value can move the cursor or change colours of the terminal.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A line of text with its control characters made visible.
pub fn visible(line: &str) -> String {
    if !line.chars().any(|c| c.is_control() && c != '\t') {
        return line.to_string();
    }
    line.chars()
        .map(|c| match c {
            '\t' => '\t'.to_string(),
            c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        })
        .collect()
}

/// A name as it is written left of `=`: bare where the language allows that.
pub fn key(name: &str) -> String {
    let mut chars = name.chars();
    let bare = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if bare { name.to_string() } else { quote(name) }
}

/// `1 attribute`, `2 attributes`.
pub fn count(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

/// Breaks paragraphs at word boundaries so that no line is longer than `width`. Lines that start
/// with a space are laid out by hand and left alone.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        if paragraph.starts_with([' ', '\t']) || paragraph.chars().count() <= width {
            lines.push(paragraph.to_string());
            continue;
        }
        let mut line = String::new();
        let mut length = 0;
        for word in paragraph.split_whitespace() {
            let word_length = word.chars().count();
            if length > 0 && length + 1 + word_length > width {
                lines.push(std::mem::take(&mut line));
                length = 0;
            }
            if length > 0 {
                line.push(' ');
                length += 1;
            }
            line.push_str(word);
            length += word_length;
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_leaves_nothing_that_a_terminal_would_obey() {
        assert_eq!(quote("a\"b\\\n${x}"), r#""a\"b\\\n$${x}""#);
        assert_eq!(quote("\u{1b}[31m"), r#""\u001b[31m""#);
        assert_eq!(visible("a\u{1b}[0m\tb"), "a\\u001b[0m\tb");
    }

    #[test]
    fn wrapping_keeps_words_and_hand_made_lines() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("  laid out by hand", 7), ["  laid out by hand"]);
        assert_eq!(wrap("unbreakablylong x", 5), ["unbreakablylong", "x"]);
    }

    #[test]
    fn keys_are_bare_where_they_can_be() {
        assert_eq!(key("app-name"), "app-name");
        assert_eq!(key("app.kubernetes.io/name"), "\"app.kubernetes.io/name\"");
        assert_eq!(key("1a"), "\"1a\"");
    }
}
