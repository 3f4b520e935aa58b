//! `check` blocks while planning: after everything else, and whatever is wrong in them is a
//! warning.

use std::mem;
use std::sync::Arc;

use petgraph::graph::NodeIndex;
use topo_sdk::Diagnostics;

use super::Planner;
use crate::changes::{ChangeAction, InstanceChange, PlanMode, Reason};
use crate::checks::{Checked, assertions, warnings};
use crate::config::{ModuleId, ResourceKey};
use crate::graph::{Graph, Node};
use crate::store::RecordKey;
use crate::world::Instances;

impl Planner<'_> {
    /// Evaluates `check` blocks as far as what they are about is known. Where the plan has errors
    /// it would not be known what they say.
    pub(super) async fn check_blocks(&mut self) {
        if self.options.mode != PlanMode::Normal || self.diagnostics.has_errors() {
            return;
        }
        let config = self.config.clone();
        let Some(graph) = config.graph() else { return };
        let all = config.modules.iter().enumerate();
        let all = all.flat_map(|(m, module)| module.checks.iter().map(move |c| (m, c)));
        for (m, (name, check)) in all {
            let unread = match &check.data {
                Some(key) => {
                    let unread = self.check_data(graph, m, key).await;
                    self.told_of(m, 0, name, warnings(unread.clone()));
                    unread
                }
                None => Diagnostics::new(),
            };
            for i in 0..self.world.modules[m].len() {
                if self.world.modules[m][i].given.is_some() {
                    continue;
                }
                let mut found = Diagnostics::new();
                let checked = if unread.has_errors() {
                    Checked::failed(&unread)
                } else {
                    let scope = self.world.scope(m, i);
                    assertions(&check.assertions, &scope, true, &mut found)
                };
                self.told_of(m, i, name, found);
                self.world
                    .checked(&Node::Check(m, name.clone()), i, checked);
            }
        }
    }

    /// Tells what is wrong in a `check` block.
    fn told_of(&mut self, m: ModuleId, i: usize, name: &Arc<str>, mut found: Diagnostics) {
        let name = format_args!("check.{name}");
        self.world.conditions_of(m, i, name, 0, &mut found);
        self.diagnostics.extend(found);
    }

    /// Reads the data source of a `check` block. Returns what went wrong.
    async fn check_data(&mut self, graph: &Graph, m: ModuleId, key: &ResourceKey) -> Diagnostics {
        let Some(index) = graph.find(&Node::Resource(m, key.clone())) else {
            return Diagnostics::new();
        };
        let before = mem::take(&mut self.diagnostics);
        self.resource(graph, index, m, key).await;
        let found = mem::replace(&mut self.diagnostics, before);
        let changes = |c: &InstanceChange| c.action != ChangeAction::NoOp;
        if self.changes.iter().any(changes) {
            self.read_again(index, m, key);
        }
        found
    }

    /// What was read now is read once more when everything is applied.
    fn read_again(&mut self, index: NodeIndex, m: ModuleId, key: &ResourceKey) {
        let config = self.config.clone();
        let resource = &config.module(m).resources[key];
        let later: Vec<_> = self.changed.get(&index).into_iter().flatten().collect();
        let mut made = Vec::new();
        for values in &self.world.modules[m] {
            let address = crate::address::ResourceAddress {
                module: values.address.clone(),
                mode: key.0,
                type_name: key.1.clone(),
                name: key.2.clone(),
            };
            let instances = values.resources.get(key);
            for k in instances.into_iter().flat_map(Instances::keys) {
                let address = address.instance(k.cloned());
                if later.iter().any(|(a, _)| **a == address) {
                    continue;
                }
                made.push(InstanceChange {
                    key: RecordKey::from(address),
                    provider: resource.provider_address.clone(),
                    action: ChangeAction::Read,
                    reason: Some(Reason::CheckNested),
                    before: None,
                    after: instances.and_then(|r| r.get(&k.cloned())).cloned(),
                    replace_paths: Vec::new(),
                    schema: resource.schema.clone(),
                    provider_deferred: false,
                    previous: None,
                    importing: None,
                });
            }
        }
        self.changes.extend(made);
    }
}
