//! Which files of a directory are configuration, and how override files lie over the others.

use std::path::Path;
use std::sync::Arc;

use topo_sdk::{Diagnostic, Diagnostics, SourceRange};

use crate::lang::source::SourceFile;
use crate::lang::structure::{Attribute, Block, Parsed};

/// The configuration files of a directory, each kind by name.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Files whose blocks stand for themselves.
    pub(super) primary: Vec<String>,
    /// Files whose blocks change blocks of the others: `override.tf`, `*_override.tf`.
    pub(super) overrides: Vec<String>,
}

/// The endings of configuration files, each with that of the file that is preferred to it.
const ENDINGS: [(&str, Option<&str>); 4] = [
    (".tofu.json", None),
    (".tf.json", Some(".tofu.json")),
    (".tofu", None),
    (".tf", Some(".tofu")),
];

/// Finds the configuration files in a directory. Files of editors (`.x.tf`, `x.tf~`, `#x.tf#`)
/// are none.
pub(super) fn find(dir: &Path) -> Result<Files, String> {
    let fail = |e: std::io::Error| format!("{}: {e}.", dir.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let ignored = name.starts_with('.')
            || name.ends_with('~')
            || (name.starts_with('#') && name.ends_with('#'));
        if ignored || entry.path().is_dir() {
            continue;
        }
        if ENDINGS.iter().any(|(ending, _)| name.ends_with(ending)) {
            names.push(name);
        }
    }
    names.sort();
    let mut files = Files::default();
    for name in &names {
        let Some((ending, preferred)) = ENDINGS.iter().find(|(ending, _)| name.ends_with(ending))
        else {
            continue;
        };
        let stem = name.strip_suffix(ending).unwrap_or(name);
        if preferred.is_some_and(|other| names.contains(&format!("{stem}{other}"))) {
            continue;
        }
        if stem == "override" || stem.ends_with("_override") {
            files.overrides.push(name.clone());
        } else {
            files.primary.push(name.clone());
        }
    }
    Ok(files)
}

/// Parses files of `dir`, which diagnostics name below `shown`; what is wrong with one leaves the
/// others alone. `seen` is told of every file that could be read.
pub(super) fn parse(
    dir: &Path,
    shown: &str,
    names: Vec<String>,
    diagnostics: &mut Diagnostics,
    seen: &mut dyn FnMut(&Arc<SourceFile>),
) -> Vec<Parsed> {
    let mut parsed = Vec::with_capacity(names.len());
    for name in names {
        let shown_name = if shown == "." {
            name.clone()
        } else {
            format!("{shown}/{name}")
        };
        match read_text(&dir.join(&name)) {
            Ok(text) => {
                let file = SourceFile::new(shown_name, text);
                seen(&file);
                parsed.extend(Parsed::partly(file, diagnostics));
            }
            Err(e) => diagnostics.push(Diagnostic::error(
                "Unreadable file",
                format!("{shown_name}: {e}."),
            )),
        }
    }
    parsed
}

/// The text of a file.
fn read_text(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let line = e.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
        format!("it is not valid UTF-8: see line {line}, byte {at}")
    })
}

/// The blocks of a file, with the number of their labels.
const BLOCKS: [(&str, Option<usize>); 13] = [
    ("terraform", Some(0)),
    ("provider", Some(1)),
    ("variable", Some(1)),
    ("locals", Some(0)),
    ("output", Some(1)),
    ("module", Some(1)),
    ("resource", Some(2)),
    ("data", Some(2)),
    ("ephemeral", Some(2)),
    ("moved", Some(0)),
    ("removed", Some(0)),
    ("import", Some(0)),
    ("check", Some(1)),
];

/// The names of the blocks that a file may have.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    BLOCKS.iter().map(|(kind, _)| *kind)
}

/// Everything that the files of a module say.
#[derive(Default)]
pub(super) struct Merged<'a> {
    /// Blocks, what overrides say laid over them.
    pub(super) blocks: Vec<Block<'a>>,
    /// `terraform` blocks of override files.
    pub(super) settings: Vec<Block<'a>>,
    /// Local values of override files.
    pub(super) locals: Vec<Attribute<'a>>,
}

/// Collects the blocks of files, primary ones first, then overrides.
pub(super) fn merge<'a>(
    primary: &'a [Parsed],
    overrides: &'a [Parsed],
    diagnostics: &mut Diagnostics,
) -> Merged<'a> {
    let mut merged = Merged::default();
    let top = |file: &'a Parsed, diagnostics: &mut Diagnostics| -> Vec<Block<'a>> {
        let content = file.body(diagnostics).content(&BLOCKS, diagnostics);
        for a in &content.attributes {
            let hint = crate::suggest::did_you_mean(a.name, kinds());
            diagnostics.push(
                Diagnostic::error(
                    "Unsupported argument",
                    format!(
                        "An argument named {:?} is not expected here: a file holds blocks.{hint}",
                        a.name
                    ),
                )
                .with_range(Some(a.name_range())),
            );
        }
        content.blocks
    };
    for file in primary {
        let blocks = top(file, diagnostics);
        merged.blocks.extend(blocks);
    }
    for file in overrides {
        for block in top(file, diagnostics) {
            lay_over(&mut merged, block, diagnostics);
        }
    }
    merged
}

fn lay_over<'a>(merged: &mut Merged<'a>, block: Block<'a>, diagnostics: &mut Diagnostics) {
    match block.kind {
        "terraform" => merged.settings.push(block),
        "locals" => {
            let content = block.body.content(&[], diagnostics);
            merged.locals.extend(content.attributes);
        }
        "moved" | "removed" | "import" | "check" => diagnostics.push(
            Diagnostic::error(
                format!("Cannot override {:?} blocks", block.kind),
                format!(
                    "Blocks of type {:?} can appear only in normal files, not in override files.",
                    block.kind
                ),
            )
            .with_range(Some(block.header())),
        ),
        kind => {
            if let Some(a) = block
                .body
                .content(&[], &mut Diagnostics::new())
                .get("depends_on")
                && kind != "provider"
            {
                diagnostics.push(
                    Diagnostic::error(
                        "Unsupported override",
                        "The argument \"depends_on\" may not be overridden.",
                    )
                    .with_range(Some(a.name_range())),
                );
                return;
            }
            let checks = unlayered(&block);
            for (what, range) in &checks {
                diagnostics.push(
                    Diagnostic::error(
                        format!("Cannot override {what:?} blocks"),
                        format!("An override file cannot change or add {what:?} blocks: conditions stand with what they check."),
                    )
                    .with_range(Some(range.clone())),
                );
            }
            if !checks.is_empty() {
                return;
            }
            let wanted = identity(&block);
            match merged.blocks.iter_mut().find(|b| identity(b) == wanted) {
                Some(base) => base.override_with(block),
                // Without a block a provider has a configuration still: an empty one.
                None if wanted.2.as_deref() == Some("") => merged.blocks.push(block),
                None => {
                    let names: Vec<&str> = block.labels.iter().map(|(l, _)| *l).collect();
                    diagnostics.push(
                        Diagnostic::error(
                            format!("Missing base {kind} block to override"),
                            format!(
                                "There is no {kind} block {} in the other files of the module. An override file can only change blocks that are defined in them.",
                                names.join(".")
                            ),
                        )
                        .with_range(Some(block.header())),
                    );
                }
            }
        }
    }
}

/// The conditions in a block of an override file: validations of a variable, pre- and
/// postconditions of an output or a resource.
fn unlayered<'a>(block: &Block<'a>) -> Vec<(&'a str, SourceRange)> {
    let kinds: [(&str, Option<usize>); 4] = [
        ("lifecycle", Some(0)),
        ("validation", Some(0)),
        ("precondition", Some(0)),
        ("postcondition", Some(0)),
    ];
    let content = |block: &Block<'a>| block.body.content(&kinds, &mut Diagnostics::new());
    let mut found = Vec::new();
    for inner in content(block).blocks {
        match (block.kind, inner.kind) {
            ("variable", "validation") | ("output", "precondition" | "postcondition") => {
                found.push((inner.kind, inner.kind_range()));
            }
            ("resource" | "data" | "ephemeral", "lifecycle") => found.extend(
                content(&inner)
                    .blocks
                    .iter()
                    .filter(|b| matches!(b.kind, "precondition" | "postcondition"))
                    .map(|b| (b.kind, b.kind_range())),
            ),
            _ => {}
        }
    }
    found
}

/// What a block is told apart by: its type, its labels, and a provider's alias.
fn identity<'a>(block: &Block<'a>) -> (&'a str, Vec<&'a str>, Option<Arc<str>>) {
    let alias = (block.kind == "provider").then(|| {
        let content = block.body.content(&[], &mut Diagnostics::new());
        let alias = content.get("alias").and_then(|a| a.value.quoted());
        Arc::from(alias.unwrap_or(""))
    });
    let labels = block.labels.iter().map(|(l, _)| *l).collect();
    (block.kind, labels, alias)
}
