//! What the public surface does not show: how many syncs, and formats that do not exist yet.

use jiff::Timestamp;
use topo_engine::store::OutputRecord;
use topo_sdk::Value;

use super::*;
use crate::codec::{Entries, FORMAT_KEY, META_KEY, MetaRecord, large_values_last};

fn info() -> LockInfo {
    LockInfo {
        who: "ann@build-1".to_string(),
        pid: 1,
        command: "topo apply".to_string(),
        since: Timestamp::UNIX_EPOCH,
        run: "run".to_string(),
    }
}

async fn open_as(dir: &Path, formats: Formats) -> Result<SledStore, StoreError> {
    SledStore::open_as(dir, info(), Duration::ZERO, formats).await
}

fn put(name: &str) -> Vec<Change> {
    let output = OutputRecord {
        value: Value::string("x".repeat(200)),
        sensitive: false,
    };
    vec![Change::PutOutput(name.into(), output)]
}

/// How many batches were synced.
fn batches(store: &SledStore) -> u64 {
    let writer = store.0.writer();
    let bytes = writer.as_ref().unwrap().database.get(META_KEY).unwrap();
    decode::<MetaRecord>(&bytes.unwrap()).unwrap().sequence
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_side_by_side_share_syncs() {
    const TASKS: u64 = 50;
    const EACH: u64 = 200;
    let dir = tempfile::tempdir().unwrap();
    let store = open_as(dir.path(), FORMATS).await.unwrap();
    let before = batches(&store);
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for i in 0..EACH {
                    store.commit(put(&format!("{task} {i}"))).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let synced = batches(&store) - before;
    assert!(synced < TASKS * EACH / 5, "{synced} syncs");
    assert!(
        synced >= EACH,
        "a commit returned before its sync: {synced} syncs"
    );
    let outputs = store.load().await.unwrap().outputs.len() as u64;
    assert_eq!(outputs, TASKS * EACH);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_reader_during_a_run_sees_the_last_export() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_as(dir.path(), FORMATS).await.unwrap();
    let look = async || {
        let found = read(dir.path()).await.unwrap();
        assert!(!found.state.meta.lineage.is_empty());
        let outputs: Vec<String> = found
            .state
            .outputs
            .keys()
            .map(ToString::to_string)
            .collect();
        (outputs.join(" "), found.in_progress)
    };
    assert_eq!(look().await, (String::new(), Some(info())));

    store.commit(put("a")).await.unwrap();
    let scheduled = || store.0.writer().as_ref().unwrap().scheduled;
    assert_eq!(
        look().await,
        (String::new(), Some(info())),
        "exported at once"
    );
    // The worker schedules the export after it has answered.
    while !scheduled() {
        tokio::task::yield_now().await;
    }
    export_later(Arc::downgrade(&store.0), Duration::ZERO).await;
    assert_eq!(look().await, ("a".to_string(), Some(info())));
    assert!(!scheduled());

    store.commit(put("b")).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(look().await, ("a b".to_string(), None));
}

#[tokio::test]
async fn a_refused_commit_does_not_touch_its_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_as(dir.path(), FORMATS).await.unwrap();
    let operation = topo_sdk::OperationId::generate();
    let state = topo_sdk::ResourceState::from(Value::string("x"));
    let refused = store.commit(vec![Change::Checkpoint(operation, state)]);
    let (a, refused, b) = tokio::join!(store.commit(put("a")), refused, store.commit(put("b")));
    a.unwrap();
    b.unwrap();
    assert!(refused.is_err());
    assert_eq!(store.load().await.unwrap().outputs.len(), 2);
    store.close().await.unwrap();
}

/// As if the next format had other names for the outputs.
fn rename(entries: &mut Entries) -> Result<(), String> {
    let names: Vec<Vec<u8>> = entries.keys().filter(|k| k[0] == b'w').cloned().collect();
    for name in names {
        let value = entries.remove(&name).ok_or("gone")?;
        entries.insert([&name[..], b" upgraded"].concat(), value);
    }
    Ok(())
}

fn refuse(_: &mut Entries) -> Result<(), String> {
    Err("not understood".to_string())
}

const NEXT: Formats = Formats(&[large_values_last, rename]);

async fn names(place: &Place, formats: Formats) -> Result<Vec<String>, StoreError> {
    let (entries, _) = look::<Entries>(place, formats).await?;
    let names = entries.keys().filter(|k| k[0] == b'w');
    Ok(names
        .map(|k| String::from_utf8_lossy(k).into_owned())
        .collect())
}

#[tokio::test]
async fn an_older_format_is_upgraded_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    let store = open_as(dir.path(), FORMATS).await.unwrap();
    store.commit(put("a")).await.unwrap();
    let lineage = store.load().await.unwrap().meta.lineage;
    store.close().await.unwrap();

    // A reader sees the current format and changes nothing.
    assert_eq!(names(&place, NEXT).await.unwrap(), ["wa upgraded"]);
    assert_eq!(names(&place, FORMATS).await.unwrap(), ["wa"]);

    // An upgrade that fails leaves everything as it was.
    let failed = open_as(dir.path(), Formats(&[large_values_last, refuse])).await;
    assert!(matches!(failed, Err(StoreError::Corrupt(m)) if m.contains("not understood")));
    assert_eq!(names(&place, FORMATS).await.unwrap(), ["wa"]);

    let store = open_as(dir.path(), NEXT).await.unwrap();
    store.commit(put("b")).await.unwrap();
    assert_eq!(store.load().await.unwrap().meta.lineage, lineage);
    store.close().await.unwrap();
    let upgraded = open_as(dir.path(), NEXT).await.unwrap();
    upgraded.close().await.unwrap();
    assert_eq!(names(&place, NEXT).await.unwrap(), ["wa upgraded", "wb"]);
    let kept = sled::open(place.aside(2)).unwrap();
    assert!(kept.contains_key(b"wa").unwrap());
    assert_eq!(kept.get(FORMAT_KEY).unwrap().unwrap(), &2_u64.to_be_bytes());
}

#[tokio::test]
async fn a_newer_format_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    let store = open_as(dir.path(), NEXT).await.unwrap();
    store.commit(put("a")).await.unwrap();
    let newer = StoreError::NewerFormat { found: 3, known: 2 }.to_string();
    let during = names(&place, FORMATS).await.unwrap_err();
    assert_eq!(during.to_string(), newer);
    store.close().await.unwrap();
    let opened = open_as(dir.path(), FORMATS).await.unwrap_err();
    assert_eq!(opened.to_string(), newer);
    let after = names(&place, FORMATS).await.unwrap_err();
    assert_eq!(after.to_string(), newer);
    assert_eq!(names(&place, NEXT).await.unwrap(), ["wa"]);

    // Restored from a snapshot of a newer format: neither.
    std::fs::remove_dir_all(place.database()).unwrap();
    let opened = open_as(dir.path(), FORMATS).await.unwrap_err();
    assert_eq!(opened.to_string(), newer);
    let store = open_as(dir.path(), NEXT).await.unwrap();
    assert_eq!(store.load().await.unwrap().outputs.len(), 1);
    store.close().await.unwrap();
}

#[test]
fn format_1_had_what_may_be_large_first() {
    let older = ["\0meta", "c", "d1", "i1", "o1", "o2", "r1", "u1"];
    let mut entries: Entries = older.map(|k| (k.into(), k.into())).into();
    FORMATS.upgrade(&mut entries, 1).unwrap();
    let found: Vec<(&[u8], &[u8])> = entries.iter().map(|(k, v)| (&k[..], &v[..])).collect();
    let expected = [
        ("\0meta", "\0meta"),
        ("d1", "d1"),
        ("i1", "i1"),
        ("r1", "r1"),
        ("u1", "u1"),
        ("v", "c"),
        ("w1", "o1"),
        ("w2", "o2"),
    ];
    let format = (FORMAT_KEY, &2_u64.to_be_bytes()[..]);
    let expected = expected.map(|(k, v)| (k.as_bytes(), v.as_bytes()));
    assert_eq!(found, [&[format][..], &expected].concat());
}

/// The log of a run must not grow with the size of an output times the number of steps.
#[tokio::test]
async fn a_large_value_is_not_written_again_with_each_batch() {
    let dir = tempfile::tempdir().unwrap();
    let store = open_as(dir.path(), FORMATS).await.unwrap();
    let small = |i: u64| {
        let took = Duration::from_millis(i);
        vec![Change::PutDuration(
            format!("type_{}", i % 40).into(),
            "create".into(),
            took,
        )]
    };
    for i in 0..40 {
        store.commit(small(i)).await.unwrap();
    }
    let output = OutputRecord {
        value: Value::string("x".repeat(9_000_000)),
        sensitive: false,
    };
    let large = Change::PutOutput("large".into(), output);
    store.commit(vec![large]).await.unwrap();
    let blobs = Place::new(dir.path()).database().join("blobs");
    let mut seen = std::collections::BTreeSet::new();
    for i in 40..140 {
        store.commit(small(i)).await.unwrap();
        let present = std::fs::read_dir(&blobs).unwrap();
        seen.extend(present.map(|entry| entry.unwrap().file_name()));
    }
    assert!((1..=3).contains(&seen.len()), "{seen:?}");
    store.close().await.unwrap();
}
