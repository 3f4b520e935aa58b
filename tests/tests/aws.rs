//! The AWS provider against the AWS API server: every type is planned, created, read back without
//! a difference, changed, imported and deleted, and what AWS then holds is looked at through the
//! SDK itself.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_config::SdkConfig;
use serde_json::{Value as Json, json};
use tokio::sync::OnceCell;
use topo_sdk::convert::{conforms, convert};
use topo_sdk::json::from_json;
use topo_sdk::plan::{fill_missing, nulls_for_unknowns, propose};
use topo_sdk::schema::Schema;
use topo_sdk::{
    Action, ApplyFailure, ApplyRequest, Connection, Diagnostics, Operation, OperationId,
    PlanRequest, PlannedResource, Provider, ReadRequest, RecoverRequest, Recovery, ResourceState,
    Value,
};
use topo_tests::servers::{Eks, Ministack, REGION, SECRET_ACCESS_KEY};

static SERVER: OnceCell<Ministack> = OnceCell::const_new();

async fn server() -> &'static Ministack {
    let start = || async {
        Ministack::start(Eks::default())
            .await
            .expect("ministack starts")
    };
    SERVER.get_or_init(start).await
}

/// The engine's side of one mutation.
struct Recorder {
    id: OperationId,
    checkpoints: Mutex<Vec<Value>>,
}

#[async_trait]
impl Operation for Recorder {
    fn id(&self) -> &OperationId {
        &self.id
    }

    async fn checkpoint(&self, partial: ResourceState) -> Result<(), Diagnostics> {
        self.checkpoints
            .lock()
            .expect("no panic")
            .push(partial.value);
        Ok(())
    }

    fn progress(&self, _message: &str) {}
}

/// One account of the server, with the provider configured for it.
struct Cloud {
    provider: Arc<dyn Provider>,
    connection: Arc<dyn Connection>,
    sdk: SdkConfig,
}

fn block(schema: &Schema, attributes: Json) -> Value {
    let given = from_json(&attributes);
    let filled = fill_missing(&schema.block, given.clone());
    let made = convert(&filled, &schema.block.ty()).expect("the test's own configuration fits");
    // As a configuration is decoded: what is left out and the provider fills in is null.
    let left_out = schema
        .block
        .blocks
        .iter()
        .filter(|(name, nested)| nested.computed && given.get(name).is_none());
    left_out.fold(made, |made, (name, nested)| {
        made.with(name, Value::null(nested.ty()))
    })
}

fn provider_block(endpoint: &str, account: &str) -> Json {
    let services = ["cloudformation", "ec2", "eks", "iam", "rds", "sts"];
    let endpoints: serde_json::Map<String, Json> = services
        .iter()
        .map(|s| ((*s).to_owned(), json!(endpoint)))
        .collect();
    json!({
        "region": REGION,
        "access_key": account,
        "secret_key": SECRET_ACCESS_KEY,
        "endpoints": [endpoints],
    })
}

impl Cloud {
    async fn new(account: &str) -> Cloud {
        Cloud::with(account, json!({})).await
    }

    async fn with(account: &str, more: Json) -> Cloud {
        let server = server().await;
        let provider = topo_provider_aws::provider();
        let mut arguments = provider_block(&server.endpoint(), account);
        for (name, value) in more.as_object().expect("an object") {
            arguments[name] = value.clone();
        }
        let config = block(&provider.provider_schema(), arguments);
        assert!(!provider.validate_provider(&config).has_errors());
        let connection = provider.configure(&config).await.expect("configured");
        Cloud {
            provider,
            connection,
            sdk: server.config_of(account),
        }
    }

    fn config(&self, kind: &str, attributes: Json) -> Value {
        let schema = self.provider.resource_schema(kind).expect(kind);
        let config = block(&schema, attributes);
        let wrong = self.provider.validate_resource(kind, &config);
        assert!(!wrong.has_errors(), "{kind}: {wrong}");
        config
    }

    async fn plan(&self, kind: &str, prior: Option<&Value>, config: &Value) -> PlannedResource {
        let schema = self.provider.resource_schema(kind).expect(kind);
        let request = PlanRequest {
            type_name: kind.into(),
            prior: prior.cloned().map(Into::into),
            config: config.clone(),
            proposed: propose(&schema.block, prior, config),
        };
        match self.connection.plan(&request).await {
            Some(planned) => planned.expect(kind),
            None => self.provider.plan(&request).expect(kind),
        }
    }

    async fn send(
        &self,
        kind: &str,
        action: Action,
        config: Value,
    ) -> (Result<Option<Value>, ApplyFailure>, Recorder) {
        let recorder = Recorder {
            id: OperationId::generate(),
            checkpoints: Mutex::default(),
        };
        let request = ApplyRequest {
            type_name: kind.into(),
            action,
            config,
        };
        let done = self.connection.apply(&request, &recorder).await;
        (done.map(|state| state.map(|s| s.value)), recorder)
    }

    async fn read(&self, kind: &str, state: &Value) -> Option<Value> {
        let request = ReadRequest {
            type_name: kind.into(),
            state: state.clone().into(),
        };
        let mut answers = self.connection.read_many(&[request.clone(), request]).await;
        let second = answers.pop().expect("two answers").expect(kind);
        assert_eq!(answers.pop().expect("two answers").expect(kind), second);
        second.map(|s| s.value)
    }

    /// Neither a read nor a plan shows a difference, and the value is what the schema says.
    async fn settled(&self, kind: &str, state: &Value, config: &Value) {
        let schema = self.provider.resource_schema(kind).expect(kind);
        assert!(conforms(state, &schema.block.ty()), "{kind}: {state:?}");
        assert!(state.is_wholly_known(), "{kind}: {state:?}");
        let read = self.read(kind, state).await;
        assert_eq!(read.as_ref(), Some(state), "{kind} reads as it was written");
        let planned = self.plan(kind, Some(state), config).await;
        assert_eq!(&planned.value, state, "{kind} plans without a difference");
        assert!(planned.requires_replace.is_empty(), "{kind}");
    }

    async fn create(&self, kind: &str, attributes: Json) -> Value {
        let config = self.config(kind, attributes);
        let planned = self.plan(kind, None, &config).await.value;
        let (done, recorder) = self
            .send(
                kind,
                Action::Create {
                    planned: planned.clone(),
                },
                config.clone(),
            )
            .await;
        let state = done
            .unwrap_or_else(|f| panic!("{kind}: {}", f.diagnostics))
            .expect(kind);
        let checkpoints = recorder.checkpoints.into_inner().expect("no panic");
        assert!(
            checkpoints.iter().all(|c| c.get_str("id").is_some()),
            "{kind}"
        );
        assert!(!checkpoints.is_empty(), "{kind} is checkpointed");
        self.settled(kind, &state, &config).await;
        for (name, value) in planned.as_map().expect("an object") {
            if value.is_wholly_known() {
                assert_eq!(
                    state.get(name),
                    Some(value),
                    "{kind}.{name} is what was planned"
                );
            }
        }
        state
    }

    async fn update(&self, kind: &str, prior: &Value, attributes: Json) -> Value {
        let config = self.config(kind, attributes);
        let planned = self.plan(kind, Some(prior), &config).await;
        assert_ne!(&planned.value, prior, "{kind} is to change");
        assert!(
            planned.requires_replace.is_empty(),
            "{kind}: {:?}",
            planned.requires_replace
        );
        let action = Action::Update {
            prior: prior.clone().into(),
            planned: planned.value,
        };
        let (done, _) = self.send(kind, action, config.clone()).await;
        let state = done
            .unwrap_or_else(|f| panic!("{kind}: {}", f.diagnostics))
            .expect(kind);
        self.settled(kind, &state, &config).await;
        state
    }

    async fn delete(&self, kind: &str, state: &Value) {
        for _ in 0..2 {
            // The second time nothing is left to delete, which is no error.
            let action = Action::Delete {
                prior: state.clone().into(),
            };
            let (done, _) = self.send(kind, action, Value::NULL).await;
            let left = done.unwrap_or_else(|f| panic!("{kind}: {}", f.diagnostics));
            assert_eq!(left, None, "{kind}");
        }
        assert_eq!(self.read(kind, state).await, None, "{kind} is gone");
    }

    /// An import finds the object; `untold` is what AWS does not tell.
    async fn imports(&self, kind: &str, id: &str, state: &Value, untold: &[&str]) {
        let imported = self.connection.import(kind, id).await;
        let imported = imported.unwrap_or_else(|d| panic!("{kind}: {d}")).value;
        for (name, value) in state.as_map().expect("an object") {
            if !untold.contains(&&**name) {
                assert_eq!(imported.get(name), Some(value), "{kind}.{name} as imported");
            }
        }
    }

    async fn data(&self, kind: &str, attributes: Json) -> Value {
        let schema = self.provider.data_schema(kind).expect(kind);
        let config = block(&schema, attributes);
        let found = self.connection.read_data(kind, &config).await;
        let found = found.unwrap_or_else(|d| panic!("{kind}: {d}"));
        assert!(conforms(&found, &schema.block.ty()), "{kind}: {found:?}");
        found
    }

    async fn recover(&self, kind: &str, planned: Value, checkpoint: Option<Value>) -> Recovery {
        let request = RecoverRequest {
            operation: OperationId::generate(),
            request: ApplyRequest {
                type_name: kind.into(),
                action: Action::Create { planned },
                config: Value::NULL,
            },
            checkpoint: checkpoint.map(Into::into),
        };
        self.connection.recover(&request).await.expect(kind)
    }
}

fn id(state: &Value) -> &str {
    state.get_str("id").expect("an id")
}

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"eks.amazonaws.com"}}]}"#;

#[tokio::test]
async fn a_network() {
    let cloud = Cloud::new("100000000001").await;
    let ec2 = aws_sdk_ec2::Client::new(&cloud.sdk);
    let vpc = cloud
        .create(
            "aws_vpc",
            json!({"cidr_block": "10.7.0.0/16", "tags": {"Name": "a"}}),
        )
        .await;
    assert!(vpc.get_str("main_route_table_id").is_some());
    let tags = json!({"Name": "b", "team": "edge"});
    let vpc = cloud
        .update(
            "aws_vpc",
            &vpc,
            json!({"cidr_block": "10.7.0.0/16", "enable_dns_hostnames": true, "tags": tags}),
        )
        .await;
    let shown = ec2
        .describe_vpcs()
        .vpc_ids(id(&vpc))
        .send()
        .await
        .expect("described");
    assert_eq!(shown.vpcs()[0].tags().len(), 2);
    cloud.imports("aws_vpc", id(&vpc), &vpc, &[]).await;

    let subnet_config = |public: bool| json!({"vpc_id": id(&vpc), "cidr_block": "10.7.1.0/24", "availability_zone": "us-east-1b", "map_public_ip_on_launch": public});
    let subnet = cloud.create("aws_subnet", subnet_config(false)).await;
    let subnet = cloud
        .update("aws_subnet", &subnet, subnet_config(true))
        .await;
    let shown = ec2
        .describe_subnets()
        .subnet_ids(id(&subnet))
        .send()
        .await
        .expect("described");
    assert_eq!(shown.subnets()[0].map_public_ip_on_launch(), Some(true));
    cloud.imports("aws_subnet", id(&subnet), &subnet, &[]).await;

    let gateway = cloud
        .create("aws_internet_gateway", json!({"vpc_id": id(&vpc)}))
        .await;
    let gateway = cloud
        .update(
            "aws_internet_gateway",
            &gateway,
            json!({"vpc_id": id(&vpc), "tags": {"Name": "out"}}),
        )
        .await;
    cloud
        .imports("aws_internet_gateway", id(&gateway), &gateway, &[])
        .await;

    let address = cloud.create("aws_eip", json!({"domain": "vpc"})).await;
    let address = cloud
        .update(
            "aws_eip",
            &address,
            json!({"domain": "vpc", "tags": {"Name": "nat"}}),
        )
        .await;
    let nat = cloud
        .create(
            "aws_nat_gateway",
            json!({"subnet_id": id(&subnet), "allocation_id": id(&address)}),
        )
        .await;
    assert_eq!(nat.get_str("allocation_id"), Some(id(&address)));
    cloud
        .imports("aws_nat_gateway", id(&nat), &nat, &["timeouts"])
        .await;

    let through = |target: &str, to: &str| json!({"vpc_id": id(&vpc), "route": [{"cidr_block": "0.0.0.0/0", target: to}]});
    let table = cloud
        .create("aws_route_table", through("gateway_id", id(&gateway)))
        .await;
    let table = cloud
        .update(
            "aws_route_table",
            &table,
            through("nat_gateway_id", id(&nat)),
        )
        .await;
    let shown = ec2
        .describe_route_tables()
        .route_table_ids(id(&table))
        .send()
        .await
        .expect("described");
    let routes = shown.route_tables()[0].routes();
    assert!(
        routes.iter().any(|r| r.nat_gateway_id() == Some(id(&nat))),
        "{routes:?}"
    );
    let other = cloud
        .create("aws_route_table", json!({"vpc_id": id(&vpc)}))
        .await;
    let route_config = |target: &str, to: &str| json!({"route_table_id": id(&other), "destination_cidr_block": "0.0.0.0/0", target: to});
    let route = cloud
        .create("aws_route", route_config("gateway_id", id(&gateway)))
        .await;
    let route = cloud
        .update(
            "aws_route",
            &route,
            route_config("nat_gateway_id", id(&nat)),
        )
        .await;
    cloud
        .imports(
            "aws_route",
            &format!("{}_0.0.0.0/0", id(&other)),
            &route,
            &["timeouts"],
        )
        .await;

    let association = cloud
        .create(
            "aws_route_table_association",
            json!({"subnet_id": id(&subnet), "route_table_id": id(&table)}),
        )
        .await;
    let association = cloud
        .update(
            "aws_route_table_association",
            &association,
            json!({"subnet_id": id(&subnet), "route_table_id": id(&other)}),
        )
        .await;
    let named = format!("{}/{}", id(&subnet), id(&other));
    cloud
        .imports(
            "aws_route_table_association",
            &named,
            &association,
            &["timeouts"],
        )
        .await;

    cloud
        .delete("aws_route_table_association", &association)
        .await;
    cloud.delete("aws_route", &route).await;
    cloud.delete("aws_route_table", &other).await;
    cloud.delete("aws_route_table", &table).await;
    cloud.delete("aws_nat_gateway", &nat).await;
    cloud.delete("aws_eip", &address).await;
    cloud.delete("aws_internet_gateway", &gateway).await;
    cloud.delete("aws_subnet", &subnet).await;
    cloud.delete("aws_vpc", &vpc).await;
}

#[tokio::test]
async fn security_groups_and_their_rules() {
    let cloud = Cloud::new("100000000002").await;
    let ec2 = aws_sdk_ec2::Client::new(&cloud.sdk);
    let vpc = cloud
        .create("aws_vpc", json!({"cidr_block": "10.8.0.0/16"}))
        .await;
    let web = |port: i32, cidrs: Json| json!({"from_port": port, "to_port": port, "protocol": "tcp", "cidr_blocks": cidrs});
    let group_config = |ingress: Json| {
        json!({
            "name": "web", "vpc_id": id(&vpc), "description": "web", "ingress": ingress,
            "egress": [{"from_port": 0, "to_port": 0, "protocol": "-1", "cidr_blocks": ["0.0.0.0/0"]}],
        })
    };
    let ingress = json!([
        web(443, json!(["10.0.0.0/8"])),
        web(443, json!(["192.168.0.0/16"])),
        web(80, json!(["0.0.0.0/0"]))
    ]);
    let group = cloud
        .create("aws_security_group", group_config(ingress))
        .await;
    let ingress = json!([web(443, json!(["10.0.0.0/8", "172.16.0.0/12"])), {"from_port": 0, "to_port": 65535, "protocol": "tcp", "self": true}]);
    let group = cloud
        .update("aws_security_group", &group, group_config(ingress))
        .await;
    let shown = ec2
        .describe_security_groups()
        .group_ids(id(&group))
        .send()
        .await
        .expect("described");
    let permissions = shown.security_groups()[0].ip_permissions();
    assert!(
        permissions.iter().all(|p| p.from_port() != Some(80)),
        "{permissions:?}"
    );

    let bare = cloud
        .create(
            "aws_security_group",
            json!({"name_prefix": "bare-", "vpc_id": id(&vpc)}),
        )
        .await;
    assert!(bare.get_str("name").is_some_and(|n| n.starts_with("bare-")));
    let shown = ec2
        .describe_security_groups()
        .group_ids(id(&bare))
        .send()
        .await
        .expect("described");
    assert!(
        shown.security_groups()[0]
            .ip_permissions_egress()
            .is_empty(),
        "a new group lets nothing out"
    );
    cloud
        .imports("aws_security_group", id(&bare), &bare, &["timeouts"])
        .await;

    let rule_config = |port: i32| json!({"security_group_id": id(&bare), "cidr_ipv4": "10.0.0.0/8", "ip_protocol": "tcp", "from_port": port, "to_port": port});
    let rule = cloud
        .create("aws_vpc_security_group_ingress_rule", rule_config(443))
        .await;
    let rule = cloud
        .update(
            "aws_vpc_security_group_ingress_rule",
            &rule,
            rule_config(8443),
        )
        .await;
    cloud
        .imports("aws_vpc_security_group_ingress_rule", id(&rule), &rule, &[])
        .await;
    let out = cloud.create("aws_vpc_security_group_egress_rule", json!({
        "security_group_id": id(&bare), "referenced_security_group_id": id(&group), "ip_protocol": "-1",
    })).await;
    let out = cloud.update("aws_vpc_security_group_egress_rule", &out, json!({
        "security_group_id": id(&bare), "referenced_security_group_id": id(&group), "ip_protocol": "-1", "tags": {"Name": "out"},
    })).await;

    cloud
        .delete("aws_vpc_security_group_egress_rule", &out)
        .await;
    cloud
        .delete("aws_vpc_security_group_ingress_rule", &rule)
        .await;
    cloud.delete("aws_security_group", &bare).await;
    cloud.delete("aws_security_group", &group).await;
    cloud.delete("aws_vpc", &vpc).await;
}

#[tokio::test]
async fn roles_and_policies() {
    let cloud = Cloud::new("100000000003").await;
    let iam = aws_sdk_iam::Client::new(&cloud.sdk);
    let role = cloud
        .create(
            "aws_iam_role",
            json!({"name": "cluster", "assume_role_policy": TRUST}),
        )
        .await;
    // The same document, written otherwise: nothing to do.
    let spaced = TRUST
        .replace(":[{", ": [ {")
        .replace(r#""sts:AssumeRole""#, r#"["sts:AssumeRole"]"#);
    let config = cloud.config(
        "aws_iam_role",
        json!({"name": "cluster", "assume_role_policy": spaced}),
    );
    assert_eq!(
        cloud.plan("aws_iam_role", Some(&role), &config).await.value,
        role
    );
    let role = cloud.update("aws_iam_role", &role, json!({
        "name": "cluster", "assume_role_policy": TRUST.replace("eks.", "ec2."), "description": "nodes",
        "max_session_duration": 7200, "tags": {"team": "edge"},
    })).await;
    let shown = iam
        .get_role()
        .role_name("cluster")
        .send()
        .await
        .expect("got");
    assert_eq!(shown.role().expect("a role").description(), Some("nodes"));
    cloud.imports("aws_iam_role", "cluster", &role, &[]).await;

    let document = |action: &str| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}).to_string()
    };
    let mut policy = cloud
        .create(
            "aws_iam_policy",
            json!({"name": "read", "policy": document("s3:GetObject")}),
        )
        .await;
    for n in 0..6 {
        // More versions than a policy may have: the oldest make room.
        policy = cloud
            .update(
                "aws_iam_policy",
                &policy,
                json!({"name": "read", "policy": document(&format!("s3:Get{n}"))}),
            )
            .await;
    }
    cloud
        .imports("aws_iam_policy", id(&policy), &policy, &[])
        .await;
    let attachment = cloud
        .create(
            "aws_iam_role_policy_attachment",
            json!({"role": "cluster", "policy_arn": id(&policy)}),
        )
        .await;
    let shown = iam
        .list_attached_role_policies()
        .role_name("cluster")
        .send()
        .await
        .expect("listed");
    assert_eq!(shown.attached_policies().len(), 1);
    cloud
        .imports(
            "aws_iam_role_policy_attachment",
            &format!("cluster/{}", id(&policy)),
            &attachment,
            &[],
        )
        .await;
    cloud
        .delete("aws_iam_role_policy_attachment", &attachment)
        .await;
    cloud.delete("aws_iam_policy", &policy).await;
    cloud.delete("aws_iam_role", &role).await;
}

#[tokio::test]
async fn a_cluster() {
    let cloud = Cloud::new("100000000004").await;
    let eks = aws_sdk_eks::Client::new(&cloud.sdk);
    let role = cloud
        .create(
            "aws_iam_role",
            json!({"name": "cluster", "assume_role_policy": TRUST}),
        )
        .await;
    let role = role.get_str("arn").expect("an ARN");
    let vpc = cloud
        .create("aws_vpc", json!({"cidr_block": "10.9.0.0/16"}))
        .await;
    let subnet = |n: i32, zone: &str| json!({"vpc_id": id(&vpc), "cidr_block": format!("10.9.{n}.0/24"), "availability_zone": zone});
    let a = cloud.create("aws_subnet", subnet(1, "us-east-1a")).await;
    let b = cloud.create("aws_subnet", subnet(2, "us-east-1b")).await;
    let subnets = json!([id(&a), id(&b)]);

    let cluster_config = |version: &str, private: bool, logs: Json, tags: Json| {
        json!({
            "name": "kong", "role_arn": role, "version": version, "enabled_cluster_log_types": logs, "tags": tags,
            "vpc_config": [{"subnet_ids": subnets, "endpoint_private_access": private}],
            "access_config": [{"authentication_mode": "API_AND_CONFIG_MAP"}],
        })
    };
    let cluster = cloud
        .create(
            "aws_eks_cluster",
            cluster_config("1.30", false, json!(null), json!({"a": "1", "b": "2"})),
        )
        .await;
    assert_eq!(cluster.get_str("status"), Some("ACTIVE"));
    let cluster = cloud
        .update(
            "aws_eks_cluster",
            &cluster,
            cluster_config("1.31", true, json!(["api", "audit"]), json!({"a": "2"})),
        )
        .await;
    let shown = eks
        .describe_cluster()
        .name("kong")
        .send()
        .await
        .expect("described");
    let shown = shown.cluster().expect("a cluster");
    assert_eq!(shown.version(), Some("1.31"));
    assert!(
        shown
            .resources_vpc_config()
            .expect("a VPC")
            .endpoint_private_access()
    );
    cloud
        .imports(
            "aws_eks_cluster",
            "kong",
            &cluster,
            &["timeouts", "enabled_cluster_log_types"],
        )
        .await;

    let group_config = |desired: i32, label: &str, effect: &str| {
        json!({
            "cluster_name": "kong", "node_group_name": "blue", "node_role_arn": role, "subnet_ids": subnets,
            "instance_types": ["m7g.large"], "labels": {"tier": label},
            "scaling_config": [{"desired_size": desired, "min_size": 1, "max_size": 5}],
            "taint": [{"key": "dedicated", "value": "kong", "effect": effect}],
        })
    };
    let group = cloud
        .create("aws_eks_node_group", group_config(2, "blue", "NO_SCHEDULE"))
        .await;
    let group = cloud
        .update(
            "aws_eks_node_group",
            &group,
            group_config(3, "green", "NO_EXECUTE"),
        )
        .await;
    let shown = eks
        .describe_nodegroup()
        .cluster_name("kong")
        .nodegroup_name("blue")
        .send()
        .await
        .expect("described");
    let shown = shown.nodegroup().expect("a node group");
    assert_eq!(
        shown.scaling_config().and_then(|s| s.desired_size()),
        Some(3)
    );
    assert_eq!(shown.taints().len(), 1);
    cloud
        .imports("aws_eks_node_group", "kong:blue", &group, &["timeouts"])
        .await;

    let addon_config = |version: &str| {
        json!({
            "cluster_name": "kong", "addon_name": "coredns", "addon_version": version,
            "configuration_values": "{\"replicaCount\": 2}", "resolve_conflicts_on_update": "OVERWRITE",
        })
    };
    let addon = cloud
        .create("aws_eks_addon", addon_config("v1.11.1-eksbuild.4"))
        .await;
    let addon = cloud
        .update("aws_eks_addon", &addon, addon_config("v1.11.3-eksbuild.1"))
        .await;
    cloud
        .imports(
            "aws_eks_addon",
            "kong:coredns",
            &addon,
            &["timeouts", "resolve_conflicts_on_update"],
        )
        .await;

    let data = cloud.data("aws_eks_cluster", json!({"name": "kong"})).await;
    assert_eq!(data.get_str("endpoint"), cluster.get_str("endpoint"));
    let token = cloud
        .data("aws_eks_cluster_auth", json!({"name": "kong"}))
        .await;
    assert!(
        token
            .get_str("token")
            .is_some_and(|t| t.starts_with("k8s-aws-v1."))
    );

    // A run that died right after its creation was accepted, or before it saw the answer.
    let config = cloud.config(
        "aws_eks_cluster",
        cluster_config("1.31", true, json!(["api", "audit"]), json!({"a": "2"})),
    );
    let planned = cloud.plan("aws_eks_cluster", None, &config).await.value;
    let checkpoint = nulls_for_unknowns(planned.clone()).with("id", Value::from("kong"));
    for checkpoint in [None, Some(checkpoint)] {
        match cloud
            .recover("aws_eks_cluster", planned.clone(), checkpoint)
            .await
        {
            Recovery::Found(found) => assert_eq!(found.value, cluster),
            other => panic!("{other:?}"),
        }
    }

    cloud.delete("aws_eks_addon", &addon).await;
    cloud.delete("aws_eks_node_group", &group).await;
    cloud.delete("aws_eks_cluster", &cluster).await;
    assert_eq!(
        cloud.recover("aws_eks_cluster", planned, None).await,
        Recovery::Absent
    );
}

#[tokio::test]
async fn a_database() {
    let cloud = Cloud::new("100000000005").await;
    let rds = aws_sdk_rds::Client::new(&cloud.sdk);
    let vpc = cloud
        .create("aws_vpc", json!({"cidr_block": "10.10.0.0/16"}))
        .await;
    let a = cloud.create("aws_subnet", json!({"vpc_id": id(&vpc), "cidr_block": "10.10.1.0/24", "availability_zone": "us-east-1a"})).await;
    let b = cloud.create("aws_subnet", json!({"vpc_id": id(&vpc), "cidr_block": "10.10.2.0/24", "availability_zone": "us-east-1b"})).await;
    let group = cloud
        .create(
            "aws_db_subnet_group",
            json!({"name": "kong", "subnet_ids": [id(&a), id(&b)]}),
        )
        .await;
    let group = cloud.update("aws_db_subnet_group", &group, json!({"name": "kong", "subnet_ids": [id(&a), id(&b)], "description": "of Kong", "tags": {"a": "1"}})).await;
    cloud
        .imports("aws_db_subnet_group", "kong", &group, &[])
        .await;

    let database = |class: &str, password: &str, protect: bool| {
        json!({
            "identifier": "kong", "engine": "postgres", "engine_version": "16", "instance_class": class,
            "allocated_storage": 20, "db_name": "kong", "username": "kong", "password": password,
            "db_subnet_group_name": id(&group), "apply_immediately": true, "skip_final_snapshot": !protect,
            "deletion_protection": protect, "backup_retention_period": 7, "tags": {"team": "edge"},
        })
    };
    let db = cloud
        .create(
            "aws_db_instance",
            database("db.t4g.medium", "first-secret", true),
        )
        .await;
    assert!(db.get_str("endpoint").is_some());
    let refused = cloud
        .send(
            "aws_db_instance",
            Action::Delete {
                prior: db.clone().into(),
            },
            Value::NULL,
        )
        .await
        .0;
    let refused = refused.expect_err("it has no name for its final snapshot");
    assert_eq!(
        refused.diagnostics.0[0].attribute.first_attribute(),
        Some("final_snapshot_identifier")
    );
    assert!(refused.state.is_some());
    let db = cloud
        .update(
            "aws_db_instance",
            &db,
            database("db.m7g.large", "second-secret", false),
        )
        .await;
    let shown = rds
        .describe_db_instances()
        .db_instance_identifier("kong")
        .send()
        .await
        .expect("described");
    assert_eq!(
        shown.db_instances()[0].db_instance_class(),
        Some("db.m7g.large")
    );
    let untold = [
        "password",
        "apply_immediately",
        "skip_final_snapshot",
        "engine_version",
        "timeouts",
    ];
    cloud.imports("aws_db_instance", "kong", &db, &untold).await;
    cloud.delete("aws_db_instance", &db).await;
    cloud.delete("aws_db_subnet_group", &group).await;
}

#[tokio::test]
async fn a_stack() {
    let cloud = Cloud::new("100000000006").await;
    let template = |name: &str| {
        json!({
        "Parameters": {"Cidr": {"Type": "String"}},
        "Resources": {"Net": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": {"Ref": "Cidr"}, "Tags": [{"Key": "Name", "Value": name}]}}},
        "Outputs": {"VpcId": {"Value": {"Ref": "Net"}}},
    }).to_string()
    };
    let stack_config = |name: &str, tags: Json| json!({"name": "net", "template_body": template(name), "parameters": {"Cidr": "10.11.0.0/16"}, "capabilities": ["CAPABILITY_IAM"], "tags": tags});
    let stack = cloud
        .create(
            "aws_cloudformation_stack",
            stack_config("a", json!({"team": "edge"})),
        )
        .await;
    let vpc = stack
        .get("outputs")
        .and_then(|o| o.get_str("VpcId"))
        .expect("an output")
        .to_owned();
    let ec2 = aws_sdk_ec2::Client::new(&cloud.sdk);
    let shown = ec2
        .describe_vpcs()
        .vpc_ids(&vpc)
        .send()
        .await
        .expect("described");
    assert_eq!(shown.vpcs()[0].cidr_block(), Some("10.11.0.0/16"));
    let stack = cloud
        .update(
            "aws_cloudformation_stack",
            &stack,
            stack_config("b", json!({"team": "core"})),
        )
        .await;
    cloud
        .imports(
            "aws_cloudformation_stack",
            "net",
            &stack,
            &["timeouts", "capabilities"],
        )
        .await;
    cloud.delete("aws_cloudformation_stack", &stack).await;
}

#[tokio::test]
async fn data_sources() {
    let cloud = Cloud::new("100000000007").await;
    let who = cloud.data("aws_caller_identity", json!({})).await;
    assert_eq!(who.get_str("account_id"), Some("100000000007"));
    assert_eq!(
        cloud.data("aws_region", json!({})).await.get_str("name"),
        Some(REGION)
    );
    assert_eq!(
        cloud
            .data("aws_partition", json!({}))
            .await
            .get_str("dns_suffix"),
        Some("amazonaws.com")
    );
    let zones = cloud
        .data(
            "aws_availability_zones",
            json!({"state": "available", "exclude_names": ["us-east-1b"]}),
        )
        .await;
    let names = zones.get("names").and_then(Value::as_slice).expect("names");
    assert_eq!(
        names,
        [Value::from("us-east-1a"), Value::from("us-east-1c")]
    );
}

#[tokio::test]
async fn default_tags_go_onto_everything_and_show_in_tags_all_alone() {
    let tags = json!({"default_tags": [{"tags": {"team": "edge", "env": "prod"}}]});
    let cloud = Cloud::with("100000000008", tags).await;
    let config = cloud.config(
        "aws_vpc",
        json!({"cidr_block": "10.12.0.0/16", "tags": {"env": "dev"}}),
    );
    let planned = cloud.plan("aws_vpc", None, &config).await.value;
    assert_eq!(
        planned.get("tags_all").and_then(|t| t.get_str("team")),
        Some("edge")
    );
    let vpc = cloud
        .create(
            "aws_vpc",
            json!({"cidr_block": "10.12.0.0/16", "tags": {"env": "dev"}}),
        )
        .await;
    assert_eq!(
        vpc.get("tags_all").and_then(|t| t.get_str("env")),
        Some("dev")
    );
    assert_eq!(vpc.get("tags").and_then(|t| t.get_str("team")), None);
    // Other defaults change the object in place.
    let other = Cloud::with(
        "100000000008",
        json!({"default_tags": [{"tags": {"team": "core"}}]}),
    )
    .await;
    let vpc = other
        .update(
            "aws_vpc",
            &vpc,
            json!({"cidr_block": "10.12.0.0/16", "tags": {"env": "dev"}}),
        )
        .await;
    assert_eq!(
        vpc.get("tags_all").and_then(|t| t.get_str("team")),
        Some("core")
    );
}

#[tokio::test]
async fn a_lost_creation_is_found_by_its_tags_or_left_to_a_person() {
    let cloud = Cloud::new("100000000009").await;
    let config = |tags: Json| {
        cloud.config(
            "aws_vpc",
            json!({"cidr_block": "10.13.0.0/16", "tags": tags}),
        )
    };
    let tagged = cloud
        .plan("aws_vpc", None, &config(json!({"Name": "lost"})))
        .await
        .value;
    assert_eq!(
        cloud.recover("aws_vpc", tagged.clone(), None).await,
        Recovery::Absent
    );
    let vpc = cloud
        .create(
            "aws_vpc",
            json!({"cidr_block": "10.13.0.0/16", "tags": {"Name": "lost"}}),
        )
        .await;
    match cloud.recover("aws_vpc", tagged.clone(), None).await {
        Recovery::Found(found) => assert_eq!(id(&found.value), id(&vpc)),
        other => panic!("{other:?}"),
    }
    let twin = cloud
        .create(
            "aws_vpc",
            json!({"cidr_block": "10.13.0.0/16", "tags": {"Name": "lost"}}),
        )
        .await;
    match cloud.recover("aws_vpc", tagged, None).await {
        Recovery::CannotTell(look) => assert!(look.contains(id(&vpc)) && look.contains(id(&twin))),
        other => panic!("{other:?}"),
    }
    // Without tags it could be anybody's: one is not adopted even when it is the only one.
    let untagged = cloud
        .create("aws_vpc", json!({"cidr_block": "10.13.0.0/16"}))
        .await;
    let planned = cloud
        .plan("aws_vpc", None, &config(json!(null)))
        .await
        .value;
    match cloud.recover("aws_vpc", planned, None).await {
        Recovery::CannotTell(look) => assert!(look.contains(id(&untagged)), "{look}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn errors_say_what_failed_and_nothing_is_left_behind() {
    let cloud = Cloud::new("100000000010").await;
    let config = cloud.config(
        "aws_subnet",
        json!({"vpc_id": "vpc-00000000000000000", "cidr_block": "10.0.0.0/24"}),
    );
    let planned = cloud.plan("aws_subnet", None, &config).await.value;
    let failed = cloud
        .send("aws_subnet", Action::Create { planned }, config)
        .await
        .0
        .expect_err("no such VPC");
    assert_eq!(failed.state, None);
    let summary = &failed.diagnostics.0[0].summary;
    assert_eq!(summary, "ec2:CreateSubnet failed: InvalidVpcID.NotFound");
    let missing = cloud
        .connection
        .import("aws_vpc", "vpc-00000000000000000")
        .await
        .expect_err("no such VPC");
    assert!(missing.0[0].summary.contains("does not exist"));
}

#[tokio::test]
async fn an_endpoint_that_nobody_listens_on_is_named_at_once() {
    let provider = topo_provider_aws::provider();
    let arguments = provider_block("http://127.0.0.1:1", "100000000011");
    let config = block(&provider.provider_schema(), arguments);
    let connection = provider.configure(&config).await.expect("needs no call");
    let schema = provider
        .data_schema("aws_caller_identity")
        .expect("a schema");
    let start = Instant::now();
    let failed = connection
        .read_data("aws_caller_identity", &block(&schema, json!({})))
        .await;
    let failed = failed.expect_err("nobody listens");
    assert!(
        failed.0[0]
            .summary
            .contains("http://127.0.0.1:1 cannot be reached"),
        "{failed}"
    );
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn configurations_that_cannot_work_are_refused_with_their_path() {
    let provider = topo_provider_aws::provider();
    let refused = |kind: &str, attributes: Json| {
        let schema = provider.resource_schema(kind).expect(kind);
        let wrong = provider.validate_resource(kind, &block(&schema, attributes));
        wrong
            .0
            .into_iter()
            .map(|d| d.attribute.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        refused("aws_vpc", json!({"cidr_block": "10.0.1.0/16"})),
        ["cidr_block"]
    );
    assert_eq!(
        refused("aws_vpc", json!({"cidr_block": "10.0.0.0/8"})),
        ["cidr_block"]
    );
    assert_eq!(
        refused(
            "aws_iam_role",
            json!({"name": "a b", "assume_role_policy": "x"})
        ),
        ["name", "assume_role_policy"]
    );
    let half = block(&provider.provider_schema(), json!({"access_key": "a"}));
    assert_eq!(
        provider.validate_provider(&half).0[0].attribute.to_string(),
        "secret_key"
    );
}
