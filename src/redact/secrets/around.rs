//! What stands around a name and its value, and changes what they mean: other pairs, a call, a user, prose about the secret.

use super::label::{Label, Weight};
use super::pair::{Joint, Name, Value};
use super::text::{Text, is_blank, is_quote};
use super::value::is_word;

/// Prose about a secret: a comment on a column, the help of a flag, the name of a resource in an answer, the result of a test.
pub fn is_described(text: Text<'_>, name: Name, value: &Value, word: &str) -> bool {
    let end = value.pieces.end();
    if value.quoted {
        let rest = text.slice(end, text.floor(end + 24)).trim_start_matches(is_mark).to_ascii_lowercase();
        let is_resource = !word.bytes().any(|b| b.is_ascii_uppercase()) && word.contains('-');
        let answers =
            [" not found", " already exists", " is forbidden", " created", " deleted", " configured", " does not exist", " unchanged"];
        return value.joint == Joint::Said && !names_a_phrase(text, name) && word.split(' ').count() > 1 && word.split(' ').all(is_word)
            || value.joint == Joint::Space && is_resource && answers.iter().any(|answer| rest.starts_with(answer));
    }
    // `--password via the command line is insecure`
    const PROSE: &str = "via is on or and for to in from must should was not are option flag argument requires cannot can has will with by";
    if matches!(value.joint, Joint::Flag | Joint::Space) && PROSE.split(' ').any(|prose| word == prose) && word_follows(text, value) {
        return true;
    }
    let is_aligned = text.skip_spaces(name.end) >= name.end + 2;
    let is_test = text.slice(name.start, name.end) == "PASS"
        && (value.joint == Joint::Colon || word.contains(['/', '.', '(']) || word.contains("est_"));
    value.joint == Joint::Flag && is_aligned && is_word(word) && word_follows(text, value) || is_test
}

fn is_mark(c: char) -> bool {
    matches!(c, '"' | '\'' | '`' | '\\')
}

/// The id of a secret is a secret where a role logs in with it, as with Vault; elsewhere it is an id.
pub fn is_of_a_role(text: Text<'_>, name: Name) -> bool {
    const AROUND_BYTES: usize = 240;
    let around = text.slice(text.floor(name.start.saturating_sub(AROUND_BYTES)), text.floor(name.end + AROUND_BYTES)).to_ascii_lowercase();
    ["role", "vault", "secret_id_accessor"].iter().any(|word| around.contains(word))
}

/// `user etl, pass x`, `USER etl / PASS x`: the short name is none of a sentence.
pub fn is_beside_user(text: Text<'_>, name: Name, label: Label) -> bool {
    const BEFORE_BYTES: usize = 48;
    if label.kind != "password" || label.weight != Weight::Firm {
        return false;
    }
    let from = text.skip_back_max(name.start, BEFORE_BYTES, |b| b != b'\n');
    let before = text.slice(text.floor(from), name.start).to_ascii_lowercase();
    ["user", "login", "account", "usr"].iter().any(|word| before.contains(word))
        || text.slice(name.start, name.end) == "PASS" && before.trim_matches([' ', '>', '-', 'c', ':']).is_empty()
}

/// `using RSA key F19B…`: the fingerprint of a public key.
pub fn is_public_key_id(text: Text<'_>, name: Name) -> bool {
    ["RSA ", "DSA ", "ECDSA ", "EDDSA ", "EdDSA ", "gpg ", "GPG ", "gpg: ", "PGP ", "ed25519 ", "ED25519 "]
        .iter()
        .any(|word| text.ends(name.start, word))
        || text.slice(name.start, name.end) == "key" && text.ends(name.start, "gpg: ")
}

pub fn starts_its_line(text: Text<'_>, name: Name) -> bool {
    const BYTES_MAX: usize = 200;
    let start = text.line_start(name.start, BYTES_MAX);
    text.slice(text.floor(start), name.start)
        .bytes()
        .all(|b| is_blank(b) || matches!(b, b'-' | b'"' | b'\'' | b'>' | b'<' | b'|' | b'*' | b'#' | b'+'))
}

/// `db_password`, `user.password`, `DbPassword`: a name of a setting rather than a word of a sentence.
pub fn is_compound(text: Text<'_>, name: Name) -> bool {
    let words = text.slice(name.start, name.end);
    words.contains(['_', '.', '-']) || words.bytes().skip(1).any(|b| b.is_ascii_uppercase())
}

/// `f("password", "x")`, `["--password", "x"]`: a call or a command line, no list of names.
pub fn opens_call(text: Text<'_>, name: Name) -> bool {
    let words = text.slice(name.start, name.end);
    let quote = text.skip_back_max(name.start, 20, |b| is_quote(b) || matches!(b, b'-' | b'\\'));
    let before = text.skip_back_max(quote, 8, is_blank);
    words.contains(['-', '.']) || text.before(name.start) == b'-' || text.before(before) == b'('
}

/// More prose behind the value.
pub fn word_follows(text: Text<'_>, value: &Value) -> bool {
    let next = text.skip_spaces(value.pieces.end());
    let end = text.skip_max(next, 40, |b| b.is_ascii_alphabetic());
    next > value.pieces.end() && end - next >= 2 && matches!(text.at(end), b' ' | b'.' | b',' | b'\n' | 0 | b'\'')
}

/// `(host 'x', password 'y')`, `:password "y"`, `PASSWORD 'y'`: before a string, no word of a sentence.
pub fn is_argument(text: Text<'_>, name: Name) -> bool {
    let words = text.slice(name.start, name.end);
    let before = text.skip_back_max(name.start, 8, is_blank);
    matches!(text.before(before), b'(' | b',' | b':' | b'{' | b'[' | b';')
        || words.len() > 1 && words.bytes().all(|b| b.is_ascii_uppercase())
        || text.ends(before, "setq")
}

/// `(host 'x', password 'y')`, `WITH PASSWORD 'y'`
pub fn is_option_of_list(text: Text<'_>, name: Name) -> bool {
    let before = text.skip_back_max(name.start, 8, is_blank);
    let words = text.slice(name.start, name.end);
    words == "PASSWORD" || matches!(text.before(before), b'(' | b',') && words.to_ascii_lowercase().ends_with("password")
}

/// Other pairs stand before: `user: x, password: y`.
pub fn prefixed(text: Text<'_>, name: Name) -> bool {
    let before = text.skip_back_max(name.start, 4, |b| is_blank(b) || matches!(b, b'"' | b'\''));
    matches!(text.before(before), b',' | b'{' | b'(' | b';' | b'[' | b'|')
}

/// `passphrase "four words of prose"`.
pub fn names_a_phrase(text: Text<'_>, name: Name) -> bool {
    text.slice(name.start, name.end).to_ascii_lowercase().ends_with("phrase")
}

/// `sha2(password, 256)`: a call with a column.
pub fn is_argument_of_function(text: Text<'_>, name: Name) -> bool {
    let open = text.skip_back_max(name.start, 4, is_blank);
    text.before(open) == b'(' && open >= 2 && (text.at(open - 2).is_ascii_alphanumeric() || text.at(open - 2) == b'_')
}

/// `name,value`, alone on its line.
pub fn is_row(text: Text<'_>, name: Name, value: &Value) -> bool {
    text.line_start(name.start, 4) == name.start && name.start > 0 && matches!(text.at(value.pieces.end()), b'\n' | b'\r' | 0)
}

/// `IN ('a', 'b')`
pub fn is_in_list(text: Text<'_>, name: Name) -> bool {
    let open = text.skip_back_max(name.start, 4, |b| is_blank(b) || is_quote(b) || b == b'(');
    text.ends(open, " IN") || text.ends(open, " in")
}

/// `client("secretsmanager").get(…)`: a call whose result is called.
pub fn is_chained(text: Text<'_>, value: &Value) -> bool {
    let end = value.pieces.end();
    value.call.0 < value.call.1
        && value.quoted
        && text.at(end + 1) == b')'
        && text.at(end + 2) == b'.'
        && text.at(end + 3).is_ascii_alphabetic()
}

/// `["user", "x"]`
pub fn is_second_of_list(text: Text<'_>, value: &Value) -> bool {
    let start = value.pieces.0.first().map_or(0, |(start, _)| *start);
    let before = text.skip_back_max(start, 6, |b| is_blank(b) || is_quote(b));
    text.before(before) == b',' && is_quote(text.before(before - 1))
}
