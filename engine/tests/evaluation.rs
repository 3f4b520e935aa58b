//! Properties of evaluation that hold for any expression: what is said of an unknown beforehand
//! is true of what it becomes, marks are never lost, nothing makes the parser panic; and the
//! limits that keep hostile input from taking more than its share.

use std::sync::Arc;

use proptest::prelude::*;
use topo_engine::lang::ast::Target;
use topo_engine::lang::eval::{MAX_VALUE_DEPTH, Scope, evaluate};
use topo_engine::lang::functions::Context;
use topo_engine::lang::operators::Failure;
use topo_engine::lang::source::SourceFile;
use topo_engine::lang::syntax::{parse_body, parse_expression, parse_template};
use topo_sdk::convert::{conforms, convert};
use topo_sdk::{Diagnostic, Kind, Marks, Number, Refinements, Type, Value};

/// `var.a`, `var.b` and so on.
struct Variables(Vec<Value>);

impl Scope for Variables {
    fn resolve(&self, target: &Target, _: Option<&Value>) -> Result<Value, Failure> {
        let index = match target {
            Target::Variable(name) => name.bytes().next().map(|b| usize::from(b - b'a')),
            _ => None,
        };
        let found = index.and_then(|i| self.0.get(i)).cloned();
        found.ok_or_else(|| ("Unknown name".into(), target.to_string()))
    }

    fn functions(&self) -> Context<'_> {
        Context {
            base_dir: std::path::Path::new("."),
            plan_time: jiff_epoch(),
            impure_unknown: false,
        }
    }
}

fn jiff_epoch() -> jiff::Timestamp {
    jiff::Timestamp::UNIX_EPOCH
}

fn run(text: &str, variables: &[Value]) -> Result<Value, Box<Diagnostic>> {
    let file = SourceFile::new("test", text.to_string());
    let expression = parse_expression(&file).map_err(|ds| Box::new(ds.0[0].clone()))?;
    evaluate(&expression, &Variables(variables.to_vec()))
}

fn error(text: &str) -> Box<Diagnostic> {
    run(text, &[]).expect_err(text)
}

// Random values and expressions.

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3i64..4).prop_map(Value::from),
        Just(Value::number("1.5".parse::<Number>().unwrap()))
    ]
}

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[ab1-]{0,3}".prop_map(Value::from),
        Just(Value::from("true")),
        Just(Value::from("e")),
        Just(Value::from("\u{301}x")),
    ]
}

/// A value of any type, at most a few levels deep.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => number(),
        4 => text(),
        2 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::NULL),
        1 => Just(Value::null(Type::String)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::tuple),
            prop::collection::vec(text(), 0..3).prop_map(|v| Value::list(Type::String, v)),
            prop::collection::vec(number(), 0..3).prop_map(|v| Value::list(Type::Number, v)),
            prop::collection::vec(text(), 0..3).prop_map(|v| Value::set(Type::String, v)),
            prop::collection::btree_map("[abc]", text(), 0..3).prop_map(|m| {
                Value::map(
                    Type::String,
                    m.into_iter().map(|(k, v)| (k.into(), v)).collect(),
                )
            }),
            prop::collection::btree_map("[abc]", inner, 0..3).prop_map(Value::object),
        ]
    })
}

/// An expression over `var.a`, `var.b` and `var.c`.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        6 => prop::sample::select(vec!["var.a", "var.b", "var.c"]).prop_map(String::from),
        1 => (-2i64..4).prop_map(|n| n.to_string()),
        1 => prop::sample::select(vec!["\"a\"", "\"b-\"", "\"1\"", "true", "false", "null", "[]", "{}"])
            .prop_map(String::from),
    ];
    leaf.prop_recursive(4, 24, 3, |e| {
        let pair = (e.clone(), e.clone());
        let operator = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||",
        ]);
        prop_oneof![
            3 => (pair.clone(), operator).prop_map(|((a, b), o)| format!("({a} {o} {b})")),
            1 => e.clone().prop_map(|a| format!("(-{a})")),
            1 => e.clone().prop_map(|a| format!("(!{a})")),
            3 => (e.clone(), pair.clone()).prop_map(|(c, (a, b))| format!("({c} ? {a} : {b})")),
            2 => pair.clone().prop_map(|(a, b)| format!("[{a}, {b}]")),
            2 => pair.clone().prop_map(|(a, b)| format!("{{ a = {a}, b = {b} }}")),
            1 => pair.clone().prop_map(|(a, b)| format!("{{ (\"${{{a}}}x\") = {b} }}")),
            2 => pair.clone().prop_map(|(a, b)| format!("{a}[{b}]")),
            2 => e.clone().prop_map(|a| format!("({a}).a")),
            1 => e.clone().prop_map(|a| format!("({a})[*]")),
            1 => e.clone().prop_map(|a| format!("({a})[*].a")),
            2 => pair.clone().prop_map(|(a, b)| format!("\"${{{a}}}-${{{b}}}\"")),
            1 => pair.clone().prop_map(|(a, b)| format!("\"%{{ if {a} }}x${{{b}}}%{{ else }}y%{{ endif }}\"")),
            1 => pair.clone().prop_map(|(a, b)| format!("\"%{{ for v in {a} }}${{v}}${{{b}}}%{{ endfor }}\"")),
            2 => pair.clone().prop_map(|(a, b)| format!("[for v in {a} : [v, {b}]]")),
            1 => pair.clone().prop_map(|(a, b)| format!("[for k, v in {a} : k if v == {b}]")),
            1 => pair.clone().prop_map(|(a, b)| format!("{{ for k, v in {a} : k => {b} }}")),
            1 => pair.clone().prop_map(|(a, b)| format!("{{ for v in {a} : v => {b}... }}")),
            1 => pair.prop_map(|(a, b)| format!("try({a}, {b})")),
            1 => e.clone().prop_map(|a| format!("can({a})")),
            1 => e.clone().prop_map(|a| format!("tolist({a})")),
            1 => e.clone().prop_map(|a| format!("toset({a})")),
            1 => e.prop_map(|a| format!("convert({a}, map(string))")),
        ]
    })
}

/// Whether a type could become the other by its dynamic parts becoming known.
fn type_allows(said: &Type, is: &Type) -> bool {
    match (said, is) {
        (Type::Dynamic, _) | (_, Type::Dynamic) => true,
        (Type::List(a), Type::List(b))
        | (Type::Set(a), Type::Set(b))
        | (Type::Map(a), Type::Map(b)) => type_allows(a, b),
        (Type::Tuple(a), Type::Tuple(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| type_allows(a, b))
        }
        (Type::Object(a), Type::Object(b)) => {
            a.attributes.keys().eq(b.attributes.keys())
                && a.attributes
                    .values()
                    .zip(b.attributes.values())
                    .all(|(a, b)| type_allows(a, b))
        }
        (a, b) => a == b,
    }
}

/// Whether what was said of a value before it was known is true of what it is.
fn consistent(said: &Value, is: &Value) -> Result<(), String> {
    let fail = || {
        Err(format!(
            "{said:?} ({}) became {is:?} ({})",
            said.ty(),
            is.ty()
        ))
    };
    let all = |a: &[Value], b: &[Value]| {
        if a.len() != b.len() {
            return fail();
        }
        a.iter().zip(b).try_for_each(|(a, b)| consistent(a, b))
    };
    match (said.kind(), is.kind()) {
        (Kind::Unknown(u), _) => {
            if u.refinements.allow(is) && type_allows(&u.ty, &is.ty()) {
                Ok(())
            } else {
                Err(format!("{:?}: {}", u.refinements, fail().unwrap_err()))
            }
        }
        (Kind::List(a), Kind::List(b)) => all(&a.items, &b.items),
        (Kind::Tuple(a), Kind::Tuple(b)) => all(a, b),
        (Kind::Set(_), Kind::Set(_)) if !said.is_wholly_known() => Ok(()),
        (Kind::Map(_), Kind::Map(_)) | (Kind::Object(_), Kind::Object(_)) => {
            let (a, b) = (said.as_map().unwrap(), is.as_map().unwrap());
            if !a.keys().eq(b.keys()) {
                return fail();
            }
            a.values()
                .zip(b.values())
                .try_for_each(|(a, b)| consistent(a, b))
        }
        // Before apply a null of no type may stand where a typed one comes out.
        _ if said == is => Ok(()),
        _ => fail(),
    }
}

/// What is known of a value before it is known: from little (0) to much.
fn unknown_of(value: &Value, precision: u8) -> Value {
    let mut refinements = Refinements::default();
    if precision == 0 {
        return Value::unknown(Type::Dynamic);
    }
    if precision >= 2 && !value.is_null() {
        refinements.not_null = true;
    }
    if precision >= 3 && !value.is_null() {
        match value.kind() {
            Kind::String(s) => {
                let prefix: String = s.chars().take(1).collect();
                refinements.prefix = (!prefix.is_empty()).then(|| prefix.into());
            }
            Kind::List(_) | Kind::Set(_) | Kind::Map(_) => {
                let length = value.children().count();
                refinements.min_length = length.saturating_sub(1);
                refinements.max_length = Some(length + usize::from(precision == 3));
            }
            _ => {}
        }
    }
    Value::unknown_refined(value.ty(), refinements)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_of_an_unknown_is_true_of_what_it_becomes(
        text in expression(),
        values in prop::collection::vec((value(), 0u8..6), 3),
    ) {
        let known: Vec<Value> = values.iter().map(|(v, _)| v.clone()).collect();
        let before: Vec<Value> = values
            .iter()
            .map(|(v, p)| if *p == 5 { v.clone() } else { unknown_of(v, *p) })
            .collect();
        match (run(&text, &before), run(&text, &known)) {
            // What is unknown may fail later: of that `try` and `can` know nothing yet where their
            // result does not depend on it, with the peers neither.
            (Ok(_), Ok(_)) if text.contains("try(") || text.contains("can(") => {}
            (Ok(said), Ok(is)) => {
                if let Err(e) = consistent(&said, &is) {
                    panic!("{text}\n  with {known:?}\n  and {before:?}:\n  {e}");
                }
            }
            // An error that shows before anything is known must not go away; except that a splat of
            // a null says nothing of what the type lacks, and that the branch that is not taken
            // has no type when it fails.
            (Err(_), Ok(_)) if text.contains("[*]") || text.contains('?') => {}
            // A null becomes one of any type.
            (Err(_), Ok(_)) if known.iter().any(Value::is_null) => {}
            (Err(_), Ok(_)) if text.contains("try(") || text.contains("can(") => {}
            (Err(e), Ok(is)) => panic!("{text}\n  with {known:?}\n  and {before:?}:\n  {e} before, {is:?} after"),
            (_, Err(_)) => {}
        }
    }

    #[test]
    fn marks_of_what_influences_a_result_are_on_it(
        text in expression(),
        values in prop::collection::vec(value(), 3),
        other in value(),
    ) {
        let with = |a: Value| {
            let mut values = values.clone();
            values[0] = a;
            run(&text, &values)
        };
        let plain = with(values[0].clone());
        let marked = with(values[0].clone().sensitive());
        match (&plain, &marked) {
            (Ok(a), Ok(b)) => prop_assert_eq!(a, b, "{} is another value when marked", text),
            (Err(_), Err(_)) => {}
            (a, b) => panic!("{text}: {a:?} without marks, {b:?} with"),
        }
        let (Ok(plain), Ok(marked), Ok(changed)) = (plain, marked, with(other)) else {
            return Ok(());
        };
        // `can`, `try`, lengths of loops and which keys there are say less than a value.
        let structural = text.contains("can(") || text.contains("try(");
        if plain != changed && !structural && plain.ty() == changed.ty() {
            prop_assert!(
                marked.deep_marks().contains(Marks::SENSITIVE),
                "{} is {:?}, or {:?}, and not marked", text, plain, changed
            );
        }
    }

    #[test]
    fn conversion_ends_in_the_type_and_is_done_once(v in value(), like in value()) {
        let ty = like.ty();
        if let Ok(made) = convert(&v, &ty) {
            prop_assert!(type_allows(&ty, &made.ty()), "{:?} became {:?} for {}", v, made, ty);
            let again = convert(&made, &ty).expect("a converted value");
            prop_assert_eq!(&again, &made);
            prop_assert!(conforms(&made, &made.ty()));
        }
        prop_assert_eq!(convert(&v, &v.ty()).unwrap(), v);
    }

    #[test]
    fn numbers_survive_being_written(digits in "-?[0-9]{1,60}(\\.[0-9]{1,60})?(e-?[0-9]{1,2})?") {
        let number: Number = digits.parse().unwrap();
        prop_assert_eq!(&number.to_string().parse::<Number>().unwrap(), &number);
        let written = run(&format!("tonumber(tostring({digits}))"), &[]).unwrap();
        prop_assert_eq!(written, Value::from(number));
    }

    #[test]
    fn arithmetic_holds_together(a in -9_999i64..9_999, b in 1i64..9_999, c in -99i64..99) {
        let n = |text: String| run(&text, &[]).unwrap();
        prop_assert_eq!(n(format!("{a} / {b} * {b}")), Value::from(a));
        prop_assert_eq!(n(format!("({a} / {b} + {c}) * {b}")), Value::from(a + b * c));
        prop_assert_eq!(n(format!("({a} + {c}) - {c}")), Value::from(a));
        prop_assert_eq!(n(format!("{a} % {b}")), Value::from(a % b));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}|[\\[\\](){}\"$%~<>=:,.*!?\\-+&|#/a1 \n\r\\\\'EOT]{0,60}") {
        let file = SourceFile::new("any", text.clone());
        let _ = parse_body(&file);
        let _ = parse_template(&file, &[]);
        if let Ok(e) = parse_expression(&file) {
            let _ = evaluate(&e, &Variables(Vec::new()));
        }
    }
}

// Limits.

/// Runs on a thread with as little stack as the threads of the runtime have.
fn on_small_stack<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(f);
    thread.expect("a thread").join().expect("no panic")
}

#[test]
fn deep_nesting_is_refused_and_not_recursed_into() {
    for n in [60, 200, 100_000] {
        let nested = |open: &str, inner: &str, close: &str| {
            format!("{}{inner}{}", open.repeat(n), close.repeat(n))
        };
        let texts = [
            nested("[", "", "]"),
            nested("(", "1", ")"),
            nested("{a=", "1", "}"),
            nested("\"${", "1", "}\""),
            nested("!", "true", ""),
            nested("-", "1", ""),
            nested("- ", "1", ""),
            nested("true ? ", "1", " : 2"),
            nested("true ? 1 : ", "2", ""),
            nested("1 + ", "1", ""),
            nested("1 == 2 && ", "true", ""),
            nested("try(", "1", ")"),
            nested("[for x in ", "[]", " : x]"),
            nested("[for x in [1] : ", "x", "]"),
            nested("\"%{ if true }", "1", "%{ endif }\""),
            nested("%{ if true }", "1", "%{ endif }"),
            nested("var", "", ".a"),
            format!("var.a{}", ".b".repeat(n)),
            format!("var.a{}", "[0]".repeat(n)),
            format!("var.a{}", "[*].b".repeat(n)),
            format!("var.a{}", ".*".repeat(n)),
            nested("var.a[", "0", "]"),
            nested("b {\n", "", "}\n"),
            nested("<<A\n${", "1", "}\nA\n"),
            "[".repeat(n),
            "\"${".repeat(n),
            "{".repeat(n),
            "a = [".repeat(n),
            "/*".repeat(n),
        ];
        for text in texts {
            on_small_stack(move || {
                let file = SourceFile::new("deep", text.clone());
                let _ = parse_body(&file);
                let _ = parse_template(&file, &[]);
                match parse_expression(&file) {
                    Ok(e) => {
                        let _ = evaluate(&e, &Variables(vec![Value::unknown(Type::Dynamic)]));
                    }
                    Err(ds) => assert!(ds.iter().all(|d| d.range.is_some()), "{ds}"),
                }
            });
        }
    }
}

#[test]
fn the_deepest_expression_that_parses_fits_on_a_small_stack() {
    let chain = ".a".repeat(300);
    let sums = "1 + ".repeat(120);
    let mut text = format!("try(var.a{chain}, 1)");
    for i in 0..60 {
        text = match i % 4 {
            0 => format!("[for x in [1] : {text}]"),
            1 => format!("[{text}]"),
            2 => format!("{{ a = \"x${{jsonencode({text})}}\" }}"),
            _ => format!("try({text}, 0)"),
        };
    }
    on_small_stack(move || {
        for text in [text, format!("{sums}1")] {
            let file = SourceFile::new("deep", text);
            if let Ok(e) = parse_expression(&file) {
                let _ = evaluate(&e, &Variables(vec![Value::unknown(Type::Dynamic)]));
            }
        }
    });
}

#[test]
fn long_chains_of_attributes_are_refused() {
    let d = error(&format!("var.a{}", ".b".repeat(100_000)));
    assert_eq!(d.summary, "Expression too deep");
}

#[test]
fn deep_values_are_refused() {
    on_small_stack(|| {
        let mut value = Value::from(1);
        for _ in 0..MAX_VALUE_DEPTH {
            value = run("[var.a]", &[value]).unwrap();
        }
        let d = run("[var.a]", std::slice::from_ref(&value)).unwrap_err();
        assert_eq!(d.summary, "Value too deep");
        assert!(d.range.is_some());
        assert!(run("{ a = var.a }", std::slice::from_ref(&value)).is_err());
        assert!(run("jsonencode(var.a)", &[value]).is_ok());
    });
}

/// Little memory, but no end of elements to go through.
#[test]
fn shared_parts_are_counted_each_time() {
    let mut value = Value::from(1);
    let refused =
        (0..60).find_map(
            |_| match run("[var.a, var.a, var.a]", std::slice::from_ref(&value)) {
                Ok(v) => {
                    value = v;
                    None
                }
                Err(d) => Some(d),
            },
        );
    assert_eq!(refused.expect("a limit").summary, "Value too large");
}

#[test]
fn loops_stop_before_they_fill_memory() {
    let thousand = run("range(1000)", &[]).unwrap();
    let d = run(
        "[for a in range(1000) : [for b in range(1000) : var.a]]",
        &[thousand],
    )
    .unwrap_err();
    assert_eq!(d.summary, "Value too large");
}

#[test]
fn texts_stop_growing() {
    let mut value = Value::from("x".repeat(1 << 20));
    let refused =
        (0..60).find_map(
            |_| match run("\"${var.a}${var.a}\"", std::slice::from_ref(&value)) {
                Ok(v) => {
                    value = v;
                    None
                }
                Err(d) => Some(d),
            },
        );
    assert_eq!(refused.expect("a limit").summary, "Text too long");
}

#[test]
fn huge_numbers_are_refused() {
    for text in ["1e999999999", "1e-999999999", "1e20000 * 1e20000"] {
        assert!(error(text).detail.contains("digits"), "{text}");
    }
    assert!(error(&"9".repeat(1_000_000)).detail.contains("digits"));
    assert!(
        error(&format!("tonumber(\"{}\")", "9".repeat(1_000_000)))
            .range
            .is_some()
    );
}

// Diagnostics.

#[test]
fn errors_point_at_the_part_that_is_wrong_and_say_what_it_is() {
    let user = Value::object([("name", Value::from("ann")), ("age", Value::from(31))]);
    let variables = [user, Value::from(7), Value::from("s3cret").sensitive()];
    // An expression, what of it the error is about, and the values beside the error.
    type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);
    let rows: &[Row<'_>] = &[
        (
            "1 + var.a",
            "var.a",
            &[("var.a", "object with 2 attributes")],
        ),
        (
            "var.a.nope",
            "nope",
            &[("var.a", "object with 2 attributes")],
        ),
        (
            "var.b + var.a.name",
            "var.a.name",
            &[("var.b", "7"), ("var.a.name", "\"ann\"")],
        ),
        ("[1, 2][var.b]", "var.b", &[("var.b", "7")]),
        ("upper([var.b])", "[var.b]", &[("var.b", "7")]),
        ("{ (null) = 1 }", "null", &[]),
        (
            "[for u in [var.a] : u.nope]",
            "nope",
            &[("u", "object with 2 attributes")],
        ),
        (
            "{ for i, u in [var.a, var.a] : u.name => i }",
            "u.name",
            &[
                ("u.name", "\"ann\""),
                ("i", "1"),
                ("var.a", "object with 2 attributes"),
            ],
        ),
        (
            "[1, var.c ? 1 : 2]",
            "var.c",
            &[("var.c", "a sensitive value")],
        ),
        (
            "\"x-${var.a}\"",
            "var.a",
            &[("var.a", "object with 2 attributes")],
        ),
        ("var.c[0]", "0", &[("var.c", "a sensitive value")]),
        ("max(var.b, \"x\")", "\"x\"", &[("var.b", "7")]),
    ];
    for (text, at, values) in rows {
        let d = run(text, &variables).expect_err(text);
        let range = d.range.clone().expect("a place");
        let (start, end) = (range.start.byte as usize, range.end.byte as usize);
        assert_eq!(&text[start..end], *at, "{text}: {d}");
        let found: Vec<(&str, &str)> = d
            .values
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        for wanted in *values {
            assert!(
                found.contains(wanted),
                "{text}: {found:?} has not {wanted:?}"
            );
        }
        assert!(!format!("{d:?}").contains("s3cret"));
    }
}

#[test]
fn what_try_swallows_leaves_no_trace() {
    let v = run("[for s in [1, 2] : try([for s in [\"x\"] : s.y], s)]", &[]).unwrap();
    assert_eq!(v, Value::tuple(vec![1.into(), 2.into()]));
    let v = run(
        "[for s in [1] : false ? [for s in [\"x\"] : s.y] : [s]]",
        &[],
    )
    .unwrap();
    assert_eq!(v, Value::tuple(vec![Value::tuple(vec![1.into()])]));
}

// Templates in files.

fn in_files(files: &[(&str, &str)], text: &str) -> Result<Value, Box<Diagnostic>> {
    struct Files(tempfile::TempDir);
    impl Scope for Files {
        fn resolve(&self, target: &Target, _: Option<&Value>) -> Result<Value, Failure> {
            match target {
                Target::Variable(n) if &**n == "secret" => Ok(Value::from("s3cret").sensitive()),
                Target::Variable(n) if &**n == "unknown" => Ok(Value::unknown(Type::String)),
                Target::Variable(n) if &**n == "name" => Ok(Value::from("a.tpl").sensitive()),
                _ => Err(("Unknown name".into(), target.to_string())),
            }
        }
        fn functions(&self) -> Context<'_> {
            Context {
                base_dir: self.0.path(),
                plan_time: jiff_epoch(),
                impure_unknown: false,
            }
        }
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let file = SourceFile::new("test", text.to_string());
    let expression = parse_expression(&file).map_err(|ds| Box::new(ds.0[0].clone()))?;
    evaluate(&expression, &Files(dir))
}

#[test]
fn template_files() {
    let files = [
        ("a.tpl", "v = ${x}\n"),
        ("any.tpl", "${x}"),
        ("outer.tpl", "<${templatefile(\"any.tpl\", { x = x })}>"),
        ("loop.tpl", "${templatefile(\"loop.tpl\", {})}"),
        ("outside.tpl", "${var.secret}"),
        ("plain.tpl", "plain"),
    ];
    let made = |text: &str| in_files(&files, text);
    assert_eq!(
        made("templatefile(\"a.tpl\", { x = 1 })").unwrap(),
        "v = 1\n".into()
    );
    // One interpolation and nothing else: the value itself.
    let tuple = made("templatefile(\"any.tpl\", { x = [1] })").unwrap();
    assert_eq!(tuple, Value::tuple(vec![1.into()]));
    assert_eq!(
        made("templatefile(\"outer.tpl\", { x = 1 })").unwrap(),
        "<1>".into()
    );
    assert_eq!(
        made("templatefile(\"plain.tpl\", { a-b = 1 })").unwrap(),
        "plain".into()
    );
    for text in [
        "templatefile(\"a.tpl\", { x = var.secret })",
        "templatefile(\"plain.tpl\", { x = var.secret })",
        "templatefile(\"plain.tpl\", sensitive({}))",
        "templatefile(var.name, { x = 1 })",
    ] {
        assert!(made(text).unwrap().is_sensitive(), "{text}");
    }
    assert!(
        !made("templatefile(\"a.tpl\", { x = var.unknown })")
            .unwrap()
            .is_known()
    );
    assert!(!made("templatefile(var.unknown, {})").unwrap().is_known());
    assert!(
        !made("templatefile(\"plain.tpl\", convert(var.unknown, any))")
            .unwrap()
            .is_known()
    );
    for (text, message) in [
        (
            "templatefile(\"any.tpl\", { x = null })",
            "must not be null",
        ),
        ("templatefile(\"nope.tpl\", {})", "nope.tpl"),
        (
            "templatefile(\"a.tpl\", {})",
            "\"x\" is not among the variables",
        ),
        ("templatefile(\"a.tpl\", [])", "an object or a map"),
        ("templatefile(\"a.tpl\", null)", "must not be null"),
        ("templatefile(null, {})", "must not be null"),
        ("templatefile(\"a.tpl\")", "two arguments"),
        (
            "templatefile(\"plain.tpl\", { \"1\" = 1 })",
            "cannot be the name",
        ),
        (
            "templatefile(\"outside.tpl\", {})",
            "\"var\" is not among the variables",
        ),
    ] {
        let d = made(text).expect_err(text);
        assert!(d.detail.contains(message), "{text}: {d}");
        assert!(d.range.is_some());
    }
    let d = on_small_stack(move || in_files(&files, "templatefile(\"loop.tpl\", {})")).unwrap_err();
    assert!(d.detail.contains("loop.tpl render itself"), "{d}");
}

#[test]
fn errors_in_template_files_are_placed_in_them() {
    let files = [("a.tpl", "one\n  ${x.nope}\n"), ("b.tpl", "one ${")];
    let d = in_files(&files, "templatefile(\"a.tpl\", { x = {} })").unwrap_err();
    let range = d.range.unwrap();
    assert_eq!(
        (&*range.file, range.start.line, range.start.column),
        ("a.tpl", 2, 7)
    );
    assert_eq!(
        d.values,
        [("x".to_string(), "object with 0 attributes".to_string())]
    );
    let d = in_files(&files, "templatefile(\"b.tpl\", {})").unwrap_err();
    assert_eq!(&*d.range.unwrap().file, "b.tpl");
}

#[test]
fn an_unknown_template_is_an_unknown_result() {
    let shared: Arc<str> = "arn:".into();
    let template = Value::unknown_refined(
        Type::String,
        Refinements {
            not_null: true,
            prefix: Some(shared),
            ..Refinements::default()
        },
    );
    let made = run("templatestring(var.a, {})", &[template.sensitive()]).unwrap();
    assert!(!made.is_known() && made.is_sensitive());
}
