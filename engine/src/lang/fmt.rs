//! The canonical style of the language: `topo fmt`.
//!
//! A text becomes pieces (its tokens without the white space), the few outdated ways to write
//! something are replaced (`normalise`, `unwrap`), and the white space is made anew from the
//! pieces alone (`layout`), never from what it was before. Line breaks, blank lines, comments and
//! the text of templates stay as they are.
//!
//! The style is that of `terraform fmt` 1.11, to the byte, but where that is not stable or loses
//! something: nested interpolations are undone at once rather than one per run, never to
//! something that no longer parses, and labels keep their `$` and `%`.
//!
//! Whether the text is a valid configuration is not asked here: a caller that rewrites files
//! parses them first.

mod layout;
mod normalise;
mod unwrap;

use std::borrow::Cow;

use super::tokens::{Scanner, TokenKind};

/// A token that is not white space, and the spaces before it.
#[derive(Debug, Clone)]
struct Piece<'a> {
    kind: TokenKind,
    spaces: u32,
    text: Cow<'a, str>,
}

impl<'a> Piece<'a> {
    fn new(kind: TokenKind, text: impl Into<Cow<'a, str>>) -> Piece<'a> {
        Piece {
            kind,
            spaces: 0,
            text: text.into(),
        }
    }

    /// Whether a line ends with it.
    fn ends_line(&self) -> bool {
        match self.kind {
            TokenKind::Newline => true,
            TokenKind::Comment => self.text.ends_with('\n'),
            _ => false,
        }
    }
}

/// A text in the canonical style.
///
/// Of a text that parses, the result means the same, and formatting it again changes nothing. A
/// text with characters that the language has no use for, or whose brackets and quotes do not
/// pair up, is returned as it is: there is no telling what was meant.
pub fn format(text: &str) -> String {
    let Some((mut pieces, trailing)) = pieces(text) else {
        return text.to_string();
    };
    // What is replaced may show something else to replace, between comments. No parser takes
    // deeper nesting than this.
    for _ in 0..64 {
        let edits = normalise::edits(&pieces);
        if edits.is_empty() {
            break;
        }
        pieces = normalise::apply(pieces, edits);
    }
    layout::layout(&mut pieces);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for piece in &pieces {
        push_spaces(&mut out, piece.spaces);
        out.push_str(&piece.text);
    }
    push_spaces(&mut out, trailing);
    out
}

/// The pieces, and how many spaces are behind the last one. `None` for a text that is broken.
fn pieces(text: &str) -> Option<(Vec<Piece<'_>>, u32)> {
    let mut pieces = Vec::new();
    let mut open = Vec::new();
    let mut spaces = 0;
    for token in Scanner::new(text) {
        match token.kind {
            TokenKind::ByteOrderMark => continue,
            TokenKind::Whitespace => {
                spaces = u32::try_from(token.end - token.start).unwrap_or(u32::MAX);
                continue;
            }
            TokenKind::Invalid => return None,
            kind => match kind.closed_by() {
                Some(closer) => open.push(closer),
                None if kind.closes() && open.pop() != Some(kind) => return None,
                None => {}
            },
        }
        spaces = 0;
        pieces.push(Piece::new(token.kind, token.text(text)));
    }
    open.is_empty().then_some((pieces, spaces))
}

fn push_spaces(out: &mut String, count: u32) {
    out.extend(std::iter::repeat_n(' ', count as usize));
}
