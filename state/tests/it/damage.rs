//! Damaged files give an error that says what to do, or lose nothing; never a smaller state.

use std::fs;
use std::path::Path;

use topo_engine::store::{Change, State, StateStore, StoreError};
use topo_state::read;

use crate::{id, open, record, try_open};

/// A state with a few hundred records, written in two runs.
async fn state_in(dir: &Path) -> State {
    for run in 0..2 {
        let store = open(dir).await;
        for i in 0..100 {
            let put = |name| {
                let text = format!("{run} {i} {}", "x".repeat(500));
                Change::Put(Box::new(record(&format!("t.{name}[{i}]"), &text)))
            };
            store.commit(vec![put("a"), put("b")]).await.unwrap();
        }
        store.close().await.unwrap();
    }
    read(dir).await.unwrap().state
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Whether what came of reading is an error that helps, or everything.
fn judge(case: &str, dir: &Path, whole: &State, result: Result<State, StoreError>) -> bool {
    match result {
        Ok(state) => {
            assert_eq!(
                state.records, whole.records,
                "{case}: passes for a whole state"
            );
            assert_eq!(state.meta, whole.meta, "{case}");
            true
        }
        Err(StoreError::Corrupt(message)) => {
            let snapshot = dir.join("snapshot").display().to_string();
            assert!(message.contains(&snapshot), "{case}: {message}");
            false
        }
        Err(error) => panic!("{case}: {error}"),
    }
}

#[tokio::test]
async fn no_damage_passes_for_a_smaller_state() {
    let original = tempfile::tempdir().unwrap();
    let whole = state_in(original.path()).await;
    let log = fs::read(original.path().join("db/db")).unwrap();
    let (mut cases, mut found) = (Vec::new(), 0);
    for length in [0, 1, 512, log.len() / 4, log.len() / 2, log.len() - 1000] {
        cases.push((format!("cut at {length}"), log[..length].to_vec()));
    }
    for part in 0..16 {
        let mut bytes = log.clone();
        let start = log.len() / 16 * part;
        for byte in &mut bytes[start..start + 64] {
            *byte ^= 0x5a;
        }
        cases.push((format!("altered at {start}"), bytes));
    }
    cases.push(("zeros".to_string(), vec![0; log.len()]));
    let noise = (0..log.len()).map(|i| (i.wrapping_mul(2_654_435_761) >> 7) as u8);
    cases.push(("noise".to_string(), noise.collect()));
    for (case, bytes) in &cases {
        // Without sled's own snapshot of its page table it reads the log from the start.
        for keep in [true, false] {
            let dir = tempfile::tempdir().unwrap();
            copy(original.path(), dir.path());
            fs::write(dir.path().join("db/db"), bytes).unwrap();
            for entry in fs::read_dir(dir.path().join("db")).unwrap() {
                let entry = entry.unwrap();
                if !keep && entry.file_name().to_string_lossy().starts_with("snap.") {
                    fs::remove_file(entry.path()).unwrap();
                }
            }
            let result = read(dir.path()).await.map(|found| found.state);
            let good = judge(case, dir.path(), &whole, result);
            found += usize::from(!good);
            let result = match try_open(dir.path()).await {
                Ok(store) => store.load().await,
                Err(error) => Err(error),
            };
            judge(case, dir.path(), &whole, result);
        }
    }
    assert!(
        found >= cases.len(),
        "only {found} of {} noticed",
        cases.len() * 2
    );
}

#[tokio::test]
async fn the_advice_works() {
    let dir = tempfile::tempdir().unwrap();
    let whole = state_in(dir.path()).await;
    fs::write(dir.path().join("db/db"), b"").unwrap();
    let Err(StoreError::Corrupt(message)) = try_open(dir.path()).await else {
        panic!("opened");
    };
    assert!(message.contains("move"), "{message}");
    fs::rename(dir.path().join("db"), dir.path().join("db.damaged")).unwrap();
    assert_eq!(read(dir.path()).await.unwrap().state.records, whole.records);
    let store = open(dir.path()).await;
    let state = store.load().await.unwrap();
    assert_eq!((&state.records, &state.meta), (&whole.records, &whole.meta));
    let put = Change::Put(Box::new(record("t.a[0]", "new")));
    store.commit(vec![put]).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(
        id(&read(dir.path()).await.unwrap().state, "t.a[0]"),
        Some("new")
    );
}

#[tokio::test]
async fn a_damaged_snapshot_does_not_stop_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let whole = state_in(dir.path()).await;
    let snapshot = dir.path().join("snapshot");
    let mut bytes = fs::read(&snapshot).unwrap();
    let last = bytes.len() - 10;
    bytes[last] ^= 1;
    for bytes in [bytes, b"nonsense".to_vec(), Vec::new()] {
        fs::write(&snapshot, &bytes).unwrap();
        assert_eq!(read(dir.path()).await.unwrap().state.records, whole.records);
        let store = open(dir.path()).await;
        assert_eq!(store.load().await.unwrap().records, whole.records);
        store.close().await.unwrap();
    }
    // But where it is all there is, it must be right.
    fs::remove_dir_all(dir.path().join("db")).unwrap();
    fs::write(&snapshot, b"nonsense").unwrap();
    assert!(matches!(
        read(dir.path()).await,
        Err(StoreError::Corrupt(_))
    ));
    assert!(matches!(
        try_open(dir.path()).await,
        Err(StoreError::Corrupt(_))
    ));
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("file/default");
    fs::write(dir.path().join("file"), b"").unwrap();
    let Err(StoreError::Io(message)) = try_open(&place).await else {
        panic!("opened");
    };
    assert!(message.contains("file"), "{message}");
}
