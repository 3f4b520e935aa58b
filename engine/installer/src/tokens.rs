//! Tokens for registries, as the environment names them.

use std::collections::BTreeMap;

const PREFIX: &str = "TF_TOKEN_";

/// The tokens in an environment, by host: `TF_TOKEN_app_example_com` is for `app.example.com`.
///
/// Dots of the host are written as underscores and dashes as two underscores, as the peers have
/// it, whose page "CLI Configuration" has the rule; a dash may also be written as itself.
pub fn tokens_of(
    environment: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    environment
        .into_iter()
        .filter(|(_, token)| !token.is_empty())
        .filter_map(|(name, token)| {
            let host = name.strip_prefix(PREFIX)?;
            let host = host.replace("__", "-").replace('_', ".");
            Some((host.to_lowercase(), token))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_spelled_as_the_peers_spell_them() {
        let given = [
            ("TF_TOKEN_app_Example_com", "a"),
            ("TF_TOKEN_my__host_io", "b"),
            ("TF_TOKEN_my-host_org", "c"),
            ("TF_TOKEN_empty_com", ""),
            ("TF_VAR_x", "d"),
        ];
        let tokens = tokens_of(given.map(|(n, v)| (n.to_string(), v.to_string())));
        let found: Vec<(&str, &str)> = tokens.iter().map(|(h, t)| (&**h, &**t)).collect();
        assert_eq!(
            found,
            [
                ("app.example.com", "a"),
                ("my-host.io", "b"),
                ("my-host.org", "c")
            ]
        );
    }
}
