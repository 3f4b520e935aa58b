//! Outdated ways to write something, replaced by today's: labels without quotes, an attribute
//! that is nothing but one interpolation (`"${x}"`), and types of variables as they were written
//! before types were expressions (`"list"`, `list`).
//!
//! Attributes and blocks are found by their tokens. What does not look like a body ends the
//! search: such a text gets its white space in order and nothing else.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::super::tokens::TokenKind as K;
use super::Piece;
use super::unwrap::unwrap;

/// Pieces to put in the place of others.
pub(super) struct Edit<'a> {
    range: Range<usize>,
    with: Vec<Piece<'a>>,
}

/// What to replace, in order and without overlap.
pub(super) fn edits<'a>(pieces: &[Piece<'a>]) -> Vec<Edit<'a>> {
    let mut search = Search {
        pieces,
        edits: Vec::new(),
    };
    search.body();
    search.edits
}

/// Puts edits into effect.
pub(super) fn apply<'a>(pieces: Vec<Piece<'a>>, edits: Vec<Edit<'a>>) -> Vec<Piece<'a>> {
    let mut out = Vec::with_capacity(pieces.len() + edits.len());
    let mut rest = pieces.into_iter();
    let mut at = 0;
    for edit in edits {
        out.extend(rest.by_ref().take(edit.range.start - at));
        let dropped = edit.range.len();
        if dropped > 0 {
            rest.nth(dropped - 1);
        }
        at = edit.range.end;
        out.extend(edit.with);
    }
    out.extend(rest);
    out
}

struct Search<'p, 'a> {
    pieces: &'p [Piece<'a>],
    edits: Vec<Edit<'a>>,
}

impl<'a> Search<'_, 'a> {
    /// All attributes and blocks, nested ones included.
    fn body(&mut self) {
        // The types of the blocks around.
        let mut blocks: Vec<usize> = Vec::new();
        let mut i = 0;
        while i < self.pieces.len() {
            match self.kind(i) {
                Some(K::Newline | K::Comment) => i += 1,
                Some(K::CloseBrace) if blocks.pop().is_some() => i += 1,
                Some(K::Identifier) => {
                    let next = self.behind_comments(i + 1);
                    if self.kind(next) == Some(K::Equal) {
                        let value = self.expression(next + 1);
                        let end = value.end;
                        let in_variable =
                            matches!(blocks[..], [block] if self.pieces[block].text == "variable");
                        if in_variable && self.pieces[i].text == "type" {
                            self.variable_type(value);
                        } else {
                            self.value(value);
                        }
                        i = end;
                    } else if let Some(open) = self.labels(i + 1) {
                        blocks.push(i);
                        i = open + 1;
                    } else {
                        return;
                    }
                }
                _ => return,
            }
        }
    }

    fn kind(&self, i: usize) -> Option<K> {
        self.pieces.get(i).map(|p| p.kind)
    }

    fn behind_comments(&self, mut i: usize) -> usize {
        while self.kind(i) == Some(K::Comment) {
            i += 1;
        }
        i
    }

    /// The expression of an attribute, without comments around it, from behind the `=`.
    fn expression(&self, from: usize) -> Range<usize> {
        let start = self.behind_comments(from);
        let mut depth = 0usize;
        let mut end = start;
        for (i, piece) in self.pieces.iter().enumerate().skip(start) {
            let closes = piece.kind.closes();
            if depth == 0 && (piece.ends_line() || closes) {
                break;
            }
            depth += usize::from(piece.kind.closed_by().is_some());
            depth -= usize::from(closes);
            if piece.kind != K::Comment {
                end = i + 1;
            }
        }
        start..end
    }

    /// `"${x}"` becomes `x`.
    fn value(&mut self, range: Range<usize>) {
        let Some(unwrapped) = unwrap(self.pieces, range.clone()) else {
            return;
        };
        let (mut before, mut behind) = (Vec::new(), Vec::new());
        if unwrapped.parentheses {
            before.push(Piece::new(K::OpenParen, "("));
            behind.push(Piece::new(K::CloseParen, ")"));
        }
        self.edits.push(Edit {
            range: range.start..unwrapped.inside.start,
            with: before,
        });
        self.edits.push(Edit {
            range: unwrapped.inside.end..range.end,
            with: behind,
        });
    }

    /// The type of a variable as it was written long ago.
    fn variable_type(&mut self, range: Range<usize>) {
        let pieces = &self.pieces[range.clone()];
        let with = match pieces {
            [word] if word.kind == K::Identifier => match word.text.as_ref() {
                name @ ("list" | "map" | "set") => collection(name, "any"),
                _ => return,
            },
            // Elements were strings when types were.
            [open, text, _] if open.kind == K::OpenQuote && text.kind == K::QuotedText => {
                match text.text.as_ref() {
                    "string" => vec![Piece::new(K::Identifier, "string")],
                    name @ ("list" | "map") => collection(name, "string"),
                    _ => return,
                }
            }
            _ => return,
        };
        self.edits.push(Edit { range, with });
    }

    /// Labels from here to the opening brace, whose index is returned; comments between them
    /// make way. `None` when this is not the rest of a block's header.
    fn labels(&mut self, start: usize) -> Option<usize> {
        let mut with = Vec::new();
        let mut end = start;
        let mut i = start;
        loop {
            i = self.behind_comments(i);
            let label = match self.kind(i)? {
                K::OpenBrace => break,
                K::Identifier => self.pieces[i].text.to_string(),
                K::OpenQuote => {
                    let mut text = String::new();
                    i += 1;
                    if self.kind(i) == Some(K::QuotedText) {
                        text = rewritten(&self.pieces[i].text);
                        i += 1;
                    }
                    if self.kind(i) != Some(K::CloseQuote) {
                        return None;
                    }
                    text
                }
                _ => return None,
            };
            i += 1;
            end = i;
            with.push(Piece::new(K::OpenQuote, "\""));
            if !label.is_empty() {
                with.push(Piece::new(K::QuotedText, label));
            }
            with.push(Piece::new(K::CloseQuote, "\""));
        }
        let same = |(a, b): (&Piece, &Piece)| a.kind == b.kind && a.text == b.text;
        let range = start..end;
        let now = &self.pieces[range.clone()];
        if now.len() != with.len() || !now.iter().zip(&with).all(same) {
            self.edits.push(Edit { range, with });
        }
        Some(i)
    }
}

/// `list(string)`
fn collection<'a>(name: &str, element: &'static str) -> Vec<Piece<'a>> {
    vec![
        Piece::new(K::Identifier, name.to_string()),
        Piece::new(K::OpenParen, "("),
        Piece::new(K::Identifier, element),
        Piece::new(K::CloseParen, ")"),
    ]
}

/// The text of a label with its escapes written in the one canonical way; as it is when it has
/// escapes that there are not.
fn rewritten(text: &str) -> String {
    unescaped(text).map_or_else(|| text.to_string(), |plain| escaped(&plain))
}

fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(tail) = rest.strip_prefix("$${").or(rest.strip_prefix("%%{")) {
            out.push(c);
            out.push('{');
            rest = tail;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        if c != '\\' {
            out.push(c);
            continue;
        }
        let escape = rest.chars().next()?;
        rest = &rest[escape.len_utf8()..];
        let digits = match escape {
            'n' => {
                out.push('\n');
                continue;
            }
            'r' => {
                out.push('\r');
                continue;
            }
            't' => {
                out.push('\t');
                continue;
            }
            '"' | '\\' => {
                out.push(escape);
                continue;
            }
            'u' => 4,
            'U' => 8,
            _ => return None,
        };
        let code = u32::from_str_radix(rest.get(..digits)?, 16).ok()?;
        out.push(char::from_u32(code)?);
        rest = &rest[digits..];
    }
    Some(out)
}

/// Letters, marks, numbers, punctuation, symbols and the space.
static PRINTABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[\pL\pM\pN\pP\pS ]$").ok());

fn escaped(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len());
    let mut chars = plain.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' | '\\' => out.extend(['\\', c]),
            '$' | '%' if chars.peek() == Some(&'{') => out.extend([c, c]),
            ' '..='~' => out.push(c),
            c => {
                let mut buffer = [0; 4];
                let printable = PRINTABLE
                    .as_ref()
                    .is_some_and(|r| r.is_match(c.encode_utf8(&mut buffer)));
                match u32::from(c) {
                    _ if printable => out.push(c),
                    code @ ..0x10000 => out.push_str(&format!("\\u{code:04x}")),
                    code => out.push_str(&format!("\\U{code:08x}")),
                }
            }
        }
    }
    out
}
