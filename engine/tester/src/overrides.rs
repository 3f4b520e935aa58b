//! What a test makes up, as the engine takes it: whole providers, instances of modules, objects.
//!
//! What is said of single instances counts more than what is said of all; after that what the run
//! itself says comes first, then its file, then the providers that it mocks.

use std::cmp::Reverse;
use std::sync::Arc;

use topo_engine::address::{ModuleInstance, ProviderAddress, Target};
use topo_engine::config::{Config, GivenOutputs, OverlaidModule, Wrap};
use topo_engine::providers::{Providers, StandIn};
use topo_sdk::{Connection, Diagnostic, Diagnostics, Provider};

use crate::file::{During, Mock, TestFile, TestRun, Values};
use crate::mock::Mocked;
use crate::suite::configurations;

/// What makes a provider up.
pub(crate) fn wrapped(mock: &Mock) -> Wrap {
    let mock = mock.clone();
    Arc::new(move |real: &Arc<dyn Provider>| -> Arc<dyn Provider> {
        Arc::new(Mocked::provider(real.clone(), mock.clone()))
    })
}

/// The modules that are overridden in a run: what is said of single instances comes before what
/// is said of all, and then what the run itself says before what its file does.
pub(crate) fn overlaid(file: &TestFile, run: &TestRun) -> Vec<OverlaidModule> {
    let own = run.overrides.modules.iter().map(|m| (m, true));
    let of_file = file.overrides.modules.iter();
    let mut made: Vec<OverlaidModule> = Vec::new();
    for ((address, values), own) in own.chain(of_file.map(|m| (m, false))) {
        if made.iter().any(|m| m.given.address == *address) {
            continue;
        }
        made.push(OverlaidModule {
            given: GivenOutputs {
                address: address.clone(),
                outputs: values.values.clone(),
                after_apply: values.during == Some(During::Apply),
            },
            // What a file overrides need not be in the other modules of its runs.
            required: own || run.module.is_none(),
            range: values.range.clone(),
        });
    }
    made.sort_by_key(|m| Reverse(keys(&m.given.address)));
    made
}

/// How many instances of calls an address names.
fn keys(module: &ModuleInstance) -> usize {
    let steps = module.steps().iter();
    steps.filter(|(_, key)| key.is_some()).count()
}

/// Who answers for the objects that are overridden; those of the run come first.
pub(crate) fn stand_ins(
    file: &TestFile,
    run: &TestRun,
    config: &Config,
    providers: &Providers,
    diagnostics: &mut Diagnostics,
) -> Vec<(Target, StandIn)> {
    let of_run = run.overrides.objects.iter().map(|o| (o, None, true));
    let of_file = file
        .overrides
        .objects
        .iter()
        .map(|o| (o, None, run.module.is_none()));
    let of_mocks = configurations(file, run)
        .into_iter()
        .filter_map(|(key, from, _)| Some((key, file.mocks.get(&from)?)))
        .flat_map(|(key, mock)| {
            let own = mock.overrides.objects.iter();
            own.map(move |o| (o, Some(key.clone()), run.module.is_none()))
        });
    let mut made = Vec::new();
    for ((target, values), key, must_be) in of_run.chain(of_file).chain(of_mocks) {
        let Some(address) = provider_of(config, target) else {
            if must_be {
                diagnostics.push(
                    Diagnostic::warning(
                        "Override without effect",
                        format!("There is no {target} to override."),
                    )
                    .with_range(Some(values.range.clone())),
                );
            }
            continue;
        };
        if key.is_some_and(|key| key.1 != address.0.alias) {
            continue; // of another configuration than this mock
        }
        let (Some(real), Some((_, type_name, _))) = (providers.of(&address.0), &target.resource)
        else {
            continue;
        };
        diagnostics.extend(Mocked::check(&address.1, values));
        let mocked = Mocked::objects(real.clone(), type_name, values, target.to_string());
        let connection: Arc<dyn Connection> = Arc::new(mocked.clone());
        made.push((
            target.clone(),
            StandIn {
                provider: Arc::new(mocked),
                connection,
            },
        ));
    }
    check_mocks(file, providers, diagnostics);
    // What is said of single instances comes before what is said of all.
    made.sort_by_key(|(t, _)| Reverse(keys(&t.module) + usize::from(t.key.is_some())));
    made
}

/// The provider configuration and the schema of the resource that is meant.
fn provider_of(
    config: &Config,
    target: &Target,
) -> Option<(ProviderAddress, Arc<topo_sdk::Schema>)> {
    let calls = || target.module.steps().iter().map(|(name, _)| name);
    let module = config.modules.iter().find(|m| m.path.iter().eq(calls()))?;
    let resource = module.resources.get(target.resource.as_ref()?)?;
    Some((resource.provider_address.clone(), resource.schema.clone()))
}

/// Whether the values of mocks fit the schemas of their types.
fn check_mocks(file: &TestFile, providers: &Providers, diagnostics: &mut Diagnostics) {
    for (key, mock) in &file.mocks {
        let Some(real) = providers.get(&key.0) else {
            continue; // a local name; what it stands for differs from module to module
        };
        for (type_name, values) in &mock.resources {
            match real.resource_schema(type_name) {
                Some(schema) => diagnostics.extend(Mocked::check(&schema, values)),
                None => diagnostics.push(unknown_type("resource type", type_name, values)),
            }
        }
        for (type_name, values) in &mock.data {
            match real.data_schema(type_name) {
                Some(schema) => diagnostics.extend(Mocked::check(&schema, values)),
                None => diagnostics.push(unknown_type("data source", type_name, values)),
            }
        }
    }
}

fn unknown_type(what: &str, type_name: &str, values: &Values) -> Diagnostic {
    Diagnostic::error(
        format!("Invalid {what}"),
        format!("The provider that is mocked has no {what} {type_name:?}."),
    )
    .with_range(Some(values.range.clone()))
}
