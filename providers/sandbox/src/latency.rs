//! How long real clouds take: typical durations by resource type, from public accounts of users
//! and the providers' own progress messages. Rounded; they are for rehearsal, not for planning.

use std::time::Duration;

/// Seconds to create, update and delete an object.
const DURATIONS: &[(&str, f64, f64, f64)] = &[
    ("aws_eks_cluster", 924.0, 540.0, 240.0),
    ("aws_eks_node_group", 294.0, 180.0, 300.0),
    ("aws_eks_fargate_profile", 130.0, 130.0, 130.0),
    ("aws_eks_addon", 60.0, 45.0, 15.0),
    ("aws_eks_pod_identity_association", 2.0, 2.0, 2.0),
    ("aws_nat_gateway", 108.0, 2.0, 55.0),
    ("aws_internet_gateway", 1.5, 1.0, 20.0),
    ("aws_db_instance", 360.0, 180.0, 300.0),
    ("aws_rds_cluster", 60.0, 60.0, 90.0),
    ("aws_rds_cluster_instance", 420.0, 180.0, 300.0),
    ("aws_lb", 150.0, 5.0, 20.0),
    ("aws_vpc", 12.0, 2.0, 1.0),
    ("aws_vpc_endpoint", 60.0, 10.0, 40.0),
    ("aws_instance", 32.0, 5.0, 42.0),
    ("aws_iam_role", 1.5, 1.0, 1.5),
    ("kubernetes_namespace", 0.5, 0.5, 8.0),
    ("kubernetes_deployment", 35.0, 25.0, 3.0),
    ("kubernetes_stateful_set", 45.0, 30.0, 5.0),
    ("kubernetes_daemon_set", 20.0, 15.0, 3.0),
    ("kubernetes_job", 30.0, 2.0, 2.0),
];

/// A load balancer behind a Kubernetes service.
const LOAD_BALANCER: Duration = Duration::from_secs(90);

/// What takes longer than this is accepted first and waited for then.
const LONG: Duration = Duration::from_secs(10);

/// What is done to an object.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Work {
    Create,
    Update,
    Delete,
}

/// How long it takes, the call itself left out.
pub(crate) fn duration(kind: &str, load_balancer: bool, work: Work) -> Duration {
    if load_balancer && matches!(work, Work::Create) {
        return LOAD_BALANCER;
    }
    let found = DURATIONS.iter().find(|(name, ..)| *name == kind);
    let (create, update, delete) = match found {
        Some((_, create, update, delete)) => (*create, *update, *delete),
        None if kind.starts_with("kubernetes_") => (0.3, 0.3, 0.5),
        None => (1.5, 1.0, 1.0),
    };
    Duration::from_secs_f64(match work {
        Work::Create => create,
        Work::Update => update,
        Work::Delete => delete,
    })
}

/// Whether a real provider would be told an id and then wait.
pub(crate) fn is_long(time: Duration) -> bool {
    time >= LONG
}
