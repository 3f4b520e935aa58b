//! What can be told of a text without parsing it: how deep it nests, and where its top-level
//! items are even when it is broken.

use std::ops::Range;

use super::{Scanner, Token, TokenKind, scan};

/// How deep a text nests at its deepest, and the byte where it does.
///
/// Counted is what a recursive parser recurses into: brackets of all kinds, quoted templates,
/// heredocs and template sequences, and operators whose operand is an expression that goes on to
/// the right, unary ones and `?`. So a parser that allows this depth will not overflow its stack
/// on the text. Brackets that are never closed count as well.
pub fn max_nesting(text: &str) -> (usize, usize) {
    let mut levels = vec![Level::default()];
    // The operators of all open levels together.
    let mut operators = 0;
    let mut deepest = (0, 0);
    let mut operand_expected = true;
    for token in Scanner::new(text) {
        use TokenKind as K;
        if matches!(token.kind, K::Whitespace | K::Comment | K::ByteOrderMark) {
            continue;
        }
        if token.kind == K::Newline {
            // A quote that is not closed ends with its line.
            while let Some(dead) = levels.pop_if(|l| l.opened == Some(K::OpenQuote)) {
                operators -= dead.operators();
            }
        }
        if token.kind.closed_by().is_some() {
            levels.push(Level {
                opened: Some(token.kind),
                ..Level::default()
            });
        } else if token.kind.closes() {
            // Only what it can close: a stray bracket changes nothing.
            let opened = levels.last().and_then(|l| l.opened);
            if opened.and_then(K::closed_by) == Some(token.kind)
                && let Some(closed) = levels.pop()
            {
                operators -= closed.operators();
            }
        }
        if let Some(level) = levels.last_mut() {
            let before = level.operators();
            match token.kind {
                K::Question => {
                    level.conditionals += 1;
                    level.unary = 0;
                }
                K::Not => level.unary += 1,
                K::Minus if operand_expected => level.unary += 1,
                K::Comma => *level = level.restarted(),
                K::Newline if matches!(level.opened, None | Some(K::OpenBrace)) => {
                    *level = level.restarted();
                }
                _ if level.unary > 0 && token.kind.closed_by().is_none() => level.unary = 0,
                _ => {}
            }
            operators = operators + level.operators() - before;
        }
        operand_expected = !matches!(
            token.kind,
            K::Identifier
                | K::Number
                | K::CloseBrace
                | K::CloseBracket
                | K::CloseParen
                | K::CloseQuote
                | K::CloseHeredoc
        );
        let depth = levels.len() - 1 + operators;
        if depth > deepest.0 {
            deepest = (depth, token.start);
        }
    }
    deepest
}

/// A bracket, template or sequence that is open, and the operators that are waiting for the rest
/// of their operand in it.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    opened: Option<TokenKind>,
    conditionals: usize,
    unary: usize,
}

impl Level {
    fn operators(&self) -> usize {
        self.conditionals + self.unary
    }

    fn restarted(&self) -> Level {
        Level {
            opened: self.opened,
            ..Level::default()
        }
    }
}

/// Where each top-level attribute and block is, in bytes and in order: from its name to the end
/// of its expression or its closing brace, without comments before or behind it.
///
/// Works on broken text too. An item with a bracket that nothing closes ends before the next
/// line that begins, without indentation, like an attribute or a block; what is neither is
/// skipped to the end of its line.
pub fn top_level_items(text: &str) -> Vec<Range<usize>> {
    let tokens = scan(text);
    let closers = closers(&tokens);
    let mut items = Vec::new();
    let mut i = 0;
    while let Some(token) = tokens.get(i) {
        if token.kind != TokenKind::Identifier || !heads_item(&tokens, i) {
            // Comments and white space before an item do not hide it, anything else does.
            i = match token.kind {
                TokenKind::Whitespace
                | TokenKind::Newline
                | TokenKind::Comment
                | TokenKind::ByteOrderMark => i + 1,
                _ => line_end(&tokens, i),
            };
            continue;
        }
        let end = item_end(text, &tokens, &closers, i);
        let last = tokens[i..end]
            .iter()
            .rev()
            .find(|t| !is_space(t.kind))
            .unwrap_or(token);
        items.push(token.start..last.end);
        i = end;
    }
    items
}

/// Whether the identifier here is followed by what follows the name of an attribute or block.
fn heads_item(tokens: &[Token], i: usize) -> bool {
    let next = tokens[i + 1..]
        .iter()
        .find(|t| t.kind != TokenKind::Whitespace);
    matches!(
        next.map(|t| t.kind),
        Some(
            TokenKind::Equal | TokenKind::OpenBrace | TokenKind::OpenQuote | TokenKind::Identifier
        )
    )
}

/// Behind the last token of the item that begins here.
fn item_end(text: &str, tokens: &[Token], closers: &[usize], start: usize) -> usize {
    let mut i = start;
    while let Some(token) = tokens.get(i) {
        match token.kind {
            TokenKind::Newline => return i,
            TokenKind::Comment if token.text(text).ends_with('\n') => return i,
            kind if kind.closed_by().is_some() => {
                i = match closers[i] {
                    // Ends with its line.
                    usize::MAX if kind == TokenKind::OpenQuote => i + 1,
                    usize::MAX => return next_head(text, tokens, i + 1),
                    closer => closer + 1,
                };
            }
            _ => i += 1,
        }
    }
    tokens.len()
}

/// The next item that begins a line without indentation.
fn next_head(text: &str, tokens: &[Token], from: usize) -> usize {
    (from..tokens.len())
        .find(|&i| {
            let token = &tokens[i];
            token.kind == TokenKind::Identifier
                && text.as_bytes().get(token.start.wrapping_sub(1)) == Some(&b'\n')
                && heads_item(tokens, i)
        })
        .unwrap_or(tokens.len())
}

fn line_end(tokens: &[Token], from: usize) -> usize {
    (from..tokens.len())
        .find(|&i| tokens[i].kind == TokenKind::Newline)
        .unwrap_or(tokens.len())
}

fn is_space(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Whitespace | TokenKind::Newline | TokenKind::Comment
    )
}

/// For each token that opens something, which one closes it; `usize::MAX` for all others and
/// where nothing does.
///
/// What closes a block, a sequence or a heredoc also ends what is still open inside of it, so
/// that a forgotten bracket does not reach beyond what it is in. Other closers without their
/// opener mean nothing.
fn closers(tokens: &[Token]) -> Vec<usize> {
    let mut found = vec![usize::MAX; tokens.len()];
    let mut open: Vec<(TokenKind, usize)> = Vec::new();
    // How many of the open ones are braces: whether there is one to look for.
    let mut braces = 0usize;
    for (i, token) in tokens.iter().enumerate() {
        if token.kind.closed_by().is_some() {
            open.push((token.kind, i));
            braces += usize::from(token.kind == TokenKind::OpenBrace);
            continue;
        }
        let closed = |kind: TokenKind| kind.closed_by() == Some(token.kind);
        let reaches_out = match token.kind {
            TokenKind::CloseBrace => braces > 0,
            // The scanner knows these only where they are open.
            TokenKind::SequenceEnd | TokenKind::CloseHeredoc => true,
            _ => false,
        };
        if reaches_out {
            while let Some((kind, _)) = open.pop_if(|(kind, _)| !closed(*kind)) {
                braces -= usize::from(kind == TokenKind::OpenBrace);
            }
        }
        if let Some((kind, opener)) = open.pop_if(|(kind, _)| closed(*kind)) {
            found[opener] = i;
            braces -= usize::from(kind == TokenKind::OpenBrace);
        }
    }
    found
}
