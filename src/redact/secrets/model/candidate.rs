//! The words of a text that may be secrets: none that has a meaning, and none that is too short or too plain to be one.

use crate::redact::secrets::judge::decoded;
use crate::redact::secrets::lone::{is_explained, is_path_like, public_blocks};
use crate::redact::secrets::lookalike::is_lookalike;
use crate::redact::secrets::random::{Makeup, Pairs};
use crate::redact::secrets::text::{Text, is_alnum, is_name, is_quote};
use crate::redact::secrets::value::{
    is_class_name, is_masked, is_nothing, is_number, is_place, is_reference, is_time, is_uuid, is_version,
};

/// Shortest and longest, bytes.
const BYTES_MIN: usize = 6;
const BYTES_MAX: usize = 300;
/// Fewer letters without a digit or a sign look like a word, whatever they are.
const LETTERS_MIN: usize = 9;
/// Names before one value: `-Dx=y=z`.
const NAMES_MAX: usize = 4;

/// A word at `start..end`.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    pub start: usize,
    pub end: usize,
    pub makeup: Makeup,
    pub is_random: bool,
    /// Hexadecimal digits alone, as hashes have.
    pub is_digest: bool,
}

/// Every word that may be a secret and that `is_asked` for, in order.
pub fn each(text: Text<'_>, pairs: &Pairs, is_asked: impl Fn(usize, usize) -> bool, mut tell: impl FnMut(Unit)) {
    let public = public_blocks(text);
    let bytes = text.bytes();
    let mut position = 0;
    while position < bytes.len() {
        if is_border(text.at(position)) || text.at(position) == b'&' {
            position += 1;
            continue;
        }
        let stop = word_end(text, position);
        // The name of what is kept elsewhere: `${secrets:prod/pg}`, `{{secrets/a/b}}`.
        let is_template = text.ends(position, "${") || text.ends(position, "{{");
        let (start, end) = bare(text, position, stop);
        let is_public = || public.iter().any(|(from, to)| *from <= start && start < *to);
        if is_asked(start, end)
            && !is_template
            && let Some(unit) = unit(text, start, end, pairs).filter(|_| !is_public())
        {
            tell(unit);
        }
        position = stop;
    }
}

/// Where the word ends: also before the next pair of a query, `&name=`.
fn word_end(text: Text<'_>, start: usize) -> usize {
    let mut end = start;
    loop {
        end = text.skip(end, |b| !is_border(b) && b != b'&');
        if text.at(end) != b'&' {
            return end;
        }
        let name = text.skip_max(end + 1, 40, is_name);
        if name > end + 1 && (text.at(name) == b'=' || text.starts_anycase(name, "%3d")) {
            return end;
        }
        end += 1;
    }
}

fn is_border(b: u8) -> bool {
    b.is_ascii_whitespace() || is_quote(b) || matches!(b, b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' | b',' | b';' | b'|' | 0x1b)
}

/// Without the names before it and the signs of a sentence behind it: the `x` of `a.b=x.`
fn bare(text: Text<'_>, start: usize, stop: usize) -> (usize, usize) {
    let mut start = start;
    // `E8CB:5689F:5B4CD95`: numbers, none of them a name.
    let run = text.slice(start, stop);
    if run.contains(':') && run.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') {
        return (start, start);
    }
    for _ in 0..NAMES_MAX {
        let begins = |b: u8| b.is_ascii_alphabetic() || matches!(b, b'_' | b'$' | b'@' | b'%' | b'-');
        let name = text.skip_max(start, 80, |b| is_name(b) || matches!(b, b'$' | b'@' | b'%'));
        let sign = if text.starts(name, ":=") { 2 } else { 1 };
        // `-XX:+UseG1GC` is one option.
        let joins = text.at(name) == b'=' || text.at(name) == b':' && text.at(start) != b'-' && !text.starts(name, "://");
        let is_name = begins(text.at(start)) && joins && name > start;
        if !is_name || name + sign >= stop {
            break;
        }
        start = name + sign;
    }
    let mut end = stop;
    while end > start && matches!(text.before(end), b'.' | b':' | b'?')
        || end > start + 1 && text.before(end) == b'=' && text.at(end - 2) != b'=' && !(end - start).is_multiple_of(4)
    {
        end -= 1;
    }
    host_cut(text, start, end)
}

/// `user/x@host:1521`, `user:x@host`: the part between.
fn host_cut(text: Text<'_>, start: usize, end: usize) -> (usize, usize) {
    let whole = (start, end);
    let Some((front, host)) = text.slice(start, end).rsplit_once('@') else { return whole };
    let is_host = host.len() >= 3 && host.bytes().all(|b| is_name(b) || matches!(b, b':' | b'/')) && host.contains(['.', ':', '-']);
    let Some(user) = front.find(['/', ':']).filter(|_| is_host) else { return whole };
    (start + user + 1, start + front.len())
}

fn unit(text: Text<'_>, start: usize, end: usize, pairs: &Pairs) -> Option<Unit> {
    if !(BYTES_MIN..=BYTES_MAX).contains(&(end - start)) {
        return None;
    }
    let word = text.slice(start, end);
    // Most words are told from secrets by one look: short ones of letters alone, and numbers.
    let (mut has_letter, mut has_more) = (false, false);
    for b in word.bytes() {
        has_letter |= b.is_ascii_alphabetic();
        has_more |= b.is_ascii_digit() || is_sign(b);
    }
    if !has_letter || !has_more && word.len() < LETTERS_MIN {
        return None;
    }
    let makeup = Makeup::of(word, pairs);
    let is_random = makeup.is_random();
    let plain = makeup.digits == 0 && !is_random && !word.bytes().any(is_sign);
    let is_digest = makeup.is_hex();
    // `base64`, `etl2`, `xy12345`: names have numbers too.
    let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_numbered = word.len() <= 8 && letters.bytes().all(|b| b.is_ascii_lowercase()) && !letters.is_empty();
    // Words of other scripts are none that the model has seen.
    let is_foreign = 2 * word.bytes().filter(|b| *b >= 0x80).count() > word.len();
    if plain || is_numbered || is_foreign || makeup.letters() < 2 || is_digest && makeup.length < 16 {
        return None;
    }
    let is_option = text.at(start) == b'-';
    let is_object = word.rsplit_once('@').is_some_and(|(_, hash)| hash.len() <= 8 && hash.bytes().all(|b| b.is_ascii_hexdigit()));
    let has_meaning = is_option
        || is_object
        || word.contains("://")
        || word.contains("...")
        || is_date(word)
        || is_port_and_path(word)
        || is_at_host(word)
        || ["Hmac", "PBKDF2", "SHA256", "SHA1", "SHA512"].iter().any(|name| word.contains(name))
        || word.contains("%3A%2F%2F")
        || is_item(word)
        || word.starts_with('/') && !word.ends_with('=')
        || word
            .rsplit(['-', '_', '.'])
            .next()
            .is_some_and(|end| end.len() >= 16 && end.len() < word.len() && end.bytes().all(|b| b.is_ascii_hexdigit()))
        || is_digest && is_explained_far(text, start)
        || word.split(['/', '=', ':']).next_back().is_some_and(is_version)
        || word.get(..36).is_some_and(is_uuid)
        || decoded(word).is_some_and(|bytes| String::from_utf8(bytes).is_ok_and(|words| is_uuid(&words)))
        || is_masked(word)
        || is_reference(word)
        || is_nothing(word)
        || is_number(word)
        || is_time(word)
        || is_version(word)
        || is_uuid(word)
        || is_class_name(word)
        || is_place(word)
        || !is_digest && is_lookalike(word, pairs)
        || is_path_like(word, pairs)
        || is_explained(text, start, word)
        || is_code(text, word, end);
    (!has_meaning).then_some(Unit { start, end, makeup, is_random, is_digest })
}

/// A hash that nothing on its line names, or that a word further back does: `md5(x.whl) = …`.
fn is_explained_far(text: Text<'_>, start: usize) -> bool {
    let before = text.slice(text.floor(text.line_start(start, 120)), start).to_ascii_lowercase();
    let words = [
        "md5", "sha", "hash", "digest", "checksum", "commit", "etag", "trace", "span", "version", "build", "revision", "checkout", "image",
        "git ",
    ];
    !before.bytes().any(|b| b.is_ascii_alphabetic()) || words.iter().any(|word| before.contains(word))
}

/// `done-41175`, `us-east-1`: words, and a number behind them.
fn is_item(word: &str) -> bool {
    word.rsplit_once(['-', '_']).is_some_and(|(words, number)| {
        is_number(number)
            && number.len() <= 6
            && words.split(['-', '_']).count() <= 2
            && words.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'-' | b'_'))
    })
}

/// `27017/db?x=y`, behind the colon of a host.
fn is_port_and_path(word: &str) -> bool {
    word.split_once('/').is_some_and(|(port, _)| (2..=5).contains(&port.len()) && is_number(port))
}

/// `user@host.example`
fn is_at_host(word: &str) -> bool {
    word.rsplit_once('@').is_some_and(|(user, host)| host.contains('.') && host.bytes().all(is_name) && user.bytes().all(is_name))
}

/// `12-Jun-2025`
fn is_date(word: &str) -> bool {
    let mut parts = word.split('-');
    let (day, month, year) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    is_number(day) && day.len() <= 2 && month.len() == 3 && is_number(year) && parts.next().is_none()
}

/// A call, a frame, an address with a port, a file.
fn is_code(text: Text<'_>, word: &str, end: usize) -> bool {
    let is_called = matches!(text.at(end), b'(' | b'[') && word.bytes().all(|b| is_alnum(b) || matches!(b, b'.' | b'_' | b'$' | b':'));
    let is_port =
        word.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit()));
    let is_file = word.rsplit_once('.').is_some_and(|(stem, end)| {
        (2..=4).contains(&end.len())
            && end.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            && end.bytes().any(|b| b.is_ascii_lowercase())
            && stem.bytes().all(|b| is_name(b) || b == b'/')
    });
    is_called
        || is_port
        || is_file && !word.contains(is_sign_of_password)
        || word.contains("::")
        || word.matches('/').count() >= 3 && !word.contains(['+', '='])
}

fn is_sign_of_password(c: char) -> bool {
    u8::try_from(c).is_ok_and(is_sign)
}

fn is_sign(b: u8) -> bool {
    matches!(b, b'!' | b'#' | b'$' | b'%' | b'&' | b'*' | b'+' | b'@' | b'^' | b'~' | b'?')
}
