use std::sync::Arc;
use std::time::Duration;

use topo_engine::address::{InstanceAddress, ProviderAddress, ResourceAddress};
use topo_engine::changes::{Deferred, DeferredReason, Overview};
use topo_engine::events::EphemeralAction;
use topo_engine::store::RecordKey;
use topo_sdk::Schema;

use super::*;
use crate::render::diagnostics::no_sources;

fn address(text: &str) -> InstanceAddress {
    text.parse().unwrap()
}

/// What is said about an event at this time.
fn said(messages: &mut Messages, event: &Event, now: Instant) -> Vec<Json> {
    let all = messages.event(event, now, &no_sources).into_iter();
    all.map(|m| Json::Object(m.0)).collect()
}

fn once(event: &Event) -> Json {
    let mut all = said(&mut Messages::default(), event, Instant::now());
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn what_takes_long_is_told_of_every_ten_seconds() {
    let mut messages = Messages::default();
    let start = Instant::now();
    let key = RecordKey::from(address("module.a[\"x\"].aws_eks_cluster.this[0]"));
    let action = ChangeAction::Create;
    let begun = Event::ApplyStarted {
        key: key.clone(),
        action,
        id: None,
    };
    assert_eq!(said(&mut messages, &begun, start)[0]["type"], "apply_start");
    let waits = Event::ApplyProgress {
        key: key.clone(),
        message: "cluster is CREATING".into(),
    };
    assert!(said(&mut messages, &waits, start).is_empty());
    assert!(messages.tick(start + Duration::from_secs(9)).is_empty());
    let told = messages.tick(start + Duration::from_millis(20_300));
    let [Message(told)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(told["type"], "apply_progress");
    assert_eq!(
        told["hook"],
        json!({
            "resource": {
                "addr": "module.a[\"x\"].aws_eks_cluster.this[0]",
                "module": "module.a[\"x\"]",
                "resource": "aws_eks_cluster.this[0]",
                "implied_provider": "aws",
                "resource_type": "aws_eks_cluster",
                "resource_name": "this",
                "resource_key": 0,
            },
            "action": "create",
            "elapsed_seconds": 20,
            "status": "cluster is CREATING",
        })
    );
    let text = "module.a[\"x\"].aws_eks_cluster.this[0]: Still creating... [20s elapsed]";
    assert_eq!(told["@message"], text);
    let done = Event::ApplyFinished {
        key,
        action,
        id: Some("kong".into()),
        elapsed: Duration::from_secs(70),
    };
    let done = said(&mut messages, &done, start).remove(0);
    assert_eq!(done["hook"]["elapsed_seconds"], 70);
    assert_eq!(done["hook"]["id_value"], "kong");
    assert!(messages.tick(start + Duration::from_secs(100)).is_empty());
}

#[test]
fn ephemeral_resources_are_opened_and_closed() {
    let address = address("ephemeral.random_password.x");
    let begun = once(&Event::EphemeralStarted {
        address: address.clone(),
        action: EphemeralAction::Open,
    });
    assert_eq!(begun["type"], "ephemeral_op_start");
    assert_eq!(begun["hook"]["action"], "open");
    assert_eq!(begun["@message"], "ephemeral.random_password.x: Opening...");
    let done = once(&Event::EphemeralFinished {
        address: address.clone(),
        action: EphemeralAction::Close,
        elapsed: Duration::from_secs(2),
    });
    assert_eq!(done["type"], "ephemeral_op_complete");
    assert_eq!(done["hook"]["action"], "close");
    assert_eq!(done["hook"]["elapsed_seconds"], 2);
    let failed = once(&Event::EphemeralFailed {
        address,
        action: EphemeralAction::Renew,
        elapsed: Duration::from_secs(61),
    });
    assert_eq!(failed["type"], "ephemeral_op_errored");
    assert_eq!(failed["hook"]["action"], "renew");
    assert_eq!(failed["hook"]["elapsed_seconds"], 61);
    let text = "ephemeral.random_password.x: Renewing errored after 1m1s";
    assert_eq!(failed["@message"], text);
}

#[test]
fn an_ephemeral_resource_that_opens_slowly_is_told_of_every_ten_seconds() {
    let mut messages = Messages::default();
    let start = Instant::now();
    let address = address("ephemeral.random_password.x");
    let action = EphemeralAction::Open;
    let begun = Event::EphemeralStarted {
        address: address.clone(),
        action,
    };
    said(&mut messages, &begun, start);
    assert!(messages.tick(start + Duration::from_secs(9)).is_empty());
    let told = messages.tick(start + Duration::from_millis(10_100));
    let [Message(told)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(told["type"], "ephemeral_op_progress");
    assert_eq!(told["hook"]["action"], "open");
    assert_eq!(told["hook"]["elapsed_seconds"], 10);
    let text = "ephemeral.random_password.x: Still opening... [10s elapsed]";
    assert_eq!(told["@message"], text);
    let done = Event::EphemeralFinished {
        address,
        action,
        elapsed: Duration::from_secs(11),
    };
    said(&mut messages, &done, start);
    assert!(messages.tick(start + Duration::from_secs(90)).is_empty());
}

#[test]
fn a_data_source_is_applied_with_the_action_read() {
    let begun = once(&Event::ReadStarted {
        address: address("data.aws_ami.x"),
    });
    assert_eq!(begun["type"], "apply_start");
    assert_eq!(begun["hook"]["action"], "read");
}

#[test]
fn a_deposed_object_is_told_from_the_current_one() {
    let mut key = RecordKey::from(address("aws_vpc.main"));
    key.deposed = Some("1a2b3c4d".into());
    let begun = once(&Event::ApplyStarted {
        key,
        action: ChangeAction::Delete,
        id: Some("vpc-1".into()),
    });
    assert_eq!(begun["hook"]["deposed"], "1a2b3c4d");
    assert_eq!(
        begun["@message"],
        "aws_vpc.main (deposed object 1a2b3c4d): Destroying... [id=vpc-1]"
    );
}

#[test]
fn a_plan_says_what_is_left_to_a_later_round() {
    let resource: ResourceAddress = address("module.a.aws_subnet.s").resource;
    let overview = Overview {
        changes: Vec::new(),
        drift: Vec::new(),
        outputs: Vec::new(),
        deferred_providers: Vec::new(),
        deferred: vec![Deferred {
            address: "module.a[*].aws_subnet.s[*]".into(),
            resource,
            provider: ProviderAddress {
                module: [].into(),
                name: "aws".into(),
                alias: None,
            },
            reason: DeferredReason::InstanceCountUnknown,
            unknown: vec!["var.x".into()],
            schema: Arc::new(Schema::default()),
        }],
        unread: Vec::new(),
        checks: Vec::new(),
        diagnostics: Diagnostics::new(),
        mode: PlanMode::Normal,
        partial: false,
    };
    let event = Event::Planned(Arc::new(overview));
    let all = said(&mut Messages::default(), &event, Instant::now());
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(all[0]["type"], "deferred_change");
    let change = &all[0]["change"];
    assert_eq!(change["reason"], "instance_count_unknown");
    assert_eq!(change["unknown"], json!(["var.x"]));
    assert_eq!(change["resource"]["addr"], "module.a[*].aws_subnet.s[*]");
    assert_eq!(all[1]["type"], "change_summary");
}
