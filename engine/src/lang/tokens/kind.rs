//! The kinds of tokens, and which of them belong together.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// The byte order mark at the start of a file.
    ByteOrderMark,
    /// Spaces and tabs.
    Whitespace,
    /// The end of a line, `\n` or `\r\n`, outside of comments and templates.
    Newline,
    /// `# …` or `// …` with the end of its line, or `/* … */`.
    Comment,
    /// A name or keyword.
    Identifier,
    /// A number.
    Number,
    /// `{`
    OpenBrace,
    /// `}`
    CloseBrace,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `(`
    OpenParen,
    /// `)`
    CloseParen,
    /// The quote before a quoted template.
    OpenQuote,
    /// The quote behind a quoted template.
    CloseQuote,
    /// Literal text of a quoted template, escapes as written.
    QuotedText,
    /// `<<NAME` or `<<-NAME` with the end of its line.
    OpenHeredoc,
    /// The line that closes a heredoc, without its end.
    CloseHeredoc,
    /// Literal text of a heredoc, of any number of lines.
    HeredocText,
    /// `${` or `${~`
    Interpolation,
    /// `%{` or `%{~`
    Directive,
    /// The `}` or `~}` of an interpolation or directive.
    SequenceEnd,
    /// `=`
    Equal,
    /// `==`
    EqualEqual,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `!`
    Not,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Star,
    /// `/`
    Slash,
    /// `%`
    Percent,
    /// `.`
    Dot,
    /// `...`
    Ellipsis,
    /// `,`
    Comma,
    /// `:`
    Colon,
    /// `::`
    DoubleColon,
    /// `?`
    Question,
    /// `=>`
    FatArrow,
    /// What the language has no use for.
    Invalid,
}

impl TokenKind {
    /// How much deeper brackets and template sequences are behind this token than before it: 1,
    /// 0 or -1. Quotes and heredocs do not count.
    pub fn bracket_change(self) -> i32 {
        match self {
            TokenKind::OpenBrace
            | TokenKind::OpenBracket
            | TokenKind::OpenParen
            | TokenKind::Interpolation
            | TokenKind::Directive => 1,
            TokenKind::CloseBrace
            | TokenKind::CloseBracket
            | TokenKind::CloseParen
            | TokenKind::SequenceEnd => -1,
            _ => 0,
        }
    }

    /// The kind that closes what this one opens.
    pub fn closed_by(self) -> Option<TokenKind> {
        Some(match self {
            TokenKind::OpenBrace => TokenKind::CloseBrace,
            TokenKind::OpenBracket => TokenKind::CloseBracket,
            TokenKind::OpenParen => TokenKind::CloseParen,
            TokenKind::OpenQuote => TokenKind::CloseQuote,
            TokenKind::OpenHeredoc => TokenKind::CloseHeredoc,
            TokenKind::Interpolation | TokenKind::Directive => TokenKind::SequenceEnd,
            _ => return None,
        })
    }

    /// Whether it closes what another one opened.
    pub fn closes(self) -> bool {
        self.bracket_change() < 0 || matches!(self, TokenKind::CloseQuote | TokenKind::CloseHeredoc)
    }
}
