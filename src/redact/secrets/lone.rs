//! Tokens without a label or a mark: long, drawn at random from several kinds of characters, and in no place where hashes and ids stand.

use super::found::Found;
use super::judge::is_lookalike;
use super::random::{Makeup, Pairs};
use super::text::{Text, is_alnum, is_blank, is_url_safe};
use super::value::is_place;

/// Shortest and longest token that is taken without a label, bytes: shorter ones are ids, longer ones are documents.
const LENGTH_MIN: usize = 30;
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
    "id=",
    "id:",
];

/// Finds them in one pass.
pub fn find(text: Text<'_>, pairs: &Pairs, all: &mut Vec<Found>) {
    let of: fn(u8) -> bool = |b| is_url_safe(b) || matches!(b, b'+' | b'/' | b'=' | b'~' | b'.');
    let bytes = text.bytes();
    let mut position = 0;
    while position < bytes.len() {
        if !is_alnum(text.at(position)) {
            position += 1;
            continue;
        }
        let end = text.skip(position, of);
        if (LENGTH_MIN..=LENGTH_MAX).contains(&(end - position)) && is_secret(text, position, end, pairs) {
            let words = text.slice(position, end).trim_end_matches('.').to_owned();
            all.push(Found { start: position, end: position + words.len(), kind: "token", words });
        }
        position = end.max(position + 1);
    }
}

fn is_secret(text: Text<'_>, start: usize, end: usize, pairs: &Pairs) -> bool {
    let word = text.slice(start, end).trim_end_matches(['.', '/']);
    // Most long runs are names and paths: one look at each character says so.
    let (mut lower, mut upper, mut digits) = (0_usize, 0_usize, 0_usize);
    for b in word.bytes() {
        lower += usize::from(b.is_ascii_lowercase());
        upper += usize::from(b.is_ascii_uppercase());
        digits += usize::from(b.is_ascii_digit());
    }
    if lower < 4 || upper < 4 || digits < 2 || word.contains('.') {
        return false;
    }
    let body = word.trim_end_matches('=');
    if body.contains('=')
        || matches!(text.before(start), b'/' | b'@' | b'$' | b'\\' | b'#' | b'.')
        || matches!(text.at(end), b'/' | b'(' | b'$' | b'@')
    {
        return false;
    }
    if is_place(word) || is_lookalike(word, pairs) || is_path_like(body, pairs) {
        return false;
    }
    let makeup = Makeup::of(body, pairs);
    makeup.is_random() && !is_explained(text, start, word)
}

/// Parts between slashes or hyphens that are words: a path or a name, not base64.
fn is_path_like(word: &str, pairs: &Pairs) -> bool {
    let parts: Vec<&str> = word.split(['/', '-', '_']).filter(|part| part.len() >= 4).collect();
    let random = parts
        .iter()
        .filter(|part| Makeup::of(part, pairs).is_random() || part.len() < 8 && part.bytes().any(|b| b.is_ascii_digit()))
        .count();
    parts.len() >= 2 && 2 * random < parts.len()
}

fn is_explained(text: Text<'_>, start: usize, word: &str) -> bool {
    if ["AAAAB3Nza", "AAAAC3Nza", "AAAAE2Vj", "MII", "sha256-", "sha384-", "sha512-", "iVBOR", "H4sI", "UEsDB", "PD94", "PHN2"]
        .iter()
        .any(|front| word.starts_with(front))
    {
        return true;
    }
    let from = text.floor(text.skip_back_max(start, CONTEXT_BYTES, |b| b != b'\n'));
    let before = text.slice(from, start).to_ascii_lowercase();
    let near = before.rsplit(['\t', '|', ';', '{']).next().unwrap_or("");
    if near.trim_end().ends_with("base64,") {
        return true;
    }
    let near = near.trim_end_matches(|c: char| c.is_whitespace() || "\"'=:([<-".contains(c));
    let last = near.rsplit(|c: char| is_blank(u8::try_from(c).unwrap_or(0)) || "\"',(".contains(c)).next().unwrap_or("");
    EXPLAINED.iter().any(|sign| last.contains(sign))
        || last == "id"
        || last.ends_with("_id")
        || last.ends_with("-id")
        || last.ends_with(".id")
}
