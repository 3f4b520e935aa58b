//! What is written is read back, by the same process and by the next.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use topo_engine::address::ProviderAddress;
use topo_engine::store::{
    Change, Dependency, Intent, OutputRecord, Record, RecordKey, RunRecord, State, StateStore,
    Status, StoreError,
};
use topo_sdk::{Action, ApplyRequest, OperationId, Path, ResourceState, Type, Value};
use topo_state::{read, runs};

use crate::{key, open, provider, record};

fn rich_value() -> Value {
    Value::object([
        ("secret", Value::string("hunter2").sensitive()),
        (
            "big",
            Value::number(
                "123456789012345678901234567890.5"
                    .parse::<topo_sdk::Number>()
                    .unwrap(),
            ),
        ),
        ("none", Value::null(Type::String)),
        ("later", Value::unknown(Type::Number)),
        ("yes", Value::new(topo_sdk::Kind::Bool(true))),
        (
            "list",
            Value::list(Type::String, vec![Value::string("ü"), Value::string("\0")]),
        ),
        (
            "set",
            Value::set(Type::String, vec![Value::string("b"), Value::string("a")]),
        ),
        (
            "map",
            Value::map(
                Type::String,
                BTreeMap::from([(Arc::from("k"), Value::string("v"))]),
            ),
        ),
        (
            "tuple",
            Value::tuple(vec![Value::string("x"), Value::null(Type::Dynamic)]),
        ),
    ])
}

fn rich_record() -> Record {
    let address = "module.net[\"a.\\\"b\"].module.x[3].aws_subnet.s[\"\\\\ \\n.]\"]";
    Record {
        key: RecordKey {
            address: address.parse().unwrap(),
            deposed: Some("d1".into()),
        },
        provider: ProviderAddress {
            module: Arc::new(["net".into(), "x".into()]),
            name: "aws".into(),
            alias: Some("west".into()),
        },
        schema_version: 7,
        status: Status::Tainted,
        value: rich_value(),
        private: (0..=255).collect(),
        dependencies: vec![
            Dependency::Instance("aws_vpc.main[0]".parse().unwrap()),
            Dependency::Resource(key("module.m[1].aws_vpc.main").address.resource),
        ],
        created: "2026-01-02T03:04:05.123456789Z".parse().unwrap(),
        updated: Timestamp::UNIX_EPOCH,
        keep: true,
    }
}

fn intent(operation: &OperationId) -> Intent {
    Intent {
        operation: operation.clone(),
        key: key("aws_vpc.main[0]"),
        provider: provider(),
        request: ApplyRequest {
            type_name: "aws_vpc".into(),
            action: Action::Update {
                prior: ResourceState {
                    value: rich_value(),
                    private: vec![1, 2],
                },
                planned: rich_value(),
            },
            config: rich_value(),
        },
        sensitive: vec![Path::attribute("tags").key("a").index(1)],
        schema_version: 2,
        dependencies: vec![Dependency::Instance("aws_vpc.other".parse().unwrap())],
        checkpoint: None,
        started: Timestamp::UNIX_EPOCH,
        provisioned: true,
        keep: true,
    }
}

fn run(id: &str, ended: bool) -> RunRecord {
    RunRecord {
        id: id.to_string(),
        who: "ann@build-1".to_string(),
        pid: 1,
        command: "topo apply".to_string(),
        started: Timestamp::UNIX_EPOCH,
        ended: ended.then_some(Timestamp::UNIX_EPOCH),
        changes: vec![("aws_vpc.main[0]".parse().unwrap(), "create".to_string())],
    }
}

fn assert_same(a: &State, b: &State) {
    assert_eq!(a.meta, b.meta);
    assert_eq!(a.records, b.records);
    assert_eq!(a.outputs, b.outputs);
    assert_eq!(a.intents, b.intents);
    assert_eq!(a.durations, b.durations);
}

#[tokio::test]
async fn everything_reads_back_as_written() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("a/.topo/state/default");
    let (store, operation) = (open(&place).await, OperationId::generate());
    let output = OutputRecord {
        value: rich_value(),
        sensitive: true,
    };
    let second = Duration::new(61, 5);
    store
        .commit(vec![
            Change::Put(Box::new(rich_record())),
            Change::Put(Box::new(record("aws_vpc.main[0]", "vpc-1"))),
            Change::PutOutput("endpoint".into(), output.clone()),
            Change::OpenIntent(Box::new(intent(&operation))),
            Change::PutRun(run("r1", false)),
            Change::PutDuration("aws_vpc".into(), "create".to_string(), second),
        ])
        .await
        .unwrap();

    let state = store.load().await.unwrap();
    let expected = [rich_record(), record("aws_vpc.main[0]", "vpc-1")];
    let expected = expected.map(|record| (record.key.clone(), record));
    assert_eq!(state.records, BTreeMap::from(expected));
    assert_eq!(state.outputs, BTreeMap::from([("endpoint".into(), output)]));
    assert_eq!(state.intents, [intent(&operation)]);
    let durations = BTreeMap::from([(("aws_vpc".into(), "create".to_string()), second)]);
    assert_eq!(state.durations, durations);
    assert_eq!((state.meta.serial, state.meta.lineage.len()), (0, 36));

    store.close().await.unwrap();
    assert_same(&read(&place).await.unwrap().state, &state);
    let store = open(&place).await;
    assert_same(&store.load().await.unwrap(), &state);
    store.close().await.unwrap();
    assert_eq!(runs(&place).await.unwrap().runs, [run("r1", false)]);
}

#[tokio::test]
async fn the_journal_of_a_mutation() {
    let dir = tempfile::tempdir().unwrap();
    let (store, operation) = (open(dir.path()).await, OperationId::generate());
    let made = ResourceState::from(Value::object([("id", Value::string("vpc-1"))]));
    let checkpoint = Change::Checkpoint(operation.clone(), made.clone());

    let error = store.commit(vec![
        Change::Put(Box::new(record("aws_vpc.a", "1"))),
        checkpoint.clone(),
    ]);
    assert!(matches!(error.await, Err(StoreError::Io(e)) if e.contains(operation.as_str())));
    assert!(
        store.load().await.unwrap().records.is_empty(),
        "all or none"
    );

    let open_intent = Change::OpenIntent(Box::new(intent(&operation)));
    store.commit(vec![open_intent]).await.unwrap();
    store.commit(vec![checkpoint]).await.unwrap();
    let intents = store.load().await.unwrap().intents;
    assert_eq!(intents[0].checkpoint, Some(made));

    store
        .commit(vec![
            Change::Put(Box::new(record("aws_vpc.a", "1"))),
            Change::CloseIntent(operation),
        ])
        .await
        .unwrap();
    let state = store.load().await.unwrap();
    assert!(state.intents.is_empty());
    assert_eq!(state.records.len(), 1);
    store.close().await.unwrap();
}

#[tokio::test]
async fn removals_and_serials() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let output = OutputRecord {
        value: Value::string("x"),
        sensitive: false,
    };
    store
        .commit(vec![
            Change::Put(Box::new(record("aws_vpc.a", "1"))),
            Change::Put(Box::new(record("aws_vpc.b", "1"))),
            Change::PutOutput("o".into(), output),
        ])
        .await
        .unwrap();
    store
        .commit(vec![
            Change::Remove(key("aws_vpc.a")),
            Change::RemoveOutput("o".into()),
            Change::PutRun(run("r1", true)),
        ])
        .await
        .unwrap();
    store
        .commit(vec![Change::PutRun(run("r2", false))])
        .await
        .unwrap();
    store
        .commit(vec![Change::PutRun(run("r2", true))])
        .await
        .unwrap();
    store.commit(Vec::new()).await.unwrap();

    let state = store.load().await.unwrap();
    assert_eq!(
        state.records.keys().collect::<Vec<_>>(),
        [&key("aws_vpc.b")]
    );
    assert!(state.outputs.is_empty());
    assert_eq!(state.meta.serial, 2);
    store.close().await.unwrap();
    assert_eq!(
        runs(dir.path()).await.unwrap().runs,
        [run("r1", true), run("r2", true)]
    );
}
