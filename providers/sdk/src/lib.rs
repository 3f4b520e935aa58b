//! Floor 1 of topo: what every other room speaks in.
//!
//! Values and types of the language, schemas of resource types, attribute paths, diagnostics and
//! the contract between the engine and a provider. This crate knows nothing of files, graphs,
//! state stores, clouds or terminals.

pub mod convert;
pub mod diagnostics;
pub mod function;
pub mod json;
pub mod number;
pub mod path;
pub mod plan;
pub mod provider;
pub mod provisioner;
pub mod schema;
pub mod types;
mod unify;
pub mod value;

pub use diagnostics::{Cause, Diagnostic, Diagnostics, Position, Severity, SourceRange};
pub use function::{Function, FunctionError, Parameter};
pub use number::Number;
pub use path::{Path, Step};
pub use provider::{
    Action, ApplyFailure, ApplyRequest, Connection, OpenedEphemeral, Operation, OperationId,
    PlanRequest, PlannedResource, Provider, ReadRequest, RecoverRequest, Recovery,
    RenewedEphemeral, ResourceState,
};
pub use provisioner::{Output, ProvisionFailure, Provisioner};
pub use schema::{Attribute, Block, Mode, NestedBlock, Nesting, Schema};
pub use types::{ObjectType, Type};
pub use value::{Kind, Marks, Refinements, Unknown, Value};
