//! Which objects of a state a person means by an address.

use std::path::Path;

use topo_engine::address::{InstanceAddress, Target};
use topo_engine::store::{Record, RecordKey, State};
use topo_sdk::Diagnostics;

/// Objects by address: an instance, a resource with all its instances, a module with everything
/// in it. Empty for everything.
pub struct Selection<'a>(&'a [String]);

impl<'a> Selection<'a> {
    /// What these addresses name.
    pub fn new(addresses: &'a [String]) -> Selection<'a> {
        Selection(addresses)
    }

    /// Whether this object is meant.
    pub fn contains(&self, address: &InstanceAddress) -> bool {
        let text = address.to_string();
        self.0.is_empty()
            || self.0.iter().any(|wanted| {
                text.strip_prefix(wanted.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            })
    }
}

/// The object at an address.
///
/// # Errors
/// When it is no address or there is none, with the nearest one.
pub fn find<'s>(state: &'s State, address: &str) -> Result<&'s Record, Diagnostics> {
    let parsed: InstanceAddress =
        address
            .parse()
            .map_err(|e: topo_engine::address::ParseAddressError| {
                Diagnostics::error("Invalid address", format!("{e}."))
            })?;
    if let Some(record) = state.records.get(&RecordKey::from(parsed)) {
        return Ok(record);
    }
    let all: Vec<String> = state
        .records
        .keys()
        .map(|k| k.address.to_string())
        .collect();
    // Instances of a resource whose name is right come first: the key was forgotten.
    let near: Vec<&str> = all
        .iter()
        .filter(|a| a.starts_with(&format!("{address}[")) || a.ends_with(&format!(".{address}")))
        .map(String::as_str)
        .take(3)
        .collect();
    let hint = if near.is_empty() {
        "`topo state list` lists what there is.".to_string()
    } else {
        format!("Did you mean {}?", near.join(" or "))
    };
    Err(Diagnostics::error(
        "No such object",
        format!("The state has nothing at {address}. {hint}"),
    ))
}

/// The addresses in a file, one a line; empty lines and those that begin with `#` are passed over.
///
/// # Errors
/// When the file cannot be read, and for each line that is no address.
pub fn addresses(file: &Path) -> Result<Vec<Target>, Diagnostics> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|e| Diagnostics::error("Cannot read addresses", format!("{name}: {e}.")))?;
    let mut read = Vec::new();
    let mut wrong = Diagnostics::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.parse() {
            Ok(address) => read.push(address),
            Err(e) => wrong.extend(Diagnostics::error(
                "Invalid address",
                format!("{name} line {number}: {e}."),
            )),
        }
    }
    if wrong.has_errors() {
        return Err(wrong);
    }
    Ok(read)
}
