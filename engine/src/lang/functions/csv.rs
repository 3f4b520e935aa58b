//! `csvdecode`: rows of text as RFC 4180 has them, read as strictly as the peers do: a quote is
//! either around a whole field or an error.

use std::collections::BTreeSet;

use topo_sdk::{Type, Value};

use super::ParamType as T;
use super::{Context, Function, FunctionError, Param, returns_any, text};

pub(super) const FUNCTIONS: &[Function] = &[Function::new(
    "csvdecode",
    "The rows of a CSV text as objects.",
    &[Param::new("str", T::String, "The text.")],
    returns_any,
    csvdecode,
)];

fn csvdecode(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let fail = |e: String| FunctionError::at(0, e);
    // Spreadsheets write a byte order mark, which is no part of the first column's name.
    let text = text(args, 0)?.trim_start_matches('\u{feff}');
    let mut reader = Reader {
        rest: text,
        line: 0,
    };
    let headers = reader
        .record()
        .map_err(fail)?
        .ok_or_else(|| fail("missing header line".into()))?;
    let mut seen = BTreeSet::new();
    if let Some(name) = headers.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(fail(format!("duplicate column name {name:?}")));
    }
    let mut rows = Vec::new();
    while let Some(fields) = reader.record().map_err(fail)? {
        if fields.len() != headers.len() {
            return Err(fail(format!(
                "CSV parse error on line {}: wrong number of fields",
                reader.line
            )));
        }
        let columns = headers.iter().map(String::as_str);
        rows.push(Value::object(
            columns.zip(fields.into_iter().map(Value::from)),
        ));
    }
    let row = Type::object(headers.iter().map(|h| (h.as_str(), Type::String)));
    Ok(Value::list(row, rows))
}

struct Reader<'a> {
    rest: &'a str,
    /// The line that was read last, from one.
    line: usize,
}

impl<'a> Reader<'a> {
    /// The next line with its break, if it has one.
    fn next_line(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.line += 1;
        Some(line)
    }

    fn wrong(&self, what: &str) -> String {
        format!("CSV parse error on line {}: {what}", self.line)
    }

    /// The fields of the next record; blank lines are none.
    fn record(&mut self) -> Result<Option<Vec<String>>, String> {
        let mut line = loop {
            match self.next_line() {
                None => return Ok(None),
                Some(line) if content(line).is_empty() => {}
                Some(line) => break line,
            }
        };
        let mut fields = Vec::new();
        loop {
            let Some(quoted) = line.strip_prefix('"') else {
                let end = line.find(',');
                let field = content(&line[..end.unwrap_or(line.len())]);
                if field.contains('"') {
                    return Err(self.wrong("a quote in a field that does not start with one"));
                }
                fields.push(field.to_string());
                match end {
                    Some(end) => line = &line[end + 1..],
                    None => return Ok(Some(fields)),
                }
                continue;
            };
            let mut field = String::new();
            line = quoted;
            loop {
                let Some(end) = line.find('"') else {
                    field.push_str(content(line));
                    if content(line).len() < line.len() {
                        field.push('\n');
                    }
                    line = self
                        .next_line()
                        .ok_or_else(|| self.wrong("a quoted field is not closed"))?;
                    continue;
                };
                field.push_str(&line[..end]);
                line = &line[end + 1..];
                match line.strip_prefix('"') {
                    Some(rest) => {
                        field.push('"');
                        line = rest;
                    }
                    None => break,
                }
            }
            fields.push(field);
            match line.strip_prefix(',') {
                Some(rest) => line = rest,
                None if content(line).is_empty() => return Ok(Some(fields)),
                None => return Err(self.wrong("text after the quote that closes a field")),
            }
        }
    }
}

/// A line without its break.
fn content(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}
