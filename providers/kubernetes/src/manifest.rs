//! `kubernetes_manifest`: an object of any kind, custom ones too, written as the API has it.
//!
//! `manifest` is what topo applies and owns; a live value that differs from it shows as a change
//! of `manifest`. `object` is the whole object as it was after the last change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use kube::api::GroupVersionKind;
use kube::discovery::{ApiResource, Scope as ApiScope};
use serde_json::{Map, Value as Json};
use topo_sdk::schema::Schema;
use topo_sdk::{
    Action, ApplyFailure, ApplyRequest, Attribute, Block, Diagnostics, NestedBlock, Operation,
    Path, PlanRequest, PlannedResource, RecoverRequest, Recovery, ResourceState, Type, Value,
    json as values, plan,
};

use crate::connection::Cluster;
use crate::errors::Subject;
use crate::kinds::minutes;
use crate::object::{MANAGER, Objects, owned_by_topo, text};
use crate::overlay::overlay;
use crate::{readiness, wait};

/// The type's name.
pub const TYPE: &str = "kubernetes_manifest";

/// The kinds that the cluster was asked about, with whether their objects are in namespaces.
#[derive(Default)]
pub struct Manifests {
    known: Mutex<HashMap<(String, String), (ApiResource, bool)>>,
}

/// The schema of the type.
pub fn schema() -> Schema {
    let condition = Block::new()
        .attr(
            "type",
            Attribute::optional(Type::String).describe("The condition's type."),
        )
        .attr(
            "status",
            Attribute::optional(Type::String).describe("True, False or Unknown."),
        );
    let wait = Block::new()
        .attr(
            "rollout",
            Attribute::optional(Type::Bool).describe("Whether to wait until the pods are ready."),
        )
        .attr(
            "fields",
            Attribute::optional(Type::map(Type::String)).describe(
                "Fields to wait for, by path, with a regular expression or * for any value.",
            ),
        )
        .block(
            "condition",
            NestedBlock::new(topo_sdk::Nesting::List, condition),
        );
    let manager = Block::new()
        .attr(
            "name",
            Attribute::optional(Type::String).describe("The name of the owner."),
        )
        .attr(
            "force_conflicts",
            Attribute::optional(Type::Bool)
                .describe("Whether to take over fields of other owners."),
        );
    Schema::new(
        Block::new()
            .attr(
                "manifest",
                Attribute::required(Type::Dynamic).describe("The object, as the API spells it."),
            )
            .attr(
                "object",
                Attribute::optional_computed(Type::Dynamic)
                    .describe("The object as it was after the last change."),
            )
            .attr(
                "computed_fields",
                Attribute::optional(Type::list(Type::String))
                    .describe("Fields that others may change: their values are not compared."),
            )
            .block("wait", NestedBlock::list_max_one(wait))
            .block("field_manager", NestedBlock::list_max_one(manager)),
    )
    .timeouts([
        ("create", minutes(10)),
        ("update", minutes(10)),
        ("delete", minutes(10)),
    ])
}

/// Plans a manifest: a change of what identifies the object replaces it.
pub fn plan(schema: &Schema, request: &PlanRequest) -> PlannedResource {
    let mut planned = plan::plan(schema, request);
    let Some(prior) = &request.prior else {
        return planned;
    };
    let old = prior.value.get("manifest");
    let new = planned.value.get("manifest").cloned();
    if old == new.as_ref() {
        return planned;
    }
    planned.value = planned.value.with("object", Value::unknown(Type::Dynamic));
    let parts: [&[&str]; 4] = [
        &["apiVersion"],
        &["kind"],
        &["metadata", "name"],
        &["metadata", "namespace"],
    ];
    for part in parts {
        let at = |value: Option<&Value>| {
            part.iter()
                .try_fold(value?.clone(), |v, name| v.get(name).cloned())
        };
        let new = new.as_ref();
        if new.is_some_and(Value::is_known) && at(old) != at(new) {
            let path = part
                .iter()
                .fold(Path::attribute("manifest"), |path, name| path.attr(*name));
            planned.requires_replace.push(path);
        }
    }
    planned
}

/// Checks that a manifest names an object and leaves its status to the API.
pub fn validate(config: &Value) -> Diagnostics {
    let mut found = Diagnostics::new();
    let Some(manifest) = config.get("manifest").filter(|m| m.as_map().is_some()) else {
        return found;
    };
    let mut wrong = |summary: String, detail: &str| {
        let path = Path::attribute("manifest");
        found.extend(Diagnostics::error(summary, detail).map(|d| d.at(path.clone())));
    };
    for parts in [&["apiVersion"][..], &["kind"], &["metadata", "name"]] {
        let mut value = Some(manifest);
        for part in parts {
            // What is not known yet may have it.
            value = match value {
                Some(v) if !v.is_known() => Some(v),
                Some(v) => v.get(part),
                None => None,
            };
        }
        if value.is_none_or(Value::is_null) {
            wrong(
                format!("The manifest has no {}", parts.join(".")),
                "A manifest has apiVersion, kind and metadata.name.",
            );
        }
    }
    if manifest.get("status").is_some_and(|s| !s.is_null()) {
        wrong(
            "The manifest has a status".into(),
            "The status is written by the cluster; leave it out.",
        );
    }
    found
}

/// What a manifest names.
struct Target {
    resource: ApiResource,
    namespace: Option<String>,
    name: String,
    id: String,
}

/// JSON without nulls: a null says nothing.
fn without_nulls(json: Json) -> Json {
    match json {
        Json::Object(fields) => Json::Object(
            fields
                .into_iter()
                .filter(|(_, v)| !v.is_null())
                .map(|(k, v)| (k, without_nulls(v)))
                .collect(),
        ),
        Json::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

fn manifest_of(value: &Value) -> Json {
    without_nulls(values::to_json(
        value.get("manifest").unwrap_or(&Value::NULL),
    ))
}

/// The live object without what the server keeps about it.
fn bare(live: &Json) -> Json {
    let mut bare = live.clone();
    if let Some(object) = bare.as_object_mut() {
        object.remove("status");
    }
    if let Some(metadata) = bare.pointer_mut("/metadata").and_then(Json::as_object_mut) {
        for name in [
            "creationTimestamp",
            "generation",
            "managedFields",
            "resourceVersion",
            "selfLink",
            "uid",
        ] {
            metadata.remove(name);
        }
    }
    bare
}

/// The state of a manifest. After a change `object` is the live one; a look keeps the old one
/// unless what topo owns was changed.
fn state(live: &Json, prior: &Value, changed: bool) -> ResourceState {
    let listed = prior.get("computed_fields").and_then(Value::as_slice);
    let computed: Vec<&str> = listed
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let before = prior.get("manifest").unwrap_or(&Value::NULL);
    let now = overlay(before, Some(live), "", &computed).unwrap_or_else(|| before.clone());
    let mut value = prior.clone();
    if changed
        || now != *before
        || prior
            .get("object")
            .is_none_or(|o| o.is_null() || !o.is_known())
    {
        value = value.with("object", values::from_json(&bare(live)));
    }
    value.with("manifest", now).into()
}

impl Cluster {
    /// What the manifest names, with the kind's place in the API.
    async fn target(&self, manifest: &Json) -> Result<Target, Diagnostics> {
        let part = |pointer: &str| {
            text(manifest, pointer).map(str::to_owned).ok_or_else(|| {
                let name = pointer.trim_start_matches('/').replace('/', ".");
                Diagnostics::error(
                    format!("The manifest has no {name}"),
                    "A manifest has apiVersion, kind and metadata.name.",
                )
                .map(|d| d.at(Path::attribute("manifest")))
            })
        };
        let (api_version, kind, name) = (
            part("/apiVersion")?,
            part("/kind")?,
            part("/metadata/name")?,
        );
        let (resource, namespaced) = self.discover(&api_version, &kind).await?;
        let namespace = namespaced.then(|| {
            text(manifest, "/metadata/namespace")
                .unwrap_or("default")
                .to_owned()
        });
        let id = match &namespace {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.clone(),
        };
        Ok(Target {
            resource,
            namespace,
            name,
            id,
        })
    }

    async fn discover(
        &self,
        api_version: &str,
        kind: &str,
    ) -> Result<(ApiResource, bool), Diagnostics> {
        let known = (api_version.to_owned(), kind.to_owned());
        let cached = {
            let map = self
                .manifests
                .known
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            map.get(&known).cloned()
        };
        if let Some(found) = cached {
            return Ok(found);
        }
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let gvk = GroupVersionKind::gvk(group, version, kind);
        match kube::discovery::pinned_kind(&self.client, &gvk).await {
            Ok((resource, capabilities)) => {
                let found = (resource, capabilities.scope == ApiScope::Namespaced);
                let mut map = self
                    .manifests
                    .known
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                map.insert(known, found.clone());
                Ok(found)
            }
            Err(kube::Error::Discovery(_)) => Err(no_such_kind(api_version, kind)),
            Err(kube::Error::Api(status)) if status.code == 404 => {
                Err(no_such_kind(api_version, kind))
            }
            Err(error) => {
                let subject = Subject {
                    action: "look up",
                    kind,
                    id: api_version,
                    host: &self.host,
                    shape: None,
                };
                Err(subject.failed(&error))
            }
        }
    }

    fn objects_of(&self, target: &Target) -> Objects {
        Objects::new(&self.client, &target.resource, target.namespace.as_deref())
    }

    fn subject_of<'a>(&'a self, action: &'a str, target: &'a Target) -> Subject<'a> {
        Subject {
            action,
            kind: &target.resource.kind,
            id: &target.id,
            host: &self.host,
            shape: None,
        }
    }

    pub(crate) async fn read_manifest(
        &self,
        prior: &ResourceState,
    ) -> Result<Option<ResourceState>, Diagnostics> {
        let manifest = manifest_of(&prior.value);
        let target = match self.target(&manifest).await {
            Ok(target) => target,
            // With its definition gone, so are all objects of a kind.
            Err(e) if is_no_such_kind(&e, &manifest) => return Ok(None),
            Err(e) => return Err(e),
        };
        let live = self.objects_of(&target).get(&target.name).await;
        let live = live.map_err(|e| self.subject_of("read", &target).failed(&e))?;
        Ok(live.map(|live| state(&live, &prior.value, false)))
    }

    pub(crate) async fn apply_manifest(
        &self,
        request: &ApplyRequest,
        operation: &dyn Operation,
    ) -> Result<Option<ResourceState>, ApplyFailure> {
        match &request.action {
            Action::Create { planned } => {
                let target = self.target(&manifest_of(planned)).await?;
                let there = self.objects_of(&target).get(&target.name).await;
                if there
                    .map_err(|e| self.subject_of("read", &target).failed(&e))?
                    .is_some()
                {
                    let kind = &target.resource.kind;
                    let namespace = target.namespace.as_ref();
                    let place = namespace.map_or(String::new(), |n| format!("namespace={n},"));
                    return Err(Diagnostics::error(
                        format!("{kind} {} exists already", target.id),
                        format!("It was not made by this configuration. To manage it from here, import it: topo import ADDRESS \"apiVersion={},kind={kind},{place}name={}\".", target.resource.api_version, target.name),
                    )
                    .into());
                }
                self.put_manifest("create", &target, planned, operation)
                    .await
                    .map(Some)
            }
            Action::Update { planned, .. } => {
                let target = self.target(&manifest_of(planned)).await?;
                self.put_manifest("update", &target, planned, operation)
                    .await
                    .map(Some)
            }
            Action::Delete { prior } => {
                let failure = |diagnostics| ApplyFailure {
                    diagnostics,
                    state: Some(prior.clone()),
                };
                let manifest = manifest_of(&prior.value);
                let target = match self.target(&manifest).await {
                    Ok(target) => target,
                    Err(e) if is_no_such_kind(&e, &manifest) => return Ok(None),
                    Err(e) => return Err(failure(e)),
                };
                let subject = self.subject_of("delete", &target);
                let objects = self.objects_of(&target);
                let there = objects.delete(&target.name, None).await;
                if there.map_err(|e| failure(subject.failed(&e)))? {
                    let timeout = shared_schema().timeout(&prior.value, "delete");
                    wait::until_gone(&objects, &subject, &target.name, None, timeout, operation)
                        .await
                        .map_err(failure)?;
                }
                Ok(None)
            }
        }
    }

    async fn put_manifest(
        &self,
        action: &'static str,
        target: &Target,
        planned: &Value,
        operation: &dyn Operation,
    ) -> Result<ResourceState, ApplyFailure> {
        let subject = self.subject_of(action, target);
        let owner = planned
            .get("field_manager")
            .and_then(Value::as_slice)
            .and_then(<[Value]>::first);
        let manager = owner.and_then(|o| o.get_str("name")).unwrap_or(MANAGER);
        let force = owner
            .and_then(|o| o.get_bool("force_conflicts"))
            .unwrap_or(owner.is_none());
        let objects = self.objects_of(target);
        let applied = objects
            .apply(&target.name, manager, force, manifest_of(planned))
            .await;
        let accepted = match applied {
            Ok(accepted) => accepted,
            Err(error) => {
                // The request may have arrived although its answer did not.
                let arrived = match error {
                    kube::Error::Api(_) => None,
                    _ if action == "create" => objects.get(&target.name).await.ok().flatten(),
                    _ => None,
                };
                let made = arrived.filter(|live| owned_by_topo(live).is_some());
                return Err(ApplyFailure {
                    diagnostics: subject.failed(&error),
                    state: made.map(|live| state(&live, planned, true)),
                });
            }
        };
        let partial = state(&accepted, planned, true);
        let failure = |diagnostics| ApplyFailure {
            diagnostics,
            state: Some(partial.clone()),
        };
        operation
            .checkpoint(partial.clone())
            .await
            .map_err(failure)?;
        let timeout = shared_schema().timeout(planned, action);
        let waited = readiness::until(
            &objects,
            &subject,
            &target.name,
            accepted,
            planned,
            timeout,
            operation,
        );
        let live = waited.await.map_err(failure)?;
        Ok(state(&live, planned, true))
    }

    pub(crate) async fn import_manifest(&self, id: &str) -> Result<ResourceState, Diagnostics> {
        let parts: HashMap<&str, &str> = id.split(',').filter_map(|p| p.split_once('=')).collect();
        let (Some(api_version), Some(kind), Some(name)) = (
            parts.get("apiVersion"),
            parts.get("kind"),
            parts.get("name"),
        ) else {
            return Err(Diagnostics::error(
                format!("{id} does not name an object"),
                "The id is apiVersion=VERSION,kind=KIND,namespace=NAMESPACE,name=NAME; without the namespace for a kind that is in none.",
            ));
        };
        let mut metadata = Map::new();
        metadata.insert("name".into(), Json::from(*name));
        if let Some(namespace) = parts.get("namespace") {
            metadata.insert("namespace".into(), Json::from(*namespace));
        }
        let named =
            serde_json::json!({"apiVersion": api_version, "kind": kind, "metadata": metadata});
        let target = self.target(&named).await?;
        let live = self.objects_of(&target).get(&target.name).await;
        let live = live
            .map_err(|e| self.subject_of("import", &target).failed(&e))?
            .ok_or_else(|| {
                Diagnostics::error(
                    format!("There is no {} {}", target.resource.kind, target.id),
                    "Check the name and the namespace.",
                )
            })?;
        let object = values::from_json(&bare(&live));
        let value = Value::object([("manifest", object.clone()), ("object", object)]);
        Ok(plan::fill_missing(&shared_schema().block, value).into())
    }

    pub(crate) async fn recover_manifest(
        &self,
        request: &RecoverRequest,
    ) -> Result<Recovery, Diagnostics> {
        let (value, created) = match &request.request.action {
            Action::Create { planned } => (planned, true),
            Action::Update { planned, .. } => (planned, false),
            Action::Delete { prior } => (&prior.value, false),
        };
        let manifest = manifest_of(value);
        let target = match self.target(&manifest).await {
            Ok(target) => target,
            Err(e) if is_no_such_kind(&e, &manifest) => return Ok(Recovery::Absent),
            Err(e) => return Err(e),
        };
        let live = self.objects_of(&target).get(&target.name).await;
        let live = live.map_err(|e| self.subject_of("read", &target).failed(&e))?;
        Ok(match live {
            Some(live) if created && owned_by_topo(&live).is_none() => Recovery::Absent,
            Some(live) => Recovery::Found(state(&live, value, true)),
            None => Recovery::Absent,
        })
    }
}

/// Whether that is what is wrong with a manifest.
fn is_no_such_kind(found: &Diagnostics, manifest: &Json) -> bool {
    let part = |pointer: &str| text(manifest, pointer).unwrap_or_default();
    *found == no_such_kind(part("/apiVersion"), part("/kind"))
}

fn no_such_kind(api_version: &str, kind: &str) -> Diagnostics {
    Diagnostics::error(
        format!("The cluster has no kind {kind} in {api_version}"),
        "If it is a custom resource, its CustomResourceDefinition must be installed first: make this object depend on what installs it. Otherwise check apiVersion and kind.",
    )
    .map(|d| d.at(Path::attribute("manifest")))
}

/// The schema, made once.
pub fn shared_schema() -> Arc<Schema> {
    static SCHEMA: std::sync::LazyLock<Arc<Schema>> =
        std::sync::LazyLock::new(|| Arc::new(schema()));
    SCHEMA.clone()
}
