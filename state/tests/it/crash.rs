//! A run killed at any moment leaves every commit that it was told of, and no half of any.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use topo_engine::store::{Change, StateStore};
use topo_state::read;

use crate::{id, open, record};

const DIR: &str = "TOPO_STATE_TEST_CRASH_DIR";
const ROUND: &str = "TOPO_STATE_TEST_CRASH_ROUND";
const TASKS: usize = 8;

/// Not a test of its own: what [`every_acknowledged_commit_survives_a_kill`] starts and kills.
#[test]
#[ignore = "started by another test"]
fn child() {
    let Some(dir) = std::env::var_os(DIR).map(PathBuf::from) else {
        return;
    };
    let round = std::env::var(ROUND).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = open(&dir).await;
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                tokio::spawn(commit_for_ever(
                    store.clone(),
                    format!("{round}-{task}"),
                    task,
                ))
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// Every commit writes four records: two new ones, and two that every commit of the task writes.
async fn commit_for_ever(store: topo_state::SledStore, name: String, task: usize) {
    for i in 0_usize.. {
        // Now and then one that sled keeps in a file of its own.
        let size = if i % 16 == task { 400_000 } else { 300 };
        let text = format!("{i} {}", "x".repeat(size));
        let addresses = ["t.a", "t.b"].map(|a| format!("{a}[\"{name} {i}\"]"));
        let shared = ["t.c", "t.d"].map(|a| format!("{a}[{task}]"));
        let changes = addresses.iter().chain(&shared);
        let changes = changes.map(|a| Change::Put(Box::new(record(a, &text))));
        store.commit(changes.collect()).await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {name} {i}").unwrap();
        out.flush().unwrap();
    }
}

/// Starts the child, kills it after so many acknowledgements, and returns all that it gave.
fn run_and_kill(dir: &Path, round: usize, after: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::child", "--exact", "--ignored", "--nocapture"])
        .env(DIR, dir)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        if let Some((_, name)) = line.unwrap().split_once("acknowledged ") {
            acknowledged.push(name.to_string());
            if acknowledged.len() == after {
                child.kill().unwrap();
            }
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() >= after, "the child ended by itself");
    acknowledged
}

#[tokio::test]
async fn every_acknowledged_commit_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for (round, least) in [1, 20, 60, 100, 30].into_iter().enumerate() {
        // No two runs of this test cut at the same places.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let after = least + now.subsec_nanos() as usize / 1000 % 40;
        acknowledged.extend(run_and_kill(dir.path(), round, after));

        // By turns the next to come is a reader or a writer.
        let state = if round % 2 == 0 {
            let found = read(dir.path()).await.unwrap();
            assert_eq!(found.in_progress, None);
            found.state
        } else {
            let store = open(dir.path()).await;
            let state = store.load().await.unwrap();
            store.close().await.unwrap();
            state
        };
        for name in &acknowledged {
            assert!(
                id(&state, &format!("t.a[\"{name}\"]")).is_some(),
                "{name} is lost"
            );
        }
        for record in state.records.values() {
            let address = record.key.address.to_string();
            let twin = match address.split_at(3) {
                ("t.a", rest) => format!("t.b{rest}"),
                ("t.b", rest) => format!("t.a{rest}"),
                ("t.c", rest) => format!("t.d{rest}"),
                ("t.d", rest) => format!("t.c{rest}"),
                _ => panic!("{address}"),
            };
            assert!(
                id(&state, &twin) == record.value.get_str("id"),
                "half of {address}"
            );
        }
    }
}
