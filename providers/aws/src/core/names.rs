//! Names that are not given: made of a prefix and what is unique. Made of the idempotency token,
//! so that a run that takes over after a crash arrives at the same name.

use topo_sdk::Value;

/// The argument `name`, else one made of `prefix` and the token.
pub(crate) fn given_or_made(object: &Value, name: &str, prefix: &str, token: &str) -> String {
    if let Some(given) = object.get_str(name).filter(|n| !n.is_empty()) {
        return given.to_owned();
    }
    let start = object.get_str(prefix).unwrap_or("terraform-");
    // The token is a UUID of version 7: without its dashes, 32 hexadecimal digits. The last 26
    // are as long as the suffix of hashicorp/aws and hold all of its randomness.
    let digits: String = token.chars().filter(char::is_ascii_hexdigit).collect();
    let suffix = digits
        .get(digits.len().saturating_sub(26)..)
        .unwrap_or_default();
    format!("{start}{suffix}")
}

/// The prefix that a made name shows; what hashicorp/aws recognises it by.
pub(crate) fn prefix_of(name: &str) -> Option<&str> {
    let at = name.len().checked_sub(26)?;
    let (prefix, suffix) = (name.get(..at)?, name.get(at..)?);
    suffix
        .chars()
        .all(|c| c.is_ascii_hexdigit())
        .then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_token_gives_the_same_name() {
        let object = Value::object([("name_prefix", Value::from("kong-"))]);
        let token = "01938af2-4b1c-7def-8123-456789abcdef";
        let name = given_or_made(&object, "name", "name_prefix", token);
        assert_eq!(name, "kong-f24b1c7def8123456789abcdef");
        assert_eq!(prefix_of(&name), Some("kong-"));
        assert_eq!(name, given_or_made(&object, "name", "name_prefix", token));
        assert_eq!(prefix_of("short"), None);
    }
}
