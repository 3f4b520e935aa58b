//! Regular expressions: `regex`, `regexall` and `replace`.
//!
//! The notation is the peers', which [`super::regex_syntax`] rewrites to that of the `regex` crate.

use regex::{Captures, RegexBuilder};
use topo_sdk::{Type, Value};

use super::ParamType as T;
use super::regex_syntax::translate;
use super::string::MAX_TEXT;
use super::{Context, Function, FunctionError, Param, later, returns_any, returns_string, text};

/// The most memory that one compiled pattern may take, in bytes.
const MAX_PROGRAM: usize = 8 << 20;

const PATTERN: Param = Param::new("pattern", T::String, "The regular expression.");
const STRING: Param = Param::new("string", T::String, "The text.").unknown();

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "regex",
        "The first match of a regular expression, or its captures.",
        &[PATTERN, STRING],
        returns_any,
        first_match,
    ),
    Function::new(
        "regexall",
        "Every match of a regular expression.",
        &[PATTERN, STRING],
        |_| Type::list(Type::Dynamic),
        all_matches,
    ),
    Function::new(
        "replace",
        "A text with a substring, or what matches a /regular expression/, replaced.",
        &[
            Param::new("str", T::String, "The text."),
            Param::new("substr", T::String, "What to replace."),
            Param::new("replace", T::String, "What to put there."),
        ],
        returns_string,
        replace,
    ),
];

/// A compiled pattern, and the names of its groups from the first on.
struct Regex {
    regex: regex::Regex,
    names: Vec<Option<String>>,
}

fn compile(pattern: &str, argument: usize) -> Result<Regex, FunctionError> {
    let fail = |e: &str| FunctionError::at(argument, format!("invalid regexp pattern: {e}"));
    let translated = translate(pattern).map_err(|e| fail(&e))?;
    let regex = RegexBuilder::new(&translated.pattern)
        .size_limit(MAX_PROGRAM)
        .build()
        .map_err(|e| match e {
            regex::Error::CompiledTooBig(_) => fail("the pattern is too large"),
            // The last line says what is wrong; those before show the rewritten pattern.
            other => fail(
                other
                    .to_string()
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: "),
            ),
        })?;
    Ok(Regex {
        regex,
        names: translated.names,
    })
}

impl Regex {
    /// A match in the form that the pattern's groups ask for: the text where there are none, a
    /// tuple of captures, or an object where they have names.
    fn shape(&self, captures: &Captures) -> Value {
        let group = |i: usize| {
            captures
                .get(i)
                .map_or_else(|| Value::null(Type::String), |m| m.as_str().into())
        };
        if self.names.is_empty() {
            return group(0);
        }
        if self.names.iter().any(Option::is_some) {
            let named = self.names.iter().zip(1..);
            return Value::object(named.filter_map(|(name, i)| Some((name.as_deref()?, group(i)))));
        }
        Value::tuple((1..=self.names.len()).map(group).collect())
    }

    fn shape_type(&self) -> Type {
        if self.names.is_empty() {
            Type::String
        } else if self.names.iter().any(Option::is_some) {
            let names = self.names.iter().flatten();
            Type::object(names.map(|n| (n.as_str(), Type::String)))
        } else {
            Type::tuple(vec![Type::String; self.names.len()])
        }
    }

    /// Adds a replacement with the captures that `$1`, `$name` and `${name}` stand for; other
    /// dollar signs stand for themselves, two for one.
    fn expand(&self, mut template: &str, captures: &Captures, out: &mut String) {
        while let Some(at) = template.find('$') {
            out.push_str(&template[..at]);
            template = &template[at + 1..];
            if let Some(rest) = template.strip_prefix('$') {
                out.push('$');
                template = rest;
                continue;
            }
            let inner = template.strip_prefix('{').unwrap_or(template);
            let end = inner
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(inner.len());
            let (name, rest) = inner.split_at(end);
            let rest = if inner.len() < template.len() {
                rest.strip_prefix('}')
            } else {
                Some(rest)
            };
            let Some(rest) = rest.filter(|_| !name.is_empty()) else {
                out.push('$');
                continue;
            };
            template = rest;
            let number = name
                .parse::<usize>()
                .ok()
                .filter(|_| name == "0" || !name.starts_with('0'));
            let found = match number {
                Some(i) => captures.get(i),
                None => self
                    .names
                    .iter()
                    .zip(1..)
                    .filter(|(n, _)| n.as_deref() == Some(name))
                    .find_map(|(_, i)| captures.get(i)),
            };
            out.push_str(found.map_or("", |m| m.as_str()));
        }
        out.push_str(template);
    }
}

/// The pattern of the first argument. Named and unnamed groups together have no one result type.
fn pattern(args: &[Value]) -> Result<Regex, FunctionError> {
    let regex = compile(text(args, 0)?, 0)?;
    let named = regex.names.iter().flatten().count();
    if named > 0 && named < regex.names.len() {
        let message = "invalid regexp pattern: cannot mix both named and unnamed capture groups";
        return Err(FunctionError::at(0, message));
    }
    Ok(regex)
}

fn first_match(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let pattern = pattern(args)?;
    if !args[1].is_known() {
        return Ok(later(pattern.shape_type()));
    }
    pattern
        .regex
        .captures(text(args, 1)?)
        .map(|c| pattern.shape(&c))
        .ok_or_else(|| FunctionError::new("pattern did not match any part of the given string"))
}

fn all_matches(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let pattern = pattern(args)?;
    if !args[1].is_known() {
        return Ok(later(Type::list(pattern.shape_type())));
    }
    let matches = pattern
        .regex
        .captures_iter(text(args, 1)?)
        .map(|c| pattern.shape(&c))
        .collect();
    Ok(Value::list(pattern.shape_type(), matches))
}

fn replace(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let (from, what, to) = (text(args, 0)?, text(args, 1)?, text(args, 2)?);
    let too_large = || FunctionError::new("the result is too large");
    if let Some(pattern) = what
        .strip_prefix('/')
        .and_then(|w| w.strip_suffix('/'))
        .filter(|_| what.len() > 1)
    {
        let pattern = compile(pattern, 1)?;
        let mut out = String::new();
        let mut end = 0;
        for captures in pattern.regex.captures_iter(from) {
            let Some(whole) = captures.get(0) else {
                continue;
            };
            out.push_str(&from[end..whole.start()]);
            pattern.expand(to, &captures, &mut out);
            end = whole.end();
            if out.len() > MAX_TEXT {
                return Err(too_large());
            }
        }
        out.push_str(&from[end..]);
        return Ok(out.into());
    }
    if to.len() > what.len() && from.matches(what).count().saturating_mul(to.len()) > MAX_TEXT {
        return Err(too_large());
    }
    Ok(from.replace(what, to).into())
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;

    #[test]
    fn results() {
        check(&[
            (
                "regex",
                &[s("[a-z]+"), s("53453453.345345aaabbbccc23454")],
                r#""aaabbbccc""#,
            ),
            (
                "regex",
                &[s(r"(\d\d\d\d)-(\d\d)-(\d\d)"), s("2019-02-01")],
                r#"["2019","02","01"]"#,
            ),
            (
                "regex",
                &[
                    s(r"^(?:(?P<scheme>[^:/?#]+):)?(?://(?P<authority>[^/?#]*))?"),
                    s("https://terraform.io/docs/"),
                ],
                r#"{"authority":"terraform.io","scheme":"https"}"#,
            ),
            ("regex", &[s("a(b)?"), s("ac")], "[null]"),
            ("regex", &[s(r"[[&&\]]+"), s("x[&]")], r#""[&]""#),
            ("regex", &[s(r"\Qa.b\E+"), s("aXb a.bb")], r#""a.bb""#),
            ("regex", &[s("[[:digit:]]+"), s("a12")], r#""12""#),
            (
                "regexall",
                &[s("[a-z]+"), s("1234abcd5678efgh9")],
                r#"["abcd","efgh"]"#,
            ),
            ("regexall", &[s("[a-z]+"), s("123456789")], "[]"),
            ("regexall", &[s(r"\d"), s("1٢3")], r#"["1","3"]"#),
            (
                "replace",
                &[s("1 + 2 + 3"), s("+"), s("-")],
                r#""1 - 2 - 3""#,
            ),
            (
                "replace",
                &[s("hello world"), s("/w.*d/"), s("everybody")],
                r#""hello everybody""#,
            ),
            ("replace", &[s("ab"), s("/(a)(b)/"), s("${2}$1")], r#""ba""#),
            ("replace", &[s("a/b"), s("/"), s("-")], r#""a-b""#),
            ("replace", &[s("ab"), s(""), s("-")], r#""-a-b-""#),
        ]);
    }

    #[test]
    fn refusals() {
        let huge = "x".repeat(100_000);
        refuse(&[
            ("regex", &[s("z"), s("a")], "did not match"),
            ("regex", &[s("("), s("a")], "invalid regexp pattern"),
            ("regex", &[s("(?P<a>x)(y)"), s("xy")], "named and unnamed"),
            ("regex", &[s(r"(\pL{1000}){1000}"), s("a")], "too large"),
            ("replace", &[s(&huge), s("x"), s(&huge)], "too large"),
            ("replace", &[s(&huge), s("/x/"), s(&huge)], "too large"),
        ]);
    }
}
