//! Values as YAML text, in the form that the peers write: block style, strings always in double
//! quotes or, with line breaks in them, as literal blocks, keys in order.
//!
//! The layout is that of libyaml's emitter of the 0.1 line with a width of 80, because what the
//! peers wrote ends up in attributes of real objects, where another layout would be a change.

use topo_sdk::{Kind, Value};

const INDENT: usize = 2;
const WIDTH: usize = 80;

/// The longest key that is written without a question mark before it, in bytes.
const MAX_SIMPLE_KEY: usize = 128;

/// The value as a document; `None` where a part of it is unknown.
pub(super) fn encode(value: &Value) -> Option<String> {
    let mut emitter = Emitter::default();
    emitter.node(value, None, false)?;
    let scalar = value.as_slice().is_none() && value.as_map().is_none();
    emitter.end_line();
    if scalar && value.as_str().is_none() {
        // A plain scalar could go on in the next line.
        emitter.out.push_str("...\n");
    }
    Some(emitter.out)
}

#[derive(Default)]
struct Emitter {
    out: String,
    /// Characters in the line so far.
    column: usize,
}

impl Emitter {
    fn push(&mut self, s: &str) {
        self.column += s.chars().count();
        self.out.push_str(s);
    }

    fn new_line(&mut self, indent: usize) {
        self.out.push('\n');
        self.out.push_str(&" ".repeat(indent));
        self.column = indent;
    }

    fn end_line(&mut self) {
        if self.column > 0 {
            self.new_line(0);
        }
    }

    /// To the start of an entry of a block at this indentation; nothing where the line holds only
    /// the indicators that lead to it.
    fn entry(&mut self, indent: usize, first_inline: bool) {
        if first_inline {
            return;
        }
        if self.column > 0 {
            self.new_line(indent);
        } else {
            self.push(&" ".repeat(indent));
        }
    }

    /// Writes a value inside a block of the given indentation (none: it is the document).
    /// `inline` says that the line has only indicators such as `- ` before it, so that a block may
    /// start in it; otherwise there is a key before it.
    fn node(&mut self, value: &Value, block: Option<usize>, inline: bool) -> Option<()> {
        let inner = block.map_or(INDENT, |b| b + INDENT);
        match value.kind() {
            Kind::Unknown(_) => return None,
            Kind::Null(_) => self.spaced("null", block),
            Kind::Bool(b) => self.spaced(if *b { "true" } else { "false" }, block),
            Kind::Number(n) => self.spaced(&n.to_string(), block),
            Kind::String(s) => {
                self.spaced("", block);
                self.string(s, inner, true);
            }
            Kind::List(_) | Kind::Set(_) | Kind::Tuple(_) => {
                let items = value.as_slice()?;
                if items.is_empty() {
                    self.spaced("[]", block);
                    return Some(());
                }
                let indent = match block {
                    None => 0,
                    Some(_) if inline => inner,
                    // A sequence that is the value of a key is not indented.
                    Some(b) => b,
                };
                self.sequence(items, indent, inline)?;
            }
            Kind::Map(_) | Kind::Object(_) => {
                let entries = value.as_map()?;
                if entries.is_empty() {
                    self.spaced("{}", block);
                    return Some(());
                }
                let indent = block.map_or(0, |_| inner);
                for (i, (key, value)) in entries.iter().enumerate() {
                    self.entry_of_mapping(
                        key,
                        value,
                        indent,
                        i == 0 && (inline || block.is_none()),
                    )?;
                }
            }
        }
        Some(())
    }

    /// A text after the space that parts it from its key or indicator.
    fn spaced(&mut self, s: &str, block: Option<usize>) {
        if block.is_some() && !self.out.ends_with(' ') && self.column > 0 {
            self.push(" ");
        }
        self.push(s);
    }

    fn sequence(&mut self, items: &[Value], indent: usize, inline: bool) -> Option<()> {
        for (i, item) in items.iter().enumerate() {
            let at_start = self.out.is_empty();
            if i == 0 && inline {
                self.spaced("", Some(indent));
            }
            self.entry(indent, i == 0 && (inline || at_start));
            self.push("-");
            self.push(" ");
            self.node(item, Some(indent), true)?;
        }
        Some(())
    }

    fn entry_of_mapping(
        &mut self,
        key: &str,
        value: &Value,
        indent: usize,
        inline: bool,
    ) -> Option<()> {
        self.entry(indent, inline);
        if key.len() <= MAX_SIMPLE_KEY && !key.contains(is_break) {
            self.string(key, indent, false);
            self.push(":");
            return self.node(value, Some(indent), false);
        }
        self.push("? ");
        self.string(key, indent + INDENT, true);
        self.entry(indent, false);
        self.push(": ");
        self.node(value, Some(indent), true)
    }

    fn string(&mut self, s: &str, indent: usize, may_break: bool) {
        if may_break && s.contains('\n') && literal_allowed(s) {
            self.literal(s, indent);
        } else {
            self.quoted(s, indent, may_break);
        }
    }

    fn literal(&mut self, s: &str, indent: usize) {
        self.push("|");
        if s.starts_with(|c| c == ' ' || is_break(c)) {
            self.push("2");
        }
        let mut from_end = s.chars().rev();
        match (from_end.next(), from_end.next()) {
            (Some(last), _) if !is_break(last) => self.push("-"),
            (Some(_), None) => self.push("+"),
            (Some(_), Some(before)) if is_break(before) => self.push("+"),
            _ => {}
        }
        self.new_line(0);
        for c in s.chars() {
            if is_break(c) {
                self.out.push(c);
                self.column = 0;
                continue;
            }
            if self.column == 0 {
                self.push(&" ".repeat(indent));
            }
            self.out.push(c);
            self.column += 1;
        }
    }

    fn quoted(&mut self, s: &str, indent: usize, may_break: bool) {
        self.push("\"");
        let mut after_space = false;
        let mut chars = s.char_indices().peekable();
        while let Some((i, c)) = chars.next() {
            if c == ' ' {
                let inside = i > 0 && chars.peek().is_some();
                if may_break && !after_space && self.column > WIDTH && inside {
                    self.new_line(indent);
                    if chars.peek().is_some_and(|(_, c)| *c == ' ') {
                        self.push("\\");
                    }
                } else {
                    self.push(" ");
                }
                after_space = true;
                continue;
            }
            after_space = false;
            if is_printable(c) && !is_break(c) && c != '"' && c != '\\' {
                self.out.push(c);
                self.column += 1;
            } else {
                self.push(&escape(c));
            }
        }
        self.push("\"");
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && c != '\u{feff}'
}

/// A literal block cannot hold what must be escaped, nor spaces at the end of a line.
fn literal_allowed(s: &str) -> bool {
    let mut after_space = false;
    for c in s.chars() {
        if !is_printable(c) && !matches!(c, '\u{2028}' | '\u{2029}') || after_space && is_break(c) {
            return false;
        }
        after_space = c == ' ';
    }
    !after_space
}

fn escape(c: char) -> String {
    let name = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c => {
            let code = u32::from(c);
            return match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{name}")
}
