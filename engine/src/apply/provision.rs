//! Provisioners as parts of an operation: create-time ones complete the creation of an object,
//! destroy-time ones come before its deletion.
//!
//! They run one after the other. Each is evaluated just before it runs, for it may read what the
//! one before has written. An object with create-time provisioners is recorded as tainted until
//! the last of them has succeeded: a run that dies between leaves an object that is replaced.

use std::sync::Arc;
use std::time::{Duration, Instant};

use topo_sdk::{Diagnostic, Diagnostics, Marks, Severity, Value};

use super::operation::Done;
use super::{Answer, Run, Started};
use crate::address::InstanceAddress;
use crate::changes::{ChangeAction, InstanceChange};
use crate::config::provisioner;
use crate::config::{ModuleId, OnFailure, Provisioner, Resource, When};
use crate::events::Event;
use crate::plan::id_of;
use crate::store::{Change, Record, RecordKey, Status};
use crate::world::{Each, ModuleScope};

/// An operation whose provisioners are under way.
pub(super) struct Provisioning {
    /// The task and the change it is for.
    pub(super) task: usize,
    pub(super) change: usize,
    /// When the operation started.
    pub(super) started: Instant,
    /// The object: the new one, or the one to be deleted.
    pub(super) record: Record,
    pub(super) when: When,
    /// The place of the next provisioner in its resource's list.
    next: usize,
}

impl Provisioning {
    pub(super) fn created(task: usize, change: usize, record: Record, elapsed: Duration) -> Self {
        let now = Instant::now();
        Provisioning {
            task,
            change,
            started: now.checked_sub(elapsed).unwrap_or(now),
            record,
            when: When::Create,
            next: 0,
        }
    }

    pub(super) fn to_be_deleted(task: usize, change: usize, record: Record) -> Self {
        Provisioning {
            task,
            change,
            started: Instant::now(),
            record,
            when: When::Destroy,
            next: 0,
        }
    }

    fn action(&self) -> ChangeAction {
        match self.when {
            When::Create => ChangeAction::Create,
            When::Destroy => ChangeAction::Delete,
        }
    }
}

/// A provisioner that is ready to run.
struct Ready {
    block: Provisioner,
    provisioner: Arc<dyn topo_sdk::Provisioner>,
    arguments: Value,
}

impl Run<'_> {
    /// Whether the creation of an object is complete only with its provisioners.
    pub(super) fn has_provisioners(&self, change: &InstanceChange, when: When) -> bool {
        self.provisioners(change.address())
            .is_some_and(|(_, all)| provisioner::at(all, when).next().is_some())
    }

    /// Whether provisioners come before the deletion of an object. As with Terraform not for
    /// objects that were never complete or have been replaced already.
    pub(super) fn has_farewell(&self, change: &InstanceChange, record: &Record) -> bool {
        record.status == Status::Ok
            && record.key.deposed.is_none()
            && self.has_provisioners(change, When::Destroy)
    }

    /// The provisioners of an object, and the module whose names they see: those of its block or,
    /// where that is gone, of the `removed` block that says so.
    fn provisioners(&self, address: &InstanceAddress) -> Option<(ModuleId, &[Provisioner])> {
        if let Some((id, block)) = self.block(address) {
            return Some((id, &block.provisioners));
        }
        let (id, removed) = self.config.removed(&address.resource)?;
        Some((id, &removed.provisioners))
    }

    /// The block of an object. In a run that destroys everything instances are not expanded.
    fn block(&self, address: &InstanceAddress) -> Option<(ModuleId, &Resource)> {
        if let Some(detail) = self.inner.details.get(address) {
            let resources = &self.config.module(detail.module).resources;
            return Some((detail.module, resources.get(&detail.key)?));
        }
        let of = &address.resource;
        let id = self.config.module_of(&of.module)?;
        let key = (of.mode, of.type_name.clone(), of.name.clone());
        Some((id, self.config.module(id).resources.get(&key)?))
    }

    /// Starts the next provisioner of an operation; after the last what completes the operation.
    pub(super) async fn provision(&mut self, mut p: Provisioning) -> Started {
        match self.next_provisioner(&mut p) {
            Ok(Some(ready)) => self.run_provisioner(p, ready),
            Ok(None) if p.when == When::Create => self.complete_creation(p),
            Ok(None) => {
                let (task, change, started) = (p.task, p.change, p.started);
                match self
                    .delete(task, change, p.record.clone(), Some(started))
                    .await
                {
                    Ok(started) => started,
                    Err(ds) => self.provision_failed(&p, ds),
                }
            }
            Err(ds) => self.provision_failed(&p, ds),
        }
    }

    /// Goes on after a provisioner, or ends the operation.
    pub(super) async fn provisioned(
        &mut self,
        p: Provisioning,
        failed: Option<(Diagnostic, OnFailure)>,
    ) -> Started {
        match failed {
            None => {}
            Some((d, OnFailure::Continue)) => {
                let address = self.changes[p.change].address();
                self.outcome.diagnostics.push(
                    Diagnostic {
                        severity: Severity::Warning,
                        ..d
                    }
                    .with_address(address),
                );
            }
            Some((d, OnFailure::Fail)) => return self.provision_failed(&p, d.into()),
        }
        self.provision(p).await
    }

    /// The next provisioner with its arguments.
    fn next_provisioner(&mut self, p: &mut Provisioning) -> Result<Option<Ready>, Diagnostics> {
        let change = &self.changes[p.change];
        let each = match self.inner.details.get(change.address()).cloned() {
            Some(detail) if p.when == When::Create => self.each(&detail)?,
            // Destroy-time ones do not see each.value, which may be gone.
            _ => Each {
                key: change.address().key.clone(),
                value: None,
            },
        };
        let Some((module, all)) = self.provisioners(change.address()) else {
            return Ok(None);
        };
        let Some((n, block)) = provisioner::at(all, p.when).find(|(n, _)| *n >= p.next) else {
            return Ok(None);
        };
        let Some(provisioner) = self.providers.provisioner(&block.kind) else {
            return Err(Diagnostic::error(
                "Provisioner not supported",
                format!("There is no provisioner {:?}.", block.kind),
            )
            .with_range(Some(block.range.clone()))
            .into());
        };
        let instance = match self.inner.details.get(change.address()) {
            Some(detail) => detail.instance,
            None => 0,
        };
        let scope = ModuleScope {
            each: Some(&each),
            itself: Some(&p.record.value),
            ..self.inner.world.scope(module, instance)
        };
        let mut found = Diagnostics::new();
        let value = block
            .body
            .decode(&provisioner.schema().block, &scope, &mut found);
        if found.has_errors() {
            return Err(found);
        }
        if !value.is_wholly_known() {
            return Err(Diagnostic::error("Value not known", "Something that the provisioner's arguments refer to is not known. Of its own resource it can use self, but not other instances: they may not be there yet.")
                .with_range(Some(block.range.clone()))
                .into());
        }
        p.next = n + 1;
        Ok(Some(Ready {
            block: block.clone(),
            provisioner: provisioner.clone(),
            arguments: value,
        }))
    }

    fn run_provisioner(&self, p: Provisioning, ready: Ready) -> Started {
        let Ready {
            block,
            provisioner,
            arguments,
        } = ready;
        let (listener, key) = (self.listener.clone(), p.record.key.clone());
        Started::Running(Box::pin(async move {
            let started = Instant::now();
            let kind = &block.kind;
            let say = |line: &str| {
                listener(Event::ProvisionOutput {
                    key: key.clone(),
                    provisioner: kind.clone(),
                    line: line.to_string(),
                });
            };
            listener(Event::ProvisionStarted {
                key: key.clone(),
                provisioner: kind.clone(),
                simulated: provisioner.is_simulated(),
            });
            let hidden = hidden(&arguments);
            if let Some(why) = hidden {
                say(&format!("(output suppressed due to {why} value in config)"));
            }
            let output = |line: &str| {
                if hidden.is_none() {
                    say(line);
                }
            };
            let result = provisioner.run(&arguments.unmark_deep(), &output).await;
            let (key, provisioner, elapsed) = (key.clone(), kind.clone(), started.elapsed());
            let failed = match result {
                Ok(()) => {
                    listener(Event::ProvisionFinished {
                        key,
                        provisioner,
                        elapsed,
                    });
                    None
                }
                Err(failure) => {
                    listener(Event::ProvisionFailed {
                        key,
                        provisioner,
                        elapsed,
                    });
                    let detail = match hidden {
                        Some(why) => format!(
                            "The command and its output are not shown, because of a {why} value in the configuration."
                        ),
                        None => failure.detail,
                    };
                    Some((
                        diagnostic(&block, &failure.reason, &detail),
                        block.on_failure,
                    ))
                }
            };
            Answer::Provisioned(Box::new(p), failed.map(Box::new))
        }))
    }

    /// All create-time provisioners have succeeded: the object is as it should be.
    fn complete_creation(&self, p: Provisioning) -> Started {
        let (listener, store) = (self.listener.clone(), self.store.clone());
        Started::Running(Box::pin(async move {
            let record = Record {
                status: Status::Ok,
                ..p.record
            };
            let key = record.key.clone();
            let (action, elapsed) = (ChangeAction::Create, p.started.elapsed());
            let type_name = key.address.resource.type_name.clone();
            let written = store
                .commit(vec![
                    Change::Put(Box::new(record.clone())),
                    Change::PutDuration(type_name, action.word().to_string(), elapsed),
                ])
                .await;
            let failed = written.err().map(|e| {
                Diagnostics::from(
                    Diagnostic::error(
                        "The state cannot be written",
                        format!("The object was created and its provisioners have run, but the state still has it as tainted: {e}."),
                    )
                    .with_address(&key.address),
                )
            });
            listener(match &failed {
                None => Event::ApplyFinished {
                    key: key.clone(),
                    action,
                    id: id_of(&record.value),
                    elapsed,
                },
                Some(ds) => Event::ApplyFailed {
                    key: key.clone(),
                    action,
                    diagnostics: ds.clone(),
                    elapsed,
                },
            });
            let done = Done {
                key,
                record: Some(record),
                failed,
                elapsed,
                unprovisioned: false,
            };
            Answer::Mutated(p.task, Box::new(done))
        }))
    }

    fn provision_failed(&mut self, p: &Provisioning, ds: Diagnostics) -> Started {
        let change = &self.changes[p.change];
        let key: RecordKey = p.record.key.clone();
        let mut ds = ds.map(|d| d.with_address(change.address()));
        let left = match p.when {
            When::Create => {
                "The object exists and is recorded as tainted: the next plan replaces it."
            }
            When::Destroy => "The object was not deleted.",
        };
        if let Some(first) = ds.0.iter_mut().find(|d| d.is_error()) {
            first.detail = format!("{}\n\n{left}", first.detail);
        }
        (self.listener)(Event::ApplyFailed {
            key: key.clone(),
            action: p.action(),
            diagnostics: ds.clone(),
            elapsed: p.started.elapsed(),
        });
        self.outcome.failed.push((key, ds));
        Started::Done(false)
    }
}

/// Why the output of a provisioner with these arguments is not shown, if it is not.
fn hidden(value: &Value) -> Option<&'static str> {
    let marks = value.deep_marks();
    if marks.contains(Marks::SENSITIVE) {
        Some("sensitive")
    } else if marks.contains(Marks::EPHEMERAL) {
        Some("ephemeral")
    } else {
        None
    }
}

fn diagnostic(block: &Provisioner, reason: &str, detail: &str) -> Diagnostic {
    let mut text = format!("The provisioner failed: {reason}.");
    if !detail.is_empty() {
        text.push(' ');
        text.push_str(detail);
    }
    Diagnostic::error(format!("{} provisioner error", block.kind), text)
        .with_range(Some(block.range.clone()))
}
