//! Traversals: names are resolved while translating. A name bound by an enclosing `for` shadows
//! everything; any other traversal must start with one of the language's roots or name a resource.

use std::sync::Arc;

use hcl_edit::expr::{Expression as Hcl, Traversal, TraversalOperator};
use topo_sdk::Value;

use super::span_of;
use super::translate::Translator;
use crate::address::ResourceMode;
use crate::lang::ast::{Expr, ExprKind, Reference, Target};
use crate::lang::source::Span;

impl Translator<'_> {
    pub(super) fn traversal(&mut self, t: &Traversal, span: Span) -> Expr {
        let all: Vec<&TraversalOperator> = t.operators.iter().map(|o| o.value()).collect();
        let legacy = |o: &&TraversalOperator| matches!(o, TraversalOperator::LegacyIndex(_));
        if all.windows(2).any(|pair| pair.iter().all(legacy)) {
            let kind = self.error(
                span,
                "Invalid legacy index syntax",
                "Two indices in the legacy syntax cannot follow each other. Use brackets, as in [0][1].",
            );
            return Expr { kind, span };
        }
        let mut operators = all.as_slice();
        let root = match &t.expr {
            Hcl::Variable(name) => {
                let start = span_of(name);
                let kind = self.root(name.as_str(), start, &mut operators);
                let span = match &kind {
                    ExprKind::Reference(r) => self.reference_span(r),
                    _ => start,
                };
                Expr { kind, span }
            }
            other => self.expr(other),
        };
        let mut expr = self.operators(root, operators, span);
        expr.span = span;
        expr
    }

    /// Where a reference is, its instance key included.
    fn reference_span(&self, r: &Reference) -> Span {
        let Some(key) = &r.key else {
            return r.span;
        };
        let end = key.span.end.max(r.span.end);
        let behind = self.file.text.get(end as usize..).unwrap_or("");
        let bracket = behind
            .trim_start()
            .starts_with(']')
            .then(|| behind.find(']'));
        let closing = bracket.flatten().map_or(0, |i| i + 1);
        Span {
            end: end.saturating_add(u32::try_from(closing).unwrap_or(0)),
            ..r.span
        }
    }

    /// The place just behind the next such character.
    fn behind(&self, from: u32, c: char) -> u32 {
        let rest = self.file.text.get(from as usize..).unwrap_or("");
        let length = rest.find(c).map_or(0, |at| at + c.len_utf8());
        from.saturating_add(u32::try_from(length).unwrap_or(0))
    }

    fn operators(&mut self, mut expr: Expr, operators: &[&TraversalOperator], whole: Span) -> Expr {
        let mut rest = operators;
        while let Some((first, after)) = rest.split_first() {
            rest = after;
            let kind = match first {
                TraversalOperator::GetAttr(name) => {
                    let end = span_of(name).end;
                    let span = Span {
                        start: expr.span.start,
                        end,
                    };
                    expr = Expr {
                        kind: ExprKind::GetAttr(Box::new(expr), name.as_str().into()),
                        span,
                    };
                    continue;
                }
                TraversalOperator::Index(key) => {
                    let key = self.expr(key);
                    let start = expr.span.start;
                    let end = self.behind(key.span.end, ']');
                    expr = Expr {
                        kind: ExprKind::Index(Box::new((expr, key))),
                        span: Span { start, end },
                    };
                    continue;
                }
                TraversalOperator::LegacyIndex(i) => {
                    let key = Expr {
                        kind: ExprKind::Literal(Value::number(*i.value())),
                        span: span_of(i),
                    };
                    ExprKind::Index(Box::new((expr, key)))
                }
                TraversalOperator::AttrSplat(_) => {
                    // Takes the attribute accesses that follow; an index applies to the result.
                    let count = rest
                        .iter()
                        .take_while(|o| {
                            matches!(
                                o,
                                TraversalOperator::GetAttr(_) | TraversalOperator::LegacyIndex(_)
                            )
                        })
                        .count();
                    let (inner, after) = rest.split_at(count);
                    rest = after;
                    let item = Expr {
                        kind: ExprKind::SplatItem,
                        span: whole,
                    };
                    let each = self.operators(item, inner, whole);
                    ExprKind::Splat(Box::new((expr, each)))
                }
                TraversalOperator::FullSplat(_) => {
                    // Takes everything up to the next splat, which then applies to each element.
                    let item = Expr {
                        kind: ExprKind::SplatItem,
                        span: whole,
                    };
                    let each = self.operators(item, rest, whole);
                    rest = &[];
                    ExprKind::Splat(Box::new((expr, each)))
                }
            };
            expr = Expr { kind, span: whole };
        }
        expr
    }

    /// Resolves the name at the root of a traversal, taking the operators that belong to it.
    pub(super) fn root(
        &mut self,
        name: &str,
        span: Span,
        operators: &mut &[&TraversalOperator],
    ) -> ExprKind {
        if self.bound.iter().any(|b| &**b == name) {
            return ExprKind::Bound(name.into());
        }
        if self.bound_only {
            let hint = crate::suggest::did_you_mean(name, &self.bound);
            return self.error(
                span,
                "Invalid reference in template",
                format!(
                    "{name:?} is not among the variables that are given to this template.{hint}"
                ),
            );
        }
        let mut end = span.end;
        let mut attr = |operators: &mut &[&TraversalOperator]| -> Option<Arc<str>> {
            let Some((TraversalOperator::GetAttr(n), rest)) = operators.split_first() else {
                return None;
            };
            end = span_of(n).end;
            *operators = rest;
            Some(n.as_str().into())
        };
        let missing = |what: &str| format!("A reference to {name:?} needs {what}.");
        let target = match name {
            "var" => match attr(operators) {
                Some(n) => Target::Variable(n),
                None => {
                    return self.error(
                        span,
                        "Invalid reference",
                        missing("the name of a variable, as in var.region"),
                    );
                }
            },
            "local" => match attr(operators) {
                Some(n) => Target::Local(n),
                None => {
                    return self.error(
                        span,
                        "Invalid reference",
                        missing("the name of a local value, as in local.tags"),
                    );
                }
            },
            "count" => match attr(operators).as_deref() {
                Some("index") => Target::CountIndex,
                _ => {
                    return self.error(
                        span,
                        "Invalid reference",
                        "The count object has one attribute: count.index.",
                    );
                }
            },
            "each" => match attr(operators).as_deref() {
                Some("key") => Target::EachKey,
                Some("value") => Target::EachValue,
                _ => {
                    return self.error(
                        span,
                        "Invalid reference",
                        "The each object has two attributes: each.key and each.value.",
                    );
                }
            },
            "self" => Target::SelfObject,
            "path" => match attr(operators).as_deref() {
                Some("module") => Target::PathModule,
                Some("root") => Target::PathRoot,
                Some("cwd") => Target::PathCwd,
                _ => return self.error(
                    span,
                    "Invalid reference",
                    "The path object has three attributes: path.module, path.root and path.cwd.",
                ),
            },
            "terraform" | "tofu" => match attr(operators).as_deref() {
                Some("workspace") => Target::Workspace,
                Some("applying") => Target::Applying,
                _ => {
                    return self.error(
                        span,
                        "Invalid reference",
                        "The terraform object has two attributes: terraform.workspace and terraform.applying.",
                    );
                }
            },
            "module" => {
                let Some(call) = attr(operators) else {
                    return self.error(
                        span,
                        "Invalid reference",
                        missing("the name of a module call, as in module.network"),
                    );
                };
                return self.module(
                    call,
                    Span {
                        start: span.start,
                        end,
                    },
                    operators,
                );
            }
            "data" => match (attr(operators), attr(operators)) {
                (Some(t), Some(n)) => Target::Resource(ResourceMode::Data, t, n),
                _ => {
                    return self.error(
                        span,
                        "Invalid reference",
                        missing("a data source type and a name, as in data.aws_region.current"),
                    );
                }
            },
            "ephemeral" => match (attr(operators), attr(operators)) {
                (Some(t), Some(n)) => Target::Resource(ResourceMode::Ephemeral, t, n),
                _ => {
                    return self.error(
                        span,
                        "Invalid reference",
                        missing("an ephemeral resource type and a name, as in ephemeral.random_password.db"),
                    );
                }
            },
            _ => {
                let type_name: Option<Arc<str>> = if name == "resource" {
                    attr(operators)
                } else {
                    Some(name.into())
                };
                match (type_name, attr(operators)) {
                    (Some(t), Some(n)) => Target::Resource(ResourceMode::Managed, t, n),
                    _ => {
                        return self.error(
                            span,
                            "Invalid reference",
                            format!("{name:?} is not the name of anything here. A reference to a resource names its type and its name, as in aws_vpc.main; text must be in quotes."),
                        );
                    }
                }
            }
        };
        let is_resource = matches!(target, Target::Resource(..));
        let key = if is_resource {
            self.instance_key(operators)
        } else {
            None
        };
        self.refer(Reference {
            target,
            key,
            span: Span {
                start: span.start,
                end,
            },
        })
    }

    fn module(
        &mut self,
        call: Arc<str>,
        span: Span,
        operators: &mut &[&TraversalOperator],
    ) -> ExprKind {
        let key = self.instance_key(operators);
        let output = match operators.split_first() {
            Some((TraversalOperator::GetAttr(n), rest)) => {
                *operators = rest;
                Some(n.as_str().into())
            }
            _ => None,
        };
        self.refer(Reference {
            target: Target::Module(call, output),
            key,
            span,
        })
    }

    fn instance_key(&mut self, operators: &mut &[&TraversalOperator]) -> Option<Expr> {
        let (first, rest) = operators.split_first()?;
        let key = match first {
            TraversalOperator::Index(key) => self.expr(key),
            TraversalOperator::LegacyIndex(i) => Expr {
                kind: ExprKind::Literal(Value::number(*i.value())),
                span: span_of(i),
            },
            _ => return None,
        };
        *operators = rest;
        Some(key)
    }

    fn refer(&mut self, reference: Reference) -> ExprKind {
        let reference = Arc::new(reference);
        self.references.push(reference.clone());
        ExprKind::Reference(reference)
    }
}
