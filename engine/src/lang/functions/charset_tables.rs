//! The character sets that the IANA names and that `textencodebase64` knows, with their names and
//! aliases in lower case, and the tables of those that no crate of ours has.
//!
//! Sources: IANA's registry of character sets for the names; the code pages as IBM publishes them.

use super::charset::Coding;

/// Each coding with its names.
pub(super) static CODINGS: &[(Coding, &[&str])] = &[
    (
        Coding::Ascii,
        &[
            "ansi_x3.4-1968",
            "ansi_x3.4-1986",
            "cp367",
            "csascii",
            "ibm367",
            "iso-ir-6",
            "iso646-us",
            "iso_646.irv:1991",
            "us",
            "us-ascii",
        ],
    ),
    (Coding::Utf8, &["csutf8", "utf-8"]),
    (
        Coding::Utf16 {
            big: true,
            mark: true,
        },
        &["csutf16", "utf-16"],
    ),
    (
        Coding::Utf16 {
            big: true,
            mark: false,
        },
        &["csutf16be", "utf-16be"],
    ),
    (
        Coding::Utf16 {
            big: false,
            mark: false,
        },
        &["csutf16le", "utf-16le"],
    ),
    (
        Coding::Ebcdic {
            table: &IBM037,
            euro: false,
        },
        &[
            "cp037",
            "csibm037",
            "ebcdic-cp-ca",
            "ebcdic-cp-nl",
            "ebcdic-cp-us",
            "ebcdic-cp-wt",
            "ibm037",
        ],
    ),
    (
        Coding::Upper(IBM437),
        &["437", "cp437", "cspc8codepage437", "ibm437"],
    ),
    (
        Coding::Upper(IBM850),
        &["850", "cp850", "cspc850multilingual", "ibm850"],
    ),
    (
        Coding::Upper(IBM852),
        &["852", "cp852", "cspcp852", "ibm852"],
    ),
    (
        Coding::Upper(IBM855),
        &["855", "cp855", "csibm855", "ibm855"],
    ),
    (
        Coding::Upper(IBM858),
        &[
            "ccsid00858",
            "cp00858",
            "csibm00858",
            "ibm00858",
            "pc-multilingual-850+euro",
        ],
    ),
    (
        Coding::Upper(IBM860),
        &["860", "cp860", "csibm860", "ibm860"],
    ),
    (
        Coding::Upper(IBM862),
        &["862", "cp862", "cspc862latinhebrew", "ibm862"],
    ),
    (
        Coding::Upper(IBM863),
        &["863", "cp863", "csibm863", "ibm863"],
    ),
    (
        Coding::Upper(IBM865),
        &["865", "cp865", "csibm865", "ibm865"],
    ),
    (
        Coding::Known(encoding_rs::IBM866),
        &["866", "cp866", "csibm866", "ibm866"],
    ),
    (
        Coding::Ebcdic {
            table: &IBM1047,
            euro: false,
        },
        &["csibm1047", "ibm-1047", "ibm1047"],
    ),
    (
        Coding::Ebcdic {
            table: &IBM037,
            euro: true,
        },
        &[
            "ccsid01140",
            "cp01140",
            "csibm01140",
            "ebcdic-us-37+euro",
            "ibm01140",
        ],
    ),
    (
        Coding::Latin1,
        &[
            "cp819",
            "csisolatin1",
            "ibm819",
            "iso-8859-1",
            "iso-ir-100",
            "iso_8859-1",
            "iso_8859-1:1987",
            "l1",
            "latin1",
        ],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_2),
        &[
            "csisolatin2",
            "iso-8859-2",
            "iso-ir-101",
            "iso_8859-2",
            "iso_8859-2:1987",
            "l2",
            "latin2",
        ],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_3),
        &[
            "csisolatin3",
            "iso-8859-3",
            "iso-ir-109",
            "iso_8859-3",
            "iso_8859-3:1988",
            "l3",
            "latin3",
        ],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_4),
        &[
            "csisolatin4",
            "iso-8859-4",
            "iso-ir-110",
            "iso_8859-4",
            "iso_8859-4:1988",
            "l4",
            "latin4",
        ],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_5),
        &[
            "csisolatincyrillic",
            "cyrillic",
            "iso-8859-5",
            "iso-ir-144",
            "iso_8859-5",
            "iso_8859-5:1988",
        ],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_6),
        &[
            "arabic",
            "asmo-708",
            "csisolatinarabic",
            "ecma-114",
            "iso-8859-6",
            "iso-ir-127",
            "iso_8859-6",
            "iso_8859-6:1987",
        ],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_6),
        &["csiso88596e", "iso-8859-6-e", "iso_8859-6-e"],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_6),
        &["csiso88596i", "iso-8859-6-i", "iso_8859-6-i"],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_7),
        &[
            "csisolatingreek",
            "ecma-118",
            "elot_928",
            "greek",
            "greek8",
            "iso-8859-7",
            "iso-ir-126",
            "iso_8859-7",
            "iso_8859-7:1987",
        ],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_8),
        &[
            "csisolatinhebrew",
            "hebrew",
            "iso-8859-8",
            "iso-ir-138",
            "iso_8859-8",
            "iso_8859-8:1988",
        ],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_8),
        &["csiso88598e", "iso-8859-8-e", "iso_8859-8-e"],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_8_I),
        &["csiso88598i", "iso-8859-8-i", "iso_8859-8-i"],
    ),
    (
        Coding::Latin5,
        &[
            "csisolatin5",
            "iso-8859-9",
            "iso-ir-148",
            "iso_8859-9",
            "iso_8859-9:1989",
            "l5",
            "latin5",
        ],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_10),
        &[
            "csisolatin6",
            "iso-8859-10",
            "iso-ir-157",
            "iso_8859-10:1992",
            "l6",
            "latin6",
        ],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_13),
        &["csiso885913", "iso-8859-13"],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_14),
        &[
            "csiso885914",
            "iso-8859-14",
            "iso-celtic",
            "iso-ir-199",
            "iso_8859-14",
            "iso_8859-14:1998",
            "l8",
            "latin8",
        ],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_15),
        &["csiso885915", "iso-8859-15", "iso_8859-15", "latin-9"],
    ),
    (
        Coding::Known(encoding_rs::ISO_8859_16),
        &[
            "csiso885916",
            "iso-8859-16",
            "iso-ir-226",
            "iso_8859-16",
            "iso_8859-16:2001",
            "l10",
            "latin10",
        ],
    ),
    (Coding::Known(encoding_rs::KOI8_R), &["cskoi8r", "koi8-r"]),
    (Coding::Known(encoding_rs::KOI8_U), &["cskoi8u", "koi8-u"]),
    (
        Coding::Known(encoding_rs::MACINTOSH),
        &["csmacintosh", "mac", "macintosh"],
    ),
    (
        Coding::Known(encoding_rs::WINDOWS_874),
        &["cswindows874", "windows-874"],
    ),
    (
        Coding::Known(encoding_rs::WINDOWS_1250),
        &["cswindows1250", "windows-1250"],
    ),
    (
        Coding::Known(encoding_rs::WINDOWS_1251),
        &["cswindows1251", "windows-1251"],
    ),
    (
        Coding::Known(encoding_rs::WINDOWS_1252),
        &["cswindows1252", "windows-1252"],
    ),
    (
        Coding::Known(encoding_rs::WINDOWS_1253),
        &["cswindows1253", "windows-1253"],
    ),
    (
        Coding::Known(encoding_rs::WINDOWS_1254),
        &["cswindows1254", "windows-1254"],
    ),
    (
        Coding::Known(encoding_rs::WINDOWS_1255),
        &["cswindows1255", "windows-1255"],
    ),
    (
        Coding::Known(encoding_rs::WINDOWS_1256),
        &["cswindows1256", "windows-1256"],
    ),
    (
        Coding::Known(encoding_rs::WINDOWS_1257),
        &["cswindows1257", "windows-1257"],
    ),
    (
        Coding::Known(encoding_rs::WINDOWS_1258),
        &["cswindows1258", "windows-1258"],
    ),
    (
        Coding::Known(encoding_rs::EUC_JP),
        &[
            "cseucpkdfmtjapanese",
            "euc-jp",
            "extended_unix_code_packed_format_for_japanese",
        ],
    ),
    (
        Coding::Known(encoding_rs::ISO_2022_JP),
        &["csiso2022jp", "iso-2022-jp"],
    ),
    (
        Coding::Known(encoding_rs::SHIFT_JIS),
        &["csshiftjis", "ms_kanji", "shift_jis"],
    ),
    (Coding::Known(encoding_rs::EUC_KR), &["cseuckr", "euc-kr"]),
    (
        Coding::Known(encoding_rs::GB18030),
        &["csgb18030", "gb18030"],
    ),
    (
        Coding::Known(encoding_rs::GBK),
        &["cp936", "csgbk", "gbk", "ms936", "windows-936"],
    ),
    (Coding::Known(encoding_rs::BIG5), &["big5", "csbig5"]),
];

/// The upper half of code page 437.
const IBM437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The upper half of code page 850.
const IBM850: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

/// The upper half of code page 852.
const IBM852: &str = "ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×čáíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐└┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{ad}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}";

/// The upper half of code page 855.
const IBM855: &str = "ђЂѓЃёЁєЄѕЅіІїЇјЈљЉњЊћЋќЌўЎџЏюЮъЪаАбБцЦдДеЕфФгГ«»░▒▓│┤хХиИ╣║╗╝йЙ┐└┴┬├─┼кК╚╔╩╦╠═╬¤лЛмМнНоОп┘┌█▄Пя▀ЯрРсСтТуУжЖвВьЬ№\u{ad}ыЫзЗшШэЭщЩчЧ§■\u{a0}";

/// The upper half of code page 858.
const IBM858: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

/// The upper half of code page 860.
const IBM860: &str = "ÇüéâãàÁçêÊèÍÔìÃÂÉÀÈôõòÚùÌÕÜ¢£Ù₧ÓáíóúñÑªº¿Ò¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The upper half of code page 862.
const IBM862: &str = "אבגדהוזחטיךכלםמןנסעףפץצקרשת¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The upper half of code page 863.
const IBM863: &str = "ÇüéâÂà¶çêëèïî‗À§ÉÈÊôËÏûù¤ÔÜ¢£ÙÛƒ¦´óú¨¸³¯Î⌐¬½¼¾«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The upper half of code page 865.
const IBM865: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø₧ƒáíóúñÑªº¿⌐¬½¼¡«¤░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// Code page 037: the Latin-1 character of each byte.
const IBM037: [u8; 256] = [
    0x00, 0x01, 0x02, 0x03, 0x9c, 0x09, 0x86, 0x7f, 0x97, 0x8d, 0x8e, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
    0x10, 0x11, 0x12, 0x13, 0x9d, 0x85, 0x08, 0x87, 0x18, 0x19, 0x92, 0x8f, 0x1c, 0x1d, 0x1e, 0x1f,
    0x80, 0x81, 0x82, 0x83, 0x84, 0x0a, 0x17, 0x1b, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x05, 0x06, 0x07,
    0x90, 0x91, 0x16, 0x93, 0x94, 0x95, 0x96, 0x04, 0x98, 0x99, 0x9a, 0x9b, 0x14, 0x15, 0x9e, 0x1a,
    0x20, 0xa0, 0xe2, 0xe4, 0xe0, 0xe1, 0xe3, 0xe5, 0xe7, 0xf1, 0xa2, 0x2e, 0x3c, 0x28, 0x2b, 0x7c,
    0x26, 0xe9, 0xea, 0xeb, 0xe8, 0xed, 0xee, 0xef, 0xec, 0xdf, 0x21, 0x24, 0x2a, 0x29, 0x3b, 0xac,
    0x2d, 0x2f, 0xc2, 0xc4, 0xc0, 0xc1, 0xc3, 0xc5, 0xc7, 0xd1, 0xa6, 0x2c, 0x25, 0x5f, 0x3e, 0x3f,
    0xf8, 0xc9, 0xca, 0xcb, 0xc8, 0xcd, 0xce, 0xcf, 0xcc, 0x60, 0x3a, 0x23, 0x40, 0x27, 0x3d, 0x22,
    0xd8, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0xab, 0xbb, 0xf0, 0xfd, 0xfe, 0xb1,
    0xb0, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71, 0x72, 0xaa, 0xba, 0xe6, 0xb8, 0xc6, 0xa4,
    0xb5, 0x7e, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0xa1, 0xbf, 0xd0, 0xdd, 0xde, 0xae,
    0x5e, 0xa3, 0xa5, 0xb7, 0xa9, 0xa7, 0xb6, 0xbc, 0xbd, 0xbe, 0x5b, 0x5d, 0xaf, 0xa8, 0xb4, 0xd7,
    0x7b, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0xad, 0xf4, 0xf6, 0xf2, 0xf3, 0xf5,
    0x7d, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50, 0x51, 0x52, 0xb9, 0xfb, 0xfc, 0xf9, 0xfa, 0xff,
    0x5c, 0xf7, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0xb2, 0xd4, 0xd6, 0xd2, 0xd3, 0xd5,
    0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0xb3, 0xdb, 0xdc, 0xd9, 0xda, 0x9f,
];

/// Code page 1047: the Latin-1 character of each byte.
const IBM1047: [u8; 256] = [
    0x00, 0x01, 0x02, 0x03, 0x9c, 0x09, 0x86, 0x7f, 0x97, 0x8d, 0x8e, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
    0x10, 0x11, 0x12, 0x13, 0x9d, 0x85, 0x08, 0x87, 0x18, 0x19, 0x92, 0x8f, 0x1c, 0x1d, 0x1e, 0x1f,
    0x80, 0x81, 0x82, 0x83, 0x84, 0x0a, 0x17, 0x1b, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x05, 0x06, 0x07,
    0x90, 0x91, 0x16, 0x93, 0x94, 0x95, 0x96, 0x04, 0x98, 0x99, 0x9a, 0x9b, 0x14, 0x15, 0x9e, 0x1a,
    0x20, 0xa0, 0xe2, 0xe4, 0xe0, 0xe1, 0xe3, 0xe5, 0xe7, 0xf1, 0xa2, 0x2e, 0x3c, 0x28, 0x2b, 0x7c,
    0x26, 0xe9, 0xea, 0xeb, 0xe8, 0xed, 0xee, 0xef, 0xec, 0xdf, 0x21, 0x24, 0x2a, 0x29, 0x3b, 0x5e,
    0x2d, 0x2f, 0xc2, 0xc4, 0xc0, 0xc1, 0xc3, 0xc5, 0xc7, 0xd1, 0xa6, 0x2c, 0x25, 0x5f, 0x3e, 0x3f,
    0xf8, 0xc9, 0xca, 0xcb, 0xc8, 0xcd, 0xce, 0xcf, 0xcc, 0x60, 0x3a, 0x23, 0x40, 0x27, 0x3d, 0x22,
    0xd8, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0xab, 0xbb, 0xf0, 0xfd, 0xfe, 0xb1,
    0xb0, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71, 0x72, 0xaa, 0xba, 0xe6, 0xb8, 0xc6, 0xa4,
    0xb5, 0x7e, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0xa1, 0xbf, 0xd0, 0x5b, 0xde, 0xae,
    0xac, 0xa3, 0xa5, 0xb7, 0xa9, 0xa7, 0xb6, 0xbc, 0xbd, 0xbe, 0xdd, 0xa8, 0xaf, 0x5d, 0xb4, 0xd7,
    0x7b, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0xad, 0xf4, 0xf6, 0xf2, 0xf3, 0xf5,
    0x7d, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50, 0x51, 0x52, 0xb9, 0xfb, 0xfc, 0xf9, 0xfa, 0xff,
    0x5c, 0xf7, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0xb2, 0xd4, 0xd6, 0xd2, 0xd3, 0xd5,
    0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0xb3, 0xdb, 0xdc, 0xd9, 0xda, 0x9f,
];
