//! `topo get`, and the installation of modules for `topo init`.

use std::path::Path;
use std::sync::Once;

use clap::Args;
use topo_installer::{Event, Installation, Options, install, tokens_of};
use topo_sdk::Diagnostics;

use crate::context::{Context, Exit};
use crate::render::style::{BOLD, paint};
use crate::render::text::visible;

/// Install the modules that the configuration calls
///
/// Does what init does for modules, and says less.
#[derive(Debug, Args)]
pub struct GetArgs {
    /// Fetch modules anew, the newest versions that are allowed
    #[arg(long)]
    pub update: bool,
}

pub async fn run(context: &Context, args: &GetArgs) -> Exit {
    installation(context, args.update, None).await?;
    Ok(0)
}

/// Installs modules and says which; `heading` comes before the first line, if there is any.
///
/// # Errors
/// Everything that went wrong; what could be installed is.
pub async fn installation(
    context: &Context,
    upgrade: bool,
    heading: Option<&str>,
) -> Result<Installation, Diagnostics> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let options = Options {
        upgrade,
        tokens: tokens_of(environment),
        ..Options::default()
    };
    let first = Once::new();
    let ui = context.ui;
    let listener = move |event: Event| {
        first.call_once(|| {
            if let Some(heading) = heading {
                ui.print(&format!("{}\n", paint(BOLD, heading)));
            }
        });
        ui.print(&line(&event));
    };
    let mut done = install(Path::new("."), &options, &listener).await;
    context.remember(std::mem::take(&mut done.sources));
    if done.diagnostics.has_errors() {
        return Err(done.diagnostics);
    }
    context.show(&done.diagnostics);
    Ok(done)
}

/// An event as the peers write it.
fn line(event: &Event) -> String {
    match event {
        Event::Fetching {
            key,
            address,
            version: Some(version),
        } => format!("Downloading {address} {version} for {key}...\n"),
        Event::Fetching { key, address, .. } => format!("Downloading {address} for {key}...\n"),
        // The names of directories come from packages.
        Event::Installed { key, dir } => format!("- {key} in {}\n", visible(dir)),
        Event::Waiting => "Waiting for another installation of modules here to end...\n".into(),
    }
}
