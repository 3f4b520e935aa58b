//! The data sources `local_file` and `local_sensitive_file`: what is in a file.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use topo_sdk::{Attribute, Block, Diagnostic, Diagnostics, Path, Schema, Type, Value};

use super::content;
use crate::table::Data;

pub(crate) struct LocalFileData {
    pub(super) sensitive: bool,
}

impl Data for LocalFileData {
    fn name(&self) -> &'static str {
        match self.sensitive {
            true => "local_sensitive_file",
            false => "local_file",
        }
    }

    fn schema(&self) -> Schema {
        let text = || match self.sensitive {
            true => Attribute::computed(Type::String).sensitive(),
            false => Attribute::computed(Type::String),
        };
        Schema::new(content::digest_attributes(
            Block::new()
                .describe("What is in a file on this machine.")
                .attr("filename", Attribute::required(Type::String))
                .attr("content", text())
                .attr("content_base64", text()),
        ))
    }

    fn read(&self, config: &Value) -> Result<Value, Diagnostics> {
        let name = config.get_str("filename").unwrap_or_default();
        let bytes = content::read(name)?.ok_or_else(|| {
            Diagnostic::error(
                "The file does not exist",
                format!("There is no file {name}."),
            )
            .at(Path::attribute("filename"))
        })?;
        let text = String::from_utf8_lossy(&bytes);
        let object = config
            .clone()
            .with("content", Value::string(text))
            .with("content_base64", BASE64_STANDARD.encode(&bytes).into());
        Ok(content::with_digests(object, &bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let config = Value::object([("filename", Value::from(path.to_str().unwrap()))]);
        let data = LocalFileData { sensitive: false };
        assert!(data.read(&config).is_err());
        std::fs::write(&path, "hello").unwrap();
        let found = data.read(&config).unwrap();
        assert_eq!(found.get_str("content"), Some("hello"));
        assert_eq!(found.get_str("content_base64"), Some("aGVsbG8="));
    }
}
