//! `format` and `formatlist`: text from a template with verbs such as `%-5s` and `%[2]d`.
//!
//! The verbs are those of the language's reference: a subset of Go's, with widths counted in
//! grapheme clusters for strings.

use std::iter::Peekable;
use std::str::CharIndices;

use topo_sdk::convert::convert;
use topo_sdk::{Kind, Number, Refinements, Type, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::ParamType as T;
use super::{
    Context, Function, FunctionError, Param, format_number, json, later, returns_string,
    returns_strings, strings, text,
};

/// The largest width or precision.
const MAX_WIDTH: usize = 1_000_000;

const FORMAT: Param = Param::new("format", T::String, "The template.");

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "format",
        "Text from a template and values.",
        &[FORMAT],
        returns_string,
        format,
    )
    .variadic(
        Param::new("args", T::Any, "The values.")
            .nullable()
            .unknown(),
    ),
    Function::new(
        "formatlist",
        "A list of texts from a template and lists of values.",
        &[FORMAT],
        returns_strings,
        formatlist,
    )
    .variadic(
        Param::new("args", T::Any, "The lists and values.")
            .nullable()
            .unknown(),
    ),
];

fn format(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let template = text(args, 0)?;
    if args.iter().all(Value::is_wholly_known) {
        return Ok(fill(template, &args[1..])?.into());
    }
    let start = template.split('%').next().unwrap_or_default();
    let prefix = certain_start(start);
    Ok(Value::unknown_refined(
        Type::String,
        Refinements {
            not_null: true,
            prefix: (!prefix.is_empty()).then(|| prefix.into()),
            ..Refinements::default()
        },
    ))
}

/// The start of a text to which more will be added: the last character may still change when it
/// is a letter or sign that a combining one can follow.
fn certain_start(text: &str) -> &str {
    let stays = |g: &str| {
        matches!(
            g,
            " " | "-" | "/" | ":" | "." | "," | ";" | "_" | "\n" | "\t"
        )
    };
    match text.graphemes(true).next_back() {
        Some(last) if !stays(last) => &text[..text.len() - last.len()],
        _ => text,
    }
}

fn formatlist(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let template = text(args, 0)?;
    let args = &args[1..];
    let mut length: Option<(usize, usize)> = None;
    let mut open = false;
    for (i, arg) in args.iter().enumerate() {
        let count = match arg.kind() {
            Kind::Unknown(u) => match &u.ty {
                Type::Tuple(ts) => {
                    open = true;
                    ts.len()
                }
                Type::List(_) | Type::Set(_) | Type::Dynamic => {
                    open = true;
                    continue;
                }
                _ => continue,
            },
            Kind::Set(_) if !arg.is_wholly_known() => {
                open = true;
                continue;
            }
            _ => match arg.as_slice() {
                Some(items) => items.len(),
                None => continue,
            },
        };
        match length {
            Some((chooser, expected)) if expected != count => {
                return Err(FunctionError::at(
                    i + 1,
                    format!(
                        "argument {} has length {count}, which is inconsistent with argument {} \
                         of length {expected}",
                        i + 1,
                        chooser + 1
                    ),
                ));
            }
            Some(_) => {}
            None => length = Some((i, count)),
        }
    }
    if open {
        return Ok(later(Type::list(Type::String)));
    }
    let count = length.map_or(1, |(_, count)| count);
    let mut made = Vec::with_capacity(count);
    for i in 0..count {
        let row: Vec<Value> = args
            .iter()
            .map(|a| match a.as_slice() {
                Some(items) => items[i].clone(),
                None => a.clone(),
            })
            .collect();
        if row.iter().all(Value::is_wholly_known) {
            let made_text = fill(template, &row).map_err(|e| {
                FunctionError::new(format!("error on format iteration {i}: {}", e.message))
            })?;
            made.push(Value::from(made_text));
        } else {
            made.push(later(Type::String));
        }
    }
    if made.iter().all(Value::is_known) {
        return Ok(strings(made.iter().filter_map(Value::as_str)));
    }
    Ok(Value::list(Type::String, made))
}

/// A verb with what stands between it and the percent sign.
#[derive(Default)]
pub(super) struct Verb<'a> {
    raw: &'a str,
    offset: usize,
    pub(super) mode: char,
    argument: usize,
    pub(super) width: usize,
    pub(super) precision: Option<usize>,
    pub(super) sharp: bool,
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
}

fn fill(template: &str, args: &[Value]) -> Result<String, FunctionError> {
    let mut out = String::new();
    let mut chars = template.char_indices().peekable();
    let mut next = 0;
    let mut used = 0;
    while let Some((at, c)) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.next_if(|(_, c)| *c == '%').is_some() {
            out.push('%');
            continue;
        }
        let verb = read_verb(template, at, &mut chars, next)?;
        next = verb.argument + 1;
        used = used.max(next);
        let Some(value) = args.get(verb.argument) else {
            return Err(FunctionError::new(format!(
                "not enough arguments for {:?} at {}: need index {} but have {} total",
                verb.raw,
                verb.offset,
                verb.argument + 1,
                args.len()
            )));
        };
        out.push_str(&render(&verb, value).map_err(|message| {
            FunctionError::at(
                verb.argument + 1,
                format!(
                    "unsupported value for {:?} at {}: {message}",
                    verb.raw, verb.offset
                ),
            )
        })?);
        if out.len() > super::string::MAX_TEXT {
            return Err(FunctionError::new("the result is too large"));
        }
    }
    if used < args.len() && used == next {
        let plural = if args.len() == 1 { "" } else { "s" };
        return Err(FunctionError::at(
            used + 1,
            if used == 0 {
                "too many arguments; no verbs in format string".to_string()
            } else {
                format!(
                    "too many arguments; only {used} used by format string, but {} argument{plural} given",
                    args.len()
                )
            },
        ));
    }
    Ok(out)
}

fn read_verb<'a>(
    template: &'a str,
    at: usize,
    chars: &mut Peekable<CharIndices>,
    next: usize,
) -> Result<Verb<'a>, FunctionError> {
    let mut verb = Verb {
        offset: at,
        argument: next,
        ..Verb::default()
    };
    while let Some((_, flag)) = chars.next_if(|(_, c)| "#+- 0".contains(*c)) {
        match flag {
            '#' => verb.sharp = true,
            '+' => verb.plus = true,
            '-' => verb.minus = true,
            ' ' => verb.space = true,
            _ => verb.zero = true,
        }
    }
    let wrong =
        |what: &str| FunctionError::at(0, format!("{what} at offset {at} in format string"));
    verb.width = read_number(chars).unwrap_or(0);
    if chars.next_if(|(_, c)| *c == '.').is_some() {
        verb.precision = Some(read_number(chars).unwrap_or(0));
    }
    if verb.width > MAX_WIDTH || verb.precision.is_some_and(|p| p > MAX_WIDTH) {
        return Err(wrong("width or precision is too large"));
    }
    if chars.next_if(|(_, c)| *c == '[').is_some() {
        let index = read_number(chars).filter(|i| *i > 0);
        if chars.next_if(|(_, c)| *c == ']').is_none() {
            return Err(wrong("argument index without a closing bracket"));
        }
        verb.argument = index.ok_or_else(|| wrong("argument index must be at least 1"))? - 1;
    }
    let Some((i, mode)) = chars.next() else {
        return Err(FunctionError::at(
            0,
            format!(
                "unterminated verb {:?} at end of format string",
                &template[at..]
            ),
        ));
    };
    verb.mode = mode;
    verb.raw = &template[at..i + mode.len_utf8()];
    if !"vtbdoxXeEfgGsq".contains(mode) {
        return Err(FunctionError::at(
            0,
            format!(
                "unsupported format verb {mode:?} in {:?} at offset {at}",
                verb.raw
            ),
        ));
    }
    Ok(verb)
}

fn read_number(chars: &mut Peekable<CharIndices>) -> Option<usize> {
    let mut n: Option<usize> = None;
    while let Some((_, d)) = chars.next_if(|(_, c)| c.is_ascii_digit()) {
        let digit = usize::try_from(d.to_digit(10)?).ok()?;
        n = Some(n.unwrap_or(0).saturating_mul(10).saturating_add(digit));
    }
    n
}

fn render(verb: &Verb, value: &Value) -> Result<String, String> {
    if value.is_null() && verb.mode != 'v' {
        return Err("null value cannot be formatted".into());
    }
    match verb.mode {
        'v' => Ok(pad(verb, default_form(verb, value)?)),
        't' => {
            let bool = convert(value, &Type::Bool).map_err(|e| e.message)?;
            Ok(bool.as_bool().unwrap_or(false).to_string())
        }
        's' | 'q' => {
            let value = convert(value, &Type::String).map_err(|e| e.message)?;
            let text = value.as_str().unwrap_or_default();
            let text: String = match verb.precision {
                Some(p) if p > 0 => text.graphemes(true).take(p).collect(),
                _ => text.into(),
            };
            if verb.mode == 's' {
                return Ok(pad(verb, text));
            }
            let mut quoted = String::new();
            json::quote(&text, &mut quoted);
            Ok(pad(verb, quoted))
        }
        _ => {
            let number = convert(value, &Type::Number).map_err(|e| e.message)?;
            format_number::render(verb, number.as_number().unwrap_or(&Number::ZERO))
        }
    }
}

fn default_form(verb: &Verb, value: &Value) -> Result<String, String> {
    match value.kind() {
        Kind::String(s) if !verb.sharp => Ok(s.to_string()),
        Kind::Number(n) if !verb.sharp => Ok(format_number::general(n, None, 'g')),
        _ => json::encode(value).ok_or_else(|| "value is not known".to_string()),
    }
}

/// Pads to the width, counted in grapheme clusters.
fn pad(verb: &Verb, text: String) -> String {
    let missing = verb.width.saturating_sub(text.graphemes(true).count());
    if verb.minus {
        return text + &" ".repeat(missing);
    }
    let filler = if verb.zero { "0" } else { " " };
    filler.repeat(missing) + &text
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use topo_sdk::{Type, Value};

    #[test]
    fn what_is_known_of_a_list_is_formatted() {
        let items = Value::list(Type::String, vec![s("a"), Value::unknown(Type::String)]);
        let made = run("formatlist", &[s("<%s>"), items.clone()]).unwrap();
        assert_eq!(made.as_slice().unwrap()[0], s("<a>"));
        assert!(!made.as_slice().unwrap()[1].is_known());
        assert!(!run("format", &[s("%v"), items]).unwrap().is_known());
    }

    /// However wide each verb is, the whole has a bound.
    #[test]
    fn many_wide_verbs_are_refused() {
        let template = "%1000000d".repeat(100);
        let numbers = vec![n("1"); 100];
        let args: Vec<Value> = std::iter::once(s(&template)).chain(numbers).collect();
        refuse(&[("format", &args, "too large")]);
    }
}
