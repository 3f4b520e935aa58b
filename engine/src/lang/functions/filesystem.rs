//! Functions over paths and the files of a configuration. Relative paths start from the base
//! directory of the context.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest;
use topo_sdk::Value;

use super::ParamType as T;
use super::{Context, Function, FunctionError, Param, returns_bool, returns_string, text};

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 256 << 20;

const PATH: Param = Param::new("path", T::String, "The path.");

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "abspath",
        "A path in full, from the root.",
        &[PATH],
        returns_string,
        abspath,
    ),
    Function::new(
        "basename",
        "The last part of a path.",
        &[PATH],
        returns_string,
        basename,
    ),
    Function::new(
        "dirname",
        "A path without its last part.",
        &[PATH],
        returns_string,
        dirname,
    ),
    Function::new("file", "The text of a file.", &[PATH], returns_string, file),
    Function::new(
        "filebase64",
        "A file in base64.",
        &[PATH],
        returns_string,
        |c, a| Ok(STANDARD.encode(read(c, a)?).into()),
    ),
    Function::new(
        "filebase64sha256",
        "The SHA-256 hash of a file in base64.",
        &[PATH],
        returns_string,
        |c, a| Ok(STANDARD.encode(sha2::Sha256::digest(read(c, a)?)).into()),
    ),
    Function::new(
        "filebase64sha512",
        "The SHA-512 hash of a file in base64.",
        &[PATH],
        returns_string,
        |c, a| Ok(STANDARD.encode(sha2::Sha512::digest(read(c, a)?)).into()),
    ),
    Function::new(
        "fileexists",
        "Whether there is a file.",
        &[PATH],
        returns_bool,
        fileexists,
    ),
    Function::new(
        "filemd5",
        "The MD5 hash of a file.",
        &[PATH],
        returns_string,
        |c, a| Ok(hex::encode(md5::Md5::digest(read(c, a)?)).into()),
    ),
    Function::new(
        "filesha1",
        "The SHA-1 hash of a file.",
        &[PATH],
        returns_string,
        |c, a| Ok(hex::encode(sha1::Sha1::digest(read(c, a)?)).into()),
    ),
    Function::new(
        "filesha256",
        "The SHA-256 hash of a file.",
        &[PATH],
        returns_string,
        |c, a| Ok(hex::encode(sha2::Sha256::digest(read(c, a)?)).into()),
    ),
    Function::new(
        "filesha512",
        "The SHA-512 hash of a file.",
        &[PATH],
        returns_string,
        |c, a| Ok(hex::encode(sha2::Sha512::digest(read(c, a)?)).into()),
    ),
    Function::new(
        "pathexpand",
        "A path with the home directory in place of a tilde at its start.",
        &[PATH],
        returns_string,
        pathexpand,
    ),
];

/// The path with the home directory in place of `~` or `~/` at its start.
fn expand(path: &str) -> Result<PathBuf, FunctionError> {
    let Some(rest) = path.strip_prefix('~') else {
        return Ok(path.into());
    };
    if !(rest.is_empty() || rest.starts_with('/')) {
        return Err(FunctionError::at(
            0,
            "the home directory of another user cannot be expanded",
        ));
    }
    let home = std::env::home_dir()
        .ok_or_else(|| FunctionError::at(0, "the home directory is not known"))?;
    Ok(match rest.trim_start_matches('/') {
        "" => home,
        rest => home.join(rest),
    })
}

fn pathexpand(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    Ok(expand(text(args, 0)?)?.to_string_lossy().as_ref().into())
}

fn abspath(ctx: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let full = std::path::absolute(ctx.base_dir.join(text(args, 0)?))
        .map_err(|e| FunctionError::at(0, format!("failed to find the working directory: {e}")))?;
    Ok(clean(&full.to_string_lossy()).into())
}

fn locate(ctx: &Context, path: &str) -> Result<PathBuf, FunctionError> {
    let full = ctx.base_dir.join(expand(path)?);
    // As the peers do: a name is left by .. even where there is no such directory.
    Ok(clean(&full.to_string_lossy()).into())
}

fn read(ctx: &Context, args: &[Value]) -> Result<Vec<u8>, FunctionError> {
    let path = text(args, 0)?;
    let fail = |e: std::io::Error| FunctionError::at(0, format!("failed to read {path:?}: {e}"));
    let found = locate(ctx, path)?;
    let meta = std::fs::metadata(&found).map_err(fail)?;
    if !meta.is_file() {
        return Err(FunctionError::at(
            0,
            format!("{path:?} is not a regular file"),
        ));
    }
    if meta.len() > MAX_FILE {
        return Err(FunctionError::at(0, format!("{path:?} is too large")));
    }
    std::fs::read(found).map_err(fail)
}

fn file(ctx: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    String::from_utf8(read(ctx, args)?).map(Value::from).map_err(|_| {
        FunctionError::at(
            0,
            format!(
                "contents of {:?} are not valid UTF-8; use the filebase64 function to obtain the \
                 Base64 encoded contents",
                text(args, 0).unwrap_or_default()
            ),
        )
    })
}

fn fileexists(ctx: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let path = text(args, 0)?;
    match std::fs::metadata(locate(ctx, path)?) {
        Ok(meta) if meta.is_file() => Ok(true.into()),
        Ok(_) => Err(FunctionError::at(
            0,
            format!("{path:?} is not a regular file"),
        )),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false.into()),
        Err(e) => Err(FunctionError::at(
            0,
            format!("failed to check {path:?}: {e}"),
        )),
    }
}

fn basename(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let path = text(args, 0)?;
    if path.is_empty() {
        return Ok(".".into());
    }
    let trimmed = path.trim_end_matches('/');
    Ok(match trimmed.rsplit('/').next() {
        None | Some("") => "/".into(),
        Some(last) => last.into(),
    })
}

fn dirname(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let path = text(args, 0)?;
    Ok(match path.rfind('/') {
        Some(at) => clean(&path[..=at]).into(),
        None => ".".into(),
    })
}

/// The shortest form of a path: no empty, `.` or inner `..` parts.
pub(super) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.join("/")) {
        (true, joined) => format!("/{joined}"),
        (false, joined) if joined.is_empty() => ".".into(),
        (false, joined) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;

    #[test]
    fn results() {
        check(&[
            ("basename", &[s("foo/bar/baz.txt")], r#""baz.txt""#),
            ("basename", &[s("/")], r#""/""#),
            ("basename", &[s("")], r#"".""#),
            ("dirname", &[s("foo/bar/baz.txt")], r#""foo/bar""#),
            ("dirname", &[s("a")], r#"".""#),
            ("dirname", &[s("/a")], r#""/""#),
            ("dirname", &[s("./a/../b/c")], r#""b""#),
        ]);
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.txt"), "hello world").unwrap();
        std::fs::write(dir.path().join("raw"), [0xff]).unwrap();
        let run = |name, path| run_in(dir.path(), name, &[s(path)]);
        assert_eq!(run("file", "a.txt").unwrap(), s("hello world"));
        assert_eq!(
            run("filemd5", "a.txt").unwrap(),
            s("5eb63bbbe01eeed093cb22bb8f5acdc3")
        );
        assert_eq!(run("filebase64", "raw").unwrap(), s("/w=="));
        assert_eq!(run("fileexists", "a.txt").unwrap(), true.into());
        assert_eq!(run("fileexists", "b.txt").unwrap(), false.into());
        assert!(
            run("file", "raw")
                .unwrap_err()
                .message
                .contains("not valid UTF-8")
        );
        assert!(
            run("file", "b.txt")
                .unwrap_err()
                .message
                .contains("failed to read")
        );
        assert!(
            run("file", ".")
                .unwrap_err()
                .message
                .contains("not a regular file")
        );
    }
}
