//! `topo output`

use clap::Args;
use topo_engine::store::{OutputRecord, State};
use topo_sdk::{Diagnostic, Diagnostics, Kind, json::to_json};

use super::StateArgs;
use crate::context::{Context, Exit};
use crate::json;
use crate::render::change;

/// Show the outputs of the last apply
#[derive(Debug, Args)]
pub struct OutputArgs {
    /// Only this output; named like this a sensitive one is shown, too
    pub name: Option<String>,
    /// As JSON, sensitive values in clear
    #[arg(long, conflicts_with = "raw")]
    pub json: bool,
    /// The bare text of one string, number or bool, sensitive or not
    #[arg(long, requires = "name")]
    pub raw: bool,
    /// Show sensitive values in clear
    #[arg(long)]
    pub show_sensitive: bool,
    /// The state.
    #[command(flatten)]
    pub state: StateArgs,
}

pub async fn run(context: &Context, args: &OutputArgs) -> Exit {
    let state = args.state.read(context).await?;
    let Some(name) = &args.name else {
        return all(context, &state, args);
    };
    let Some(output) = state.outputs.get(name.as_str()) else {
        return Err(missing(&state, name));
    };
    if args.json {
        let value = to_json(&output.value);
        context.ui.raw(&format!("{value}\n"));
    } else if args.raw {
        context.ui.raw(&raw(name, output)?);
    } else {
        let clear = output.value.clone().unmark_deep();
        context.ui.print(&change::value(&clear));
    }
    Ok(0)
}

fn all(context: &Context, state: &State, args: &OutputArgs) -> Exit {
    if args.json {
        let outputs = state.outputs.iter().map(|(n, o)| (&**n, o));
        let text = json::outputs(outputs);
        context.ui.raw(&format!("{text:#}\n"));
        return Ok(0);
    }
    if state.outputs.is_empty() {
        context.show(&Diagnostics::from(Diagnostic::warning(
            "No outputs found",
            "The state has no outputs: either none are defined, or nothing has been applied yet.",
        )));
    }
    let outputs = state.outputs.iter().map(|(n, o)| (&**n, o));
    context.ui.print(&list(outputs, args.show_sensitive));
    Ok(0)
}

/// `name = value` for each, sensitive values hidden unless they are asked for.
pub fn list<'a>(
    outputs: impl IntoIterator<Item = (&'a str, &'a OutputRecord)>,
    show_sensitive: bool,
) -> String {
    outputs
        .into_iter()
        .map(|(name, o)| {
            if show_sensitive {
                return change::assignment(name, &o.value.clone().unmark_deep(), false);
            }
            let hidden = o.sensitive || o.value.is_sensitive();
            change::assignment(name, &o.value, hidden)
        })
        .collect()
}

fn raw(name: &str, output: &OutputRecord) -> Result<String, Diagnostics> {
    match output.value.kind() {
        Kind::String(s) => Ok(s.to_string()),
        Kind::Number(n) => Ok(n.to_string()),
        Kind::Bool(b) => Ok(b.to_string()),
        _ => Err(Diagnostics::error(
            "Unsupported value for raw output",
            format!(
                "-raw prints a string, number or bool, and the output {name:?} is {}. Use -json.",
                output.value.ty().friendly()
            ),
        )),
    }
}

fn missing(state: &State, name: &str) -> Diagnostics {
    let known: Vec<&str> = state.outputs.keys().map(|n| &**n).collect();
    let known = if known.is_empty() {
        "The state has no outputs.".to_string()
    } else {
        format!("The state has: {}.", known.join(", "))
    };
    Diagnostics::error(
        format!("Output {name:?} not found"),
        format!("It is not defined, or nothing has been applied since. {known}"),
    )
}
