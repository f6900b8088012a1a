//! Tokens without a label or a mark: long, drawn at random from several kinds of characters, and in no place where hashes and ids stand.

use super::found::Found;
use super::lookalike::is_lookalike;
use super::random::{Makeup, Pairs};
use super::text::{Text, is_alnum, is_blank, is_url_safe};
use super::value::is_place;

/// Shortest and longest token that is taken without a label, bytes: shorter ones are ids, longer ones are documents.
const LENGTH_MIN: usize = 30;
/// Shortest that is taken behind a word that announces a secret.
const SHORT_MIN: usize = 16;
const LENGTH_MAX: usize = 300;
/// How far before a token the word is looked for that explains it, bytes.
const CONTEXT_BYTES: usize = 40;

/// Words before a token that say what it is: no secret.
const EXPLAINED: &[&str] = &[
    "sha",
    "md5",
    "digest",
    "hash",
    "checksum",
    "etag",
    "integrity",
    "fingerprint",
    "id-2",
    "request",
    "trace",
    "cursor",
    "page",
    "version",
    "commit",
    "revision",
    "uuid",
    "guid",
    "correlation",
    "activity",
    "span",
    "block",
    "pubkey",
    "blob",
    "snapshot",
    "crc",
    "etag",
    "public",
    "certificate",
    "ssh-rsa",
    "ssh-ed25519",
    "ecdsa",
    "continuation",
    "offset",
    "marker",
    "image",
    "build",
    "class",
    "lambda",
    "plan",
    "stage",
    "fileid",
    "query",
    "statement",
    "boundary",
    "id=",
    "id:",
    "payload",
    "protobuf",
    "serialized",
    "encoded",
    "schema",
    "descriptor",
    "thumbnail",
    "sheet",
    "document",
    "uploadid",
    "upload-id",
    "sitekey",
    "publishable",
    "nexttoken",
    "next_token",
    "startingtoken",
    "starting_token",
    "pagetoken",
    "synctoken",
    "sync_token",
    "resume",
    "cipher",
    "handle",
    "ackid",
    "nonce",
    "hostid",
    "host-id",
    "host_id",
];

/// Numbers of a public key in JSON, and what names it.
const PUBLIC_MEMBERS: &[&str] = &["n", "x", "y", "e", "kid", "x5t", "x5c", "x5t#s256"];
/// What base64 of files and of data starts with: certificates, images, archives, tables, serialised objects.
const FILES: &[&str] = &[
    "AAAAB3Nza",
    "AAAAC3Nza",
    "AAAAE2Vj",
    "MII",
    "sha256-",
    "sha384-",
    "sha512-",
    "iVBOR",
    "H4sI",
    "UEsDB",
    "PD94",
    "PHN2",
    "rO0AB",
    "R0lGOD",
    "/9j/",
    "JVBERi",
    "UEFSM",
    "T2JqA",
    "KLUv/",
    "QlpoO",
    "eJz",
    "eJy",
    "eNp",
    "AAEAAAD/",
    "LS0tLS1CRUdJTiBDRVJU",
    "LS0tLS1CRUdJTiBQVUJMSU",
    "nonce-",
    "Y3Vyc29y",
];

/// Finds them in one pass.
pub fn find(text: Text<'_>, stems: &[usize], pairs: &Pairs, all: &mut Vec<Found>) {
    let public = public_blocks(text);
    let of: fn(u8) -> bool = |b| is_url_safe(b) || matches!(b, b'+' | b'/' | b'=' | b'~' | b'.');
    let bytes = text.bytes();
    let mut position = 0;
    while position < bytes.len() {
        let opens = is_alnum(text.at(position))
            || text.at(position) == b'_'
            || matches!(text.at(position), b'/' | b'+')
                && matches!(text.before(position), 0 | b' ' | b'\n' | b'"' | b'\'' | b':' | b'(' | b',');
        if !opens {
            position += 1;
            continue;
        }
        // The letter of `\\n` is none of the token's.
        if text.before(position) == b'\\' && matches!(text.at(position), b'n' | b't' | b'r') {
            position += 1;
        }
        let end = text.skip(position, of);
        let is_public = || public.iter().any(|(from, to)| *from <= position && position < *to);
        if (SHORT_MIN..=LENGTH_MAX).contains(&(end - position)) && is_secret(text, position, end, stems, pairs) && !is_public() {
            let words = text.slice(position, end).trim_end_matches('.').to_owned();
            all.push(Found { start: position, end: position + words.len(), kind: "token", words });
        }
        position = end.max(position + 1);
    }
}

/// Armoured certificates and public keys: drawn at random, and for everybody.
pub fn public_blocks(text: Text<'_>) -> Vec<(usize, usize)> {
    const BLOCK_BYTES_MAX: usize = 64 << 10;
    let mut blocks = Vec::new();
    let mut done = 0;
    for (start, begin) in text.slice(0, text.len()).match_indices("-----BEGIN ") {
        let kind = text.slice(start + begin.len(), text.floor(start + begin.len() + 40));
        let kind = kind.split("-----").next().unwrap_or("");
        if start >= done && !kind.contains("PRIVATE") {
            done = text.find(start, BLOCK_BYTES_MAX, "-----END").unwrap_or(start);
            blocks.push((start, done));
        }
    }
    blocks
}

fn is_secret(text: Text<'_>, start: usize, end: usize, stems: &[usize], pairs: &Pairs) -> bool {
    let near = stems.partition_point(|stem| *stem <= start).checked_sub(1).and_then(|last| stems.get(last));
    let may_be_announced = near.is_some_and(|stem| start - stem <= ANNOUNCED_BYTES);
    let word = text.slice(start, end).trim_end_matches(['.', '/']);
    if is_issued(word) {
        return true;
    }
    if word.len() < LENGTH_MIN {
        return may_be_announced && is_announced(text, start, end, word, pairs);
    }
    // Most long runs are names and paths: one look at each character says so.
    let (mut lower, mut upper, mut digits) = (0_usize, 0_usize, 0_usize);
    for b in word.bytes() {
        lower += usize::from(b.is_ascii_lowercase());
        upper += usize::from(b.is_ascii_uppercase());
        digits += usize::from(b.is_ascii_digit());
    }
    if lower < 4 || upper < 4 || digits < 2 || word.contains('.') {
        return may_be_announced && is_announced(text, start, end, word, pairs);
    }
    let body = word.trim_end_matches('=');
    let escaped = text.ends(start, "\\n") || text.ends(start, "\\t") || text.ends(start, "\\r");
    let is_part = !escaped && matches!(text.before(start), b'/' | b'@' | b'$' | b'\\' | b'#' | b'.')
        || matches!(text.at(end), b'/' | b'(' | b'$' | b'@');
    if body.contains('=') || is_part || word.starts_with('/') && !word.ends_with('=') {
        return false;
    }
    if is_place(word) || is_lookalike(word, pairs) || is_path_like(body, pairs) {
        return false;
    }
    let makeup = Makeup::of(body, pairs);
    makeup.is_random() && !is_explained(text, start, word)
}

/// Forms of issuers without a prefix: 32 hexadecimal digits and a region, or two short groups more.
fn is_issued(word: &str) -> bool {
    let Some((digits, rest)) = word.split_once('-') else { return false };
    let is_hex = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
    let region =
        rest.strip_prefix("us").is_some_and(|number| (1..=2).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit()));
    is_hex(digits, 32) && (region || rest.split_once('-').is_some_and(|(a, b)| is_hex(a, 8) && is_hex(b, 8)))
}

/// How far before a token such a word is looked for, bytes.
const ANNOUNCED_BYTES: usize = 48;
/// Words that announce a secret in prose: `HMAC secret mismatch: expected x`, `Decrypting payload with key x`.
const ANNOUNCING: &[&str] = &[
    "secret",
    "password",
    "passwd",
    "passphrase",
    "token",
    "credential",
    "apikey",
    "api key",
    "api_key",
    "access key",
    "secret key",
    "private key",
    "signing key",
    "encryption key",
    "master key",
    "shared key",
    "account key",
    "decryption key",
    "hmac",
    "with key",
    "bearer",
    "client secret",
    "pat",
    "otp",
    "license key",
];

/// A shorter token, or one of fewer kinds of characters, behind such a word in the same clause.
fn is_announced(text: Text<'_>, start: usize, end: usize, word: &str, pairs: &Pairs) -> bool {
    let body = word.trim_end_matches('=');
    let makeup = Makeup::of(body, pairs);
    let is_hex = makeup.is_hex();
    let mixed = makeup.digits >= 2 || makeup.lower >= 4 && makeup.upper >= 4;
    if !mixed || makeup.letters() < 4 || is_hex && makeup.length < 32 || makeup.length > LENGTH_MAX || !makeup.is_random() {
        return false;
    }
    if matches!(text.before(start), b'/' | b'@' | b'$' | b'\\' | b'#' | b'.' | b'=' | b'_' | b'-')
        || matches!(text.at(end), b'/' | b'(' | b'$' | b'@' | b'=')
    {
        return false;
    }
    if is_place(word)
        || !is_hex && is_lookalike(word, pairs)
        || word.contains(['.', '=']) && !word.ends_with('=')
        || is_path_like(body, pairs)
    {
        return false;
    }
    let from = text.floor(text.skip_back_max(start, ANNOUNCED_BYTES, |b| b != b'\n'));
    let before = text.slice(from, start).to_ascii_lowercase();
    let clause = before.rsplit([';', '{', '}', '(', ')', '|', ',']).next().unwrap_or("");
    let announced = ANNOUNCING.iter().any(|sign| {
        clause.match_indices(sign).any(|(at, _)| {
            let left = clause.get(..at).and_then(|left| left.bytes().last()).unwrap_or(b' ');
            let right = clause.get(at + sign.len()..).and_then(|right| right.bytes().next()).unwrap_or(b' ');
            !is_alnum(left)
                && !matches!(left, b'/' | b'_' | b'-' | b'.')
                && matches!(right, b' ' | b':' | b'=' | b'\'' | b'"' | b'`' | b'\t')
        })
    });
    // `arn:aws:secretsmanager:…:secret:prod/etl-x`
    let is_arn = text.slice(text.floor(text.skip_back_max(start, 160, |b| !is_blank(b))), start).contains("arn:");
    let is_cursor = is_arn
        || ["resume token", "next token", "page token", "sync token", "continuation token", "starting token"]
            .iter()
            .any(|sign| clause.contains(sign));
    announced && !is_cursor && !is_explained(text, start, word)
}

/// Parts between slashes or hyphens that are words: a path or a name, not base64.
pub fn is_path_like(word: &str, pairs: &Pairs) -> bool {
    let parts: Vec<&str> = word.split(['/', '-', '_']).filter(|part| part.len() >= 4).collect();
    let random = parts
        .iter()
        .filter(|part| Makeup::of(part, pairs).is_random() || part.len() < 8 && part.bytes().any(|b| b.is_ascii_digit()))
        .count();
    parts.len() >= 2 && 2 * random < parts.len()
}

pub fn is_explained(text: Text<'_>, start: usize, word: &str) -> bool {
    if FILES.iter().any(|front| word.starts_with(front)) {
        return true;
    }
    let from = text.floor(text.skip_back_max(start, CONTEXT_BYTES, |b| b != b'\n'));
    let before = text.slice(from, start).to_ascii_lowercase();
    let near = before.rsplit(['\t', '|', ';', '{']).next().unwrap_or("");
    if near.trim_end().ends_with("base64,") || before.trim_end_matches([' ', ':', '=']).ends_with("public key") {
        return true;
    }
    let near = near.trim_end_matches(|c: char| c.is_whitespace() || "\"'=:([<-".contains(c));
    let last = near.rsplit(|c: char| is_blank(u8::try_from(c).unwrap_or(0)) || "\"',(".contains(c)).next().unwrap_or("");
    EXPLAINED.iter().any(|sign| last.contains(sign))
        || matches!(last, "id" | "h1")
        || PUBLIC_MEMBERS.contains(&last)
        || last.ends_with("_id")
        || last.ends_with("-id")
        || last.ends_with(".id")
}
