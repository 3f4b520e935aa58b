//! From the notation of the peers' regular expressions, which is RE2 in Go's dialect, to that of
//! the `regex` crate, which is of the same family and also runs in linear time.
//!
//! Everything is read here, so that what one of the two takes and the other does not is refused
//! or rewritten: escapes, classes, flags, repetitions, and the names of groups, which are taken
//! out because the crate wants them different from each other.
//!
//! Source: the syntax page of RE2, and that of Go's `regexp/syntax` package.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

/// The highest count of a repetition.
const MAX_REPEAT: u32 = 1000;

/// A pattern for the `regex` crate, and the names of its groups from the first on.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) pattern: String,
    pub(super) names: Vec<Option<String>>,
}

/// Rewrites a pattern.
///
/// # Errors
/// What the peers do not take.
pub(super) fn translate(pattern: &str) -> Result<Translated, String> {
    let mut reader = Reader {
        chars: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len()),
        names: Vec::new(),
    };
    reader.run()?;
    Ok(Translated {
        pattern: reader.out,
        names: reader.names,
    })
}

struct Reader<'a> {
    chars: Peekable<Chars<'a>>,
    out: String,
    names: Vec<Option<String>>,
}

impl Reader<'_> {
    fn run(&mut self) -> Result<(), String> {
        let mut after_repeat = false;
        while let Some(c) = self.chars.next() {
            let mut repeat = false;
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                '*' | '+' | '?' => {
                    repeat = true;
                    self.out.push(c);
                }
                '{' => match self.repetition()? {
                    Some(counts) => {
                        repeat = true;
                        self.out.push_str(&counts);
                    }
                    None => self.out.push_str(r"\{"),
                },
                '}' | ']' => self.literal(c),
                '.' | '^' | '$' | '|' | ')' => self.out.push(c),
                c => self.literal(c),
            }
            if repeat {
                if after_repeat {
                    return Err("invalid nested repetition operator".into());
                }
                if self.chars.next_if_eq(&'?').is_some() {
                    self.out.push('?');
                }
            }
            after_repeat = repeat;
        }
        Ok(())
    }

    fn literal(&mut self, c: char) {
        if c.is_alphanumeric() {
            self.out.push(c);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(self.out, "\\x{{{:x}}}", u32::from(c));
        }
    }

    /// The counts after an opening brace, or nothing read where it stands for itself.
    fn repetition(&mut self) -> Result<Option<String>, String> {
        let ahead: String = self.chars.clone().take_while(|c| *c != '}').collect();
        if self.chars.clone().nth(ahead.chars().count()) != Some('}') {
            return Ok(None);
        }
        let (least, most) = ahead.split_once(',').unwrap_or((&ahead, &ahead));
        let number = |s: &str| {
            let plain = s.bytes().all(|b| b.is_ascii_digit()) && !s.is_empty();
            let leading_zero = s.len() > 1 && s.starts_with('0');
            (plain && !leading_zero).then(|| s.parse().unwrap_or(u32::MAX))
        };
        let Some(least) = number(least) else {
            return Ok(None);
        };
        let most = match most {
            "" => None,
            most => match number(most) {
                Some(most) => Some(most),
                None => return Ok(None),
            },
        };
        if least > MAX_REPEAT || most.is_some_and(|m| m > MAX_REPEAT || m < least) {
            return Err(format!("invalid repeat count in {{{ahead}}}"));
        }
        self.chars.nth(ahead.chars().count());
        Ok(Some(format!("{{{ahead}}}")))
    }

    /// What follows an opening parenthesis: a name, flags, or the group itself.
    fn group(&mut self) -> Result<(), String> {
        if self.chars.next_if_eq(&'?').is_none() {
            self.names.push(None);
            self.out.push('(');
            return Ok(());
        }
        let invalid = || "invalid or unsupported Perl syntax in a group".to_string();
        let named = self.chars.next_if_eq(&'P').is_some();
        if self.chars.next_if_eq(&'<').is_some() {
            let name: String = std::iter::from_fn(|| self.chars.next_if(|c| *c != '>')).collect();
            let fits = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if name.is_empty() || !fits || self.chars.next() != Some('>') {
                return Err(format!("invalid named capture {name:?}"));
            }
            self.names.push(Some(name));
            self.out.push('(');
            return Ok(());
        }
        if named {
            return Err(invalid());
        }
        self.out.push_str("(?");
        let mut off = false;
        let mut flags = 0;
        loop {
            match self.chars.next() {
                Some(c @ ('i' | 'm' | 's' | 'U')) => {
                    flags += 1;
                    self.out.push(c);
                }
                Some('-') if !off => {
                    off = true;
                    flags = 0;
                    self.out.push('-');
                }
                Some(c @ (':' | ')')) if !off || flags > 0 => {
                    self.out.push(c);
                    return Ok(());
                }
                _ => return Err(invalid()),
            }
        }
    }

    /// What follows a backslash outside of brackets.
    fn escape(&mut self) -> Result<(), String> {
        match self.chars.peek() {
            Some('b') => {
                self.chars.next();
                self.out.push_str(r"(?-u:\b)");
            }
            // Not (?-u:\B): that may match inside a character.
            Some('A' | 'z' | 'B') => {
                self.out.push('\\');
                self.out.extend(self.chars.next());
            }
            Some('Q') => {
                self.chars.next();
                while let Some(c) = self.chars.next() {
                    if c == '\\' && self.chars.next_if_eq(&'E').is_some() {
                        break;
                    }
                    self.literal(c);
                }
            }
            _ => match self.class_escape()? {
                Some(class) => self.out.push_str(&class),
                None => {
                    let c = self.character()?;
                    self.literal(c);
                }
            },
        }
        Ok(())
    }

    /// After a backslash: a class such as `\d` or `\pL`, as a class of the crate.
    fn class_escape(&mut self) -> Result<Option<String>, String> {
        let class = match self.chars.peek() {
            Some('d') => "[0-9]",
            Some('D') => "[^0-9]",
            Some('s') => r"[\t\n\f\r ]",
            Some('S') => r"[^\t\n\f\r ]",
            Some('w') => "[0-9A-Za-z_]",
            Some('W') => "[^0-9A-Za-z_]",
            Some('p' | 'P') => {
                let mut negated = self.chars.next() == Some('P');
                let mut name = match self.chars.next() {
                    Some('{') => {
                        let name =
                            std::iter::from_fn(|| self.chars.next_if(|c| *c != '}')).collect();
                        if self.chars.next().is_none() {
                            return Err("invalid character class range".into());
                        }
                        name
                    }
                    Some(c) => c.to_string(),
                    None => return Err("invalid character class range".into()),
                };
                if let Some(rest) = name.strip_prefix('^') {
                    negated = !negated;
                    name = rest.to_string();
                }
                if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                    return Err(format!("invalid character class range {name:?}"));
                }
                let letter = if negated { 'P' } else { 'p' };
                return Ok(Some(format!("\\{letter}{{{name}}}")));
            }
            _ => return Ok(None),
        };
        self.chars.next();
        Ok(Some(class.into()))
    }

    /// After a backslash: the one character that the escape stands for.
    fn character(&mut self) -> Result<char, String> {
        let Some(c) = self.chars.next() else {
            return Err("trailing backslash at end of expression".into());
        };
        let invalid = || format!("invalid escape sequence \\{c}");
        Ok(match c {
            'a' => '\u{7}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => {
                let digits: String = if self.chars.next_if_eq(&'{').is_some() {
                    let digits = std::iter::from_fn(|| self.chars.next_if(char::is_ascii_hexdigit))
                        .collect();
                    if self.chars.next() != Some('}') {
                        return Err(invalid());
                    }
                    digits
                } else {
                    let two: String = self.chars.by_ref().take(2).collect();
                    Some(two).filter(|t| t.len() == 2).ok_or_else(invalid)?
                };
                u32::from_str_radix(&digits, 16)
                    .ok()
                    .and_then(char::from_u32)
                    .ok_or_else(invalid)?
            }
            '0'..='7' => {
                let mut digits = c.to_string();
                while digits.len() < 3
                    && let Some(d) = self.chars.next_if(|c| ('0'..='7').contains(c))
                {
                    digits.push(d);
                }
                if c != '0' && digits.len() == 1 {
                    // A reference to a group.
                    return Err(invalid());
                }
                u32::from_str_radix(&digits, 8)
                    .ok()
                    .and_then(char::from_u32)
                    .ok_or_else(invalid)?
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
            _ => return Err(invalid()),
        })
    }

    /// What is between brackets.
    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.chars.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            match self.chars.next() {
                None => return Err("missing closing ]".into()),
                Some(']') if !first => {
                    self.out.push(']');
                    return Ok(());
                }
                Some('[') if self.chars.peek() == Some(&':') && self.posix()? => {}
                Some('\\') => match self.class_escape()? {
                    Some(class) => self.out.push_str(&class),
                    None => {
                        let low = self.character()?;
                        self.range(low)?;
                    }
                },
                Some(c) => self.range(c)?,
            }
            first = false;
        }
    }

    /// A named class such as `[:alpha:]`, whose opening bracket is read; false where it is none.
    fn posix(&mut self) -> Result<bool, String> {
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print",
            "punct", "space", "upper", "word", "xdigit",
        ];
        let ahead: String = self.chars.clone().collect();
        let Some(end) = ahead.find(":]").filter(|end| *end > 0) else {
            return Ok(false);
        };
        let name = &ahead[1..end];
        if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(format!("invalid character class range [:{name}:]"));
        }
        // Writing to a string cannot fail.
        let _ = write!(self.out, "[:{name}:]");
        self.chars.nth(end + 1);
        Ok(true)
    }

    /// A character in brackets, or a range that starts with it.
    fn range(&mut self, low: char) -> Result<(), String> {
        self.literal(low);
        let mut ahead = self.chars.clone();
        if ahead.next() != Some('-') || matches!(ahead.next(), Some(']') | None) {
            return Ok(());
        }
        self.chars.next();
        let high = match self.chars.next() {
            Some('\\') => self.character()?,
            Some(c) => c,
            None => return Err("missing closing ]".into()),
        };
        if high < low {
            return Err(format!("invalid character class range {low}-{high}"));
        }
        self.out.push('-');
        self.literal(high);
        Ok(())
    }
}
