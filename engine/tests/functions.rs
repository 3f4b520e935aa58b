//! What holds of every built-in function, whatever its arguments.

use std::path::Path;

use proptest::prelude::*;
use topo_engine::lang::functions::{self, Context, Function, FunctionError};
use topo_sdk::convert::convertible;
use topo_sdk::{Kind, Marks, Number, Type, Value};

/// Where the file functions look: a folder that does not change.
fn base() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables/files"))
}

fn call(f: &Function, args: &[Value]) -> Result<Value, FunctionError> {
    let context = Context {
        base_dir: base(),
        plan_time: "2026-01-02T03:04:05Z".parse().expect("a timestamp"),
        impure_unknown: false,
    };
    functions::call(f, &context, args)
}

fn named(name: &str, args: &[Value]) -> Result<Value, FunctionError> {
    call(functions::lookup(name).expect("a function"), args)
}

/// Functions whose result is another in every call, or that take long by design.
fn repeatable(f: &&Function) -> bool {
    !matches!(f.name, "bcrypt" | "uuid" | "timestamp")
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        1 => "[a-z%{}\\[\\]()*+?$/\\\\.,:|\"' \n-]{0,12}",
        2 => prop::sample::select(vec![
            "", "a", "hello world", "10.0.0.0/8", "2001:db8::/48", "10.1.2.3", "1h30m",
            "2017-11-22T01:00:00+01:00", "YYYY-MM-DD'T'hh:mm:ssZ", "SGVsbG8=", "%d %s %v", "%[2]s",
            "/(a)(b)?/", "(?P<x>\\d+)", "[[:alpha:]]+", "{\"a\": [1, null]}", "a: &x [1]\nb: *x",
            "a,b\n1,\"2\"\n", "UTF-16LE", "hello.txt", "**", "*.{txt,md}", "dns", "é👩‍👩‍👧", "e\u{301}",
        ])
        .prop_map(String::from),
    ]
}

fn numbers() -> impl Strategy<Value = Number> {
    prop_oneof![
        4 => (-20i64..40).prop_map(Number::from),
        1 => any::<i64>().prop_map(Number::from),
        1 => (any::<i64>(), 0u32..30).prop_map(|(n, scale)| {
            format!("{n}e-{scale}").parse().expect("a number")
        }),
        1 => prop::sample::select(vec!["1e3000", "99999999999999999999", "0.5", "1e-3000"])
            .prop_map(|n| n.parse().expect("a number")),
    ]
}

/// Values without unknowns or marks, that JSON and YAML can hold.
fn plain() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::NULL),
        any::<bool>().prop_map(Value::from),
        numbers().prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::tuple),
            prop::collection::vec((texts(), inner), 0..4).prop_map(|entries| {
                // Keys are normalised as all strings of the language are.
                Value::object(entries.into_iter().map(|(k, v)| {
                    let key = Value::from(k);
                    (key.as_str().unwrap_or_default().to_string(), v)
                }))
            }),
        ]
    })
}

/// Lists, sets and maps of one type.
fn collections() -> impl Strategy<Value = Value> {
    let strings = || prop::collection::vec(texts().prop_map(Value::from), 0..4);
    prop_oneof![
        strings().prop_map(|v| Value::list(Type::String, v)),
        strings().prop_map(|v| Value::set(Type::String, v)),
        prop::collection::vec(numbers().prop_map(Value::from), 0..4)
            .prop_map(|v| Value::list(Type::Number, v)),
        prop::collection::vec((texts(), texts()), 0..4).prop_map(|entries| {
            let entries = entries.into_iter().map(|(k, v)| (k.into(), Value::from(v)));
            Value::map(Type::String, entries.collect())
        }),
    ]
}

fn known() -> impl Strategy<Value = Value> {
    prop_oneof![plain(), collections()]
}

/// Any value: known, unknown at any depth, marked.
fn values() -> impl Strategy<Value = Value> {
    let types = prop::sample::select(vec![
        Type::Dynamic,
        Type::String,
        Type::Number,
        Type::Bool,
        Type::list(Type::String),
        Type::set(Type::Number),
        Type::map(Type::String),
        Type::tuple(vec![Type::String, Type::Number]),
        Type::object([("a", Type::String)]),
    ]);
    let unknown = types.prop_map(Value::unknown);
    let holed =
        (prop::collection::vec(known(), 0..3), unknown.clone()).prop_map(|(mut items, u)| {
            items.push(u);
            Value::tuple(items)
        });
    (prop_oneof![6 => known(), 1 => unknown, 1 => holed], 0u8..8).prop_map(|(v, marks)| match marks
    {
        0 => v.sensitive(),
        1 => v.with_marks(Marks::EPHEMERAL),
        _ => v,
    })
}

/// The number of bytes and elements in a value, roughly.
fn size(v: &Value) -> usize {
    let own = match v.kind() {
        Kind::String(s) => s.len(),
        Kind::Number(n) => n.to_string().len(),
        _ => 1,
    };
    let keys: usize = v.as_map().map_or(0, |m| m.keys().map(|k| k.len()).sum());
    own + keys + v.children().map(size).sum::<usize>()
}

/// Whether a known result may be what an unknown result was waiting for.
fn fulfils(unknown: &Value, known: &Value) -> bool {
    match unknown.kind() {
        Kind::Unknown(u) => {
            let length = known
                .as_slice()
                .map(<[Value]>::len)
                .or_else(|| known.as_map().map(|m| m.len()));
            let r = &u.refinements;
            convertible(&known.ty(), &u.ty)
                && !(r.not_null && known.is_null())
                && r.prefix
                    .as_ref()
                    .is_none_or(|p| known.as_str().is_none_or(|s| s.starts_with(&**p)))
                && length
                    .is_none_or(|n| n >= r.min_length && r.max_length.is_none_or(|max| n <= max))
        }
        Kind::Set(_) => true,
        _ if unknown.children().next().is_none() => unknown == known,
        _ => {
            let same = unknown.children().count() == known.children().count();
            same && unknown
                .children()
                .zip(known.children())
                .all(|(u, k)| fulfils(u, k))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// There is an answer or an error: no panic, and no result out of proportion.
    #[test]
    fn every_function_answers(args in prop::collection::vec(values(), 0..4)) {
        for f in functions::all().filter(repeatable) {
            if let Ok(made) = call(f, &args) {
                let given: usize = args.iter().map(size).sum();
                let bound = 4_000_000 + 64 * given * given.max(16);
                prop_assert!(size(&made) <= bound, "{} made {}", f.name, size(&made));
            }
        }
    }

    /// A result for an unknown argument agrees with the result for what it turns out to be.
    #[test]
    fn unknown_arguments_promise_nothing_false(
        args in prop::collection::vec(known(), 1..4),
        place in any::<prop::sample::Index>(),
        typed in any::<bool>(),
    ) {
        let place = place.index(args.len());
        let ty = if typed { args[place].ty() } else { Type::Dynamic };
        let mut early = args.clone();
        early[place] = Value::unknown(ty);
        for f in functions::all().filter(repeatable) {
            // Marks and nulls that are not there yet: these answer about the value as it is.
            if matches!(f.name, "issensitive" | "type") {
                continue;
            }
            // Of a value whose type is not known yet these assume that it fits the others.
            let assumes = ["coalesce", "setunion", "setintersection", "setsubtract"];
            if !typed && assumes.contains(&f.name) {
                continue;
            }
            if let (Ok(before), Ok(after)) = (call(f, &early), call(f, &args)) {
                prop_assert!(
                    fulfils(&before, &after),
                    "{}: promised {before:?} of {}, gave {after:?}", f.name, before.ty()
                );
            }
        }
    }

    /// What a sensitive argument went into is sensitive, unless it is about something else.
    #[test]
    fn marks_are_not_lost(args in prop::collection::vec(known(), 1..4), at in any::<prop::sample::Index>()) {
        let at = at.index(args.len());
        let mut marked = args.clone();
        marked[at] = marked[at].clone().sensitive();
        for f in functions::all().filter(repeatable) {
            if matches!(f.name, "nonsensitive" | "issensitive" | "type" | "lookup") {
                continue;
            }
            if let Ok(made) = call(f, &marked) {
                prop_assert!(
                    made.deep_marks().contains(Marks::SENSITIVE),
                    "{} lost the mark of argument {at}", f.name
                );
            }
        }
    }

    #[test]
    fn json_comes_back(value in plain()) {
        let json = named("jsonencode", std::slice::from_ref(&value)).unwrap();
        prop_assert_eq!(named("jsondecode", &[json]).unwrap(), value);
    }

    #[test]
    fn yaml_comes_back(value in plain()) {
        let yaml = named("yamlencode", std::slice::from_ref(&value)).unwrap();
        let back = named("yamldecode", std::slice::from_ref(&yaml));
        prop_assert_eq!(back.as_ref(), Ok(&value), "through {:?}", yaml);
    }

    #[test]
    fn encoded_texts_come_back(text in texts()) {
        let text = Value::from(text);
        for (there, back) in [
            ("base64encode", "base64decode"),
            ("base64gzip", "base64gunzip"),
            ("urlencode", "urldecode"),
        ] {
            let made = named(there, std::slice::from_ref(&text)).unwrap();
            prop_assert_eq!(&named(back, &[made]).unwrap(), &text);
        }
        for set in ["UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "GB18030"] {
            let set = Value::from(set);
            let Ok(made) = named("textencodebase64", &[text.clone(), set.clone()]) else {
                continue;
            };
            match named("textdecodebase64", &[made, set]) {
                Ok(back) => prop_assert_eq!(&back, &text),
                Err(_) => {
                    let replaced = text.as_str().unwrap().contains('\u{fffd}');
                    prop_assert!(replaced);
                }
            }
        }
    }

    #[test]
    fn numbers_in_other_bases_come_back(n in any::<i64>()) {
        for (verb, base) in [("%x", 16), ("%o", 8), ("%b", 2), ("%d", 10)] {
            let digits = named("format", &[verb.into(), n.into()]).unwrap();
            prop_assert_eq!(named("parseint", &[digits, base.into()]).unwrap(), Value::from(n));
        }
    }

    /// Texts that only look like a pattern, a document or a table are refused, not misread.
    #[test]
    fn readers_do_not_panic(text in "[-?:,\\[\\]{}#&*!|>'\"%@`<=~ \\n\\ta-c0-9]{0,40}") {
        let text = Value::from(text);
        for name in ["yamldecode", "jsondecode", "csvdecode"] {
            let _ = named(name, std::slice::from_ref(&text));
        }
        let _ = named("regex", &[text.clone(), "abc".into()]);
        let _ = named("format", &[text.clone(), "x".into(), 1.into()]);
        let _ = named("fileset", &[".".into(), text.clone()]);
        let _ = named("formatdate", &[text, "2017-11-22T01:00:00Z".into()]);
    }
}
