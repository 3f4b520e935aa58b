//! Where an expression that is typed line by line ends.
//!
//! An expression goes on while a bracket, a comment, a heredoc or an interpolation is open, or
//! when the line ends in a backslash (as OpenTofu's console has it; the backslash is no part of
//! the language). Text in quotes cannot go on in the next line, so an open quote does not ask for
//! one: the parser says what is wrong.

/// Whether what was typed so far needs more lines.
pub fn is_open(text: &str) -> bool {
    scan(text).open
}

/// What was typed, with blanks for the backslashes that joined its lines and for those line
/// breaks.
pub fn joined(text: &str) -> String {
    let mut made = text.to_string();
    for at in scan(text).joins {
        // Byte for byte, so that the places found are right for all of them.
        for i in at..made.len().min(at + 2) {
            made.replace_range(i..=i, " ");
        }
    }
    made
}

/// Whether what follows the text is inside quotes.
pub(super) fn is_in_quotes(text: &str) -> bool {
    scan(text).quoted
}

struct Scan {
    open: bool,
    /// Whether a quote is open.
    quoted: bool,
    /// The backslashes that join a line to the next one.
    joins: Vec<usize>,
}

/// What a closing character is awaited for.
#[derive(Clone, Copy, PartialEq)]
enum Context {
    /// A bracket or an interpolation, closed by this.
    Bracket(u8),
    Quote,
}

/// Goes through the text once. All that matters is ASCII, so bytes will do.
fn scan(text: &str) -> Scan {
    let bytes = text.as_bytes();
    let mut stack: Vec<Context> = Vec::new();
    let mut joins = Vec::new();
    let done = |open: bool, joins: Vec<usize>| Scan {
        open,
        quoted: false,
        joins,
    };
    let mut i = 0;
    while let Some(&byte) = bytes.get(i) {
        let rest = bytes.get(i..).unwrap_or_default();
        if stack.last() == Some(&Context::Quote) {
            i += match byte {
                b'\\' => 2,
                b'"' => {
                    stack.pop();
                    1
                }
                b'\n' => return done(false, joins),
                b'$' | b'%' if rest.starts_with(b"$${") || rest.starts_with(b"%%{") => 3,
                b'$' | b'%' if rest.get(1) == Some(&b'{') => {
                    stack.push(Context::Bracket(b'}'));
                    2
                }
                _ => 1,
            };
            continue;
        }
        match byte {
            b'"' => stack.push(Context::Quote),
            b'(' => stack.push(Context::Bracket(b')')),
            b'[' => stack.push(Context::Bracket(b']')),
            b'{' => stack.push(Context::Bracket(b'}')),
            // One that closes nothing is for the parser to complain about.
            b')' | b']' | b'}' if stack.pop() != Some(Context::Bracket(byte)) => {
                return done(false, joins);
            }
            b'#' => i += line_length(rest),
            b'/' if rest.starts_with(b"//") => i += line_length(rest),
            b'/' if rest.starts_with(b"/*") => {
                let Some(end) = find(text, i + 2, "*/") else {
                    return done(true, joins);
                };
                i = end + 1;
            }
            b'<' if rest.starts_with(b"<<") => {
                if let Some(marker) = heredoc_marker(text, i) {
                    let Some(end) = heredoc_end(text, i, marker) else {
                        return done(true, joins);
                    };
                    i = end;
                    continue;
                }
            }
            b'\\' if rest.get(1).is_none_or(|b| *b == b'\n') => joins.push(i),
            _ => {}
        }
        i += 1;
    }
    let joined = joins.last().is_some_and(|at| at + 1 == bytes.len());
    let open = joined || stack.iter().any(|c| matches!(c, Context::Bracket(_)));
    let quoted = stack.last() == Some(&Context::Quote);
    Scan {
        open: open && !quoted,
        quoted,
        joins,
    }
}

/// Bytes up to the end of the line.
fn line_length(rest: &[u8]) -> usize {
    let end = rest.iter().position(|b| *b == b'\n');
    end.unwrap_or(rest.len()).saturating_sub(1)
}

fn find(text: &str, from: usize, what: &str) -> Option<usize> {
    text.get(from..)?.find(what).map(|at| from + at)
}

/// The marker of a heredoc that begins at a byte: a name behind `<<` or `<<-`, at the end of its
/// line.
fn heredoc_marker(text: &str, at: usize) -> Option<&str> {
    let rest = text.get(at + 2..)?;
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let line = rest.lines().next()?;
    let marker = line.trim_end_matches('\r');
    let is_name = marker.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && marker
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    is_name.then_some(marker)
}

/// Just behind the line that closes a heredoc.
fn heredoc_end(text: &str, at: usize, marker: &str) -> Option<usize> {
    let mut start = find(text, at, "\n")? + 1;
    for line in text.get(start..)?.split_inclusive('\n') {
        if line.trim() == marker {
            return Some(start + line.trim_end_matches(['\n', '\r']).len());
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on() {
        for text in [
            "[1,",
            "{\n a = 1",
            "(1 +\n",
            "f(\"a\", [",
            "\"${\n1",
            "\"a${f(\"b\")",
            "/* a comment",
            "1 /*\n",
            "[ # ]",
            "[ // ]\n1",
            "<<EOT",
            "<<EOT\nhello",
            "<<-EOT\n  hello\n EOTX\n",
            "upper(<<EOT\nx\nEOT",
            "{ a = <<EOT\n}\n\"\nEOT\n",
            "1 + \\",
            "1 + \\\n2 + \\",
        ] {
            assert!(is_open(text), "{text:?}");
        }
    }

    #[test]
    fn what_ends() {
        for text in [
            "",
            "1",
            "[1,\n2]",
            "\"[\"",
            "\"\\\"[\"",
            "\"$${[\"",
            "\"%%{[\"",
            "\"${[1][0]}\"",
            "\"a",
            "\"a\nb",
            "]",
            "(]",
            "# [",
            "// {",
            "/* [ */ 1",
            "<<EOT\n[ {\nEOT",
            "<<-EOT\n  a\n  EOT\n",
            "1 << 2",
            "1 < 2",
            "\"\\",
            "\"é[\"",
            "\\n",
        ] {
            assert!(!is_open(text), "{text:?}");
        }
    }

    #[test]
    fn joined_lines() {
        assert_eq!(joined("1 + \\\n2 + \\\n3"), "1 +   2 +   3");
        assert_eq!(joined("1 + \\"), "1 +  ");
        assert_eq!(joined("\"\\\\\""), "\"\\\\\"");
        assert_eq!(joined("<<EOT\na \\\nb\nEOT"), "<<EOT\na \\\nb\nEOT");
    }
}
