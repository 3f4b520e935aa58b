//! The command line before clap sees it: the peers write long flags with one dash
//! (`-auto-approve`) and take more arguments from the environment (`TF_CLI_ARGS`).
//!
//! A token that begins with a dash and two letters becomes a long flag. The value of a flag that
//! takes one is joined to it by `=`, so that a value may itself begin with a dash (`-var -x=1`
//! is one flag and its value, whatever the value looks like).

use std::collections::BTreeSet;

use clap::Command;

/// Environment variables with arguments for every command.
const EVERY: &str = "TF_CLI_ARGS";

/// The arguments as clap understands them, with those from the environment put in behind the
/// command's name. The first is the program's name.
///
/// # Errors
/// When a variable of the environment has an unclosed quote.
pub fn prepare(
    args: Vec<String>,
    command: &Command,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<String>, String> {
    let valued = valued_flags(command);
    let args = two_dashes(args, &valued);
    let (end, names) = subcommand(&args, command);
    if names.is_empty() {
        return Ok(args);
    }
    let specific = format!("{EVERY}_{}", names.join("_").replace('-', "_"));
    let mut extra = Vec::new();
    for variable in [EVERY, &specific] {
        if let Some(text) = environment(variable) {
            let words = split_words(&text)
                .ok_or_else(|| format!("{variable} has a quote that is not closed: {text}"))?;
            extra.extend(words);
        }
    }
    let mut all = args;
    // The program's name in front keeps `two_dashes` from touching the first word.
    extra.insert(0, String::new());
    let extra = two_dashes(extra, &valued);
    all.splice(end..end, extra.into_iter().skip(1));
    Ok(all)
}

/// The long flags that take their value from the next token.
fn valued_flags(command: &Command) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = command
        .get_arguments()
        .filter(|a| a.get_action().takes_values() && !a.is_require_equals_set())
        .filter_map(|a| a.get_long().map(str::to_string))
        .collect();
    for sub in command.get_subcommands() {
        found.extend(valued_flags(sub));
    }
    found
}

fn two_dashes(args: Vec<String>, valued: &BTreeSet<String>) -> Vec<String> {
    let mut out = Vec::with_capacity(args.len());
    let mut rest = args.into_iter();
    out.extend(rest.next());
    while let Some(arg) = rest.next() {
        if arg == "--" {
            out.push(arg);
            out.extend(rest);
            break;
        }
        let Some(name) = flag_name(&arg) else {
            out.push(arg);
            continue;
        };
        let flag = format!("--{}", arg.trim_start_matches('-'));
        if valued.contains(name) && !arg.contains('=') {
            match rest.next() {
                Some(value) => out.push(format!("{flag}={value}")),
                None => out.push(flag),
            }
        } else {
            out.push(flag);
        }
    }
    out
}

/// The name of a long flag, written with one dash or two; `None` for anything else.
fn flag_name(arg: &str) -> Option<&str> {
    let name = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-'))?;
    let name = name.split('=').next()?;
    let letters = name.chars().take(2).all(|c| c.is_ascii_alphabetic());
    (name.len() >= 2 && letters).then_some(name)
}

/// Where the command's own arguments begin, and the names that lead to it.
fn subcommand(args: &[String], root: &Command) -> (usize, Vec<String>) {
    let mut command = root;
    let mut names = Vec::new();
    let mut end = 0;
    for (i, arg) in args.iter().enumerate().skip(1) {
        if arg.starts_with('-') {
            continue;
        }
        let Some(sub) = command.find_subcommand(arg) else {
            break;
        };
        names.push(sub.get_name().to_string());
        command = sub;
        end = i + 1;
    }
    (end, names)
}

/// Splits as a shell does, with single and double quotes and backslashes; `None` when a quote is
/// not closed.
fn split_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => word.push(chars.next()?),
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next()?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Some(words)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::commands::Cli;

    fn prepared(line: &[&str], environment: &[(&str, &str)]) -> Vec<String> {
        let args = line.iter().map(ToString::to_string).collect();
        let get = |name: &str| {
            environment
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| v.to_string())
        };
        prepare(args, &Cli::command(), &get).unwrap()
    }

    #[test]
    fn one_dash_is_as_good_as_two() {
        assert_eq!(
            prepared(
                &[
                    "topo",
                    "-chdir=x",
                    "apply",
                    "-auto-approve",
                    "--no-color",
                    "-out=p"
                ],
                &[]
            ),
            [
                "topo",
                "--chdir=x",
                "apply",
                "--auto-approve",
                "--no-color",
                "--out=p"
            ]
        );
    }

    #[test]
    fn values_are_left_alone() {
        assert_eq!(
            prepared(
                &["topo", "plan", "-var", "-x=-auto", "-var", "a=b", "-1"],
                &[]
            ),
            ["topo", "plan", "--var=-x=-auto", "--var=a=b", "-1"]
        );
        assert_eq!(
            prepared(&["topo", "plan", "-lock=false", "-refresh=false"], &[]),
            ["topo", "plan", "--lock=false", "--refresh=false"]
        );
        assert_eq!(
            prepared(&["topo", "show", "--", "-json"], &[]),
            ["topo", "show", "--", "-json"]
        );
    }

    #[test]
    fn the_environment_adds_behind_the_command() {
        let environment = [
            ("TF_CLI_ARGS", "-no-color"),
            ("TF_CLI_ARGS_plan", "-var 'a=b c'"),
            ("TF_CLI_ARGS_state_list", "-x"),
        ];
        assert_eq!(
            prepared(&["topo", "-chdir=d", "plan", "-out=p"], &environment),
            [
                "topo",
                "--chdir=d",
                "plan",
                "--no-color",
                "--var=a=b c",
                "--out=p"
            ]
        );
        assert_eq!(
            prepared(
                &["topo", "-chdir", "plan", "state", "list", "a.b"],
                &environment
            )[2..],
            ["state", "list", "--no-color", "-x", "a.b"]
        );
    }

    #[test]
    fn words_split_as_in_a_shell() {
        assert_eq!(
            split_words(r#"a 'b c' "d\"e" f\ g ''"#).unwrap(),
            ["a", "b c", "d\"e", "f g", ""]
        );
        assert_eq!(split_words("'a"), None);
    }

    #[test]
    fn the_definition_of_the_commands_is_consistent() {
        Cli::command().debug_assert();
    }
}
