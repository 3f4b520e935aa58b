//! Configurations made up at random, with what depends on what in them.
//!
//! A node is a resource or a module, alone or with `for_each`. It refers to nodes of lower rank;
//! which, is chosen among those that there are, so that a node that goes is let go of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use proptest::prelude::*;

/// How a node refers to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// By its id, or those of all its instances.
    Id,
    /// By what changes whenever it does.
    Revision,
    /// As a whole.
    Whole,
    /// One instance: that of the same key, else the first.
    Key,
    /// By name alone.
    DependsOn,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Resource,
    Module,
}

/// A resource or a module.
#[derive(Debug, Clone)]
pub struct Node {
    shape: Shape,
    /// With `for_each`: which of three keys, as bits.
    keys: Option<u8>,
    refs: Vec<(usize, Via)>,
    size: u8,
    zone: u8,
    /// Whether another object behind the first reference forces a new one.
    zone_follows: bool,
    create_first: bool,
}

impl Arbitrary for Node {
    type Parameters = ();
    type Strategy = BoxedStrategy<Node>;

    fn arbitrary_with((): ()) -> BoxedStrategy<Node> {
        let shape = prop_oneof![3 => Just(Shape::Resource), 1 => Just(Shape::Module)];
        let keys = prop_oneof![2 => Just(None), 1 => (0..8_u8).prop_map(Some)];
        let refs = prop::collection::vec((any::<usize>(), via()), 0..3);
        let rest = (prop::bool::weighted(0.3), prop::bool::weighted(0.2));
        (shape, keys, refs, rest)
            .prop_map(|(shape, keys, refs, (zone_follows, create_first))| Node {
                shape,
                keys,
                refs,
                size: 0,
                zone: 0,
                zone_follows,
                create_first,
            })
            .boxed()
    }
}

fn via() -> impl Strategy<Value = Via> {
    prop_oneof![
        3 => Just(Via::Id),
        2 => Just(Via::Revision),
        1 => Just(Via::Whole),
        2 => Just(Via::Key),
        1 => Just(Via::DependsOn),
    ]
}

/// A change of a configuration; nodes are named by a number, modulo how many there are.
#[derive(Debug, Clone)]
pub enum Edit {
    Size(usize),
    Zone(usize),
    Remove(usize),
    Add(Node),
    Keys(usize, u8),
    Refs(usize, Vec<(usize, Via)>),
    CreateFirst(usize),
    /// Who could refer to whom is turned round.
    TurnRound,
}

impl Arbitrary for Edit {
    type Parameters = ();
    type Strategy = BoxedStrategy<Edit>;

    fn arbitrary_with((): ()) -> BoxedStrategy<Edit> {
        let refs = prop::collection::vec((any::<usize>(), via()), 0..3);
        prop_oneof![
            4 => any::<usize>().prop_map(Edit::Size),
            4 => any::<usize>().prop_map(Edit::Zone),
            3 => any::<usize>().prop_map(Edit::Remove),
            2 => any::<Node>().prop_map(Edit::Add),
            2 => (any::<usize>(), 0..8_u8).prop_map(|(n, k)| Edit::Keys(n, k)),
            3 => (any::<usize>(), refs).prop_map(|(n, r)| Edit::Refs(n, r)),
            2 => any::<usize>().prop_map(Edit::CreateFirst),
            1 => Just(Edit::TurnRound),
        ]
        .boxed()
    }
}

/// A configuration: nodes by number.
#[derive(Debug, Clone)]
pub struct Model {
    nodes: BTreeMap<usize, Node>,
    next: usize,
    turned: bool,
}

const KEYS: [&str; 3] = ["x", "y", "z"];

impl Model {
    pub fn new(nodes: Vec<Node>) -> Model {
        Model {
            next: nodes.len(),
            nodes: nodes.into_iter().enumerate().collect(),
            turned: false,
        }
    }

    pub fn edited(&self, edits: &[Edit]) -> Model {
        let mut made = self.clone();
        for edit in edits {
            made.edit(edit);
        }
        made
    }

    fn edit(&mut self, edit: &Edit) {
        let nth = |n: &usize| {
            let count = self.nodes.len().max(1);
            self.nodes.keys().nth(n % count).copied()
        };
        let named = match edit {
            Edit::Size(n) | Edit::Zone(n) | Edit::Remove(n) | Edit::CreateFirst(n) => nth(n),
            Edit::Keys(n, _) | Edit::Refs(n, _) => nth(n),
            Edit::Add(_) | Edit::TurnRound => None,
        };
        match edit {
            Edit::Add(node) => {
                self.nodes.insert(self.next, node.clone());
                self.next += 1;
                return;
            }
            Edit::TurnRound => {
                self.turned = !self.turned;
                return;
            }
            _ => {}
        }
        let Some(number) = named else { return };
        if let Edit::Remove(_) = edit {
            self.nodes.remove(&number);
            return;
        }
        let Some(node) = self.nodes.get_mut(&number) else {
            return;
        };
        match edit {
            Edit::Size(_) => node.size += 1,
            Edit::Zone(_) => node.zone += 1,
            Edit::CreateFirst(_) => node.create_first = !node.create_first,
            // A block that gains or loses for_each is another story.
            Edit::Keys(_, keys) => node.keys = node.keys.map(|_| *keys),
            Edit::Refs(_, refs) => node.refs.clone_from(refs),
            _ => {}
        }
    }

    /// What a node refers to: the numbers of nodes.
    fn refs(&self, number: usize) -> Vec<(usize, Via)> {
        let lower: Vec<usize> = match self.turned {
            false => self.nodes.range(..number).map(|(n, _)| *n).collect(),
            true => self.nodes.range(number + 1..).map(|(n, _)| *n).collect(),
        };
        if lower.is_empty() {
            return Vec::new();
        }
        let refs = self.nodes[&number].refs.iter();
        refs.map(|(n, via)| (lower[n % lower.len()], *via))
            .collect()
    }

    /// The keys of a node's instances: one empty key without `for_each`.
    fn keys(&self, number: usize) -> Vec<&'static str> {
        match self.nodes[&number].keys {
            None => vec![""],
            Some(bits) => (0..3)
                .filter(|b| bits & (1 << b) != 0)
                .map(|b| KEYS[b])
                .collect(),
        }
    }

    fn block(&self, number: usize) -> String {
        match self.nodes[&number].shape {
            Shape::Resource => format!("test_thing.n{number}"),
            Shape::Module => format!("module.n{number}"),
        }
    }

    /// Which key of another node one of this node's instances asks for.
    fn asked(&self, number: usize, key: &str, other: usize) -> Option<&'static str> {
        let (own, theirs) = (self.keys(number), self.keys(other));
        self.nodes[&other].keys?;
        let same = self.nodes[&number].keys.is_some() && own.iter().all(|k| theirs.contains(k));
        match same {
            true => theirs.into_iter().find(|k| *k == key),
            false => theirs.first().copied(),
        }
    }

    /// A list of strings made from a reference.
    fn expression(&self, number: usize, (other, via): (usize, Via)) -> String {
        let block = self.block(other);
        let keyed = self.nodes[&other].keys.is_some();
        let attribute = match via {
            Via::Revision => "revision",
            _ => "id",
        };
        match via {
            Via::Whole => format!("[jsonencode({block})]"),
            Via::Key if keyed => {
                let (own, theirs) = (self.keys(number), self.keys(other));
                let each = self.nodes[&number].keys.is_some();
                if each && own.iter().all(|k| theirs.contains(k)) {
                    format!("[{block}[each.key].id]")
                } else {
                    match theirs.first() {
                        Some(first) => format!("[{block}[\"{first}\"].id]"),
                        None => "[]".into(),
                    }
                }
            }
            _ if keyed => format!("[for x in {block} : tostring(x.{attribute})]"),
            _ => format!("[tostring({block}.{attribute})]"),
        }
    }

    /// The files of the configuration.
    pub fn files(&self) -> Vec<(String, String)> {
        let mut main = String::new();
        for (number, node) in &self.nodes {
            self.write(&mut main, *number, node);
        }
        vec![
            ("main.tf".into(), main),
            ("plain/main.tf".into(), CHILD.replace("FIRST", "false")),
            ("first/main.tf".into(), CHILD.replace("FIRST", "true")),
        ]
    }

    fn write(&self, text: &mut String, number: usize, node: &Node) {
        let refs = self.refs(number);
        let values: Vec<String> = refs
            .iter()
            .filter(|(_, via)| *via != Via::DependsOn)
            .map(|r| self.expression(number, *r))
            .collect();
        let zone = match values.first() {
            Some(first) if node.zone_follows => {
                format!("\"{}-${{join(\",\", {first})}}\"", node.zone)
            }
            _ => format!("\"{}\"", node.zone),
        };
        let parents = format!("concat([], {})", values.join(", "));
        let parents = if values.is_empty() { "[]" } else { &parents };
        let on: Vec<String> = refs
            .iter()
            .filter(|(_, via)| *via == Via::DependsOn)
            .map(|(n, _)| self.block(*n))
            .collect();
        let (name, each) = match node.keys {
            None => (format!("n{number}"), String::new()),
            Some(_) => (
                format!("n{number}-${{each.key}}"),
                format!("  for_each = toset({:?})\n", self.keys(number)),
            ),
        };
        let (head, tail) = match node.shape {
            Shape::Resource => (
                format!("resource \"test_thing\" \"n{number}\" {{\n"),
                format!(
                    "  lifecycle {{\n    create_before_destroy = {}\n  }}\n",
                    node.create_first
                ),
            ),
            Shape::Module => {
                let source = if node.create_first { "first" } else { "plain" };
                (
                    format!("module \"n{number}\" {{\n  source = \"./{source}\"\n"),
                    String::new(),
                )
            }
        };
        let _ = write!(
            text,
            "{head}{each}  name = \"{name}\"\n  size = {}\n  zone = {zone}\n  parents = {parents}\n  depends_on = [{}]\n{tail}}}\n",
            node.size,
            on.join(", "),
        );
    }

    /// The names of a node's objects in the cloud, of one of its instances or of all.
    fn objects(&self, number: usize, key: Option<&str>, part: &[&str]) -> Vec<String> {
        let keys = self.keys(number);
        let keys = keys.into_iter().filter(|k| key.is_none_or(|key| key == *k));
        let bases = keys.map(|k| match k {
            "" => format!("n{number}"),
            k => format!("n{number}-{k}"),
        });
        match self.nodes[&number].shape {
            Shape::Resource => bases.collect(),
            Shape::Module => bases
                .flat_map(|b| part.iter().map(move |p| format!("{b}-{p}")))
                .collect(),
        }
    }

    /// What each object in the cloud depends on directly.
    pub fn dependencies(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut made = BTreeMap::new();
        for (number, node) in &self.nodes {
            for key in self.keys(*number) {
                let mut on = BTreeSet::new();
                let mut on_all = BTreeSet::new();
                for (other, via) in self.refs(*number) {
                    let asked = self.asked(*number, key, other);
                    let found = match via {
                        Via::Id => self.objects(other, None, &["out"]),
                        Via::Revision => self.objects(other, None, &["in"]),
                        Via::Key if self.nodes[&other].keys.is_some() => match asked {
                            Some(key) => self.objects(other, Some(key), &["out"]),
                            None => Vec::new(),
                        },
                        Via::Key => self.objects(other, None, &["out"]),
                        Via::Whole => self.objects(other, None, &["in", "out"]),
                        Via::DependsOn => {
                            on_all.extend(self.objects(other, None, &["in", "out"]));
                            Vec::new()
                        }
                    };
                    on.extend(found);
                }
                on.extend(on_all.iter().cloned());
                match node.shape {
                    Shape::Resource => {
                        made.extend(
                            self.objects(*number, Some(key), &[])
                                .into_iter()
                                .map(|n| (n, on.clone())),
                        );
                    }
                    Shape::Module => {
                        let inner = self.objects(*number, Some(key), &["in"]);
                        on_all.extend(inner.iter().cloned());
                        made.extend(inner.into_iter().map(|n| (n, on.clone())));
                        let outer = self.objects(*number, Some(key), &["out"]);
                        made.extend(outer.into_iter().map(|n| (n, on_all.clone())));
                    }
                }
            }
        }
        made
    }

    /// The objects that are created before the ones that they replace are deleted: those that
    /// say so, and what any object of such a block depends on.
    pub fn created_first(&self) -> BTreeSet<String> {
        let mut made = BTreeSet::new();
        let mut seen: BTreeSet<(usize, bool)> = BTreeSet::new();
        let mut open: Vec<(usize, Via)> = Vec::new();
        for (number, node) in &self.nodes {
            if node.create_first {
                // In a module it is the inner object that says so.
                made.extend(self.objects(*number, None, &["in"]));
                open.extend(self.refs(*number));
            }
        }
        while let Some((number, via)) = open.pop() {
            // That output comes from the inner object alone.
            let inner = via == Via::Revision && self.nodes[&number].keys.is_none();
            let parts: &[&str] = if inner { &["in"] } else { &["in", "out"] };
            if seen.insert((number, inner)) {
                made.extend(self.objects(number, None, parts));
                open.extend(self.refs(number));
            }
        }
        made
    }

    /// A node to name as a target: its address and its objects.
    pub fn target(&self, n: usize) -> Option<(String, BTreeSet<String>)> {
        let count = self.nodes.len();
        let number = *self.nodes.keys().nth(n.checked_rem(count)?)?;
        let objects = self.objects(number, None, &["in", "out"]);
        Some((self.block(number), objects.into_iter().collect()))
    }
}

const CHILD: &str = r#"
variable "name" {}
variable "size" {}
variable "zone" {}
variable "parents" {}
resource "test_thing" "in" {
  name    = "${var.name}-in"
  size    = var.size
  zone    = var.zone
  parents = var.parents
  lifecycle {
    create_before_destroy = FIRST
  }
}
resource "test_thing" "out" {
  name = "${var.name}-out"
  note = test_thing.in.id
}
output "id" {
  value = test_thing.out.id
}
output "revision" {
  value = test_thing.in.revision
}
"#;
