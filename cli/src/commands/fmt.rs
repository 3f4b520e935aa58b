//! `topo fmt`

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use clap::Args;
use similar::TextDiff;
use topo_engine::lang::fmt::format;
use topo_engine::lang::source::SourceFile;
use topo_engine::lang::syntax::parse_body;
use topo_sdk::{Diagnostic, Diagnostics};

use crate::context::{Context, Exit};
use crate::switch::Switch;

/// What the names of files in the language's native syntax end with.
const NAMES: [&str; 6] = [
    ".tf",
    ".tofu",
    ".tfvars",
    ".tftest.hcl",
    ".tofutest.hcl",
    ".tfmock.hcl",
];

/// Rewrite configuration files in the canonical style
///
/// Works on configurations, files of variables and tests in the native syntax; JSON is left
/// alone. Exits with 3 when -check finds something to format, with 2 on errors.
#[derive(Debug, Args)]
pub struct FmtArgs {
    /// Files and directories, or - for standard input; without any, the working directory
    #[arg(value_name = "TARGET")]
    pub targets: Vec<PathBuf>,
    /// List the files that are not formatted (never for standard input)
    #[arg(long, switch = true)]
    pub list: bool,
    /// Write the files (never with -check or for standard input)
    #[arg(long, switch = true)]
    pub write: bool,
    /// Show what changes
    #[arg(long, switch = false)]
    pub diff: bool,
    /// Only look whether everything is formatted
    #[arg(long, switch = false)]
    pub check: bool,
    /// Directories within directories as well
    #[arg(long, switch = false)]
    pub recursive: bool,
}

pub fn run(context: &Context, args: &FmtArgs) -> Exit {
    let stdin = args.targets.first().is_some_and(|t| t.as_os_str() == "-");
    let mut run = Run {
        context,
        list: args.check || (args.list && !stdin),
        write: args.write && !args.check && !stdin,
        diff: args.diff,
        recursive: args.recursive,
        held: args.check.then(Vec::new),
        sources: BTreeMap::new(),
        diagnostics: Diagnostics::new(),
    };
    if stdin {
        run.stdin();
    } else if args.targets.is_empty() {
        run.directory(Path::new("."));
    } else {
        run.targets(&args.targets);
    }
    if !run.diagnostics.is_empty() {
        context
            .ui
            .diagnostics(&run.diagnostics, &|file| run.sources.get(file).cloned());
        return Ok(2);
    }
    let Some(held) = run.held.take() else {
        return Ok(0);
    };
    if args.list && !stdin {
        held.iter().for_each(|text| run.say(text));
    }
    Ok(if held.is_empty() { 0 } else { 3 })
}

struct Run<'a> {
    context: &'a Context,
    list: bool,
    write: bool,
    diff: bool,
    recursive: bool,
    /// With `-check`, what there is to say is kept until everything has been looked at.
    held: Option<Vec<String>>,
    /// The texts of files with errors, to show excerpts of.
    sources: BTreeMap<String, String>,
    diagnostics: Diagnostics,
}

impl Run<'_> {
    fn targets(&mut self, targets: &[PathBuf]) {
        for target in targets {
            let path = from_here(target);
            let Ok(metadata) = path.metadata() else {
                self.error(
                    "No such file or directory",
                    format!("There is nothing at {}.", path.display()),
                );
                return;
            };
            if metadata.is_dir() {
                self.directory(&path);
            } else if formattable(&path) {
                self.file(&path);
            } else {
                self.error(
                    "Not a file to format",
                    format!(
                        "The name of {} does not end with any of {}.",
                        path.display(),
                        NAMES.join(", ")
                    ),
                );
            }
        }
    }

    /// What is in a directory, by name. Hidden files and those that editors leave behind are
    /// passed over.
    fn directory(&mut self, directory: &Path) {
        let entries = std::fs::read_dir(directory).and_then(|entries| {
            entries
                .map(|entry| entry.and_then(|e| Ok((e.file_name(), e.file_type()?))))
                .collect::<Result<Vec<_>, _>>()
        });
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(e) => {
                let name = directory.display();
                return self.error("Cannot read directory", format!("{name}: {e}."));
            }
        };
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, kind) in entries {
            if ignored(&name) {
                continue;
            }
            let path = from_here(&directory.join(&name));
            if kind.is_dir() {
                if self.recursive {
                    self.directory(&path);
                }
            } else if formattable(&path) {
                self.file(&path);
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let name = path.display().to_string();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) => return self.error("Cannot read file", format!("{name}: {e}.")),
        };
        let Some((text, formatted)) = self.format(&name, bytes) else {
            return;
        };
        if text != formatted {
            if self.list {
                self.say(&name);
            }
            if self.write
                && let Err(e) = std::fs::write(path, &formatted)
            {
                return self.error("Cannot write file", format!("{name}: {e}."));
            }
            self.show_diff(&name, &text, &formatted);
        }
        if !self.list && !self.write && !self.diff {
            self.say(&formatted);
        }
    }

    fn stdin(&mut self) {
        let name = "<stdin>";
        let mut bytes = Vec::new();
        if let Err(e) = std::io::stdin().lock().read_to_end(&mut bytes) {
            return self.error("Cannot read standard input", format!("{e}."));
        }
        let Some((text, formatted)) = self.format(name, bytes) else {
            return;
        };
        if text != formatted {
            if self.list {
                self.say(name);
            }
            self.show_diff(name, &text, &formatted);
        }
        if !self.list && !self.diff {
            self.say(&formatted);
        }
    }

    /// The text of a file and what it is to be; `None` when it is no configuration, which is
    /// said.
    fn format(&mut self, name: &str, bytes: Vec<u8>) -> Option<(String, String)> {
        let Ok(text) = String::from_utf8(bytes) else {
            self.error(
                "Invalid character encoding",
                format!("{name} is not UTF-8, as every file must be."),
            );
            return None;
        };
        let file = SourceFile::new(name, text);
        if let Err(e) = parse_body(&file) {
            self.diagnostics.push(*e);
            self.sources.insert(name.to_string(), file.text.clone());
            return None;
        }
        let formatted = format(&file.text);
        // What cannot be read back is never written.
        if formatted != file.text && parse_body(&SourceFile::new(name, formatted.clone())).is_err()
        {
            self.error(
                "Cannot format",
                format!("{name} would not be valid any more; this is a mistake in topo. The file is left as it is."),
            );
            return None;
        }
        let text = file.text.clone();
        Some((text, formatted))
    }

    fn show_diff(&mut self, name: &str, before: &str, after: &str) {
        if self.diff {
            let diff = TextDiff::from_lines(before, after)
                .unified_diff()
                .header(&format!("old/{name}"), &format!("new/{name}"))
                .to_string();
            self.say(&diff);
        }
    }

    /// Says something on lines of its own.
    fn say(&mut self, text: &str) {
        match &mut self.held {
            Some(held) => held.push(text.to_string()),
            None => {
                let text = text.strip_suffix('\n').unwrap_or(text);
                self.context.ui.raw(&format!("{text}\n"));
            }
        }
    }

    fn error(&mut self, summary: &str, detail: String) {
        self.diagnostics.push(Diagnostic::error(summary, detail));
    }
}

fn formattable(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    NAMES.iter().any(|end| name.ends_with(end))
}

fn ignored(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'))
}

/// A path in its shortest form, seen from the working directory.
fn from_here(path: &Path) -> PathBuf {
    let Ok(here) = std::env::current_dir() else {
        return path.to_path_buf();
    };
    let target = cleaned(&here.join(path));
    let mut base = here.as_path();
    let mut out = PathBuf::new();
    loop {
        if let Ok(rest) = target.strip_prefix(base) {
            out.push(rest);
            break;
        }
        out.push("..");
        match base.parent() {
            Some(parent) => base = parent,
            None => return target,
        }
    }
    if out.as_os_str().is_empty() {
        out.push(".");
    }
    out
}

/// Without `.` and `..`, by the letter of the path.
fn cleaned(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}
