//! Passwords in the recorded dialogue of a client with a server: SMTP, IMAP, Redis, Windows' hashes.

use super::call::is_drawn;
use super::found::Found;
use super::judge::decoded;
use super::place::password;
use super::random::Pairs;
use super::text::{Text, is_alnum, is_base64, is_quote};
use super::value::looks_chosen;
use super::word::{LINE_BYTES_MAX, last_word, word};

/// Marks to look for. `334 UGFzc3dvcmQ6` is a server's `Password:`; the number with a colon is the hash of nothing, beside which the real one
/// stands.
pub const MARKS: [&str; 7] =
    ["334 UGFzc3dvcmQ6", "AUTH LOGIN\n", "LOGIN challenge: ", "aad3b435b51404eeaad3b435b51404ee:", "\"AUTH\" ", "LOGIN ", "AUTH "];

/// The password behind the mark at `start..end`.
pub fn find(text: Text<'_>, mark: &str, start: usize, end: usize, pairs: &Pairs) -> Option<Found> {
    match mark {
        "334 UGFzc3dvcmQ6" => {
            // The client's answer to the server's `Password:`.
            let (from, to) = last_word(text, text.line_end(end, LINE_BYTES_MAX) + 1)?;
            let is_answer = to - from >= 8 && text.slice(from, to).bytes().all(is_base64);
            is_answer.then(|| Found { start: from, end: to, kind: "password", words: text.slice(from, to).to_owned() })
        }
        // The user, and the password on the line below, both in base64.
        "AUTH LOGIN\n" => {
            let line = text.line_end(end, 200) + 1;
            let to = text.line_end(line, 200);
            let is_line = |from: usize, to: usize| to - from >= 4 && text.slice(from, to).bytes().all(is_base64);
            let fits = is_line(end, line - 1) && is_line(line, to) && decoded(text.slice(end, line - 1)).is_some();
            fits.then(|| Found { start: line, end: to, kind: "password", words: text.slice(line, to).to_owned() })
        }
        "LOGIN challenge: " => {
            let (from, to) = word(text, end, 0)?;
            password(text, from, to, pairs)
        }
        "aad3b435b51404eeaad3b435b51404ee:" => {
            // The half of a Windows hash that is not the hash of nothing.
            let to = text.skip_max(end, 33, |b| b.is_ascii_hexdigit());
            let words = text.slice(end, to);
            (words.len() == 32).then(|| Found { start: end, end: to, kind: "password-hash", words: words.to_owned() })
        }
        "\"AUTH\" " => {
            let (from, to) = word(text, end, 0)?;
            let next = word(text, to + 1, 0).filter(|_| text.at(to + 1) == b' ' && text.at(to + 2) == b'"');
            let (from, to) = next.unwrap_or((from, to));
            password(text, from, to, pairs)
        }
        "LOGIN " => {
            let (from, to) = login(text, start, end, pairs)?;
            password(text, from, to, pairs)
        }
        _ => {
            let (from, to) = authentication(text, start, end, pairs)?;
            password(text, from, to, pairs)
        }
    }
}

/// IMAP's `LOGIN user "x"`.
fn login(text: Text<'_>, start: usize, end: usize, pairs: &Pairs) -> Option<(usize, usize)> {
    let opens = !is_alnum(text.before(start)) && !text.ends(start, "AUTH ") && !text.ends(start, "_");
    let (from, to) = opens.then(|| word(text, end, 1))??;
    (is_quote(text.at(to)) || is_drawn(text.slice(from, to), pairs)).then_some((from, to))
}

/// `AUTH x`, `AUTH user x` of Redis; `AUTH PLAIN x` of mail.
fn authentication(text: Text<'_>, start: usize, end: usize, pairs: &Pairs) -> Option<(usize, usize)> {
    if is_alnum(text.before(start)) || text.before(start) == b'_' {
        return None;
    }
    let first = word(text, end, 0)?;
    if matches!(text.slice(first.0, first.1), "PLAIN" | "LOGIN" | "CRAM-MD5" | "XOAUTH2")
        || !looks_chosen(text.slice(first.0, first.1), pairs)
    {
        let (from, to) = word(text, end, 1)?;
        return Some((from, text.skip_max(from, to - from, |b| b != b'\\')));
    }
    Some(first)
}
