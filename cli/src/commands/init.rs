//! `topo init`

use clap::Args;

use super::get;
use crate::context::{Context, Exit};
use crate::render::style::{GREEN, paint};

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
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        default_missing_value = "true"
    )]
    #[arg(num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub get: bool,
    /// Options of the peers that have nothing to act on here.
    #[command(flatten)]
    pub accepted: AcceptedArgs,
}

/// Accepted for scripts written for the peers: nothing is asked, there are no plugins to lock,
/// and the state is always beside the configuration.
#[derive(Debug, Args)]
pub struct AcceptedArgs {
    /// Nothing is asked
    #[arg(long, hide = true, value_name = "BOOL", default_missing_value = "true")]
    #[arg(num_args = 0..=1, require_equals = true)]
    pub input: Option<bool>,
    /// There are no backends
    #[arg(long, hide = true, value_name = "BOOL", default_missing_value = "true")]
    #[arg(num_args = 0..=1, require_equals = true)]
    pub backend: Option<bool>,
    /// There are no backends
    #[arg(long, hide = true)]
    pub reconfigure: bool,
    /// There are no backends
    #[arg(long, hide = true)]
    pub migrate_state: bool,
    /// There are no backends
    #[arg(long, hide = true)]
    pub force_copy: bool,
    /// The state is not touched
    #[arg(long, hide = true, value_name = "BOOL", default_missing_value = "true")]
    #[arg(num_args = 0..=1, require_equals = true)]
    pub lock: Option<bool>,
    /// The state is not touched
    #[arg(long, hide = true, value_name = "DURATION")]
    pub lock_timeout: Option<String>,
    /// Providers are built in: there is no lock file
    #[arg(long, hide = true, value_name = "MODE", require_equals = true)]
    pub lockfile: Option<String>,
}

pub async fn run(context: &Context, args: &InitArgs) -> Exit {
    if !args.get {
        context.ui.print("Nothing is to be installed: topo's providers are built in, and modules were left out by -get=false.\n");
        return Ok(0);
    }
    let heading = if args.upgrade {
        "Upgrading modules..."
    } else {
        "Initializing modules..."
    };
    let done = get::installation(context, args.upgrade, Some(heading)).await?;
    let text = match (done.installed, done.unchanged) {
        (0, 0) => "Nothing is to be installed: topo's providers are built in, and local modules are read where they are.\n".to_string(),
        (0, n) => format!("{} {n} installed already.\n", paint(GREEN.bold(), "Modules are up to date:")),
        (new, 0) => format!("\n{} {new} fetched.\n", paint(GREEN.bold(), "Modules are installed:")),
        (new, old) => format!("\n{} {new} fetched, {old} installed already.\n", paint(GREEN.bold(), "Modules are installed:")),
    };
    context.ui.print(&text);
    Ok(0)
}
