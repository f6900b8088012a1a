//! Values with nothing but spaces, or words of prose, between them and their name.

use super::pair::{Joint, Name};
use super::text::{Text, is_blank};

/// A value with nothing but spaces before it: flags, settings, netrc, SQL, prose.
pub fn spaced_value(text: Text<'_>, name: Name, quoted: bool, position: usize) -> Option<(Joint, usize)> {
    let line = text.line_start(name.start, 400);
    let before = text.slice(text.floor(line), name.start);
    let is_flag = text.before(name.start) == b'-' || text.slice(name.start, name.end).starts_with('-');
    if is_flag {
        // A shell's command goes on behind its line's end.
        let position = if text.starts(position, "\\\n") { text.skip(position + 1, is_blank) } else { position };
        return (text.at(position) != b'-').then_some((Joint::Flag, position));
    }
    if let Some(at) = behind_sentence(text, position, before) {
        return Some((Joint::Said, at));
    }
    if let Some(at) = told_outright(text, position) {
        return Some((Joint::Equals, at));
    }
    for word in SAYING {
        if text.starts_anycase(position, word) {
            return Some((Joint::Said, text.skip_spaces(position + word.len())));
        }
    }
    for word in ["as ", "to ", "of ", "with value ", "value ", "and ", "with "] {
        if text.starts_anycase(position, word) {
            return Some((Joint::Space, text.skip_spaces(position + word.len())));
        }
    }
    if let Some(at) = behind_whom(text, position) {
        return Some((Joint::Said, at));
    }
    if before.trim_end().ends_with("ENV") || before.trim_end().ends_with("configure set") {
        return Some((Joint::Flag, position));
    }
    // `_authToken x` of a package manager's command.
    if text.slice(name.start, name.end).starts_with("_auth") {
        return Some((Joint::Setting, position));
    }
    // `password 7 0822455D0A16`, `secret 5 $1$…` of a router: behind the number of the method.
    let method = text.skip_max(position, 1, |b| b.is_ascii_digit());
    let coded = text.skip_max(method + 1, 120, |b| b.is_ascii_hexdigit());
    if method > position && text.at(method) == b' ' && (coded - method > 8 || text.at(method + 1) == b'$') {
        return Some((Joint::Setting, method + 1));
    }
    if follows_login(text, name.start) {
        return Some((Joint::Flag, position));
    }
    let name_words = text.slice(name.start, name.end);
    // `Using API_KEY x`: the name of a variable, and no word behind it.
    let is_variable = name_words.contains('_') && name_words.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let next = text.slice(position, text.floor(text.skip_max(position, 200, |b| !is_blank(b))));
    if is_variable && !quoted && next.len() >= 8 && next.bytes().filter(u8::is_ascii_digit).count() >= 2 && !next.contains(['(', '=', '/'])
    {
        return Some((Joint::Setting, position));
    }
    let starts_line = before.trim_matches(|c: char| !c.is_alphanumeric()).is_empty() || before.trim_end().ends_with(':');
    let aligned = position - name.end >= 2 && matches!(text.at(text.skip_max(position, 400, |b| !is_blank(b))), b'\n' | b'\r' | 0);
    if (name_words.contains('.') || aligned) && starts_line && !quoted {
        return Some((Joint::Setting, position));
    }
    Some((Joint::Space, position))
}

/// `API_KEY with value x`, `get("API_KEY") returned x`: where x starts, if it is no plain word.
fn told_outright(text: Text<'_>, position: usize) -> Option<usize> {
    const TELLING: [&str; 14] = [
        "used: ",
        "provided: ",
        "with value ",
        "with the value ",
        "has value ",
        "has the value ",
        "had value ",
        "returned ",
        "returns ",
        "resolved to ",
        "resolves to ",
        "evaluated to ",
        "equals ",
        "holds ",
    ];
    let word = TELLING.iter().find(|word| text.starts_anycase(position, word))?;
    let at = text.skip_spaces(position + word.len());
    let end = text.skip_max(at, 200, |b| !is_blank(b));
    let words = text.slice(at, text.floor(end));
    (words.len() >= 6 && words.bytes().any(|b| b.is_ascii_digit() || matches!(b, b'"' | b'\'')) || words.len() >= 20).then_some(at)
}

/// Verbs behind which a value stands.
const SAYING: [&str; 18] = [
    "has been reset to ",
    "has been set to ",
    "has been changed to ",
    "was reset to ",
    "reset to ",
    "is now ",
    "is: ",
    "is ",
    "was ",
    "set to ",
    "lautet: ",
    "lautet ",
    "ist ",
    "est : ",
    "est ",
    "es ",
    "является ",
    "=> ",
];

/// `password for etl is x`, `passphrase for key 'id_rsa': x`: behind whom or what it is for.
fn behind_whom(text: Text<'_>, position: usize) -> Option<usize> {
    const WORDS_MAX: usize = 4;
    let first = ["for ", "of ", "für ", "von ", "pour ", "para ", "do ", "da ", "del ", "de ", "di ", "du ", "per ", "voor "]
        .into_iter()
        .find(|word| text.starts_anycase(position, word))?;
    let mut at = position + first.len();
    for _ in 0..WORDS_MAX {
        let end = text.skip_max(at, 80, |b| !is_blank(b) && b != b':' && b != b'=');
        if matches!(text.at(end), b':' | b'=') && end > at {
            return Some(text.skip_spaces(end + 1));
        }
        at = text.skip_spaces(end);
        for verb in SAYING {
            if text.starts_anycase(at, verb) {
                return Some(text.skip_spaces(at + verb.len()));
            }
        }
        if at == end {
            return None;
        }
    }
    None
}

/// `a temporary password is generated for root@localhost: x`, `use the following password to proceed:` and x on a line of its own: what
/// stands alone behind the colon that ends the sentence.
fn behind_sentence(text: Text<'_>, position: usize, before: &str) -> Option<usize> {
    const GIVING: [&str; 12] = [
        "generated",
        "following",
        "temporary",
        "initial",
        " new",
        "created",
        "assigned",
        "proceed",
        "log in",
        "sign in",
        "was set",
        "has been set",
    ];
    const SENTENCE_BYTES_MAX: usize = 80;
    let colon = text.skip_max(position, SENTENCE_BYTES_MAX, |b| {
        b.is_ascii_alphanumeric() || matches!(b, b' ' | b'@' | b'.' | b'-' | b'_' | b'\'' | b',')
    });
    let sentence = text.slice(position, colon);
    let gives = |words: &str| {
        let lower = words.to_ascii_lowercase();
        GIVING.iter().any(|word| lower.contains(word))
    };
    if text.at(colon) != b':' || colon < position + 4 || !gives(sentence) && !gives(before) {
        return None;
    }
    let at = text.skip(colon + 1, is_blank);
    let end = text.skip_max(at, 200, |b| !is_blank(b));
    let alone = matches!(text.at(text.skip_spaces(end)), b'\n' | b'\r' | 0);
    (at > colon + 1 && end - at >= 8 && alone).then_some(at)
}

/// `login user password x` of a netrc, on one line or over lines.
fn follows_login(text: Text<'_>, position: usize) -> bool {
    let user_end = text.skip_back_max(position, 40, is_blank);
    let user = text.skip_back_max(user_end, 80, |b| !is_blank(b));
    let word_end = text.skip_back_max(user, 40, is_blank);
    user < user_end && word_end < user && (text.ends(word_end, "login") || text.ends(word_end, "account"))
}
