//! `fileset`: the files below a directory that a pattern matches.
//!
//! Patterns have `*` and `?` within a name, `**` for any number of directories, `[a-z]`, `[^a-z]`,
//! `{one,other}`, and a backslash before what is to stand for itself. Names that start with a dot
//! are like all others. Symbolic links are followed, as the peers do, but never round in a circle.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use topo_sdk::{Type, Value};

use super::ParamType as T;
use super::filesystem::clean;
use super::{Context, Function, FunctionError, Param, text};

/// The most patterns that the braces of one pattern may stand for.
const MAX_ALTERNATIVES: usize = 1_000;

/// The most entries of directories that one call looks at.
const MAX_ENTRIES: usize = 1_000_000;

pub(super) const FUNCTIONS: &[Function] = &[Function::new(
    "fileset",
    "The paths of the files below a directory that match a pattern.",
    &[
        Param::new("path", T::String, "The directory."),
        Param::new("pattern", T::String, "The pattern."),
    ],
    |_| Type::set(Type::String),
    fileset,
)];

fn fileset(ctx: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let (path, given) = (text(args, 0)?, text(args, 1)?);
    let invalid = |e: &str| FunctionError::at(1, format!("failed to glob pattern {given:?}: {e}"));
    let mut search = Search {
        found: BTreeSet::new(),
        entries: 0,
    };
    for pattern in alternatives(given).map_err(invalid)? {
        // Dots in the pattern lead up and away before anything is matched.
        let pattern = clean(&pattern);
        let mut names: Vec<&str> = pattern
            .split('/')
            .filter(|s| !s.is_empty() && *s != ".")
            .collect();
        names.dedup_by(|a, b| a == b && *a == "**");
        let segments = names
            .into_iter()
            .map(Segment::parse)
            .collect::<Result<Vec<_>, _>>()
            .map_err(invalid)?;
        search
            .walk(&ctx.base_dir.join(path), "", &segments, &mut Vec::new())
            .map_err(|e| FunctionError::at(0, format!("failed to search {path:?}: {e}")))?;
    }
    let files = search.found.iter().map(Value::string).collect();
    Ok(Value::set(Type::String, files))
}

/// One part of a pattern between slashes.
enum Segment {
    /// `**`
    Directories,
    /// A name without anything special in it.
    Name(String),
    Pattern(Vec<Token>),
}

enum Token {
    Char(char),
    /// `?`
    Any,
    /// `*`
    Many,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Segment {
    fn parse(text: &str) -> Result<Segment, &'static str> {
        if text == "**" {
            return Ok(Segment::Directories);
        }
        let mut tokens = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            tokens.push(match c {
                '*' => Token::Many,
                '?' => Token::Any,
                '\\' => Token::Char(chars.next().ok_or("a backslash at the end")?),
                '[' => {
                    let negated = chars.next_if(|c| matches!(c, '^' | '!')).is_some();
                    let mut ranges = Vec::new();
                    loop {
                        let low = class_bound(&mut chars)?;
                        let high = if chars.next_if_eq(&'-').is_some() {
                            class_bound(&mut chars)?
                        } else {
                            low
                        };
                        ranges.push((low, high));
                        if chars.next_if_eq(&']').is_some() {
                            break;
                        }
                    }
                    Token::Class { negated, ranges }
                }
                c => Token::Char(c),
            });
        }
        let name: Option<String> = tokens
            .iter()
            .map(|t| match t {
                Token::Char(c) => Some(*c),
                _ => None,
            })
            .collect();
        Ok(name.map_or(Segment::Pattern(tokens), Segment::Name))
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Segment::Directories => true,
            Segment::Name(n) => n == name,
            Segment::Pattern(tokens) => matches(tokens, name),
        }
    }
}

/// A character of a range in brackets.
fn class_bound(chars: &mut std::iter::Peekable<std::str::Chars>) -> Result<char, &'static str> {
    match chars.next() {
        Some('\\') => chars.next().ok_or("a bracket is not closed"),
        Some(']' | '-') => Err("a range in brackets lacks an end"),
        Some(c) => Ok(c),
        None => Err("a bracket is not closed"),
    }
}

/// Whether the tokens match the whole name; the last star is the only place to come back to, so
/// the time is at most the product of the lengths.
fn matches(tokens: &[Token], name: &str) -> bool {
    let chars: Vec<char> = name.chars().collect();
    let (mut t, mut c) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while c < chars.len() {
        let fits = match tokens.get(t) {
            Some(Token::Many) => {
                star = Some((t, c));
                t += 1;
                continue;
            }
            Some(Token::Any) => true,
            Some(Token::Char(x)) => *x == chars[c],
            Some(Token::Class { negated, ranges }) => {
                let inside = ranges.iter().any(|(a, b)| (*a..=*b).contains(&chars[c]));
                inside != *negated
            }
            None => false,
        };
        if fits {
            t += 1;
            c += 1;
        } else if let Some((st, sc)) = star {
            t = st + 1;
            c = sc + 1;
            star = Some((st, c));
        } else {
            return false;
        }
    }
    tokens[t..].iter().all(|t| matches!(t, Token::Many))
}

struct Search {
    found: BTreeSet<String>,
    entries: usize,
}

impl Search {
    /// Adds the files below a directory that the segments match. `above` are the directories on
    /// the way here, to see when a link leads back to one of them.
    fn walk(
        &mut self,
        dir: &Path,
        prefix: &str,
        segments: &[Segment],
        above: &mut Vec<PathBuf>,
    ) -> Result<(), String> {
        let Some((first, rest)) = segments.split_first() else {
            return Ok(());
        };
        if let Segment::Name(name) = first {
            // Not listed, so that a directory that cannot be may still be passed through.
            return self.enter(&dir.join(name), &join(prefix, name), rest, above);
        }
        if matches!(first, Segment::Directories) && !rest.is_empty() {
            self.walk(dir, prefix, rest, above)?;
        }
        let Ok(listing) = fs::read_dir(dir) else {
            // What does not exist or may not be read has no files for us.
            return Ok(());
        };
        let own = fs::canonicalize(dir).map_err(|e| e.to_string())?;
        if above.contains(&own) && matches!(first, Segment::Directories) {
            return Ok(());
        }
        above.push(own);
        for entry in listing {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(format!("there are more than {MAX_ENTRIES} files"));
            }
            let name = entry.map_err(|e| e.to_string())?.file_name();
            let Some(name) = name.to_str() else { continue };
            if !first.matches(name) {
                continue;
            }
            let (path, shown) = (dir.join(name), join(prefix, name));
            if !matches!(first, Segment::Directories) {
                self.enter(&path, &shown, rest, above)?;
            } else if path.is_dir() {
                self.walk(&path, &shown, segments, above)?;
            } else if rest.is_empty() && path.is_file() {
                self.found.insert(shown);
            }
        }
        above.pop();
        Ok(())
    }

    /// A file at the end of the pattern is found; a directory before its end is searched.
    fn enter(
        &mut self,
        path: &Path,
        shown: &str,
        rest: &[Segment],
        above: &mut Vec<PathBuf>,
    ) -> Result<(), String> {
        if rest.is_empty() {
            if path.is_file() {
                self.found.insert(shown.to_string());
            }
            Ok(())
        } else {
            self.walk(path, shown, rest, above)
        }
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        name.to_string()
    } else {
        format!("{prefix}/{name}")
    }
}

/// The patterns without braces that a pattern with braces stands for.
fn alternatives(pattern: &str) -> Result<Vec<String>, &'static str> {
    let mut done = Vec::new();
    let mut open = vec![pattern.to_string()];
    while let Some(next) = open.pop() {
        let Some((before, choices, after)) = first_braces(&next)? else {
            done.push(next);
            continue;
        };
        if done.len() + open.len() + choices.len() > MAX_ALTERNATIVES {
            return Err("the braces stand for too many patterns");
        }
        open.extend(choices.iter().map(|c| format!("{before}{c}{after}")));
    }
    Ok(done)
}

type Braces<'a> = (&'a str, Vec<&'a str>, &'a str);

/// The first braces of a pattern: what is before them, their choices, and what is after them.
fn first_braces(pattern: &str) -> Result<Option<Braces<'_>>, &'static str> {
    let mut depth = 0usize;
    let (mut start, mut from) = (0, 0);
    let mut choices = Vec::new();
    let mut chars = pattern.char_indices();
    let mut class = false;
    while let Some((i, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '[' => class = true,
            ']' => class = false,
            _ if class => {}
            '{' => {
                if depth == 0 {
                    start = i;
                    from = i + 1;
                }
                depth += 1;
            }
            ',' if depth == 1 => {
                choices.push(&pattern[from..i]);
                from = i + 1;
            }
            '}' if depth == 1 => {
                choices.push(&pattern[from..i]);
                return Ok(Some((&pattern[..start], choices, &pattern[i + 1..])));
            }
            '}' if depth > 1 => depth -= 1,
            '}' => return Err("a brace is closed that is not open"),
            _ => {}
        }
    }
    if depth > 0 {
        return Err("a brace is not closed");
    }
    Ok(None)
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::testing::*;

    #[test]
    fn links_are_followed_but_not_in_circles() {
        let dir = tempfile::tempdir().unwrap();
        let sub = dir.path().join("sub");
        std::fs::create_dir(&sub).unwrap();
        std::fs::write(sub.join("a.txt"), "").unwrap();
        std::os::unix::fs::symlink("..", sub.join("up")).unwrap();
        std::os::unix::fs::symlink("sub", dir.path().join("link")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("broken")).unwrap();
        let found = run_in(dir.path(), "fileset", &[s("."), s("**/*.txt")]).unwrap();
        let names: Vec<&str> = found
            .as_slice()
            .unwrap()
            .iter()
            .filter_map(|v| v.as_str())
            .collect();
        assert_eq!(names, ["link/a.txt", "sub/a.txt"]);
        let found = run_in(dir.path(), "fileset", &[s("."), s("link/*")]).unwrap();
        assert_eq!(found.as_slice().unwrap().len(), 1);
    }

    #[test]
    fn braces_cannot_explode() {
        let bomb = "{a,b,c,d,e,f,g,h}".repeat(20);
        refuse(&[("fileset", &[s("."), s(&bomb)], "too many patterns")]);
    }
}
