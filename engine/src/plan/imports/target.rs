//! What an `import` block says, evaluated: the address that it writes to, and what the provider
//! knows the object by.

use topo_sdk::convert::convert;
use topo_sdk::{Diagnostic, Type};

use crate::address::{InstanceAddress, InstanceKey, ModuleInstance, ResourceAddress, ResourceMode};
use crate::config::{Import, ImportIdentity};
use crate::lang::ast::Expression;
use crate::lang::eval::evaluate;
use crate::world::ModuleScope;

/// The address that a block imports to.
pub(super) fn import_address(
    import: &Import,
    scope: &ModuleScope<'_>,
) -> Result<InstanceAddress, Box<Diagnostic>> {
    let mut module = ModuleInstance::root();
    for (name, key) in &import.to.modules {
        module = module.child(name.clone(), import_key(key.as_ref(), scope)?);
    }
    let resource = ResourceAddress {
        module,
        mode: ResourceMode::Managed,
        type_name: import.to.type_name.clone(),
        name: import.to.name.clone(),
    };
    Ok(resource.instance(import_key(import.to.key.as_ref(), scope)?))
}

fn import_key(
    key: Option<&Expression>,
    scope: &ModuleScope<'_>,
) -> Result<Option<InstanceKey>, Box<Diagnostic>> {
    let Some(e) = key else { return Ok(None) };
    let value = evaluate(e, scope)?;
    let wrong = |detail: &str| {
        Box::new(
            Diagnostic::error("Import block 'to' address contains an invalid key", detail)
                .with_range(Some(e.range())),
        )
    };
    if !value.deep_marks().is_empty() {
        return Err(wrong(
            "A key of an address cannot be sensitive or ephemeral: it is shown.",
        ));
    }
    if !value.is_known() {
        return Err(wrong(
            "The key will be known only after apply. Use a value here that is known when planning.",
        ));
    }
    if let Some(text) = value.as_str() {
        return Ok(Some(InstanceKey::Key(text.into())));
    }
    let index = value.as_i64().and_then(|n| u64::try_from(n).ok());
    match index {
        Some(n) => Ok(Some(InstanceKey::Index(n))),
        None => Err(wrong(
            "A key is a string, or a whole number that is not negative.",
        )),
    }
}

/// What the provider knows the object by.
pub(super) fn import_id(
    import: &Import,
    scope: &ModuleScope<'_>,
) -> Result<String, Box<Diagnostic>> {
    let e = match &import.identity {
        ImportIdentity::Id(e) => e,
        ImportIdentity::Object(e) => {
            return Err(Box::new(
                Diagnostic::error("Import by identity is not possible", "No provider that is built in describes its objects by an identity. Give the argument \"id\" instead.")
                    .with_range(Some(e.range())),
            ));
        }
    };
    let wrong = |detail: String| {
        Err(Box::new(
            Diagnostic::error("Invalid import id argument", detail).with_range(Some(e.range())),
        ))
    };
    let value = evaluate(e, scope)?;
    if !value.deep_marks().is_empty() {
        return wrong("The import ID cannot be sensitive or ephemeral: it is shown.".into());
    }
    if value.is_null() {
        return wrong("The import ID cannot be null.".into());
    }
    if !value.is_known() {
        return wrong("The import ID depends on values that are known only after apply, so the object cannot be looked up now. Apply what it depends on first, without this import block.".into());
    }
    match convert(&value, &Type::String) {
        Ok(text) => match text.as_str() {
            Some("") | None => wrong("The import ID is an empty string.".into()),
            Some(id) => Ok(id.to_string()),
        },
        Err(x) => wrong(format!("The import ID is unsuitable: {x}.")),
    }
}
