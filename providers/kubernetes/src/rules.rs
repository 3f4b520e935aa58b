//! Where the resource types of the hashicorp/kubernetes provider deviate from the mechanical
//! derivation in [`crate::derive`]: names, types and who may set what. Facts of that provider's
//! documentation, one line each.

/// One deviation of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Another name than the mechanical one.
    Name(&'static str),
    /// A set rather than a list.
    Set,
    /// A whole number that is written as a string, so that 0 and absent differ.
    Text,
    /// File mode bits, written as a string of octal digits.
    Octal,
    /// A string that the API wants in Base64.
    Base64,
    /// Changing it, or anything in it, means a new object.
    ForceNew,
    /// Changing it is possible although what is around it is [`Rule::ForceNew`].
    Updatable,
    /// The API decides where the configuration does not.
    Computed,
    /// The configuration must have it.
    Required,
    /// The configuration may leave it out although the API wants it.
    Optional,
    /// What it is when left out; a JSON literal.
    Default(&'static str),
    /// Not shown to people.
    Sensitive,
    /// The API merges this list by these fields.
    Keys(&'static [&'static str]),
    /// The API replaces this map as a whole.
    Atomic,
    /// Not part of the resource type.
    Skip,
}

use Rule::{
    Atomic, Base64, Computed, Default, ForceNew, Keys, Name, Octal, Optional, Required, Sensitive,
    Set, Skip, Text, Updatable,
};

/// The rules by (API type without its package, API field). `*` stands for any type, `Job/JobSpec`
/// for a type where it is part of that kind of object.
#[rustfmt::skip]
const RULES: &[(&str, &str, &[Rule])] = &[
    // Kept plural, or spelled in a way of their own.
    ("*", "matchExpressions", &[Name("match_expressions")]),
    ("*", "matchFields", &[Name("match_fields")]),
    ("*", "matchLabelExpressions", &[Name("match_label_expressions")]),
    ("*", "items", &[Name("items")]),
    ("PodSpec", "hostAliases", &[Name("host_aliases"), Keys(&["ip"])]),
    ("PodSpec", "imagePullSecrets", &[Name("image_pull_secrets"), Keys(&["name"])]),
    ("ProjectedVolumeSource", "sources", &[Name("sources")]),
    ("NetworkPolicyIngressRule", "ports", &[Name("ports")]),
    ("NetworkPolicyEgressRule", "ports", &[Name("ports")]),
    ("AggregationRule", "clusterRoleSelectors", &[Name("cluster_role_selectors")]),
    ("ScopeSelector", "matchExpressions", &[Name("match_expression")]),
    ("StorageClass", "allowedTopologies", &[Name("allowed_topologies"), ForceNew]),
    ("CronJobSpec", "timeZone", &[Name("timezone")]),
    ("DaemonSetSpec", "updateStrategy", &[Name("strategy")]),
    ("AzureDiskVolumeSource", "diskName", &[Name("disk_name")]),
    ("AzureDiskVolumeSource", "diskURI", &[Name("data_disk_uri")]),
    ("Volume", "cephfs", &[Name("ceph_fs")]),
    ("PersistentVolumeSpec", "cephfs", &[Name("ceph_fs")]),
    ("*", "targetWWNs", &[Name("target_ww_ns"), Set]),
    ("WindowsSecurityContextOptions", "runAsUserName", &[Name("run_as_username")]),
    ("IngressSpec", "tls", &[Name("tls")]),
    ("Namespace", "spec", &[Skip]),
    ("ServiceAccount/ObjectReference", "apiVersion", &[Skip]),
    ("ServiceAccount/ObjectReference", "fieldPath", &[Skip]),
    ("ServiceAccount/ObjectReference", "kind", &[Skip]),
    ("ServiceAccount/ObjectReference", "namespace", &[Skip]),
    ("ServiceAccount/ObjectReference", "resourceVersion", &[Skip]),
    ("ServiceAccount/ObjectReference", "uid", &[Skip]),
    // Sets.
    ("Role/PolicyRule", "apiGroups", &[Set]),
    ("Role/PolicyRule", "resources", &[Set]),
    ("Role/PolicyRule", "resourceNames", &[Set]),
    ("Role/PolicyRule", "verbs", &[Set]),
    ("*", "values", &[Set]),
    ("*", "namespaces", &[Set]),
    ("*", "monitors", &[Set]),
    ("*", "portals", &[Set]),
    ("*", "accessModes", &[Set]),
    ("*", "mountOptions", &[Set]),
    ("PodSecurityContext", "supplementalGroups", &[Set]),
    ("ServiceSpec", "externalIPs", &[Set]),
    ("ServiceSpec", "loadBalancerSourceRanges", &[Set]),
    ("ResourceQuotaSpec", "scopes", &[Set, ForceNew]),
    ("TopologySpreadConstraint", "matchLabelKeys", &[Set]),
    ("ServiceAccount", "secrets", &[Name("secret"), Set, Keys(&["name"])]),
    ("ServiceAccount", "imagePullSecrets", &[Name("image_pull_secret"), Set]),
    // Numbers written as strings.
    ("*", "runAsUser", &[Text]),
    ("*", "runAsGroup", &[Text]),
    ("*", "fsGroup", &[Text]),
    ("*", "tolerationSeconds", &[Text]),
    ("DeploymentSpec", "replicas", &[Text]),
    ("StatefulSetSpec", "replicas", &[Text]),
    ("JobSpec", "ttlSecondsAfterFinished", &[Text]),
    ("*", "defaultMode", &[Octal]),
    ("KeyToPath", "mode", &[Octal]),
    ("DownwardAPIVolumeFile", "mode", &[Octal]),
    // Lists that the API merges by key (its x-kubernetes-list-map-keys, which the generated
    // types leave out). Any other list is replaced as a whole.
    ("PodSpec", "containers", &[Keys(&["name"])]),
    ("PodSpec", "initContainers", &[Keys(&["name"])]),
    ("PodSpec", "volumes", &[Keys(&["name"])]),
    ("PodSpec", "ephemeralContainers", &[Skip]),
    ("PodSpec", "serviceAccount", &[Skip]),
    ("PodSpec", "topologySpreadConstraints", &[Keys(&["topologyKey", "whenUnsatisfiable"])]),
    ("PodSpec", "resourceClaims", &[Keys(&["name"])]),
    ("PodSpec", "schedulingGates", &[Keys(&["name"])]),
    ("Container", "env", &[Keys(&["name"])]),
    ("Container", "ports", &[Keys(&["containerPort", "protocol"])]),
    ("Container", "volumeMounts", &[Keys(&["mountPath"])]),
    ("Container", "volumeDevices", &[Keys(&["devicePath"])]),
    ("ServiceSpec", "ports", &[Keys(&["port", "protocol"])]),
    // Maps that the API replaces as a whole.
    ("*", "selector", &[Atomic]),
    ("*", "matchLabels", &[Atomic]),
    ("*", "nodeSelector", &[Atomic]),
    // What the hashicorp provider asks for, or does not, other than the API.
    ("TopologySpreadConstraint", "maxSkew", &[Default("1")]),
    ("TopologySpreadConstraint", "whenUnsatisfiable", &[Default("\"DoNotSchedule\"")]),
    ("HTTPIngressPath", "pathType", &[Default("\"ImplementationSpecific\"")]),
    ("NetworkPolicyPort", "protocol", &[Default("\"TCP\"")]),
    ("ContainerPort", "protocol", &[Default("\"TCP\"")]),
    ("ServicePort", "protocol", &[Default("\"TCP\"")]),
    ("EnvVar", "name", &[Required]),
    ("HTTPGetAction", "port", &[Optional]),
    ("ClusterRole", "rules", &[Name("rule")]),
    ("Role", "rules", &[Name("rule"), Required]),
    ("RoleBinding", "subjects", &[Name("subject"), Required]),
    ("ClusterRoleBinding", "subjects", &[Name("subject"), Required]),
    ("Subject", "namespace", &[Default("\"default\"")]),
    ("Subject", "apiGroup", &[Computed]),
    ("RoleBinding", "roleRef", &[Required, ForceNew]),
    ("ClusterRoleBinding", "roleRef", &[Required, ForceNew]),
    ("DeploymentSpec", "selector", &[ForceNew, Optional]),
    ("DaemonSetSpec", "selector", &[ForceNew, Optional]),
    ("StatefulSetSpec", "selector", &[ForceNew]),
    ("StatefulSetSpec", "serviceName", &[ForceNew]),
    ("StatefulSetSpec", "podManagementPolicy", &[ForceNew]),
    ("StatefulSetSpec", "volumeClaimTemplates", &[ForceNew]),
    ("Secret", "type", &[Default("\"Opaque\""), ForceNew]),
    ("Secret", "stringData", &[Skip]),
    ("Secret", "data", &[Base64, Sensitive]),
    // A job's pods are made of its template once and for all.
    ("Job/JobSpec", "completionMode", &[ForceNew]),
    ("Job/JobSpec", "completions", &[ForceNew]),
    ("Job/JobSpec", "manualSelector", &[ForceNew]),
    ("Job/JobSpec", "podFailurePolicy", &[ForceNew]),
    ("Job/JobSpec", "successPolicy", &[ForceNew]),
    ("Job/JobSpec", "backoffLimitPerIndex", &[ForceNew]),
    ("Job/JobSpec", "managedBy", &[ForceNew]),
    ("Job/JobSpec", "selector", &[ForceNew]),
    ("Job/JobSpec", "template", &[ForceNew]),
    // Of a pod, only these can be changed in place.
    ("Pod", "spec", &[ForceNew]),
    ("Pod/Container", "image", &[Updatable]),
    ("Pod/PodSpec", "activeDeadlineSeconds", &[Updatable]),
    // Decided by the API or by a controller.
    ("ServiceSpec", "clusterIP", &[Computed, ForceNew]),
    ("ServiceSpec", "clusterIPs", &[Computed]),
    ("ServiceSpec", "ipFamilies", &[Computed]),
    ("ServiceSpec", "ipFamilyPolicy", &[Computed]),
    ("ServiceSpec", "healthCheckNodePort", &[Computed, ForceNew]),
    ("ServicePort", "nodePort", &[Computed]),
    ("PersistentVolumeClaim/PersistentVolumeClaimSpec", "volumeName", &[Computed, ForceNew]),
    ("PersistentVolumeClaim/PersistentVolumeClaimSpec", "storageClassName", &[Computed, ForceNew]),
    ("PersistentVolumeClaimSpec", "accessModes", &[Required]),
    ("PersistentVolumeClaim/PersistentVolumeClaimSpec", "accessModes", &[ForceNew]),
    ("PersistentVolumeClaim/PersistentVolumeClaimSpec", "volumeMode", &[ForceNew]),
    ("PersistentVolumeClaim/PersistentVolumeClaimSpec", "selector", &[ForceNew]),
    ("PersistentVolumeClaimSpec", "resources", &[Required]),
    ("PersistentVolumeSpec", "accessModes", &[Set, Required]),
    ("PersistentVolumeSpec", "capacity", &[Required]),
    ("PersistentVolumeSpec", "persistentVolumeReclaimPolicy", &[Default("\"Retain\"")]),
    ("PodDisruptionBudgetSpec", "selector", &[Required]),
    ("IngressClassSpec", "controller", &[ForceNew]),
    // Storage classes cannot be changed, but for whether their volumes may grow.
    ("StorageClass", "provisioner", &[Name("storage_provisioner"), ForceNew]),
    ("StorageClass", "parameters", &[ForceNew]),
    ("StorageClass", "reclaimPolicy", &[Default("\"Delete\""), ForceNew]),
    ("StorageClass", "volumeBindingMode", &[Default("\"Immediate\""), ForceNew]),
    ("StorageClass", "mountOptions", &[Set, ForceNew]),
    ("StorageClass", "allowVolumeExpansion", &[Default("true")]),
    ("PriorityClass", "value", &[ForceNew]),
    ("PriorityClass", "preemptionPolicy", &[ForceNew]),
    ("NetworkPolicySpec", "podSelector", &[Required]),
    ("NetworkPolicySpec", "policyTypes", &[Required]),
];

/// The rules of one field of a type that is part of a kind, those of its own type before those of
/// any type.
pub fn of(kind: &str, api_type: &str, field: &str) -> impl Iterator<Item = Rule> {
    let own = move |of: &str| match of.split_once('/') {
        Some((part_of, of)) => part_of == kind && of == api_type,
        None => of == api_type,
    };
    let named = move || RULES.iter().filter(move |(_, f, _)| *f == field);
    let first = named().filter(move |(of, ..)| own(of));
    let any = named().filter(|(of, ..)| *of == "*");
    first
        .chain(any)
        .flat_map(|(_, _, rules)| rules.iter().copied())
}

/// Values that the API fills in for what a client leaves out, by field name. Only an import
/// needs them: it must tell what somebody asked for from what the API added.
pub const API_DEFAULTS: &[(&str, &str)] = &[
    ("allowVolumeExpansion", "false"),
    ("backoffLimit", "6"),
    ("completionMode", "\"NonIndexed\""),
    ("completions", "1"),
    ("concurrencyPolicy", "\"Allow\""),
    ("dnsPolicy", "\"ClusterFirst\""),
    ("enableServiceLinks", "true"),
    ("failedJobsHistoryLimit", "1"),
    ("failureThreshold", "3"),
    ("internalTrafficPolicy", "\"Cluster\""),
    ("externalTrafficPolicy", "\"Cluster\""),
    ("allocateLoadBalancerNodePorts", "true"),
    ("manualSelector", "false"),
    ("parallelism", "1"),
    ("periodSeconds", "10"),
    ("podManagementPolicy", "\"OrderedReady\""),
    ("podReplacementPolicy", "\"TerminatingOrFailed\""),
    ("preemptionPolicy", "\"PreemptLowerPriority\""),
    ("progressDeadlineSeconds", "600"),
    ("restartPolicy", "\"Always\""),
    ("revisionHistoryLimit", "10"),
    ("schedulerName", "\"default-scheduler\""),
    ("securityContext", "{}"),
    ("resources", "{}"),
    ("sessionAffinity", "\"None\""),
    ("successThreshold", "1"),
    ("successfulJobsHistoryLimit", "3"),
    ("suspend", "false"),
    ("terminationGracePeriodSeconds", "30"),
    ("terminationMessagePath", "\"/dev/termination-log\""),
    ("terminationMessagePolicy", "\"File\""),
    ("timeoutSeconds", "1"),
    ("volumeMode", "\"Filesystem\""),
    (
        "persistentVolumeClaimRetentionPolicy",
        "{\"whenDeleted\":\"Retain\",\"whenScaled\":\"Retain\"}",
    ),
];
