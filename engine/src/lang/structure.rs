//! Files, bodies, blocks and attributes, in whichever of the two syntaxes they are written.
//!
//! In the native syntax a body shows by itself what is an argument and what is a block; in JSON
//! it takes knowledge of what is expected, so a body is asked for its content with the names of
//! the blocks that may be in it. A body may also have layers: what an override file says of a
//! block lies over what the block itself says.

use std::sync::Arc;

use hcl_edit::expr::{Expression as Hcl, ObjectKey};
use hcl_edit::structure::{Body as HclBody, Structure};
use topo_sdk::{Diagnostic, Diagnostics, SourceRange, Value};

use super::ast::Expression;
use super::json::{self, Json, JsonKind, Property};
use super::source::{SourceFile, Span};
use super::syntax::{self, span_of};
use super::tokens;

/// A parsed file.
#[derive(Debug)]
pub struct Parsed {
    /// The file.
    pub file: Arc<SourceFile>,
    tree: Tree,
}

#[derive(Debug)]
enum Tree {
    Native(HclBody),
    Json(Json),
}

impl Parsed {
    /// Parses a file: one whose name ends in `.json` in the JSON syntax.
    ///
    /// # Errors
    /// What is wrong with its syntax.
    pub fn new(file: Arc<SourceFile>) -> Result<Parsed, Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        match Parsed::partly(file, &mut diagnostics) {
            Some(parsed) if !diagnostics.has_errors() => Ok(parsed),
            _ => Err(diagnostics),
        }
    }

    /// Parses a file as far as it goes: what is wrong in one top-level block leaves the others
    /// alone, so that all mistakes can be told at once. `None` where nothing is left.
    pub fn partly(file: Arc<SourceFile>, diagnostics: &mut Diagnostics) -> Option<Parsed> {
        let read = if file.name.ends_with(".json") {
            json::parse(&file).map(|json| (file.clone(), Tree::Json(json)))
        } else {
            syntax::parse_body(&file).map(|(source, body)| (source, Tree::Native(body)))
        };
        match read {
            Ok((file, tree)) => Some(Parsed { file, tree }),
            Err(d) if file.name.ends_with(".json") => {
                diagnostics.push(*d);
                None
            }
            Err(d) => {
                let rest = without_broken_items(&file, diagnostics);
                if !diagnostics.has_errors() {
                    diagnostics.push(*d);
                }
                let (file, body) = syntax::parse_body(&rest?).ok()?;
                let tree = Tree::Native(body);
                Some(Parsed { file, tree })
            }
        }
    }

    /// The file's body.
    pub fn body(&self, diagnostics: &mut Diagnostics) -> Body<'_> {
        let node = match &self.tree {
            Tree::Native(body) => Node::Native(body),
            Tree::Json(json) => Node::Json(properties(&self.file, json, diagnostics)),
        };
        Body {
            layers: vec![Layer {
                file: &self.file,
                node,
            }],
        }
    }
}

/// The file with every top-level item that cannot be parsed replaced by spaces; what is wrong with
/// each is reported.
fn without_broken_items(
    file: &Arc<SourceFile>,
    diagnostics: &mut Diagnostics,
) -> Option<Arc<SourceFile>> {
    let mut text = file.text.clone();
    for range in tokens::top_level_items(&file.text) {
        let item = file.text.get(range.clone())?;
        let start = u32::try_from(range.start).ok()?;
        let inner = SourceFile::within(file, item.to_string(), vec![(0, start)]);
        if let Err(d) = syntax::parse_body(&inner) {
            diagnostics.push(*d);
            let blank: String = item
                .bytes()
                .map(|b| if b == b'\n' { '\n' } else { ' ' })
                .collect();
            text.replace_range(range, &blank);
        }
    }
    Some(SourceFile::new(file.name.clone(), text))
}

/// The properties of an object, or of all objects of an array.
fn properties<'a>(
    file: &Arc<SourceFile>,
    json: &'a Json,
    diagnostics: &mut Diagnostics,
) -> Vec<&'a Property> {
    let mut found = Vec::new();
    let items = match &json.kind {
        JsonKind::Array(items) => items.as_slice(),
        _ => std::slice::from_ref(json),
    };
    for item in items {
        match &item.kind {
            JsonKind::Object(properties) => found.extend(properties),
            _ => diagnostics.push(
                Diagnostic::error(
                    "Incorrect JSON value type",
                    format!("An object is required here, to define arguments and blocks, but this is {}.", item.describe()),
                )
                .with_range(Some(file.range(item.span))),
            ),
        }
    }
    found
}

/// What is between the braces of a block.
#[derive(Debug, Clone, Default)]
pub struct Body<'a> {
    layers: Vec<Layer<'a>>,
}

#[derive(Debug, Clone)]
struct Layer<'a> {
    file: &'a Arc<SourceFile>,
    node: Node<'a>,
}

#[derive(Debug, Clone)]
enum Node<'a> {
    Native(&'a HclBody),
    Json(Vec<&'a Property>),
}

/// A block.
#[derive(Debug, Clone)]
pub struct Block<'a> {
    /// The file it is in.
    pub file: &'a Arc<SourceFile>,
    /// Its type.
    pub kind: &'a str,
    /// Where its type is.
    pub kind_span: Span,
    /// Its labels, and where they are.
    pub labels: Vec<(&'a str, Span)>,
    /// What is in it.
    pub body: Body<'a>,
}

impl Block<'_> {
    /// Its header: type and labels.
    pub fn header(&self) -> SourceRange {
        let end = match self.file.name.ends_with(".json") {
            // In JSON there may be anything between type and label: the last of them stands for it.
            true => {
                let last = self.labels.last().map_or(self.kind_span, |(_, span)| *span);
                return self.file.range(last);
            }
            false => self.labels.last().map_or(self.kind_span.end, |l| l.1.end),
        };
        self.file.range(Span {
            start: self.kind_span.start,
            end,
        })
    }

    /// Where its type is.
    pub fn kind_range(&self) -> SourceRange {
        self.file.range(self.kind_span)
    }

    /// Where a label is.
    pub fn label_range(&self, index: usize) -> SourceRange {
        match self.labels.get(index) {
            Some((_, span)) => self.file.range(*span),
            None => self.header(),
        }
    }
}

impl<'a> Block<'a> {
    /// Lays what another block says over this one.
    pub fn override_with(&mut self, other: Block<'a>) {
        self.body.layers.extend(other.body.layers);
    }
}

/// An argument.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where its name is.
    pub name_span: Span,
    /// Its value.
    pub value: Source<'a>,
}

impl Attribute<'_> {
    /// Where its name is.
    pub fn name_range(&self) -> SourceRange {
        self.value.file.range(self.name_span)
    }
}

/// An expression as it is written.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The file it is in.
    pub file: &'a Arc<SourceFile>,
    node: SourceNode<'a>,
}

#[derive(Debug, Clone, Copy)]
enum SourceNode<'a> {
    Native(&'a Hcl),
    Json(&'a Json),
}

/// The arguments and blocks of a body.
#[derive(Debug, Clone, Default)]
pub struct Content<'a> {
    /// Arguments in source order.
    pub attributes: Vec<Attribute<'a>>,
    /// Blocks in source order.
    pub blocks: Vec<Block<'a>>,
}

impl<'a> Content<'a> {
    /// The argument of a name.
    pub fn get(&self, name: &str) -> Option<&Attribute<'a>> {
        self.attributes.iter().find(|a| a.name == name)
    }

    /// The blocks of a type.
    pub fn of<'c>(&'c self, kind: &'c str) -> impl Iterator<Item = &'c Block<'a>> {
        self.blocks.iter().filter(move |b| b.kind == kind)
    }
}

impl<'a> Body<'a> {
    /// The arguments and blocks in it. `blocks` names the types of blocks that are expected, with
    /// the number of their labels (`None` for any number): in JSON every other property is an
    /// argument, in the native syntax blocks of other types are returned with the labels that
    /// they have.
    pub fn content(
        &self,
        blocks: &[(&str, Option<usize>)],
        diagnostics: &mut Diagnostics,
    ) -> Content<'a> {
        let mut content = Content::default();
        for (depth, layer) in self.layers.iter().enumerate() {
            let mut found = Content::default();
            match &layer.node {
                Node::Native(body) => native(layer.file, body, blocks, &mut found, diagnostics),
                Node::Json(properties) => {
                    from_json(layer.file, properties, blocks, &mut found, diagnostics);
                }
            }
            if depth == 0 {
                content = found;
            } else {
                overlay(&mut content, found);
            }
        }
        content
    }
}

/// Lays one content over another: arguments one by one, blocks of a type all together, except
/// that the settings of `lifecycle` count one by one.
fn overlay<'a>(base: &mut Content<'a>, over: Content<'a>) {
    for a in over.attributes {
        match base.attributes.iter_mut().find(|b| b.name == a.name) {
            Some(b) => *b = a,
            None => base.attributes.push(a),
        }
    }
    let kind = |b: &Block<'a>| match (b.kind, b.labels.first()) {
        ("dynamic", Some((label, _))) => *label,
        (kind, _) => kind,
    };
    let replaced: Vec<&str> = over.blocks.iter().map(kind).collect();
    base.blocks
        .retain(|b| b.kind == "lifecycle" || !replaced.contains(&kind(b)));
    for b in over.blocks {
        match base.blocks.iter_mut().find(|x| x.kind == "lifecycle") {
            Some(x) if b.kind == "lifecycle" => x.override_with(b),
            _ => base.blocks.push(b),
        }
    }
}

fn native<'a>(
    file: &'a Arc<SourceFile>,
    body: &'a HclBody,
    blocks: &[(&str, Option<usize>)],
    content: &mut Content<'a>,
    diagnostics: &mut Diagnostics,
) {
    let mut names = std::collections::HashSet::new();
    for structure in body.iter() {
        match structure {
            Structure::Attribute(a) => {
                let name = a.key.as_str();
                let name_span = span_of(&a.key);
                if !names.insert(name) {
                    diagnostics.push(
                        Diagnostic::error("Attribute redefined", format!("The argument {name:?} was already set. Each argument may be set only once."))
                            .with_range(Some(file.range(name_span))),
                    );
                    continue;
                }
                content.attributes.push(Attribute {
                    name,
                    name_span,
                    value: Source {
                        file,
                        node: SourceNode::Native(&a.value),
                    },
                });
            }
            Structure::Block(b) => {
                let block = Block {
                    file,
                    kind: b.ident.as_str(),
                    kind_span: span_of(&b.ident),
                    labels: b.labels.iter().map(|l| (l.as_str(), span_of(l))).collect(),
                    body: Body {
                        layers: vec![Layer {
                            file,
                            node: Node::Native(&b.body),
                        }],
                    },
                };
                let expected = blocks.iter().find(|(kind, _)| *kind == block.kind);
                if let Some((kind, Some(wanted))) = expected
                    && block.labels.len() != *wanted
                {
                    diagnostics.push(labels(kind, *wanted, block.labels.len(), block.header()));
                    continue;
                }
                content.blocks.push(block);
            }
        }
    }
}

/// The indefinite article of a noun, at the start of a sentence.
pub fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "An"
    } else {
        "A"
    }
}

fn labels(kind: &str, wanted: usize, given: usize, range: SourceRange) -> Diagnostic {
    let summary = if given > wanted {
        "Extraneous label"
    } else {
        "Missing label"
    };
    let wanted = match wanted {
        0 => "no labels".to_string(),
        1 => "one label".to_string(),
        n => format!("{n} labels"),
    };
    Diagnostic::error(
        format!("{summary} for {kind}"),
        format!(
            "{} {kind} block has {wanted}, but this one has {given}.",
            article(kind)
        ),
    )
    .with_range(Some(range))
}

fn from_json<'a>(
    file: &'a Arc<SourceFile>,
    properties: &[&'a Property],
    blocks: &[(&str, Option<usize>)],
    content: &mut Content<'a>,
    diagnostics: &mut Diagnostics,
) {
    for p in properties {
        if p.name == "//" {
            continue; // a comment, by the JSON specification of the language
        }
        match blocks.iter().find(|(kind, _)| *kind == p.name) {
            Some((_, count)) => {
                let block = Block {
                    file,
                    kind: &p.name,
                    kind_span: p.name_span,
                    labels: Vec::new(),
                    body: Body::default(),
                };
                unfold(block, &p.value, count.unwrap_or(0), content, diagnostics);
            }
            None => {
                if content.get(&p.name).is_some() {
                    diagnostics.push(
                        Diagnostic::error("Attribute redefined", format!("The argument {:?} was already set. Each argument may be set only once.", p.name))
                            .with_range(Some(file.range(p.name_span))),
                    );
                    continue;
                }
                content.attributes.push(Attribute {
                    name: &p.name,
                    name_span: p.name_span,
                    value: Source {
                        file,
                        node: SourceNode::Json(&p.value),
                    },
                });
            }
        }
    }
}

/// The blocks that a JSON value stands for: one level of objects for each label that is still to
/// come, then an object for one block or an array of objects for several.
fn unfold<'a>(
    block: Block<'a>,
    json: &'a Json,
    labels: usize,
    content: &mut Content<'a>,
    diagnostics: &mut Diagnostics,
) {
    let file = block.file;
    match (&json.kind, labels) {
        (JsonKind::Null, 0) => {}
        (JsonKind::Array(items), _) => {
            for item in items {
                unfold(block.clone(), item, labels, content, diagnostics);
            }
        }
        (JsonKind::Object(properties), 0) => content.blocks.push(Block {
            body: Body {
                layers: vec![Layer {
                    file,
                    node: Node::Json(properties.iter().collect()),
                }],
            },
            ..block
        }),
        (JsonKind::Object(properties), _) => {
            for p in properties.iter().filter(|p| p.name != "//") {
                let mut labelled = block.clone();
                labelled.labels.push((&p.name, p.name_span));
                unfold(labelled, &p.value, labels - 1, content, diagnostics);
            }
        }
        _ => diagnostics.push(
            Diagnostic::error(
                "Incorrect JSON value type",
                format!(
                    "An object is required here, to define {:?} blocks{}, but this is {}.",
                    block.kind,
                    if labels > 0 { " by their labels" } else { "" },
                    json.describe()
                ),
            )
            .with_range(Some(file.range(json.span))),
        ),
    }
}

/// The name of an element of an object as it is written.
#[derive(Debug, Clone)]
pub enum Key<'a> {
    /// A plain name.
    Name(String, Span),
    /// Anything else.
    Expression(Source<'a>),
}

impl<'a> Source<'a> {
    /// Where it is.
    pub fn range(&self) -> SourceRange {
        self.file.range(self.span())
    }

    /// Where it is, in bytes.
    pub fn span(&self) -> Span {
        match self.node {
            SourceNode::Native(hcl) => span_of(hcl),
            SourceNode::Json(json) => json.span,
        }
    }

    /// As an expression to evaluate. `bound` are names that the surroundings bind.
    pub fn expression(&self, bound: &[Arc<str>], diagnostics: &mut Diagnostics) -> Expression {
        match self.node {
            SourceNode::Native(hcl) => syntax::translate(self.file, hcl, bound, diagnostics),
            SourceNode::Json(json) => json::translate(self.file, json, bound, diagnostics),
        }
    }

    /// Reads what is not to be evaluated but means something by its form: a keyword, a type, a
    /// reference. In JSON it is written as a string. `None` when there is none; the diagnostics
    /// then say so.
    pub fn read<T>(
        &self,
        diagnostics: &mut Diagnostics,
        read: impl FnOnce(&Arc<SourceFile>, &Hcl, &mut Diagnostics) -> T,
    ) -> Option<T> {
        match self.node {
            SourceNode::Native(hcl) => Some(read(self.file, hcl, diagnostics)),
            SourceNode::Json(json) => {
                let JsonKind::String(_) = &json.kind else {
                    diagnostics.push(
                        Diagnostic::error(
                            "Incorrect JSON value type",
                            format!(
                                "A string is required here, with an expression in the native syntax, but this is {}.",
                                json.describe()
                            ),
                        )
                        .with_range(Some(self.file.range(json.span))),
                    );
                    return None;
                };
                let source = json::inner(self.file, json.span);
                match syntax::parse(&source) {
                    Ok((source, hcl)) => Some(read(&source, &hcl, diagnostics)),
                    Err(d) => {
                        diagnostics.push(*d);
                        None
                    }
                }
            }
        }
    }

    /// As an expression that names things by its form: in JSON a string holds it, not a template.
    /// For `depends_on` and the like.
    pub fn named(&self, diagnostics: &mut Diagnostics) -> Option<Expression> {
        match self.node {
            SourceNode::Native(hcl) => Some(syntax::translate(self.file, hcl, &[], diagnostics)),
            SourceNode::Json(_) => self.read(diagnostics, |file, hcl, diagnostics| {
                syntax::translate(file, hcl, &[], diagnostics)
            }),
        }
    }

    /// The text, if this is a string in quotes in the native syntax, where a name needs none.
    pub fn native_quoted(&self) -> Option<&'a str> {
        match self.node {
            SourceNode::Native(Hcl::String(s)) => Some(s.value().as_str()),
            _ => None,
        }
    }

    /// As [`Source::named`], of the text of a string in the native syntax.
    pub fn inside_quotes(&self, diagnostics: &mut Diagnostics) -> Option<Expression> {
        let text = self.native_quoted()?;
        let start = self.span().start.saturating_add(1);
        let source = SourceFile::within(self.file, text.to_string(), vec![(0, start)]);
        match syntax::parse(&source) {
            Ok((source, hcl)) => Some(syntax::translate(&source, &hcl, &[], diagnostics)),
            Err(d) => {
                diagnostics.push(*d);
                None
            }
        }
    }

    /// The elements, if this is written as a list.
    pub fn list(&self) -> Option<Vec<Source<'a>>> {
        let file = self.file;
        match self.node {
            SourceNode::Native(Hcl::Array(items)) => Some(
                items
                    .iter()
                    .map(|item| Source {
                        file,
                        node: SourceNode::Native(item),
                    })
                    .collect(),
            ),
            SourceNode::Json(Json {
                kind: JsonKind::Array(items),
                ..
            }) => Some(
                items
                    .iter()
                    .map(|item| Source {
                        file,
                        node: SourceNode::Json(item),
                    })
                    .collect(),
            ),
            _ => None,
        }
    }

    /// The elements, if this is written as an object.
    pub fn object(&self) -> Option<Vec<(Key<'a>, Source<'a>)>> {
        let file = self.file;
        match self.node {
            SourceNode::Native(Hcl::Object(object)) => Some(
                object
                    .iter()
                    .map(|(key, value)| {
                        let key = match key {
                            ObjectKey::Ident(n) => Key::Name(n.as_str().into(), span_of(n)),
                            ObjectKey::Expression(Hcl::Variable(n)) => {
                                Key::Name(n.as_str().into(), span_of(n))
                            }
                            ObjectKey::Expression(Hcl::String(s)) => {
                                Key::Name(s.value().clone(), span_of(s))
                            }
                            ObjectKey::Expression(e) => Key::Expression(Source {
                                file,
                                node: SourceNode::Native(e),
                            }),
                        };
                        let value = Source {
                            file,
                            node: SourceNode::Native(value.expr()),
                        };
                        (key, value)
                    })
                    .collect(),
            ),
            SourceNode::Json(Json {
                kind: JsonKind::Object(properties),
                ..
            }) => Some(
                properties
                    .iter()
                    .filter(|p| p.name != "//")
                    .map(|p| {
                        let value = Source {
                            file,
                            node: SourceNode::Json(&p.value),
                        };
                        (Key::Name(p.name.clone(), p.name_span), value)
                    })
                    .collect(),
            ),
            _ => None,
        }
    }

    /// The value, if this is JSON, with its strings as they stand: for where no templates are.
    pub fn json_value(&self) -> Option<Value> {
        match self.node {
            SourceNode::Native(_) => None,
            SourceNode::Json(json) => Some(json.value()),
        }
    }

    /// The word, if this is a bare one (in JSON, a string).
    pub fn keyword(&self) -> Option<&'a str> {
        match self.node {
            SourceNode::Native(Hcl::Variable(v)) => Some(v.as_str()),
            SourceNode::Json(json) => json.as_str(),
            _ => None,
        }
    }

    /// The text, if this is a string in quotes without interpolations.
    pub fn quoted(&self) -> Option<&'a str> {
        match self.node {
            SourceNode::Native(Hcl::String(s)) => Some(s.value().as_str()),
            SourceNode::Json(json) => json.as_str(),
            _ => None,
        }
    }
}
