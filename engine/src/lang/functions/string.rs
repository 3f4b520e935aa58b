//! String functions. Characters are grapheme clusters, as a reader counts them.

use topo_sdk::{Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::ParamType as T;
use super::{
    Context, Function, FunctionError, Param, integer, items, later, returns_bool, returns_string,
    returns_strings, strings, text,
};

const STR: Param = Param::new("str", T::String, "The text.");

/// The longest text that a function makes out of a short one, in bytes.
pub(super) const MAX_TEXT: usize = 64 << 20;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "chomp",
        "Without line endings at the end.",
        &[STR],
        returns_string,
        chomp,
    ),
    Function::new(
        "endswith",
        "Whether a text ends with another.",
        &[STR, Param::new("suffix", T::String, "The other text.")],
        returns_bool,
        endswith,
    ),
    Function::new(
        "startswith",
        "Whether a text starts with another.",
        &[
            STR.unknown(),
            Param::new("prefix", T::String, "The other text."),
        ],
        returns_bool,
        startswith,
    ),
    Function::new(
        "strcontains",
        "Whether a text contains another.",
        &[STR, Param::new("substr", T::String, "The other text.")],
        returns_bool,
        strcontains,
    ),
    Function::new(
        "indent",
        "Spaces before every line but the first.",
        &[Param::new("spaces", T::Number, "How many."), STR],
        returns_string,
        indent,
    ),
    Function::new(
        "join",
        "The elements of lists with a separator between them.",
        &[Param::new("separator", T::String, "The separator.")],
        returns_string,
        join,
    )
    .variadic(Param::new("lists", T::ListOfString, "The lists.").whole()),
    Function::new("lower", "In lower case.", &[STR], returns_string, lower),
    Function::new("upper", "In upper case.", &[STR], returns_string, upper),
    Function::new(
        "split",
        "The parts of a text between separators.",
        &[Param::new("separator", T::String, "The separator."), STR],
        returns_strings,
        split,
    ),
    Function::new(
        "strrev",
        "With its characters in reverse.",
        &[STR],
        returns_string,
        strrev,
    ),
    Function::new(
        "substr",
        "Some characters of a text, by offset and length.",
        &[
            STR,
            Param::new(
                "offset",
                T::Number,
                "The first character; negative from the end.",
            ),
            Param::new("length", T::Number, "How many; -1 for the rest."),
        ],
        returns_string,
        substr,
    ),
    Function::new(
        "title",
        "With the first letter of each word in upper case.",
        &[STR],
        returns_string,
        title,
    ),
    Function::new(
        "trim",
        "Without these characters at both ends.",
        &[STR, Param::new("cutset", T::String, "The characters.")],
        returns_string,
        trim,
    ),
    Function::new(
        "trimprefix",
        "Without a text at the start.",
        &[STR, Param::new("prefix", T::String, "What to leave out.")],
        returns_string,
        trimprefix,
    ),
    Function::new(
        "trimspace",
        "Without white space at both ends.",
        &[STR],
        returns_string,
        trimspace,
    ),
    Function::new(
        "trimsuffix",
        "Without a text at the end.",
        &[STR, Param::new("suffix", T::String, "What to leave out.")],
        returns_string,
        trimsuffix,
    ),
];

fn chomp(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    Ok(text(args, 0)?.trim_end_matches(['\r', '\n']).into())
}

fn endswith(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    Ok(text(args, 0)?.ends_with(text(args, 1)?).into())
}

fn startswith(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let wanted = text(args, 1)?;
    let Some(unknown) = args[0].as_unknown() else {
        return Ok(text(args, 0)?.starts_with(wanted).into());
    };
    // What is known of the start may decide.
    let known = unknown.refinements.prefix.as_deref().unwrap_or_default();
    Ok(if known.starts_with(wanted) {
        true.into()
    } else if wanted.starts_with(known) {
        later(Type::Bool)
    } else {
        false.into()
    })
}

fn strcontains(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    Ok(text(args, 0)?.contains(text(args, 1)?).into())
}

fn indent(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let (spaces, text) = (integer(args, 0)?, text(args, 1)?);
    let Ok(spaces) = usize::try_from(spaces) else {
        return Err(FunctionError::at(
            0,
            "the number of spaces must not be negative",
        ));
    };
    let lines = text.matches('\n').count();
    if spaces.saturating_mul(lines) > MAX_TEXT {
        return Err(FunctionError::at(0, "the result is too large"));
    }
    if lines == 0 {
        return Ok(text.into());
    }
    Ok(text
        .replace('\n', &format!("\n{}", " ".repeat(spaces)))
        .into())
}

fn join(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let separator = text(args, 0)?;
    if args.len() < 2 {
        return Err(FunctionError::new("at least one list is required"));
    }
    let mut out = String::new();
    let mut first = true;
    for i in 1..args.len() {
        for (at, item) in items(args, i)?.iter().enumerate() {
            let Some(item) = item.as_str() else {
                return Err(FunctionError::at(
                    i,
                    format!("element {at} is null; cannot concatenate null values"),
                ));
            };
            if !first {
                out.push_str(separator);
            }
            first = false;
            out.push_str(item);
            if out.len() > MAX_TEXT {
                return Err(FunctionError::new("the result is too large"));
            }
        }
    }
    Ok(out.into())
}

/// The simple lower case of a letter: one letter, where the full mapping may have more.
fn simple_lower(c: char) -> char {
    let mut mapped = c.to_lowercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        // The dotted capital I is the only one with two.
        _ if c == '\u{130}' => 'i',
        _ => c,
    }
}

/// The simple upper case of a letter: `ß` has no single capital and stays.
fn simple_upper(c: char) -> char {
    let mut mapped = c.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        // Greek vowels with the iota below keep it in their one-letter capitals.
        _ => match c {
            '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
                char::from_u32(u32::from(c) + 8).unwrap_or(c)
            }
            '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => char::from_u32(u32::from(c) + 9).unwrap_or(c),
            _ => c,
        },
    }
}

/// The simple title case: two letters in one have a form with only the first in upper case.
fn simple_title(c: char) -> char {
    match c {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        // Georgian has capitals, but no words that start with one.
        '\u{10d0}'..='\u{10ff}' => c,
        c => simple_upper(c),
    }
}

fn lower(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let lower: String = text(args, 0)?.chars().map(simple_lower).collect();
    Ok(lower.into())
}

fn upper(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let upper: String = text(args, 0)?.chars().map(simple_upper).collect();
    Ok(upper.into())
}

fn title(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let mut out = String::new();
    let mut at_start = true;
    for c in text(args, 0)?.chars() {
        out.push(if at_start { simple_title(c) } else { c });
        // What ends a word: in ASCII all but letters, digits and underscore; beyond, white space.
        at_start = if c.is_ascii() {
            !c.is_ascii_alphanumeric() && c != '_'
        } else {
            c.is_whitespace()
        };
    }
    Ok(out.into())
}

fn split(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let (separator, text) = (text(args, 0)?, text(args, 1)?);
    if separator.is_empty() {
        return Ok(strings(text.chars().map(String::from)));
    }
    Ok(strings(text.split(separator)))
}

fn strrev(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    Ok(text(args, 0)?
        .graphemes(true)
        .rev()
        .collect::<String>()
        .into())
}

fn substr(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let text = text(args, 0)?;
    let (offset, length) = (integer(args, 1)?, integer(args, 2)?);
    let offset = match usize::try_from(offset) {
        Ok(offset) => offset,
        Err(_) => {
            let back = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            text.graphemes(true).count().saturating_sub(back)
        }
    };
    let rest = text.graphemes(true).skip(offset);
    let part: String = match usize::try_from(length) {
        Ok(length) => rest.take(length).collect(),
        Err(_) => rest.collect(),
    };
    Ok(part.into())
}

fn trim(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let cut: std::collections::HashSet<char> = text(args, 1)?.chars().collect();
    Ok(text(args, 0)?.trim_matches(|c| cut.contains(&c)).into())
}

fn trimprefix(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let text_ = text(args, 0)?;
    Ok(text_.strip_prefix(text(args, 1)?).unwrap_or(text_).into())
}

fn trimsuffix(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let text_ = text(args, 0)?;
    Ok(text_.strip_suffix(text(args, 1)?).unwrap_or(text_).into())
}

fn trimspace(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    Ok(text(args, 0)?.trim().into())
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use topo_sdk::{Type, Value};

    #[test]
    fn results() {
        check(&[
            ("chomp", &[s("hello\n")], r#""hello""#),
            ("chomp", &[s("hello\r\n\n")], r#""hello""#),
            ("chomp", &[s("a\nb")], r#""a\nb""#),
            ("endswith", &[s("hello world"), s("world")], "true"),
            ("endswith", &[s("hello world"), s("hello")], "false"),
            ("startswith", &[s("hello world"), s("hello")], "true"),
            ("startswith", &[s("hello world"), s("")], "true"),
            ("strcontains", &[s("hello world"), s("wor")], "true"),
            ("strcontains", &[s("hello world"), s("wod")], "false"),
            (
                "indent",
                &[n("2"), s("[\n  foo,\n]")],
                r#""[\n    foo,\n  ]""#,
            ),
            ("indent", &[n("9223372036854775807"), s("x")], r#""x""#),
            (
                "join",
                &[s("-"), list(&["foo", "bar", "baz"])],
                r#""foo-bar-baz""#,
            ),
            (
                "join",
                &[s(", "), list(&["foo"]), ss(&["a", "b"])],
                r#""foo, a, b""#,
            ),
            ("join", &[s(","), j("[1,true]")], r#""1,true""#),
            ("join", &[s(","), j("[]")], r#""""#),
            ("lower", &[s("HELLO")], r#""hello""#),
            ("lower", &[s("АЛЛО!")], r#""алло!""#),
            ("upper", &[s("straße")], r#""STRAßE""#),
            ("upper", &[s("алло!")], r#""АЛЛО!""#),
            (
                "split",
                &[s(","), s("foo,bar,baz")],
                r#"["foo","bar","baz"]"#,
            ),
            ("split", &[s(","), s("foo")], r#"["foo"]"#),
            ("split", &[s(","), s("")], r#"[""]"#),
            ("split", &[s(""), s("añb")], r#"["a","ñ","b"]"#),
            ("strrev", &[s("hello")], r#""olleh""#),
            ("strrev", &[s("a ☃")], r#""☃ a""#),
            ("substr", &[s("hello world"), n("1"), n("4")], r#""ello""#),
            ("substr", &[s("🤔🤷"), n("0"), n("1")], r#""🤔""#),
            (
                "substr",
                &[s("hello world"), n("-5"), n("-1")],
                r#""world""#,
            ),
            ("substr", &[s("hello world"), n("6"), n("10")], r#""world""#),
            ("substr", &[s("hello"), n("9"), n("1")], r#""""#),
            ("title", &[s("hello world")], r#""Hello World""#),
            ("title", &[s("foo-bar_baz it's")], r#""Foo-Bar_baz It'S""#),
            ("trim", &[s("?!hello?!"), s("!?")], r#""hello""#),
            ("trim", &[s("foobar"), s("far")], r#""oob""#),
            (
                "trim",
                &[s("   hello! world.!  "), s(" ")],
                r#""hello! world.!""#,
            ),
            ("trimprefix", &[s("helloworld"), s("hello")], r#""world""#),
            ("trimprefix", &[s("--hello"), s("-")], r#""-hello""#),
            ("trimspace", &[s("  hello\n\n")], r#""hello""#),
            ("trimsuffix", &[s("helloworld"), s("world")], r#""hello""#),
        ]);
        let family = s("👨‍👩‍👧x");
        assert_eq!(run("substr", &[family, n("1"), n("1")]).unwrap(), s("x"));
    }

    #[test]
    fn refusals() {
        refuse(&[
            ("join", &[s(",")], "at least one list"),
            ("join", &[s(","), j("[\"a\",null]")], "element 1 is null"),
            ("indent", &[n("-1"), s("a\nb")], "negative"),
            (
                "indent",
                &[n("9223372036854775807"), s("a\nb")],
                "too large",
            ),
            ("substr", &[s("a"), n("0.5"), n("1")], "whole number"),
            ("upper", &[j("[]")], "string is required"),
        ]);
    }

    #[test]
    fn an_unknown_element_makes_the_join_unknown() {
        let items = Value::list(Type::String, vec![s("a"), Value::unknown(Type::String)]);
        assert!(!run("join", &[s(","), items]).unwrap().is_known());
    }
}
