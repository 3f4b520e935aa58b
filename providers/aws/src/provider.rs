//! The provider without a connection: schemas, validation and pure planning.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use topo_sdk::plan;
use topo_sdk::provider::unknown_type;
use topo_sdk::{
    Attribute, Block, Connection, Diagnostics, NestedBlock, Nesting, PlanRequest, PlannedResource,
    Provider, Schema, Type, Value,
};

use crate::connection::AwsConnection;
use crate::core::check;
use crate::core::clients::SERVICES;
use crate::core::contract::Resource;
use crate::core::credentials;
use crate::core::tags::{self, TagRules};
use crate::core::view::blocks;
use crate::table::{DATA, EPHEMERAL, RESOURCES};

/// The AWS provider, local name `aws`.
pub fn provider() -> Arc<dyn Provider> {
    Arc::new(AwsProvider)
}

struct AwsProvider;

static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| Arc::new(Schema::new(provider_block())));

fn provider_block() -> Block {
    let text = || Attribute::optional(Type::String);
    let flag = || Attribute::optional(Type::Bool);
    let texts = || Type::set(Type::String);
    let list = || Type::list(Type::String);
    let role = Block::new()
        .describe("A role to assume. Several are assumed in order.")
        .attr("role_arn", text().describe("ARN of the role."))
        .attr("session_name", text().describe("Name of the session."))
        .attr(
            "external_id",
            text().describe("External id that the role's trust policy asks for."),
        )
        .attr(
            "duration",
            text().describe("How long the credentials are good, such as \"1h\"."),
        )
        .attr(
            "policy",
            text().describe("JSON policy that restricts the session."),
        )
        .attr(
            "policy_arns",
            Attribute::optional(texts()).describe("Managed policies that restrict the session."),
        )
        .attr(
            "tags",
            Attribute::optional(Type::map(Type::String)).describe("Session tags."),
        );
    let endpoints = SERVICES.iter().fold(
        Block::new().describe("Custom endpoints."),
        |block, service| {
            let url = text()
                .identifies_target()
                .describe("URL to use for the service.");
            block.attr(service, url)
        },
    );
    let defaults = Block::new().describe("Tags for every object.").attr(
        "tags",
        Attribute::optional(Type::map(Type::String)).describe("Tags for every object."),
    );
    let ignore = Block::new()
        .describe("Tags to leave alone.")
        .attr(
            "keys",
            Attribute::optional(texts()).describe("Keys to leave alone."),
        )
        .attr(
            "key_prefixes",
            Attribute::optional(texts()).describe("Prefixes of keys to leave alone."),
        );
    Block::new()
        .describe("Amazon Web Services.")
        .attr(
            "region",
            text()
                .identifies_target()
                .describe("Region, such as \"eu-central-1\"."),
        )
        .attr(
            "profile",
            text().describe("Profile of the shared configuration."),
        )
        .attr("access_key", text().describe("Access key id."))
        .attr(
            "secret_key",
            text().sensitive().describe("Secret access key."),
        )
        .attr(
            "token",
            text()
                .sensitive()
                .describe("Session token of temporary credentials."),
        )
        .attr(
            "shared_config_files",
            Attribute::optional(list()).describe("Configuration files; ~/.aws/config otherwise."),
        )
        .attr(
            "shared_credentials_files",
            Attribute::optional(list())
                .describe("Credentials files; ~/.aws/credentials otherwise."),
        )
        .attr(
            "allowed_account_ids",
            Attribute::optional(texts()).describe("The only accounts to work in."),
        )
        .attr(
            "forbidden_account_ids",
            Attribute::optional(texts()).describe("Accounts not to work in."),
        )
        .attr(
            "max_retries",
            Attribute::optional(Type::Number)
                .describe("How often a call is repeated; 25 otherwise."),
        )
        .attr(
            "skip_credentials_validation",
            flag().describe("Accepted; credentials are never validated by a call of their own."),
        )
        .attr(
            "skip_requesting_account_id",
            flag().describe("Do not ask for the account number; ARNs that need it lack it."),
        )
        .attr(
            "skip_metadata_api_check",
            text()
                .describe("\"true\": do not ask the instance's metadata service for credentials."),
        )
        .attr(
            "skip_region_validation",
            flag().describe("Accept a region that does not look like one."),
        )
        .attr("use_fips_endpoint", flag().describe("Use FIPS endpoints."))
        .attr(
            "use_dualstack_endpoint",
            flag().describe("Use endpoints with IPv6."),
        )
        .block("assume_role", NestedBlock::new(Nesting::List, role))
        .block("endpoints", NestedBlock::new(Nesting::Set, endpoints))
        .block("default_tags", NestedBlock::list_max_one(defaults))
        .block("ignore_tags", NestedBlock::list_max_one(ignore))
}

/// A type's plan: the schema's rules, then what means the same, tags, and what an update changes.
/// Without `rules` the provider is not configured.
pub(crate) fn plan_with(
    kind: &dyn Resource,
    schema: &Schema,
    rules: Option<&TagRules>,
    request: &PlanRequest,
) -> PlannedResource {
    let mut request = request.clone();
    let prior = request.prior.as_ref().map(|p| p.value.clone());
    if let Some(prior) = &prior {
        request.proposed = kind.normalise(prior, request.proposed);
    }
    let mut planned = tags::plan(rules, &request, plan::plan(schema, &request));
    if let Some(prior) = prior
        && planned.value != prior
    {
        for name in kind.recomputed(&prior, &planned.value) {
            let unset = request.config.get(name).is_none_or(Value::is_null);
            if unset && let Some(a) = schema.block.attributes.get(name) {
                let unknown = Value::unknown(a.ty.clone());
                planned.value = planned.value.with(name, unknown);
            }
        }
    }
    planned
}

#[async_trait]
impl Provider for AwsProvider {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn uses_network(&self) -> bool {
        true
    }

    fn provider_schema(&self) -> Arc<Schema> {
        SCHEMA.clone()
    }

    fn resource_types(&self) -> Vec<Arc<str>> {
        RESOURCES.keys().map(|&n| n.into()).collect()
    }

    fn resource_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        Some(RESOURCES.get(type_name)?.schema().clone())
    }

    fn data_types(&self) -> Vec<Arc<str>> {
        DATA.keys().map(|&n| n.into()).collect()
    }

    fn data_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        Some(DATA.get(type_name)?.schema().clone())
    }

    fn ephemeral_types(&self) -> Vec<Arc<str>> {
        EPHEMERAL.keys().map(|&n| n.into()).collect()
    }

    fn ephemeral_schema(&self, type_name: &str) -> Option<Arc<Schema>> {
        Some(EPHEMERAL.get(type_name)?.schema().clone())
    }

    fn functions(&self) -> Vec<topo_sdk::Function> {
        crate::functions::functions()
    }

    fn validate_provider(&self, config: &Value) -> Diagnostics {
        let mut found = Diagnostics::new();
        let set = |name| config.get(name).is_some_and(|v: &Value| !v.is_null());
        if set("access_key") != set("secret_key") {
            let missing = if set("access_key") {
                "secret_key"
            } else {
                "access_key"
            };
            found.push(check::invalid(
                topo_sdk::Path::attribute(missing),
                "access_key and secret_key belong together: set both or neither",
            ));
        }
        check::conflicts(
            config,
            &["allowed_account_ids", "forbidden_account_ids"],
            &mut found,
        );
        check::one_of(
            config,
            "skip_metadata_api_check",
            &["", "true", "false"],
            &mut found,
        );
        let looks_like_one =
            |r: &str| r.split('-').count() >= 3 && r.ends_with(|c: char| c.is_ascii_digit());
        if config.get_bool("skip_region_validation") != Some(true)
            && let Some(region) = config.get_str("region")
            && !looks_like_one(region)
        {
            found.push(check::invalid(
                topo_sdk::Path::attribute("region"),
                &format!("\"{region}\" does not look like a region code such as \"eu-central-1\"; set skip_region_validation to use it nevertheless"),
            ));
        }
        for (i, role) in blocks(config, "assume_role").iter().enumerate() {
            if role.get("role_arn").is_none_or(Value::is_null) {
                let path = topo_sdk::Path::attribute("assume_role")
                    .index(i)
                    .attr("role_arn");
                found.push(check::invalid(path, "The role to assume must be named"));
            }
        }
        found
    }

    fn validate_resource(&self, type_name: &str, config: &Value) -> Diagnostics {
        let mut found = Diagnostics::new();
        match RESOURCES.get(type_name) {
            Some(entry) => entry.kind.validate(config, &mut found),
            None => return unknown_type(type_name),
        }
        found
    }

    fn validate_data(&self, type_name: &str, config: &Value) -> Diagnostics {
        let mut found = Diagnostics::new();
        match DATA.get(type_name) {
            Some(entry) => entry.kind.validate(config, &mut found),
            None => return unknown_type(type_name),
        }
        found
    }

    fn plan(&self, request: &PlanRequest) -> Result<PlannedResource, Diagnostics> {
        let entry = RESOURCES
            .get(&*request.type_name)
            .ok_or_else(|| unknown_type(&request.type_name))?;
        Ok(plan_with(entry.kind, entry.schema(), None, request))
    }

    fn compute_data(&self, type_name: &str, config: &Value) -> Option<Result<Value, Diagnostics>> {
        let entry = DATA.get(type_name)?;
        let computed = entry.kind.compute(config)?;
        Some(computed.and_then(|v| crate::connection::conform(entry.schema(), v)))
    }

    async fn configure(&self, config: &Value) -> Result<Arc<dyn Connection>, Diagnostics> {
        let aws = credentials::connect(config).await?;
        Ok(Arc::new(AwsConnection::new(aws)))
    }
}
