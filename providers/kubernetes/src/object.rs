//! Objects of the API as JSON, and calls on them: thin over the client, with the errors made
//! readable.

use std::time::Duration;

use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use kube::discovery::ApiResource;
use kube::{Client, Error};
use serde_json::{Value as Json, json};

/// Who topo is to the API server: the owner of the fields that it sets.
pub const MANAGER: &str = "topo";

/// Objects of one kind in one namespace, or in none.
pub struct Objects {
    api: Api<DynamicObject>,
    resource: ApiResource,
}

impl Objects {
    /// Those of `resource` in `namespace`; `None` for a kind that is in none, or for all.
    pub fn new(client: &Client, resource: &ApiResource, namespace: Option<&str>) -> Objects {
        let client = client.clone();
        let api = match namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, resource),
            None => Api::all_with(client, resource),
        };
        Objects {
            api,
            resource: resource.clone(),
        }
    }

    /// One by name; `None` when there is none.
    ///
    /// # Errors
    /// When the API cannot be asked or refuses.
    pub async fn get(&self, name: &str) -> Result<Option<Json>, Error> {
        match self.api.get_opt(name).await? {
            Some(object) => Ok(Some(to_json(&object)?)),
            None => Ok(None),
        }
    }

    /// All that match a label selector.
    ///
    /// # Errors
    /// When the API cannot be asked or refuses.
    pub async fn list(&self, labels: Option<&str>) -> Result<Vec<Json>, Error> {
        let mut found = Vec::new();
        let mut params = ListParams::default().limit(500);
        params.label_selector = labels.map(str::to_owned);
        loop {
            let page = self.api.list(&params).await?;
            for object in &page.items {
                found.push(to_json(object)?);
            }
            match page.metadata.continue_.filter(|c| !c.is_empty()) {
                Some(token) => params.continue_token = Some(token),
                None => return Ok(found),
            }
        }
    }

    /// Server-side apply. Conflicts are forced: that somebody else changed a field was shown as
    /// drift in the plan, and the person approved of setting it back.
    ///
    /// # Errors
    /// When the API cannot be asked or refuses.
    pub async fn apply(
        &self,
        name: &str,
        manager: &str,
        force: bool,
        object: Json,
    ) -> Result<Json, Error> {
        let mut params = PatchParams::apply(manager);
        params.force = force;
        let mut object = object;
        if let Some(fields) = object.as_object_mut() {
            fields.insert("apiVersion".into(), json!(self.resource.api_version));
            fields.insert("kind".into(), json!(self.resource.kind));
        }
        let made = self.api.patch(name, &params, &Patch::Apply(object)).await?;
        to_json(&made)
    }

    /// Deletes one; it may take a while to be gone. False when there is none.
    ///
    /// # Errors
    /// When the API cannot be asked or refuses.
    pub async fn delete(&self, name: &str, uid: Option<&str>) -> Result<bool, Error> {
        // What belongs to an object goes before the object: once it is gone, all of it is.
        let mut params = DeleteParams::foreground();
        params.preconditions = uid.map(|uid| kube::api::Preconditions {
            uid: Some(uid.to_owned()),
            resource_version: None,
        });
        match self.api.delete(name, &params).await {
            Ok(_) => Ok(true),
            Err(Error::Api(status)) if status.code == 404 => Ok(false),
            // Another object of that name: ours is gone.
            Err(Error::Api(status)) if status.code == 409 && uid.is_some() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn to_json(object: &DynamicObject) -> Result<Json, Error> {
    serde_json::to_value(object).map_err(Error::SerdeError)
}

/// The fields that topo owns (`fieldsV1`), where it applied the object.
pub fn owned_by_topo(object: &Json) -> Option<&Json> {
    entries(object)
        .find(|e| text(e, "/manager") == Some(MANAGER) && text(e, "/operation") == Some("Apply"))
        .and_then(|e| e.get("fieldsV1"))
}

fn entries(object: &Json) -> impl Iterator<Item = &Json> {
    let entries = object.pointer("/metadata/managedFields");
    entries.and_then(Json::as_array).into_iter().flatten()
}

/// Text at a JSON pointer.
pub fn text<'a>(object: &'a Json, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Json::as_str)
}

/// A whole number at a JSON pointer; 0 where there is none.
pub fn number(object: &Json, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(Json::as_i64).unwrap_or(0)
}

/// A condition of the object's status.
pub fn condition<'a>(object: &'a Json, kind: &str) -> Option<&'a Json> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    conditions.iter().find(|c| text(c, "/type") == Some(kind))
}

/// Whether a condition holds.
pub fn holds(object: &Json, kind: &str) -> bool {
    condition(object, kind).is_some_and(|c| text(c, "/status") == Some("True"))
}

/// The pauses between two looks: short at first, never longer than five seconds.
pub fn pauses() -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(Duration::from_millis(100)), |last| {
        Some((*last * 3 / 2).min(Duration::from_secs(5)))
    })
}
