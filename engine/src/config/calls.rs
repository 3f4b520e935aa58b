//! Module calls by themselves: what a module calls, read without schemas, for the installer; and
//! where the loader finds what a call names.
//!
//! Nothing is fetched here. [`module_calls`] reads only `module` blocks, so that modules can be
//! installed before the configuration can be loaded whole.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use hcl_edit::structure::{Attribute, Block};
use topo_sdk::{Diagnostic, Diagnostics, SourceRange};

use super::Sources;
use super::manifest::{Manifest, key};
use super::source::ModuleSource;
use super::types::constant;
use crate::lang::source::{SourceFile, Span};
use crate::lang::syntax::{parse_body, span_of, translate};

/// A call of a module, as far as finding the module goes.
#[derive(Debug, Clone)]
pub struct ModuleCall {
    /// Its name.
    pub name: Arc<str>,
    /// The argument `source`.
    pub source: String,
    /// The argument `version`.
    pub version: Option<String>,
    /// Where the source is written.
    pub source_range: SourceRange,
    /// Where the version is written; where the source is if there is none.
    pub version_range: SourceRange,
}

/// What [`module_calls`] found.
#[derive(Debug, Default)]
pub struct ModuleCalls {
    /// The calls, by name.
    pub calls: BTreeMap<Arc<str>, ModuleCall>,
    /// What cannot be read.
    pub diagnostics: Diagnostics,
}

/// The calls of the module in `dir`, whose files diagnostics name below `shown`. The texts of the
/// files are added to `sources`.
pub fn module_calls(dir: &Path, shown: &str, sources: &mut Sources) -> ModuleCalls {
    let mut found = ModuleCalls::default();
    let names = match configuration_files(dir) {
        Ok(names) => names,
        Err(e) => {
            found.diagnostics.push(Diagnostic::error(
                "Unreadable module directory",
                format!("{shown}: {e}."),
            ));
            return found;
        }
    };
    for name in names {
        let shown_name = if shown == "." {
            name.clone()
        } else {
            format!("{shown}/{name}")
        };
        let text = match std::fs::read_to_string(dir.join(&name)) {
            Ok(text) => text,
            Err(e) => {
                found.diagnostics.push(Diagnostic::error(
                    "Unreadable file",
                    format!("{shown_name}: {e}."),
                ));
                continue;
            }
        };
        let file = SourceFile::new(shown_name, text);
        sources.add(file.clone());
        let overrides = is_override(&name);
        if name.ends_with(".json") {
            json_calls(&file, overrides, &mut found);
            continue;
        }
        match parse_body(&file) {
            Ok(body) => {
                for b in body.blocks().filter(|b| b.has_ident("module")) {
                    native_call(&file, b, overrides, &mut found);
                }
            }
            Err(d) => found.diagnostics.push(*d),
        }
    }
    found
}

/// The names of the files of configuration in a directory: those that override others last, and
/// without those that a `.tofu` file of the same name stands for.
fn configuration_files(dir: &Path) -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = [".tf", ".tofu", ".tf.json", ".tofu.json"];
        if kind.iter().any(|k| name.ends_with(k))
            && !name.starts_with('.')
            && !entry.path().is_dir()
        {
            names.push(name);
        }
    }
    let stood_for: Vec<String> = names
        .iter()
        .filter_map(|n| {
            let json = n.strip_suffix(".tofu.json").map(|s| format!("{s}.tf.json"));
            json.or_else(|| n.strip_suffix(".tofu").map(|s| format!("{s}.tf")))
        })
        .collect();
    names.retain(|n| !stood_for.contains(n));
    names.sort_by_key(|n| (is_override(n), n.clone()));
    Ok(names)
}

/// Whether there is any configuration in a directory.
pub fn has_configuration(dir: &Path) -> bool {
    configuration_files(dir).is_ok_and(|names| !names.is_empty())
}

fn is_override(name: &str) -> bool {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    stem == "override" || stem.ends_with("_override")
}

/// Reads one `module` block of the native syntax.
fn native_call(file: &Arc<SourceFile>, b: &Block, overrides: bool, found: &mut ModuleCalls) {
    let [label] = b.labels.as_slice() else {
        return; // the loader says what is wrong with it
    };
    let mut text = |name: &str| -> Option<(String, SourceRange)> {
        let a: &Attribute = b.body.get_attribute(name)?;
        let e = translate(file, &a.value, &[], &mut found.diagnostics);
        let value = constant(&e.expr.kind, &e, &mut found.diagnostics);
        Some((value.as_str()?.to_string(), file.range(span_of(&a.value))))
    };
    let (source, version) = (text("source"), text("version"));
    found.add(label.as_str().into(), source, version, overrides);
}

/// Reads the `module` blocks of the JSON syntax: an object by names, or a list of such objects.
fn json_calls(file: &Arc<SourceFile>, overrides: bool, found: &mut ModuleCalls) {
    let root: serde_json::Value = match serde_json::from_str(&file.text) {
        Ok(root) => root,
        Err(e) => {
            let detail = format!("{}: {e}.", file.name);
            found
                .diagnostics
                .push(Diagnostic::error("Invalid JSON", detail));
            return;
        }
    };
    for blocks in one_or_many(&root["module"]) {
        for (name, bodies) in blocks.as_object().into_iter().flatten() {
            for body in one_or_many(bodies) {
                let text = |argument: &str| -> Option<(String, SourceRange)> {
                    let text = body[argument].as_str()?;
                    // The parser keeps no places: the first one with this text is good enough.
                    let written = serde_json::Value::from(text).to_string();
                    let at = file.text.find(&written).unwrap_or(0);
                    let range = file.range(Span::from(at..at + written.len()));
                    Some((text.to_string(), range))
                };
                found.add(
                    name.as_str().into(),
                    text("source"),
                    text("version"),
                    overrides,
                );
            }
        }
    }
}

fn one_or_many(value: &serde_json::Value) -> &[serde_json::Value] {
    match value {
        serde_json::Value::Array(all) => all,
        one => std::slice::from_ref(one),
    }
}

impl ModuleCalls {
    /// Adds a call, or changes one where the file overrides others. What the loader complains
    /// about (no source, two calls of one name) is passed over.
    fn add(
        &mut self,
        name: Arc<str>,
        source: Option<(String, SourceRange)>,
        version: Option<(String, SourceRange)>,
        overrides: bool,
    ) {
        if let Some(call) = self.calls.get_mut(&name) {
            if overrides {
                if let Some((source, range)) = source {
                    // A version belongs to the source that it was written with.
                    call.version = None;
                    call.version_range = range.clone();
                    (call.source, call.source_range) = (source, range);
                }
                if let Some((version, range)) = version {
                    (call.version, call.version_range) = (Some(version), range);
                }
            }
            return;
        }
        let Some((source, source_range)) = source else {
            return;
        };
        let (version, version_range) = match version {
            Some((version, range)) => (Some(version), range),
            None => (None, source_range.clone()),
        };
        let call = ModuleCall {
            name: name.clone(),
            source,
            version,
            source_range,
            version_range,
        };
        self.calls.insert(name, call);
    }
}

/// Where the module of a call is.
pub(super) enum Place {
    /// At this path from the calling module.
    Local(String),
    /// In this directory, relative to the root module's.
    Installed(String),
}

/// Finds the module that the call `name` in the module `path` names.
///
/// # Errors
/// When the address is wrong, or the module is not installed as the call says.
pub(super) fn place(
    manifest: &Manifest,
    path: &[Arc<str>],
    name: &Arc<str>,
    source: &str,
    version: Option<&str>,
) -> Result<Place, Box<Diagnostic>> {
    let (parsed, constraints) = ModuleSource::of_call(source, version)
        .map_err(|e| Box::new(Diagnostic::error(e.summary, e.detail)))?;
    if let ModuleSource::Local(path) = parsed {
        return Ok(Place::Local(path));
    }
    let path: Vec<Arc<str>> = path.iter().chain([name]).cloned().collect();
    let key = key(&path);
    let Some(entry) = manifest.get(&key) else {
        return Err(Box::new(Diagnostic::error(
            "Module not installed",
            format!(
                "The module {key} is not installed yet. Run \"topo init\" to install all modules that this configuration calls."
            ),
        )));
    };
    if entry.source != parsed.to_string() {
        return Err(Box::new(Diagnostic::error(
            "Module source has changed",
            format!(
                "The module {key} was installed from another source address. Run \"topo init\" to install it from this one."
            ),
        )));
    }
    let installed = entry.version.as_deref();
    let fits = installed.is_none_or(|installed| {
        let installed = super::version::Version::parse(installed);
        match (&constraints, installed) {
            (None, _) => true,
            (Some(c), Ok(v)) => c.allows(&v),
            (Some(_), Err(_)) => false,
        }
    });
    if !fits {
        return Err(Box::new(Diagnostic::error(
            "Module version requirements have changed",
            format!(
                "Version {} of the module {key} is installed, which does not satisfy {:?}. Run \"topo init\" to install one that does.",
                installed.unwrap_or_default(),
                version.unwrap_or_default()
            ),
        )));
    }
    Ok(Place::Installed(entry.dir.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)]) -> (ModuleCalls, Sources) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        let mut sources = Sources::default();
        let found = module_calls(dir.path(), "m", &mut sources);
        (found, sources)
    }

    #[test]
    fn calls_of_all_kinds_of_files() {
        let (found, sources) = read(&[
            (
                "main.tf",
                "module \"a\" {\n  source  = \"x/y/z\"\n  version = \"~> 1.0\"\n  other = var.x\n}\nresource \"nonsense\" \"x\" {}",
            ),
            ("b.tf", "module \"b\" {\n  source = \"./b\"\n}"),
            ("c.tf", "module \"c\" { source = \"./from-tf\" }"),
            ("c.tofu", "module \"c\" { source = \"./from-tofu\" }"),
            (
                "d.tf.json",
                r#"{"module": {"d": {"source": "./d"}, "e": [{"source": "./e"}]}}"#,
            ),
            (
                "b_override.tf",
                "module \"b\" { source = \"./other\" }\nmodule \"z\" {}",
            ),
            ("notes.txt", "module {"),
        ]);
        assert!(found.diagnostics.is_empty(), "{}", found.diagnostics);
        assert!(sources.text("m/main.tf").is_some());
        let shown: Vec<String> = found
            .calls
            .values()
            .map(|c| format!("{} {} {:?} {}", c.name, c.source, c.version, c.source_range))
            .collect();
        assert_eq!(
            shown,
            [
                "a x/y/z Some(\"~> 1.0\") m/main.tf:2,13-20",
                "b ./other None m/b_override.tf:1,23-32",
                "c ./from-tofu None m/c.tofu:1,23-36",
                "d ./d None m/d.tf.json:1,29-34",
                "e ./e None m/d.tf.json:1,54-59",
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let (found, _) = read(&[
            ("main.tf", "module \"a\" {"),
            ("b.tf.json", "{"),
            ("c.tf", "module \"c\" {\n  source = var.c\n}"),
        ]);
        let places: Vec<&str> = found
            .diagnostics
            .iter()
            .map(|d| d.summary.as_str())
            .collect();
        assert_eq!(places.len(), 3, "{}", found.diagnostics);
        assert!(found.calls.is_empty());
    }

    #[test]
    fn what_is_installed_must_be_what_is_called() {
        let manifest: Manifest = [super::super::manifest::Entry {
            key: "p.a".into(),
            source: "registry.opentofu.org/x/y/z".into(),
            version: Some("1.4.0".into()),
            dir: ".topo/modules/p.a".into(),
        }]
        .into_iter()
        .collect();
        let path: [Arc<str>; 1] = ["p".into()];
        let look = |name: &str, source: &str, version: Option<&str>| match place(
            &manifest,
            &path,
            &name.into(),
            source,
            version,
        ) {
            Ok(Place::Local(p) | Place::Installed(p)) => p,
            Err(d) => d.summary,
        };
        assert_eq!(look("q", "./q//r", None), "./q/r");
        assert_eq!(look("a", "x/y/z", None), ".topo/modules/p.a");
        assert_eq!(look("a", "x/y/z", Some("~> 1.0")), ".topo/modules/p.a");
        assert_eq!(
            look("a", "x/y/z", Some("~> 2.0")),
            "Module version requirements have changed"
        );
        assert_eq!(look("a", "x/y/w", None), "Module source has changed");
        assert_eq!(look("b", "x/y/z", None), "Module not installed");
        assert_eq!(look("b", "x", None), "Invalid module source address");
        assert_eq!(look("b", "./x", Some("1")), "Invalid module version");
    }
}
