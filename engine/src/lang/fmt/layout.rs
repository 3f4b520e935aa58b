//! White space from pieces: indentation by brackets, spaces between pieces, and columns.
//!
//! A line has up to three cells: what leads, the assignment (from its `=` on, when all brackets
//! that it opens are closed on the line), and the comment at its end. Assignments of consecutive
//! lines begin in one column, and so do comments.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::super::tokens::TokenKind as K;
use super::Piece;

/// The pieces of a line, by index: `start..assign` leads, then the assignment up to `comment`,
/// then the comment. Cells that a line does not have are empty.
struct Line {
    start: usize,
    assign: usize,
    comment: usize,
    end: usize,
}

impl Line {
    fn lead(&self) -> Range<usize> {
        self.start..self.assign
    }

    fn assignment(&self) -> Range<usize> {
        self.assign..self.comment
    }
}

/// Sets the spaces before every piece.
pub(super) fn layout(pieces: &mut [Piece]) {
    let lines = lines(pieces);
    indent(pieces, &lines);
    for line in &lines {
        space(&mut pieces[line.lead()]);
        space(&mut pieces[line.assignment()]);
    }
    align(pieces, &lines, |line| {
        (!line.assignment().is_empty()).then_some(line.assign)
    });
    align(pieces, &lines, |line| {
        (line.comment < line.end).then_some(line.comment)
    });
}

fn lines(pieces: &[Piece]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (i, piece) in pieces.iter().enumerate() {
        if piece.ends_line() || i + 1 == pieces.len() {
            lines.push(line(pieces, start..i + 1));
            start = i + 1;
        }
    }
    lines
}

fn line(pieces: &[Piece], Range { start, end }: Range<usize>) -> Line {
    // A comment alone on its line is not beside anything.
    let comment = if end - start > 1 && pieces[end - 1].kind == K::Comment {
        end - 1
    } else {
        end
    };
    let assign = (start + 1..comment)
        .find(|&i| pieces[i].kind == K::Equal)
        .filter(|&equal| net(&pieces[equal..comment]) == 0)
        .unwrap_or(comment);
    Line {
        start,
        assign,
        comment,
        end,
    }
}

fn net(pieces: &[Piece]) -> i64 {
    pieces
        .iter()
        .map(|p| i64::from(p.kind.bracket_change()))
        .sum()
}

/// Two columns for each line that leaves brackets open, however many it opens. A line that
/// closes more than it opens takes back the lines that opened them.
fn indent(pieces: &mut [Piece], lines: &[Line]) {
    // How many brackets each of the lines above left open.
    let mut open: Vec<i64> = Vec::new();
    for line in lines {
        if pieces[line.start].kind == K::Newline {
            continue;
        }
        // What stands behind a heredoc on its line is not the line's own.
        let lead = &pieces[line.lead()];
        let own = lead
            .iter()
            .position(|p| p.kind == K::OpenHeredoc)
            .unwrap_or(lead.len());
        let change = net(&lead[..own]) + net(&pieces[line.assignment()]);
        let mut closing = -change;
        while closing > 0
            && let Some(top) = open.last_mut()
        {
            if closing < *top {
                *top -= closing;
                break;
            }
            closing -= *top;
            open.pop();
        }
        pieces[line.start].spaces = u32::try_from(2 * open.len()).unwrap_or(u32::MAX);
        if change > 0 {
            open.push(change);
        }
    }
}

/// Sets the spaces between the pieces of a cell.
fn space(cell: &mut [Piece]) {
    let mut before = None;
    for i in 1..cell.len() {
        let (left, right) = (&cell[i - 1], &cell[i]);
        let spaces = u32::from(spaced(before, left, right.kind));
        before = Some(left.kind);
        cell[i].spaces = spaces;
    }
}

/// Whether a space goes between two pieces; `before` is what comes before the left one in its
/// cell. The first rule that fits decides.
fn spaced(before: Option<K>, left: &Piece, right: K) -> bool {
    match (left.kind, right) {
        (_, K::Newline) => false,
        // Calls, namespaces, attributes, arguments.
        (K::Identifier, K::OpenParen | K::DoubleColon) | (K::DoubleColon, K::Identifier) => false,
        (K::Dot, _) | (_, K::Dot | K::Comma | K::Ellipsis) => false,
        (K::Comma, _) => true,
        // The text of a template is the user's.
        (K::QuotedText | K::HeredocText | K::OpenQuote | K::OpenHeredoc, _)
        | (_, K::QuotedText | K::HeredocText | K::CloseQuote | K::CloseHeredoc) => false,
        // `for x in [1]` is not an index.
        (K::Identifier, _) if before == Some(K::Identifier) && left.text == "in" => true,
        (
            K::Identifier
            | K::Number
            | K::CloseBrace
            | K::CloseBracket
            | K::CloseParen
            | K::SequenceEnd,
            K::OpenBracket,
        ) => false,
        (K::Not, _) => false,
        (K::Minus, _) => before.is_some_and(|before| !awaits_operand(before)),
        (K::OpenBrace, K::CloseBrace) => false,
        (K::OpenBrace, _) | (_, K::CloseBrace) => true,
        // An object alone in an interpolation stands apart from its braces.
        (K::Interpolation | K::Directive, K::OpenBrace) | (K::CloseBrace, K::SequenceEnd) => true,
        (K::SequenceEnd, K::Interpolation | K::Directive) => false,
        (left, right) => left.bracket_change() <= 0 && right.bracket_change() >= 0,
    }
}

/// Whether a minus behind this is a sign.
fn awaits_operand(kind: K) -> bool {
    matches!(
        kind,
        K::OpenParen
            | K::OpenBrace
            | K::OpenBracket
            | K::Equal
            | K::Colon
            | K::Comma
            | K::Question
            | K::Plus
            | K::Minus
            | K::Star
            | K::Slash
            | K::Percent
            | K::EqualEqual
            | K::NotEqual
            | K::Greater
            | K::GreaterEqual
            | K::Less
            | K::LessEqual
            | K::And
            | K::Or
            | K::Not
    )
}

/// Lets a cell begin in one column on each run of consecutive lines that have it: one space
/// behind the longest of what is before it. `cell` finds the cell's first piece.
fn align(pieces: &mut [Piece], lines: &[Line], cell: impl Fn(&Line) -> Option<usize>) {
    let mut run: Vec<(usize, usize)> = Vec::new();
    for line in lines {
        match cell(line) {
            Some(first) => run.push((first, columns(&pieces[line.start..first]))),
            None => close(pieces, &mut run),
        }
    }
    close(pieces, &mut run);
}

fn close(pieces: &mut [Piece], run: &mut Vec<(usize, usize)>) {
    let widest = run.iter().map(|(_, width)| *width).max().unwrap_or(0);
    for (first, width) in run.drain(..) {
        pieces[first].spaces = u32::try_from(widest - width + 1).unwrap_or(u32::MAX);
    }
}

/// How many columns pieces take: a grapheme cluster is one.
fn columns(pieces: &[Piece]) -> usize {
    let width = |text: &str| {
        if text.is_ascii() && !text.contains('\r') {
            text.len()
        } else {
            text.graphemes(true).count()
        }
    };
    pieces
        .iter()
        .map(|p| p.spaces as usize + width(&p.text))
        .sum()
}
