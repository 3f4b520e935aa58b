//! `textencodebase64` and `textdecodebase64`: text in other character sets, such as the UTF-16 that
//! PowerShell takes.
//!
//! Every character set of the peers is here but HZ-GB-2312. Their names are in
//! [`super::charset_tables`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::{DecoderResult, EncoderResult, Encoding};
use topo_sdk::Value;

use super::ParamType as T;
use super::charset_tables::CODINGS;
use super::{Context, Function, FunctionError, Param, encoding, returns_string, text};

const ENCODING: Param = Param::new("encoding", T::String, "The IANA name of the character set.");

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "textdecodebase64",
        "The text that base64 encodes in a character set.",
        &[Param::new("source", T::String, "The base64."), ENCODING],
        returns_string,
        textdecodebase64,
    ),
    Function::new(
        "textencodebase64",
        "The text in a character set, as base64.",
        &[Param::new("string", T::String, "The text."), ENCODING],
        returns_string,
        textencodebase64,
    ),
];

/// How characters become bytes.
#[derive(Debug)]
pub(super) enum Coding {
    Ascii,
    Utf8,
    /// With a byte order mark where `mark` says so.
    Utf16 {
        big: bool,
        mark: bool,
    },
    Latin1,
    /// Latin-1 with the six letters of Turkish.
    Latin5,
    /// ASCII, and these characters from 128 on.
    Upper(&'static str),
    /// A permutation of Latin-1, by byte; perhaps with a euro in place of the currency sign.
    Ebcdic {
        table: &'static [u8; 256],
        euro: bool,
    },
    /// As Web browsers have it.
    Known(&'static Encoding),
}

/// The currency sign of Latin-1.
const CURRENCY: u8 = 0xa4;

/// Where Latin-5 differs from Latin-1.
const LATIN5: [(u8, char); 6] = [
    (0xd0, 'Ğ'),
    (0xdd, 'İ'),
    (0xde, 'Ş'),
    (0xf0, 'ğ'),
    (0xfd, 'ı'),
    (0xfe, 'ş'),
];

fn coding(args: &[Value]) -> Result<&'static Coding, FunctionError> {
    let given = text(args, 1)?;
    let name = given.trim().to_lowercase();
    CODINGS
        .iter()
        .find(|(_, names)| names.contains(&name.as_str()))
        .map(|(coding, _)| coding)
        .ok_or_else(|| {
            FunctionError::at(
                1,
                format!("{given:?} is not a supported IANA encoding name or alias"),
            )
        })
}

fn textencodebase64(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let bytes = encode(coding(args)?, text(args, 0)?).ok_or_else(|| {
        FunctionError::at(
            0,
            format!(
                "the given string contains characters that cannot be represented in {}",
                text(args, 1).unwrap_or_default()
            ),
        )
    })?;
    Ok(STANDARD.encode(bytes).into())
}

fn textdecodebase64(_: &Context, args: &[Value]) -> Result<Value, FunctionError> {
    let coding = coding(args)?;
    let bytes = encoding::base64_bytes(text(args, 0)?)?;
    decode(coding, &bytes)
        .filter(|t| !t.contains('\u{fffd}'))
        .map(Value::from)
        .ok_or_else(|| {
            FunctionError::at(
                0,
                format!(
                    "the given string contains symbols that are not defined for {}",
                    text(args, 1).unwrap_or_default()
                ),
            )
        })
}

fn encode(coding: &Coding, text: &str) -> Option<Vec<u8>> {
    let each = |byte: &dyn Fn(char) -> Option<u8>| text.chars().map(byte).collect();
    let low = |c: char, limit: u32| {
        u8::try_from(u32::from(c))
            .ok()
            .filter(|b| u32::from(*b) < limit)
    };
    match coding {
        _ if undefined(coding, text) => None,
        Coding::Utf8 => Some(text.as_bytes().to_vec()),
        Coding::Utf16 { big, mark } => {
            let bom = mark.then_some(0xfeff);
            let units = bom.into_iter().chain(text.encode_utf16());
            Some(
                units
                    .flat_map(|u| {
                        if *big {
                            u.to_be_bytes()
                        } else {
                            u.to_le_bytes()
                        }
                    })
                    .collect(),
            )
        }
        Coding::Ascii => each(&|c| low(c, 128)),
        Coding::Latin1 => each(&|c| low(c, 256)),
        Coding::Latin5 => each(&|c| match LATIN5.iter().find(|(_, l)| *l == c) {
            Some((b, _)) => Some(*b),
            None => low(c, 256).filter(|b| LATIN5.iter().all(|(l, _)| l != b)),
        }),
        Coding::Upper(table) => each(&|c| {
            low(c, 128).or_else(|| {
                let at = table.chars().position(|t| t == c)?;
                u8::try_from(at + 128).ok()
            })
        }),
        Coding::Ebcdic { table, euro } => each(&|c| {
            let latin = match c {
                '€' if *euro => CURRENCY,
                '¤' if *euro => return None,
                c => low(c, 256)?,
            };
            let at = table.iter().position(|t| *t == latin)?;
            u8::try_from(at).ok()
        }),
        Coding::Known(encoding) => {
            let mut encoder = encoding.new_encoder();
            let room = encoder.max_buffer_length_from_utf8_without_replacement(text.len())?;
            let mut out = Vec::with_capacity(room);
            match encoder.encode_from_utf8_to_vec_without_replacement(text, &mut out, true) {
                (EncoderResult::InputEmpty, _) => Some(out),
                _ => None,
            }
        }
    }
}

fn decode(coding: &Coding, bytes: &[u8]) -> Option<String> {
    let each = |character: &dyn Fn(u8) -> char| Some(bytes.iter().map(|b| character(*b)).collect());
    match coding {
        Coding::Utf8 => String::from_utf8(bytes.to_vec()).ok(),
        Coding::Utf16 { big, mark } => decode_utf16(bytes, *big, *mark),
        Coding::Ascii => bytes.is_ascii().then(|| each(&char::from)).flatten(),
        Coding::Latin1 => each(&char::from),
        Coding::Latin5 => each(&|b| {
            let own = LATIN5.iter().find(|(l, _)| *l == b);
            own.map_or_else(|| char::from(b), |(_, c)| *c)
        }),
        Coding::Upper(table) => {
            let table: Vec<char> = table.chars().collect();
            each(&|b| match b.checked_sub(128) {
                Some(at) => table.get(usize::from(at)).copied().unwrap_or('\u{fffd}'),
                None => char::from(b),
            })
        }
        Coding::Ebcdic { table, euro } => each(&|b| match table[usize::from(b)] {
            CURRENCY if *euro => '€',
            latin => char::from(latin),
        }),
        Coding::Known(encoding) => {
            let mut decoder = encoding.new_decoder_without_bom_handling();
            let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len())?;
            let mut out = String::with_capacity(room);
            match decoder.decode_to_string_without_replacement(bytes, &mut out, true) {
                (DecoderResult::InputEmpty, _) => Some(out).filter(|t| !undefined(coding, t)),
                _ => None,
            }
        }
    }
}

/// Whether a text has control characters that browsers put where a Windows code page has a gap.
fn undefined(coding: &Coding, text: &str) -> bool {
    let windows = matches!(coding, Coding::Known(e) if e.name().starts_with("windows-"));
    windows && text.contains(|c| matches!(c, '\u{80}'..='\u{9f}'))
}

fn decode_utf16(bytes: &[u8], big: bool, mark: bool) -> Option<String> {
    let (big, bytes) = match bytes {
        [0xfe, 0xff, rest @ ..] if mark => (true, rest),
        [0xff, 0xfe, rest @ ..] if mark => (false, rest),
        all => (big, all),
    };
    let pairs = bytes.chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    let units = pairs.map(|p| {
        let pair = [p[0], p[1]];
        if big {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
        }
    });
    char::decode_utf16(units).collect::<Result<_, _>>().ok()
}
