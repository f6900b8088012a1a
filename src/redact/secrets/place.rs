//! Secrets that only their place gives away: the fifth field of a `.pgpass` line, the last word of `mc alias set`, what is piped into
//! `--password-stdin`, the salted base64 of `user / password` pairs.

use super::fed;
use super::found::Found;
use super::quote::Quote;
use super::random::Pairs;
use super::text::{Text, is_alnum, is_blank, is_dotted, is_quote};
use super::value::{is_masked, is_place, is_reference, looks_chosen};
use super::word::{LINE_BYTES_MAX, last_word, word};

/// Marks to look for.
pub const MARKS: &[&str] = &[
    "recovery codes",
    "backup codes",
    ":5432:",
    ":5433:",
    ":5439:",
    ":6432:",
    "alias set ",
    "config host add ",
    "net use ",
    "--password-stdin",
    "--passphrase-fd",
    "sudo -S",
    "chpasswd",
    "vault login -",
    "--with-token",
    "vault login ",
    "net user ",
    " login ",
    " -p ",
    " -P ",
    " -w ",
    " -pw ",
    " p=",
    " using ",
    ".LOGON ",
    ".logon ",
    "--value ",
    "--value=",
    "| gcloud secrets",
    "/reset/",
    "/verify/",
    "/invite/",
    "/confirm/",
    "/activate/",
    "/magic/",
    "/t/ac-",
    "/t/tk-",
    "netrc file: ",
    "> /",
    "vault.azure.net/secrets/",
    "input_value='",
    "sp_addlogin ",
    "htpasswd -b",
    "| kinit",
    "| passwd",
    "| gpg ",
    "| docker login",
    "| base64",
    "| openssl ",
    "| mysql",
    "> user ",
    "=<(echo ",
    "=$(echo ",
    ":*:",
    "add_user ",
    "change_password ",
    "\"kty\"",
    "string_value",
    "http-basic.",
    "/hooks/",
    "/t/",
    " <<< ",
    " /p:",
    " /P:",
    " /sp:",
    " /rp ",
    " /RP ",
    "valuating: env.",
    "valuating: secrets.",
];

/// `…/reset/x`: the part of an address that lets in whoever has it.
fn link(text: Text<'_>, end: usize, pairs: &Pairs) -> Option<Found> {
    const LENGTH_MIN: usize = 20;
    let to = text.skip_max(end, 400, |b| is_alnum(b) || matches!(b, b'-' | b'_'));
    let words = text.slice(end, to);
    let makeup = super::random::Makeup::of(words, pairs);
    (makeup.length >= LENGTH_MIN && makeup.digits > 1 && (makeup.is_random() || makeup.is_hex() && makeup.length >= 32)
        || super::value::is_uuid(words) && text.ends(end, "-"))
    .then(|| Found { start: end, end: to, kind: "token", words: words.to_owned() })
}

/// `Save these recovery codes:`, and each alone on one of the lines below.
pub fn codes(text: Text<'_>, end: usize, all: &mut Vec<Found>) {
    const CODES_MAX: usize = 20;
    let head = text.line_end(end, 120);
    if !text.slice(end, head).trim_end().ends_with(':') {
        return;
    }
    let mut line = head + 1;
    for _ in 0..CODES_MAX {
        let line_end = text.line_end(line, 80);
        let from = text.skip_max(line, 20, |b| is_blank(b) || matches!(b, b'*' | b'-' | b'.' | b')'));
        let words = text.slice(from, line_end).trim_end();
        let is_code =
            (6..=40).contains(&words.len()) && words.bytes().all(|b| is_alnum(b) || b == b'-') && words.bytes().any(|b| b.is_ascii_digit());
        if !is_code {
            return;
        }
        all.push(Found { start: from, end: from + words.len(), kind: "secret", words: words.to_owned() });
        line = line_end + 1;
    }
}

/// `tool -u user -p x`: one letter that says password where another one says user.
fn beside_user(text: Text<'_>, start: usize, end: usize) -> Option<(usize, usize)> {
    let line = text.floor(text.line_start(start, 200));
    let front = text.slice(line, start);
    let names_user =
        [" -u ", " -U ", " -l ", "--user", "-user ", " -username ", " u=", " user="].iter().any(|option| front.contains(option))
            || front.starts_with("u=");
    let (from, to) = names_user.then(|| word(text, end, 0))??;
    let words = text.slice(from, to);
    (words.len() >= 6 && !words.starts_with('-') && words.bytes().any(|b| b.is_ascii_alphabetic())).then_some((from, to))
}

/// `net use Z: \\\\srv\\share x /user:etl`: the word that is no drive, share or option.
fn behind_share(text: Text<'_>, end: usize) -> Option<(usize, usize)> {
    (0..4).filter_map(|skipped| word(text, end, skipped)).find(|(from, to)| {
        let words = text.slice(*from, *to);
        !words.starts_with(['/', '\\']) && !words.ends_with(':') && words != "*"
    })
}

/// `{"id": "https://kv.vault.azure.net/secrets/…", "value": "x"}`: what the command that shows a secret prints.
fn shown_by_a_vault(text: Text<'_>, start: usize, end: usize) -> Option<(usize, usize)> {
    const AROUND_BYTES: usize = 400;
    let from = text.skip_back_max(start, AROUND_BYTES, |_| true);
    let at = text.find(from, end - from + AROUND_BYTES, "\"value\"")? + "\"value\"".len();
    let value = text.skip_max(at, 8, |b| is_blank(b) || b == b':');
    let quote = Quote::at(text, value)?;
    let open = value + quote.len();
    Some((open, quote.close(text, open)?))
}

/// What a validation refused, when the field on the line above is a secret's.
fn refused_input(text: Text<'_>, start: usize, end: usize) -> Option<(usize, usize)> {
    let line = text.line_start(start, LINE_BYTES_MAX).checked_sub(1)?;
    let field = text.slice(text.floor(text.line_start(line, 200)), line).trim().to_ascii_lowercase();
    let is_secret =
        ["password", "passwd", "pwd", "secret", "token", "key", "credential", "passphrase"].iter().any(|word| field.ends_with(word));
    is_secret.then(|| Some((end, Quote::Char { mark: b'\'', slashes: 0 }.close(text, end)?)))?
}

/// The secret around the mark at `start..end`.
pub fn find(text: Text<'_>, mark: &str, start: usize, end: usize, pairs: &Pairs) -> Option<Found> {
    // Those that find several are asked by themselves.
    if matches!(mark, "\"kty\"" | "recovery codes" | "backup codes") {
        return None;
    }
    let (from, to) = match mark {
        ":5432:" | ":5433:" | ":5439:" | ":6432:" => pgpass(text, start, end)?,
        " login " => {
            let (from, to) = word(text, end, 0)?;
            let makeup = super::random::Makeup::of(text.slice(from, to), pairs);
            let is_token = makeup.length >= 20 && (makeup.is_random() || makeup.is_hex() && makeup.digits > 0);
            // `login user x`
            if !is_token
                && let Some((from, to)) = word(text, end, 1)
                && super::call::is_drawn(text.slice(from, to), pairs)
                && to - from >= 8
            {
                return Some(Found { start: from, end: to, kind: "password", words: text.slice(from, to).to_owned() });
            }
            return is_token.then(|| Found { start: from, end: to, kind: "token", words: text.slice(from, to).to_owned() });
        }
        // `poetry config http-basic.repository user x`
        "http-basic." => word(text, end, 2)?,
        "netrc file: " => word(text, end, 0)?,
        "--value " | "--value=" => {
            let line = text.slice(text.floor(text.line_start(start, LINE_BYTES_MAX)), start).to_ascii_lowercase();
            let sets_secret = ["secret", "securestring", "vault", "password", "token"].iter().any(|word| line.contains(word));
            sets_secret.then(|| word(text, end, 0))??
        }
        "string_value" => {
            let around = text.slice(text.floor(start.saturating_sub(120)), start).to_ascii_lowercase();
            let at = super::joint::assigned(text, end)?;
            around.contains("secret").then(|| word(text, at, 0))??
        }
        "/hooks/" | "/t/" => return link(text, end, pairs),
        " <<< " => fed::behind(text, start, end)?,
        " /p:" | " /P:" | " /sp:" | " /rp " | " /RP " => {
            let line = text.slice(text.floor(text.line_start(start, 200)), start).to_ascii_lowercase();
            ["/u:", "/su:", "/ru ", "/user:", "/n:"].iter().any(|user| line.contains(user)).then(|| word(text, end, 0))??
        }
        "valuating: env." | "valuating: secrets." => fed::evaluated(text, end)?,
        "/reset/" | "/verify/" | "/invite/" | "/confirm/" | "/activate/" | "/magic/" | "/t/ac-" | "/t/tk-" => {
            return link(text, end, pairs);
        }
        " -p " | " -P " | " -w " | " -pw " | " p=" => beside_user(text, start, end)?,
        " using " => {
            let user = text.skip_back_max(start, 64, |b| !is_blank(b));
            text.ends(user, " user ").then(|| word(text, end, 0))??
        }
        ".LOGON " | ".logon " => {
            let comma = text.skip_max(end, 100, |b| !is_blank(b) && b != b',');
            let (from, to) = (text.at(comma) == b',').then(|| word(text, comma + 1, 0))??;
            (from, text.skip_back_max(to, 1, |b| b == b';'))
        }
        "> /" => fed::written_to(text, start, end)?,
        "vault.azure.net/secrets/" => shown_by_a_vault(text, start, end)?,
        "input_value='" => refused_input(text, start, end)?,
        "sp_addlogin " => last_word(text, end)?,
        ":*:" => pgpass(text, start, end)?,
        "alias set " | "config host add " => {
            // The name of the key goes with it.
            let (from, _) = word(text, end, 2)?;
            let (second, to) = word(text, end, 3)?;
            if looks_chosen(text.slice(second, to), pairs) && from < second {
                return Some(Found { start: from, end: to, kind: "key", words: text.slice(from, to).to_owned() });
            }
            (second, to)
        }
        "net user " | "> user " => word(text, end, 1)?,
        "=<(echo " | "=$(echo " => word(text, end, 0)?,
        "vault login " => word(text, end, 0)?,
        "net use " => behind_share(text, end)?,
        "htpasswd -b" | "add_user " | "change_password " => last_word(text, end)?,
        _ => fed::piped(text, start)?,
    };
    password(text, from, to, pairs)
}

/// The private members of a JSON web key: `"d"` and the primes, within the same object. `start` is where `"kty"` stands.
pub fn web_key(text: Text<'_>, start: usize, all: &mut Vec<Found>) {
    const OBJECT_BYTES_MAX: usize = 8 << 10;
    let open = text.skip_back_max(start, OBJECT_BYTES_MAX, |b| b != b'{');
    let close = text.skip_max(start, OBJECT_BYTES_MAX, |b| b != b'}');
    for member in ["\"d\"", "\"p\"", "\"q\"", "\"dp\"", "\"dq\"", "\"qi\"", "\"k\""] {
        let Some(at) = text.find(open, close - open, member) else { continue };
        let value = text.skip_max(at + member.len(), 4, |b| is_blank(b) || b == b':');
        if let Some(quote) = Quote::at(text, value)
            && let Some(end) = quote.close(text, value + quote.len())
            && end - value >= 16
        {
            let from = value + quote.len();
            all.push(Found { start: from, end, kind: "private-key", words: text.slice(from, end).to_owned() });
        }
    }
}

/// `host:port:database:user:password`, alone on its line.
fn pgpass(text: Text<'_>, start: usize, end: usize) -> Option<(usize, usize)> {
    // `*:*:*:user:x`: the first stars.
    let (start, end) = if text.starts(start, ":*:*:") && text.before(start) == b'*' { (start, start + 3) } else { (start, end) };
    let host = text.skip_back_max(start, 200, |b| is_dotted(b) || b == b'*');
    let database = text.skip_max(end, 64, |b| is_dotted(b) || b == b'*');
    let user = text.skip_max(database + 1, 64, |b| is_dotted(b) || b == b'*');
    let fits = host < start && database > end && text.at(database) == b':' && user > database + 1 && text.at(user) == b':';
    fits.then(|| (user + 1, text.skip_max(user + 1, LINE_BYTES_MAX, |b| !is_blank(b) && !is_quote(b))))
}

/// What stands at `from..to` as a password, if it may be one.
pub fn password(text: Text<'_>, from: usize, to: usize, pairs: &Pairs) -> Option<Found> {
    let words = text.slice(from, to);
    let is_none =
        words.len() < 4 || words.starts_with('-') || is_masked(words) || is_reference(words) || is_place(words) || words.contains("://");
    let is_chosen = looks_chosen(words, pairs) || super::random::Makeup::of(words, pairs).is_random();
    (!is_none && is_chosen).then(|| Found { start: from, end: to, kind: "password", words: words.to_owned() })
}
