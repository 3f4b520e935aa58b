//! `topo init`

use clap::Args;

use super::DiagnosticArgs;
use super::get::{self, Purpose};
use crate::context::{Context, Exit};
use crate::json::stream;
use crate::render::style::{GREEN, paint};
use crate::switch::Switch;
use crate::view::Format;

/// Install the modules that the configuration calls; providers are built in
///
/// Modules come from registries, git repositories, archives and directories, and are put into
/// .topo/modules. What is installed already is left alone.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Fetch modules anew, the newest versions that are allowed
    #[arg(long)]
    pub upgrade: bool,
    /// Install modules
    #[arg(long, switch = true)]
    pub get: bool,
    /// As JSON, one message a line
    #[arg(long)]
    pub json: bool,
    /// Warnings and errors.
    #[command(flatten)]
    pub diagnostics: DiagnosticArgs,
}

/// What comes of an initialization.
enum Done {
    /// Modules were left out.
    Skipped,
    /// So many modules were fetched, so many were there.
    Installed(usize, usize),
}

pub async fn run(context: &Context, args: &InitArgs) -> Exit {
    let done = if args.get {
        let done = get::installation(context, args.upgrade, Purpose::Init).await?;
        Done::Installed(done.installed, done.unchanged)
    } else {
        Done::Skipped
    };
    match context.format {
        Format::Text => context.ui.print(&text(&done)),
        Format::Stream => stream::write(context.ui, messages(&done)),
    }
    Ok(0)
}

fn text(done: &Done) -> String {
    match done {
        Done::Skipped => "Nothing is to be installed: topo's providers are built in, and modules were left out by -get=false.\n".into(),
        Done::Installed(0, 0) => "Nothing is to be installed: topo's providers are built in, and local modules are read where they are.\n".into(),
        Done::Installed(0, n) => format!("{} {n} installed already.\n", paint(GREEN.bold(), "Modules are up to date:")),
        Done::Installed(new, 0) => format!("\n{} {new} fetched.\n", paint(GREEN.bold(), "Modules are installed:")),
        Done::Installed(new, old) => format!("\n{} {new} fetched, {old} installed already.\n", paint(GREEN.bold(), "Modules are installed:")),
    }
}

/// The steps that the peers take after the modules, by the codes that programs know them by.
fn messages(done: &Done) -> Vec<stream::Message> {
    let mut said = Vec::new();
    if let Done::Installed(new, old) = done {
        said.push(stream::log(format!(
            "Modules: {new} fetched, {old} installed already"
        )));
    }
    said.push(stream::init_output(
        "initializing_provider_plugin_message",
        "Providers are built in: none is to be installed",
    ));
    said.push(stream::init_output(
        "output_init_success_message",
        "topo has been successfully initialized!",
    ));
    said
}
