//! What every command works with: the terminal, the directories, the providers, real or sandbox.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use topo_engine::config::{self, Config, Reading, Sources};
use topo_engine::plan::DEFAULT_WORKSPACE;
use topo_engine::providers::Providers;
use topo_engine::store::{Record, State, StoreError};
use topo_engine::variables::Inputs;
use topo_provider_sandbox::{Cloud, Options, simulate, simulate_provisioner};
use topo_sdk::{Diagnostic, Diagnostics, OperationId, Provider, Schema};
use topo_state::{LockInfo, SledStore};

use crate::commands::{LockArgs, VariableArgs};
use crate::json::stream::{self, Sink, Stream};
use crate::render::style::{BOLD, YELLOW, paint};
use crate::ui::Ui;
use crate::variables::{self, VariableFlag};
use crate::view::{Both, Format, Human, Reporter, SharedSources, Shown, View};
use crate::workspaces::{VARIABLE, Workspace, Workspaces};

/// An exit code, or what went wrong (exit code 1).
pub type Exit = Result<u8, Diagnostics>;

/// What every command works with. The working directory is the configuration's.
pub struct Context {
    /// The terminal.
    pub ui: Ui,
    /// In which form a run is shown.
    pub format: Format,
    /// Whether the simulated cloud is meant.
    pub sandbox: bool,
    /// Names this run, in the lock and in the record of the run.
    pub run: OperationId,
    /// When it began.
    pub started: Timestamp,
    /// The names of the command: `state list`.
    pub command: String,
    /// `-var` and `-var-file` in the order in which they were given.
    pub variable_flags: Vec<VariableFlag>,
    /// Which was selected when the command began.
    workspace: Result<Workspace, Diagnostics>,
    sources: SharedSources,
    /// Where the stream of JSON goes, beside what is shown.
    into: Option<Sink>,
}

/// A configuration that can be planned.
pub struct Configuration {
    /// The configuration.
    pub config: Arc<Config>,
    /// Values for its variables.
    pub inputs: Inputs,
    /// The name of the workspace.
    pub workspace: Arc<str>,
}

impl Context {
    /// For one command, in the current directory.
    pub fn new(
        ui: Ui,
        sandbox: bool,
        command: String,
        variable_flags: Vec<VariableFlag>,
    ) -> Context {
        Context {
            ui,
            format: Format::default(),
            sandbox,
            run: OperationId::generate(),
            started: Timestamp::now(),
            command,
            variable_flags,
            workspace: Workspaces { sandbox }.selected(std::env::var(VARIABLE).ok()),
            sources: SharedSources::default(),
            into: None,
        }
    }

    /// With the stream of JSON in a file, too.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn told_into(mut self, file: Option<&Path>) -> Result<Context, Diagnostics> {
        self.into = file.map(Sink::file).transpose()?;
        if let Some(sink) = &self.into {
            sink.write(vec![stream::version(self.sandbox)]);
        }
        Ok(self)
    }

    /// Shown in this form.
    #[must_use]
    pub fn shown_as(mut self, format: Format) -> Context {
        self.format = format;
        if format == Format::Stream {
            stream::write(self.ui, vec![stream::version(self.sandbox)]);
        }
        self
    }

    /// Says that it is the sandbox, where it is.
    pub fn announce(&self) {
        if self.sandbox && self.format == Format::Text {
            self.ui.print(&format!(
                "{} simulated cloud under .topo/sandbox, no account is touched.\n\n",
                paint(YELLOW.bold(), "Sandbox:")
            ));
        }
    }

    /// What is seen of a run.
    pub fn reporter(&self, shown: Shown) -> Reporter {
        let sources = self.sources.clone();
        let workspace = self.workspace.as_ref().ok().map(|w| &*w.name);
        let workspace = workspace.filter(|name| *name != DEFAULT_WORKSPACE);
        let seen: Box<dyn View> = match self.format {
            Format::Text => {
                let sources = sources.clone();
                Box::new(Human::new(self.ui, sources, self.sandbox, workspace, shown))
            }
            Format::Stream => Box::new(Stream::new(Sink::Output(self.ui), sources.clone())),
        };
        Reporter::start(match &self.into {
            Some(sink) => Box::new(Both(seen, Stream::new(sink.clone(), sources))),
            None => seen,
        })
    }

    /// Shows diagnostics with excerpts of the files that were read.
    pub fn show(&self, diagnostics: &Diagnostics) {
        let sources = |file: &str| self.sources.get()?.text(file).map(ToString::to_string);
        match self.format {
            Format::Text => self.ui.diagnostics(diagnostics, &sources),
            Format::Stream => stream::write(self.ui, stream::diagnostics(diagnostics, &sources)),
        }
        if let Some(sink) = &self.into {
            sink.write(stream::diagnostics(diagnostics, &sources));
        }
    }

    /// Keeps texts of files, for excerpts in diagnostics that come without loading.
    pub fn remember(&self, sources: Sources) {
        let _ = self.sources.set(sources);
    }

    /// Shows diagnostics about a text that is in no file.
    pub fn show_about(&self, diagnostics: &Diagnostics, name: &str, text: &str) {
        self.ui.diagnostics(diagnostics, &|file| {
            if file == name {
                return Some(text.to_string());
            }
            self.sources.get()?.text(file).map(ToString::to_string)
        });
    }

    /// The workspaces that there are.
    pub fn workspaces(&self) -> Workspaces {
        Workspaces {
            sandbox: self.sandbox,
        }
    }

    /// The workspace to work in.
    ///
    /// # Errors
    /// When the name that was selected is none.
    pub fn workspace(&self) -> Result<&Workspace, Diagnostics> {
        self.workspace.as_ref().map_err(Clone::clone)
    }

    /// This command, in another workspace.
    pub fn within(&self, workspace: &str) -> Context {
        Context {
            ui: self.ui,
            sandbox: self.sandbox,
            format: self.format,
            run: self.run.clone(),
            started: self.started,
            command: self.command.clone(),
            variable_flags: Vec::new(),
            workspace: Ok(Workspace {
                name: workspace.into(),
                overridden: false,
            }),
            sources: SharedSources::default(),
            into: self.into.clone(),
        }
    }

    /// Where the state is.
    ///
    /// # Errors
    /// Those of [`workspace`](Context::workspace).
    pub fn state_dir(&self) -> Result<PathBuf, Diagnostics> {
        Ok(self.workspaces().state_dir(&self.workspace()?.name))
    }

    /// Says that `-lock=false` does nothing, where it is given.
    pub fn note_lock(&self, locking: &LockArgs) {
        if let Some(note) = self.note_on_lock(locking) {
            self.show(&note.into());
        }
    }

    /// What is to be said where the lock is switched off for a command that needs it.
    pub fn note_on_lock(&self, locking: &LockArgs) -> Option<Diagnostic> {
        let summary = "The state is locked nevertheless";
        let detail = format!(
            "-lock=false has no effect on {}: topo's state has one writer at a time.",
            self.command
        );
        (!locking.lock).then(|| Diagnostic::warning(summary, detail))
    }

    /// The simulated cloud.
    ///
    /// # Errors
    /// When another process has it, or without `--sandbox`.
    pub fn cloud(&self) -> Result<Cloud, Diagnostics> {
        if !self.sandbox {
            return Err(Diagnostics::error(
                "No sandbox",
                "This looks into the simulated cloud: add --sandbox, or set TOPO_SANDBOX=1.",
            ));
        }
        let dir = self.workspaces().cloud_dir(&self.workspace()?.name);
        // Simulated objects hold secrets as real ones do.
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&dir).map_err(|e| {
            Diagnostics::error(
                "Cannot make the sandbox's directory",
                format!("{}: {e}.", dir.display()),
            )
        })?;
        Cloud::open(&dir, Options::default())
    }

    /// The providers, to validate and to look up schemas with: nothing is opened.
    pub fn schemas(&self) -> Providers {
        Providers::new(built_in()).with_provisioners(topo_provider_builtin::provisioners())
    }

    /// The providers, to run with: in the sandbox those that talk to a network are simulated, and
    /// no provisioner is carried out.
    ///
    /// # Errors
    /// When the simulated cloud cannot be opened.
    pub fn providers(&self) -> Result<Providers, Diagnostics> {
        if !self.sandbox {
            return Ok(self.schemas());
        }
        Ok(simulated(&self.cloud()?))
    }

    /// The text of a file that was read, by the name that diagnostics use.
    pub fn source(&self, file: &str) -> Option<String> {
        self.sources.get()?.text(file).map(ToString::to_string)
    }

    /// Loads and checks the configuration; shows warnings.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(&self) -> Result<Arc<Config>, Diagnostics> {
        let loaded = config::load(std::path::Path::new("."), &self.schemas());
        let _ = self.sources.set(loaded.sources);
        match loaded.config {
            Some(config) => {
                self.show(&loaded.diagnostics);
                Ok(config)
            }
            None => Err(loaded.diagnostics),
        }
    }

    /// Loads the configuration and gathers values for its variables, asking for missing ones.
    ///
    /// # Errors
    /// Everything that is wrong with the configuration, and files that cannot be read.
    pub fn configuration(&self, args: &VariableArgs) -> Result<Configuration, Diagnostics> {
        self.configuration_with(args, Reading::default())
    }

    /// Like [`Context::configuration`], with some things let pass.
    ///
    /// # Errors
    /// As there.
    pub fn configuration_with(
        &self,
        args: &VariableArgs,
        reading: Reading,
    ) -> Result<Configuration, Diagnostics> {
        let mut inputs = variables::gather(&self.variable_flags)?;
        let loaded = config::load_with(std::path::Path::new("."), &self.schemas(), reading);
        let mut sources = loaded.sources;
        inputs.add_sources(&mut sources);
        let _ = self.sources.set(sources);
        let Some(config) = loaded.config else {
            return Err(loaded.diagnostics);
        };
        self.show(&loaded.diagnostics);
        if args.may_ask() && self.format == Format::Text {
            for variable in config.missing_variables(&inputs) {
                let mut question = format!("{}\n", paint(BOLD, format!("var.{}", variable.name)));
                if !variable.description.is_empty() {
                    question.push_str(&format!("  {}\n", variable.description));
                }
                question.push_str("\n  Enter a value: ");
                let Some(text) = self.ui.ask(&question, variable.sensitive) else {
                    self.ui.print("\n");
                    break; // what is missing is reported by the plan
                };
                inputs.add_prompted(&variable.name, &text);
                self.ui.print("\n");
            }
        }
        Ok(Configuration {
            config,
            inputs,
            workspace: self.workspace()?.name.clone(),
        })
    }

    /// The configuration to look around in, with values for its variables; an empty one where the
    /// directory has none. Nobody is asked for values that are missing.
    ///
    /// # Errors
    /// Everything that is wrong with the configuration, and files that cannot be read.
    pub fn surroundings(&self) -> Result<Configuration, Diagnostics> {
        let inputs = variables::gather(&self.variable_flags)?;
        let loaded = config::load_any(std::path::Path::new("."), &self.schemas());
        let mut sources = loaded.sources;
        inputs.add_sources(&mut sources);
        let _ = self.sources.set(sources);
        let Some(config) = loaded.config else {
            return Err(loaded.diagnostics);
        };
        self.show(&loaded.diagnostics);
        Ok(Configuration {
            config,
            inputs,
            workspace: self.workspace()?.name.clone(),
        })
    }

    /// The state, for looking only, and whether a run is in progress, which is also said.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn look(&self) -> Result<(State, bool), Diagnostics> {
        let found = topo_state::read(&self.state_dir()?)
            .await
            .map_err(store_error)?;
        if let Some(run) = &found.in_progress {
            self.show(&Diagnostics::from(Diagnostic::warning(
                "A run is in progress",
                format!(
                    "{} (process {}) has been running `{}` since {}. What is shown is the state a moment ago.",
                    run.who, run.pid, run.command, run.since
                ),
            )));
        }
        Ok((found.state, found.in_progress.is_some()))
    }

    /// The state, for looking only.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn read_state(&self) -> Result<State, Diagnostics> {
        Ok(self.look().await?.0)
    }

    /// The state, for changing it: locked until it is closed.
    ///
    /// # Errors
    /// When another run has it.
    pub async fn open_store(&self, timeout: Duration) -> Result<SledStore, Diagnostics> {
        SledStore::open(&self.state_dir()?, self.lock_info(), timeout)
            .await
            .map_err(store_error)
    }

    /// Who this is, for others that find the state locked.
    pub fn lock_info(&self) -> LockInfo {
        LockInfo {
            who: who(),
            pid: std::process::id(),
            command: self.command.clone(),
            since: self.started,
            run: self.run.to_string(),
        }
    }
}

/// The providers with those simulated that talk to a network.
pub fn simulated(cloud: &Cloud) -> Providers {
    let providers = built_in().into_iter().map(|p| {
        if p.uses_network() {
            simulate(p, cloud.clone())
        } else {
            p
        }
    });
    let provisioners = topo_provider_builtin::provisioners().into_iter();
    Providers::new(providers.collect())
        .with_provisioners(provisioners.map(simulate_provisioner).collect())
}

/// The schema that an object in the state follows, when its provider still has it.
pub fn schema_of(providers: &Providers, record: &Record) -> Option<Arc<Schema>> {
    let resource = &record.key.address.resource;
    let provider = providers.get(&record.provider.name)?;
    match resource.mode {
        topo_engine::address::ResourceMode::Managed => {
            provider.resource_schema(&resource.type_name)
        }
        topo_engine::address::ResourceMode::Data => provider.data_schema(&resource.type_name),
        topo_engine::address::ResourceMode::Ephemeral => {
            provider.ephemeral_schema(&resource.type_name)
        }
    }
}

/// What went wrong with the state, as a diagnostic.
pub fn store_error(e: StoreError) -> Diagnostics {
    match e {
        StoreError::Locked(by) => Diagnostics::error(
            "The state is locked",
            format!(
                "{by}. Wait for it to end, or give -lock-timeout=5m to wait here. The lock goes when the process does."
            ),
        ),
        StoreError::NewerFormat { .. } => {
            Diagnostics::error("The state is of a newer topo", format!("{e}."))
        }
        StoreError::Io(what) => Diagnostics::error("The state cannot be used", what),
        StoreError::Corrupt(what) => Diagnostics::error("The state is damaged", what),
    }
}

/// `user@host`
pub fn who() -> String {
    let user = std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_else(|_| "unknown".into());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .unwrap_or_else(|| "localhost".into());
    format!("{user}@{}", host.trim())
}

fn built_in() -> Vec<Arc<dyn Provider>> {
    let mut all = topo_provider_builtin::providers();
    all.push(topo_provider_aws::provider());
    all.push(topo_provider_kubernetes::provider());
    all
}
