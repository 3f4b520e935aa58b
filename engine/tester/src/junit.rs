//! A report in JUnit's XML, as build servers read it.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use topo_sdk::Diagnostic;

use crate::report::{FileReport, Report, RunReport, Status};

/// The report as XML. `text` makes text of a diagnostic.
///
/// # Errors
/// When it cannot be written, which in memory does not happen.
pub fn junit(report: &Report, text: &dyn Fn(&Diagnostic) -> String) -> io::Result<String> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer
        .create_element("testsuites")
        .write_inner_content(|w| {
            for file in &report.files {
                suite(w, file, text)?;
            }
            Ok(())
        })?;
    let mut made = String::from_utf8(writer.into_inner()).map_err(io::Error::other)?;
    made.push('\n');
    Ok(made)
}

type Xml = Writer<Vec<u8>>;

fn suite(w: &mut Xml, file: &FileReport, text: &dyn Fn(&Diagnostic) -> String) -> io::Result<()> {
    let count = |status: Status| {
        let n = file.runs.iter().filter(|r| r.status == status).count();
        n.to_string()
    };
    // What could not be destroyed belongs to no run: it is a case of its own.
    let left = file.teardowns.iter().filter(|t| t.has_failed()).count();
    let errors = file
        .runs
        .iter()
        .filter(|r| r.status == Status::Error)
        .count()
        + left;
    let tests = (file.runs.len() + left).to_string();
    w.create_element("testsuite")
        .with_attributes([
            ("name", &*file.name),
            ("tests", tests.as_str()),
            ("skipped", count(Status::Skip).as_str()),
            ("failures", count(Status::Fail).as_str()),
            ("errors", errors.to_string().as_str()),
        ])
        .write_inner_content(|w| {
            for run in &file.runs {
                case(w, run, text)?;
            }
            for t in file.teardowns.iter().filter(|t| t.has_failed()) {
                let mut body: String = t.diagnostics.iter().map(text).collect();
                for left in &t.left {
                    body.push_str(&format!("left: {}\n", left.key.address));
                }
                let name = format!("{} (teardown)", t.name.run);
                w.create_element("testcase")
                    .with_attributes([("name", name.as_str()), ("classname", &*file.name)])
                    .write_inner_content(|w| {
                        problem(w, "error", "Not everything could be destroyed", &body)
                    })?;
            }
            Ok(())
        })?;
    Ok(())
}

fn case(w: &mut Xml, run: &RunReport, text: &dyn Fn(&Diagnostic) -> String) -> io::Result<()> {
    let seconds = run.elapsed.as_secs_f64().to_string();
    let at = run.started.to_string();
    let mut element = w
        .create_element("testcase")
        .with_attributes([("name", &*run.name.run), ("classname", &*run.name.file)]);
    if run.skipped.is_none() {
        element = element.with_attributes([("time", seconds.as_str()), ("timestamp", at.as_str())]);
    }
    let errors = || -> String {
        let all = run.diagnostics.iter().filter(|d| d.is_error());
        all.map(text).collect()
    };
    match run.status {
        Status::Fail => {
            let first = run.diagnostics.iter().find(|d| d.is_error());
            let message = format!(
                "{} of {} assertions failed: {}",
                run.failed_assertions,
                run.assertions,
                first.map_or("", |d| &d.detail)
            );
            element.write_inner_content(|w| problem(w, "failure", &message, &errors()))?;
        }
        Status::Error => {
            element
                .write_inner_content(|w| problem(w, "error", "Encountered an error", &errors()))?;
        }
        Status::Skip | Status::Pending => {
            let why = run.skipped.as_deref().unwrap_or("Testcase skipped");
            element.write_inner_content(|w| problem(w, "skipped", "Testcase skipped", why))?;
        }
        Status::Pass => {
            element.write_empty()?;
        }
    }
    Ok(())
}

fn problem(w: &mut Xml, kind: &str, message: &str, body: &str) -> io::Result<()> {
    w.create_element(kind)
        .with_attribute(("message", message))
        .write_text_content(BytesText::new(body))?;
    Ok(())
}
