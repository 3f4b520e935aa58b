//! Templates, and the functions that render one from elsewhere: `templatefile` and
//! `templatestring`.

use std::sync::Arc;

use topo_sdk::convert::convert;
use topo_sdk::{Diagnostic, Kind, Marks, Refinements, Type, Value};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::super::ast::{Call, Expr, ExprKind, Part};
use super::super::functions;
use super::super::operators;
use super::super::source::{SourceFile, Span};
use super::super::syntax;
use super::{Evaluator, Outcome};

/// The longest text that a template makes, in bytes.
const MAX_TEXT: usize = 64 << 20;

/// The deepest nesting of templates that render templates.
const MAX_TEMPLATES: usize = 64;

/// Text under construction: what is known of it up to the first unknown part.
#[derive(Default)]
struct Text {
    known: String,
    unknown: bool,
    marks: Marks,
}

impl Text {
    fn push(&mut self, s: &str) {
        if !self.unknown {
            self.known.push_str(s);
        }
    }

    fn finish(self) -> Value {
        let value = if self.unknown {
            let prefix = safe_prefix(&self.known);
            Value::unknown_refined(
                Type::String,
                Refinements {
                    not_null: true,
                    prefix: (!prefix.is_empty()).then(|| prefix.into()),
                    ..Refinements::default()
                },
            )
        } else {
            Value::string(self.known)
        };
        value.with_marks(self.marks)
    }
}

/// The part of a text that no text behind it can change: a combining character would become one
/// with the last character, unless that is a delimiter.
fn safe_prefix(text: &str) -> String {
    let mut text: String = text.nfc().collect();
    let combines = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "<=>".contains(c);
    if text.chars().next_back().is_some_and(combines) {
        let last = text.grapheme_indices(true).next_back().map(|(i, _)| i);
        text.truncate(last.unwrap_or(0));
    }
    text
}

impl Evaluator<'_> {
    pub(super) fn template(&mut self, parts: &[Part]) -> Outcome {
        let mut text = Text::default();
        self.parts(parts, &mut text)?;
        Ok(text.finish())
    }

    fn parts(&mut self, parts: &[Part], text: &mut Text) -> Result<(), Box<Diagnostic>> {
        for part in parts {
            match part {
                Part::Literal(s) => text.push(s),
                Part::Interpolation(e) => self.interpolation(e, text)?,
                Part::If(d) => self.template_if(d, text)?,
                Part::For {
                    key,
                    value,
                    collection,
                    body,
                } => self.template_for((key.as_ref(), value), collection, body, text)?,
            }
        }
        Ok(())
    }

    fn interpolation(&mut self, e: &Expr, text: &mut Text) -> Result<(), Box<Diagnostic>> {
        let v = self.eval(e)?;
        let v = self.place(e.span, operators::template_text(&v))?;
        text.marks |= v.deep_marks();
        match v.kind() {
            Kind::String(s) => text.push(s),
            Kind::Unknown(u) => {
                if let Some(prefix) = &u.refinements.prefix {
                    text.push(prefix);
                }
                text.unknown = true;
            }
            _ => {}
        }
        if text.known.len() > MAX_TEXT {
            return Err(self.fail(
                e.span,
                "Text too long",
                format!(
                    "The text of a template may have at most {} MiB.",
                    MAX_TEXT >> 20
                ),
            ));
        }
        Ok(())
    }

    fn template_if(
        &mut self,
        directive: &(Expr, Vec<Part>, Vec<Part>),
        text: &mut Text,
    ) -> Result<(), Box<Diagnostic>> {
        let (condition, then, otherwise) = directive;
        let c = self.eval(condition)?;
        let (choice, marks) = self.place(
            condition.span,
            operators::condition(&c, "Invalid template condition"),
        )?;
        text.marks |= marks;
        let aside: &[&Vec<Part>] = match choice {
            Some(true) => &[otherwise],
            Some(false) => &[then],
            None => &[then, otherwise],
        };
        // As in a conditional, what is not taken counts with its marks, not with its errors.
        for parts in aside {
            let mut unused = Text::default();
            let (bindings, splat) = (self.bindings.len(), self.splat.len());
            if self.parts(parts, &mut unused).is_err() {
                self.bindings.truncate(bindings);
                self.splat.truncate(splat);
                self.failed = None;
            }
            text.marks |= unused.marks;
        }
        match choice {
            Some(true) => self.parts(then, text),
            Some(false) => self.parts(otherwise, text),
            None => {
                text.unknown = true;
                Ok(())
            }
        }
    }

    fn template_for(
        &mut self,
        (key, value): (Option<&Arc<str>>, &Arc<str>),
        collection: &Expr,
        body: &[Part],
        text: &mut Text,
    ) -> Result<(), Box<Diagnostic>> {
        let c = self.eval(collection)?;
        text.marks |= c.marks();
        let Some(elements) = self.iterate(&c, collection.span, "template 'for' directive")? else {
            text.unknown = true;
            return Ok(());
        };
        let depth = self.bindings.len();
        for (k, v) in elements {
            self.bindings.truncate(depth);
            self.bind(key, value, k, v);
            self.parts(body, text)?;
        }
        self.bindings.truncate(depth);
        Ok(())
    }

    /// `templatefile(path, variables)`
    pub(super) fn template_file(&mut self, call: &Call, span: Span) -> Outcome {
        let args = match self.arguments(call)? {
            Ok(args) => args,
            Err(unknown) => return Ok(unknown),
        };
        let [path, variables] = args.as_slice() else {
            return Err(self.wrong_count(
                "templatefile",
                "a path and an object of variables",
                span,
            ));
        };
        let at = |i: usize| call.args.get(i).map_or(span, |a| a.span);
        let path = self.text_argument("templatefile", path, at(0))?;
        let marks = path.marks() | variables.deep_marks();
        if !path.is_known() || !variables.is_known() {
            return Ok(Value::unknown(Type::Dynamic).with_marks(marks));
        }
        let name = path.as_str().unwrap_or_default();
        let Some(read) = functions::lookup("file") else {
            return Err(self.fail(
                span,
                "Error in function call",
                "There is no way to read files.",
            ));
        };
        let text = functions::call(read, &self.scope.functions(), &[path.clone().unmark()])
            .map_err(|e| {
                let detail = format!("Call to function \"templatefile\" failed: {}.", e.message);
                self.fail(at(0), "Invalid function argument", detail)
            })?;
        // The name of a file that is secret does not go into messages.
        let shown = if path.is_sensitive() {
            "(sensitive path)"
        } else {
            name
        };
        let file = SourceFile::new(shown, text.as_str().unwrap_or_default().to_string());
        let value = self.render("templatefile", &file, variables, (span, at(1)))?;
        Ok(value.with_marks(marks))
    }

    /// `templatestring(reference, variables)`
    pub(super) fn template_string(&mut self, call: &Call, span: Span) -> Outcome {
        let [reference, variables] = call.args.as_slice() else {
            return Err(self.wrong_count(
                "templatestring",
                "a reference to a template and an object of variables",
                span,
            ));
        };
        if !is_direct(reference) {
            let detail = match &reference.kind {
                ExprKind::Literal(v) if v.as_str().is_some() => {
                    "a template that is written in place can be a template expression instead"
                }
                ExprKind::Template(_) | ExprKind::Wrapped(_) => {
                    "write the reference to the template without quotes and without ${ }"
                }
                _ => "it must be a direct reference to a string from elsewhere that is a template",
            };
            return Err(self.fail(
                reference.span,
                "Invalid function argument",
                format!("The first argument of \"templatestring\" is not suitable: {detail}."),
            ));
        }
        let template = self.eval(reference)?;
        let given = self.eval(variables)?;
        let template = self.text_argument("templatestring", &template, reference.span)?;
        let marks = template.marks() | given.deep_marks();
        if !template.is_known() || !given.is_known() {
            return Ok(Value::unknown(Type::Dynamic).with_marks(marks));
        }
        let text = template.as_str().unwrap_or_default();
        let file = SourceFile::new("<templatestring argument>", text.to_string());
        let value = self.render("templatestring", &file, &given, (span, variables.span))?;
        Ok(value.with_marks(marks))
    }

    fn wrong_count(&self, name: &str, wanted: &str, span: Span) -> Box<Diagnostic> {
        self.fail(
            span,
            "Error in function call",
            format!("Function {name:?} takes two arguments: {wanted}."),
        )
    }

    /// A non-null string argument, perhaps unknown.
    fn text_argument(&self, function: &str, value: &Value, span: Span) -> Outcome {
        let fail = |reason: String| {
            let detail = format!("Call to function {function:?} failed: {reason}.");
            self.fail(span, "Invalid function argument", detail)
        };
        if value.is_null() {
            return Err(fail("argument must not be null".into()));
        }
        convert(value, &Type::String).map_err(|e| fail(e.to_string()))
    }

    /// Renders a template that sees only its variables. The result of one that is a single
    /// interpolation is of any type.
    fn render(
        &mut self,
        function: &str,
        file: &Arc<SourceFile>,
        variables: &Value,
        (span, variables_at): (Span, Span),
    ) -> Outcome {
        let fail = |span: Span, reason: String| {
            let detail = format!("Call to function {function:?} failed: {reason}.");
            self.fail(span, "Invalid function argument", detail)
        };
        if variables.is_null() {
            return Err(fail(variables_at, "argument must not be null".into()));
        }
        let Some(map) = variables.as_map() else {
            let reason = "the variables must be an object or a map".into();
            return Err(fail(variables_at, reason));
        };
        if let Some(name) = map.keys().find(|n| !syntax::is_identifier(n)) {
            return Err(fail(
                variables_at,
                format!(
                    "{name:?} cannot be the name of a template variable: a name starts with a letter, followed by letters, digits, hyphens and underscores"
                ),
            ));
        }
        if self.templates >= MAX_TEMPLATES {
            return Err(fail(
                span,
                format!(
                    "templates that render templates are nested deeper than {MAX_TEMPLATES} levels; does {} render itself?",
                    file.name
                ),
            ));
        }
        let names: Vec<Arc<str>> = map.keys().cloned().collect();
        let template = syntax::parse_closed_template(file, &names).map_err(|ds| {
            let first = ds.into_iter().next();
            Box::new(first.unwrap_or_else(|| Diagnostic::error("Invalid template", "")))
        })?;
        let mut inner = Evaluator {
            scope: self.scope,
            file: &template.file,
            bindings: map.iter().map(|(k, v)| (k.clone(), v.clone())).collect(),
            splat: Vec::new(),
            depth: self.depth,
            templates: self.templates + 1,
            failed: None,
        };
        let value = inner.run(&template)?;
        if value.is_null() {
            let detail = "The result of a template must not be null.";
            let range = Some(file.range(template.expr.span));
            let d = Diagnostic::error("Template result is null", detail);
            return Err(Box::new(d.with_range(range)));
        }
        Ok(value)
    }
}

/// Whether this names one thing from elsewhere, perhaps an element or attribute of it.
fn is_direct(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Reference(_) | ExprKind::Bound(_) => true,
        ExprKind::GetAttr(inner, _) => is_direct(inner),
        ExprKind::Index(parts) => is_direct(&parts.0),
        _ => false,
    }
}
