//! Taking objects that exist into the state: `import` blocks here, the command `import` in
//! [`command`], and objects for which configuration is to be written in [`generate`].
//!
//! A block is evaluated when its resource is planned. What the provider finds becomes a record of
//! the planner's state, as if it had been there, and is planned like any other; apply writes it
//! with what was refreshed, before anything else.

mod command;
mod generate;
mod target;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use topo_sdk::{Connection, Diagnostic, Diagnostics, ResourceState, Schema, SourceRange};

use self::target::{import_address, import_id};
use super::marks::mark;
use super::{Planner, settled};
use crate::address::{InstanceAddress, ProviderAddress, ResourceAddress, ResourceMode};
use crate::changes::Importing;
use crate::config::{Import, ModuleId, ProviderKey, Repetition, Resource, ResourceKey};
use crate::events::{Event, Listener};
use crate::store::{Record, RecordKey, Status};
use crate::world::{Each, ModuleScope};

pub use command::import_object;
pub use generate::{GeneratedBlock, generate};

/// An object that is to be imported.
pub(super) struct Wanted {
    id: String,
    provider: Option<ProviderKey>,
    /// The block.
    range: SourceRange,
    /// The address in it.
    to: SourceRange,
}

/// An object to import, by the address where it will be.
pub(super) type AllWanted = BTreeMap<InstanceAddress, Wanted>;

impl Planner<'_> {
    /// What `import` blocks want to have as instances of a resource and is not in the state yet.
    pub(super) fn wanted_imports(&mut self, m: ModuleId, key: &ResourceKey) -> AllWanted {
        let config = self.config.clone();
        let mut wanted = AllWanted::new();
        if key.0 != ResourceMode::Managed {
            return wanted;
        }
        let path = &config.module(m).path;
        for import in &config.root().imports {
            let calls = import.to.modules.iter().map(|(name, _)| name);
            if import.to.type_name == key.1 && import.to.name == key.2 && path.iter().eq(calls) {
                self.evaluate_import(import, &mut wanted);
            }
        }
        wanted
    }

    /// Evaluates an `import` block, once for each element of its `for_each`.
    fn evaluate_import(&mut self, import: &Import, wanted: &mut AllWanted) {
        let each = match &import.for_each {
            None => vec![None],
            Some(e) => {
                match self
                    .world
                    .expand(&Repetition::ForEach(e.clone()), 0, 0, "this import block")
                {
                    Ok((_, items)) => items.into_iter().map(Some).collect(),
                    Err(e) => {
                        self.diagnostics.push(*e.diagnostic);
                        return;
                    }
                }
            }
        };
        for each in &each {
            let scope = ModuleScope {
                each: each.as_ref(),
                ..self.world.scope(0, 0)
            };
            let address = match import_address(import, &scope) {
                Ok(address) => address,
                Err(d) => {
                    self.diagnostics.push(*d);
                    continue;
                }
            };
            if self
                .state
                .records
                .contains_key(&RecordKey::from(address.clone()))
            {
                continue;
            }
            let id = match import_id(import, &scope) {
                Ok(id) => id,
                Err(d) => {
                    self.diagnostics.push(d.with_address(&address));
                    continue;
                }
            };
            let made = Wanted {
                id,
                provider: import.provider.clone(),
                range: import.range.clone(),
                to: import.to.range.clone(),
            };
            if let Some(first) = wanted.get(&address) {
                self.diagnostics.push(
                    Diagnostic::error("Duplicate import configuration", format!("There is an import block for {address} at {} already: an object can be imported once.", first.range))
                        .with_range(Some(import.range.clone())),
                );
                continue;
            }
            wanted.insert(address, made);
        }
    }

    /// Imports what is wanted of the instances that one module instance has of a resource.
    pub(super) async fn import_instances(
        &mut self,
        resource: &Resource,
        address: &ResourceAddress,
        items: &[Each],
        wanted: &mut AllWanted,
    ) {
        if wanted.is_empty() {
            return;
        }
        let here: Vec<(InstanceAddress, Wanted)> = items
            .iter()
            .filter_map(|each| wanted.remove_entry(&address.instance(each.key.clone())))
            .collect();
        let generated = self.config.is_generated(resource);
        let (parallelism, listener) = (self.options.parallelism.max(1), self.listener.clone());
        let mut calls = Vec::new();
        for (address, w) in here {
            match self.connection_to_import(resource, &address, &w) {
                Ok(found) => calls.push((address, w, found)),
                Err(d) => self.diagnostics.push(d.with_address(&address)),
            }
        }
        let answers: Vec<_> = stream::iter(calls.into_iter().map(|(address, w, connection)| {
            let listener = listener.clone();
            async move {
                let answer = match connection {
                    Source::Connection(c) => look_up(&*c, &listener, &address, &w.id).await,
                    Source::Saved(state) => Ok(*state),
                };
                (address, w, answer)
            }
        }))
        .buffered(parallelism)
        .collect()
        .await;
        for (address, w, answer) in answers {
            match answer {
                Ok(found) => {
                    let record = new_record(
                        &address,
                        &resource.provider_address,
                        &resource.schema,
                        found,
                    );
                    self.state
                        .records
                        .insert(record.key.clone(), record.clone());
                    self.refreshed.insert(record.key);
                    self.imported.insert(
                        address,
                        Importing {
                            id: w.id,
                            generated,
                        },
                    );
                }
                Err(ds) => self
                    .diagnostics
                    .extend(ds.map(|d| d.with_range(Some(w.range.clone())).with_address(&address))),
            }
        }
    }

    /// Where an object is found: through its resource's provider, or in a plan that is resumed.
    fn connection_to_import(
        &self,
        resource: &Resource,
        address: &InstanceAddress,
        w: &Wanted,
    ) -> Result<Source, Box<Diagnostic>> {
        let fail = |summary: &str, detail: String| {
            Err(Box::new(
                Diagnostic::error(summary, detail).with_range(Some(w.range.clone())),
            ))
        };
        if w.provider.as_ref().is_some_and(|p| *p != resource.provider) {
            return fail(
                "Invalid import provider argument",
                format!(
                    "The object is read through the provider configuration of its resource block, at {}: name the same here or none.",
                    resource.range
                ),
            );
        }
        if let Some(known) = &self.inputs.imported {
            return match known.get(address).filter(|(id, _)| *id == w.id) {
                Some((_, state)) => Ok(Source::Saved(Box::new(state.clone()))),
                None => fail(
                    "Saved plan is stale",
                    "The plan was saved without this object.".into(),
                ),
            };
        }
        let slot = self.slots.get(&resource.provider_address);
        match slot.and_then(|s| s.current.as_ref()) {
            Some(state) => Ok(Source::Connection(state.connection.clone())),
            None => fail(
                "Provider configuration not known",
                format!(
                    "The object can be imported only when it is known where it is, but the configuration of {} depends on values that are known only after apply. Apply what it depends on first, without this import block.",
                    resource.provider_address
                ),
            ),
        }
    }

    /// Import blocks whose address no instance has.
    pub(super) fn undeclared_imports(&mut self, wanted: AllWanted) {
        for (address, w) in wanted {
            self.diagnostics.push(
                Diagnostic::error("Configuration for import target does not exist", format!("The configuration has the resource, but not the instance {address} of it: look at its count or for_each, and at those of the modules that it is in."))
                    .with_range(Some(w.to)),
            );
        }
    }
}

enum Source {
    Connection(Arc<dyn Connection>),
    Saved(Box<ResourceState>),
}

/// Asks a provider for an object.
async fn look_up(
    connection: &dyn Connection,
    listener: &Listener,
    address: &InstanceAddress,
    id: &str,
) -> Result<ResourceState, Diagnostics> {
    listener(Event::ImportStarted {
        address: address.clone(),
        id: id.to_string(),
    });
    let found = connection.import(&address.resource.type_name, id).await?;
    listener(Event::ImportFinished {
        address: address.clone(),
        id: id.to_string(),
    });
    Ok(found)
}

fn new_record(
    address: &InstanceAddress,
    provider: &ProviderAddress,
    schema: &Schema,
    found: ResourceState,
) -> Record {
    let now = Timestamp::now();
    Record {
        key: address.clone().into(),
        provider: provider.clone(),
        schema_version: schema.version,
        status: Status::Ok,
        value: mark(&schema.block, settled(found.value), &[]),
        private: found.private,
        dependencies: Vec::new(),
        created: now,
        updated: now,
        keep: false,
    }
}
