//! Regular expressions: `regex`, `regexall` and `replace`.
//!
//! The language's expressions are RE2 in Go's dialect. The `regex` crate is of the same family
//! and also runs in linear time; where the notations differ, [`translate`] rewrites the pattern.

use regex::{Captures, Regex, RegexBuilder};
use topo_sdk::{Type, Value};

use super::ParamType as T;
use super::string::MAX_TEXT;
use super::{Context, Function, FunctionError, Param, returns_any, returns_string, text};

/// The most memory that one compiled pattern may take, in bytes.
const MAX_PROGRAM: usize = 8 << 20;

const PATTERN: Param = Param::new("pattern", T::String, "The regular expression.");
const STRING: Param = Param::new("string", T::String, "The text.");

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

fn compile(pattern: &str, argument: usize) -> Result<Regex, FunctionError> {
    RegexBuilder::new(&translate(pattern))
        .size_limit(MAX_PROGRAM)
        .build()
        .map_err(|e| {
            let message = match e {
                regex::Error::CompiledTooBig(_) => "the pattern is too large".to_string(),
                other => other.to_string(),
            };
            FunctionError::at(argument, format!("invalid regexp pattern: {message}"))
        })
}

/// Rewrites Go's notation to that of the `regex` crate: `\d`, `\w`, `\s` and `\b` mean ASCII,
/// `\Q...\E` quotes, and inside brackets only the marks that Go knows are special.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    let mut class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('Q') => {
                    let mut quoted = String::new();
                    while let Some(q) = chars.next() {
                        if q == '\\' && chars.peek() == Some(&'E') {
                            chars.next();
                            break;
                        }
                        quoted.push(q);
                    }
                    out.push_str(&regex::escape(&quoted));
                }
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('s') => out.push_str(r"[\t\n\f\r ]"),
                Some('S') => out.push_str(r"[^\t\n\f\r ]"),
                Some('w') => out.push_str("[0-9A-Za-z_]"),
                Some('W') => out.push_str("[^0-9A-Za-z_]"),
                Some('b') if !class => out.push_str(r"(?-u:\b)"),
                // Not (?-u:\B): that may match inside a character.
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => out.push('\\'),
            },
            '[' if !class => {
                class = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
                if chars.peek() == Some(&']') {
                    chars.next();
                    out.push_str(r"\]");
                }
            }
            '[' if chars.peek() == Some(&':') => {
                // A named class such as [:alpha:], copied whole.
                out.push('[');
                for q in chars.by_ref() {
                    out.push(q);
                    if q == ']' {
                        break;
                    }
                }
            }
            '[' => out.push_str(r"\["),
            '&' | '~' if class => {
                out.push('\\');
                out.push(c);
            }
            ']' if class => {
                class = false;
                out.push(']');
            }
            other => out.push(other),
        }
    }
    out
}

/// A match in the form that the pattern's groups ask for: the text where there are none, a tuple
/// of captures, or an object where they have names.
fn shape(pattern: &Regex, captures: &Captures) -> Value {
    let group = |i: usize| {
        captures
            .get(i)
            .map_or_else(|| Value::null(Type::String), |m| m.as_str().into())
    };
    if pattern.captures_len() == 1 {
        return group(0);
    }
    if pattern.capture_names().skip(1).any(|n| n.is_some()) {
        return Value::object(
            pattern
                .capture_names()
                .enumerate()
                .filter_map(|(i, name)| name.map(|n| (n, group(i)))),
        );
    }
    Value::tuple((1..pattern.captures_len()).map(group).collect())
}

fn shape_type(pattern: &Regex) -> Type {
    if pattern.captures_len() == 1 {
        Type::String
    } else if pattern.capture_names().skip(1).any(|n| n.is_some()) {
        Type::object(pattern.capture_names().flatten().map(|n| (n, Type::String)))
    } else {
        Type::tuple(vec![Type::String; pattern.captures_len() - 1])
    }
}

/// Named and unnamed groups together have no one result type.
fn check_groups(pattern: &Regex) -> Result<(), FunctionError> {
    let named = pattern.capture_names().flatten().count();
    if named > 0 && named < pattern.captures_len() - 1 {
        let message = "invalid regexp pattern: cannot mix both named and unnamed capture groups";
        return Err(FunctionError::at(0, message));
    }
    Ok(())
}

fn first_match(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let pattern = compile(text(args, 0)?, 0)?;
    check_groups(&pattern)?;
    pattern
        .captures(text(args, 1)?)
        .map(|c| shape(&pattern, &c))
        .ok_or_else(|| FunctionError::new("pattern did not match any part of the given string"))
}

fn all_matches(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let pattern = compile(text(args, 0)?, 0)?;
    check_groups(&pattern)?;
    let matches = pattern
        .captures_iter(text(args, 1)?)
        .map(|c| shape(&pattern, &c))
        .collect();
    Ok(Value::list(shape_type(&pattern), matches))
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
        for captures in pattern.captures_iter(from) {
            let Some(whole) = captures.get(0) else {
                continue;
            };
            out.push_str(&from[end..whole.start()]);
            captures.expand(to, &mut out);
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
