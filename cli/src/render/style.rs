//! Symbols and colours. Text is always made with colours; where they are not wanted, the stream
//! it is written to takes them out (see [`crate::ui`]).

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use topo_engine::changes::ChangeAction;

/// Bold.
pub const BOLD: Style = Style::new().bold();
/// What is less important.
pub const DIM: Style = Style::new().dimmed();
/// Errors and removals.
pub const RED: Style = AnsiColor::Red.on_default();
/// Additions.
pub const GREEN: Style = AnsiColor::Green.on_default();
/// Changes and warnings.
pub const YELLOW: Style = AnsiColor::Yellow.on_default();
/// Reads.
pub const CYAN: Style = AnsiColor::Cyan.on_default();

/// The text in a style.
pub fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Adds text in a style.
pub fn push_painted(out: &mut String, style: Style, text: impl std::fmt::Display) {
    // Writing to a string does not fail.
    let _ = write!(out, "{style}{text}{style:#}");
}

/// What stands in the margin of a line of a diff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symbol {
    /// Nothing changes.
    Same,
    /// Added.
    Add,
    /// Changed.
    Change,
    /// Removed.
    Remove,
    /// Removed, then made anew.
    RemoveAdd,
    /// Made anew, then the old one removed.
    AddRemove,
    /// Forgotten, then made anew.
    ForgetAdd,
    /// Read during apply.
    Read,
    /// Left alone and forgotten.
    Forget,
}

impl Symbol {
    /// Four columns.
    pub fn margin(self) -> String {
        let mut out = String::new();
        self.push_margin(&mut out);
        out
    }

    /// Adds four columns.
    pub fn push_margin(self, out: &mut String) {
        let (before, parts, after): (&str, &[(Style, &str)], &str) = match self {
            Symbol::Same => ("    ", &[], ""),
            Symbol::Add => ("  ", &[(GREEN, "+")], " "),
            Symbol::Change => ("  ", &[(YELLOW, "~")], " "),
            Symbol::Remove => ("  ", &[(RED, "-")], " "),
            Symbol::RemoveAdd => ("", &[(RED, "-"), (GREEN, "+")], " "),
            Symbol::AddRemove => ("", &[(GREEN, "+"), (RED, "-")], " "),
            Symbol::Read => (" ", &[(CYAN, "<=")], " "),
            Symbol::Forget => ("  ", &[(RED, ".")], " "),
            Symbol::ForgetAdd => ("", &[(RED, "."), (GREEN, "+")], " "),
        };
        out.push_str(before);
        for (i, (style, text)) in parts.iter().enumerate() {
            if i > 0 {
                out.push('/');
            }
            push_painted(out, *style, text);
        }
        out.push_str(after);
    }
}

impl From<ChangeAction> for Symbol {
    fn from(action: ChangeAction) -> Symbol {
        match action {
            ChangeAction::NoOp => Symbol::Same,
            ChangeAction::Create => Symbol::Add,
            ChangeAction::Read => Symbol::Read,
            ChangeAction::Update => Symbol::Change,
            ChangeAction::DeleteThenCreate => Symbol::RemoveAdd,
            ChangeAction::CreateThenDelete => Symbol::AddRemove,
            ChangeAction::Delete => Symbol::Remove,
            ChangeAction::Forget => Symbol::Forget,
            ChangeAction::ForgetThenCreate => Symbol::ForgetAdd,
        }
    }
}
