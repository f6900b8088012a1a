//! Is the value beside a label the secret that the label announces?

use super::around::{
    is_argument, is_argument_of_function, is_beside_user, is_chained, is_compound, is_described, is_in_list, is_of_a_role,
    is_option_of_list, is_public_key_id, is_row, is_second_of_list, names_a_phrase, opens_call, prefixed, starts_its_line, word_follows,
};
use super::label::{Label, Weight};
use super::lookalike::{is_fingerprint, is_lookalike};
use super::pair::{Joint, Name, Value};
use super::random::{Makeup, Pairs};
use super::text::{Text, is_blank, is_quote};
use super::value::{
    is_attribute, is_class_name, is_masked, is_nothing, is_number, is_place, is_reference, is_time, is_uuid, is_version, is_word,
    looks_chosen,
};

/// Longest value that a label alone makes a secret, bytes: longer ones are documents.
const VALUE_BYTES_MAX: usize = 4 << 10;

/// Calls around a value that fetch the secret instead of holding it.
const FETCHING: &[&str] = &[
    "get", "env", "secret", "secrets", "var", "lookup", "getenv", "read", "load", "fetch", "input", "getpass", "retrieve", "config",
    "conf", "path", "file", "find",
];

/// Whether the value is a secret.
pub fn is_secret(text: Text<'_>, name: Name, label: Label, value: &Value, pairs: &Pairs) -> bool {
    let words = value.pieces.words(text);
    let word = words.trim();
    // `{{resolve:secretsmanager:DbSecret:SecretString:password}}`
    let run = text.slice(text.floor(text.skip_back_max(name.start, 120, |b| !is_blank(b))), name.start);
    if run.contains("{{resolve:") {
        return false;
    }
    // `${secrets:prod/pg}`
    if text.ends(name.start, "${") && value.joint == Joint::Colon && word.contains('/') {
        return false;
    }
    // `https://x-access-token:…@host`: the URL says where it ends.
    let url =
        text.slice(text.floor(text.skip_back_max(name.start, 60, |b| !is_blank(b) && !matches!(b, b'/' | b'?' | b'&' | b'='))), name.start);
    if text.ends(name.start, "://") || text.ends(name.start - url.len(), "://") && value.joint == Joint::Colon {
        return false;
    }
    if is_moment(word) || is_chained(text, value) {
        return false;
    }
    if word.is_empty() || word.len() > VALUE_BYTES_MAX || is_masked(word) || is_reference(word) || is_nothing(word) {
        return false;
    }
    // `arn:aws:secretsmanager:…:secret:name`; a pair of its own behind a space.
    let lead = text.skip_back_max(name.start, 120, |b| !is_blank(b) && !is_quote(b));
    if text.slice(lead, name.start).contains("arn:") && text.before(name.start) == b':' {
        return false;
    }
    if matches!(value.joint, Joint::Space | Joint::Said) && !value.quoted && is_pair(word) {
        return matches!(label.kind, "auth" | "credential") && is_user_with_password(word, pairs);
    }
    // A connection string or a signed query: its own parts say which of them is the secret.
    if has_secret_part(word) {
        return false;
    }
    if is_fetched(text, value) || is_code(text, value, word, pairs) {
        return false;
    }
    if is_described(text, name, value, word) {
        return false;
    }
    if label.kind == "secret-id" {
        return is_uuid(word) && is_of_a_role(text, name);
    }
    let told = label.kind == "password" && value.joint == Joint::Said;
    let weight = if told || is_beside_user(text, name, label) { Weight::Strong } else { label.weight };
    match weight {
        Weight::Strong => strong(text, name, label, value, word, pairs),
        Weight::Firm => firm(text, name, label, value, word, pairs),
        Weight::Weak => weak(text, label, value, word, pairs),
    }
}

/// `Endpoint=sb://…;SharedAccessKey=…`, `sv=…&sig=…`
fn has_secret_part(word: &str) -> bool {
    let is_pairs = word.matches('=').count() >= 2;
    is_pairs && ["SharedAccessKey=", "AccountKey=", "&sig=", "?sig=", "SharedAccessSignature="].iter().any(|part| word.contains(part))
        || word.starts_with("sig=") && word.contains('&')
}

/// Seconds or milliseconds since 1970, of this half of the century.
fn is_moment(word: &str) -> bool {
    matches!(word.len(), 10 | 13) && word.starts_with(['1', '2']) && word.bytes().all(|b| b.is_ascii_digit())
}

/// `name=value`, `name: value`.
fn is_pair(word: &str) -> bool {
    word.split_once(['=', ':']).is_some_and(|(name, value)| {
        !value.is_empty()
            && name.len() >= 2
            && name.len() <= 32
            && name.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'.' | b'-'))
    })
}

/// `admin:x` behind `basic auth`.
fn is_user_with_password(word: &str, pairs: &Pairs) -> bool {
    word.split_once(':')
        .is_some_and(|(_, password)| looks_chosen(password, pairs) && !is_lookalike(password, pairs) && !password.contains('/'))
}

fn is_fetched(text: Text<'_>, value: &Value) -> bool {
    let (start, end) = value.call;
    let function = text.slice(start, end).to_ascii_lowercase();
    let last = function.rsplit(['.', ':']).next().unwrap_or("");
    FETCHING.iter().any(|word| last == *word || last.starts_with("get") || last.ends_with("_env") || last.ends_with("lookup"))
        && last != "secret"
        || last == "secret" && function.contains('.')
}

/// A call, an index, or the name of a variable that will hold the secret.
fn is_code(text: Text<'_>, value: &Value, word: &str, pairs: &Pairs) -> bool {
    if value.quoted {
        return false;
    }
    let is_constant = word.contains('_') && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    if is_attribute(word, pairs) || word.contains("::") || is_constant || word == "HTTP/1.1" {
        return true;
    }
    let callee = word.split(['(', '[']).next().unwrap_or("");
    let is_name = callee.len() > 1 && callee.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'.'));
    let is_small = !callee.bytes().any(|b| b.is_ascii_uppercase()) && callee.contains(['.', '_']);
    let has_arguments = word.ends_with([')', ']']) || ["(\"", "('", "[\"", "['", "=\""].iter().any(|open| word.contains(open));
    if callee.len() < word.len() && is_name && (is_small || has_arguments) {
        return true;
    }
    let next = text.at(value.pieces.end());
    if matches!(next, b'(' | b'[') && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')) {
        return true;
    }
    // `password=db_password`, `token=ACCESS_TOKEN`: a name that says what it holds.
    let lower = word.to_ascii_lowercase();
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let is_name = word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && (digits == 0
            || digits <= 5 && !Makeup::of(word, pairs).is_random() && word.bytes().next().is_some_and(|b| b.is_ascii_uppercase()));
    is_name && ["password", "passwd", "pwd", "token", "secret", "key", "credential", "passphrase"].iter().any(|end| lower.ends_with(end))
}

/// A password: whatever stands there, unless the joint is loose and the value a word of prose.
fn strong(text: Text<'_>, name: Name, label: Label, value: &Value, word: &str, pairs: &Pairs) -> bool {
    // The shell's working folders.
    let is_folder = ["/", "~", "./", "../"].iter().any(|start| word.starts_with(start)) || is_place(word);
    if is_folder && text.slice(name.start, name.end).to_ascii_lowercase().ends_with("pwd") {
        return false;
    }
    if is_place(word)
        && (word.contains("://") || word.starts_with('/') && word.matches('/').count() >= 2 || word.len() > 6 && !looks_drawn(word, pairs))
    {
        return false;
    }
    let doubled = text.starts(text.skip_spaces(name.end), "==") && !value.quoted;
    if is_version(word) && (doubled || label.kind == "secret") {
        return false;
    }
    match value.joint {
        Joint::Comma if !value.quoted && is_argument_of_function(text, name) => false,
        Joint::Comma if !value.quoted && text.at(value.pieces.end()) != b')' => {
            is_row(text, name, value) && looks_chosen(word, pairs) && !is_lookalike(word, pairs)
        }
        // `IN ('getSecret', 'createToken')`
        Joint::Comma if value.quoted && is_word(word) && is_in_list(text, name) => false,
        // A list of names.
        Joint::Comma if value.quoted && !opens_call(text, name) => looks_chosen(word, pairs) || is_jumbled(word, pairs),
        Joint::Equals | Joint::Colon if word.len() <= 2 && is_number(word) => false,
        // `password: the word that …` describes it.
        Joint::Colon if !value.quoted && is_word(word) && word_follows(text, value) => false,
        Joint::Equals | Joint::Arrow | Joint::Comma | Joint::Markup | Joint::Flag | Joint::Setting => true,
        Joint::Cell => (!is_word(word) || word.len() >= 16 || is_jumbled(word, pairs)) && !word.contains(' '),
        Joint::Colon if value.quoted => true,
        Joint::Colon if !is_blank(text.at(name.end + 1)) => true,
        Joint::Colon if is_jumbled(word, pairs) => true,
        Joint::Colon => !is_word(word) || starts_its_line(text, name) || is_compound(text, name) || prefixed(text, name),
        Joint::Said if value.quoted => true,
        Joint::Space if value.quoted && label.kind == "password" && names_a_phrase(text, name) => word.len() >= 8,
        Joint::Space if value.quoted => {
            (!is_word(word) || is_compound(text, name) || is_argument(text, name) && word.len() >= 4)
                && (!word.contains(' ') || is_option_of_list(text, name))
                && !is_class_name(word)
        }
        Joint::Said if is_number(word) => {
            (6..=8).contains(&word.len()) && text.slice(name.start, name.end).to_ascii_lowercase().ends_with("passcode")
        }
        Joint::Said => looks_chosen(word, pairs) || is_jumbled(word, pairs),
        Joint::Space => {
            let chosen = looks_chosen(word, pairs) && !is_lookalike(word, pairs) || is_jumbled(word, pairs);
            chosen && !is_class_name(word) && !is_uuid(word)
        }
    }
}

/// A token or key: no word of prose, no number, nothing that has a meaning.
fn firm(text: Text<'_>, name: Name, label: Label, value: &Value, word: &str, pairs: &Pairs) -> bool {
    let makeup = Makeup::of(word, pairs);
    if word.split(' ').count() >= 8 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b' ') {
        return text.slice(name.start, name.end).to_ascii_lowercase().ends_with("mnemonic")
            || text.slice(name.start, name.end).to_ascii_lowercase().ends_with("phrase");
    }
    if label.kind == "auth" {
        return authorization(word, pairs);
    }
    if is_place(word) && !looks_drawn(word, pairs) || is_class_name(word) || is_time(word) || word.contains(' ') && !value.quoted {
        return false;
    }
    if word.contains(' ') && label.kind != "secret" && label.kind != "password" {
        return false;
    }
    if word.starts_with('{') || word.starts_with('[') || word.contains("://") || is_fingerprint(word) {
        return false;
    }
    // `Secret: 'adls-account-key'`: what the secret is called.
    let names_one = ["-key", "-password", "-secret", "-token", "-pwd", "-credentials"].iter().any(|end| word.ends_with(end));
    if value.quoted && names_one && makeup.upper == 0 && makeup.digits <= 2 && !makeup.is_random() {
        return false;
    }
    let enough = match label.kind {
        "password" => 5,
        "secret" => 6,
        _ => 8,
    };
    if makeup.length < enough || is_number(word) && (makeup.length < 16 && label.kind != "password" && label.kind != "secret") {
        return false;
    }
    match value.joint {
        // `secret: permission denied for …`
        Joint::Colon if !value.quoted && is_word(word) && word_follows(text, value) => false,
        // `OPTIONS (api_key 'x')`: a name of a setting before a string.
        Joint::Space | Joint::Said if value.quoted && is_compound(text, name) && makeup.digits > 0 => true,
        Joint::Space | Joint::Said => {
            let random = makeup.is_random() && makeup.digits > 0 && makeup.length >= 12;
            let is_key =
                makeup.is_hex() && makeup.length >= 32 && !is_public_key_id(text, name) && makeup.digits > 0 && label.kind != "token";
            is_key || (random && !is_lookalike(word, pairs) && !is_place(word)) || value.quoted && random && !is_uuid(word)
        }
        _ if is_word(word) && makeup.is_random() && makeup.length >= 12 => true,
        _ if is_word(word) => {
            (value.joint != Joint::Colon || value.quoted || starts_its_line(text, name) || is_compound(text, name))
                && (makeup.is_random()
                    || makeup.length >= 12 && is_jumbled(word, pairs)
                    || label.kind == "secret" && makeup.length >= 8
                    || label.kind == "password"
                    || value.quoted && makeup.length >= 20 && !word.contains(['-', '.']))
        }
        Joint::Cell => makeup.is_random() || makeup.digits > 0 && makeup.kinds() >= 3,
        _ => {
            makeup.digits > 0
                || makeup.other > 0 && makeup.kinds() >= 3
                || makeup.is_random()
                || matches!(label.kind, "secret" | "password")
        }
    }
}

/// `key`, `sig`, `session`: drawn at random, and none of the things that are too.
fn weak(text: Text<'_>, label: Label, value: &Value, word: &str, pairs: &Pairs) -> bool {
    let makeup = Makeup::of(word, pairs);
    if word.contains(' ')
        || is_uuid(word)
        || is_class_name(word)
        || is_time(word)
        || word.contains("://")
        || word.starts_with(['{', '[', '(', '<'])
        || word.starts_with('/') && !word.contains('=') && 12 * word.matches('/').count() > word.len()
        || word.starts_with("S-1-")
        || word.starts_with("0x")
        || is_fingerprint(word)
        || label.kind == "key" && (is_encoded_text(word) || ends_with_digest(word))
        || word.contains('(')
    {
        return false;
    }
    let random = makeup.is_random();
    match label.kind {
        "pin" => {
            (4..=8).contains(&makeup.length) && makeup.digits == makeup.length && value.joint != Joint::Space
                || random && makeup.length >= 20
        }
        "password-hash" if word.starts_with("scrypt:") || word.starts_with("argon2") || word.starts_with("bcrypt") => true,
        "password-hash" => word.starts_with('$') && word.matches('$').count() >= 3 || word.starts_with("pbkdf2") || word.starts_with("{S"),
        "salt" | "code" => random && makeup.length >= 20,
        "login" if value.joint == Joint::Equals && !value.quoted && is_user_with_password(word, pairs) => true,
        "login" => makeup.length >= 20 && random && makeup.digits > 2 && !is_place(word) && !word.contains(['@', '.', '-']),
        "key" if makeup.is_hex() => makeup.length >= 32 && makeup.digits > 0 && !matches!(value.joint, Joint::Space | Joint::Said),
        "session"
            if makeup.length >= 20
                && makeup.digits >= 2
                && makeup.digits + makeup.lower == makeup.length
                && value.joint == Joint::Equals =>
        {
            true
        }
        "session" | "signature" if makeup.is_hex() => makeup.length >= 24 && makeup.digits > 0 && value.joint != Joint::Space,
        // `Credential=AKIA…/20250101/eu-west-1/s3/aws4_request`
        "credential" if word.ends_with("_request") => false,
        "credential" if value.joint == Joint::Flag => looks_chosen(word, pairs),
        "credential" if looks_chosen(word, pairs) && makeup.kinds() >= 3 && makeup.length >= 8 => true,
        "auth" if value.quoted && is_second_of_list(text, value) => looks_chosen(word, pairs) && makeup.length >= 6 && !is_place(word),
        "auth" => makeup.length >= 12 && (random || is_user_and_password(word)),
        _ => random && makeup.length >= 16 && (makeup.digits > 0 || makeup.lower.min(makeup.upper) >= 4) && !is_place(word),
    }
}

/// `Bearer x`, `Basic x`, `x`: the value of an authorization header without quotes is read by its own rules; a quoted one is whole here.
fn authorization(word: &str, pairs: &Pairs) -> bool {
    let credential = word.rsplit(' ').next().unwrap_or(word);
    let makeup = Makeup::of(credential, pairs);
    makeup.length >= 12 && (makeup.is_random() || is_user_and_password(credential)) && !is_reference(credential)
}

/// Base64 of `user:password`.
pub fn is_user_and_password(word: &str) -> bool {
    decoded(word).is_some_and(|bytes| bytes.contains(&b':') && bytes.iter().all(|b| matches!(b, b' '..=b'~') || *b >= 0x80))
}

/// What base64 in either alphabet holds.
pub fn decoded(word: &str) -> Option<Vec<u8>> {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    const BYTES_MAX: usize = 4096;
    let bare = word.trim_end_matches('=');
    if bare.len() > BYTES_MAX || bare.len() < 8 {
        return None;
    }
    if bare.contains(['-', '_']) { URL_SAFE_NO_PAD.decode(bare).ok() } else { STANDARD_NO_PAD.decode(bare).ok() }
}

/// Base64 of nothing but printable characters: a name, a number, a message.
fn is_encoded_text(word: &str) -> bool {
    decoded(word).is_some_and(|bytes| bytes.len() >= 6 && bytes.iter().all(|b| matches!(b, b' '..=b'~')))
}

/// `pip-1231ce…`: a name, and the hash of what it holds.
fn ends_with_digest(word: &str) -> bool {
    word.rsplit_once('-').is_some_and(|(name, hash)| hash.len() >= 32 && hash.bytes().all(|b| b.is_ascii_hexdigit()) && is_word(name))
}

fn looks_drawn(word: &str, pairs: &Pairs) -> bool {
    Makeup::of(word, pairs).is_random()
}

/// Letters without the order of words, or with capitals among them that no name has.
fn is_jumbled(word: &str, pairs: &Pairs) -> bool {
    let makeup = Makeup::of(word, pairs);
    let capitals = 100 * makeup.upper / makeup.letters().max(1);
    let is_odd = makeup.length >= 10 && makeup.lower >= 3 && capitals >= 34 && makeup.is_odd() && !is_class_name(word);
    makeup.length >= 8 && (makeup.is_random() || makeup.lower >= 2 && (25..=90).contains(&capitals) && is_odd)
}
