//! `local_file` and `local_sensitive_file`: a file with a given content. The two differ in what
//! people get to see and in who may read the file.

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use topo_sdk::{Attribute, Block, Diagnostic, Diagnostics, Operation, Path, Schema, Type, Value};

use super::content;
use crate::table::Resource;

pub(crate) struct LocalFile {
    pub(super) sensitive: bool,
}

/// The arguments that give the content; exactly one is to be set.
const CONTENTS: [&str; 4] = ["content", "sensitive_content", "content_base64", "source"];

#[async_trait]
impl Resource for LocalFile {
    fn name(&self) -> &'static str {
        match self.sensitive {
            true => "local_sensitive_file",
            false => "local_file",
        }
    }

    fn schema(&self) -> Schema {
        let text = || Attribute::optional(Type::String).force_new();
        let secret = || match self.sensitive {
            true => text().sensitive(),
            false => text(),
        };
        let mode = if self.sensitive { "0700" } else { "0777" };
        let mut block = Block::new()
            .describe("A file on this machine.")
            .attr("filename", Attribute::required(Type::String).force_new())
            .attr("content", secret().describe("Text."))
            .attr("content_base64", secret().describe("Bytes, in base64."))
            .attr("source", text().describe("A file to copy."))
            .attr("file_permission", text().default(mode).describe("Octal."))
            .attr(
                "directory_permission",
                text().default(mode).describe("Octal."),
            );
        if !self.sensitive {
            block = block.attr(
                "sensitive_content",
                text()
                    .sensitive()
                    .deprecated("Use local_sensitive_file instead."),
            );
        }
        Schema::new(content::digest_attributes(block))
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut found = Diagnostics::new();
        let given = CONTENTS
            .iter()
            .filter(|name| config.get(name).is_some_and(|v| !v.is_null()))
            .count();
        if given != 1 {
            found.push(Diagnostic::error(
                "Exactly one content is needed",
                "Set one of content, content_base64 and source.",
            ));
        }
        for name in ["file_permission", "directory_permission"] {
            if let Some(text) = config.get_str(name)
                && mode(text).is_none()
            {
                let detail =
                    format!("{text:?} is not three or four octal digits, such as \"0644\".");
                found.push(
                    Diagnostic::error(format!("{name} is not a mode"), detail)
                        .at(Path::attribute(name)),
                );
            }
        }
        found
    }

    async fn create(
        &self,
        planned: Value,
        _operation: &dyn Operation,
    ) -> Result<Value, Diagnostics> {
        let diagnostics = self.validate(&planned);
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        let bytes = wanted(&planned)?;
        let permission = |name: &str| planned.get_str(name).and_then(mode).unwrap_or(0o700);
        let (file, directory) = (
            permission("file_permission"),
            permission("directory_permission"),
        );
        content::write(filename(&planned), &bytes, file, directory)?;
        Ok(content::with_digests(planned, &bytes))
    }

    async fn delete(&self, prior: &Value, _operation: &dyn Operation) -> Result<(), Diagnostics> {
        content::remove(filename(prior))
    }

    /// A file that was removed or changed by someone is gone, so that it is written again.
    async fn read(&self, state: &Value) -> Result<Option<Value>, Diagnostics> {
        let found = content::read(filename(state))?;
        let same = found.is_some_and(|c| Some(content::sha1(&c).as_str()) == state.get_str("id"));
        Ok(same.then(|| state.clone()))
    }

    async fn find_created(&self, planned: &Value) -> Result<Option<Value>, Diagnostics> {
        let wanted = wanted(planned)?;
        let found = content::read(filename(planned))?;
        Ok(found
            .filter(|c| *c == wanted)
            .map(|c| content::with_digests(planned.clone(), &c)))
    }

    fn outside(&self) -> bool {
        true
    }
}

fn filename(object: &Value) -> &str {
    object.get_str("filename").unwrap_or_default()
}

/// The content that the arguments give.
fn wanted(planned: &Value) -> Result<Vec<u8>, Diagnostics> {
    if let Some(encoded) = planned.get_str("content_base64") {
        return BASE64_STANDARD.decode(encoded).map_err(|e| {
            Diagnostic::error("content_base64 is not base64", format!("{e}."))
                .at(Path::attribute("content_base64"))
                .into()
        });
    }
    if let Some(source) = planned.get_str("source") {
        return content::read(source)?.ok_or_else(|| {
            Diagnostic::error(
                "source does not exist",
                format!("There is no file {source}."),
            )
            .at(Path::attribute("source"))
            .into()
        });
    }
    let text = planned
        .get_str("content")
        .or_else(|| planned.get_str("sensitive_content"));
    Ok(text.unwrap_or_default().into())
}

/// Reads three or four octal digits.
fn mode(text: &str) -> Option<u32> {
    let octal = text.bytes().all(|b| (b'0'..=b'7').contains(&b));
    (octal && matches!(text.len(), 3 | 4))
        .then(|| u32::from_str_radix(text, 8).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use topo_sdk::{Action, Recovery};

    use super::super::provider;
    use crate::testing::Bench;

    #[tokio::test]
    async fn writes_a_file_and_notices_when_it_is_not_the_same() {
        let bench = Bench::new(provider(), "local_file").await;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/file.txt");
        let name = path.to_str().unwrap();
        let arguments = || [("filename", name.into()), ("content", "hello".into())];
        let made = bench.create(arguments()).await;
        assert_eq!(fs::read(&path).unwrap(), b"hello");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o777
        );
        assert_eq!(
            made.get_str("content_md5"),
            Some("5d41402abc4b2a76b9719d911017c592")
        );
        assert_eq!(
            made.get_str("id"),
            Some("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d")
        );
        bench.unchanged(&made, arguments());
        bench.replaces(
            &made,
            [("filename", name.into()), ("content", "x".into())],
            "content",
        );
        assert_eq!(bench.read(&made).await.as_ref(), Some(&made));
        fs::write(&path, "changed").unwrap();
        assert_eq!(bench.read(&made).await, None);
        let prior = || made.clone().into();
        bench
            .apply(Action::Delete { prior: prior() })
            .await
            .unwrap();
        assert!(!path.exists());
        bench
            .apply(Action::Delete { prior: prior() })
            .await
            .unwrap();
        assert_eq!(bench.read(&made).await, None);
        let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[tokio::test]
    async fn a_sensitive_file_is_for_its_owner() {
        let bench = Bench::new(provider(), "local_sensitive_file").await;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let name = path.to_str().unwrap();
        bench
            .create([("filename", name.into()), ("content_base64", "AP8=".into())])
            .await;
        assert_eq!(fs::read(&path).unwrap(), [0, 255]);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert!(bench.schema.block.attributes["content"].sensitive);
        let copy = dir.path().join("copy");
        let arguments = [
            ("filename", copy.to_str().unwrap().into()),
            ("source", name.into()),
            ("file_permission", "0640".into()),
        ];
        bench.create(arguments).await;
        assert_eq!(
            fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
            0o640
        );
    }

    #[tokio::test]
    async fn a_file_written_by_a_run_that_died_is_found() {
        let bench = Bench::new(provider(), "local_file").await;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let arguments = [
            ("filename", path.to_str().unwrap().into()),
            ("content", "x".into()),
        ];
        let planned = bench.plan(None, &bench.config(arguments.clone())).value;
        let action = || Action::Create {
            planned: planned.clone(),
        };
        assert_eq!(bench.recover(action()).await, Recovery::Absent);
        let made = bench.create(arguments).await;
        assert_eq!(bench.recover(action()).await, Recovery::Found(made.into()));
    }

    #[tokio::test]
    async fn contradictions_are_refused() {
        let bench = Bench::new(provider(), "local_file").await;
        let two = [("content", "a".into()), ("source", "b".into())];
        assert!(bench.validate(two).has_errors());
        assert!(bench.validate([("filename", "a".into())]).has_errors());
        let mode = [("content", "a".into()), ("file_permission", "rw".into())];
        assert!(bench.validate(mode).has_errors());
    }
}
