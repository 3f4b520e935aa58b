//! The functions of the `local` provider, as its documentation has them.

use std::io::ErrorKind;

use topo_sdk::{Function, FunctionError, Parameter, Type, Value};

/// Every function of the provider.
pub(super) fn functions() -> Vec<Function> {
    vec![Function {
        name: "direxists",
        description: "Whether there is a directory at a path; an error when something else is there.",
        parameters: vec![Parameter::new(
            "path",
            Type::String,
            "The path; a relative one starts from the working directory, and ~ means nothing.",
        )],
        variadic: None,
        returns: Type::Bool,
        call: direxists,
    }]
}

fn direxists(args: &[Value]) -> Result<Value, FunctionError> {
    let path = args.first().and_then(Value::as_str).unwrap_or_default();
    // As Go's filepath.Abs has it, no path at all is the working directory.
    let at = if path.is_empty() { "." } else { path };
    match std::fs::metadata(at) {
        Ok(found) if found.is_dir() => Ok(true.into()),
        Ok(_) => Err(FunctionError::at(
            0,
            format!("{path:?} was found, but is not a directory"),
        )),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false.into()),
        Err(e) => Err(FunctionError::at(
            0,
            format!("cannot look for the directory {path:?}: {e}"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let ask = |path: &std::path::Path| direxists(&[path.to_string_lossy().as_ref().into()]);
        assert_eq!(ask(dir.path()).unwrap(), true.into());
        assert_eq!(ask(&dir.path().join("nothing")).unwrap(), false.into());
        let e = ask(&file).unwrap_err();
        assert!(e.message.contains("is not a directory"), "{e}");
        let e = ask(&file.join("below")).unwrap_err();
        assert!(e.message.contains("cannot look"), "{e}");
        let e = direxists(&["a\0b".into()]).unwrap_err();
        assert!(e.message.contains("cannot look"), "{e}");
    }
}
