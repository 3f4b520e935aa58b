//! What is wrong with a text that does not parse, in words for the person who wrote it.
//!
//! The parser says where it gave up and what it could have gone on with. That is rarely where the
//! mistake is: a string that is not closed swallows what follows it up to the next quote. So the
//! text is read once more, only for what opens and closes, and then the common mistakes are told
//! from what is at the place.

use super::source::Span;

/// The summary of a string that is not closed in its line.
pub(super) const UNTERMINATED_STRING: &str = "Unterminated string";

/// A mistake: where it is, a summary, a detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) span: Span,
    pub(super) summary: &'static str,
    pub(super) detail: String,
}

impl Mistake {
    fn new(at: usize, length: usize, summary: &'static str, detail: impl Into<String>) -> Mistake {
        Mistake {
            span: Span::from(at..at + length),
            summary,
            detail: detail.into(),
        }
    }
}

/// What is open at a place.
#[derive(Clone, Copy)]
enum Open<'a> {
    /// `{`, `[` or `(`
    Bracket(char),
    /// `"`
    Quote,
    /// `${` or `%{`
    Sequence,
    /// `<<NAME` or `<<-NAME`
    Heredoc(&'a str),
    /// The text of a template file.
    File,
}

/// The first thing that is not closed, closed by the wrong bracket, or that is no part of the
/// language wherever it stands. `template` is whether the text is a template, not code.
/// `line` tells the line of a byte, for messages.
pub(super) fn unbalanced<'a>(
    text: &'a str,
    template: bool,
    line: &'a dyn Fn(usize) -> u32,
) -> Option<Mistake> {
    let mut scan = Scan {
        text,
        line,
        at: 0,
        open: Vec::new(),
    };
    if template {
        scan.open.push((Open::File, 0));
    }
    while scan.at < text.len() {
        let step = match scan.open.last() {
            Some((Open::Quote, start)) => scan.quoted(*start),
            Some((Open::Heredoc(tag), _)) => {
                let tag = *tag;
                scan.heredoc(tag);
                None
            }
            Some((Open::File, _)) => {
                scan.sequence_or_text();
                None
            }
            _ => scan.code(),
        };
        if step.is_some() {
            return step;
        }
    }
    scan.end()
}

struct Scan<'a> {
    text: &'a str,
    line: &'a dyn Fn(usize) -> u32,
    at: usize,
    open: Vec<(Open<'a>, usize)>,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Goes on to the next line break, or behind it.
    fn skip_line(&mut self, including: bool) {
        let length = self
            .rest()
            .find('\n')
            .map_or(self.rest().len(), |i| i + usize::from(including));
        self.at += length;
    }

    fn code(&mut self) -> Option<Mistake> {
        let rest = self.rest();
        let c = rest.chars().next()?;
        match c {
            '#' => self.skip_line(false),
            '/' if rest.starts_with("//") => self.skip_line(false),
            '/' if rest.starts_with("/*") => match rest[2..].find("*/") {
                Some(i) => self.at += i + 4,
                None => {
                    let detail = "This comment has no closing */.";
                    return Some(Mistake::new(self.at, 2, "Unterminated comment", detail));
                }
            },
            '"' => self.push(Open::Quote, 1),
            '<' if rest.starts_with("<<") => self.heredoc_start(),
            '{' | '[' | '(' => self.push(Open::Bracket(c), 1),
            '}' | ']' | ')' => return self.close(c),
            '\'' => {
                let detail =
                    "Single quotes are not valid. Use double quotes (\") to enclose strings.";
                return Some(Mistake::new(self.at, 1, "Invalid character", detail));
            }
            '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' => {
                let detail = "\"Curly quotes\" are not valid here. They can be introduced by word processors and some web pages. Use straight double quotes (\") to enclose strings.";
                return Some(Mistake::new(
                    self.at,
                    c.len_utf8(),
                    "Invalid character",
                    detail,
                ));
            }
            ';' => {
                let detail = "The \";\" character is not valid. Use newlines to separate arguments and blocks, and commas to separate items in collection values.";
                return Some(Mistake::new(self.at, 1, "Invalid character", detail));
            }
            '`' => {
                let detail = "The \"`\" character is not valid. To create a multi-line string, use the \"heredoc\" syntax, like \"<<EOT\".";
                return Some(Mistake::new(self.at, 1, "Invalid character", detail));
            }
            '&' | '|' if rest.chars().nth(1) == Some(c) => self.at += 2,
            '&' | '|' | '^' => {
                let hint = match c {
                    '&' => "Did you mean logical AND (\"&&\")? ",
                    '|' => "Did you mean logical OR (\"||\")? ",
                    _ => "",
                };
                let detail = format!("{hint}There are no bitwise operators.");
                return Some(Mistake::new(self.at, 1, "Unsupported operator", detail));
            }
            c => self.at += c.len_utf8(),
        }
        None
    }

    fn push(&mut self, what: Open<'a>, length: usize) {
        self.open.push((what, self.at));
        self.at += length;
    }

    fn close(&mut self, c: char) -> Option<Mistake> {
        let wanted = match self.open.last() {
            Some((Open::Bracket(open), _)) => match open {
                '{' => '}',
                '[' => ']',
                _ => ')',
            },
            Some((Open::Sequence, _)) => '}',
            _ => {
                let detail = format!("There is nothing open that this {c} could close.");
                return Some(Mistake::new(
                    self.at,
                    1,
                    "Unexpected closing bracket",
                    detail,
                ));
            }
        };
        let (_, start) = self.open.last().copied()?;
        if c != wanted {
            let line = (self.line)(start);
            let opening = self.text.get(start..).and_then(|t| t.chars().next())?;
            let place = if line == (self.line)(self.at) {
                String::new()
            } else {
                format!(" in line {line}")
            };
            let detail = format!(
                "This {c} does not close the {opening}{place}, for which a {wanted} is missing."
            );
            return Some(Mistake::new(self.at, 1, "Mismatched brackets", detail));
        }
        self.open.pop();
        self.at += 1;
        None
    }

    fn heredoc_start(&mut self) {
        let after = self.rest().get(2..).unwrap_or("");
        let after = after.strip_prefix('-').unwrap_or(after);
        let end = after
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
            .unwrap_or(after.len());
        let (tag, behind) = after.split_at(end);
        if tag.is_empty() || !(behind.starts_with('\n') || behind.starts_with("\r\n")) {
            self.at += 2;
            return;
        }
        self.open.push((Open::Heredoc(tag), self.at));
        // The line break belongs to the text: an empty heredoc ends in the next line.
        self.at = self.text.len() - behind.len();
    }

    /// Within a heredoc; at a line break it may end in the next line.
    fn heredoc(&mut self, tag: &str) {
        if let Some(line) = self.rest().strip_prefix('\n') {
            let end = line.find('\n').unwrap_or(line.len());
            let line = &line[..end];
            let marker = line.trim_start();
            if marker.strip_prefix(tag).is_some_and(|rest| {
                !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '-')
            }) {
                self.at += 1 + line.len() - marker.len() + tag.len();
                self.open.pop();
                return;
            }
        }
        self.sequence_or_text();
    }

    /// Within the text of a template: a sequence opens, or one character goes by.
    fn sequence_or_text(&mut self) {
        let rest = self.rest();
        if rest.starts_with("$${") || rest.starts_with("%%{") {
            self.at += 3;
        } else if rest.starts_with("${") || rest.starts_with("%{") {
            self.push(Open::Sequence, 2);
        } else {
            self.at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }

    fn quoted(&mut self, start: usize) -> Option<Mistake> {
        let rest = self.rest();
        match rest.bytes().next()? {
            b'"' => {
                self.open.pop();
                self.at += 1;
            }
            b'\\' => {
                self.at += 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
            }
            b'\n' => return Some(self.unterminated_string(start)),
            _ => self.sequence_or_text(),
        }
        None
    }

    fn unterminated_string(&self, start: usize) -> Mistake {
        // The quote that should have ended the string is inside of a sequence that is not closed.
        if let [.., (Open::Quote, _), (Open::Sequence, sequence), _] = self.open.as_slice()
            && self
                .text
                .get(*sequence..start)
                .is_some_and(|t| !t.contains('\n'))
        {
            return self.unclosed_sequence(*sequence);
        }
        Mistake::new(
            start,
            1,
            UNTERMINATED_STRING,
            "This string has no closing quote in its line. To write text over several lines, use the \"heredoc\" syntax, like \"<<EOT\", or \\n for a line break.",
        )
    }

    fn unclosed_sequence(&self, start: usize) -> Mistake {
        let opening = self.text.get(start..start + 2).unwrap_or("${");
        let sign = &opening[..1];
        let detail = format!(
            "There is no closing brace for this {opening}. To write it as text, double its first character: {sign}{opening}."
        );
        Mistake::new(start, 2, "Unclosed template sequence", detail)
    }

    /// What is still open at the end.
    fn end(&self) -> Option<Mistake> {
        let (what, start) = self.open.last().copied()?;
        let unclosed = |length, opening: &str, closing: &str| {
            let detail =
                format!("There is no closing {closing} for this {opening} before the end.");
            Mistake::new(
                start,
                length,
                "Unclosed configuration block or bracket",
                detail,
            )
        };
        Some(match what {
            Open::File => return None,
            Open::Quote => self.unterminated_string(start),
            Open::Bracket('{') => unclosed(1, "{", "}"),
            Open::Bracket('[') => unclosed(1, "[", "]"),
            Open::Bracket(_) => unclosed(1, "(", ")"),
            Open::Sequence => {
                let opening = self.text.get(start..start + 2).unwrap_or("${");
                Mistake::new(
                    start,
                    2,
                    "Unclosed template sequence",
                    format!(
                        "There is no closing brace for this {opening} before the end. To write it as text, double its first character: {}{opening}.",
                        &opening[..1]
                    ),
                )
            }
            Open::Heredoc(tag) => Mistake::new(
                start,
                2 + tag.len(),
                "Unterminated heredoc",
                format!("There is no line that consists of {tag} only, which would end this text."),
            ),
        })
    }
}

/// What is wrong where the parser gave up with a message.
pub(super) fn at_place(text: &str, at: usize, message: &str) -> Option<Mistake> {
    let rest = text.get(at..)?;
    let next = rest.trim_start_matches([' ', '\t']);
    let place = text.len() - next.len();
    let c = next.chars().next();
    let has = |part: &str| message.contains(part);
    let at_line_end = matches!(c, None | Some('\n' | '\r'));
    let word = |from: &str| -> String {
        let end = from.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
        from[..end.unwrap_or(from.len())].to_string()
    };
    let mistake = |summary, detail: String| {
        let length = c.filter(|c| !c.is_control()).map_or(1, char::len_utf8);
        Some(Mistake::new(place, length, summary, detail))
    };
    let plain = |summary, detail: &str| mistake(summary, detail.to_string());
    // The parser is behind the character that it does not take.
    let before = text.get(..at).and_then(|t| t.chars().next_back());
    let just_before = |summary, detail: &str| {
        let length = before.map_or(0, char::len_utf8);
        Some(Mistake::new(at - length, length, summary, detail))
    };
    if has("nesting depth") {
        return plain(
            "Nesting too deep",
            "Expressions, templates and blocks can be nested at most 64 levels deep.",
        );
    }
    if has("chained binary") {
        return plain(
            "Expression too long",
            "At most 128 operators can follow each other in one expression. Put parts of it into local values, or use functions that take lists, such as sum, join, alltrue or anytrue.",
        );
    }
    if has("redefined attribute") {
        let name = word(next);
        let detail = format!(
            "The argument {name:?} was already set in this block. Each argument may be set only once."
        );
        return Some(Mistake::new(
            place,
            name.len().max(1),
            "Attribute redefined",
            detail,
        ));
    }
    if has("redefined object key") {
        return plain(
            "Duplicate object key",
            "This key is in the object already. No more than 100 keys of a file may be there again.",
        );
    }
    if has("escape sequence") {
        return just_before(
            "Invalid escape sequence",
            "This character does not select an escape sequence. After a backslash there can be n, r, t, a quote, a backslash, or u or U with four or eight hexadecimal digits. For a backslash itself write two.",
        );
    }
    if has("hex code") {
        return plain(
            "Invalid escape sequence",
            "A \\u must be followed by four hexadecimal digits, a \\U by eight, which are the number of a Unicode character.",
        );
    }
    if let Some(m) = number_at(text, at) {
        return Some(m);
    }
    if has("invalid structure") {
        let line = text.get(..place)?.rsplit('\n').next()?.trim();
        let name = line.to_string();
        return match c {
            Some(':') => mistake(
                "Invalid block definition",
                format!("An argument is set with an equals sign: {name} = ..., not with a colon."),
            ),
            _ if at_line_end || c == Some('}') => mistake(
                "Invalid block definition",
                format!(
                    "Either an equals sign and a value (for an argument) or an opening brace (for a block) must follow {name}."
                ),
            ),
            Some('.') => plain(
                "Invalid argument name",
                "Argument names must not contain dots. Only letters, digits, hyphens and underscores are allowed.",
            ),
            _ => mistake(
                "Invalid block definition",
                format!(
                    "An equals sign is missing between {name} and its value, or, for a block, its labels must be in quotes and an opening brace must follow them."
                ),
            ),
        };
    }
    if has("newline or eof") || has("expected eof") {
        return match c {
            Some(',') => plain(
                "Unexpected comma after argument",
                "Argument definitions must be separated by newlines, not commas. An argument definition must end with a newline.",
            ),
            Some('=') => plain(
                "Invalid expression",
                "An equals sign is not part of an expression. To compare values use ==; another argument must start on a new line.",
            ),
            _ => plain(
                "Missing newline after argument",
                "An argument definition must end with a newline: what is here does not belong to the value before it.",
            ),
        };
    }
    if has("object value assignment") {
        return just_before(
            "Missing attribute value",
            "After the key of an object there must be an equals sign or a colon, and a value.",
        );
    }
    if has("object item") || has("expected `}`, `,`") {
        return plain(
            "Missing attribute separator",
            "The attributes of an object are separated by commas or newlines.",
        );
    }
    if has("traversal operator") {
        return plain(
            "Invalid attribute name",
            "After a dot there must be the name of an attribute, or * for all elements.",
        );
    }
    if has("invalid expression") {
        return match c {
            Some(',') => plain(
                "Unexpected comma",
                "There is no expression before this comma.",
            ),
            _ if at_line_end => plain(
                "Missing expression",
                "An expression is missing before the end of the line.",
            ),
            Some(')' | ']' | '}') => plain(
                "Missing expression",
                "An expression is missing before this closing bracket.",
            ),
            Some('=') => plain(
                "Invalid expression",
                "An equals sign is not part of an expression. To compare values use ==.",
            ),
            _ => plain(
                "Invalid expression",
                "What is here cannot start an expression. An expression is a string in quotes, a number, a reference, a call, or something in brackets.",
            ),
        };
    }
    if has("`]`") || has("`)`") {
        let (what, close) = if has("`]`") {
            ("item", "]")
        } else {
            ("argument", ")")
        };
        return match c {
            Some(',') => plain(
                "Unexpected comma",
                "There is no expression before this comma.",
            ),
            Some('=') => plain(
                "Invalid expression",
                "An equals sign is not part of an expression. To compare values use ==.",
            ),
            _ => mistake(
                "Missing separator",
                format!("Either a comma and another {what} or a closing {close} must come here."),
            ),
        };
    }
    None
}

/// A number that is too large to be written: the parser reads numbers as floats.
fn number_at(text: &str, at: usize) -> Option<Mistake> {
    let of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    let before = text.get(..at)?;
    let start = before.trim_end_matches(of_number).len();
    let rest = text.get(start..)?;
    let number = &rest[..rest.find(|c| !of_number(c)).unwrap_or(rest.len())];
    let too_large = number.starts_with(|c: char| c.is_ascii_digit())
        && number.parse::<f64>().is_ok_and(f64::is_infinite);
    too_large.then(|| {
        Mistake::new(
            start,
            number.len(),
            "Invalid number",
            "The number has more digits than can be written here, which are about 308 before the decimal point.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::source::SourceFile;
    use super::super::syntax::{parse_body, parse_template};

    /// Line and column, summary and detail of the error that a file has.
    fn error(text: &str) -> (u32, u32, String) {
        let d = parse_body(&SourceFile::new("test.tf", text.into())).expect_err(text);
        let at = d.range.clone().expect("a place").start;
        (at.line, at.column, format!("{}: {}", d.summary, d.detail))
    }

    #[test]
    fn mistakes_are_told_where_they_are() {
        let rows = [
            ("a = \"x\nb = \"y\"\n", 1, 5, "Unterminated string"),
            ("a = \"x\nb = 1\n", 1, 5, "Unterminated string"),
            ("a = \"x\n  y\"\n", 1, 5, "heredoc"),
            ("a = <<EOT\n  x\nb = 1\n", 1, 5, "Unterminated heredoc"),
            ("b {\n  a = 1\n", 1, 3, "Unclosed"),
            ("b {\n  a = [1,\n}\n", 3, 1, "Mismatched brackets"),
            ("a = [1, 2\n", 1, 5, "Unclosed"),
            ("a = f(1, 2\nb = 2\n", 1, 6, "closing )"),
            ("a = {\n  b = 1\n", 1, 5, "closing }"),
            ("a = 1\n}\n", 2, 1, "Unexpected closing bracket"),
            ("a = \"x ${b\"\n", 1, 8, "Unclosed template sequence"),
            ("/* a = 1\n", 1, 1, "Unterminated comment"),
            ("a = 'x'\n", 1, 5, "Single quotes"),
            ("a = \u{201c}x\u{201d}\n", 1, 5, "Curly quotes"),
            ("a = 1;\n", 1, 6, "newlines to separate"),
            ("a = `x`\n", 1, 5, "heredoc"),
            ("a: 1\n", 1, 2, "not with a colon"),
            ("a 1\n", 1, 3, "equals sign is missing"),
            ("b {\n  a\n}\n", 2, 4, "Either an equals sign"),
            ("a.b = 1\n", 1, 2, "must not contain dots"),
            ("a = 1, b = 2\n", 1, 6, "Unexpected comma"),
            ("a = 1 b = 2\n", 1, 7, "Missing newline"),
            ("a = [1 2]\n", 1, 8, "Missing separator"),
            ("a = [1,,2]\n", 1, 8, "comma"),
            ("a = [,]\n", 1, 6, "comma"),
            ("a = f(1 2)\n", 1, 9, "Missing separator"),
            ("a = {b = 1 c = 2}\n", 1, 12, "Missing attribute separator"),
            ("a = {b}\n", 1, 7, "Missing attribute value"),
            ("a =\n", 1, 4, "Missing expression"),
            ("a = 1 +\n", 1, 8, "Missing expression"),
            ("a = (1 = 2)\n", 1, 8, "To compare values"),
            ("a = b & c\n", 1, 7, "logical AND"),
            ("a = b | c\n", 1, 7, "logical OR"),
            ("a = b.!\n", 1, 7, "Invalid attribute name"),
            ("a = \"\\x\"\n", 1, 7, "Invalid escape sequence"),
            ("a = \"\\u12\"\n", 1, 8, "Invalid escape sequence"),
            ("a = 1\na = 2\n", 2, 1, "already set"),
            ("a = 1e999\n", 1, 5, "Invalid number"),
        ];
        let mut wrong = Vec::new();
        for (text, line, column, message) in rows {
            let (l, c, m) = error(text);
            if (l, c) != (line, column) || !m.contains(message) {
                wrong.push(format!("{text:?} at {l}:{c}, not {line}:{column}: {m}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn limits_of_the_parser_are_explained() {
        let (_, _, m) = error(&format!("a = {}1{}\n", "[".repeat(100), "]".repeat(100)));
        assert!(m.contains("at most 64 levels"), "{m}");
        let (_, _, m) = error(&format!("a = {}1\n", "1 + ".repeat(200)));
        assert!(m.contains("At most 128 operators"), "{m}");
    }

    #[test]
    fn what_is_no_mistake_parses() {
        for text in [
            "a = \"x \\\" ' y\" # it's\nb = 1 // isn't {\n",
            "a = \"${f(\"}\", {b = \"]\"})}\"\n",
            "a = \"${\n  1\n}\"\n",
            "a = \"$${ %%{ \"\n",
            "a = <<EOT\n'it' \" ${1} $${ ] EOT\n  EOT\nb = 1\n",
            "a = <<EOT\nEOT\nb = 1\n",
            "a = <<-EOT\n  EOTX\n  EOT\n",
            "a = [<<A\n(\nA\n, <<B\n[\nB\n]\n",
            "/* ' \" { */\na = 1\n",
            "a = \"x\"\r\nb = <<E\r\n'\r\nE\r\n",
        ] {
            let file = SourceFile::new("test.tf", text.into());
            parse_body(&file).unwrap_or_else(|d| panic!("{text:?}: {d}"));
        }
    }

    #[test]
    fn templates_are_text_until_a_sequence_opens() {
        let template = |text: &str| parse_template(&SourceFile::new("t.tpl", text.into()), &[]);
        assert!(template("it's } ] \" {\n$${ ${1}").is_ok());
        let ds = template("one\n two ${1").expect_err("an error");
        let d = ds.iter().next().expect("one");
        assert_eq!(d.summary, "Unclosed template sequence");
        let at = d.range.as_ref().expect("a place").start;
        assert_eq!((at.line, at.column), (2, 6));
    }
}
