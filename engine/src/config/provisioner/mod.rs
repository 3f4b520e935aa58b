//! `provisioner` and `connection` blocks of resources and of `removed` blocks: what they say, and
//! what may be wrong with it before anything is carried out. For carrying them out see
//! `apply::provision`.
//!
//! The rules are the language's: create-time provisioners may refer to anything, which the object
//! then depends on; destroy-time ones only to the object itself, for whatever else they would
//! name may be gone when they run.

mod check;
mod read;

use std::sync::{Arc, LazyLock};

use topo_sdk::{Attribute, Block, SourceRange, Type};

use super::Resource;
use super::body::{Body, Meta};
use crate::lang::ast::Expression;

pub(super) use check::{Provisioners, evaluate_removed};
pub(super) use read::Of;

/// A `provisioner` block.
#[derive(Debug, Clone)]
pub struct Provisioner {
    /// Which kind: `local-exec`.
    pub kind: Arc<str>,
    /// When it is carried out.
    pub when: When,
    /// What its failure means.
    pub on_failure: OnFailure,
    /// Its arguments.
    pub body: Body,
    /// How it reaches the object, before what the connection block around it says.
    pub connection: Option<Body>,
    /// The block's header.
    pub range: SourceRange,
}

/// When a provisioner is carried out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum When {
    /// After the object was created.
    #[default]
    Create,
    /// Before the object is deleted.
    Destroy,
}

/// What the failure of a provisioner means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFailure {
    /// The object is not done: tainted when it was created, kept when it was to be deleted.
    #[default]
    Fail,
    /// A warning.
    Continue,
}

/// The arguments of `connection` blocks for all types of connections, as Terraform documents them.
static CONNECTION: LazyLock<Block> = LazyLock::new(|| {
    let text = [
        "type",
        "user",
        "password",
        "timeout",
        "script_path",
        "target_platform",
        "private_key",
        "certificate",
        "host_key",
        "agent_identity",
        "proxy_scheme",
        "proxy_host",
        "proxy_user_name",
        "proxy_user_password",
        "bastion_host",
        "bastion_host_key",
        "bastion_user",
        "bastion_password",
        "bastion_private_key",
        "bastion_certificate",
        "cacert",
    ];
    let groups = [
        (&text[..], Type::String),
        (&["port", "proxy_port", "bastion_port"], Type::Number),
        (&["agent", "https", "insecure", "use_ntlm"], Type::Bool),
    ];
    let mut block = Block::new().attr("host", Attribute::required(Type::String));
    for (names, ty) in groups {
        for name in names {
            block = block.attr(name, Attribute::optional(ty.clone()));
        }
    }
    block
});

/// What a provisioner block has besides what its kind says.
const META: Meta<'static> = Meta {
    attributes: &["when", "on_failure"],
    blocks: &[
        ("connection", Some(0)),
        ("lifecycle", Some(0)),
        ("_", Some(0)),
    ],
};

/// Those of some provisioners that are carried out then, each with its place among all.
pub(crate) fn at(
    provisioners: &[Provisioner],
    when: When,
) -> impl Iterator<Item = (usize, &Provisioner)> {
    provisioners
        .iter()
        .enumerate()
        .filter(move |(_, p)| p.when == when)
}

impl Resource {
    /// What is evaluated for provisioners once the object is there. Destroy-time ones are not
    /// among it: they depend on nothing.
    pub(crate) fn provisioning(&self) -> Vec<&Expression> {
        let mut found = Vec::new();
        for (_, p) in at(&self.provisioners, When::Create) {
            p.body.expressions(&mut found);
            if let Some(c) = &p.connection {
                c.expressions(&mut found);
            }
        }
        if let Some(c) = &self.connection {
            c.expressions(&mut found);
        }
        found
    }
}
