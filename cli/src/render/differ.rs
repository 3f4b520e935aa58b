//! What differences of objects, values and texts have in common: where we are in the object, how
//! much is shown, margins, notes, and when two values count as the same.
//!
//! A [`Differ`] writes into one text. What it writes for a value begins on a line that is open
//! already and leaves its last line open; lines between are wholly indented.

use topo_sdk::{Path, Step, Value};

use super::Options;
use super::style::{DIM, RED, Symbol, YELLOW, push_painted};

/// Shown in place of a value that is not known yet.
pub const UNKNOWN: &str = "(known after apply)";
/// Shown in place of a value that is not to be shown.
pub const SENSITIVE: &str = "(sensitive value)";
/// Shown in place of a value that goes to the provider and is never stored.
pub const WRITE_ONLY: &str = "(write-only attribute)";

/// Attributes by which people recognise an object: shown though they stay the same.
pub fn is_identifying(name: &str) -> bool {
    matches!(name, "id" | "name" | "tags")
}

/// Writes differences of one object.
pub struct Differ<'a> {
    /// The paths that force replacement.
    pub replace: &'a [Path],
    /// Show what does not change, too.
    pub show_all: bool,
    /// Show what is sensitive, too.
    pub show_sensitive: bool,
    /// No margin for symbols: one state of an object rather than a difference.
    pub plain: bool,
    /// Write-only arguments are sent with a change.
    pub sends: bool,
    /// A null attribute of an object is something: nobody declared the attribute.
    pub nulls: bool,
    /// Where we are.
    pub path: Path,
}

/// What follows a value: `-> null` where an argument goes away, and that this forces a new object.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tail {
    /// The value goes away and nothing around it says so.
    pub null: bool,
    /// It forces a new object.
    pub forced: bool,
}

/// A value that is there: for arguments null is the same as nothing.
pub fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|v| !v.is_null())
}

/// What happens between two values. A null that is there is a value.
pub fn symbol(before: Option<&Value>, after: Option<&Value>) -> Symbol {
    match (before, after) {
        (None, None) => Symbol::Same,
        (None, Some(_)) => Symbol::Add,
        (Some(_), None) => Symbol::Remove,
        (Some(b), Some(a)) if identical(b, a) => Symbol::Same,
        (Some(_), Some(_)) => Symbol::Change,
    }
}

/// Whether two values are the same and the same parts of them are sensitive.
pub fn identical(before: &Value, after: &Value) -> bool {
    before == after && same_sensitivity(before, after)
}

/// Whether the same parts of two equal values are sensitive.
fn same_sensitivity(before: &Value, after: &Value) -> bool {
    if before.is_sensitive() || after.is_sensitive() {
        return before.is_sensitive() == after.is_sensitive();
    }
    if let (Some(b), Some(a)) = (before.as_slice(), after.as_slice()) {
        return b.iter().zip(a).all(|(b, a)| same_sensitivity(b, a));
    }
    if let (Some(b), Some(a)) = (before.as_map(), after.as_map()) {
        let pairs = b.values().zip(a.values());
        return pairs.into_iter().all(|(b, a)| same_sensitivity(b, a));
    }
    true
}

impl<'a> Differ<'a> {
    /// For a change with these paths forcing replacement.
    pub fn new(replace: &'a [Path], options: &Options) -> Differ<'a> {
        Differ {
            replace,
            show_all: false,
            show_sensitive: options.show_sensitive,
            plain: false,
            sends: true,
            nulls: false,
            path: Path::root(),
        }
    }

    /// For one state of an object, without a margin.
    pub fn plain(options: &Options) -> Differ<'static> {
        Differ {
            show_all: true,
            plain: true,
            ..Differ::new(&[], options)
        }
    }

    /// Does something with everything shown or not.
    pub fn showing<T>(&mut self, all: bool, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.show_all, all);
        let result = work(self);
        self.show_all = before;
        result
    }

    /// Whether a value is not to be shown.
    pub fn hides(&self, value: Option<&Value>) -> bool {
        !self.show_sensitive && value.is_some_and(Value::is_sensitive)
    }

    /// Indentation and margin.
    pub fn lead(&self, out: &mut String, level: usize, symbol: Symbol) {
        for _ in 0..level {
            out.push_str("    ");
        }
        if !self.plain {
            symbol.push_margin(out);
        }
    }

    /// A line that says how much is left out.
    pub fn hidden(&self, out: &mut String, n: usize, noun: &str, level: usize) {
        if n > 0 {
            let s = if n == 1 { "" } else { "s" };
            self.note(out, &format!("# ({n} unchanged {noun}{s} hidden)"), level);
        }
    }

    /// A line of its own.
    pub fn note(&self, out: &mut String, text: &str, level: usize) {
        self.lead(out, level, Symbol::Same);
        push_painted(out, DIM, text);
        out.push('\n');
    }

    /// The lines above a value, or a block, that becomes sensitive or ceases to be so.
    pub fn sensitivity(
        &self,
        out: &mut String,
        before: Option<&Value>,
        after: Option<&Value>,
        what: &str,
        level: usize,
    ) {
        let (Some(before), Some(after)) = (before, after) else {
            return;
        };
        if before.is_sensitive() == after.is_sensitive() {
            return;
        }
        let (first, second) = if after.is_sensitive() {
            (
                "will be marked as sensitive and will not",
                "display in UI output after applying this change.",
            )
        } else {
            (
                "will no longer be marked as sensitive",
                "after applying this change.",
            )
        };
        let same = if before == after {
            " The value is unchanged."
        } else {
            ""
        };
        let indent = "    ".repeat(level);
        out.push_str(&format!("{indent}  # "));
        push_painted(out, YELLOW, "Warning");
        out.push_str(&format!(": this {what} {first}\n"));
        out.push_str(&format!("{indent}  # {second}{same}\n"));
    }

    /// Whether this very value forces replacement, or an element of it if it is a set, whose
    /// elements have no names.
    pub fn forced_here(&self) -> bool {
        let here = self.path.steps();
        !here.is_empty()
            && self.replace.iter().any(|p| {
                let element = matches!(p.steps().get(here.len()), Some(Step::Element(_)));
                self.path.is_prefix_of(p) && (p.steps().len() == here.len() || element)
            })
    }

    /// Whether this value or anything in it forces replacement.
    pub fn forced_within(&self) -> bool {
        !self.path.is_root() && self.replace.iter().any(|p| self.path.is_prefix_of(p))
    }
}

impl Tail {
    /// Says that the value goes away, where that is to be said.
    pub fn push_null(self, out: &mut String) {
        if self.null {
            out.push(' ');
            push_painted(out, DIM, "-> null");
        }
    }

    /// Says that the value forces replacement, where it does.
    pub fn push_forced(self, out: &mut String) {
        if self.forced {
            out.push(' ');
            push_painted(out, RED, "# forces replacement");
        }
    }

    /// Both, behind a value of one line.
    pub fn push(self, out: &mut String) {
        self.push_null(out);
        self.push_forced(out);
    }
}

/// What lies between a value and another.
pub fn push_arrow(out: &mut String) {
    out.push(' ');
    push_painted(out, YELLOW, "->");
    out.push(' ');
}
