//! Data sources: read while planning where everything they need is known and in place, left to
//! apply where not.

use super::Planner;
use super::marks::{mark, sensitive_paths};
use crate::address::{InstanceAddress, ResourceMode};
use crate::changes::{ChangeAction, InstanceChange, Reason};
use crate::config::{ModuleId, Resource, ResourceKey};
use crate::events::Event;
use crate::graph::{Graph, Node};
use crate::lang::ast::Target;
use futures::future::join_all;
use petgraph::graph::NodeIndex;
use topo_sdk::Value;
use topo_sdk::plan::propose;

impl Planner<'_> {
    #[expect(
        clippy::too_many_arguments,
        reason = "everything that says where the data source is"
    )]
    pub(super) async fn read_data(
        &mut self,
        graph: &Graph,
        index: NodeIndex,
        resource: &Resource,
        m: ModuleId,
        i: usize,
        key: &ResourceKey,
        reads: Vec<(InstanceAddress, Value)>,
    ) {
        let pending = self.pending_dependency(graph, resource, m);
        let provider = self.providers.of(&resource.provider_address).cloned();
        let connection = self
            .slots
            .get(&resource.provider_address)
            .and_then(|s| s.current.clone());
        let listener = self.listener.clone();
        let known = &self.inputs.data;
        let answers = join_all(reads.into_iter().map(|(address, configured)| {
            let (provider, connection, listener) =
                (provider.clone(), connection.clone(), listener.clone());
            let stand_in = self.providers.stand_in(&address).cloned();
            async move {
                let marked = sensitive_paths(&configured);
                let config = configured.clone().unmark_deep();
                if pending || !config.is_wholly_known() {
                    let reason = if config.is_wholly_known() {
                        Reason::DependencyPending
                    } else {
                        Reason::ConfigUnknown
                    };
                    return (address, configured, Err(reason));
                }
                // What a token was when a plan was saved is of no use now.
                if let Some(v) = known.get(&address)
                    && resource.schema.expires_after.is_none()
                {
                    return (address, configured, Ok(Ok(v.clone())));
                }
                if let Some(s) = stand_in {
                    let type_name = &address.resource.type_name;
                    let made = s.connection.read_data(type_name, &config).await;
                    let made = made.map(|v| mark(&resource.schema.block, v, &marked));
                    return (address, configured, Ok(made));
                }
                let started = std::time::Instant::now();
                let computed =
                    provider.and_then(|p| p.compute_data(&address.resource.type_name, &config));
                let answer = match (computed, connection) {
                    (Some(made), _) => made,
                    (None, Some(c)) => {
                        listener(Event::ReadStarted {
                            address: address.clone(),
                        });
                        let made = c
                            .connection
                            .read_data(&address.resource.type_name, &config)
                            .await;
                        listener(Event::ReadFinished {
                            address: address.clone(),
                            elapsed: started.elapsed(),
                        });
                        made
                    }
                    (None, None) => return (address, configured, Err(Reason::DependencyPending)),
                };
                (
                    address,
                    configured,
                    Ok(answer.map(|v| mark(&resource.schema.block, v, &marked))),
                )
            }
        }))
        .await;
        for (address, configured, answer) in answers {
            let planned = |configured: Value| {
                let marked = sensitive_paths(&configured);
                let plain = configured.unmark_deep();
                let proposed = propose(&resource.schema.block, None, &plain);
                mark(&resource.schema.block, proposed, &marked)
            };
            let value = match answer {
                Ok(Ok(v)) => {
                    self.data.insert(address.clone(), v.clone());
                    v
                }
                Ok(Err(ds)) => {
                    self.diagnostics.extend(
                        ds.map(|d| crate::config::locate(d, &resource.body).with_address(&address)),
                    );
                    planned(configured)
                }
                Err(reason) => {
                    let planned = planned(configured);
                    self.changed
                        .entry(index)
                        .or_default()
                        .insert(address.clone(), ChangeAction::Read);
                    self.changes.push(InstanceChange {
                        key: address.clone().into(),
                        provider: resource.provider_address.clone(),
                        action: ChangeAction::Read,
                        reason: Some(reason),
                        before: None,
                        after: Some(planned.clone()),
                        replace_paths: Vec::new(),
                        schema: resource.schema.clone(),
                        provider_deferred: false,
                        previous: None,
                        importing: None,
                    });
                    planned
                }
            };
            self.set(m, i, key, address.key.clone(), value);
        }
    }

    /// Whether something that a data source depends on by name, or a managed resource that it
    /// refers to, is going to change: what it would read now is not what will be there then. What
    /// expires is read again anyway.
    pub(super) fn pending_dependency(
        &self,
        graph: &Graph,
        resource: &Resource,
        m: ModuleId,
    ) -> bool {
        let mut references = Vec::new();
        resource.body.references(&mut references);
        let direct = references.iter().any(|r| match &r.target {
            Target::Resource(ResourceMode::Managed, t, n) => graph
                .find(&Node::Resource(
                    m,
                    (ResourceMode::Managed, t.clone(), n.clone()),
                ))
                .is_some_and(|n| self.changed.contains_key(&n)),
            _ => false,
        });
        if direct && resource.schema.expires_after.is_none() {
            return true;
        }
        let own_calls = std::iter::successors(self.config.module(m).parent.clone(), |(id, _)| {
            self.config.module(*id).parent.clone()
        });
        let explicit = !resource.depends_on.is_empty()
            || own_calls
                .into_iter()
                .any(|(id, call)| !self.config.module(id).calls[&call].depends_on.is_empty());
        if !explicit {
            return false;
        }
        let mut targets: Vec<NodeIndex> = Vec::new();
        for mention in &resource.depends_on {
            let node = match &mention.reference.target {
                Target::Resource(mode, t, n) => {
                    Some(Node::Resource(m, (*mode, t.clone(), n.clone())))
                }
                Target::Module(n, _) => self
                    .config
                    .module(m)
                    .calls
                    .get(n)
                    .map(|c| Node::Closed(c.module)),
                _ => None,
            };
            targets.extend(node.and_then(|n| graph.find(&n)));
        }
        let mut module = m;
        while let Some((parent, call)) = &self.config.module(module).parent {
            if !self.config.module(*parent).calls[call]
                .depends_on
                .is_empty()
            {
                targets.extend(graph.find(&Node::Call(*parent, call.clone())));
            }
            module = *parent;
        }
        targets.into_iter().any(|t| {
            graph
                .ancestors(t)
                .iter()
                .any(|n| self.changed.contains_key(n))
        })
    }
}
