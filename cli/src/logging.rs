//! What the libraries log: `TOPO_LOG=debug` (or per module) has it written to standard error, as
//! does the peers' `TF_LOG`; with `TF_LOG_PATH` it goes to the end of a file.

use std::fs::OpenOptions;
use std::sync::Mutex;

use topo_sdk::Diagnostics;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Starts logging where the environment asks for it.
///
/// # Errors
/// When the file cannot be written.
pub fn start(environment: &dyn Fn(&str) -> Option<String>) -> Result<(), Diagnostics> {
    let Some(filter) = filter(environment) else {
        return Ok(());
    };
    let path = environment("TF_LOG_PATH").filter(|path| !path.is_empty());
    let writer = match &path {
        None => BoxMakeWriter::new(std::io::stderr),
        Some(path) => {
            let file = OpenOptions::new().append(true).create(true).open(path);
            let file = file.map_err(|e| {
                Diagnostics::error(
                    "Cannot write the log",
                    format!("TF_LOG_PATH is {path}: {e}."),
                )
            })?;
            BoxMakeWriter::new(Mutex::new(file))
        }
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter);
    match path {
        Some(_) => log.with_ansi(false).with_writer(writer).init(),
        None => log.with_writer(writer).init(),
    }
    Ok(())
}

fn filter(environment: &dyn Fn(&str) -> Option<String>) -> Option<EnvFilter> {
    let own = environment("TOPO_LOG").filter(|f| !f.is_empty());
    let own = own.and_then(|f| EnvFilter::try_new(f).ok());
    own.or_else(|| Some(EnvFilter::new(level(&environment("TF_LOG")?)?)))
}

/// The level that `TF_LOG` says, in any case of letters. What is none is the most there is, as
/// with the peers, whose `JSON` means that, too.
fn level(said: &str) -> Option<&'static str> {
    match said.to_lowercase().as_str() {
        "" | "off" => None,
        "error" => Some("error"),
        "warn" => Some("warn"),
        "info" => Some("info"),
        "debug" => Some("debug"),
        _ => Some("trace"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_of_the_peers_are_known() {
        for (said, level_meant) in [
            ("", None),
            ("OFF", None),
            ("ERROR", Some("error")),
            ("Warn", Some("warn")),
            ("info", Some("info")),
            ("DEBUG", Some("debug")),
            ("TRACE", Some("trace")),
            ("JSON", Some("trace")),
            ("1", Some("trace")),
        ] {
            assert_eq!(level(said), level_meant, "{said}");
        }
    }

    #[test]
    fn topo_s_own_variable_comes_first() {
        let filter = |pairs: &[(&str, &str)]| {
            let get = |name: &str| {
                let found = pairs.iter().find(|(n, _)| *n == name);
                found.map(|(_, v)| v.to_string())
            };
            filter(&get).map(|f| f.to_string())
        };
        assert_eq!(filter(&[]), None);
        assert_eq!(filter(&[("TF_LOG", "warn")]), Some("warn".into()));
        assert_eq!(
            filter(&[("TF_LOG", "warn"), ("TOPO_LOG", "debug")]),
            Some("debug".into())
        );
    }
}
