//! From the API's spelling to Terraform's: `externalIPs` → `external_ips`, `containers` →
//! `container`. Mechanical rules only; what deviates from them is in [`crate::rules`].

/// An API field name in snake case. A run of capitals is one word, with the plural "s" that may
/// follow it: `clusterIPs` → `cluster_ips`, `podCIDR` → `pod_cidr`, `nonResourceURLs` →
/// `non_resource_urls`, `hostIPC` → `host_ipc`.
pub fn snake(api: &str) -> String {
    let chars: Vec<char> = api.chars().collect();
    let mut made = String::with_capacity(api.len() + 4);
    for (i, c) in chars.iter().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            let after_lower = !chars[i - 1].is_ascii_uppercase();
            // The last capital of a run starts the next word ("FSType"), unless what follows is
            // only the plural of the run.
            let starts_word = chars.get(i + 1).is_some_and(char::is_ascii_lowercase)
                && !(chars.get(i + 1) == Some(&'s')
                    && chars.get(i + 2).is_none_or(char::is_ascii_uppercase));
            if after_lower || starts_word {
                made.push('_');
            }
        }
        made.push(c.to_ascii_lowercase());
    }
    made
}

/// The name of a repeated block for an array of objects: the singular of a plural name.
pub fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies") {
        return format!("{stem}y");
    }
    if let Some(stem) = name.strip_suffix("sses") {
        return format!("{stem}ss");
    }
    match name.strip_suffix('s') {
        Some(stem) if !stem.ends_with('s') => stem.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_as_terraform_does() {
        for (api, name) in [
            ("clusterIP", "cluster_ip"),
            ("clusterIPs", "cluster_ips"),
            ("externalIPs", "external_ips"),
            ("podCIDR", "pod_cidr"),
            ("apiGroup", "api_group"),
            ("nonResourceURLs", "non_resource_urls"),
            ("hostIPC", "host_ipc"),
            ("fsType", "fs_type"),
            ("seLinuxOptions", "se_linux_options"),
            ("awsElasticBlockStore", "aws_elastic_block_store"),
            ("storagePolicyID", "storage_policy_id"),
            ("ipFamilies", "ip_families"),
            ("dataDiskURI", "data_disk_uri"),
        ] {
            assert_eq!(snake(api), name);
        }
    }

    #[test]
    fn repeated_blocks_are_singular() {
        for (many, one) in [
            ("containers", "container"),
            ("policies", "policy"),
            ("not_ready_addresses", "not_ready_address"),
            ("ingress", "ingress"),
            ("env", "env"),
            ("from", "from"),
            ("http_headers", "http_header"),
        ] {
            assert_eq!(singular(many), one);
        }
    }
}
