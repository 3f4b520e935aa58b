//! JSON syntax into expressions: `.tf.json` files, by the rules of the language's JSON
//! specification.
//!
//! The text is parsed by `jsonc-parser`, strictly. Places are kept: a string is a template or an
//! expression of its own, and what is found wrong inside it is reported where it stands in the
//! JSON file.

use std::sync::Arc;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use topo_sdk::{Diagnostic, Diagnostics, Number, SourceRange, Value};

use super::ast::{Expr, ExprKind, Expression, Part, Reference};
use super::source::{SourceFile, Span};
use super::syntax;

/// A JSON value with its place.
#[derive(Debug, Clone)]
pub struct Json {
    /// What it is.
    pub kind: JsonKind,
    /// Where it is; of a string, with its quotes.
    pub span: Span,
}

/// The shapes of a JSON value.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names of the shapes say it")]
pub enum JsonKind {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Json>),
    /// Properties in order; a name may stand more than once.
    Object(Vec<Property>),
}

/// A property of an object.
#[derive(Debug, Clone)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// Where the name is, with its quotes.
    pub name_span: Span,
    /// Its value.
    pub value: Json,
}

impl Json {
    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            JsonKind::String(s) => Some(s),
            _ => None,
        }
    }

    /// The value that it is, with its strings as they stand.
    pub fn value(&self) -> Value {
        match &self.kind {
            JsonKind::Null => Value::NULL,
            JsonKind::Bool(b) => Value::from(*b),
            JsonKind::Number(n) => Value::from(n.clone()),
            JsonKind::String(s) => Value::string(s),
            JsonKind::Array(items) => Value::tuple(items.iter().map(Json::value).collect()),
            JsonKind::Object(properties) => Value::object(
                properties
                    .iter()
                    .map(|p| (p.name.as_str(), p.value.value())),
            ),
        }
    }

    /// What it is, in words.
    pub fn describe(&self) -> &'static str {
        match self.kind {
            JsonKind::Null => "null",
            JsonKind::Bool(_) => "a boolean",
            JsonKind::Number(_) => "a number",
            JsonKind::String(_) => "a string",
            JsonKind::Array(_) => "an array",
            JsonKind::Object(_) => "an object",
        }
    }
}

/// Parses a file. Comments, trailing commas and whatever else is not JSON are errors.
///
/// # Errors
/// The first syntax error, with its place.
pub fn parse(file: &Arc<SourceFile>) -> Result<Json, Box<Diagnostic>> {
    let text = syntax::without_mark(&file.text);
    let options = ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let fail = |range: SourceRange, message: String| {
        Box::new(
            Diagnostic::error("Invalid JSON syntax", format!("{message}.")).with_range(Some(range)),
        )
    };
    let parsed = parse_to_ast(&text, &CollectOptions::default(), &options).map_err(|e| {
        let range = e.range();
        fail(
            file.range(Span::from(range.start..range.end)),
            e.kind().to_string(),
        )
    })?;
    match &parsed.value {
        Some(value) => convert(file, value),
        None => Err(fail(
            file.range(Span::default()),
            "The file is empty: a JSON file holds an object".into(),
        )),
    }
}

fn convert(file: &Arc<SourceFile>, value: &ast::Value<'_>) -> Result<Json, Box<Diagnostic>> {
    let span = |range: jsonc_parser::common::Range| Span::from(range.start..range.end);
    let kind = match value {
        ast::Value::NullKeyword(_) => JsonKind::Null,
        ast::Value::BooleanLit(b) => JsonKind::Bool(b.value),
        ast::Value::StringLit(s) => JsonKind::String(s.value.to_string()),
        ast::Value::NumberLit(n) => match n.value.parse::<Number>() {
            Ok(n) => JsonKind::Number(n),
            Err(e) => {
                return Err(Box::new(
                    Diagnostic::error("Invalid number", format!("{e}."))
                        .with_range(Some(file.range(span(value.range())))),
                ));
            }
        },
        ast::Value::Array(a) => JsonKind::Array(
            a.elements
                .iter()
                .map(|v| convert(file, v))
                .collect::<Result<_, _>>()?,
        ),
        ast::Value::Object(o) => JsonKind::Object(
            o.properties
                .iter()
                .map(|p| {
                    Ok(Property {
                        name: p.name.as_str().to_string(),
                        name_span: span(p.name.range()),
                        value: convert(file, &p.value)?,
                    })
                })
                .collect::<Result<_, Box<Diagnostic>>>()?,
        ),
    };
    Ok(Json {
        kind,
        span: span(value.range()),
    })
}

/// The content of a string as a source of its own, whose places are those of the JSON file.
pub fn inner(file: &Arc<SourceFile>, string: Span) -> Arc<SourceFile> {
    let raw = file.slice(string);
    let mut text = String::with_capacity(raw.len());
    let mut places = Vec::new();
    let mut at = 1; // behind the opening quote
    let mut jumped = true;
    while let Some(c) = raw.get(at..).and_then(|rest| rest.chars().next()) {
        if jumped {
            places.push((offset(text.len()), string.start + offset(at)));
            jumped = false;
        }
        match c {
            '"' => break,
            '\\' => {
                let (decoded, length) = escape(&raw[at..]);
                text.push(decoded);
                at += length;
                jumped = true;
            }
            c => {
                text.push(c);
                at += c.len_utf8();
            }
        }
    }
    places.push((offset(text.len()), string.start + offset(at)));
    SourceFile::within(file, text, places)
}

fn offset(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The character that an escape sequence stands for, and the length of the sequence. The parser
/// has made sure that it is a valid one.
fn escape(raw: &str) -> (char, usize) {
    let unit = |at: usize| {
        let digits = raw.get(at + 2..at + 6)?;
        (raw.get(at..at + 2)? == "\\u").then(|| u32::from_str_radix(digits, 16).ok())?
    };
    match raw.as_bytes().get(1) {
        Some(b'n') => ('\n', 2),
        Some(b't') => ('\t', 2),
        Some(b'r') => ('\r', 2),
        Some(b'b') => ('\u{8}', 2),
        Some(b'f') => ('\u{c}', 2),
        Some(b'u') => match (unit(0), unit(6)) {
            (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                (char::from_u32(code).unwrap_or('\u{fffd}'), 12)
            }
            (Some(code), _) => (char::from_u32(code).unwrap_or('\u{fffd}'), 6),
            (None, _) => ('\u{fffd}', 2),
        },
        Some(other) => (char::from(*other), 2),
        None => ('\\', 1),
    }
}

/// Translates a JSON value in the place of an expression: strings are templates, objects' names
/// too. `bound` are names that the surroundings bind.
pub fn translate(
    file: &Arc<SourceFile>,
    json: &Json,
    bound: &[Arc<str>],
    diagnostics: &mut Diagnostics,
) -> Expression {
    let mut references = Vec::new();
    let expr = expr(file, json, bound, &mut references, diagnostics);
    Expression {
        expr,
        file: file.clone(),
        references,
    }
}

fn expr(
    file: &Arc<SourceFile>,
    json: &Json,
    bound: &[Arc<str>],
    references: &mut Vec<Arc<Reference>>,
    diagnostics: &mut Diagnostics,
) -> Expr {
    let kind = match &json.kind {
        JsonKind::Null => ExprKind::Literal(Value::NULL),
        JsonKind::Bool(b) => ExprKind::Literal(Value::from(*b)),
        JsonKind::Number(n) => ExprKind::Literal(Value::from(n.clone())),
        JsonKind::String(s) => {
            return template(file, s, json.span, bound, references, diagnostics);
        }
        JsonKind::Array(items) => ExprKind::Tuple(
            items
                .iter()
                .map(|item| expr(file, item, bound, references, diagnostics))
                .collect(),
        ),
        JsonKind::Object(properties) => ExprKind::Object(
            properties
                .iter()
                .map(|p| {
                    (
                        template(file, &p.name, p.name_span, bound, references, diagnostics),
                        expr(file, &p.value, bound, references, diagnostics),
                    )
                })
                .collect(),
        ),
    };
    Expr {
        kind,
        span: json.span,
    }
}

fn template(
    file: &Arc<SourceFile>,
    text: &str,
    span: Span,
    bound: &[Arc<str>],
    references: &mut Vec<Arc<Reference>>,
    diagnostics: &mut Diagnostics,
) -> Expr {
    let literal = |text: &str| Expr {
        kind: ExprKind::Literal(Value::string(text)),
        span,
    };
    if !text.contains("${") && !text.contains("%{") {
        return literal(text);
    }
    let source = inner(file, span);
    match syntax::parse_template(&source, bound) {
        Ok(made) => {
            let mut expr = made.expr;
            let place = |s: Span| Span {
                start: source.outer(s.start),
                end: source.outer(s.end),
            };
            relocate(&mut expr, &place, references);
            expr.span = span;
            expr
        }
        Err(ds) => {
            diagnostics.extend(ds);
            literal("")
        }
    }
}

/// Moves an expression to where it stands in another source, listing its references.
fn relocate(expr: &mut Expr, place: &dyn Fn(Span) -> Span, references: &mut Vec<Arc<Reference>>) {
    expr.span = place(expr.span);
    let mut go = |e: &mut Expr| relocate(e, place, references);
    match &mut expr.kind {
        ExprKind::Literal(_) | ExprKind::Bound(_) | ExprKind::SplatItem => {}
        ExprKind::Reference(r) => {
            let mut moved = Reference::clone(r);
            moved.span = place(moved.span);
            if let Some(key) = &mut moved.key {
                go(key);
            }
            *r = Arc::new(moved);
            references.push(r.clone());
        }
        ExprKind::Template(parts) => relocate_parts(parts, place, references),
        ExprKind::Wrapped(e) | ExprKind::Not(e) | ExprKind::Negate(e) => go(e),
        ExprKind::GetAttr(e, _) => go(e),
        ExprKind::Tuple(items) => items.iter_mut().for_each(go),
        ExprKind::Object(items) => items.iter_mut().for_each(|(k, v)| {
            go(k);
            go(v);
        }),
        ExprKind::Conditional(parts) => {
            let (a, b, c) = parts.as_mut();
            go(a);
            go(b);
            go(c);
        }
        ExprKind::Binary(_, pair) | ExprKind::Index(pair) | ExprKind::Splat(pair) => {
            let (a, b) = pair.as_mut();
            go(a);
            go(b);
        }
        ExprKind::Call(call) => call.args.iter_mut().for_each(go),
        ExprKind::For(f) => {
            go(&mut f.collection);
            f.key.as_mut().map(&mut go);
            go(&mut f.value);
            f.condition.as_mut().map(&mut go);
        }
    }
}

fn relocate_parts(
    parts: &mut [Part],
    place: &dyn Fn(Span) -> Span,
    references: &mut Vec<Arc<Reference>>,
) {
    for part in parts {
        match part {
            Part::Literal(_) => {}
            Part::Interpolation(e) => relocate(e, place, references),
            Part::If(d) => {
                relocate(&mut d.0, place, references);
                relocate_parts(&mut d.1, place, references);
                relocate_parts(&mut d.2, place, references);
            }
            Part::For {
                collection, body, ..
            } => {
                relocate(collection, place, references);
                relocate_parts(body, place, references);
            }
        }
    }
}
