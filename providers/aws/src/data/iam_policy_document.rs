//! `aws_iam_policy_document`: a policy document in JSON, made of blocks. A pure function of its
//! arguments. The layout of the JSON (order of keys, two blanks, lists of one collapsed) is that
//! of hashicorp/aws, so that moving over shows no difference.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value as Json;
use topo_sdk::{
    Attribute, Block, Diagnostic, Diagnostics, NestedBlock, Nesting, Path, Schema, Type, Value,
};

use crate::core::check;
use crate::core::clients::Aws;
use crate::core::contract::DataSource;
use crate::core::view::{View, blocks, string, strings};

/// The data source.
pub(crate) struct PolicyDocument;

#[async_trait]
impl DataSource for PolicyDocument {
    fn name(&self) -> &'static str {
        "aws_iam_policy_document"
    }

    fn schema(&self) -> Schema {
        let text = |text| Attribute::optional(Type::String).describe(text);
        let computed = |text| Attribute::computed(Type::String).describe(text);
        let documents = |text| Attribute::optional(Type::list(Type::String)).describe(text);
        Schema::new(
            Block::new()
                .describe("A policy document in JSON.")
                .attr("id", computed("Checksum of the document."))
                .attr("json", computed("The document."))
                .attr("minified_json", computed("The document without blanks."))
                .attr("policy_id", text("Id of the document."))
                .attr(
                    "version",
                    text("Version of the language; 2012-10-17 otherwise."),
                )
                .attr(
                    "source_policy_documents",
                    documents("Documents to start from. Their sids must differ."),
                )
                .attr(
                    "override_policy_documents",
                    documents("Documents whose statements replace those of the same sid."),
                )
                .block(
                    "statement",
                    NestedBlock::new(Nesting::List, statement_block()),
                ),
        )
    }

    fn validate(&self, config: &Value, found: &mut Diagnostics) {
        check::one_of(config, "version", &["2008-10-17", "2012-10-17"], found);
        for statement in blocks(config, "statement") {
            check::one_of(statement, "effect", &["Allow", "Deny"], found);
            check::conflicts(statement, &["actions", "not_actions"], found);
            check::conflicts(statement, &["resources", "not_resources"], found);
        }
    }

    fn compute(&self, config: &Value) -> Option<Result<Value, Diagnostics>> {
        if !config.is_wholly_known() {
            return None;
        }
        Some(document(config).and_then(|document| {
            let broken =
                |e: serde_json::Error| Diagnostics::error("Invalid policy document", e.to_string());
            let json = serde_json::to_string_pretty(&document).map_err(broken)?;
            let minified = serde_json::to_string(&document).map_err(broken)?;
            Ok(View::of(config)
                .set("id", checksum(&json).to_string())
                .set("json", json)
                .set("minified_json", minified)
                .done())
        }))
    }

    async fn read(&self, _aws: &Aws, config: &Value) -> Result<Value, Diagnostics> {
        self.compute(config).unwrap_or_else(|| {
            Err(Diagnostics::error(
                "The policy document is not known yet",
                "An argument of it is unknown.",
            ))
        })
    }
}

fn statement_block() -> Block {
    let texts = |text| Attribute::optional(Type::set(Type::String)).describe(text);
    let principals = || {
        Block::new()
            .describe("Who it is about.")
            .attr(
                "type",
                Attribute::required(Type::String)
                    .describe("AWS, Service, Federated, CanonicalUser or *."),
            )
            .attr(
                "identifiers",
                Attribute::required(Type::set(Type::String))
                    .describe("ARNs, services or accounts."),
            )
    };
    let condition = Block::new()
        .describe("When it holds.")
        .attr(
            "test",
            Attribute::required(Type::String).describe("Operator, such as StringEquals."),
        )
        .attr(
            "variable",
            Attribute::required(Type::String).describe("Condition key."),
        )
        .attr(
            "values",
            Attribute::required(Type::list(Type::String)).describe("Values, any of which will do."),
        );
    Block::new()
        .describe("A statement.")
        .attr(
            "sid",
            Attribute::optional(Type::String).describe("Id of the statement."),
        )
        .attr(
            "effect",
            Attribute::optional(Type::String)
                .default("Allow")
                .describe("Allow or Deny."),
        )
        .attr("actions", texts("Actions."))
        .attr("not_actions", texts("All actions but these."))
        .attr("resources", texts("Resources."))
        .attr("not_resources", texts("All resources but these."))
        .block("principals", NestedBlock::new(Nesting::Set, principals()))
        .block(
            "not_principals",
            NestedBlock::new(Nesting::Set, principals()),
        )
        .block("condition", NestedBlock::new(Nesting::Set, condition))
}

/// A policy document; its fields in the order that hashicorp/aws writes them in.
#[derive(Debug, Clone, Serialize)]
struct Document {
    #[serde(rename = "Version", skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(rename = "Id", skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "Statement", skip_serializing_if = "Vec::is_empty")]
    statements: Vec<Statement>,
}

#[derive(Debug, Clone, Default, Serialize)]
struct Statement {
    #[serde(rename = "Sid", skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(rename = "Effect", skip_serializing_if = "Option::is_none")]
    effect: Option<String>,
    #[serde(rename = "Action", skip_serializing_if = "Option::is_none")]
    action: Option<Json>,
    #[serde(rename = "NotAction", skip_serializing_if = "Option::is_none")]
    not_action: Option<Json>,
    #[serde(rename = "Resource", skip_serializing_if = "Option::is_none")]
    resource: Option<Json>,
    #[serde(rename = "NotResource", skip_serializing_if = "Option::is_none")]
    not_resource: Option<Json>,
    #[serde(rename = "Principal", skip_serializing_if = "Option::is_none")]
    principal: Option<Json>,
    #[serde(rename = "NotPrincipal", skip_serializing_if = "Option::is_none")]
    not_principal: Option<Json>,
    #[serde(rename = "Condition", skip_serializing_if = "Option::is_none")]
    condition: Option<Json>,
}

fn document(config: &Value) -> Result<Document, Diagnostics> {
    let mut made = Document {
        version: None,
        id: None,
        statements: Vec::new(),
    };
    for (i, text) in strings(config, "source_policy_documents")
        .iter()
        .enumerate()
    {
        let source = parse(text, "source_policy_documents", i)?;
        for statement in &source.statements {
            let taken = |s: &Statement| s.sid.is_some() && s.sid == statement.sid;
            if made.statements.iter().any(taken) {
                let sid = statement.sid.as_deref().unwrap_or_default();
                let problem = format!("The sid \"{sid}\" is in several source documents");
                let path = Path::attribute("source_policy_documents").index(i);
                return Err(check::invalid(path, &problem).into());
            }
        }
        merge(&mut made, source);
    }
    let own = Document {
        version: string(config, "version"),
        id: string(config, "policy_id"),
        statements: blocks(config, "statement").iter().map(statement).collect(),
    };
    for (i, s) in own.statements.iter().enumerate() {
        if s.sid.is_some() && own.statements.iter().skip(i + 1).any(|o| o.sid == s.sid) {
            let path = Path::attribute("statement").index(i).attr("sid");
            return Err(check::invalid(path, "Each statement needs a sid of its own").into());
        }
    }
    merge(&mut made, own);
    for (i, text) in strings(config, "override_policy_documents")
        .iter()
        .enumerate()
    {
        let over = parse(text, "override_policy_documents", i)?;
        merge(&mut made, over);
    }
    made.version.get_or_insert_with(|| "2012-10-17".into());
    Ok(made)
}

/// Statements of the same sid are replaced in place, others added.
fn merge(base: &mut Document, over: Document) {
    base.version = over.version.or(base.version.take());
    base.id = over.id.or(base.id.take());
    for statement in over.statements {
        let same = base
            .statements
            .iter_mut()
            .find(|s| s.sid.is_some() && s.sid == statement.sid);
        match same {
            Some(old) => *old = statement,
            None => base.statements.push(statement),
        }
    }
}

fn parse(text: &str, argument: &str, index: usize) -> Result<Document, Diagnostics> {
    let wrong = |problem: String| -> Diagnostics {
        let summary = format!("Invalid document in {argument}");
        Diagnostic::error(summary, problem)
            .at(Path::attribute(argument).index(index))
            .into()
    };
    if text.trim().is_empty() {
        return Ok(Document {
            version: None,
            id: None,
            statements: Vec::new(),
        });
    }
    let json: Json =
        serde_json::from_str(text).map_err(|e| wrong(format!("It is not JSON: {e}.")))?;
    let Json::Object(mut fields) = json else {
        return Err(wrong("It is JSON, but not an object.".into()));
    };
    let take = |v: Option<Json>| {
        v.and_then(|v| v.as_str().map(str::to_owned))
            .filter(|s| !s.is_empty())
    };
    let statements = match fields.remove("Statement") {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(items)) => items,
        Some(one) => vec![one],
    };
    let statements = statements.into_iter().map(|s| {
        let Json::Object(mut s) = s else {
            return Err(wrong("A statement in it is not an object.".into()));
        };
        let mut list = |name: &str| s.remove(name).map(collapse);
        Ok(Statement {
            action: list("Action"),
            not_action: list("NotAction"),
            resource: list("Resource"),
            not_resource: list("NotResource"),
            principal: list("Principal").map(collapse_each),
            not_principal: list("NotPrincipal").map(collapse_each),
            condition: list("Condition").map(|c| match c {
                Json::Object(tests) => Json::Object(
                    tests
                        .into_iter()
                        .map(|(k, v)| (k, collapse_each(v)))
                        .collect(),
                ),
                other => other,
            }),
            sid: take(s.remove("Sid")),
            effect: take(s.remove("Effect")),
        })
    });
    Ok(Document {
        statements: statements.collect::<Result<_, _>>()?,
        version: take(fields.remove("Version")),
        id: take(fields.remove("Id")),
    })
}

/// A list of one becomes its element; longer ones are sorted backwards, as hashicorp/aws does.
fn collapse(json: Json) -> Json {
    match json {
        Json::Array(mut items) if items.len() == 1 => items.remove(0),
        Json::Array(mut items) => {
            items.sort_by_key(|i| std::cmp::Reverse(i.to_string()));
            Json::Array(items)
        }
        other => other,
    }
}

fn collapse_each(json: Json) -> Json {
    match json {
        Json::Object(o) => Json::Object(o.into_iter().map(|(k, v)| (k, collapse(v))).collect()),
        other => other,
    }
}

fn statement(block: &Value) -> Statement {
    // `&{...}` is how the block writes `${...}` of the policy language past the configuration's
    // own interpolation (source: documentation of the data source).
    let variables = |s: String| s.replace("&{", "${");
    let list = |name: &str| {
        let items: Vec<Json> = strings(block, name)
            .into_iter()
            .map(|s| Json::String(variables(s)))
            .collect();
        (!items.is_empty()).then(|| collapse(Json::Array(items)))
    };
    Statement {
        sid: string(block, "sid"),
        effect: Some(string(block, "effect").unwrap_or_else(|| "Allow".into())),
        action: list("actions"),
        not_action: list("not_actions"),
        resource: list("resources"),
        not_resource: list("not_resources"),
        principal: principals(blocks(block, "principals"), variables),
        not_principal: principals(blocks(block, "not_principals"), variables),
        condition: conditions(blocks(block, "condition"), variables),
    }
}

fn principals(found: &[Value], variables: impl Fn(String) -> String) -> Option<Json> {
    let mut by_type: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for p in found {
        let identifiers = strings(p, "identifiers")
            .into_iter()
            .map(|s| Json::String(variables(s)));
        let kind = p.get_str("type").unwrap_or_default().to_owned();
        by_type.entry(kind).or_default().extend(identifiers);
    }
    // Everybody, anonymous callers too, is written without a type.
    let anybody = by_type
        .get("*")
        .is_some_and(|v| v.len() == 1 && v.first() == Some(&Json::from("*")));
    if by_type.is_empty() {
        None
    } else if anybody && by_type.len() == 1 {
        Some(Json::from("*"))
    } else {
        let typed = by_type
            .into_iter()
            .map(|(k, v)| (k, collapse(Json::Array(v))));
        Some(Json::Object(typed.collect()))
    }
}

fn conditions(found: &[Value], variables: impl Fn(String) -> String) -> Option<Json> {
    let mut tests: BTreeMap<String, serde_json::Map<String, Json>> = BTreeMap::new();
    for c in found {
        let test = c.get_str("test").unwrap_or_default().to_owned();
        let variable = c.get_str("variable").unwrap_or_default().to_owned();
        let values = strings(c, "values")
            .into_iter()
            .map(|s| Json::String(variables(s)));
        let of_test = tests.entry(test).or_default();
        // The same key twice under one operator: any of all the values.
        let mut all: Vec<Json> = match of_test.remove(&variable) {
            Some(Json::Array(items)) => items,
            Some(one) => vec![one],
            None => Vec::new(),
        };
        all.extend(values);
        let all = if all.len() == 1 {
            all.remove(0)
        } else {
            Json::Array(all)
        };
        of_test.insert(variable, all);
    }
    (!tests.is_empty()).then(|| {
        Json::Object(
            tests
                .into_iter()
                .map(|(k, v)| (k, Json::Object(v)))
                .collect(),
        )
    })
}

/// CRC-32 as in IEEE 802.3: the id that hashicorp/aws gives a document.
fn checksum(text: &str) -> u32 {
    crate::core::routes::crc32(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use topo_sdk::plan::fill_missing;

    fn compute(config: Value) -> Result<Value, Diagnostics> {
        let schema = PolicyDocument.schema();
        let filled = crate::connection::conform(&schema, fill_missing(&schema.block, config))?;
        PolicyDocument.compute(&filled).unwrap()
    }

    fn texts(items: &[&str]) -> Value {
        crate::core::view::texts(items)
    }

    #[test]
    fn a_trust_policy_is_laid_out_as_hashicorp_does() {
        let principals = Value::object([
            ("type", Value::from("Service")),
            ("identifiers", texts(&["eks.amazonaws.com"])),
        ]);
        let statement = Value::object([
            ("actions", texts(&["sts:AssumeRole", "sts:TagSession"])),
            ("principals", Value::tuple(vec![principals])),
        ]);
        let made = compute(Value::object([(
            "statement",
            Value::tuple(vec![statement]),
        )]))
        .unwrap();
        assert_eq!(
            made.get_str("json").unwrap(),
            r#"{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "sts:TagSession",
        "sts:AssumeRole"
      ],
      "Principal": {
        "Service": "eks.amazonaws.com"
      }
    }
  ]
}"#
        );
        assert!(
            made.get_str("minified_json")
                .unwrap()
                .starts_with(r#"{"Version":"2012-10-17","Statement":[{"Effect""#)
        );
    }

    #[test]
    fn conditions_variables_and_everybody() {
        let condition = Value::object([
            ("test", Value::from("StringLike")),
            ("variable", Value::from("s3:prefix")),
            ("values", texts(&["", "home/&{aws:username}/"])),
        ]);
        let anybody = Value::object([("type", Value::from("*")), ("identifiers", texts(&["*"]))]);
        let statement = Value::object([
            ("sid", Value::from("1")),
            ("effect", Value::from("Deny")),
            ("actions", texts(&["s3:*"])),
            ("resources", texts(&["arn:aws:s3:::b/&{aws:username}"])),
            ("principals", Value::tuple(vec![anybody])),
            ("condition", Value::tuple(vec![condition])),
        ]);
        let made = compute(Value::object([(
            "statement",
            Value::tuple(vec![statement]),
        )]))
        .unwrap();
        assert_eq!(
            made.get_str("minified_json").unwrap(),
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"1","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}","Principal":"*","Condition":{"StringLike":{"s3:prefix":["","home/${aws:username}/"]}}}]}"#
        );
    }

    #[test]
    fn overrides_replace_by_sid_and_sources_must_not_clash() {
        let doc = |sid: &str, action: &str| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Sid":"{sid}","Effect":"Allow","Action":["{action}"],"Resource":"*"}}}}"#
            )
        };
        let (a, b, over) = (doc("a", "s3:Get"), doc("b", "s3:Put"), doc("a", "s3:List"));
        let made = compute(Value::object([
            ("source_policy_documents", texts(&[&a, &b])),
            ("override_policy_documents", texts(&[&over])),
        ]));
        assert_eq!(
            made.unwrap().get_str("minified_json").unwrap(),
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"s3:List","Resource":"*"},{"Sid":"b","Effect":"Allow","Action":"s3:Put","Resource":"*"}]}"#
        );
        let clash = compute(Value::object([(
            "source_policy_documents",
            texts(&[&a, &a]),
        )]))
        .unwrap_err();
        assert!(clash.0[0].detail.contains("\"a\""));
    }

    #[test]
    fn what_is_not_known_is_not_computed() {
        let schema = PolicyDocument.schema();
        let config = fill_missing(
            &schema.block,
            Value::object([("policy_id", Value::unknown(Type::String))]),
        );
        assert!(PolicyDocument.compute(&config).is_none());
    }
}
