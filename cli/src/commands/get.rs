//! `topo get`, and the installation of modules for `topo init`.

use std::path::Path;
use std::sync::Once;

use clap::Args;
use topo_installer::{Event, Installation, Options, install, tokens_of};
use topo_sdk::Diagnostics;

use crate::context::{Context, Exit};
use crate::json::stream;
use crate::render::style::{BOLD, paint};
use crate::render::text::visible;
use crate::ui::Ui;
use crate::view::Format;

/// Install the modules that the configuration calls
///
/// Does what init does for modules, and says less.
#[derive(Debug, Args)]
pub struct GetArgs {
    /// Fetch modules anew, the newest versions that are allowed
    #[arg(long)]
    pub update: bool,
    /// As JSON, one message a line
    #[arg(long)]
    pub json: bool,
}

pub async fn run(context: &Context, args: &GetArgs) -> Exit {
    installation(context, args.update, Purpose::Get).await?;
    Ok(0)
}

/// What an installation is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It is all there is.
    Get,
    /// It is one of several steps, which have headings.
    Init,
}

/// Installs modules and says which.
///
/// # Errors
/// Everything that went wrong; what could be installed is.
pub async fn installation(
    context: &Context,
    upgrade: bool,
    purpose: Purpose,
) -> Result<Installation, Diagnostics> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let options = Options {
        upgrade,
        tokens: tokens_of(environment),
        ..Options::default()
    };
    let begun = Once::new();
    let (ui, format) = (context.ui, context.format);
    let begin = || {
        if purpose == Purpose::Init {
            begun.call_once(|| head(ui, format, upgrade));
        }
    };
    // People hear of the step when there is something to say of it.
    if format == Format::Stream {
        begin();
    }
    let listener = |event: Event| {
        begin();
        match format {
            Format::Text => ui.print(&format!("{}\n", line(&event))),
            Format::Stream => stream::write(ui, vec![stream::log(line(&event))]),
        }
    };
    let mut done = install(Path::new("."), &options, &listener).await;
    context.remember(std::mem::take(&mut done.sources));
    if done.diagnostics.has_errors() {
        return Err(done.diagnostics);
    }
    context.show(&done.diagnostics);
    Ok(done)
}

fn head(ui: Ui, format: Format, upgrade: bool) {
    let (code, text) = if upgrade {
        ("upgrading_modules_message", "Upgrading modules...")
    } else {
        ("initializing_modules_message", "Initializing modules...")
    };
    match format {
        Format::Text => ui.print(&format!("{}\n", paint(BOLD, text))),
        Format::Stream => stream::write(ui, vec![stream::init_output(code, text)]),
    }
}

/// An event as the peers write it.
fn line(event: &Event) -> String {
    match event {
        Event::Fetching {
            key,
            address,
            version: Some(version),
        } => format!("Downloading {address} {version} for {key}..."),
        Event::Fetching { key, address, .. } => format!("Downloading {address} for {key}..."),
        // The names of directories come from packages.
        Event::Installed { key, dir } => format!("- {key} in {}", visible(dir)),
        Event::Waiting => "Waiting for another installation of modules here to end...".into(),
    }
}
