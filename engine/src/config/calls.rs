//! Module calls by themselves: what a module calls, read without schemas, for the installer; and
//! where the loader finds what a call names.
//!
//! Nothing is fetched here. [`module_calls`] reads only `module` blocks, so that modules can be
//! installed before the configuration can be loaded whole.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use topo_sdk::{Diagnostic, Diagnostics, SourceRange};

use super::Sources;
use super::files;
use super::manifest::{Manifest, key};
use super::source::ModuleSource;
use super::types::constant;
use crate::lang::structure::Block;

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
/// files are added to `sources`. What is wrong with anything but calls is left to the loader.
pub fn module_calls(dir: &Path, shown: &str, sources: &mut Sources) -> ModuleCalls {
    let mut found = ModuleCalls::default();
    let names = match files::find(dir) {
        Ok(names) => names,
        Err(detail) => {
            let d = Diagnostic::error("Unreadable module directory", detail);
            found.diagnostics.push(d);
            return found;
        }
    };
    let mut parse = |names: Vec<String>| {
        files::parse(dir, shown, names, &mut found.diagnostics, &mut |file| {
            sources.add(file.clone());
        })
    };
    let (primary, overrides) = (parse(names.primary), parse(names.overrides));
    let merged = files::merge(&primary, &overrides, &mut Diagnostics::new());
    for block in merged.blocks.iter().filter(|b| b.kind == "module") {
        if let Some(call) = module_call(block, &mut found.diagnostics) {
            found.calls.entry(call.name.clone()).or_insert(call);
        }
    }
    found
}

/// Reads one block; one that has no source, or none that is constant, calls nothing.
fn module_call(block: &Block<'_>, diagnostics: &mut Diagnostics) -> Option<ModuleCall> {
    let (name, _) = block.labels.first()?;
    let content = block.body.content(&[], &mut Diagnostics::new());
    let mut text = |name: &str| -> Option<(String, SourceRange)> {
        let a = content.get(name)?;
        let e = a.value.expression(&[], diagnostics);
        let value = constant(&e.expr.kind, &e, diagnostics);
        Some((value.as_str()?.to_string(), a.value.range()))
    };
    let (source, source_range) = text("source")?;
    let (version, version_range) = match text("version") {
        Some((version, range)) => (Some(version), range),
        None => (None, source_range.clone()),
    };
    Some(ModuleCall {
        name: (*name).into(),
        source,
        version,
        source_range,
        version_range,
    })
}

/// Whether there is any configuration in a directory.
pub fn has_configuration(dir: &Path) -> bool {
    files::find(dir).is_ok_and(|f| !f.primary.is_empty() || !f.overrides.is_empty())
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
