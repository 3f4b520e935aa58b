//! Diagnostics as text: what is wrong, where in the source, with which values, what to do.

use anstyle::Style;
use topo_sdk::{Diagnostic, Severity, SourceRange};

use super::group::Group;
use super::style::{BOLD, DIM, RED, YELLOW, paint};
use super::text::{columns, visible, wrap};

/// Finds the text of a source file by the name in a range.
pub type Sources<'a> = &'a dyn Fn(&str) -> Option<String>;

/// No source texts at all.
pub fn no_sources(_file: &str) -> Option<String> {
    None
}

/// How many lines of source are shown of one range.
const MOST_LINES: u32 = 8;

/// One diagnostic in a frame. Ends with a line break.
pub fn diagnostic(d: &Diagnostic, sources: Sources<'_>, width: usize) -> String {
    framed(d, None, sources, width)
}

/// Diagnostics that say the same in a frame. Ends with a line break.
pub fn grouped(group: &Group<'_>, sources: Sources<'_>, width: usize) -> String {
    framed(group.first, group.note(), sources, width)
}

/// Warnings as a list of what they are about. Ends with a line break.
pub fn compact(groups: &[Group<'_>]) -> String {
    let mut out = format!("{}\n\n", paint(YELLOW.bold(), "Warnings:"));
    for group in groups {
        let (first, more) = (group.first, group.more.len());
        out.push_str(&format!("- {}\n", visible(&first.summary)));
        match (&first.range, more) {
            (Some(range), more) => {
                let more = match more {
                    0 => String::new(),
                    n => format!(" (and {n} more)"),
                };
                let file = visible(&range.file);
                out.push_str(&format!("  on {file} line {}{more}\n", range.start.line));
            }
            (None, 0) => {}
            (None, n) => out.push_str(&format!("  ({} occurrences of this warning)\n", n + 1)),
        }
    }
    out.push_str("\nTo see the full warnings, run topo without -compact-warnings.\n");
    out
}

fn framed(d: &Diagnostic, more: Option<String>, sources: Sources<'_>, width: usize) -> String {
    let (style, word) = match d.severity {
        Severity::Error => (RED, "Error"),
        Severity::Warning => (YELLOW, "Warning"),
    };
    let mut lines = vec![format!(
        "{} {}",
        paint(style.bold(), format!("{word}:")),
        paint(BOLD, visible(&d.summary))
    )];
    let place = place(d, sources, style);
    if !place.is_empty() {
        lines.push(String::new());
        lines.extend(place);
    }
    if !d.values.is_empty() {
        lines.push(format!("    {}", paint(DIM, "├────────────────")));
        for (name, value) in &d.values {
            lines.push(format!(
                "    {} {} is {}",
                paint(DIM, "│"),
                paint(BOLD, visible(name)),
                visible(value)
            ));
        }
    }
    if !d.detail.is_empty() {
        lines.push(String::new());
        lines.extend(paragraphs(&d.detail, width));
    }
    if let Some(more) = more {
        lines.push(String::new());
        lines.extend(paragraphs(&more, width));
    }
    let mut out = format!("{}\n", paint(style, "╷"));
    for line in lines {
        out.push_str(format!("{} {line}", paint(style, "│")).trim_end());
        out.push('\n');
    }
    out.push_str(&format!("{}\n", paint(style, "╵")));
    out
}

fn paragraphs(text: &str, width: usize) -> Vec<String> {
    let lines = wrap(text, width.saturating_sub(2).max(20));
    lines.iter().map(|l| visible(l)).collect()
}

fn place(d: &Diagnostic, sources: Sources<'_>, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    let attribute = if d.attribute.is_root() {
        String::new()
    } else {
        format!(", attribute {}", d.attribute)
    };
    match (&d.address, &d.range) {
        (Some(address), Some(_)) => {
            lines.push(format!("  with {}{attribute},", visible(address)));
        }
        (Some(address), None) => lines.push(format!("  with {}{attribute}", visible(address))),
        (None, _) => {}
    }
    let Some(range) = &d.range else { return lines };
    let text = sources(&range.file);
    let within = text
        .as_deref()
        .and_then(|t| enclosing_block(t, range.start.line))
        .map_or(String::new(), |header| format!(", in {}", visible(&header)));
    lines.push(format!(
        "  on {} line {}, column {}{within}:",
        visible(&range.file),
        range.start.line,
        range.start.column
    ));
    if let Some(text) = text {
        lines.extend(snippet(&text, range, style));
    }
    lines
}

/// The source lines of a range with what is meant underlined.
fn snippet(text: &str, range: &SourceRange, style: Style) -> Vec<String> {
    let first = range.start.line;
    let last = range.end.line.max(first);
    // A range that ends at the start of a line does not reach into it.
    let last = if range.end.column <= 1 && last > first {
        last - 1
    } else {
        last
    };
    let shown = last.min(first.saturating_add(MOST_LINES - 1));
    let mut lines = Vec::new();
    for number in first..=shown {
        let Some(line) = text.lines().nth(number.saturating_sub(1) as usize) else {
            break;
        };
        lines.push(format!("  {number:>3}: {}", visible(line)));
        let from = if number == first {
            range.start.column.saturating_sub(1) as usize
        } else {
            line.chars().take_while(|c| c.is_whitespace()).count()
        };
        let length = line.chars().count();
        let to = if number == range.end.line {
            (range.end.column.saturating_sub(1) as usize).min(length)
        } else {
            length
        };
        // A tab stays a tab, so that the marks stand below what they mark.
        let pad: String = line
            .chars()
            .take(from)
            .map(|c| match c {
                '\t' => "\t".to_string(),
                c => " ".repeat(columns(&visible(&c.to_string()))),
            })
            .collect();
        let marked: String = line
            .chars()
            .skip(from)
            .take(to.saturating_sub(from))
            .collect();
        let marks = "^".repeat(columns(&visible(&marked)).max(1));
        if first == last {
            lines.push(format!("       {pad}{}", paint(style, marks)));
        }
    }
    if shown < last {
        lines.push(format!("       {}", paint(DIM, "...")));
    }
    lines
}

/// The header of the top-level block around a line: `resource "aws_vpc" "main"`.
pub fn enclosing_block(text: &str, line: u32) -> Option<String> {
    let lines: Vec<&str> = text.lines().take(line as usize).collect();
    lines.iter().rev().find_map(|l| {
        let starts = l.chars().next().is_some_and(char::is_alphabetic);
        let header = l.split_once('{')?.0.trim_end();
        (starts && !header.contains('=')).then(|| header.to_string())
    })
}
