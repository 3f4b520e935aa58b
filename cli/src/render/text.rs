//! Small things about text: quoting as the language quotes, what a terminal would obey, columns,
//! wrapping, plurals.

use std::fmt::Write as _;

/// Whether a character does something instead of showing something: it moves the cursor, changes
/// colours, or turns the direction in which text is read.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Adds a character in a form that does nothing.
fn push_inert(out: &mut String, c: char) {
    match c {
        '\r' => out.push_str("\\r"),
        c if acts(c) => {
            // Writing to a string does not fail.
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
        c => out.push(c),
    }
}

/// A string as the language writes it in one line, in quotes. Control characters are escaped, so
/// nothing in a value can move the cursor or change colours of the terminal.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_quoted(&mut out, text);
    out
}

/// Adds a string as [`quote`] writes it.
pub fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => {
                out.push(c);
                out.push(c);
            }
            c => push_inert(out, c),
        }
    }
    out.push('"');
}

/// A line of text with its control characters made visible.
pub fn visible(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    push_visible(&mut out, line);
    out
}

/// Adds a line of text as [`visible`] writes it.
pub fn push_visible(out: &mut String, line: &str) {
    if !line.chars().any(|c| acts(c) && c != '\t') {
        out.push_str(line);
        return;
    }
    for c in line.chars() {
        match c {
            '\t' => out.push('\t'),
            c => push_inert(out, c),
        }
    }
}

/// How many columns a text takes in a terminal: characters of East Asian scripts and pictures take
/// two, marks on other characters none.
pub fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

fn width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036f | 0x200b..=0x200d | 0x20d0..=0x20ff | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xa960..=0xa97f
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
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
        if paragraph.starts_with([' ', '\t']) || columns(paragraph) <= width {
            lines.push(paragraph.to_string());
            continue;
        }
        let mut line = String::new();
        let mut length = 0;
        for word in paragraph.split_whitespace() {
            let word_length = columns(word);
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
        assert_eq!(visible("a\r"), "a\\r");
        // Text that reads from right to left would hide what it really says.
        assert_eq!(quote("a\u{202e}b"), "\"a\\u202eb\"");
    }

    #[test]
    fn wrapping_keeps_words_and_hand_made_lines() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("  laid out by hand", 7), ["  laid out by hand"]);
        assert_eq!(wrap("unbreakablylong x", 5), ["unbreakablylong", "x"]);
        assert_eq!(wrap("日本 語", 6), ["日本", "語"]);
    }

    #[test]
    fn keys_are_bare_where_they_can_be() {
        assert_eq!(key("app-name"), "app-name");
        assert_eq!(key("app.kubernetes.io/name"), "\"app.kubernetes.io/name\"");
        assert_eq!(key("1a"), "\"1a\"");
    }
}
