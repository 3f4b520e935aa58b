//! A configured provider: reads and changes objects in one cluster.

use std::collections::BTreeMap;

use async_trait::async_trait;
use kube::Client;
use serde_json::{Map, Value as Json, json};
use topo_sdk::provider::unknown_type;
use topo_sdk::{
    Action, ApplyFailure, ApplyRequest, Connection, Diagnostics, OpenedEphemeral, Operation,
    OperationId, Path, ReadRequest, RecoverRequest, Recovery, ResourceState, Value,
};

use crate::config::Ignored;
use crate::errors::Subject;
use crate::kinds::{self, Kind};
use crate::manifest::{self, Manifests};
use crate::object::{MANAGER, Objects, owned_by_topo, text};
use crate::read::{self, Scope};
use crate::{ephemeral, wait, write, write_only};

/// From how many objects of one namespace on it is cheaper to list them.
const MANY: usize = 4;

/// One cluster.
pub struct Cluster {
    pub(crate) client: Client,
    pub(crate) host: String,
    pub(crate) manifests: Manifests,
    ignored: Ignored,
}

/// What names an object in the cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// `None` for kinds that are in no namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl Key {
    /// That of an object of the schema; `None` where its name is not known.
    fn of(kind: &Kind, value: &Value) -> Option<Key> {
        let metadata = value.get("metadata")?.as_slice()?.first()?;
        let name = metadata.get_str("name").filter(|n| !n.is_empty())?;
        Some(Key::new(
            kind.namespaced,
            metadata.get_str("namespace"),
            name,
        ))
    }

    fn new(namespaced: bool, namespace: Option<&str>, name: &str) -> Key {
        Key {
            namespace: namespaced.then(|| namespace.unwrap_or("default").to_owned()),
            name: name.to_owned(),
        }
    }

    /// That of a new object: its name, else one made of `generate_name` and the name of the
    /// operation, so that a later run can find it.
    fn of_new(kind: &Kind, planned: &Value, operation: &OperationId) -> Option<Key> {
        if let Some(key) = Key::of(kind, planned) {
            return Some(key);
        }
        let metadata = planned.get("metadata")?.as_slice()?.first()?;
        let start = metadata
            .get_str("generate_name")
            .filter(|n| !n.is_empty())?;
        let id: Vec<char> = operation.as_str().chars().filter(|c| *c != '-').collect();
        let end: String = id.iter().rev().take(8).rev().collect();
        let name = format!("{start}{end}");
        Some(Key::new(
            kind.namespaced,
            metadata.get_str("namespace"),
            &name,
        ))
    }
}

/// `namespace/name`, or the name alone.
impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The object as the schema has it.
fn state(kind: &Kind, live: &Json, scope: Scope<'_>) -> ResourceState {
    let model = kind.model();
    let block = &model.schema.block;
    let no_fields = Map::new();
    let fields = live.as_object().unwrap_or(&no_fields);
    let mut value = read::object(&model.shape, block, fields, scope);
    let key = Key::new(
        kind.namespaced,
        text(live, "/metadata/namespace"),
        text(live, "/metadata/name").unwrap_or_default(),
    );
    value = value.with("id", Value::string(key.to_string()));
    if let Some(status) = block.attributes.get("status") {
        value = value.with("status", read::load_balancer(&status.ty, live));
    }
    value.into()
}

/// The object as it is now. A new version or generation alone is no news: status updates and
/// other people's fields move them all the time.
fn refreshed(kind: &Kind, live: &Json, prior: &ResourceState, ignored: &Ignored) -> ResourceState {
    let mut now = state(kind, live, Scope::Prior(&prior.value));
    now.value = ignored.keep(now.value, &prior.value);
    let before = prior.value.get("metadata").and_then(Value::as_slice);
    let mut quiet = now.value.clone();
    for name in ["resource_version", "generation"] {
        if let Some(old) = before.and_then(<[Value]>::first).and_then(|m| m.get(name)) {
            let path = Path::attribute("metadata").index(0).attr(name);
            quiet = quiet.update_at(path.steps(), &mut |_| old.clone());
        }
    }
    let same = quiet == prior.value;
    ResourceState {
        value: if same { prior.value.clone() } else { now.value },
        private: prior.private.clone(),
    }
}

/// An object that nobody planned: what topo set of it if it did, else what somebody else applied,
/// else all but what the API fills in.
fn imported(kind: &Kind, live: &Json) -> ResourceState {
    if let Some(fields) = owned_by_topo(live) {
        return state(kind, live, Scope::Owned(fields));
    }
    let pointer = "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";
    let applied = text(live, pointer).and_then(|text| serde_json::from_str::<Json>(text).ok());
    match applied {
        Some(applied) => {
            let asked = state(kind, &applied, Scope::Chosen);
            state(kind, live, Scope::Prior(&asked.value))
        }
        None => state(kind, live, Scope::Chosen),
    }
}

impl Cluster {
    pub(crate) fn new(client: Client, host: String, ignored: Ignored) -> Cluster {
        Cluster {
            client,
            host,
            manifests: Manifests::default(),
            ignored,
        }
    }

    fn subject<'a>(&'a self, action: &'a str, kind: &'a Kind, id: &'a str) -> Subject<'a> {
        Subject {
            action,
            kind: &kind.resource.kind,
            id,
            host: &self.host,
            shape: Some(&kind.model().shape),
        }
    }

    fn objects(&self, kind: &Kind, key: &Key) -> Objects {
        Objects::new(&self.client, &kind.resource, key.namespace.as_deref())
    }

    async fn get(&self, kind: &Kind, key: &Key) -> Result<Option<Json>, Diagnostics> {
        let found = self.objects(kind, key).get(&key.name).await;
        found.map_err(|e| self.subject("read", kind, &key.to_string()).failed(&e))
    }

    async fn create(
        &self,
        kind: &Kind,
        type_name: &str,
        planned: &Value,
        config: &Value,
        operation: &dyn Operation,
    ) -> Result<ResourceState, ApplyFailure> {
        let Some(key) = Key::of_new(kind, planned, operation.id()) else {
            return Err(Diagnostics::error(
                format!("{} has no name", kind.resource.kind),
                "Set name or generate_name in its metadata block.",
            )
            .map(|d| d.at(Path::attribute("metadata").index(0).attr("name")))
            .into());
        };
        // An apply would take over an object that is there already, whoever made it.
        if self.get(kind, &key).await?.is_some() {
            return Err(Diagnostics::error(
                format!("{} {key} exists already", kind.resource.kind),
                format!("It was not made by this configuration. To manage it from here, import it: topo import ADDRESS {key} (ADDRESS is that of this {type_name}). Otherwise give the new one another name, or delete the one that is there."),
            )
            .map(|d| d.at(Path::attribute("metadata").index(0).attr("name")))
            .into());
        }
        self.put(kind, "create", &key, None, planned, config, operation)
            .await
    }

    /// What is sent: all that topo is to own. That is also what it wrote without knowing it any
    /// more, which must not be written anew.
    async fn body(
        &self,
        kind: &Kind,
        key: &Key,
        prior: Option<&Value>,
        planned: &Value,
        config: &Value,
    ) -> Result<Map<String, Json>, Diagnostics> {
        let shape = &kind.model().shape;
        let Some(prior) = prior.filter(|p| write_only::keeps_any(shape, p, planned, config)) else {
            return Ok(write::object(shape, planned, config));
        };
        let live = self.get(kind, key).await?.unwrap_or_default();
        let (config, kept) = write_only::unrevised(shape, prior, planned, config, &live);
        let mut body = write::object(shape, planned, &config);
        for (api, value) in kept {
            write::insert(&mut body, &api, value);
        }
        Ok(body)
    }

    #[allow(clippy::too_many_arguments)]
    async fn put(
        &self,
        kind: &Kind,
        action: &'static str,
        key: &Key,
        prior: Option<&Value>,
        planned: &Value,
        config: &Value,
        operation: &dyn Operation,
    ) -> Result<ResourceState, ApplyFailure> {
        let id = key.to_string();
        let subject = self.subject(action, kind, &id);
        let model = kind.model();
        let mut body = self.body(kind, key, prior, planned, config).await?;
        let metadata = body.entry("metadata").or_insert_with(|| json!({}));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("name".into(), json!(key.name));
            if let Some(namespace) = &key.namespace {
                metadata.insert("namespace".into(), json!(namespace));
            }
            // An update of an object that is gone, or another now, is refused.
            if let Some(uid) = prior.and_then(uid) {
                metadata.insert("uid".into(), json!(uid));
            }
        }
        let objects = self.objects(kind, key);
        let accepted = match objects.apply(&key.name, MANAGER, true, body.into()).await {
            Ok(accepted) => accepted,
            Err(error) => {
                let diagnostics = subject.failed(&error);
                // The request may have arrived although its answer did not.
                let arrived = match error {
                    kube::Error::Api(_) => None,
                    _ if action == "create" => objects.get(&key.name).await.ok().flatten(),
                    _ => None,
                };
                let made = arrived.filter(|live| owned_by_topo(live).is_some());
                return Err(ApplyFailure {
                    diagnostics,
                    state: made.map(|live| state(kind, &live, Scope::Prior(planned))),
                });
            }
        };
        let partial = state(kind, &accepted, Scope::Prior(planned));
        let failure = |diagnostics: Diagnostics| ApplyFailure {
            diagnostics,
            state: Some(partial.clone()),
        };
        operation
            .checkpoint(partial.clone())
            .await
            .map_err(failure)?;
        let timeout = model.schema.timeout(planned, action);
        let waited = wait::until_done(
            &self.client,
            kind,
            &subject,
            accepted,
            planned,
            timeout,
            operation,
        );
        let live = waited.await.map_err(failure)?;
        Ok(state(kind, &live, Scope::Prior(planned)))
    }

    async fn delete(
        &self,
        kind: &Kind,
        prior: &ResourceState,
        operation: &dyn Operation,
    ) -> Result<(), Diagnostics> {
        let Some(key) = Key::of(kind, &prior.value) else {
            return Ok(());
        };
        let id = key.to_string();
        let subject = self.subject("delete", kind, &id);
        let uid = uid(&prior.value);
        let objects = self.objects(kind, &key);
        let there = objects.delete(&key.name, uid).await;
        if there.map_err(|e| subject.failed(&e))? {
            let timeout = kind.model().schema.timeout(&prior.value, "delete");
            wait::until_gone(&objects, &subject, &key.name, uid, timeout, operation).await?;
        }
        Ok(())
    }

    /// Several objects with one call for each namespace that has many of them.
    async fn read_kind(
        &self,
        kind: &Kind,
        requests: &[&ReadRequest],
    ) -> Vec<Result<Option<ResourceState>, Diagnostics>> {
        let mut by_namespace: BTreeMap<Option<String>, usize> = BTreeMap::new();
        let keys: Vec<Option<Key>> = requests
            .iter()
            .map(|r| Key::of(kind, &r.state.value))
            .collect();
        for key in keys.iter().flatten() {
            *by_namespace.entry(key.namespace.clone()).or_default() += 1;
        }
        let mut listed: BTreeMap<Key, Json> = BTreeMap::new();
        let mut lists: Vec<Option<String>> = Vec::new();
        for (namespace, _) in by_namespace.into_iter().filter(|(_, n)| *n >= MANY) {
            let objects = Objects::new(&self.client, &kind.resource, namespace.as_deref());
            let found = match objects.list(None).await {
                Ok(found) => found,
                // Not everybody who may read an object may list them: then one by one.
                Err(kube::Error::Api(_)) => continue,
                // Without an answer to one, there would be none to the others.
                Err(error) => {
                    let place = namespace.as_deref().unwrap_or("of the cluster");
                    let failed = self.subject("list", kind, place).failed(&error);
                    return requests.iter().map(|_| Err(failed.clone())).collect();
                }
            };
            for object in found {
                let name = text(&object, "/metadata/name")
                    .unwrap_or_default()
                    .to_owned();
                let key = Key {
                    namespace: namespace.clone(),
                    name,
                };
                listed.insert(key, object);
            }
            lists.push(namespace);
        }
        let reads = requests.iter().zip(keys).map(|(request, key)| {
            let listed = &listed;
            let lists = &lists;
            async move {
                let Some(key) = key else { return Ok(None) };
                let live = if lists.contains(&key.namespace) {
                    listed.get(&key).cloned()
                } else {
                    self.get(kind, &key).await?
                };
                Ok(self.found(kind, live, &request.state))
            }
        });
        let reads: Vec<_> = reads.collect();
        futures::StreamExt::collect(futures::StreamExt::buffered(
            futures::stream::iter(reads),
            10,
        ))
        .await
    }

    /// The state of what was found; an object that is being deleted still is one, another of the
    /// same name is not.
    fn found(
        &self,
        kind: &Kind,
        live: Option<Json>,
        prior: &ResourceState,
    ) -> Option<ResourceState> {
        let live = live?;
        match uid(&prior.value) {
            Some(uid) if text(&live, "/metadata/uid") != Some(uid) => None,
            _ => Some(refreshed(kind, &live, prior, &self.ignored)),
        }
    }
}

fn uid(value: &Value) -> Option<&str> {
    let metadata = value.get("metadata")?.as_slice()?.first()?;
    metadata.get_str("uid").filter(|u| !u.is_empty())
}

#[async_trait]
impl Connection for Cluster {
    async fn read(&self, request: &ReadRequest) -> Result<Option<ResourceState>, Diagnostics> {
        if &*request.type_name == manifest::TYPE {
            return self.read_manifest(&request.state).await;
        }
        let kind = find(&request.type_name)?;
        let Some(key) = Key::of(kind, &request.state.value) else {
            return Ok(None);
        };
        let live = self.get(kind, &key).await?;
        Ok(self.found(kind, live, &request.state))
    }

    async fn read_many(
        &self,
        requests: &[ReadRequest],
    ) -> Vec<Result<Option<ResourceState>, Diagnostics>> {
        let mut by_type: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, request) in requests.iter().enumerate() {
            by_type.entry(&request.type_name).or_default().push(i);
        }
        let mut answers: Vec<Result<Option<ResourceState>, Diagnostics>> =
            requests.iter().map(|_| Ok(None)).collect();
        for (type_name, indices) in by_type {
            let group: Vec<&ReadRequest> =
                indices.iter().filter_map(|i| requests.get(*i)).collect();
            let found = match kinds::find(type_name) {
                Some(kind) => self.read_kind(kind, &group).await,
                None => {
                    let mut found = Vec::new();
                    for request in group {
                        found.push(self.read(request).await);
                    }
                    found
                }
            };
            for (i, answer) in indices.into_iter().zip(found) {
                if let Some(slot) = answers.get_mut(i) {
                    *slot = answer;
                }
            }
        }
        answers
    }

    async fn read_data(&self, type_name: &str, config: &Value) -> Result<Value, Diagnostics> {
        let kind = kinds::find_data(type_name).ok_or_else(|| unknown_type(type_name))?;
        let key = Key::of(kind, config).ok_or_else(|| {
            Diagnostics::error(
                format!("{type_name} has no name"),
                "Set name in its metadata block.",
            )
        })?;
        let live = self.get(kind, &key).await?.ok_or_else(|| {
            Diagnostics::error(
                format!("There is no {} {key}", kind.resource.kind),
                "Check the name and the namespace, or make it first.",
            )
        })?;
        let value = state(kind, &live, Scope::All).value;
        let block = &kind.data_schema().block;
        let filled = topo_sdk::plan::fill_missing(block, value);
        topo_sdk::convert::convert(&filled, &block.ty()).map_err(|e| {
            Diagnostics::error(
                format!(
                    "{} {key} does not fit the schema of {type_name}",
                    kind.resource.kind
                ),
                format!("At {}: {e}.", e.path),
            )
        })
    }

    async fn open_ephemeral(
        &self,
        type_name: &str,
        config: &Value,
    ) -> Result<OpenedEphemeral, Diagnostics> {
        let Some((kind, schema)) = ephemeral::find(type_name) else {
            return Err(unknown_type(type_name));
        };
        let planned = topo_sdk::plan::propose(&schema.block, None, config);
        Ok(kind.open(self, planned).await?.into())
    }

    async fn apply(
        &self,
        request: &ApplyRequest,
        operation: &dyn Operation,
    ) -> Result<Option<ResourceState>, ApplyFailure> {
        if &*request.type_name == manifest::TYPE {
            return self.apply_manifest(request, operation).await;
        }
        let kind = find(&request.type_name)?;
        match &request.action {
            Action::Create { planned } => {
                let made = self.create(
                    kind,
                    &request.type_name,
                    planned,
                    &request.config,
                    operation,
                );
                made.await.map(Some)
            }
            Action::Update { prior, planned } => {
                let Some(key) = Key::of(kind, &prior.value) else {
                    let none = Diagnostics::error(
                        format!("{} has no name", kind.resource.kind),
                        "The stored object has no name in its metadata; import it again.",
                    );
                    return Err(none.into());
                };
                let made = self.put(
                    kind,
                    "update",
                    &key,
                    Some(&prior.value),
                    planned,
                    &request.config,
                    operation,
                );
                made.await.map(Some)
            }
            Action::Delete { prior } => match self.delete(kind, prior, operation).await {
                Ok(()) => Ok(None),
                Err(diagnostics) => Err(ApplyFailure {
                    diagnostics,
                    state: Some(prior.clone()),
                }),
            },
        }
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<ResourceState, Diagnostics> {
        if type_name == manifest::TYPE {
            return self.import_manifest(id).await;
        }
        let kind = find(type_name)?;
        let key = match (kind.namespaced, id.split_once('/')) {
            (true, Some((namespace, name))) => Key::new(true, Some(namespace), name),
            (false, None) => Key::new(false, None, id),
            (namespaced, _) => {
                let form = if namespaced { "NAMESPACE/NAME" } else { "NAME" };
                return Err(Diagnostics::error(
                    format!("{id} does not name a {}", kind.resource.kind),
                    format!("The id of a {type_name} is {form}."),
                ));
            }
        };
        let live = self.get(kind, &key).await?.ok_or_else(|| {
            Diagnostics::error(
                format!("There is no {} {key}", kind.resource.kind),
                "Check the name and the namespace.",
            )
        })?;
        Ok(imported(kind, &live))
    }

    async fn recover(&self, request: &RecoverRequest) -> Result<Recovery, Diagnostics> {
        if &*request.request.type_name == manifest::TYPE {
            return self.recover_manifest(request).await;
        }
        let kind = find(&request.request.type_name)?;
        let (value, created) = match &request.request.action {
            Action::Create { planned } => (planned, true),
            Action::Update { planned, .. } => (planned, false),
            Action::Delete { prior } => (&prior.value, false),
        };
        let checkpoint = request.checkpoint.as_ref().map(|c| &c.value);
        let key = checkpoint
            .and_then(|value| Key::of(kind, value))
            .or_else(|| Key::of_new(kind, value, &request.operation));
        let Some(key) = key else {
            return Ok(Recovery::Absent);
        };
        let Some(live) = self.get(kind, &key).await? else {
            return Ok(Recovery::Absent);
        };
        // Creation is refused where there is an object already: one that topo does not own is
        // somebody else's, and ours was never made.
        if created && owned_by_topo(&live).is_none() {
            return Ok(Recovery::Absent);
        }
        Ok(Recovery::Found(state(kind, &live, Scope::Prior(value))))
    }
}

fn find(type_name: &str) -> Result<&'static Kind, Diagnostics> {
    kinds::find(type_name).ok_or_else(|| unknown_type(type_name))
}
