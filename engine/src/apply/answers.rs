//! What providers and provisioners answer during a run: put into the world and told.

use topo_sdk::Value;

use super::provision::Provisioning;
use super::tasks::Task;
use super::{Answer, Run, Started};
use crate::address::InstanceAddress;
use crate::changes::ChangeAction;

impl Run<'_> {
    /// Takes an answer in: the task is done, or goes on.
    pub(super) async fn take(&mut self, answer: Answer) -> (usize, Started) {
        match answer {
            Answer::Provisioned(p, failed) => {
                let task = p.task;
                (task, self.provisioned(*p, failed.map(|f| *f)).await)
            }
            Answer::Mutated(i, done) if done.unprovisioned => {
                let (Task::Converge(c), Some(record)) = (&self.tasks.list[i], done.record) else {
                    return (i, Started::Done(true));
                };
                let (c, address) = (*c, record.key.address.clone());
                // Provisioners may name the object by its address.
                self.set(&address, record.value.clone());
                let p = Provisioning::created(i, c, record, done.elapsed);
                (i, self.provision(p).await)
            }
            answer => {
                let (i, ok) = self.settle(answer).await;
                (i, Started::Done(ok))
            }
        }
    }

    /// Puts the final answer of a provider into the world.
    async fn settle(&mut self, answer: Answer) -> (usize, bool) {
        match answer {
            Answer::Provisioned(p, _) => (p.task, true),
            Answer::Read(i, made) => {
                let Task::Converge(c) = self.tasks.list[i] else {
                    return (i, true);
                };
                let change = &self.changes[c];
                match made {
                    Ok(v) => {
                        self.inner.data.insert(change.address().clone(), v.clone());
                        self.set(change.address(), v);
                        (i, self.postconditions(c))
                    }
                    Err(ds) => {
                        self.outcome.failed.push((
                            change.key.clone(),
                            ds.map(|d| d.with_address(change.address())),
                        ));
                        (i, false)
                    }
                }
            }
            Answer::Mutated(i, done) => {
                let (c, deletion) = match self.tasks.list[i] {
                    Task::Delete(c) => (c, true),
                    Task::Converge(c) => (c, false),
                    _ => return (i, true),
                };
                let change = &self.changes[c];
                if let Some(ds) = done.failed {
                    self.outcome.failed.push((done.key, ds));
                    return (i, false);
                }
                let word = if deletion {
                    self.outcome.counts.destroy += 1;
                    "delete"
                } else if change.action == ChangeAction::Update {
                    self.outcome.counts.change += 1;
                    "update"
                } else {
                    self.outcome.counts.add += 1;
                    "create"
                };
                self.outcome
                    .changes
                    .push((change.address().clone(), word.to_string()));
                if change.action == ChangeAction::ForgetThenCreate {
                    self.outcome.counts.forget += 1;
                    let forgotten = (change.address().clone(), "forget".to_string());
                    self.outcome.changes.push(forgotten);
                }
                if let (false, Some(record)) = (deletion, &done.record) {
                    let address = change.address().clone();
                    self.set(&address, record.value.clone());
                    return (i, self.postconditions(c));
                }
                (i, true)
            }
        }
    }

    pub(super) fn set(&mut self, address: &InstanceAddress, value: Value) {
        let Some(detail) = self.inner.details.get(address) else {
            return;
        };
        if let Some(instances) = self.inner.world.modules[detail.module][detail.instance]
            .resources
            .get_mut(&detail.key)
        {
            instances.set(address.key.clone(), value);
        }
    }
}
