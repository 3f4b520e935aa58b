//! Where the time of a run goes: the phases of planning and applying a configuration in a directory, with the built-in
//! providers and a store on disk, and no binary around them.
//!
//! `cargo run --release -p topo-engine-tests --example phases -- DIR plan|apply|destroy`

#![expect(
    clippy::print_stdout,
    reason = "a tool for developers that prints what it measures"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use topo_engine::apply::{ApplyOptions, Interrupt, apply};
use topo_engine::changes::PlanMode;
use topo_engine::config::load;
use topo_engine::events::silent;
use topo_engine::plan::{PlanOptions, plan};
use topo_engine::providers::Providers;
use topo_engine::store::{State, StateStore};
use topo_engine::variables::Inputs;
use topo_state::{LockInfo, SledStore};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, command] = arguments.as_slice() else {
        println!("usage: phases DIR plan|apply|destroy");
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run(PathBuf::from(dir), command));
}

struct Clock(Instant);

impl Clock {
    fn lap(&mut self, phase: &str) {
        let seconds = self.0.elapsed().as_secs_f64();
        println!("{phase:12} {seconds:>8.3} s, at most {} so far", peak());
        self.0 = Instant::now();
    }
}

/// The most memory that the process had, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.unwrap_or("?").trim().to_string()
}

async fn run(dir: PathBuf, command: &str) {
    let mut clock = Clock(Instant::now());
    let providers = Providers::new(topo_provider_builtin::providers())
        .with_provisioners(topo_provider_builtin::provisioners());
    clock.lap("providers");
    let loaded = load(&dir, &providers);
    let config = loaded
        .config
        .unwrap_or_else(|| panic!("{}", loaded.diagnostics));
    clock.lap("load");
    let lock = LockInfo {
        who: "bench@localhost".into(),
        pid: std::process::id(),
        command: command.into(),
        since: jiff::Timestamp::now(),
        run: "run".into(),
    };
    let place = dir.join(".topo/phases");
    std::fs::create_dir_all(&place).expect("a directory");
    let store = SledStore::open(&place, lock, Duration::from_secs(1))
        .await
        .expect("a store");
    clock.lap("open");
    let state: State = store.load().await.expect("a state");
    clock.lap("state");
    let options = PlanOptions {
        mode: match command {
            "destroy" => PlanMode::Destroy,
            _ => PlanMode::Normal,
        },
        store: Some(Arc::new(store.clone())),
        ..PlanOptions::default()
    };
    let made = plan(
        config,
        &providers,
        &Inputs::default(),
        state,
        &options,
        silent(),
    )
    .await;
    let made = made.unwrap_or_else(|e| panic!("{e}"));
    clock.lap("plan");
    println!("{:?}", made.counts());
    if command == "plan" {
        drop(made);
        clock.lap("drop");
    } else {
        let (_keep, interrupt) = watch::channel(Interrupt::None);
        let options = ApplyOptions {
            parallelism: 10,
            interrupt,
        };
        let outcome = apply(made, &providers, Arc::new(store.clone()), options, silent()).await;
        assert!(outcome.is_success(), "{}", outcome.diagnostics);
        clock.lap("apply");
    }
    store.close().await.expect("a store that closes");
    clock.lap("close");
}
