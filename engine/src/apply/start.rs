//! Starting a task that calls a provider: its arguments are evaluated with what is now known, and
//! the final plan is held against what was shown.

use super::operation::{Mutation, whole_or_path};
use super::provision::Provisioning;
use super::tasks::Task;
use super::{Answer, Run, Started};
use crate::changes::{ChangeAction, InstanceChange};
use crate::checks::Time;
use crate::config::When;
use crate::events::Event;
use crate::plan::{Detail, ProviderState, deviation, id_of, mark, sensitive_paths};
use crate::store::{Change, Intent, Record, RecordKey};
use crate::world::{Each, ModuleScope};
use jiff::Timestamp;
use std::future::Future;
use std::time::{Duration, Instant};
use topo_sdk::plan::{propose, without_write_only};
use topo_sdk::{
    Action, ApplyRequest, Diagnostic, Diagnostics, OperationId, Path, PlanRequest, PlannedResource,
    ResourceState, Value,
};

impl Run<'_> {
    pub(super) async fn start(&mut self, i: usize) -> Started {
        let made = match self.tasks.list[i] {
            Task::Converge(c) | Task::Delete(c)
                if let Some(why) = self.inner.blocked.remove(self.changes[c].address()) =>
            {
                Err(why.into())
            }
            Task::Converge(c) if self.changes[c].action == ChangeAction::Read => {
                self.start_read(i, c).await
            }
            Task::Converge(c) => self.start_converge(i, c).await,
            Task::Delete(c) => self.start_delete(i, c).await,
            _ => return Started::Done(true),
        };
        match made {
            Ok(started) => started,
            Err(ds) => {
                if let Task::Converge(c) | Task::Delete(c) = self.tasks.list[i] {
                    let change = &self.changes[c];
                    let ds = ds.map(|d| d.with_address(change.address()));
                    (self.listener)(Event::ApplyFailed {
                        key: change.key.clone(),
                        action: change.action,
                        diagnostics: ds.clone(),
                        elapsed: Duration::ZERO,
                    });
                    self.outcome.failed.push((change.key.clone(), ds));
                }
                Started::Done(false)
            }
        }
    }

    /// The configuration of an object, now that everything it refers to is known.
    pub(super) fn decode(&mut self, change: &InstanceChange) -> Result<Value, Diagnostics> {
        let Some(detail) = self.inner.details.get(change.address()).cloned() else {
            return Err(Diagnostics::error(
                "Unknown object",
                "The object has no block in the configuration.",
            ));
        };
        let each = self.each(&detail)?;
        let resource = &self.config.module(detail.module).resources[&detail.key];
        let mut found = Diagnostics::new();
        let world = &self.inner.world;
        let scope = ModuleScope {
            each: Some(&each),
            ..world.scope(detail.module, detail.instance)
        };
        let preconditions = &resource.lifecycle.preconditions;
        let checked = world.check_rules(
            preconditions,
            &scope,
            "Resource precondition failed",
            &resource.range,
            &mut found,
        );
        let value = resource
            .body
            .decode(&resource.schema.block, &scope, &mut found);
        if !preconditions.is_empty() {
            self.checked(&detail, change.address(), Time::Before, checked);
        }
        if found.has_errors() {
            return Err(found);
        }
        if !value.is_wholly_known() {
            return Err(Diagnostic::error("Value not known", "Something that the object's arguments refer to is still not known, though everything it depends on is done. This is an error in topo or in the provider of what it refers to.")
                .with_range(Some(resource.range.clone()))
                .into());
        }
        Ok(value)
    }

    /// `each` of an instance, with what was unknown in the plan.
    pub(super) fn each(&mut self, detail: &Detail) -> Result<Each, Diagnostics> {
        if detail
            .each
            .value
            .as_ref()
            .is_none_or(Value::is_wholly_known)
        {
            return Ok(detail.each.clone());
        }
        let place = (detail.module, detail.instance, detail.key.clone());
        if !self.each_values.contains_key(&place) {
            let resource = &self.config.module(detail.module).resources[&detail.key];
            let (_, items) = self
                .inner
                .world
                .expand(
                    &resource.repetition,
                    detail.module,
                    detail.instance,
                    "this resource",
                )
                .map_err(|e| Diagnostics::from(*e.diagnostic))?;
            let values = items.into_iter().map(|e| (e.key, e.value)).collect();
            self.each_values.insert(place.clone(), values);
        }
        let value = self
            .each_values
            .get(&place)
            .and_then(|v| v.get(&detail.each.key))
            .cloned();
        Ok(Each {
            key: detail.each.key.clone(),
            value: value.flatten(),
        })
    }

    pub(super) async fn start_read(&mut self, i: usize, c: usize) -> Result<Started, Diagnostics> {
        let read = self.read_of(&self.changes[c]).await?;
        Ok(Started::Running(Box::pin(async move {
            Answer::Read(i, read.await)
        })))
    }

    /// The reading of a data source, with what is now known.
    pub(super) async fn read_of(
        &mut self,
        change: &InstanceChange,
    ) -> Result<impl Future<Output = Result<Value, Diagnostics>> + Send + 'static, Diagnostics>
    {
        self.open_for(change).await?;
        let configured = self.decode(change)?;
        let marked = sensitive_paths(&configured);
        let plain = configured.unmark_deep();
        let type_name = change.address().resource.type_name.clone();
        let stand_in = self.providers.stand_in(change.address()).is_some();
        let computed = self
            .providers
            .of(&change.provider)
            .filter(|_| !stand_in)
            .and_then(|p| p.compute_data(&type_name, &plain));
        let connection = match computed {
            Some(_) => None,
            None => Some(self.connection_of(change, false).await?.connection),
        };
        let (listener, address, schema) = (
            self.listener.clone(),
            change.address().clone(),
            change.schema.clone(),
        );
        Ok(async move {
            let started = std::time::Instant::now();
            listener(Event::ReadStarted {
                address: address.clone(),
            });
            let made = match (computed, connection) {
                (Some(made), _) => made,
                (None, Some(connection)) => connection.read_data(&type_name, &plain).await,
                (None, None) => Err(Diagnostics::error(
                    "Provider not configured",
                    "There is no connection to read through.",
                )),
            };
            listener(Event::ReadFinished {
                address,
                elapsed: started.elapsed(),
            });
            made.map(|v| mark(&schema.block, v, &marked))
        })
    }

    pub(super) async fn start_converge(
        &mut self,
        i: usize,
        c: usize,
    ) -> Result<Started, Diagnostics> {
        let change = &self.changes[c];
        self.open_for(change).await?;
        let configured = self.decode(change)?;
        let marked = sensitive_paths(&configured);
        let plain = configured.unmark_deep();
        let record = self.inner.state.records.get(&change.key).cloned();
        let prior = if change.action == ChangeAction::Update {
            record.clone()
        } else {
            None
        };
        let state = self.connection_of(change, false).await?;
        let (config, planned) = self
            .plan_again(change, &state, prior.as_ref(), plain)
            .await?;
        if let Some(p) = &prior
            && p.value.clone().unmark_deep() == planned
        {
            // Nothing to do after all; whoever refers to it sees what it is.
            let (address, value) = (change.address().clone(), p.value.clone());
            self.set(&address, value);
            return Ok(Started::Done(true));
        }
        let detail = &self.inner.details[change.address()];
        let action = match &prior {
            Some(r) => Action::Update {
                prior: state_of(r),
                planned,
            },
            None => Action::Create { planned },
        };
        let mut aside = Vec::new();
        let mut undo = Vec::new();
        if change.action == ChangeAction::CreateThenDelete
            && let Some(old) = &record
        {
            let deposed = self.deposed_key(&change.key);
            self.deposed.insert(c, deposed.clone());
            aside = vec![
                Change::Put(Box::new(Record {
                    key: deposed.clone(),
                    ..old.clone()
                })),
                Change::Remove(change.key.clone()),
            ];
            undo = vec![Change::Put(Box::new(old.clone())), Change::Remove(deposed)];
        }
        let creates = prior.is_none();
        let mut mutation = self.mutation(
            change,
            &state,
            action,
            config,
            marked,
            detail.dependencies.clone(),
            prior,
            aside,
            undo,
        );
        mutation.intent.provisioned = creates && self.has_provisioners(change, When::Create);
        Ok(started(i, mutation))
    }

    /// Plans an object again with what is now known: it must come out as it was shown.
    pub(super) async fn plan_again(
        &self,
        change: &InstanceChange,
        state: &ProviderState,
        prior: Option<&Record>,
        plain: Value,
    ) -> Result<(Value, Value), Diagnostics> {
        let detail = &self.inner.details[change.address()];
        let resource = &self.config.module(detail.module).resources[&detail.key];
        let prior = prior.map(state_of);
        let config = match &prior {
            Some(p) => crate::plan::ignore_changes(
                &resource.lifecycle.ignore_changes,
                &change.schema,
                &p.value,
                plain,
            ),
            None => plain,
        };
        let proposed = propose(
            &change.schema.block,
            prior.as_ref().map(|p| &p.value),
            &config,
        );
        let request = PlanRequest {
            type_name: change.address().resource.type_name.clone(),
            prior,
            config,
            proposed,
        };
        let stand_in = self.providers.stand_in(change.address());
        let planned = match (stand_in, state.connection.plan(&request).await) {
            (Some(s), _) => s.provider.plan(&request)?,
            (None, Some(made)) => made?,
            (None, None) => match self.providers.of(&change.provider) {
                Some(p) => p.plan(&request)?,
                None => return Err(self.providers.unknown(&change.provider.name).into()),
            },
        };
        let planned = PlannedResource {
            value: without_write_only(&change.schema.block, planned.value),
            ..planned
        };
        let shown = change.after.clone().unwrap_or(Value::NULL).unmark_deep();
        if let Some(path) = deviation(&shown, &planned.value, &mut Path::root()) {
            return Err(Diagnostic::error(
                "The final plan differs from what was shown",
                format!("With what became known during apply, {} comes out other than planned, so the object was left alone. Plan again and look at the difference.", whole_or_path(&path)),
            )
            .at(path)
            .into());
        }
        if request.prior.is_some() && !planned.requires_replace.is_empty() {
            let what: Vec<String> = planned
                .requires_replace
                .iter()
                .map(ToString::to_string)
                .collect();
            return Err(Diagnostics::error(
                "The final plan differs from what was shown",
                format!(
                    "With what became known during apply, {} would have to change, which needs a new object. Plan again.",
                    what.join(", ")
                ),
            ));
        }
        Ok((request.config, planned.value))
    }

    pub(super) async fn start_delete(
        &mut self,
        i: usize,
        c: usize,
    ) -> Result<Started, Diagnostics> {
        let change = &self.changes[c];
        let key = match change.action {
            ChangeAction::CreateThenDelete => match self.deposed.get(&c) {
                Some(key) => key.clone(),
                None => return Ok(Started::Done(true)),
            },
            _ => change.key.clone(),
        };
        let Some(mut record) = self.inner.state.records.get(&change.key).cloned() else {
            return Ok(Started::Done(true));
        };
        record.key = key;
        if !self.has_farewell(change, &record) {
            return self.delete(i, c, record, None).await;
        }
        (self.listener)(Event::ApplyStarted {
            key: record.key.clone(),
            action: ChangeAction::Delete,
            id: id_of(&record.value),
        });
        let p = Provisioning::to_be_deleted(i, c, record);
        Ok(self.provision(p).await)
    }

    /// Deletes an object after all that comes before; `told` is when the operation started, if
    /// that has been told.
    pub(super) async fn delete(
        &mut self,
        i: usize,
        c: usize,
        record: Record,
        told: Option<Instant>,
    ) -> Result<Started, Diagnostics> {
        let change = &self.changes[c];
        let state = match self.providers.stand_in(&record.key.address) {
            Some(_) => self.connection_of(change, true).await?,
            None => self.connection(&record.provider, true).await?,
        };
        let action = Action::Delete {
            prior: state_of(&record),
        };
        let mut mutation = self.mutation(
            change,
            &state,
            action,
            Value::NULL,
            Vec::new(),
            record.dependencies.clone(),
            Some(record.clone()),
            Vec::new(),
            Vec::new(),
        );
        mutation.intent.key = record.key.clone();
        mutation.intent.provider = record.provider.clone();
        mutation.intent.sensitive = sensitive_paths(&record.value);
        mutation.told = told;
        Ok(started(i, mutation))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "everything that a mutation is made of"
    )]
    pub(super) fn mutation(
        &self,
        change: &InstanceChange,
        state: &ProviderState,
        action: Action,
        config: Value,
        sensitive: Vec<Path>,
        dependencies: Vec<crate::store::Dependency>,
        record: Option<Record>,
        aside: Vec<Change>,
        undo: Vec<Change>,
    ) -> Mutation {
        let block = &change.schema.block;
        let kept = without_write_only(block, config.clone());
        Mutation {
            config,
            connection: state.connection.clone(),
            store: self.store.clone(),
            listener: self.listener.clone(),
            intent: Intent {
                operation: OperationId::generate(),
                key: change.key.clone(),
                provider: change.provider.clone(),
                request: ApplyRequest {
                    type_name: change.address().resource.type_name.clone(),
                    action,
                    config: kept,
                },
                sensitive,
                schema_version: change.schema.version,
                dependencies,
                checkpoint: None,
                started: Timestamp::now(),
                provisioned: false,
                keep: self
                    .config
                    .resource(&change.address().resource)
                    .is_some_and(|r| r.lifecycle.keep),
            },
            schema: change.schema.clone(),
            record,
            aside,
            undo,
            told: None,
            journalled: !state
                .connection
                .only_computes(&change.address().resource.type_name),
        }
    }

    /// A key under which an object is kept while its replacement takes its place: 8 hex digits,
    /// for another may still be there that could not be removed.
    pub(super) fn deposed_key(&self, key: &RecordKey) -> RecordKey {
        loop {
            let made = RecordKey {
                address: key.address.clone(),
                deposed: Some(format!("{:08x}", rand::random::<u32>()).into()),
            };
            if !self.inner.state.records.contains_key(&made) {
                return made;
            }
        }
    }
}

/// A mutation under way. What provisioners complete counts as an operation from the start.
fn started(task: usize, mutation: Mutation) -> Started {
    let computes = !mutation.journalled && !mutation.intent.provisioned;
    let future = Box::pin(async move { Answer::Mutated(task, Box::new(mutation.run().await)) });
    if computes {
        Started::Computing(future)
    } else {
        Started::Running(future)
    }
}

pub(super) fn state_of(r: &Record) -> ResourceState {
    ResourceState {
        value: r.value.clone().unmark_deep(),
        private: r.private.clone(),
    }
}
