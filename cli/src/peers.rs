//! Flags of the peers that have nothing to do in topo, so that scripts written for the peers run:
//! what changes nothing is passed over, what cannot be done here is refused with the reason. They
//! are in no command's help.

use clap::{Arg, ArgAction, ArgMatches, Command};
use topo_sdk::Diagnostics;

use crate::switch::Switch;

/// What becomes of a flag.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// Nothing: whatever it asks for is so anyway.
    PassedOver,
    /// It is refused, but for these values. Then why, and what to do instead.
    Refused(&'static [&'static str], &'static str),
}

/// How a flag is written.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// `-flag`, `-flag=false`
    Switch,
    /// `-flag=VALUE`, `-flag VALUE`
    Value,
}

/// Commands that take a flag, each by its names with a space between; the flag; what it does.
struct Group {
    commands: &'static [&'static str],
    flags: &'static [(&'static str, Form, Fate)],
}

use Fate::{PassedOver, Refused};
use Form::{Switch as OnOff, Value};

const STATE: &str = "topo's state is no file that could be chosen: it is kept under .topo, each workspace has its own. `topo state push FILE` takes a state file over, `topo state pull` writes one.";

const BACKUP: &str = "topo writes no backup file: a change of the state is made as a whole or not at all. `topo state pull > FILE` before it keeps a copy.";

const RUNS: &[&str] = &["plan", "apply", "destroy", "refresh"];

const CHANGES_STATE: &[&str] = &[
    "apply",
    "destroy",
    "refresh",
    "import",
    "taint",
    "untaint",
    "state mv",
    "state rm",
    "state replace-provider",
];

const GROUPS: &[Group] = &[
    // Where there is a file to look into, `-state` is a flag of the command's own.
    Group {
        commands: CHANGES_STATE,
        flags: &[
            ("state", Value, Refused(&[], STATE)),
            ("state-out", Value, Refused(&[], STATE)),
            ("backup", Value, Refused(&["-"], BACKUP)),
            ("backup-out", Value, Refused(&["-"], BACKUP)),
            ("ignore-remote-version", OnOff, PassedOver),
        ],
    },
    Group {
        commands: &["plan"],
        flags: &[("state", Value, Refused(&[], STATE))],
    },
    Group {
        commands: RUNS,
        flags: &[("deprecation", Value, PassedOver)],
    },
    // A refresh asks nobody, and reads.
    Group {
        commands: &["refresh"],
        flags: &[
            ("auto-approve", OnOff, PassedOver),
            ("refresh", OnOff, PassedOver),
            ("refresh-only", OnOff, PassedOver),
        ],
    },
    // Nothing is asked, providers are built in, and the state is always beside the configuration.
    Group {
        commands: &["init"],
        flags: &[
            ("input", OnOff, PassedOver),
            ("backend", OnOff, PassedOver),
            ("cloud", OnOff, PassedOver),
            ("backend-config", Value, PassedOver),
            ("force-copy", OnOff, PassedOver),
            ("migrate-state", OnOff, PassedOver),
            ("reconfigure", OnOff, PassedOver),
            ("plugin-dir", Value, PassedOver),
            ("lockfile", Value, PassedOver),
            ("lock", OnOff, PassedOver),
            ("lock-timeout", Value, PassedOver),
            ("ignore-remote-version", OnOff, PassedOver),
            (
                "from-module",
                Value,
                Refused(
                    &[],
                    "topo init does not copy a module into this directory. Fetch its files first, as with git clone, and run topo init then.",
                ),
            ),
        ],
    },
    Group {
        commands: &["init", "get", "validate"],
        flags: &[("test-directory", Value, PassedOver)],
    },
    Group {
        commands: &["validate"],
        flags: &[("no-tests", OnOff, PassedOver)],
    },
    Group {
        commands: &["providers"],
        flags: &[("test-directory", Value, PassedOver)],
    },
    Group {
        commands: &["providers lock", "providers mirror"],
        flags: &[
            ("platform", Value, PassedOver),
            ("fs-mirror", Value, PassedOver),
            ("net-mirror", Value, PassedOver),
            ("enable-plugin-cache", OnOff, PassedOver),
            ("lock-file", OnOff, PassedOver),
        ],
    },
    Group {
        commands: &["import"],
        flags: &[
            ("parallelism", Value, PassedOver),
            (
                "config",
                Value,
                Refused(
                    &[".", "./"],
                    "topo import works on the configuration of the working directory. `topo -chdir=DIR import` works in another one.",
                ),
            ),
        ],
    },
    Group {
        commands: &["graph"],
        flags: &[
            ("draw-cycles", OnOff, PassedOver),
            ("verbose", OnOff, PassedOver),
            ("module-depth", Value, PassedOver),
            (
                "type",
                Value,
                Refused(
                    &["", "plan"],
                    "topo graph draws one graph: that of the configuration, which every plan follows.",
                ),
            ),
            (
                "plan",
                Value,
                Refused(
                    &[],
                    "topo graph draws the graph of the configuration. `topo show FILE` shows what is in a saved plan.",
                ),
            ),
        ],
    },
    Group {
        commands: &["console"],
        flags: &[(
            "plan",
            OnOff,
            Refused(
                &["false"],
                "topo console works with the state as it is. `topo plan` shows what values would become.",
            ),
        )],
    },
    Group {
        commands: &["test"],
        flags: &[
            ("compact-warnings", OnOff, PassedOver),
            ("consolidate-warnings", OnOff, PassedOver),
            ("consolidate-errors", OnOff, PassedOver),
            (
                "cloud-run",
                Value,
                Refused(&[], "topo runs tests on this machine only."),
            ),
        ],
    },
    // What is installed and where the state is never depends on a variable.
    Group {
        commands: &[
            "init",
            "get",
            "validate",
            "graph",
            "output",
            "show",
            "taint",
            "untaint",
            "force-unlock",
            "providers",
            "providers schema",
            "providers lock",
            "providers mirror",
            "state list",
            "state show",
            "state mv",
            "state rm",
            "state pull",
            "state push",
            "state replace-provider",
            "workspace list",
            "workspace new",
            "workspace select",
            "workspace delete",
        ],
        flags: &[("var", Value, PassedOver), ("var-file", Value, PassedOver)],
    },
];

/// With the flags of the peers where a command has none of the name.
#[must_use]
pub fn accept(mut program: Command) -> Command {
    for group in GROUPS {
        for names in group.commands {
            let path: Vec<&str> = names.split(' ').collect();
            program = at(program, &path, &|command| with(command, group.flags));
        }
    }
    program
}

fn at(command: Command, path: &[&str], change: &dyn Fn(Command) -> Command) -> Command {
    match path {
        [] => change(command),
        [name, rest @ ..] => command.mut_subcommand(*name, |sub| at(sub, rest, change)),
    }
}

fn with(mut command: Command, flags: &[(&'static str, Form, Fate)]) -> Command {
    for (name, form, _) in flags {
        if command.get_arguments().any(|a| a.get_long() == Some(name)) {
            continue;
        }
        let arg = Arg::new(*name).long(*name).hide(true);
        command = command.arg(match form {
            OnOff => arg.switch(false),
            Value => arg.action(ArgAction::Append),
        });
    }
    command
}

/// Refuses what cannot be done.
///
/// # Errors
/// For each flag that was given and has nothing to stand on here, with the reason.
pub fn refuse(matches: &ArgMatches) -> Result<(), Diagnostics> {
    let mut names = Vec::new();
    let mut leaf = matches;
    while let Some((name, inner)) = leaf.subcommand() {
        names.push(name);
        leaf = inner;
    }
    let command = names.join(" ");
    let mut refused = Diagnostics::new();
    let groups = GROUPS.iter().filter(|g| g.commands.contains(&&*command));
    for (name, form, fate) in groups.flat_map(|g| g.flags) {
        let Refused(allowed, why) = fate else {
            continue;
        };
        let given = given(leaf, name, *form);
        if given.iter().any(|value| !allowed.contains(&value.as_str())) {
            refused.extend(Diagnostics::error(
                format!("topo {command} has no -{name}"),
                *why,
            ));
        }
    }
    if refused.has_errors() {
        return Err(refused);
    }
    Ok(())
}

/// What a flag was given, unless the command has one of its own of that name.
fn given(matches: &ArgMatches, name: &str, form: Form) -> Vec<String> {
    match form {
        OnOff => match matches.try_get_one::<bool>(name) {
            Ok(Some(value)) => vec![value.to_string()],
            _ => Vec::new(),
        },
        Value => match matches.try_get_many::<String>(name) {
            Ok(Some(values)) => values.cloned().collect(),
            _ => Vec::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::commands::Cli;

    #[test]
    fn every_command_of_the_table_takes_its_flags() {
        let program = accept(Cli::command());
        program.clone().debug_assert();
        for group in GROUPS {
            for names in group.commands {
                let mut path = names.split(' ');
                let command = path.try_fold(&program, |c, name| c.find_subcommand(name));
                let command = command.unwrap_or_else(|| panic!("no command {names}"));
                for (name, ..) in group.flags {
                    let mut all = command.get_arguments();
                    assert!(all.any(|a| a.get_long() == Some(name)), "{names} -{name}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused_with_the_reason() {
        let refused = |line: &[&str]| {
            let matches = accept(Cli::command()).try_get_matches_from(line).unwrap();
            refuse(&matches).err().map(|d| d.to_string())
        };
        let said = refused(&["topo", "apply", "--state=x", "--backup=-"]).unwrap();
        assert!(
            said.contains("topo apply has no -state") && said.contains("state push"),
            "{said}"
        );
        assert!(!said.contains("-backup"), "{said}");
        let said = refused(&["topo", "state", "rm", "--backup=b", "a.b"]).unwrap();
        assert!(said.contains("topo state rm has no -backup"), "{said}");
        assert_eq!(
            refused(&["topo", "graph", "--type=plan", "--draw-cycles"]),
            None
        );
        assert_eq!(
            refused(&["topo", "init", "--backend-config=a=b", "--lock=false"]),
            None
        );
        assert!(refused(&["topo", "init", "--from-module=x"]).is_some());
        assert!(refused(&["topo", "console", "--plan"]).is_some());
        assert_eq!(refused(&["topo", "console"]), None);
    }
}
