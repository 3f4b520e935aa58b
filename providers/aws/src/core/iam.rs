//! What the IAM types share: tags, documents, times.

use aws_sdk_iam::types::Tag;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use percent_encoding::percent_decode_str;
use topo_sdk::Diagnostics;

use super::tags::Tags;

/// Tags for a call.
///
/// # Errors
/// Never: keys and values are always given; the builder cannot know.
pub(crate) fn list(tags: &Tags) -> Result<Vec<Tag>, Diagnostics> {
    tags.iter()
        .map(|(k, v)| {
            let built = Tag::builder().key(k).value(v).build();
            built.map_err(|e| Diagnostics::error(format!("Invalid tag {k}"), e.to_string()))
        })
        .collect()
}

/// Tags of an answer.
pub(crate) fn tags(found: &[Tag]) -> Tags {
    found
        .iter()
        .map(|t| (t.key().to_owned(), t.value().to_owned()))
        .collect()
}

/// A document of an answer: IAM gives them percent-encoded (source: IAM API reference).
pub(crate) fn document(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A time of an answer in RFC 3339.
pub(crate) fn time(time: Option<&DateTime>) -> Option<String> {
    time.and_then(|t| t.fmt(Format::DateTime).ok())
}
