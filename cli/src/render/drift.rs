//! What a look at reality found, as text.

use topo_engine::changes::{ChangeAction, Drift, Unread};

use super::change;
use super::style::{BOLD, DIM, GREEN, RED, paint};
use super::text::count;

/// The objects that could not be read; why is told behind them.
pub fn unread(list: &[Unread]) -> String {
    if list.is_empty() {
        return String::new();
    }
    let head = paint(RED.bold(), "Not read:");
    let mut text = format!(
        "\n{head} {}, of which nothing can be said.\n",
        count(list.len(), "object")
    );
    for u in list {
        text.push_str(&format!("  {}\n", u.key.address));
    }
    text
}

/// What an apply would do about an object that is not as the state has it.
fn consequence(action: ChangeAction) -> &'static str {
    match action {
        ChangeAction::NoOp | ChangeAction::Read => "an apply leaves it as it is",
        ChangeAction::Create => "an apply creates it again",
        ChangeAction::Update => "an apply updates it in-place",
        ChangeAction::DeleteThenCreate
        | ChangeAction::CreateThenDelete
        | ChangeAction::ForgetThenCreate => "an apply replaces it",
        ChangeAction::Delete => "an apply destroys it",
        ChangeAction::Forget => "an apply forgets it",
    }
}

/// The objects that are not as in the state, of so many, where that is known.
pub fn report(drift: &[Drift], objects: Option<usize>) -> String {
    if drift.is_empty() {
        let head = paint(GREEN.bold(), "No drift.");
        return match objects {
            Some(n) => format!("\n{head} {}: as in the state.\n", count(n, "object")),
            None => format!("\n{head}\n"),
        };
    }
    let mut text = String::from("\n");
    for d in drift {
        text.push_str(&change::drift(d));
        if let Some(action) = d.consequence {
            let note = paint(DIM, format!("# ({})", consequence(action)));
            text.push_str(&format!("    {note}\n"));
        }
        text.push('\n');
    }
    let head = paint(BOLD, "Drift:");
    text.push_str(&format!(
        "{head} {} not as in the state. `topo apply` puts back what the configuration says; `topo refresh` accepts it.\n",
        match objects {
            Some(n) => format!("{} of {}", drift.len(), count(n, "object")),
            None => count(drift.len(), "object"),
        }
    ));
    text
}
