//! The literal text of templates after strip markers and indented heredocs have had their say.
//!
//! Both work on lines: a marker (`~`) strips white space only as far as the line of text next to
//! it goes, its line break included, and an indented heredoc (`<<-`) loses the indentation that
//! all its lines have in common, where a line counts from its first text or sequence. The order
//! and the details are those of HCL's reference implementation, so that templates come out the
//! same to the byte.

use std::collections::VecDeque;

use hcl_edit::template::{Directive, Element, Strip, Template};

use super::source::SourceFile;
use super::syntax::span_of;

/// What a template is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Between quotes: its text is one piece, whatever line breaks are in it.
    Quoted,
    /// A heredoc, or a file: text line by line.
    Lines,
    /// An indented heredoc.
    Indented,
}

enum Piece {
    Text(String),
    /// An interpolation or one part of a directive: whether it strips before and after.
    Sequence(bool, bool),
}

/// The text of each literal of a template, in source order, those in directives included.
pub(super) fn literals(template: &Template, form: Form, file: &SourceFile) -> VecDeque<String> {
    let mut flow = Flow {
        form,
        file,
        pieces: Vec::new(),
        lengths: Vec::new(),
    };
    flow.template(template);
    strip(&mut flow.pieces);
    if form == Form::Indented {
        outdent(&mut flow.pieces);
    }
    let mut texts = flow.pieces.into_iter().filter_map(|p| match p {
        Piece::Text(t) => Some(t),
        Piece::Sequence(..) => None,
    });
    let mut made = VecDeque::with_capacity(flow.lengths.len());
    for length in flow.lengths {
        made.push_back(texts.by_ref().take(length).collect());
    }
    made
}

struct Flow<'a> {
    form: Form,
    file: &'a SourceFile,
    pieces: Vec<Piece>,
    /// How many pieces of text each literal is.
    lengths: Vec<usize>,
}

impl Flow<'_> {
    fn template(&mut self, template: &Template) {
        for element in template.iter() {
            match element {
                Element::Literal(text) => {
                    // The parser has taken indentation off already, by other rules.
                    let raw = self.file.slice(span_of(text));
                    let text = if self.form == Form::Indented && !raw.is_empty() {
                        raw.replace("$${", "${").replace("%%{", "%{")
                    } else {
                        text.value().to_string()
                    };
                    let before = self.pieces.len();
                    if self.form == Form::Quoted {
                        self.pieces.push(Piece::Text(text));
                    } else {
                        let lines = text.split_inclusive('\n');
                        self.pieces.extend(lines.map(|l| Piece::Text(l.into())));
                    }
                    self.lengths.push(self.pieces.len() - before);
                }
                Element::Interpolation(i) => self.sequence(i.strip),
                Element::Directive(d) => match &**d {
                    Directive::If(d) => {
                        self.sequence(d.if_expr.strip);
                        self.template(&d.if_expr.template);
                        if let Some(e) = &d.else_expr {
                            self.sequence(e.strip);
                            self.template(&e.template);
                        }
                        self.sequence(d.endif_expr.strip);
                    }
                    Directive::For(d) => {
                        self.sequence(d.for_expr.strip);
                        self.template(&d.for_expr.template);
                        self.sequence(d.endfor_expr.strip);
                    }
                },
            }
        }
    }

    fn sequence(&mut self, strip: Strip) {
        self.pieces.push(Piece::Sequence(
            matches!(strip, Strip::Start | Strip::Both),
            matches!(strip, Strip::End | Strip::Both),
        ));
    }
}

fn strip(pieces: &mut [Piece]) {
    for i in 0..pieces.len() {
        let Piece::Sequence(before, after) = pieces[i] else {
            continue;
        };
        if before && let Some(Piece::Text(text)) = i.checked_sub(1).and_then(|i| pieces.get_mut(i))
        {
            text.truncate(text.trim_end().len());
        }
        if after && let Some(Piece::Text(text)) = pieces.get_mut(i + 1) {
            *text = text.trim_start().into();
        }
    }
}

fn outdent(pieces: &mut [Piece]) {
    let mut starts = Vec::new();
    let mut common = usize::MAX;
    let mut at_start = true;
    for (i, piece) in pieces.iter().enumerate() {
        if at_start {
            at_start = false;
            match piece {
                Piece::Sequence(..) => common = 0,
                Piece::Text(text) => {
                    let rest = text.trim_start();
                    // An empty line has no indentation to speak of.
                    if !(rest.is_empty() && text.ends_with('\n')) {
                        let spaces = text.chars().count() - rest.chars().count();
                        common = common.min(spaces);
                        starts.push(i);
                    }
                }
            }
        }
        if let Piece::Text(text) = piece
            && text.ends_with('\n')
        {
            at_start = true;
        }
    }
    for i in starts {
        if let Piece::Text(text) = &mut pieces[i] {
            *text = text.chars().skip(common).collect();
        }
    }
}
