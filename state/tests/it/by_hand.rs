//! What people do to a state beside runs: replacing it, removing it, looking at its lock.

use std::time::Duration;

use topo_engine::store::{Change, Meta, StateStore, StoreError};
use topo_state::{LockStatus, Removal, SledStore, clear_lock, exists, lock_status, read};

use crate::{id, lock_info, open, record, try_open};

fn put(address: &str, text: &str) -> Change {
    Change::Put(Box::new(record(address, text)))
}

#[tokio::test]
async fn a_state_can_become_another_with_its_lineage_and_serial() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.commit(vec![put("t.a", "1")]).await.unwrap();
    store.close().await.unwrap();

    let other = Meta {
        lineage: "other".to_string(),
        serial: 40,
    };
    let store = open(dir.path()).await;
    store
        .commit_as(other.clone(), vec![put("t.a", "2")])
        .await
        .unwrap();
    // Dropped: the snapshot still has the lineage from before, and that is no damage.
    drop(store);
    let store = SledStore::open(dir.path(), lock_info(), Duration::from_secs(60)).await;
    let store = store.unwrap();
    let state = store.load().await.unwrap();
    assert_eq!((&state.meta, id(&state, "t.a")), (&other, Some("2")));
    store.close().await.unwrap();
    assert_eq!(read(dir.path()).await.unwrap().state.meta, other);

    // From the snapshot, too.
    std::fs::remove_dir_all(dir.path().join("db")).unwrap();
    assert_eq!(read(dir.path()).await.unwrap().state.meta, other);
}

#[tokio::test]
async fn a_snapshot_of_a_state_that_it_never_was_is_damage() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for dir in [&a, &b] {
        let store = open(dir.path()).await;
        store.commit(vec![put("t.a", "1")]).await.unwrap();
        store.close().await.unwrap();
    }
    std::fs::copy(a.path().join("snapshot"), b.path().join("snapshot")).unwrap();
    assert!(matches!(read(b.path()).await, Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn a_state_is_removed_under_its_lock() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("dev");
    assert!(!exists(&place));
    let store = open(&place).await;
    store.commit(vec![put("t.a", "1")]).await.unwrap();
    let locked = Removal::begin(&place, lock_info(), Duration::ZERO).await;
    assert!(matches!(locked, Err(StoreError::Locked(_))));
    store.close().await.unwrap();
    assert!(exists(&place));

    let removal = Removal::begin(&place, lock_info(), Duration::ZERO).await;
    let removal = removal.unwrap();
    assert_eq!(id(&removal.state, "t.a"), Some("1"));
    assert!(matches!(try_open(&place).await, Err(StoreError::Locked(_))));
    // Thought better of.
    drop(removal);
    assert_eq!(id(&read(&place).await.unwrap().state, "t.a"), Some("1"));

    let removal = Removal::begin(&place, lock_info(), Duration::ZERO).await;
    removal.unwrap().finish().await.unwrap();
    assert!(!place.exists());
}

#[tokio::test]
async fn the_lock_can_be_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("none");
    assert_eq!(lock_status(&place).unwrap(), LockStatus::Free);
    assert!(!place.exists());

    let store = open(dir.path()).await;
    let held = LockStatus::Held(Some(lock_info()));
    assert_eq!(lock_status(dir.path()).unwrap(), held);
    assert!(!clear_lock(dir.path()).unwrap());
    assert_eq!(lock_status(dir.path()).unwrap(), held);
    store.close().await.unwrap();
    assert_eq!(lock_status(dir.path()).unwrap(), LockStatus::Free);

    let left = serde_json::to_vec(&lock_info()).unwrap();
    std::fs::write(dir.path().join("lock.json"), left).unwrap();
    let dead = LockStatus::Left(lock_info());
    assert_eq!(lock_status(dir.path()).unwrap(), dead);
    assert_eq!(lock_status(dir.path()).unwrap(), dead, "looking leaves it");
    assert!(clear_lock(dir.path()).unwrap());
    assert_eq!(lock_status(dir.path()).unwrap(), LockStatus::Free);
}
