//! The state store as its users see it: on a real directory, with other openers, crashes and
//! damaged files.

mod by_hand;
mod crash;
mod damage;
mod round_trip;
mod sharing;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use topo_engine::address::ProviderAddress;
use topo_engine::store::{Record, RecordKey, State, Status, StoreError};
use topo_sdk::Value;
use topo_state::{LockInfo, SledStore};

fn lock_info() -> LockInfo {
    LockInfo {
        who: "ann@build-1".to_string(),
        pid: 4242,
        command: "topo apply".to_string(),
        since: "2026-02-03T04:05:06Z".parse().unwrap(),
        run: "run-1".to_string(),
    }
}

async fn try_open(dir: &Path) -> Result<SledStore, StoreError> {
    SledStore::open(dir, lock_info(), Duration::ZERO).await
}

async fn open(dir: &Path) -> SledStore {
    try_open(dir).await.unwrap()
}

fn provider() -> ProviderAddress {
    ProviderAddress {
        module: Arc::new([]),
        name: "aws".into(),
        alias: None,
    }
}

fn key(address: &str) -> RecordKey {
    RecordKey::from(
        address
            .parse::<topo_engine::address::InstanceAddress>()
            .unwrap(),
    )
}

fn record(address: &str, text: &str) -> Record {
    Record {
        key: key(address),
        provider: provider(),
        schema_version: 1,
        status: Status::Ok,
        value: Value::object([("id", Value::string(text))]),
        private: Vec::new(),
        dependencies: Vec::new(),
        created: Timestamp::UNIX_EPOCH,
        updated: Timestamp::UNIX_EPOCH,
        keep: false,
    }
}

fn id<'a>(state: &'a State, address: &str) -> Option<&'a str> {
    state.records.get(&key(address))?.value.get_str("id")
}
