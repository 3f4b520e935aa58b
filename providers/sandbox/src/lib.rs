//! A simulation of any provider, made from its schema.
//!
//! [`simulate`] wraps a provider that talks to a network. Schemas, validation and planning stay
//! the provider's own; reading and changing go to a [`Cloud`], which keeps simulated objects on
//! disk and invents what a real API would compute: ids, ARNs, endpoints, timestamps. Everything
//! invented follows from the seed, the type and the planned arguments by hashing, so the same
//! configuration gives the same values.
//!
//! What is simulated: unique names (a second object of the same name is refused), idempotent
//! requests, retries, and, on request, latency and faults. What is not: quotas, permissions,
//! validation by the API, time that passes for an object after it is made, and containment — an
//! API refuses to delete a network that has subnets, the simulation does not. One exception:
//! what is inside a simulated Kubernetes cluster goes when the cluster goes.

mod calls;
mod cloud;
mod data;
mod fill;
mod identity;
mod invent;
mod latency;
mod options;
mod overrides;
mod provisioner;
mod simulate;

pub use calls::CallCounts;
pub use cloud::{Cloud, Object};
pub use options::{CrashPoint, Faults, Latency, Options};
pub use provisioner::simulate_provisioner;
pub use simulate::simulate;

#[cfg(test)]
mod tests;
