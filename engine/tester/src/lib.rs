//! Runs the tests that modules are written with: `.tftest.hcl` and `.tofutest.hcl`.
//!
//! [`Suite::load`] finds and reads test files and every configuration that they are about;
//! [`run`] plans and applies it with the engine, against states that live in memory, and holds
//! the assertions against what came out. It returns a [`Report`] and tells [`TestEvent`]s on the
//! way; nothing is printed here.
//!
//! Objects of a provider that a test mocks, and those that it overrides, are made up: see `mock`.
//! Where Terraform and OpenTofu differ, a file's ending decides: in `.tofutest.hcl` made-up values
//! are known in the plan, in `.tftest.hcl` only after apply, unless `override_during` says
//! otherwise.

mod assess;
mod decode;
mod discover;
mod expect;
mod file;
mod junit;
mod memory;
mod mock;
mod overrides;
mod report;
mod run;
mod runner;
mod scope;
mod suite;
mod teardown;
mod values;

pub use file::{
    Assertion, Command, During, Expected, Mock, Overrides, RunOptions, TestFile, TestRun, Values,
};
pub use junit::junit;
pub use memory::{MemoryStore, managed};
pub use report::{
    Counts, FileReport, FoundFile, Left, Made, Report, RunName, RunReport, Status, Teardown,
    TestEvent, TestListener,
};
pub use runner::run;
pub use suite::{Loaded, Options, Suite};
