//! The canonical style: a folder of inputs with the expected outputs beside them, and properties
//! that hold for any text.
//!
//! The outputs are what `terraform fmt` 1.11.4 writes, byte for byte, but for the files about
//! what it gets wrong: interpolations that it takes several runs to undo (`nested_…`) or undoes
//! to something that no longer parses (`…_break_off`, `…_before_comment`), a label that it loses
//! (`label_with_dollar`), and text that it refuses (`broken_…`, `heredoc_closed_by_the_end`).
//! With `UPDATE_EXPECT=1` the outputs are written anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hcl_edit::structure::{BlockLabel, Body, Structure};
use proptest::prelude::*;
use regex::Regex;
use topo_engine::lang::ast::ExprKind;
use topo_engine::lang::fmt;
use topo_engine::lang::source::SourceFile;
use topo_engine::lang::syntax::{parse_body, translate};
use topo_engine::lang::tokens::{TokenKind, max_nesting, scan, top_level_items};
use topo_sdk::Diagnostics;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fmt")
}

#[test]
fn every_input_becomes_its_output() {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".in.tf").map(str::to_string))
        .collect();
    names.sort();
    assert!(names.len() >= 80, "{}", names.len());
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = Vec::new();
    for name in names {
        let input = fs::read_to_string(folder().join(format!("{name}.in.tf"))).unwrap();
        let output = folder().join(format!("{name}.out.tf"));
        let formatted = fmt::format(&input);
        if update {
            fs::write(&output, &formatted).unwrap();
        }
        let expected = fs::read_to_string(&output).unwrap();
        if formatted != expected {
            wrong.push(format!("{name}:\n{formatted}\ninstead of\n{expected}"));
        }
        assert_eq!(fmt::format(&formatted), formatted, "{name}, once more");
        if let Some(before) = meaning(&input) {
            assert_eq!(meaning(&formatted), Some(before), "{name}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_is_in_this_repository_is_formatted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = 0;
    // Not tests/language: how things are written there is what is tested.
    for directory in ["modules", "tests/fixtures"] {
        for entry in walkdir::WalkDir::new(root.join(directory)) {
            let path = entry.unwrap().into_path();
            if path.extension().is_some_and(|e| e == "tf" || e == "tfvars") {
                let text = fs::read_to_string(&path).unwrap();
                // Some are broken on purpose.
                if meaning(&text).is_some() {
                    assert_eq!(fmt::format(&text), text, "{}", path.display());
                    found += 1;
                }
            }
        }
    }
    assert!(found > 20, "{found}");
}

#[test]
fn long_and_deep_texts_take_linear_time() {
    let count = 50_000;
    for (open, close) in [
        ("a {\n", "}\n"),
        ("a = [", "]\n"),
        ("a = [{ b = f(", ")}]\n"),
        ("a = \"${b(\"", "\")}\"\n"),
        ("a = 1 # b\n", ""),
        ("a = <<E\nE\n", ""),
        ("a \"b\" {}\n", ""),
    ] {
        fmt::format(&(open.to_string() + close).repeat(count));
        // Nested on one line: on lines of their own the indentation alone would be quadratic.
        fmt::format(&(open.repeat(count) + &close.repeat(count)).replace('\n', " "));
    }
    // Interpolations in interpolations all go at once.
    let nested = format!("a = {}b{}\n", "\"${".repeat(count), "}\"".repeat(count));
    assert_eq!(fmt::format(&nested), "a = b\n");
}

/// What a text means, as lines, whichever of the ways that formatting replaces it is written in;
/// `None` when it does not parse.
fn meaning(text: &str) -> Option<Vec<String>> {
    let file = SourceFile::new("test.tf", text.to_string());
    let mut lines = Vec::new();
    let mut unknown = Diagnostics::new();
    let (file, body) = parse_body(&file).ok()?;
    describe(&file, &body, &mut lines, &mut unknown);
    // A minus apart from its number is refused: such a text has no meaning to compare with.
    let refused = unknown.iter().any(|d| d.summary == "Invalid number");
    (!refused).then_some(lines)
}

fn describe(
    file: &Arc<SourceFile>,
    body: &Body,
    lines: &mut Vec<String>,
    unknown: &mut Diagnostics,
) {
    // Names that stand for nothing would all mean the same.
    let names: Vec<Arc<str>> = ('a'..='z').map(|c| c.to_string().into()).collect();
    let places = Regex::new(r"span: Span \{[^}]*\}").unwrap();
    for structure in body.iter() {
        match structure {
            Structure::Attribute(attribute) => {
                let mut expr = translate(file, &attribute.value, &names, unknown).expr;
                while let ExprKind::Wrapped(inner) = expr.kind {
                    expr = *inner;
                }
                let expr = format!("{expr:?}");
                let name = attribute.key.as_str();
                lines.push(format!("{name} = {}", places.replace_all(&expr, "")));
            }
            Structure::Block(block) => {
                let labels: Vec<&str> = block.labels.iter().map(BlockLabel::as_str).collect();
                lines.push(format!("{} {labels:?} {{", block.ident.as_str()));
                let mut body = block.body.clone();
                if block.ident.as_str() == "variable" {
                    // The types of variables have tests of their own.
                    body.remove_attribute("type");
                }
                describe(file, &body, lines, unknown);
                lines.push("}".into());
            }
        }
    }
}

/// The texts of the tokens that formatting neither adds nor drops.
fn kept(text: &str) -> Vec<&str> {
    use TokenKind as K;
    scan(text)
        .into_iter()
        .filter(|t| {
            !matches!(
                t.kind,
                K::Whitespace
                    | K::ByteOrderMark
                    | K::Newline
                    | K::OpenQuote
                    | K::CloseQuote
                    | K::Interpolation
                    | K::SequenceEnd
                    | K::OpenParen
                    | K::CloseParen
            )
        })
        .map(|t| t.text(text))
        .collect()
}

/// White space, where a line break means nothing.
fn gap() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(String::new()),
        4 => Just(" ".to_string()),
        2 => "[ \t]{0,4}",
        1 => Just(" /* c */ ".to_string()),
        1 => Just("/* é\n */".to_string()),
    ]
}

fn break_or_gap() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => gap(),
        1 => "[ ]{0,2}\n{1,2}[ \t]{0,3}",
        1 => Just(" # c\n".to_string()),
    ]
}

/// An expression that may go on several lines only within its brackets.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("a".to_string()),
        Just("var.x".to_string()),
        Just("1.5e3".to_string()),
        Just("true".to_string()),
        Just("\"\"".to_string()),
        Just("\" s  $${x} é\"".to_string()),
        Just("a [ 0 ] . b[*].c".to_string()),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let operator =
            prop::sample::select(vec!["+", "-", "*", "/", "==", "!=", "<", ">=", "&&", "||"]);
        prop_oneof![
            (inner.clone(), gap(), operator, gap(), inner.clone())
                .prop_map(|(a, b, op, c, d)| format!("({a}{b} {op} {c}{d})")),
            (inner.clone(), break_or_gap(), break_or_gap(), inner.clone())
                .prop_map(|(a, b, c, d)| format!("[{b}{a}{c},{b}{d}{c}]")),
            (inner.clone(), gap(), inner.clone(), gap())
                .prop_map(|(a, b, c, d)| format!("{{\nkey{b}={b}{a}\n{d}(k){b}:{d}{c}{d}\n}}")),
            (inner.clone(), gap(), inner.clone())
                .prop_map(|(a, b, c)| format!("{{{b}k{b}={a}{b},{b}l={c}{b}}}")),
            (inner.clone(), break_or_gap(), inner.clone())
                .prop_map(|(a, b, c)| format!("f({b}{a}{b},{c}{b}...)")),
            (inner.clone(), break_or_gap()).prop_map(|(a, b)| format!("\"${{{b}{a}{b}}}\"")),
            (inner.clone(), gap()).prop_map(|(a, b)| format!("\"x ${{~{b}{a}{b}~}} y\"")),
            (inner.clone(), gap(), inner.clone()).prop_map(|(a, b, c)| format!(
                "\"%{{{b}if {a}{b}}} t %{{else}}${{{c}}}%{{endif}}\""
            )),
            (inner.clone(), break_or_gap(), inner.clone())
                .prop_map(|(a, b, c)| format!("[{b}for x in {a}{b}:{b}{c}{b}]")),
            (inner.clone(), gap()).prop_map(|(a, b)| format!("({a}{b}?{b}-{b}{a}{b}:{b}!{b}{a})")),
            inner.prop_map(|a| format!("f(<<-E\n  t  ${{{a}}} u\n   E\n)")),
        ]
    })
}

fn body() -> impl Strategy<Value = String> {
    let comment = prop_oneof![
        3 => Just(String::new()),
        1 => Just(" # behind".to_string()),
        1 => Just("//behind".to_string()),
        1 => Just(" /* behind */ ".to_string()),
    ];
    let attribute = (gap(), "[a-z]{1,6}", expression(), comment.clone())
        .prop_map(|(a, name, e, c)| format!("{a}n_{name}{a}={a}{e}{c}\n"));
    let other = prop_oneof![
        Just("\n".to_string()),
        Just("  # alone\n".to_string()),
        Just("/* alone */\n".to_string()),
    ];
    let item = prop_oneof![4 => attribute, 1 => other];
    let items =
        |item| prop::collection::vec(item, 0..5).prop_map(|items: Vec<String>| items.concat());
    items(item.boxed()).prop_recursive(3, 20, 4, move |inner| {
        let block = (inner, comment.clone(), "[ \t]{1,3}", prop::bool::ANY).prop_map(
            |(body, comment, space, bare)| {
                let label = if bare { "label" } else { "\"label\"" };
                let open = if comment.is_empty() { "\n" } else { "# x\n" };
                format!("block{space}{label}{space}{{{open}{body}{space}}}{comment}\n")
            },
        );
        items(block.boxed())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn tokens_are_kept_and_once_is_enough(text in body()) {
        let formatted = fmt::format(&text);
        prop_assert_eq!(kept(&formatted), kept(&text));
        prop_assert_eq!(fmt::format(&formatted), formatted.clone());
        prop_assert!(!formatted.contains(" \n"), "{}", formatted);
        // Parsing is another matter for names that come twice and the like.
        if let Some(before) = meaning(&text) {
            prop_assert_eq!(meaning(&formatted), Some(before));
        }
    }

    #[test]
    fn any_text_is_formatted_without_a_panic(text in prop_oneof![any::<String>(), soup()]) {
        let formatted = fmt::format(&text);
        if meaning(&text).is_some() {
            prop_assert_eq!(fmt::format(&formatted), formatted);
        }
    }

    #[test]
    fn any_text_is_scanned_without_loss(text in prop_oneof![any::<String>(), soup()]) {
        let whole: String = scan(&text).iter().map(|t| t.text(&text)).collect();
        prop_assert_eq!(&whole, &text);
        let (_, at) = max_nesting(&text);
        prop_assert!(at <= text.len());
        let mut behind = 0;
        for item in top_level_items(&text) {
            prop_assert!(item.start >= behind && item.end > item.start);
            prop_assert!(text.get(item.clone()).is_some());
            behind = item.end;
        }
    }
}

/// Pieces of the language in any order.
fn soup() -> impl Strategy<Value = String> {
    let parts = vec![
        "a", "b-c", "é", "1", ".5", "=", "==", "{", "}", "[", "]", "(", ")", "\"", "${", "%{",
        "~}", "<<E\n", "<<-E\n", "E\n", "\n", "\r\n", "\r", " ", "\t", "# c\n", "// d", "/*", "*/",
        ",", ":", "::", "...", ".", "?", "=>", "!", "-", "\\", "$", "$$", "'", "&", "&&",
        "\u{feff}", "in", "for", "variable", "type", "list", "a = 1\n", "b {\n", "\"${x}\"", "\0",
    ];
    prop::collection::vec(prop::sample::select(parts), 0..40).prop_map(|parts| parts.concat())
}
