//! `topo test`

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Args;
use tokio::sync::mpsc;
use topo_engine::providers::Providers;
use topo_provider_sandbox::{Cloud, Options as CloudOptions};
use topo_sdk::{Diagnostic, Diagnostics};
use topo_state::v4;
use topo_tester::{Options, Report, Suite, Teardown, TestEvent};

use super::version::VERSION;
use crate::context::{Context, Exit, simulated};
use crate::json;
use crate::render::diagnostics::diagnostic;
use crate::render::style::{YELLOW, paint};
use crate::render::test as text;
use crate::run::interrupts;
use crate::variables;

/// Run the tests of a module: its .tftest.hcl and .tofutest.hcl files
///
/// Each run block plans or applies the module (or one of its own) and checks what came out. What
/// was applied is destroyed in the end, whatever happened. With --sandbox the clouds are simulated,
/// anew for each test.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Run this test file only, named from the module's directory; may be repeated
    #[arg(long, value_name = "FILE")]
    pub filter: Vec<String>,
    /// Look for tests here too, beside the module's own directory
    #[arg(long, value_name = "DIR", default_value = "tests")]
    pub test_directory: String,
    /// Give an input variable a value; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub var: Vec<String>,
    /// Take values of input variables from this file; may be repeated, later ones win
    #[arg(long = "var-file", value_name = "FILE")]
    pub var_file: Vec<PathBuf>,
    /// Show the plan or the state of each run
    #[arg(long)]
    pub verbose: bool,
    /// As lines of JSON, in the peers' format
    #[arg(long)]
    pub json: bool,
    /// Write a report in JUnit's format to this file, too
    #[arg(long, value_name = "FILE")]
    pub junit_xml: Option<PathBuf>,
    /// How many operations of a run go side by side
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = super::parallelism)]
    pub parallelism: usize,
}

pub async fn run(context: &Context, args: &TestArgs) -> Exit {
    let view = View { context, args };
    view.begin();
    match suite(context, args, &view) {
        Ok((suite, _cloud)) => {
            let report = carry_out(&suite, &view).await;
            if let Some(file) = &args.junit_xml {
                write_junit(context, file, &report)?;
            }
            Ok(u8::from(!report.is_success()))
        }
        Err(diagnostics) if args.json => {
            view.lines(json::test::diagnostics(&diagnostics, None, &|f| {
                context.source(f)
            }));
            Ok(1)
        }
        Err(diagnostics) => Err(diagnostics),
    }
}

fn suite(
    context: &Context,
    args: &TestArgs,
    view: &View<'_>,
) -> Result<(Suite, Option<Scratch>), Diagnostics> {
    let dirs = [Path::new("."), Path::new(&args.test_directory)];
    let inputs = variables::gather_from(&dirs, &context.variable_flags)?;
    let (providers, scratch) = providers(context)?;
    let options = Options {
        directory: args.test_directory.clone(),
        filter: args.filter.clone(),
        parallelism: args.parallelism,
        workspace: context.workspace()?.name.clone(),
    };
    let loaded = Suite::load(Path::new("."), providers, inputs, &options);
    context.remember(loaded.sources);
    match loaded.suite {
        Some(suite) => {
            view.diagnostics(&loaded.diagnostics);
            Ok((suite, scratch))
        }
        None => Err(loaded.diagnostics),
    }
}

/// Runs the tests and shows what happens as it does.
async fn carry_out(suite: &Suite, view: &View<'_>) -> std::sync::Arc<Report> {
    let (sender, mut events) = mpsc::unbounded_channel();
    let listener = std::sync::Arc::new(move |event: TestEvent| {
        // Nobody is left to read only when nothing is left to tell.
        let _ = sender.send(event);
    });
    let work = topo_tester::run(suite, interrupts(), listener);
    let show = async {
        while let Some(event) = events.recv().await {
            view.event(&event);
        }
    };
    let (report, ()) = tokio::join!(work, show);
    report
}

fn write_junit(context: &Context, file: &Path, report: &Report) -> Result<(), Diagnostics> {
    let text = |d: &Diagnostic| {
        let text = diagnostic(d, &|f| context.source(f), 78);
        anstream::adapter::strip_str(&text).to_string()
    };
    let made = topo_tester::junit(report, &text);
    made.and_then(|xml| std::fs::write(file, xml)).map_err(|e| {
        Diagnostics::error(
            "Cannot write the JUnit report",
            format!("{}: {e}.", file.display()),
        )
    })
}

/// Writes a state, which may hold secrets, to a file of its own, and returns its name.
fn write_state(text: &str) -> std::io::Result<String> {
    let mut n = 1;
    loop {
        let name = match n {
            1 => "errored_test.tfstate".to_string(),
            n => format!("errored_test.{n}.tfstate"),
        };
        let mut options = std::fs::OpenOptions::new();
        // What an earlier run left may still be there: nothing is overwritten.
        match options.write(true).create_new(true).mode(0o600).open(&name) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())?;
                return Ok(name);
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => n += 1,
            Err(e) => return Err(e),
        }
    }
}

fn not_kept(e: std::io::Error) -> Diagnostics {
    Diagnostics::error(
        "Cannot keep the state of what is left",
        format!("errored_test.tfstate: {e}."),
    )
}

/// The providers of the tests; in the sandbox with a cloud that nobody else sees.
fn providers(context: &Context) -> Result<(Providers, Option<Scratch>), Diagnostics> {
    if !context.sandbox {
        return Ok((context.schemas(), None));
    }
    let scratch = Scratch::new(&context.run.to_string())?;
    let cloud = Cloud::open(&scratch.0, CloudOptions::default())?;
    Ok((simulated(&cloud), Some(scratch)))
}

/// A directory that goes when the tests are over.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Result<Scratch, Diagnostics> {
        let dir = std::env::temp_dir().join(format!("topo-test-{name}"));
        let mut builder = std::fs::DirBuilder::new();
        // Simulated objects hold secrets as real ones do.
        match builder.mode(0o700).create(&dir) {
            Ok(()) => Ok(Scratch(dir)),
            Err(e) => Err(Diagnostics::error(
                "Cannot make the sandbox's directory",
                format!("{}: {e}.", dir.display()),
            )),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(e) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!("{} was not removed: {e}", self.0.display());
        }
    }
}

/// Shows what happens, to people or to programs.
struct View<'a> {
    context: &'a Context,
    args: &'a TestArgs,
}

impl View<'_> {
    fn begin(&self) {
        if self.args.json {
            self.lines(vec![json::test::version()]);
        } else if self.context.sandbox {
            self.context.ui.print(&format!(
                "{} a simulated cloud for these tests only, no account is touched.\n\n",
                paint(YELLOW.bold(), "Sandbox:")
            ));
        }
    }

    fn lines(&self, lines: Vec<serde_json::Value>) {
        for line in lines {
            self.context.ui.raw(&format!("{line}\n"));
        }
    }

    fn diagnostics(&self, diagnostics: &Diagnostics) {
        if self.args.json {
            let sources = |f: &str| self.context.source(f);
            self.lines(json::test::diagnostics(diagnostics, None, &sources));
        } else {
            self.context.show(diagnostics);
        }
    }

    /// Keeps the state of objects that are left, for a person to take over. Simulated ones are gone
    /// with their cloud.
    fn keep(&self, teardown: &Teardown) {
        if teardown.state.records.is_empty() || self.context.sandbox {
            return;
        }
        let providers = self.context.schemas();
        let written = v4::write(&teardown.state, &providers, VERSION)
            .and_then(|text| write_state(&text).map_err(not_kept));
        match written {
            Ok(name) if self.args.json => {
                self.lines(vec![json::test::log(&text::kept(&name))]);
            }
            Ok(name) => self.context.ui.warn(&format!("\n{}\n", text::kept(&name))),
            Err(diagnostics) => self.diagnostics(&diagnostics),
        }
    }

    fn event(&self, event: &TestEvent) {
        if self.args.json {
            let sources = |f: &str| self.context.source(f);
            self.lines(json::test::event(event, self.args.verbose, &sources));
            if let TestEvent::TornDown(teardown) = event {
                self.keep(teardown);
            }
            return;
        }
        let ui = &self.context.ui;
        match event {
            TestEvent::RunFinished(report) => {
                ui.print(&text::run(report));
                if self.args.verbose
                    && let Some(made) = &report.made
                {
                    ui.print(&text::made(made, &self.context.schemas()));
                }
                self.context.show(&report.diagnostics);
            }
            TestEvent::TornDown(teardown) => {
                ui.warn(&text::teardown(teardown, ui.width));
                self.context.show(&teardown.diagnostics);
                ui.warn(&text::left(teardown, ui.width));
                self.keep(teardown);
            }
            TestEvent::Interrupted | TestEvent::Abandoned => {
                ui.warn(&text::event(event));
            }
            event => ui.print(&text::event(event)),
        }
    }
}
