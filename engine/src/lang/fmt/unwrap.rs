//! `"${x}"`, which is `x`: how far an expression can be taken out of quotes.

use std::ops::Range;

use super::super::tokens::TokenKind as K;
use super::Piece;

/// What remains of an expression without the quotes around it.
pub(super) struct Unwrapped {
    /// The pieces that remain.
    pub(super) inside: Range<usize>,
    /// Whether they need parentheses.
    pub(super) parentheses: bool,
}

/// Takes an expression out of a quoted template that is nothing but one interpolation, and what
/// is inside again if that is another one. `None` when it is no such template.
///
/// The peers take one template away per run; all at once makes the result final.
pub(super) fn unwrap(pieces: &[Piece], expression: Range<usize>) -> Option<Unwrapped> {
    if pieces.get(expression.start)?.kind != K::OpenQuote
        || pieces.get(expression.start + 1)?.kind != K::Interpolation
    {
        return None;
    }
    let closers = closers(&pieces[expression.clone()]);
    // Nothing but the quotes and the sequence's ends around what is inside.
    let sequence = |outer: &Range<usize>| {
        let closed_at = |i: usize, end: usize| {
            pieces[i].kind.closed_by().is_some()
                && closers[i - expression.start] + expression.start == end
        };
        let is = outer.len() >= 5
            && closed_at(outer.start, outer.end - 1)
            && pieces[outer.start + 1].kind == K::Interpolation
            && closed_at(outer.start + 1, outer.end - 2);
        is.then(|| content(pieces, outer.start + 2..outer.end - 2))
    };
    let is_template = |range: &Range<usize>| {
        pieces[range.start].kind == K::OpenQuote
            && closers[range.start - expression.start] + expression.start == range.end - 1
    };
    let mut found = None;
    let mut outer = expression.clone();
    while let Some(inside) = sequence(&outer).filter(|i| !i.is_empty()) {
        let template = is_template(&inside);
        if !template && has_sequences(&pieces[inside.clone()]) {
            break;
        }
        // Parentheses make the result final, as does anything but a template.
        let first = found.is_none();
        found = Some(inside.clone());
        if !template || (first && has_newlines(&pieces[inside.clone()])) {
            break;
        }
        outer = inside;
    }
    let inside = found?;
    let parentheses = needs_parentheses(pieces, inside.clone(), expression.end);
    // The line that closes a heredoc has nothing else on it.
    let alone = !parentheses
        && pieces
            .get(expression.end)
            .is_none_or(|p| p.kind == K::Newline);
    if pieces[inside.end - 1].kind == K::CloseHeredoc && !alone {
        return None;
    }
    Some(Unwrapped {
        inside,
        parentheses,
    })
}

/// For each piece that opens something, where that is closed; 0 for all others.
fn closers(pieces: &[Piece]) -> Vec<usize> {
    let mut found = vec![0; pieces.len()];
    let mut open = Vec::new();
    for (i, piece) in pieces.iter().enumerate() {
        if piece.kind.closed_by().is_some() {
            open.push(i);
        } else if piece.kind.closes()
            && let Some(opener) = open.pop()
        {
            found[opener] = i;
        }
    }
    found
}

/// Without line breaks at the start and the end.
fn content(pieces: &[Piece], range: Range<usize>) -> Range<usize> {
    let is_content = |i: &usize| pieces[*i].kind != K::Newline;
    let start = range.clone().find(is_content).unwrap_or(range.end);
    let end = range.rev().find(is_content).map_or(start, |last| last + 1);
    start..end
}

/// Whether there are sequences outside of quotes, which is in heredocs: such an expression is
/// left alone, as the peers do.
fn has_sequences(pieces: &[Piece]) -> bool {
    let mut quotes = 0usize;
    for piece in pieces {
        match piece.kind {
            K::OpenQuote => quotes += 1,
            K::CloseQuote => quotes = quotes.saturating_sub(1),
            K::Interpolation | K::Directive if quotes == 0 => return true,
            _ => {}
        }
    }
    false
}

fn has_newlines(pieces: &[Piece]) -> bool {
    pieces.iter().any(|p| p.kind == K::Newline)
}

/// Whether an expression needs parentheses when the quotes around it go; `end` is where the
/// attribute's expression ended. It does when one of its lines ends outside of brackets. The
/// peers put them around everything with a line break that does not begin and end with one.
fn needs_parentheses(pieces: &[Piece], inside: Range<usize>, end: usize) -> bool {
    let within = &pieces[inside];
    let begins_and_ends = within.first().is_some_and(|p| p.kind == K::OpenParen)
        && within.last().is_some_and(|p| p.kind == K::CloseParen);
    if !begins_and_ends && has_newlines(within) {
        return true;
    }
    // A comment that is last may end the attribute's line as well, unless a block on one line
    // goes on behind it.
    let behind = pieces[end..]
        .iter()
        .find(|p| p.kind != K::Comment || p.ends_line());
    let last_counts = behind.is_some_and(|p| !p.ends_line());
    let lines = within.len() - usize::from(!last_counts);
    let mut depth = 0i64;
    within[..lines].iter().any(|piece| {
        depth += i64::from(piece.kind.bracket_change());
        depth == 0 && piece.ends_line()
    })
}
