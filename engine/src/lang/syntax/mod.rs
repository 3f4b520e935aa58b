//! Native syntax: files, expressions and templates are parsed by `hcl-edit`, made ready for it
//! where the language lets pass what it does not, and its errors said in words. `translate`
//! makes our own expressions of its tree.

mod references;
mod translate;

use std::borrow::Cow;
use std::sync::Arc;

use hcl_edit::expr::Expression as Hcl;
use hcl_edit::structure::Body;
use topo_sdk::{Diagnostic, Diagnostics};

use super::ast::Expression;
use super::mistakes::{self, Mistake};
use super::source::{SourceFile, Span};
use super::tokens::{Scanner, TokenKind};

pub use translate::translate;

/// Whether a text is a name: a letter or underscore, then letters, digits, underscores and dashes.
pub fn is_identifier(name: &str) -> bool {
    hcl_edit::Ident::try_new(name).is_ok()
}

/// Parses a file's body. The places in it are those of the source that is returned with it, which
/// is the file unless keys of its objects had to be told apart (see [`read`]).
///
/// # Errors
/// The first syntax error, with its place.
pub fn parse_body(file: &Arc<SourceFile>) -> Result<(Arc<SourceFile>, Body), Box<Diagnostic>> {
    check_balance(file, false)?;
    read(file, |text| {
        hcl_edit::parser::parse_body(&without_mark(text))
    })
}

/// The most keys that are told apart in a file.
const MAX_DUPLICATES: usize = 100;

/// Runs the parser. It refuses a key that an object has already, where the language lets the last
/// one win: such a key is written in another way of the same meaning (`k` as `"k"`, and that as
/// `("k")`), in a source whose places are still the file's.
fn read<T>(
    file: &Arc<SourceFile>,
    parse: impl Fn(&str) -> Result<T, hcl_edit::parser::Error>,
) -> Result<(Arc<SourceFile>, T), Box<Diagnostic>> {
    let mut source = file.clone();
    for _ in 0..MAX_DUPLICATES {
        match parse(&source.text) {
            Ok(made) => return Ok((source, made)),
            Err(e) => {
                let again = e.message().contains("redefined object key");
                let other = again.then(|| told_apart(&source, e.location().offset()));
                match other.flatten() {
                    Some(other) => source = other,
                    None => return Err(Box::new(syntax_error(&source, &e))),
                }
            }
        }
    }
    match parse(&source.text) {
        Ok(made) => Ok((source, made)),
        Err(e) => Err(Box::new(syntax_error(&source, &e))),
    }
}

/// The source with the key at a place written in another way.
fn told_apart(source: &Arc<SourceFile>, at: usize) -> Option<Arc<SourceFile>> {
    let rest = source.text.get(at..)?;
    let start = at + (rest.len() - rest.trim_start().len());
    let mut depth = 0i64;
    let mut length = 0;
    for token in Scanner::new(source.text.get(start..)?) {
        if depth == 0 && matches!(token.kind, TokenKind::Equal | TokenKind::Colon) {
            break;
        }
        depth += i64::from(token.kind.bracket_change());
        if !matches!(
            token.kind,
            TokenKind::Whitespace | TokenKind::Comment | TokenKind::Newline
        ) {
            length = token.end;
        }
    }
    let end = start + length;
    let key = source.text.get(start..end)?;
    let written = if is_identifier(key) {
        format!("\"{key}\"")
    } else {
        format!("({key})")
    };
    let byte = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let places = vec![(0, 0), (byte(start + written.len()), byte(end))];
    let text = format!(
        "{}{written}{}",
        source.text.get(..start)?,
        source.text.get(end..)?
    );
    Some(SourceFile::within(source, text, places))
}

/// The text without its byte order mark, which is allowed and means nothing; spaces keep the byte
/// positions right.
pub(in crate::lang) fn without_mark(text: &str) -> Cow<'_, str> {
    match text.strip_prefix('\u{feff}') {
        Some(rest) => Cow::Owned(format!("   {rest}")),
        None => Cow::Borrowed(text),
    }
}

/// Parses a single expression, such as the value of a `-var` flag or a path and value of
/// `sandbox set`.
///
/// # Errors
/// The first syntax error, or the references that make no sense.
pub fn parse_expression(file: &Arc<SourceFile>) -> Result<Expression, Diagnostics> {
    let (source, hcl) = parse(file).map_err(|d| *d)?;
    let mut diagnostics = Diagnostics::new();
    let expression = translate(&source, &hcl, &[], &mut diagnostics);
    if diagnostics.has_errors() {
        Err(diagnostics)
    } else {
        Ok(expression)
    }
}

/// Parses a single expression without a look at what it means, with the source that its places are
/// of, as [`parse_body`] does.
///
/// # Errors
/// The first syntax error.
pub(crate) fn parse(file: &Arc<SourceFile>) -> Result<(Arc<SourceFile>, Hcl), Box<Diagnostic>> {
    check_balance(file, false)?;
    read(file, |text| {
        hcl_edit::parser::parse_expr(&without_surroundings(text))
    })
}

/// The text without the spaces and comments around the expression, which the parser does not take
/// there but in parentheses: these come in the place of what goes, so that places stay right.
fn without_surroundings(text: &str) -> Cow<'_, str> {
    let mut rest = text.trim_start();
    loop {
        let length = if rest.starts_with("/*") {
            rest.find("*/").map(|end| end + 2)
        } else if rest.starts_with("//") || rest.starts_with('#') {
            rest.find('\n')
        } else {
            None
        };
        match length.and_then(|length| rest.get(length..)) {
            Some(after) => rest = after.trim_start(),
            None => break,
        }
    }
    match (text.len() - rest.len()).checked_sub(1) {
        None => Cow::Borrowed(text.trim_end()),
        Some(spaces) => Cow::Owned(format!("({}{rest}\n)", " ".repeat(spaces))),
    }
}

/// Parses a template from elsewhere, for `templatefile` and `templatestring`: it sees nothing but
/// its variables, `names`.
///
/// # Errors
/// The first syntax error, or names that are not among `names`.
pub fn parse_closed_template(
    file: &Arc<SourceFile>,
    names: &[Arc<str>],
) -> Result<Expression, Diagnostics> {
    template(file, names, true)
}

/// Parses a template in which `bound` are names beside what can be referred to anywhere, as strings
/// of the JSON syntax are.
///
/// # Errors
/// The first syntax error, or the references that make no sense.
pub fn parse_template(
    file: &Arc<SourceFile>,
    bound: &[Arc<str>],
) -> Result<Expression, Diagnostics> {
    template(file, bound, false)
}

fn template(
    file: &Arc<SourceFile>,
    names: &[Arc<str>],
    bound_only: bool,
) -> Result<Expression, Diagnostics> {
    check_balance(file, true).map_err(|d| *d)?;
    let template =
        hcl_edit::parser::parse_template(&file.text).map_err(|e| syntax_error(file, &e))?;
    let mut diagnostics = Diagnostics::new();
    let expression =
        translate::whole_template(file, &template, names, bound_only, &mut diagnostics);
    if diagnostics.has_errors() {
        Err(diagnostics)
    } else {
        Ok(expression)
    }
}

/// Refuses what is not balanced before it comes to the parser, which tries every way to read what
/// a bracket that is never closed begins: its time would double with each of them.
fn check_balance(file: &SourceFile, template: bool) -> Result<(), Box<Diagnostic>> {
    let line = |at: usize| file.position(u32::try_from(at).unwrap_or(u32::MAX)).line;
    match mistakes::unbalanced(&file.text, template, &line) {
        Some(m) => Err(Box::new(mistake(file, m))),
        None => Ok(()),
    }
}

fn mistake(file: &SourceFile, m: Mistake) -> Diagnostic {
    Diagnostic::error(m.summary, m.detail).with_range(Some(file.range(m.span)))
}

/// A syntax error in words: what is wrong at the place where the parser gave up.
fn syntax_error(file: &SourceFile, error: &hcl_edit::parser::Error) -> Diagnostic {
    let at = error.location().offset();
    if let Some(m) = mistakes::at_place(&file.text, at, error.message()) {
        return mistake(file, m);
    }
    let mut message = error.message().replace('\n', "; ");
    if let Some(first) = message.get(..1) {
        message = format!("{}{}", first.to_uppercase(), message.get(1..).unwrap_or(""));
    }
    let rest = file.text.get(at..).unwrap_or("");
    let length = rest.chars().next().map_or(0, char::len_utf8);
    let range = file.range(Span::from(at..at + length));
    Diagnostic::error("Invalid syntax", format!("{message}.")).with_range(Some(range))
}

/// The span of an attribute, block or label.
pub fn span_of(node: &impl hcl_edit::Span) -> Span {
    node.span().map(Span::from).unwrap_or_default()
}
