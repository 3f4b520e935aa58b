//! `topo version`

use clap::Args;
use serde_json::json;

use crate::context::{Context, Exit};

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Print the version
#[derive(Debug, Args)]
pub struct VersionArgs {
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

pub fn run(context: &Context, args: &VersionArgs) -> Exit {
    let platform = platform();
    if args.json {
        // Programs made for the peers look for their names; there are no plugins to select.
        let text = json!({
            "terraform_version": VERSION,
            "topo_version": VERSION,
            "platform": platform,
            "provider_selections": {},
            "terraform_outdated": false,
        });
        context.ui.raw(&format!("{text:#}\n"));
    } else {
        context
            .ui
            .print(&format!("topo v{VERSION}\non {platform}\n"));
    }
    Ok(0)
}

/// Operating system and processor, named as the peers name them.
fn platform() -> String {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "386",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{os}_{processor}")
}
