//! The command line before clap sees it: the peers write long flags with one dash
//! (`-auto-approve`) and take more arguments from the environment (`TF_CLI_ARGS`).
//!
//! A token that begins with a dash and two letters becomes a long flag. The value of a flag that
//! takes one is joined to it by `=`, so that a value may itself begin with a dash (`-var -x=1`
//! is one flag and its value, whatever the value looks like). A flag without a value may be given
//! one all the same, as with the peers: `-json=true` is `-json`, `-json=false` is as if it had not
//! been written.

use clap::{Arg, ArgAction, Command};

use crate::switch::truth;

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
    let mut line = Line::new(command);
    let mut args = args.into_iter();
    line.out.extend(args.next());
    line.read(args);
    let names: Vec<&str> = line.path.iter().skip(1).map(|c| c.get_name()).collect();
    if names.is_empty() {
        return Ok(line.out);
    }
    let specific = format!("{EVERY}_{}", names.join("_").replace('-', "_"));
    let mut extra = line.behind();
    for variable in [EVERY, &specific] {
        if let Some(text) = environment(variable) {
            let words = split_words(&text)
                .ok_or_else(|| format!("{variable} has a quote that is not closed: {text}"))?;
            extra.read(words.into_iter());
        }
    }
    // What is written on the command line comes after what the environment adds.
    extra.out.retain(|word| !line.off.contains(word));
    let (mut all, end, extra) = (line.out, line.end, extra.out);
    all.splice(end..end, extra);
    Ok(all)
}

/// A command line as far as it has been read.
struct Line<'a> {
    /// The program, and the commands that lead to what is to be done.
    path: Vec<&'a Command>,
    /// Whether the next word may be the name of a command.
    descends: bool,
    out: Vec<String>,
    /// Where in `out` the command's own arguments begin.
    end: usize,
    /// Flags that are said not to be meant.
    off: Vec<String>,
}

impl<'a> Line<'a> {
    fn new(program: &'a Command) -> Line<'a> {
        Line {
            path: vec![program],
            descends: true,
            out: Vec::new(),
            end: 0,
            off: Vec::new(),
        }
    }

    /// An empty one for more arguments of the same command.
    fn behind(&self) -> Line<'a> {
        Line {
            path: self.path.clone(),
            descends: false,
            out: Vec::new(),
            end: 0,
            off: Vec::new(),
        }
    }

    fn read(&mut self, mut words: impl Iterator<Item = String>) {
        while let Some(word) = words.next() {
            if word == "--" {
                self.out.push(word);
                self.out.extend(words);
                return;
            }
            match flag_name(&word) {
                Some(name) => {
                    let arg = self.flag(name);
                    self.take_flag(&word, arg, &mut words);
                }
                None => self.take_word(word),
            }
        }
    }

    /// What is known of a flag of the command.
    fn flag(&self, name: &str) -> Option<&'a Arg> {
        let known = self.path.iter().rev().flat_map(|c| c.get_arguments());
        let mut known = known.filter(|a| a.get_long().is_some());
        known.find(|a| {
            let mut aliases = a.get_all_aliases().into_iter().flatten();
            a.get_long() == Some(name) || aliases.any(|alias| alias == name)
        })
    }

    fn take_flag(
        &mut self,
        word: &str,
        arg: Option<&Arg>,
        words: &mut impl Iterator<Item = String>,
    ) {
        let flag = format!("--{}", word.trim_start_matches('-'));
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name.to_string(), Some(value)),
            None => (flag.clone(), None),
        };
        match (arg, value) {
            (Some(arg), None) if takes_next(arg) => match words.next() {
                Some(value) => self.out.push(format!("{flag}={value}")),
                None => self.out.push(flag),
            },
            (Some(arg), Some(value)) if matches!(arg.get_action(), ArgAction::SetTrue) => {
                match truth(value) {
                    Some(true) => self.out.push(name),
                    Some(false) => self.take_back(&name),
                    // What is wrong with it clap says.
                    None => self.out.push(flag),
                }
            }
            _ => self.out.push(flag),
        }
    }

    /// The last that is said of a flag counts.
    fn take_back(&mut self, flag: &str) {
        let before_end = self.out.iter().take(self.end).filter(|w| *w == flag);
        self.end -= before_end.count();
        self.out.retain(|w| w != flag);
        self.off.push(flag.to_string());
    }

    fn take_word(&mut self, word: String) {
        let sub = self.path.last().and_then(|c| c.find_subcommand(&word));
        self.out.push(word);
        match sub {
            Some(sub) if self.descends => {
                self.path.push(sub);
                self.end = self.out.len();
            }
            _ => self.descends = false,
        }
    }
}

/// Whether a flag takes the next word for its value.
fn takes_next(arg: &Arg) -> bool {
    arg.get_action().takes_values() && !arg.is_require_equals_set()
}

/// The name of a long flag, written with one dash or two; `None` for anything else.
fn flag_name(arg: &str) -> Option<&str> {
    let name = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-'))?;
    let name = name.split('=').next()?;
    let letters = name.chars().take(2).all(|c| c.is_ascii_alphabetic());
    (name.len() >= 2 && letters).then_some(name)
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
        // What follows a switch is never its value.
        assert_eq!(
            prepared(&["topo", "apply", "-auto-approve", "false"], &[]),
            ["topo", "apply", "--auto-approve", "false"]
        );
        assert_eq!(
            prepared(&["topo", "show", "--", "-json"], &[]),
            ["topo", "show", "--", "-json"]
        );
    }

    #[test]
    fn a_flag_may_say_whether_it_is_meant() {
        for (line, read) in [
            (
                &["topo", "show", "-json=true"][..],
                &["topo", "show", "--json"][..],
            ),
            (&["topo", "show", "-json=0"], &["topo", "show"]),
            (&["topo", "show", "-json", "-json=false"], &["topo", "show"]),
            (
                &["topo", "show", "-json=false", "-json"],
                &["topo", "show", "--json"],
            ),
            (
                &["topo", "-no-color", "show", "-no-color=false", "f"],
                &["topo", "show", "f"],
            ),
            (
                &["topo", "show", "-json=maybe"],
                &["topo", "show", "--json=maybe"],
            ),
        ] {
            assert_eq!(prepared(line, &[]), read, "{line:?}");
        }
        let environment = [("TF_CLI_ARGS_show", "-json")];
        assert_eq!(
            prepared(
                &["topo", "-no-color", "show", "-no-color=f", "x"],
                &environment
            ),
            ["topo", "show", "--json", "x"]
        );
        assert_eq!(
            prepared(&["topo", "show", "-json=false"], &environment),
            ["topo", "show"]
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
