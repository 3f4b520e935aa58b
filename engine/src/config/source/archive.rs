//! Archives: how one is packed and what it must hash to, as its name and the query of its address
//! say.

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// `.zip`
    Zip,
    /// `.tar`
    Tar,
    /// `.tar.gz`, `.tgz`
    TarGz,
    /// `.tar.bz2`, `.tbz2`
    TarBz2,
    /// `.tar.xz`, `.txz`
    TarXz,
}

impl ArchiveKind {
    const NAMES: [(&str, ArchiveKind); 8] = [
        ("zip", ArchiveKind::Zip),
        ("tar", ArchiveKind::Tar),
        ("tar.gz", ArchiveKind::TarGz),
        ("tgz", ArchiveKind::TarGz),
        ("tar.bz2", ArchiveKind::TarBz2),
        ("tbz2", ArchiveKind::TarBz2),
        ("tar.xz", ArchiveKind::TarXz),
        ("txz", ArchiveKind::TarXz),
    ];

    /// By the end of a file's name.
    pub fn of_path(path: &str) -> Option<ArchiveKind> {
        Self::NAMES
            .iter()
            .find(|(name, _)| {
                path.strip_suffix(name)
                    .is_some_and(|rest| rest.ends_with('.'))
            })
            .map(|(_, kind)| *kind)
    }

    pub(super) fn named(name: &str) -> Result<ArchiveKind, String> {
        Self::NAMES
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, kind)| *kind)
            .ok_or_else(|| {
                format!("archive={name} names no kind of archive that topo can unpack. It unpacks zip, tar, tar.gz (tgz), tar.bz2 (tbz2) and tar.xz (txz).")
            })
    }
}

/// What a file must hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checksum {
    /// The hash function.
    pub algorithm: HashAlgorithm,
    /// The expected hash, in lower-case hex.
    pub hex: String,
}

/// A hash function of `?checksum=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// MD5
    Md5,
    /// SHA-1
    Sha1,
    /// SHA-256
    Sha256,
    /// SHA-512
    Sha512,
}

impl Checksum {
    /// Reads `sha256:9f86…`, or the hash alone, whose length tells its function.
    pub(super) fn parse(text: &str) -> Result<Checksum, String> {
        const FUNCTIONS: [(&str, HashAlgorithm, usize); 4] = [
            ("md5", HashAlgorithm::Md5, 32),
            ("sha1", HashAlgorithm::Sha1, 40),
            ("sha256", HashAlgorithm::Sha256, 64),
            ("sha512", HashAlgorithm::Sha512, 128),
        ];
        let (function, hex) = match text.split_once(':') {
            Some(("file", _)) => return Err("A checksum that is itself in a file to fetch (checksum=file:...) is not supported. Write the hash itself: checksum=sha256:...".into()),
            Some((name, hex)) => (FUNCTIONS.iter().find(|(n, _, _)| *n == name), hex),
            None => (FUNCTIONS.iter().find(|(_, _, len)| *len == text.len()), text),
        };
        let Some((name, algorithm, length)) = function else {
            return Err(format!(
                "checksum={text} is not understood. Write checksum=sha256:... with the hash in hex; md5, sha1 and sha512 work too."
            ));
        };
        if hex.len() != *length || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(format!(
                "checksum={text} is not a {name} hash: that has {length} hexadecimal digits."
            ));
        }
        Ok(Checksum {
            algorithm: *algorithm,
            hex: hex.to_ascii_lowercase(),
        })
    }
}

pub(super) type ArchiveOptions = (Option<String>, Option<ArchiveKind>, Option<Checksum>);

/// What a query says about an archive, and the rest of the query.
pub(super) fn archive_options(query: Option<&str>, path: &str) -> Result<ArchiveOptions, String> {
    let (mut archive, mut checksum) = (ArchiveKind::of_path(path), None);
    let mut rest = Vec::new();
    for (pair, key, value) in pairs(query) {
        match key.as_str() {
            "archive" if value == "false" => archive = None,
            "archive" => archive = Some(ArchiveKind::named(&value)?),
            "checksum" => checksum = Some(Checksum::parse(&value)?),
            _ => rest.push(pair),
        }
    }
    if checksum.is_some() && archive.is_none() {
        return Err("A checksum needs a file to check: the address is not that of an archive (add archive= if it is one).".into());
    }
    let rest = (!rest.is_empty()).then(|| rest.join("&"));
    Ok((rest, archive, checksum))
}

/// The pairs of a query: as written, and name and value decoded.
pub(super) fn pairs(query: Option<&str>) -> impl Iterator<Item = (&str, String, String)> {
    query
        .unwrap_or("")
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = url::form_urlencoded::parse(pair.as_bytes())
                .next()
                .unwrap_or_default();
            (pair, key.into_owned(), value.into_owned())
        })
}
