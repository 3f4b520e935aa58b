//! Text for people: plans, objects, outputs, diagnostics. Nothing here reads or prints; text is
//! returned with colours, and whoever prints it may take them out.

pub mod align;
pub mod block;
pub mod change;
pub mod console;
pub mod diagnostics;
pub mod differ;
pub mod drift;
pub mod group;
pub mod headline;
pub mod plan;
pub mod sections;
pub mod strings;
pub mod style;
pub mod summary;
pub mod test;
pub mod text;
pub mod value;

#[cfg(test)]
mod tests;

/// What a person asked to be shown, and where it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Only what matters: nothing of what changed outside.
    pub concise: bool,
    /// Show what is sensitive, too.
    pub show_sensitive: bool,
    /// Columns that a paragraph may take; differences take what they need.
    pub width: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            concise: false,
            show_sensitive: false,
            width: 78,
        }
    }
}
