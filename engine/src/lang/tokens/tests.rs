use super::TokenKind as K;
use super::*;

/// Kind and text of all tokens but white space.
fn scanned(text: &str) -> Vec<(K, &str)> {
    lossless(text)
        .into_iter()
        .filter(|t| t.kind != K::Whitespace)
        .map(|t| (t.kind, t.text(text)))
        .collect()
}

fn kinds(text: &str) -> Vec<K> {
    scanned(text).into_iter().map(|(kind, _)| kind).collect()
}

fn lossless(text: &str) -> Vec<Token> {
    let tokens = scan(text);
    let mut at = 0;
    for token in &tokens {
        assert_eq!(token.start, at, "{text:?}");
        assert!(token.end > token.start, "{text:?}");
        assert!(text.get(token.range()).is_some(), "{text:?}");
        at = token.end;
    }
    assert_eq!(at, text.len());
    tokens
}

#[test]
fn code_and_comments() {
    assert_eq!(
        scanned("a-b = -1.5e+3 # c\r\n/* d\n */ x // e"),
        [
            (K::Identifier, "a-b"),
            (K::Equal, "="),
            (K::Minus, "-"),
            (K::Number, "1.5e+3"),
            (K::Comment, "# c\r\n"),
            (K::Comment, "/* d\n */"),
            (K::Identifier, "x"),
            (K::Comment, "// e"),
        ]
    );
    assert_eq!(
        kinds("== != <= >= && || => :: ... ! < >"),
        [
            K::EqualEqual,
            K::NotEqual,
            K::LessEqual,
            K::GreaterEqual,
            K::And,
            K::Or,
            K::FatArrow,
            K::DoubleColon,
            K::Ellipsis,
            K::Not,
            K::Less,
            K::Greater,
        ]
    );
    assert_eq!(
        scanned("1...\r\n"),
        [(K::Number, "1"), (K::Ellipsis, "..."), (K::Newline, "\r\n")]
    );
    assert_eq!(scanned("été_1"), [(K::Identifier, "été_1")]);
}

#[test]
fn a_byte_order_mark_is_a_token_only_at_the_start() {
    assert_eq!(
        kinds("\u{feff}a\u{feff}"),
        [K::ByteOrderMark, K::Identifier, K::Invalid]
    );
}

#[test]
fn templates_nest() {
    assert_eq!(
        scanned(r#""a${ {b = "%{~if c~}d"}["e"] ~}$${f}\"${""}""#),
        [
            (K::OpenQuote, "\""),
            (K::QuotedText, "a"),
            (K::Interpolation, "${"),
            (K::OpenBrace, "{"),
            (K::Identifier, "b"),
            (K::Equal, "="),
            (K::OpenQuote, "\""),
            (K::Directive, "%{~"),
            (K::Identifier, "if"),
            (K::Identifier, "c"),
            (K::SequenceEnd, "~}"),
            (K::QuotedText, "d"),
            (K::CloseQuote, "\""),
            (K::CloseBrace, "}"),
            (K::OpenBracket, "["),
            (K::OpenQuote, "\""),
            (K::QuotedText, "e"),
            (K::CloseQuote, "\""),
            (K::CloseBracket, "]"),
            (K::SequenceEnd, "~}"),
            (K::QuotedText, "$${f}\\\""),
            (K::Interpolation, "${"),
            (K::OpenQuote, "\""),
            (K::CloseQuote, "\""),
            (K::SequenceEnd, "}"),
            (K::CloseQuote, "\""),
        ]
    );
    assert_eq!(
        kinds(r#""$$${a}%""#),
        [K::OpenQuote, K::QuotedText, K::CloseQuote]
    );
}

#[test]
fn heredocs_end_at_their_marker() {
    assert_eq!(
        scanned("<<-A\n  x ${<<B\nA\nB\n}A\n\tA \r\nb"),
        [
            (K::OpenHeredoc, "<<-A\n"),
            (K::HeredocText, "  x "),
            (K::Interpolation, "${"),
            (K::OpenHeredoc, "<<B\n"),
            (K::HeredocText, "A\n"),
            (K::CloseHeredoc, "B"),
            (K::Newline, "\n"),
            (K::SequenceEnd, "}"),
            (K::HeredocText, "A\n"),
            (K::CloseHeredoc, "\tA "),
            (K::Newline, "\r\n"),
            (K::Identifier, "b"),
        ]
    );
    assert_eq!(kinds("<<A\nA"), [K::OpenHeredoc, K::CloseHeredoc]);
}

#[test]
fn what_is_never_closed_does_not_hide_what_follows() {
    assert_eq!(
        scanned("<<A\nb /* c\nd = \"e\nf"),
        [
            (K::Invalid, "<<A"),
            (K::Newline, "\n"),
            (K::Identifier, "b"),
            (K::Invalid, "/*"),
            (K::Identifier, "c"),
            (K::Newline, "\n"),
            (K::Identifier, "d"),
            (K::Equal, "="),
            (K::OpenQuote, "\""),
            (K::QuotedText, "e"),
            (K::Newline, "\n"),
            (K::Identifier, "f"),
        ]
    );
    assert_eq!(kinds("\"\n"), [K::OpenQuote, K::Newline]);
}

#[test]
fn any_text_is_tokens() {
    for text in [
        "", "\"", "\"\\", "\"${", "<<", "<<-", "~}", "}", "\r", "/*", "\"\\é", "$", "\0",
    ] {
        lossless(text);
    }
}

#[test]
fn long_and_deep_texts_take_linear_time() {
    for part in [
        "a = {\n",
        "\"${",
        "<<A\n",
        "/*",
        "[",
        "1.",
        "\"a\n",
        "<<A\n${",
        "x = <<A\nA\n",
        "\"\\",
    ] {
        let text = part.repeat(200_000);
        lossless(&text);
        max_nesting(&text);
        top_level_items(&text);
    }
}

#[test]
fn nesting() {
    assert_eq!(max_nesting("a = 1\n"), (0, 0));
    assert_eq!(max_nesting("a = [[1]]\nb = [2]\n"), (2, 5));
    assert_eq!(max_nesting("a {\n  b = \"${[x]}\"\n}\n").0, 4);
    assert_eq!(max_nesting("a = !!!!b\nc = -(-(-1))\n"), (5, 18));
    assert_eq!(max_nesting("a = b ? 1 : c ? 2 : d ? 3 : 4\n").0, 3);
    assert_eq!(max_nesting("a = [b ? 1 : 2, c ? 1 : 2]\n").0, 2);
    assert_eq!(max_nesting("a = b - c - d\n").0, 0);
    assert_eq!(max_nesting("]]}a = [1"), (1, 7));
    assert_eq!(max_nesting(&"{".repeat(1000)), (1000, 999));
}

fn items(text: &str) -> Vec<&str> {
    top_level_items(text)
        .into_iter()
        .map(|r| &text[r])
        .collect()
}

#[test]
fn items_of_a_sound_file() {
    assert_eq!(
        items("\u{feff}# c\na = 1 # d\n\n  b \"c\" {\nd = {\ne = 1\n}\n}\nf = <<G\nh = 1\nG\n"),
        [
            "a = 1",
            "b \"c\" {\nd = {\ne = 1\n}\n}",
            "f = <<G\nh = 1\nG"
        ]
    );
    assert!(items("").is_empty());
}

#[test]
fn items_of_a_broken_file() {
    // A brace is missing.
    assert_eq!(
        items("a {\n  b = {\n}\n\nc \"d\" {\n}\n"),
        ["a {\n  b = {\n}", "c \"d\" {\n}"]
    );
    // A bracket is missing, within a block.
    assert_eq!(
        items("a {\n  b = [1\n}\nc = 2\n"),
        ["a {\n  b = [1\n}", "c = 2"]
    );
    // One brace too many, a quote that is not closed, lines that are nothing.
    assert_eq!(
        items("a {\n}\n}\nb = \"x\n= 5\n??\nc = 1\n"),
        ["a {\n}", "b = \"x", "c = 1"]
    );
    // An interpolation that is not closed.
    assert_eq!(
        items("a {\n  b = \"${c\"\n}\nd {\n}\n"),
        ["a {\n  b = \"${c\"\n}", "d {\n}"]
    );
}
