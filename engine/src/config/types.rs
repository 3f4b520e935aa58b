//! Type constraints of variables: `list(string)`, `object({ a = optional(number, 3) })`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hcl_edit::expr::{Expression as Hcl, ObjectKey};
use topo_sdk::convert::convert;
use topo_sdk::{Diagnostic, Diagnostics, Kind, ObjectType, Type, Value};

use crate::lang::ast::ExprKind;
use crate::lang::source::SourceFile;
use crate::lang::syntax::{span_of, translate};

/// A type with the defaults of its optional attributes.
#[derive(Debug, Clone)]
pub struct TypeConstraint {
    /// The type; optional attributes are marked so.
    pub ty: Type,
    /// The defaults inside it.
    pub defaults: Defaults,
}

/// Defaults of optional attributes at one level of a type, and inside its parts.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    values: BTreeMap<Arc<str>, Value>,
    /// By attribute name; for the elements of a collection, under the empty name; for those of
    /// a tuple, under their index.
    children: BTreeMap<Arc<str>, Defaults>,
}

impl Defaults {
    fn is_empty(&self) -> bool {
        self.values.is_empty() && self.children.is_empty()
    }

    /// The value with every absent or null optional attribute set to its default.
    pub fn apply(&self, value: Value) -> Value {
        if self.is_empty() || value.is_null() || !value.is_known() {
            return value;
        }
        if let Some(element) = self.children.get("") {
            return match value.kind() {
                // Elements may come to differ in type before conversion: a set is made last.
                Kind::Set(s) => {
                    Value::tuple(s.items.iter().map(|v| element.apply(v.clone())).collect())
                        .with_marks(value.marks())
                }
                Kind::List(s) => {
                    Value::tuple(s.items.iter().map(|v| element.apply(v.clone())).collect())
                        .with_marks(value.marks())
                }
                Kind::Map(m) => Value::object(
                    m.entries
                        .iter()
                        .map(|(k, v)| (k.clone(), element.apply(v.clone()))),
                )
                .with_marks(value.marks()),
                _ => value.map_children(|v| element.apply(v)),
            };
        }
        if let Some(items) = value.as_slice() {
            let element = |(i, v): (usize, &Value)| match self.children.get(i.to_string().as_str())
            {
                Some(child) => child.apply(v.clone()),
                None => v.clone(),
            };
            return Value::tuple(items.iter().enumerate().map(element).collect())
                .with_marks(value.marks());
        }
        let Some(entries) = value.as_map() else {
            return value;
        };
        let mut made = entries.clone();
        for (name, default) in &self.values {
            if made.get(name).is_none_or(Value::is_null) {
                made.insert(name.clone(), default.clone());
            }
        }
        for (name, child) in &self.children {
            if let Some(v) = made.get_mut(name) {
                *v = child.apply(v.clone());
            }
        }
        Value::new(Kind::Object(Arc::new(made))).with_marks(value.marks())
    }
}

/// Reads a type constraint.
pub fn read_type(
    file: &Arc<SourceFile>,
    hcl: &Hcl,
    diagnostics: &mut Diagnostics,
) -> TypeConstraint {
    let mut defaults = Defaults::default();
    let ty = read(file, hcl, &mut defaults, diagnostics);
    TypeConstraint { ty, defaults }
}

fn read(
    file: &Arc<SourceFile>,
    hcl: &Hcl,
    defaults: &mut Defaults,
    diagnostics: &mut Diagnostics,
) -> Type {
    match hcl {
        Hcl::Variable(name) => match name.as_str() {
            "string" => Type::String,
            "number" => Type::Number,
            "bool" => Type::Bool,
            "any" => Type::Dynamic,
            "list" => Type::list(Type::Dynamic),
            "set" => Type::set(Type::Dynamic),
            "map" => Type::map(Type::Dynamic),
            name @ ("object" | "tuple") => fail(
                file,
                hcl,
                diagnostics,
                format!(
                    "The {name} type constructor requires one argument that specifies what is in it."
                ),
            ),
            other => fail(
                file,
                hcl,
                diagnostics,
                format!(
                    "The keyword {other:?} is not a valid type specification.{}",
                    crate::suggest::did_you_mean(
                        other,
                        [
                            "string", "number", "bool", "any", "list", "set", "map", "object",
                            "tuple"
                        ]
                    )
                ),
            ),
        },
        Hcl::String(s) => fail(
            file,
            hcl,
            diagnostics,
            format!(
                "Types are written without quotes: {}.",
                match s.value().as_str() {
                    "list" => "list(string)",
                    "map" => "map(string)",
                    other => other,
                }
            ),
        ),
        Hcl::FuncCall(call) => {
            let args: Vec<&Hcl> = call.args.iter().collect();
            match (call.name.name.as_str(), args.as_slice()) {
                (kind @ ("list" | "set" | "map"), [element]) => {
                    let mut inner = Defaults::default();
                    let element = read(file, element, &mut inner, diagnostics);
                    if !inner.is_empty() {
                        defaults.children.insert("".into(), inner);
                    }
                    match kind {
                        "list" => Type::list(element),
                        "set" => Type::set(element),
                        _ => Type::map(element),
                    }
                }
                ("object", [Hcl::Object(object)]) => {
                    let mut made = ObjectType::default();
                    for (key, value) in object.iter() {
                        let name: Arc<str> = match key {
                            ObjectKey::Ident(n) => n.as_str().into(),
                            ObjectKey::Expression(Hcl::Variable(n)) => n.as_str().into(),
                            ObjectKey::Expression(key) => {
                                let _ = fail(
                                    file,
                                    key,
                                    diagnostics,
                                    "The attributes of an object are plain names, without quotes or parentheses.",
                                );
                                continue;
                            }
                        };
                        let ty = attribute(
                            file,
                            value.expr(),
                            &name,
                            &mut made.optional,
                            defaults,
                            diagnostics,
                        );
                        made.attributes.insert(name, ty);
                    }
                    Type::Object(Arc::new(made))
                }
                ("tuple", [Hcl::Array(items)]) => {
                    let mut types = Vec::with_capacity(items.len());
                    for (i, item) in items.iter().enumerate() {
                        let mut inner = Defaults::default();
                        types.push(read(file, item, &mut inner, diagnostics));
                        if !inner.is_empty() {
                            defaults.children.insert(i.to_string().into(), inner);
                        }
                    }
                    Type::tuple(types)
                }
                ("optional", _) => fail(
                    file,
                    hcl,
                    diagnostics,
                    "The optional(...) modifier may be used only for attributes of object types.",
                ),
                (name @ ("list" | "set" | "map" | "object" | "tuple"), _) => fail(
                    file,
                    hcl,
                    diagnostics,
                    format!(
                        "The {name} type constructor requires one argument that specifies what is in it."
                    ),
                ),
                (name @ ("string" | "number" | "bool" | "any"), _) => fail(
                    file,
                    hcl,
                    diagnostics,
                    format!("The type {name} takes no arguments."),
                ),
                (other, _) => fail(
                    file,
                    hcl,
                    diagnostics,
                    format!(
                        "{other:?} is not a valid type constructor: use list, set, map, object or tuple."
                    ),
                ),
            }
        }
        _ => fail(
            file,
            hcl,
            diagnostics,
            "A type constraint is a keyword such as string, or a call such as list(string).",
        ),
    }
}

fn fail(
    file: &Arc<SourceFile>,
    hcl: &Hcl,
    diagnostics: &mut Diagnostics,
    detail: impl Into<String>,
) -> Type {
    let range = file.range(span_of(hcl));
    diagnostics
        .push(Diagnostic::error("Invalid type specification", detail).with_range(Some(range)));
    Type::Dynamic
}

/// The type of an object's attribute, which may be `optional(type, default)`.
fn attribute(
    file: &Arc<SourceFile>,
    hcl: &Hcl,
    name: &Arc<str>,
    optional: &mut BTreeSet<Arc<str>>,
    defaults: &mut Defaults,
    diagnostics: &mut Diagnostics,
) -> Type {
    let mut inner = Defaults::default();
    let ty = match hcl {
        Hcl::FuncCall(call) if call.name.name.as_str() == "optional" => {
            optional.insert(name.clone());
            let args: Vec<&Hcl> = call.args.iter().collect();
            let Some(first) = args.first() else {
                diagnostics.push(
                    Diagnostic::error("Invalid type specification", "The optional(...) modifier requires the attribute's type as its first argument.")
                        .with_range(Some(file.range(span_of(hcl)))),
                );
                return Type::Dynamic;
            };
            let ty = read(file, first, &mut inner, diagnostics);
            if let Some(more) = args.get(2) {
                let _ = fail(
                    file,
                    more,
                    diagnostics,
                    "The optional(...) modifier has at most two arguments: the attribute's type and its default.",
                );
            }
            if let Some(default) = args.get(1) {
                let expression = translate(file, default, &[], diagnostics);
                let made = constant(&expression.expr.kind, &expression, diagnostics);
                match convert(&inner.apply(made), &ty) {
                    Ok(v) => {
                        defaults.values.insert(name.clone(), v);
                    }
                    Err(e) => diagnostics.push(
                        Diagnostic::error("Invalid default value for optional attribute", format!("This default value is not compatible with the attribute's type constraint: {e}."))
                            .with_range(Some(expression.range())),
                    ),
                }
            }
            ty
        }
        other => read(file, other, &mut inner, diagnostics),
    };
    if !inner.is_empty() {
        defaults.children.insert(name.clone(), inner);
    }
    ty
}

/// Evaluates an expression that may refer to nothing.
pub fn constant(
    kind: &ExprKind,
    expression: &crate::lang::ast::Expression,
    diagnostics: &mut Diagnostics,
) -> Value {
    if let ExprKind::Literal(v) = kind {
        return v.clone();
    }
    let mut call = None;
    super::shapes::visit(&expression.expr, &mut |e| {
        if matches!(e.kind, ExprKind::Call(_)) {
            call.get_or_insert(e.span);
        }
    });
    if let Some(span) = call {
        diagnostics.push(
            Diagnostic::error(
                "Function calls not allowed",
                "Only constants may be used here, not what a function returns.",
            )
            .with_range(Some(expression.file.range(span))),
        );
        return Value::NULL;
    }
    match crate::lang::eval::evaluate(expression, &Nothing) {
        Ok(v) => v,
        Err(d) => {
            diagnostics.push(*d);
            Value::NULL
        }
    }
}

/// The scope of expressions that may refer to nothing.
pub struct Nothing;

impl crate::lang::eval::Scope for Nothing {
    fn resolve(
        &self,
        target: &crate::lang::ast::Target,
        _key: Option<&Value>,
    ) -> Result<Value, (String, String)> {
        Err((
            "Variables not allowed".into(),
            format!("Only constants may be used here, not {target}."),
        ))
    }

    fn functions(&self) -> crate::lang::functions::Context<'_> {
        crate::lang::functions::Context {
            base_dir: std::path::Path::new("."),
            plan_time: jiff::Timestamp::UNIX_EPOCH,
            impure_unknown: false,
        }
    }
}
