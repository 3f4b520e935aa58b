//! Where values of input variables come from: the environment, files beside the configuration,
//! flags. The order is the published one; later wins.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use topo_engine::variables::{GivenBy, Inputs};
use topo_sdk::Diagnostics;

/// `-var` or `-var-file`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableFlag {
    /// `NAME=VALUE`
    Assign(String),
    /// A file of values.
    File(PathBuf),
}

/// The variable flags of a command in the order in which they were given.
pub fn flags(matches: &ArgMatches) -> Vec<VariableFlag> {
    let mut leaf = matches;
    while let Some((_, inner)) = leaf.subcommand() {
        leaf = inner;
    }
    let mut found: Vec<(usize, VariableFlag)> = Vec::new();
    if let Ok(Some(values)) = leaf.try_get_many::<String>("var") {
        let indices = leaf.indices_of("var").into_iter().flatten();
        found.extend(indices.zip(values.cloned().map(VariableFlag::Assign)));
    }
    if let Ok(Some(values)) = leaf.try_get_many::<PathBuf>("var_file") {
        let indices = leaf.indices_of("var_file").into_iter().flatten();
        found.extend(indices.zip(values.cloned().map(VariableFlag::File)));
    }
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, flag)| flag).collect()
}

/// All values that are given: `TF_VAR_*`, `terraform.tfvars`, `terraform.tfvars.json`,
/// `*.auto.tfvars` and `*.auto.tfvars.json` by name, then flags.
///
/// # Errors
/// A flag without `=`, a file that cannot be read.
pub fn gather(flags: &[VariableFlag]) -> Result<Inputs, Diagnostics> {
    gather_from(&[Path::new(".")], flags)
}

/// As [`gather`], with the files of several directories, one after the other.
///
/// # Errors
/// A flag without `=`, a file that cannot be read.
pub fn gather_from(dirs: &[&Path], flags: &[VariableFlag]) -> Result<Inputs, Diagnostics> {
    let mut inputs = Inputs::default();
    let mut environment: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?)))
        .filter_map(|(n, v)| Some((n.strip_prefix("TF_VAR_")?.to_string(), v)))
        .collect();
    environment.sort();
    for (name, text) in &environment {
        inputs.add_env(name, text);
    }
    for file in dirs.iter().flat_map(|dir| definition_files(dir)) {
        add_file(&mut inputs, &file, GivenBy::Definitions)?;
    }
    add_flags(&mut inputs, flags)?;
    Ok(inputs)
}

fn add_flags(inputs: &mut Inputs, flags: &[VariableFlag]) -> Result<(), Diagnostics> {
    for flag in flags {
        match flag {
            VariableFlag::File(file) => add_file(inputs, file, GivenBy::Run)?,
            VariableFlag::Assign(text) => {
                let Some((name, value)) = text.split_once('=') else {
                    return Err(Diagnostics::error(
                        "Invalid -var",
                        format!(
                            "{text:?} is not of the form NAME=VALUE, as in -var 'region=eu-west-1'."
                        ),
                    ));
                };
                inputs.add_flag(name.trim(), value);
            }
        }
    }
    Ok(())
}

fn add_file(inputs: &mut Inputs, file: &Path, by: GivenBy) -> Result<(), Diagnostics> {
    let text = std::fs::read_to_string(file).map_err(|e| {
        Diagnostics::error(
            "Cannot read variable definitions",
            format!("{}: {e}.", file.display()),
        )
    })?;
    let name = file.strip_prefix(".").unwrap_or(file);
    inputs.add_file(&name.to_string_lossy(), text, by);
    Ok(())
}

/// The files of definitions that are read without being asked for, in their order.
fn definition_files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = ["terraform.tfvars", "terraform.tfvars.json"]
        .iter()
        .map(|name| dir.join(name))
        .filter(|file| file.is_file())
        .collect();
    let mut automatic: Vec<PathBuf> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
            name.is_some_and(|n| n.ends_with(".auto.tfvars") || n.ends_with(".auto.tfvars.json"))
        })
        .collect();
    automatic.sort();
    files.extend(automatic);
    files
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::commands::Cli;

    #[test]
    fn flags_keep_their_order() {
        let matches = Cli::command()
            .try_get_matches_from(["topo", "plan", "--var=a=1", "--var-file=f", "--var=a=2"])
            .unwrap();
        assert_eq!(
            flags(&matches),
            [
                VariableFlag::Assign("a=1".into()),
                VariableFlag::File("f".into()),
                VariableFlag::Assign("a=2".into()),
            ]
        );
        let matches = Cli::command()
            .try_get_matches_from(["topo", "state", "list"])
            .unwrap();
        assert_eq!(flags(&matches), []);
    }

    #[test]
    fn automatic_files_come_in_their_order() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "b.auto.tfvars",
            "a.auto.tfvars.json",
            "terraform.tfvars",
            "x.tfvars",
        ] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let names: Vec<String> = definition_files(dir.path())
            .iter()
            .map(|p| p.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(
            names,
            ["terraform.tfvars", "a.auto.tfvars.json", "b.auto.tfvars"]
        );
    }
}
