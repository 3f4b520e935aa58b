//! Native syntax as a flat row of tokens, without loss: the texts of all tokens, one behind the
//! other, are the text.
//!
//! For what needs the text as it was written rather than its meaning: formatting, a look at how
//! deep it nests, finding where top-level items begin in a file that does not parse. It is not a
//! parser: any text becomes tokens, also one that is no configuration, and what cannot be read is
//! [`TokenKind::Invalid`]. Time and memory grow with the length of the text, whatever is in it;
//! nesting takes heap, never stack.
//!
//! The tokens are those of the HCL native syntax specification ("Lexical Elements" and
//! "Templates"), with two liberties where a text is broken, so that what follows is still read
//! as code: a quoted template ends at the end of its line, and what opens a heredoc or a comment
//! that is never closed is invalid by itself.

mod kind;
mod outline;

use std::collections::HashMap;
use std::ops::Range;

pub use kind::TokenKind;
pub use outline::{max_nesting, top_level_items};

/// A token and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its first byte.
    pub start: usize,
    /// Just behind its last byte.
    pub end: usize,
}

impl Token {
    /// Where it is, in bytes.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Its text, given the text that was scanned.
    pub fn text<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.range()).unwrap_or("")
    }
}

/// All tokens of a text, in order, without a gap.
pub fn scan(text: &str) -> Vec<Token> {
    Scanner::new(text).collect()
}

/// Yields the tokens of a text one by one.
#[derive(Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
    modes: Vec<Mode<'a>>,
    /// Where the last `*/` is, once looked for.
    last_comment_end: Option<Option<usize>>,
    /// The last line on which each lone word stands, once looked for.
    lone_words: Option<HashMap<&'a str, usize>>,
}

/// What surrounds the place that is read; nothing is the code of the file.
#[derive(Debug)]
enum Mode<'a> {
    /// Code in a template sequence, with this many braces open.
    Sequence {
        braces: usize,
    },
    Quoted,
    Heredoc {
        marker: &'a str,
        at_line_start: bool,
    },
}

impl<'a> Scanner<'a> {
    /// At the start of a text.
    pub fn new(text: &'a str) -> Scanner<'a> {
        Scanner {
            text,
            at: 0,
            modes: Vec::new(),
            last_comment_end: None,
            lone_words: None,
        }
    }

    /// How far the token that starts here reaches, and what it is.
    fn step(&mut self) -> (TokenKind, usize) {
        let rest = &self.text[self.at..];
        match self.modes.last() {
            None | Some(Mode::Sequence { .. }) => self.code(rest),
            Some(Mode::Quoted) => self.quoted(rest),
            Some(Mode::Heredoc {
                marker,
                at_line_start,
            }) => self.heredoc(rest, marker, *at_line_start),
        }
    }

    fn code(&mut self, rest: &'a str) -> (TokenKind, usize) {
        use TokenKind as K;
        let bytes = rest.as_bytes();
        let next = |i: usize| bytes.get(i).copied().unwrap_or(0);
        match next(0) {
            b' ' | b'\t' => (K::Whitespace, run(bytes, |b| matches!(b, b' ' | b'\t'))),
            b'\n' => (K::Newline, 1),
            b'\r' if next(1) == b'\n' => (K::Newline, 2),
            b'#' => (K::Comment, line_length(bytes)),
            b'/' if next(1) == b'/' => (K::Comment, line_length(bytes)),
            b'/' if next(1) == b'*' => self.block_comment(rest),
            b'0'..=b'9' => (K::Number, number_length(bytes)),
            b'{' => {
                if let Some(Mode::Sequence { braces }) = self.modes.last_mut() {
                    *braces += 1;
                }
                (K::OpenBrace, 1)
            }
            b'}' => (self.close_brace(), 1),
            b'~' if next(1) == b'}' => {
                if let Some(Mode::Sequence { braces: 0 }) = self.modes.last() {
                    self.modes.pop();
                    (K::SequenceEnd, 2)
                } else {
                    (K::Invalid, 1)
                }
            }
            b'"' => {
                self.modes.push(Mode::Quoted);
                (K::OpenQuote, 1)
            }
            b'<' if next(1) == b'<' => self.heredoc_start(rest),
            b'.' if next(1) == b'.' && next(2) == b'.' => (K::Ellipsis, 3),
            first => match (first, next(1)) {
                (b'=', b'=') => (K::EqualEqual, 2),
                (b'!', b'=') => (K::NotEqual, 2),
                (b'>', b'=') => (K::GreaterEqual, 2),
                (b'<', b'=') => (K::LessEqual, 2),
                (b'&', b'&') => (K::And, 2),
                (b'|', b'|') => (K::Or, 2),
                (b':', b':') => (K::DoubleColon, 2),
                (b'=', b'>') => (K::FatArrow, 2),
                _ => single(first).map_or_else(|| self.word(rest), |kind| (kind, 1)),
            },
        }
    }

    /// A name, the byte order mark, or one character that means nothing.
    fn word(&self, rest: &str) -> (TokenKind, usize) {
        let length = identifier_length(rest);
        if length > 0 {
            return (TokenKind::Identifier, length);
        }
        match rest.chars().next() {
            Some('\u{feff}') if self.at == 0 => (TokenKind::ByteOrderMark, '\u{feff}'.len_utf8()),
            first => (TokenKind::Invalid, first.map_or(1, char::len_utf8)),
        }
    }

    fn close_brace(&mut self) -> TokenKind {
        match self.modes.last_mut() {
            Some(Mode::Sequence { braces: 0 }) => {
                self.modes.pop();
                TokenKind::SequenceEnd
            }
            Some(Mode::Sequence { braces }) => {
                *braces -= 1;
                TokenKind::CloseBrace
            }
            _ => TokenKind::CloseBrace,
        }
    }

    fn block_comment(&mut self, rest: &str) -> (TokenKind, usize) {
        let last = *self
            .last_comment_end
            .get_or_insert_with(|| self.text.rfind("*/"));
        if last.is_none_or(|last| last < self.at + 2) {
            return (TokenKind::Invalid, 2);
        }
        match rest[2..].find("*/") {
            Some(length) => (TokenKind::Comment, 2 + length + 2),
            None => (TokenKind::Invalid, 2),
        }
    }

    fn heredoc_start(&mut self, rest: &'a str) -> (TokenKind, usize) {
        let prefix = if rest.starts_with("<<-") { 3 } else { 2 };
        let name = identifier_length(&rest[prefix..]);
        let marker = &rest[prefix..prefix + name];
        let behind = &rest[prefix + name..];
        let newline = if behind.starts_with('\n') {
            1
        } else if behind.starts_with("\r\n") {
            2
        } else {
            0
        };
        if name == 0 || newline == 0 {
            return (TokenKind::Less, 1);
        }
        let length = prefix + name + newline;
        let words = self.lone_words.get_or_insert_with(|| lone_words(self.text));
        if words
            .get(marker)
            .is_none_or(|last| *last < self.at + length)
        {
            return (TokenKind::Invalid, prefix + name);
        }
        self.modes.push(Mode::Heredoc {
            marker,
            at_line_start: true,
        });
        (TokenKind::OpenHeredoc, length)
    }

    fn quoted(&mut self, rest: &str) -> (TokenKind, usize) {
        let bytes = rest.as_bytes();
        if let Some(sequence) = self.sequence_start(bytes) {
            return sequence;
        }
        let mut i = 0;
        while let Some(byte) = bytes.get(i) {
            match byte {
                b'"' if i == 0 => {
                    self.modes.pop();
                    return (TokenKind::CloseQuote, 1);
                }
                b'"' => break,
                b'\n' | b'\r' if line_ends(&bytes[i..]) => {
                    // Never closed.
                    self.modes.pop();
                    break;
                }
                b'\\' if !matches!(bytes.get(i + 1), None | Some(b'\n' | b'\r')) => i += 2,
                b'$' | b'%' => match literal_marker(&bytes[i..]) {
                    Some(length) => i += length,
                    None => break,
                },
                _ => i += 1,
            }
        }
        // An escaped character may be of several bytes.
        while !rest.is_char_boundary(i) {
            i += 1;
        }
        if i == 0 {
            // The quote was the last of its line, or of the text.
            return self.step();
        }
        (TokenKind::QuotedText, i)
    }

    fn heredoc(&mut self, rest: &str, marker: &str, at_line_start: bool) -> (TokenKind, usize) {
        let bytes = rest.as_bytes();
        let mut line_start = at_line_start;
        let mut i = 0;
        while i < bytes.len() {
            if line_start {
                line_start = false;
                let line = &rest[i..i + line_length(&bytes[i..])];
                if line.trim() == marker {
                    if i > 0 {
                        // The text before it comes first.
                        self.at_line_start(true);
                        return (TokenKind::HeredocText, i);
                    }
                    self.modes.pop();
                    let end = line.trim_end_matches('\n');
                    return (
                        TokenKind::CloseHeredoc,
                        end.strip_suffix('\r').unwrap_or(end).len(),
                    );
                }
            }
            match bytes[i] {
                b'\n' => {
                    line_start = true;
                    i += 1;
                }
                b'$' | b'%' => match literal_marker(&bytes[i..]) {
                    Some(length) => i += length,
                    None => break,
                },
                _ => i += 1,
            }
        }
        self.at_line_start(line_start);
        if i == 0
            && let Some(sequence) = self.sequence_start(bytes)
        {
            return sequence;
        }
        (TokenKind::HeredocText, i)
    }

    fn at_line_start(&mut self, is: bool) {
        if let Some(Mode::Heredoc { at_line_start, .. }) = self.modes.last_mut() {
            *at_line_start = is;
        }
    }

    /// The `${` or `%{` that a template's bytes begin with, now open.
    fn sequence_start(&mut self, bytes: &[u8]) -> Option<(TokenKind, usize)> {
        let kind = match bytes {
            [b'$', b'{', ..] => TokenKind::Interpolation,
            [b'%', b'{', ..] => TokenKind::Directive,
            _ => return None,
        };
        self.modes.push(Mode::Sequence { braces: 0 });
        let strips = bytes.get(2) == Some(&b'~');
        Some((kind, if strips { 3 } else { 2 }))
    }
}

impl Iterator for Scanner<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        if self.at >= self.text.len() {
            return None;
        }
        let start = self.at;
        let (kind, length) = self.step();
        self.at = start + length;
        Some(Token {
            kind,
            start,
            end: self.at,
        })
    }
}

fn single(byte: u8) -> Option<TokenKind> {
    Some(match byte {
        b'[' => TokenKind::OpenBracket,
        b']' => TokenKind::CloseBracket,
        b'(' => TokenKind::OpenParen,
        b')' => TokenKind::CloseParen,
        b'=' => TokenKind::Equal,
        b'<' => TokenKind::Less,
        b'>' => TokenKind::Greater,
        b'!' => TokenKind::Not,
        b'+' => TokenKind::Plus,
        b'-' => TokenKind::Minus,
        b'*' => TokenKind::Star,
        b'/' => TokenKind::Slash,
        b'%' => TokenKind::Percent,
        b'.' => TokenKind::Dot,
        b',' => TokenKind::Comma,
        b':' => TokenKind::Colon,
        b'?' => TokenKind::Question,
        _ => return None,
    })
}

fn line_ends(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\n") || bytes.starts_with(b"\r\n")
}

/// How many bytes from the start are like this.
fn run(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|b| !is(*b)).unwrap_or(bytes.len())
}

/// The length of the first line with its end.
fn line_length(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|b| *b == b'\n')
        .map_or(bytes.len(), |i| i + 1)
}

/// Digits, points and exponents as far as they go, but for points at the end: those of `1...`
/// are not the number's.
fn number_length(bytes: &[u8]) -> usize {
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    let mut end = 0;
    loop {
        match bytes.get(at) {
            Some(b'0'..=b'9') => {
                at += 1;
                end = at;
            }
            Some(b'.') => at += 1,
            Some(b'e' | b'E') if digit(at + 1) => {
                at += 2;
                end = at;
            }
            Some(b'e' | b'E')
                if matches!(bytes.get(at + 1), Some(b'+' | b'-')) && digit(at + 2) =>
            {
                at += 3;
                end = at;
            }
            _ => return end,
        }
    }
}

/// The length of the name that a text begins with; 0 when it does not.
fn identifier_length(text: &str) -> usize {
    text.char_indices()
        .find(|(i, c)| !in_identifier(*c, *i == 0))
        .map_or(text.len(), |(i, _)| i)
}

fn in_identifier(c: char, first: bool) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphabetic() || c == '_' || (!first && (c.is_ascii_digit() || c == '-'));
    }
    let name = if first {
        c.to_string()
    } else {
        format!("_{c}")
    };
    hcl_edit::Ident::try_new(name).is_ok()
}

/// How many bytes of a template that begins with `$` or `%` are text; `None` when they begin a
/// sequence.
fn literal_marker(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [_, b'{', ..] => None,
        [a, b, b'{', ..] if a == b => Some(3),
        _ => Some(1),
    }
}

/// The lines that are nothing but a name, which is all that can close a heredoc, each with where
/// it stands last.
fn lone_words(text: &str) -> HashMap<&str, usize> {
    let mut found = HashMap::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let word = line.trim();
        if !word.is_empty() && identifier_length(word) == word.len() {
            found.insert(word, at);
        }
        at += line.len();
    }
    found
}

#[cfg(test)]
mod tests;
