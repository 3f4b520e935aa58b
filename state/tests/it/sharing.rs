//! Several at one state: writers, readers, and other users of the machine.

use std::time::Duration;

use topo_engine::store::{Change, StateStore, StoreError};
use topo_state::{SledStore, read, runs};

use crate::{id, lock_info, open, record, try_open};

#[tokio::test]
async fn a_second_writer_is_told_who_is_at_work() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let Err(StoreError::Locked(message)) = try_open(dir.path()).await else {
        panic!("opened twice");
    };
    for part in [
        "ann@build-1",
        "topo apply",
        "4242",
        "2026-02-03T04:05:06Z",
        "run-1",
    ] {
        assert!(message.contains(part), "{message}");
    }
    store.close().await.unwrap();
    open(dir.path()).await.close().await.unwrap();
}

#[tokio::test]
async fn a_second_writer_waits_for_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path()).await;
    let waiting = SledStore::open(dir.path(), lock_info(), Duration::from_secs(60));
    let (second, closed) = tokio::join!(waiting, first.close());
    closed.unwrap();
    second.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_name_left_by_a_dead_process_blocks_nobody() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).await.close().await.unwrap();
    let left = serde_json::to_vec(&lock_info()).unwrap();
    std::fs::write(dir.path().join("lock.json"), left).unwrap();
    assert_eq!(read(dir.path()).await.unwrap().in_progress, None);
    assert!(!dir.path().join("lock.json").exists());
    open(dir.path()).await.close().await.unwrap();
}

#[tokio::test]
async fn a_dropped_store_is_released_with_its_commits() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let put = Change::Put(Box::new(record("aws_vpc.a", "1")));
    store.commit(vec![put]).await.unwrap();
    drop(store);
    let store = SledStore::open(dir.path(), lock_info(), Duration::from_secs(60));
    let store = store.await.unwrap();
    assert_eq!(id(&store.load().await.unwrap(), "aws_vpc.a"), Some("1"));
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_closed_store_is_closed_for_its_clones() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let clone = store.clone();
    store.close().await.unwrap();
    let put = Change::Put(Box::new(record("aws_vpc.a", "1")));
    assert!(matches!(
        clone.commit(vec![put]).await,
        Err(StoreError::Io(_))
    ));
    assert!(matches!(clone.load().await, Err(StoreError::Io(_))));
    assert!(matches!(clone.close().await, Err(StoreError::Io(_))));
}

#[tokio::test]
async fn a_reader_of_nothing_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("none");
    let found = read(&place).await.unwrap();
    assert!(found.state.records.is_empty() && found.in_progress.is_none());
    assert!(runs(&place).await.unwrap().runs.is_empty());
    assert!(!place.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_side_by_side_all_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let put = Change::Put(Box::new(record("aws_vpc.a", "1")));
    store.commit(vec![put]).await.unwrap();
    store.close().await.unwrap();
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let dir = dir.path().to_path_buf();
            tokio::spawn(async move { read(&dir).await })
        })
        .collect();
    for reader in readers {
        let found = reader.await.unwrap().unwrap();
        assert_eq!(id(&found.state, "aws_vpc.a"), Some("1"));
        assert_eq!(found.in_progress, None);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_look_in() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("state");
    let store = open(&place).await;
    let large = "x".repeat(1 << 20);
    let put = Change::Put(Box::new(record("aws_vpc.a", &large)));
    store.commit(vec![put]).await.unwrap();
    store.close().await.unwrap();
    let mut left = vec![place];
    let mut files = 0;
    while let Some(path) = left.pop() {
        let metadata = std::fs::metadata(&path).unwrap();
        let expected = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o777, expected, "{path:?}");
        if metadata.is_dir() {
            left.extend(std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()));
        } else {
            files += 1;
        }
    }
    assert!(files >= 4);
}
