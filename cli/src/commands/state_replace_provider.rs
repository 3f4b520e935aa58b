//! `topo state replace-provider`

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::Args;
use topo_engine::address::ResourceAddress;
use topo_engine::providers::Providers;
use topo_engine::store::{Change, Record, State};
use topo_sdk::{Diagnostic, Diagnostics};

use super::LockArgs;
use crate::context::{Context, Exit, schema_of};
use crate::edit::Session;
use crate::json::provider_source;
use crate::render::style::{BOLD, Symbol, paint};

/// Let the objects of one provider belong to another
///
/// Providers are written like hashicorp/aws or registry.terraform.io/hashicorp/aws. topo knows a
/// provider by the last part alone, so that another registry or namespace changes nothing.
#[derive(Debug, Args)]
pub struct ReplaceProviderArgs {
    /// The provider that the objects belong to
    pub from: String,
    /// The provider that they shall belong to
    pub to: String,
    /// Do not ask before changing anything
    #[arg(long)]
    pub auto_approve: bool,
    /// The lock.
    #[command(flatten)]
    pub locking: LockArgs,
}

pub async fn run(context: &Context, args: &ReplaceProviderArgs) -> Exit {
    let ends = (source("from", &args.from)?, source("to", &args.to)?);
    if !topo_state::exists(&context.state_dir()?) {
        return nothing(context);
    }
    let session = Session::open(context, &args.locking).await?;
    let result = replace(context, &session, (&ends.0, &ends.1), args.auto_approve).await;
    session.close(result).await
}

async fn replace(
    context: &Context,
    session: &Session<'_>,
    (from, to): (&Arc<str>, &Arc<str>),
    approved: bool,
) -> Exit {
    let changed = changed(&session.state, &context.schemas(), from, to)?;
    if changed.is_empty() {
        return nothing(context);
    }
    session.settled(|a| changed.iter().any(|r| r.key.address == *a))?;
    let resources: BTreeSet<&ResourceAddress> =
        changed.iter().map(|r| &r.key.address.resource).collect();
    let count = resources.len();
    context.ui.print(&overview(&resources, from, to));
    if !approved && !confirmed(context) {
        context.ui.print("\nCancelled replacing providers.\n");
        return Ok(0);
    }
    let done = changed
        .iter()
        .map(|r| (r.key.address.clone(), "replace provider".to_string()))
        .collect();
    let changes = changed.iter().cloned().map(|r| Change::Put(Box::new(r)));
    session.commit(changes.collect(), done, None).await?;
    context.ui.print(&format!(
        "\nSuccessfully replaced provider for {count} resources.\n"
    ));
    Ok(0)
}

fn nothing(context: &Context) -> Exit {
    context.ui.print("No matching resources found.\n");
    Ok(0)
}

/// The records as they would be.
///
/// # Errors
/// When the new provider is not there or lacks a type.
fn changed(
    state: &State,
    providers: &Providers,
    from: &Arc<str>,
    to: &Arc<str>,
) -> Result<Vec<Record>, Diagnostics> {
    if providers.get(to).is_none() {
        return Err(providers.unknown(to).into());
    }
    if from == to {
        return Ok(Vec::new());
    }
    let mut errors = Diagnostics::new();
    let mut changed = Vec::new();
    for record in state.records.values().filter(|r| r.provider.name == *from) {
        let mut record = record.clone();
        record.provider.name = to.clone();
        if schema_of(providers, &record).is_none() {
            let detail = format!(
                "The provider {to} does not have the type {}.",
                record.key.address.resource.type_name
            );
            let error = Diagnostic::error("The provider cannot be replaced", detail);
            errors.push(error.with_address(&record.key.address));
        }
        changed.push(record);
    }
    if errors.has_errors() {
        return Err(errors);
    }
    Ok(changed)
}

fn overview(resources: &BTreeSet<&ResourceAddress>, from: &str, to: &str) -> String {
    let mut text = format!(
        "topo will perform the following actions:\n\n{}Updating provider:\n  {}{}\n  {}{}\n\n{} {} resources:\n\n",
        Symbol::Change.margin(),
        Symbol::Remove.margin(),
        provider_source(from),
        Symbol::Add.margin(),
        provider_source(to),
        paint(BOLD, "Changing"),
        resources.len()
    );
    for resource in resources {
        text.push_str(&format!("  {resource}\n"));
    }
    text
}

fn confirmed(context: &Context) -> bool {
    let question = format!(
        "\n{}\n  Only 'yes' will be accepted to continue.\n\n  Enter a value: ",
        paint(BOLD, "Do you want to make these changes?")
    );
    let answer = context.ui.ask(&question, false);
    answer.is_some_and(|a| a.trim() == "yes")
}

/// The last part of a provider's source address.
///
/// # Errors
/// When it is not one.
fn source(which: &str, text: &str) -> Result<Arc<str>, Diagnostics> {
    let parts: Vec<&str> = text.split('/').collect();
    let is_name = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c))
    };
    match parts.last() {
        Some(name) if parts.len() <= 3 && parts.iter().all(|p| is_name(p)) => Ok((*name).into()),
        _ => Err(Diagnostics::error(
            format!("Invalid {which:?} provider {text:?}"),
            "A provider is written like hashicorp/aws or registry.terraform.io/hashicorp/aws.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use jiff::Timestamp;

    use topo_engine::address::{InstanceAddress, ProviderAddress};
    use topo_engine::store::Status;
    use topo_sdk::{Connection, Provider, Schema, Value};

    use super::*;

    /// The types of another provider under another name.
    struct Fork(Arc<dyn Provider>);

    impl Provider for Fork {
        fn name(&self) -> &'static str {
            "fork"
        }

        fn uses_network(&self) -> bool {
            false
        }

        fn provider_schema(&self) -> Arc<Schema> {
            self.0.provider_schema()
        }

        fn resource_types(&self) -> Vec<Arc<str>> {
            self.0.resource_types()
        }

        fn resource_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
            self.0.resource_schema(type_name)
        }

        fn configure<'s, 'v, 'f>(
            &'s self,
            config: &'v Value,
        ) -> Pin<Box<dyn Future<Output = Result<Arc<dyn Connection>, Diagnostics>> + Send + 'f>>
        where
            's: 'f,
            'v: 'f,
            Self: 'f,
        {
            self.0.configure(config)
        }
    }

    fn record(address: &str, provider: &str) -> Record {
        let address: InstanceAddress = address.parse().unwrap();
        Record {
            key: address.into(),
            provider: ProviderAddress {
                module: [].into(),
                name: provider.into(),
                alias: Some("west".into()),
            },
            schema_version: 0,
            status: Status::Ok,
            keep: false,
            value: Value::NULL,
            private: Vec::new(),
            dependencies: Vec::new(),
            created: Timestamp::UNIX_EPOCH,
            updated: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn only_the_provider_changes_and_only_of_its_own_objects() {
        let built_in = topo_provider_builtin::providers();
        let random = built_in.iter().find(|p| p.name() == "random").unwrap();
        let providers = Providers::new(vec![random.clone(), Arc::new(Fork(random.clone()))]);
        let records = [
            record("random_id.a", "random"),
            record("random_id.b", "fork"),
        ];
        let state = State {
            records: records.iter().map(|r| (r.key.clone(), r.clone())).collect(),
            ..State::default()
        };
        let changed = changed(&state, &providers, &"random".into(), &"fork".into()).unwrap();
        let mut expected = records[0].clone();
        expected.provider.name = "fork".into();
        assert_eq!(changed, [expected]);
    }

    #[test]
    fn sources_are_known_by_their_last_part() {
        for text in [
            "aws",
            "hashicorp/aws",
            "registry.terraform.io/hashicorp/aws",
            "localhost:1/a/aws",
        ] {
            assert_eq!(&*source("from", text).unwrap(), "aws");
        }
        for text in ["", "/aws", "a//aws", "a/b/c/aws", "a b"] {
            assert!(source("from", text).is_err(), "{text}");
        }
    }
}
