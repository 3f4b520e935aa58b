//! Conditions during apply: postconditions of what was made or read, and `check` blocks when
//! everything else is done.

use futures::future::join_all;
use topo_sdk::Diagnostics;

use super::located::place;
use super::tasks::Task;
use super::{Run, TaskStatus};
use crate::address::InstanceAddress;
use crate::changes::{ChangeAction, PlanMode};
use crate::checks::{Checked, Time, assertions, resource_node, warnings};
use crate::graph::Node;
use crate::plan::Detail;
use crate::world::ModuleScope;

impl Run<'_> {
    /// Whether the postconditions of an object hold, now that it is there; failures are noted.
    pub(super) fn postconditions(&mut self, c: usize) -> bool {
        let change = &self.changes[c];
        let Some(detail) = self.inner.details.get(change.address()) else {
            return true;
        };
        let resource = &self.config.module(detail.module).resources[&detail.key];
        let rules = &resource.lifecycle.postconditions;
        if rules.is_empty() {
            return true;
        }
        let detail = detail.clone();
        let each = self.each(&detail).unwrap_or_else(|_| detail.each.clone());
        let mut found = Diagnostics::new();
        let world = &self.inner.world;
        let instances = &world.modules[detail.module][detail.instance].resources;
        let value = instances
            .get(&detail.key)
            .and_then(|r| r.get(&change.address().key));
        let scope = ModuleScope {
            each: Some(&each),
            itself: value,
            ..world.scope(detail.module, detail.instance)
        };
        let summary = "Resource postcondition failed";
        let checked = world.check_rules(rules, &scope, summary, &resource.range, &mut found);
        self.checked(&detail, change.address(), Time::After, checked);
        if !found.has_errors() {
            return true;
        }
        self.outcome.failed.push((
            change.key.clone(),
            found.map(|d| d.with_address(change.address())),
        ));
        false
    }

    /// An object that stays as it is: its conditions may be about others, which are known now.
    pub(super) fn unchanged(&mut self, c: usize) -> bool {
        if self.inner.world.checks.is_empty() {
            return true;
        }
        let address = self.changes[c].address();
        let Some(detail) = self.inner.details.get(address) else {
            return true;
        };
        let node = resource_node(detail.module, address);
        let (module, key) = (&address.resource.module, &address.key);
        if !(self.inner.world.checks).is_unknown(self.config, &node, module, key) {
            return true;
        }
        if let Err(ds) = self.decode(&self.changes[c]) {
            let key = self.changes[c].key.clone();
            let ds = ds.map(|d| d.with_address(&key.address));
            self.outcome.failed.push((key, ds));
            return false;
        }
        self.postconditions(c)
    }

    /// Notes what conditions of an object come to.
    pub(super) fn checked(
        &mut self,
        detail: &Detail,
        address: &InstanceAddress,
        time: Time,
        checked: Checked,
    ) {
        let node = resource_node(detail.module, address);
        let (module, key) = (&address.resource.module, &address.key);
        let checks = &mut self.inner.world.checks;
        checks.record(self.config, &node, module, key, time, checked);
    }

    /// Evaluates `check` blocks over what now is. A run that was stopped leaves them as they were.
    pub(super) async fn check_blocks(&mut self) {
        if self.mode != PlanMode::Normal || self.interrupted {
            return;
        }
        let blocks = self.config.modules.iter().any(|m| !m.checks.is_empty());
        if !blocks {
            return;
        }
        let failed = self.read_check_data().await;
        let all = self.config.modules.iter().enumerate();
        let all = all.flat_map(|(m, module)| module.checks.iter().map(move |c| (m, c)));
        for (m, (name, check)) in all {
            let node = Node::Check(m, name.clone());
            let reached = self.is_reached(&node);
            if let (true, Some(index)) = (reached, self.graph.find(&node))
                && let Err(ds) = self.open_behind(index).await
            {
                self.outcome.diagnostics.extend(warnings(ds));
            }
            for i in 0..self.inner.world.modules[m].len() {
                if self.inner.world.modules[m][i].given.is_some() {
                    continue;
                }
                let unread = check.data.as_ref().and_then(|key| {
                    let (.., ds) = failed.iter().find(|(d, _)| d.is(m, i, key))?;
                    Some(ds)
                });
                let mut found = Diagnostics::new();
                let checked = match unread {
                    Some(ds) => {
                        found.extend(warnings(ds.clone()));
                        Checked::failed(ds)
                    }
                    None if !reached => Checked::unknown(),
                    None => {
                        let scope = self.inner.world.scope(m, i);
                        assertions(&check.assertions, &scope, false, &mut found)
                    }
                };
                let of = format_args!("check.{name}");
                let world = &mut self.inner.world;
                world.conditions_of(m, i, of, 0, &mut found);
                self.outcome.diagnostics.extend(found);
                self.inner.world.checked(&node, i, checked);
            }
        }
    }

    /// Whether everything that a node refers to is done.
    fn is_reached(&self, node: &Node) -> bool {
        let graph = self.graph;
        let Some(index) = graph.find(node) else {
            return false;
        };
        graph.requirements(index).all(|r| {
            let task = match &graph.graph[r] {
                Node::Resource(m, key) if self.config.module(*m).resources[key].check.is_some() => {
                    return true; // read before, outside of the tasks
                }
                Node::Resource(..) => Task::JoinAll(r),
                _ => Task::Evaluate(r),
            };
            let found = self.tasks.find(&task);
            found.is_some_and(|i| self.status[i] == TaskStatus::Done)
        })
    }

    /// Reads the data sources of `check` blocks that were left for now, side by side. Those that
    /// cannot be read are returned.
    async fn read_check_data(&mut self) -> Vec<(Detail, Diagnostics)> {
        let mut failed = Vec::new();
        let mut reads = Vec::new();
        for change in self.changes {
            if change.action != ChangeAction::Read {
                continue;
            }
            let Some(detail) = self.inner.details.get(change.address()).cloned() else {
                continue;
            };
            let resource = &self.config.module(detail.module).resources[&detail.key];
            let node = resource_node(detail.module, change.address());
            if resource.check.is_none() || !self.is_reached(&node) {
                continue;
            }
            match self.read_of(change).await {
                Ok(read) => reads.push(async move { (change, detail, read.await) }),
                Err(ds) => failed.push((change, detail, ds)),
            }
        }
        for (change, detail, answer) in join_all(reads).await {
            match answer {
                Ok(v) => {
                    let address = change.address();
                    self.inner.data.insert(address.clone(), v.clone());
                    self.set(address, v);
                }
                Err(ds) => failed.push((change, detail, ds)),
            }
        }
        failed
            .into_iter()
            .map(|(change, detail, ds)| {
                let ds = place(self.config, &change.key, ds);
                (detail, ds)
            })
            .collect()
    }
}
