//! One object of a plan: the comment that says what happens and why, then the difference.

use topo_engine::address::{InstanceAddress, ResourceMode};
use topo_engine::changes::{ChangeAction, Drift, InstanceChange};
use topo_engine::store::{OutputRecord, Record, RecordKey, Status};
use topo_sdk::{Schema, Value};

use super::Options;
use super::differ::Differ;
use super::headline;
use super::style::{BOLD, RED, Symbol, YELLOW, paint};
use super::text::{push_quoted, visible};

/// Adds a planned change. It ends with a line break.
pub fn change(out: &mut String, change: &InstanceChange, options: &Options) {
    headline::headline(out, change);
    let mut differ = Differ::new(&change.replace_paths, options);
    // People compare what they import with what they wrote.
    differ.show_all = change.importing.is_some();
    let after = match change.action {
        // What is forgotten stays as it is.
        ChangeAction::Forget => &change.before,
        _ => &change.after,
    };
    Symbol::from(change.action).push_margin(out);
    header(out, &change.key.address);
    let pair = (change.before.as_ref(), after.as_ref());
    differ.body(out, &change.schema.block, pair, false, 0);
    out.push('\n');
}

/// Adds an object that is not as the state has it. It ends with a line break.
pub fn push_drift(out: &mut String, drift: &Drift, options: &Options) {
    let (what, symbol) = match drift.after {
        Some(_) => (format!("has {}", paint(YELLOW, "changed")), Symbol::Change),
        None => (
            format!("has been {}", paint(RED, "deleted")),
            Symbol::Remove,
        ),
    };
    let name = paint(BOLD, format!("# {}", object(&drift.key)));
    out.push_str(&format!("  {name} {what}\n"));
    symbol.push_margin(out);
    header(out, &drift.key.address);
    let mut differ = Differ::new(&[], options);
    differ.sends = false;
    let pair = (Some(&drift.before), drift.after.as_ref());
    differ.body(out, &drift.schema.block, pair, false, 0);
    out.push('\n');
}

/// An object that is not as the state has it. Ends with a line break.
pub fn drift(drift: &Drift) -> String {
    let mut out = String::new();
    push_drift(&mut out, drift, &Options::default());
    out
}

/// An object of the state as a block of the language, sensitive values hidden.
pub fn record(record: &Record, schema: Option<&Schema>) -> String {
    stored(record, schema, &Options::default())
}

/// An object of the state as a block of the language.
pub fn stored(record: &Record, schema: Option<&Schema>, options: &Options) -> String {
    let tainted = match record.status {
        Status::Ok => "",
        Status::Tainted => " (tainted)",
    };
    let mut out = format!("# {}:{tainted}\n", object(&record.key));
    header(&mut out, &record.key.address);
    let mut differ = Differ::plain(options);
    let value = Some(&record.value);
    match schema {
        Some(schema) => differ.body(&mut out, &schema.block, (value, value), false, 0),
        None => differ.value(&mut out, (value, value), false, false, 0),
    }
    out.push('\n');
    out
}

/// One value in the language's notation. Ends with a line break.
pub fn value(value: &Value) -> String {
    let mut out = super::console::value(value);
    out.push('\n');
    out
}

/// `name = value` of an output or the like, without a margin.
pub fn assignment(name: &str, value: &Value, sensitive: bool) -> String {
    let text = if sensitive {
        "<sensitive>".to_string()
    } else {
        super::console::value(value)
    };
    format!("{name} = {text}\n")
}

/// `name = value` of an output beside the objects of the state.
pub fn stored_output(name: &str, output: &OutputRecord, options: &Options) -> String {
    let mut out = format!("{} = ", visible(name));
    let hidden = output.sensitive && !options.show_sensitive;
    let value = Some(&output.value);
    Differ::plain(options).value(&mut out, (value, value), hidden, false, 0);
    out.push('\n');
    out
}

/// The name of an object.
pub fn object(key: &RecordKey) -> String {
    let address = visible(&key.address.to_string());
    match &key.deposed {
        Some(deposed) => format!("{address} (deposed object {deposed})"),
        None => address,
    }
}

/// `resource "type" "name" `
fn header(out: &mut String, address: &InstanceAddress) {
    out.push_str(match address.resource.mode {
        ResourceMode::Managed => "resource ",
        ResourceMode::Data => "data ",
        ResourceMode::Ephemeral => "ephemeral ",
    });
    push_quoted(out, &address.resource.type_name);
    out.push(' ');
    push_quoted(out, &address.resource.name);
    out.push(' ');
}
