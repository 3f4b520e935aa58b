//! What a person may type next: names of functions, of what the root module declares, and of the
//! attributes of what was typed so far.

use std::collections::BTreeSet;

use topo_sdk::{Type, Value};

use super::{Answer, Console, ROOT, input};
use crate::address::ResourceMode;
use crate::lang::ast::Target;
use crate::lang::functions::signature::signatures;

/// How a text may go on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// The byte from which on the text is replaced.
    pub start: usize,
    /// By what, sorted. Functions end in `(`, names that need more end in `.` or `::`.
    pub candidates: Vec<String>,
}

impl Console {
    /// How a text may go on.
    pub fn complete(&self, text: &str) -> Completion {
        let start = word_start(text);
        let word = text.get(start..).unwrap_or_default();
        if input::is_in_quotes(text) {
            return Completion::default();
        }
        let (prefix, partial) = split(word);
        let found = if let Some(namespace) = prefix.strip_suffix("::") {
            self.provider_functions(namespace)
        } else if let Some(prefix) = prefix.strip_suffix('.') {
            self.members(prefix)
        } else {
            // Nothing, or the single colon of a condition or an object.
            self.roots()
        };
        let candidates = found.into_iter().filter(|c| c.starts_with(partial));
        Completion {
            start: start + prefix.len(),
            candidates: candidates.collect(),
        }
    }

    /// What an expression may begin with.
    fn roots(&self) -> BTreeSet<String> {
        let root = self.world.config.root();
        let mut found: BTreeSet<String> = signatures()
            .iter()
            .map(|s| format!("{}(", s.name))
            .collect();
        found.extend(["type(", "path.", "terraform.", "provider::"].map(String::from));
        for (name, some) in [
            ("var.", !root.variables.is_empty()),
            ("local.", !root.locals.is_empty()),
            ("module.", !root.calls.is_empty()),
        ] {
            found.extend(some.then(|| name.to_string()));
        }
        for (mode, type_name, _) in root.resources.keys() {
            found.insert(match mode {
                ResourceMode::Managed => format!("{type_name}."),
                other => other.prefix().into(),
            });
        }
        found
    }

    /// What may stand behind a dot.
    fn members(&self, prefix: &str) -> BTreeSet<String> {
        let root = self.world.config.root();
        let names = |of: &mut dyn Iterator<Item = &std::sync::Arc<str>>| {
            of.map(ToString::to_string).collect::<BTreeSet<_>>()
        };
        let resources = root.resources.keys();
        match prefix {
            "var" => return names(&mut root.variables.keys()),
            "local" => return names(&mut root.locals.keys()),
            "module" => return names(&mut root.calls.keys()),
            "path" => return ["module", "root", "cwd"].map(String::from).into(),
            "terraform" => return ["workspace"].map(String::from).into(),
            "data" | "ephemeral" => {
                let types = resources.filter(|k| k.0 == mode_of(prefix).0);
                return types.map(|k| format!("{}.", k.1)).collect();
            }
            _ => {}
        }
        let (mode, type_name) = mode_of(prefix);
        let found = names(
            &mut resources
                .filter(|k| k.0 == mode && *k.1 == *type_name)
                .map(|k| &k.2),
        );
        if !found.is_empty() {
            return found;
        }
        let found = match self.evaluate(prefix) {
            Ok(Answer::Value(value)) => attributes(&value),
            _ => BTreeSet::new(),
        };
        if found.is_empty() {
            return self.schema(prefix);
        }
        found
    }

    /// The attributes of a resource of which there is no value to look at.
    fn schema(&self, prefix: &str) -> BTreeSet<String> {
        let name = prefix.split('[').next().unwrap_or(prefix);
        let root = self.world.config.root();
        let resource = root.resources.iter().find(|((mode, t, n), _)| {
            Target::Resource(*mode, t.clone(), n.clone()).to_string() == name
        });
        let Some((_, resource)) = resource.filter(|_| name == prefix || prefix.ends_with(']'))
        else {
            return BTreeSet::new();
        };
        names_of(&resource.schema.block.ty())
    }

    /// What may stand behind `provider::` or `provider::NAME::`.
    fn provider_functions(&self, namespace: &str) -> BTreeSet<String> {
        let functions = &self.world.config.functions;
        let required = &self.world.config.module(ROOT).required_providers;
        match namespace.strip_prefix("provider") {
            Some("") => {
                let local = required
                    .iter()
                    .filter(|(_, p)| !functions.names(p).is_empty());
                let local = local.map(|(name, _)| &**name);
                let all = functions.with_functions().into_iter();
                all.chain(local).map(|name| format!("{name}::")).collect()
            }
            Some(rest) => {
                let local = rest.trim_start_matches(':');
                let provider = required.get(local).map_or(local, |p| &**p);
                let names = functions.names(provider).into_iter();
                names.map(|name| format!("{name}(")).collect()
            }
            None => BTreeSet::new(),
        }
    }
}

/// Which kind of resource a name is of, and the rest of the name.
fn mode_of(name: &str) -> (ResourceMode, &str) {
    for (word, mode) in [
        ("data", ResourceMode::Data),
        ("ephemeral", ResourceMode::Ephemeral),
    ] {
        if let Some(rest) = name.strip_prefix(word)
            && (rest.is_empty() || rest.starts_with('.'))
        {
            return (mode, rest.trim_start_matches('.'));
        }
    }
    (ResourceMode::Managed, name)
}

/// The names that may follow a value and a dot.
fn attributes(value: &Value) -> BTreeSet<String> {
    let known = value.as_map().into_iter().flatten().map(|(name, _)| name);
    let mut names: BTreeSet<String> = known.map(ToString::to_string).collect();
    names.extend(names_of(&value.ty()));
    names.retain(|name| hcl_edit::Ident::try_new(name.as_str()).is_ok());
    names
}

fn names_of(ty: &Type) -> BTreeSet<String> {
    match ty {
        Type::Object(o) => o.attributes.keys().map(ToString::to_string).collect(),
        _ => BTreeSet::new(),
    }
}

/// Where the name begins that a text ends in: `aws_vpc.main["a"].tags.Na`.
fn word_start(text: &str) -> usize {
    let mut start = text.len();
    let mut brackets = 0_usize;
    for (at, c) in text.char_indices().rev() {
        match c {
            ']' => brackets += 1,
            '[' if brackets > 0 => brackets -= 1,
            '\n' => break,
            _ if brackets > 0 => continue,
            c if c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':') => {}
            _ => break,
        }
        start = at;
    }
    start
}

/// What comes before the last dot or `::`, with it, and what behind.
fn split(word: &str) -> (&str, &str) {
    let mut brackets = 0_usize;
    for (at, c) in word.char_indices().rev() {
        match c {
            ']' => brackets += 1,
            '[' => brackets = brackets.saturating_sub(1),
            '.' | ':' if brackets == 0 => return word.split_at(at + 1),
            _ => {}
        }
    }
    ("", word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let rows = [
            ("", "", ""),
            ("upp", "", "upp"),
            ("1 + var.a", "var.", "a"),
            ("f(local.x", "local.", "x"),
            (
                "[aws_vpc.main[\"a b\"].tags.",
                "aws_vpc.main[\"a b\"].tags.",
                "",
            ),
            ("a[0].b[module.x.y].c", "a[0].b[module.x.y].", "c"),
            ("provider::aws::arn", "provider::aws::", "arn"),
            ("x[", "", ""),
            ("x[0]", "", "x[0]"),
            ("\"é\" == va", "", "va"),
        ];
        for (text, prefix, partial) in rows {
            let word = &text[word_start(text)..];
            assert_eq!(split(word), (prefix, partial), "{text}");
        }
    }
}
