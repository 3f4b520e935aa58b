//! Configuration that is written for objects to import: `plan -generate-config-out=FILE`.

use std::io::Write;
use std::path::Path;

use topo_engine::config::{self, Reading};
use topo_engine::plan::{self, GeneratedBlock, PlanOptions};
use topo_engine::providers::Providers;
use topo_sdk::Diagnostics;

use crate::commands::VariableArgs;
use crate::context::{Configuration, Context};
use crate::run::Prior;
use crate::view::{Note, Reporter};

/// The configuration without what is to be written.
///
/// # Errors
/// When the file cannot be a new one of this configuration, and everything that is wrong with
/// the configuration.
pub fn configuration(
    context: &Context,
    variables: &VariableArgs,
    file: &Path,
) -> Result<Configuration, Diagnostics> {
    let beside = file.parent().is_none_or(|dir| {
        dir.as_os_str().is_empty() || dir.canonicalize().ok() == Path::new(".").canonicalize().ok()
    });
    let readable = file.extension().is_some_and(|e| e == "tf" || e == "tofu");
    if !beside || !readable {
        return Err(Diagnostics::error(
            "Invalid target for generated configuration",
            format!(
                "{} would be no part of the configuration that is planned. Give a name that ends in .tf, in the directory of the root module.",
                file.display()
            ),
        ));
    }
    if file.exists() {
        return Err(Diagnostics::error(
            "Target generated file already exists",
            format!(
                "Configuration is written into a new file only, and {} is there already. Give another name, or move what is in it into another file and remove it.",
                file.display()
            ),
        ));
    }
    let reading = Reading {
        undeclared_imports: true,
        ..Reading::default()
    };
    context.configuration_with(variables, reading)
}

/// Writes what is missing, and loads the configuration with it.
///
/// # Errors
/// When an object cannot be looked up, the file cannot be written, or what is written needs a
/// person to complete it.
pub async fn complete(
    context: &Context,
    providers: &Providers,
    prior: &Prior,
    configuration: &mut Configuration,
    file: &Path,
    reporter: &Reporter,
) -> Result<(), Diagnostics> {
    let made = plan::generate(
        configuration.config.clone(),
        providers,
        &configuration.inputs,
        prior.state.clone(),
        &PlanOptions {
            workspace: configuration.workspace.clone(),
            interrupt: crate::run::while_planning(&configuration.config),
            ..PlanOptions::default()
        },
        reporter.listener(),
    )
    .await;
    let blocks = made?;
    if blocks.is_empty() {
        return Ok(());
    }
    write(file, &blocks).map_err(|e| {
        Diagnostics::error(
            "Failed to create target generated file",
            format!("{}: {e}.", file.display()),
        )
    })?;
    reporter.note(Note::Generated {
        file: file.display().to_string(),
    });
    let name = file.file_name().map(|n| n.to_string_lossy().into_owned());
    let reading = Reading {
        generated: name,
        ..Reading::default()
    };
    let loaded = config::load_with(Path::new("."), &context.schemas(), reading);
    match loaded.config {
        Some(config) => {
            configuration.config = config;
            Ok(())
        }
        None => Err(loaded.diagnostics),
    }
}

fn write(file: &Path, blocks: &[GeneratedBlock]) -> std::io::Result<()> {
    let mut text = String::from(
        "# __generated__ by topo\n# Look through these resources, then move them to where they belong in your configuration.\n",
    );
    for block in blocks {
        text.push_str(&format!(
            "\n# __generated__ by topo from {:?}\n{}",
            block.id, block.text
        ));
    }
    let mut out = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()
}
