//! What is to be removed and why, and what must not be.

use super::Planner;
use crate::address::{InstanceAddress, InstanceKey, ModuleInstance, ResourceMode};
use crate::changes::{ChangeAction, InstanceChange, PlanMode, Reason};
use crate::config::ModuleId;
use crate::store::{Record, RecordKey};
use crate::world::Shape;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use topo_sdk::Diagnostic;

impl Planner<'_> {
    /// Objects whose block names another provider configuration than they were made through are
    /// read, changed and deleted through that from now on. What has no block stays with its own.
    pub(super) fn adopt_providers(&mut self) {
        for record in self.state.records.values_mut() {
            let resource = self.config.written(&record.key.address);
            if let Some(resource) = resource
                && resource.provider_address != record.provider
            {
                record.provider = resource.provider_address.clone();
                self.refreshed.insert(record.key.clone());
            }
        }
    }

    /// Says of each object to be replaced that cannot be meant which ones could.
    pub(super) fn incomplete_replacements(&mut self) {
        for wanted in self.options.replace.iter().filter(|a| a.key.is_none()) {
            let mut instances = self
                .details
                .keys()
                .filter(|a| a.resource == wanted.resource)
                .peekable();
            if instances.peek().is_none() || self.details.contains_key(wanted) {
                continue;
            }
            let mut flags: Vec<String> = instances.map(|a| format!("-replace='{a}'")).collect();
            flags.sort();
            self.diagnostics.push(Diagnostic::warning(
                "Incompletely-matched force-replace resource instance",
                format!("{wanted} has instances with keys, so nothing is replaced for it. Name the instance: {}.", flags.join(", ")),
            ));
        }
    }

    /// Objects that the configuration does not have any more; in a destroy run all of them.
    pub(super) fn deletions(&mut self) {
        let planned: HashSet<RecordKey> = self.changes.iter().map(|c| c.key.clone()).collect();
        let kept = self.kept_for_later();
        let gone: Vec<Record> = self
            .state
            .records
            .values()
            .filter(|r| {
                r.key.address.resource.mode == ResourceMode::Managed
                    && !planned.contains(&r.key)
                    && self.selection.has_record(&r.key)
                    && !kept.contains(&r.key)
            })
            .cloned()
            .collect();
        let modules = self.module_instances();
        for record in gone {
            // A deposed object has been replaced already; there is nothing more to say of it.
            let reason = match (self.options.mode, &record.key.deposed) {
                (PlanMode::Destroy, _) => Some(Reason::Destroy),
                (_, Some(_)) => None,
                (_, None) => Some(self.deletion_reason(&record.key.address, &modules)),
            };
            let forgotten = self.is_kept(&record);
            let type_name = &record.key.address.resource.type_name;
            let schema = self
                .providers
                .get(&record.provider.name)
                .and_then(|p| p.resource_schema(type_name));
            // What is only forgotten is not looked at.
            let schema = schema.or_else(|| forgotten.then(Arc::default));
            let Some(schema) = schema else {
                self.diagnostics.push(
                    Diagnostic::error(
                        "Unknown resource type in the state",
                        format!("No provider that is built in has the type {type_name:?}."),
                    )
                    .with_address(&record.key.address),
                );
                continue;
            };
            let previous = self.moves.previous(&record.key.address).cloned();
            self.changes.push(InstanceChange {
                key: record.key,
                provider: record.provider,
                action: match forgotten {
                    true => ChangeAction::Forget,
                    false => ChangeAction::Delete,
                },
                reason,
                before: Some(record.value),
                after: None,
                replace_paths: Vec::new(),
                schema,
                provider_deferred: false,
                previous,
                importing: None,
            });
        }
        self.tell_forgotten();
    }

    pub(super) fn deletion_reason(
        &self,
        address: &InstanceAddress,
        modules: &HashMap<ModuleInstance, (ModuleId, usize)>,
    ) -> Reason {
        let moved = self.moves.previous(address).is_some();
        if moved && self.config.resource(&address.resource).is_none() {
            return Reason::NoMoveTarget;
        }
        let Some((m, i)) = modules.get(&address.resource.module).copied() else {
            return Reason::NoModule;
        };
        let key = (
            address.resource.mode,
            address.resource.type_name.clone(),
            address.resource.name.clone(),
        );
        match (
            self.world.modules[m][i]
                .resources
                .get(&key)
                .map(|r| r.shape),
            &address.key,
        ) {
            (None, _) => Reason::NotInConfiguration,
            (Some(Shape::Count), Some(InstanceKey::Index(_))) => Reason::CountIndex,
            (Some(Shape::ForEach), Some(InstanceKey::Key(_))) => Reason::EachKey,
            (Some(Shape::Optional), None) => Reason::Disabled,
            _ => Reason::WrongRepetition,
        }
    }

    /// Objects that must not be removed. One that its replacement has deposed may go.
    pub(super) fn prevented(&mut self) {
        let removed = self
            .changes
            .iter()
            .filter(|c| c.action.destroys() && c.key.deposed.is_none());
        let mut found = Vec::new();
        for change in removed {
            let r = &change.address().resource;
            let Some(module) = self.config.module_of(&r.module) else {
                continue;
            };
            let module = self.config.module(module);
            let Some(resource) =
                module
                    .resources
                    .get(&(r.mode, r.type_name.clone(), r.name.clone()))
            else {
                continue;
            };
            if resource.lifecycle.prevent_destroy {
                found.push(
                    Diagnostic::error("Instance cannot be destroyed", format!("{} has lifecycle.prevent_destroy set, but the plan calls for it to be destroyed. Remove the setting, or change the configuration so that it stays.", change.address()))
                        .with_address(change.address())
                        .with_range(Some(resource.range.clone())),
                );
            }
        }
        self.diagnostics.extend(found);
    }
}
