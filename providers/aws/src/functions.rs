//! The functions of the provider, as its documentation has them: Amazon Resource Names taken
//! apart and put together, and the text of a product for the `user_agent` argument.

use topo_sdk::{Function, FunctionError, Parameter, Type, Value};

/// Every function of the provider.
pub(crate) fn functions() -> Vec<Function> {
    vec![
        Function {
            name: "arn_build",
            description: "An ARN made of its parts.",
            parameters: PARTS
                .into_iter()
                .map(|(name, description)| Parameter::new(name, Type::String, description))
                .collect(),
            variadic: None,
            returns: Type::String,
            call: arn_build,
        },
        Function {
            name: "arn_parse",
            description: "The parts of an ARN.",
            parameters: vec![Parameter::new("arn", Type::String, "The ARN.")],
            variadic: None,
            returns: Type::object(PARTS.map(|(name, _)| (name, Type::String))),
            call: arn_parse,
        },
        Function {
            name: "trim_iam_role_path",
            description: "The ARN of an IAM role without the role's path, for services that take roles only so.",
            parameters: vec![Parameter::new("arn", Type::String, "The ARN of a role.")],
            variadic: None,
            returns: Type::String,
            call: trim_iam_role_path,
        },
        Function {
            name: "user_agent",
            description: "A product in the form of the user_agent argument of the provider block.",
            parameters: vec![
                Parameter::new("product_name", Type::String, "The product's name."),
                Parameter::new("product_version", Type::String, "Its version, or nothing."),
                Parameter::new("comment", Type::String, "A comment, or nothing."),
            ],
            variadic: None,
            returns: Type::String,
            call: user_agent,
        },
    ]
}

/// The parts of an ARN in their order.
const PARTS: [(&str, &str); 5] = [
    ("partition", "The partition, such as aws or aws-cn."),
    ("service", "The service, such as iam."),
    ("region", "The region; empty where the service has none."),
    (
        "account_id",
        "The account; empty where the service has none.",
    ),
    ("resource", "The rest: often a type and an id."),
];

fn text(args: &[Value], i: usize) -> &str {
    args.get(i).and_then(Value::as_str).unwrap_or_default()
}

/// The five parts of an ARN. Its last part may itself have colons.
fn split(arn: &str) -> Result<[&str; 5], FunctionError> {
    let rest = arn
        .strip_prefix("arn:")
        .ok_or_else(|| FunctionError::at(0, "invalid prefix: an ARN begins with \"arn:\""))?;
    let parts: Vec<&str> = rest.splitn(5, ':').collect();
    parts.try_into().map_err(|_| {
        FunctionError::at(
            0,
            "not enough sections: an ARN is arn:partition:service:region:account-id:resource",
        )
    })
}

fn arn_build(args: &[Value]) -> Result<Value, FunctionError> {
    let parts: Vec<&str> = (0..PARTS.len()).map(|i| text(args, i)).collect();
    Ok(format!("arn:{}", parts.join(":")).into())
}

fn arn_parse(args: &[Value]) -> Result<Value, FunctionError> {
    let parts = split(text(args, 0))?;
    let named = PARTS.iter().zip(parts);
    Ok(Value::object(
        named.map(|((name, _), part)| (*name, Value::from(part))),
    ))
}

fn trim_iam_role_path(args: &[Value]) -> Result<Value, FunctionError> {
    let [partition, service, region, account, resource] = split(text(args, 0))?;
    if service != "iam" {
        return Err(FunctionError::at(0, "service must be \"iam\""));
    }
    if !region.is_empty() {
        return Err(FunctionError::at(0, "region must be empty"));
    }
    let Some(role) = resource.strip_prefix("role/") else {
        return Err(FunctionError::at(0, "resource must begin with \"role/\""));
    };
    let name = role.rsplit('/').next().unwrap_or(role);
    Ok(format!("arn:{partition}:{service}:{region}:{account}:role/{name}").into())
}

fn user_agent(args: &[Value]) -> Result<Value, FunctionError> {
    let (name, version, comment) = (text(args, 0), text(args, 1), text(args, 2));
    if name.is_empty() {
        return Err(FunctionError::at(0, "product_name must be set"));
    }
    let mut made = name.to_string();
    if !version.is_empty() {
        made.push_str(&format!("/{version}"));
    }
    if !comment.is_empty() {
        made.push_str(&format!(" ({comment})"));
    }
    Ok(made.into())
}

#[cfg(test)]
mod tests {
    use topo_sdk::json::to_json;

    use super::*;

    fn run(name: &str, args: &[&str]) -> Result<String, String> {
        let f = functions().into_iter().find(|f| f.name == name).unwrap();
        assert_eq!(args.len(), f.parameters.len(), "{name}");
        let args: Vec<Value> = args.iter().map(|a| Value::from(*a)).collect();
        let made = (f.call)(&args).map_err(|e| e.message)?;
        assert_eq!(made.ty(), f.returns, "{name}");
        Ok(to_json(&made).to_string())
    }

    /// The documentation's examples, and what they leave open.
    #[test]
    fn results() {
        let rows: [(&str, &[&str], &str); 11] = [
            (
                "arn_parse",
                &["arn:aws:iam::444455556666:role/example"],
                r#"{"account_id":"444455556666","partition":"aws","region":"","resource":"role/example","service":"iam"}"#,
            ),
            (
                "arn_parse",
                &["arn:aws:rds:eu-west-1:123456789012:db:a:b"],
                r#"{"account_id":"123456789012","partition":"aws","region":"eu-west-1","resource":"db:a:b","service":"rds"}"#,
            ),
            (
                "arn_parse",
                &["arn:::::"],
                r#"{"account_id":"","partition":"","region":"","resource":"","service":""}"#,
            ),
            (
                "arn_build",
                &["aws", "iam", "", "444455556666", "role/example"],
                r#""arn:aws:iam::444455556666:role/example""#,
            ),
            (
                "trim_iam_role_path",
                &["arn:aws:iam::444455556666:role/with/path/example"],
                r#""arn:aws:iam::444455556666:role/example""#,
            ),
            (
                "trim_iam_role_path",
                &["arn:aws:iam::444455556666:role/example"],
                r#""arn:aws:iam::444455556666:role/example""#,
            ),
            (
                "trim_iam_role_path",
                &["arn:aws-cn:iam::1:role/a/"],
                r#""arn:aws-cn:iam::1:role/""#,
            ),
            (
                "user_agent",
                &["test-module", "0.0.1", "test comment"],
                r#""test-module/0.0.1 (test comment)""#,
            ),
            ("user_agent", &["test-module", "", ""], r#""test-module""#),
            (
                "user_agent",
                &["test-module", "0.0.1", ""],
                r#""test-module/0.0.1""#,
            ),
            (
                "user_agent",
                &["test-module", "", "test comment"],
                r#""test-module (test comment)""#,
            ),
        ];
        for (name, args, expected) in rows {
            assert_eq!(run(name, args).as_deref(), Ok(expected), "{name}({args:?})");
        }
    }

    #[test]
    fn refusals() {
        let rows: [(&str, &[&str], &str); 8] = [
            ("arn_parse", &["foo"], "invalid prefix"),
            ("arn_parse", &[""], "invalid prefix"),
            ("arn_parse", &["arn:aws:iam::1"], "not enough sections"),
            ("trim_iam_role_path", &["foo"], "invalid prefix"),
            (
                "trim_iam_role_path",
                &["arn:aws:s3:::bucket/foo"],
                "service must be",
            ),
            (
                "trim_iam_role_path",
                &["arn:aws:iam:us-east-1:1:role/x"],
                "region must be",
            ),
            (
                "trim_iam_role_path",
                &["arn:aws:iam::1:policy/x"],
                "resource must begin",
            ),
            ("user_agent", &["", "", ""], "product_name must be set"),
        ];
        for (name, args, expected) in rows {
            let e = run(name, args).unwrap_err();
            assert!(e.contains(expected), "{name}({args:?}): {e}");
        }
    }
}
