//! What every command works with: the terminal, the directories, real or sandbox.

use topo_sdk::Diagnostics;

use crate::ui::Ui;

/// An exit code, or what went wrong (exit code 1).
pub type Exit = Result<u8, Diagnostics>;

/// What every command works with.
pub struct Context {
    /// The terminal.
    pub ui: Ui,
    /// Whether the simulated cloud is meant.
    pub sandbox: bool,
}
