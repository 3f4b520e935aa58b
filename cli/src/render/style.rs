//! Symbols and colours. Text is always made with colours; where they are not wanted, the stream
//! it is written to takes them out (see [`crate::ui`]).

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
        match self {
            Symbol::Same => "    ".into(),
            Symbol::Add => format!("  {} ", paint(GREEN, "+")),
            Symbol::Change => format!("  {} ", paint(YELLOW, "~")),
            Symbol::Remove => format!("  {} ", paint(RED, "-")),
            Symbol::RemoveAdd => format!("{}/{} ", paint(RED, "-"), paint(GREEN, "+")),
            Symbol::AddRemove => format!("{}/{} ", paint(GREEN, "+"), paint(RED, "-")),
            Symbol::Read => format!(" {} ", paint(CYAN, "<=")),
            Symbol::Forget => format!("  {} ", paint(RED, ".")),
            Symbol::ForgetAdd => format!("{}/{} ", paint(RED, "."), paint(GREEN, "+")),
        }
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
