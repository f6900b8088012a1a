//! Secrets that only their place gives away: the fifth field of a `.pgpass` line, the last word of `mc alias set`, what is piped into
//! `--password-stdin`, the salted base64 of `user / password` pairs.

use super::found::Found;
use super::quote::Quote;
use super::random::Pairs;
use super::text::{Text, is_alnum, is_blank, is_dotted, is_quote, is_space};
use super::value::{is_masked, is_place, is_reference, looks_chosen};

/// Longest line that is read around a mark, bytes.
const LINE_BYTES_MAX: usize = 1 << 10;

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
    "AUTH ",
    "\"kty\"",
    "string_value",
    "334 UGFzc3dvcmQ6",
    "AUTH LOGIN\n",
    "LOGIN challenge: ",
    "/hooks/",
    "/t/",
    " <<< ",
    "aad3b435b51404eeaad3b435b51404ee:",
    "\"AUTH\" ",
    "LOGIN ",
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

/// IMAP's `LOGIN user "x"`.
fn login(text: Text<'_>, start: usize, end: usize, pairs: &Pairs) -> Option<(usize, usize)> {
    let opens = !is_alnum(text.before(start)) && !text.ends(start, "AUTH ") && !text.ends(start, "_");
    let (from, to) = opens.then(|| word(text, end, 1))??;
    (is_quote(text.at(to)) || super::call::is_drawn(text.slice(from, to), pairs)).then_some((from, to))
}

/// `kinit user <<< 'x'`: what a command that asks for a password is fed with.
fn fed(text: Text<'_>, start: usize, end: usize) -> Option<(usize, usize)> {
    const ASKING: [&str; 9] = ["kinit", "passwd", "sudo ", "login", "gpg ", "openssl ", "mysql", "su ", "cryptsetup"];
    let front = text.slice(text.floor(text.line_start(start, LINE_BYTES_MAX)), start);
    ASKING.iter().any(|command| front.contains(command)).then(|| word(text, end, 0))?
}

/// `Evaluating: env.DEPLOY_PASSWORD`, and `Result: 'x'` or `=> 'x'` on the line below.
fn evaluated(text: Text<'_>, end: usize) -> Option<(usize, usize)> {
    let name_end = text.line_end(end, 120);
    let name = text.slice(end, name_end).to_ascii_lowercase();
    let announces = ["pass", "pwd", "pw", "secret", "token", "key", "cred"].iter().any(|word| name.contains(word));
    let next = text.slice(name_end, text.line_end(name_end + 1, 200));
    let at = next.find("Result: ").map(|at| at + "Result: ".len()).or_else(|| next.find("=> ").map(|at| at + "=> ".len()))?;
    announces.then(|| word(text, name_end + at, 0))?
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

/// `echo "x" > /etc/secret.txt`: written to a file whose name says what it is.
fn written_to(text: Text<'_>, start: usize, end: usize) -> Option<(usize, usize)> {
    let path_end = text.skip_max(end, 200, |b| !is_blank(b));
    let path = text.slice(end, path_end).to_ascii_lowercase();
    let line = text.floor(text.line_start(start, LINE_BYTES_MAX));
    let front = text.slice(line, start);
    let at = front.rfind("echo ")? + "echo ".len();
    let names_it = ["secret", "pass", "token", "cred", "pwd", "apikey", "api_key", "netrc"].iter().any(|word| path.contains(word));
    let (from, to) = names_it.then(|| word(text, line + at, usize::from(text.at(line + at) == b'-')))??;
    (to <= start && !text.slice(from, to).contains(' ')).then_some((from, to))
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
        "AUTH " => authentication(text, start, end, pairs)?,
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
        "334 UGFzc3dvcmQ6" => {
            // The client's answer to the server's `Password:`.
            let (from, to) = last_word(text, text.line_end(end, LINE_BYTES_MAX) + 1)?;
            let is_answer = to - from >= 8 && text.slice(from, to).bytes().all(super::text::is_base64);
            return is_answer.then(|| Found { start: from, end: to, kind: "password", words: text.slice(from, to).to_owned() });
        }
        // The user, and the password on the line below, both in base64.
        "AUTH LOGIN\n" => {
            let line = text.line_end(end, 200) + 1;
            let to = text.line_end(line, 200);
            let is_line = |from: usize, to: usize| to - from >= 4 && text.slice(from, to).bytes().all(super::text::is_base64);
            let fits = is_line(end, line - 1) && is_line(line, to) && super::judge::decoded(text.slice(end, line - 1)).is_some();
            return fits.then(|| Found { start: line, end: to, kind: "password", words: text.slice(line, to).to_owned() });
        }
        "LOGIN challenge: " => word(text, end, 0)?,
        "aad3b435b51404eeaad3b435b51404ee:" => {
            // The half of a Windows hash that is not the hash of nothing.
            let to = text.skip_max(end, 33, |b| b.is_ascii_hexdigit());
            let words = text.slice(end, to);
            return (words.len() == 32).then(|| Found { start: end, end: to, kind: "password-hash", words: words.to_owned() });
        }
        "\"AUTH\" " => {
            let (from, to) = word(text, end, 0)?;
            let next = word(text, to + 1, 0).filter(|_| text.at(to + 1) == b' ' && text.at(to + 2) == b'"');
            next.unwrap_or((from, to))
        }
        "LOGIN " => login(text, start, end, pairs)?,
        " <<< " => fed(text, start, end)?,
        " /p:" | " /P:" | " /sp:" | " /rp " | " /RP " => {
            let line = text.slice(text.floor(text.line_start(start, 200)), start).to_ascii_lowercase();
            ["/u:", "/su:", "/ru ", "/user:", "/n:"].iter().any(|user| line.contains(user)).then(|| word(text, end, 0))??
        }
        "valuating: env." | "valuating: secrets." => evaluated(text, end)?,
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
        "> /" => written_to(text, start, end)?,
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
        _ => piped(text, start)?,
    };
    let words = text.slice(from, to);
    let is_none =
        words.len() < 4 || words.starts_with('-') || is_masked(words) || is_reference(words) || is_place(words) || words.contains("://");
    let is_chosen = looks_chosen(words, pairs) || super::random::Makeup::of(words, pairs).is_random();
    (!is_none && is_chosen).then(|| Found { start: from, end: to, kind: "password", words: words.to_owned() })
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

/// The word after `skipped` others, with its quotes taken off.
fn word(text: Text<'_>, position: usize, skipped: usize) -> Option<(usize, usize)> {
    let mut position = text.skip_spaces(position);
    for _ in 0..skipped {
        position = text.skip_max(position, LINE_BYTES_MAX, |b| !is_blank(b));
        position = text.skip_spaces(position);
    }
    if let Some(quote) = Quote::at(text, position) {
        let start = position + quote.len();
        return Some((start, quote.close(text, start)?));
    }
    let end = text.skip_max(position, LINE_BYTES_MAX, |b| !is_blank(b) && !is_quote(b));
    (end > position).then_some((position, end))
}

fn last_word(text: Text<'_>, position: usize) -> Option<(usize, usize)> {
    let line = text.skip_max(position, LINE_BYTES_MAX, |b| !matches!(b, b'\n' | b';' | b'|' | b'&'));
    let end = text.skip_back_max(line, 40, |b| is_space(b) || is_quote(b));
    let start = text.skip_back_max(end, end.saturating_sub(position), |b| !is_blank(b) && !is_quote(b));
    (start < end && !text.slice(start, end).starts_with('/')).then_some((start, end))
}

/// The last word before `end`, its quotes taken off.
fn last_word_within(text: Text<'_>, from: usize, end: usize) -> Option<(usize, usize)> {
    let end = text.skip_back_max(end, 40, |b| is_space(b) || is_quote(b));
    let start = text.skip_back_max(end, end.saturating_sub(from), |b| !is_blank(b) && !is_quote(b));
    (start < end).then_some((start, end))
}

/// `echo x | login --password-stdin`: x, or what follows the colon of `user:x`.
fn piped(text: Text<'_>, position: usize) -> Option<(usize, usize)> {
    let line = text.line_start(position, LINE_BYTES_MAX);
    let end = text.line_end(position, LINE_BYTES_MAX);
    if let Some(at) = text.slice(position, end).find("<<< ") {
        return word(text, position + at + "<<< ".len(), 0);
    }
    let front = text.slice(text.floor(line), position);
    let bar = match front.rfind('|') {
        _ if text.at(position) == b'|' => front.len(),
        Some(bar) => bar,
        // A trace of the shell shows both ends of the pipe, each on its line.
        None => {
            let above = line.checked_sub(1)?;
            let echo = text.slice(text.floor(text.line_start(above, 300)), above);
            let words = echo.strip_prefix("+ echo ")?;
            let is_trace = front.starts_with("+ ");
            let (from, to) = is_trace.then(|| word(text, above - words.len(), 0))??;
            let user = text.slice(from, to).split_once(':').map_or(0, |(user, _)| user.len() + 1);
            return Some((from + user, to));
        }
    };
    let (at, command) = ["echo ", "printf ", "Write-Output ", "<<< "]
        .iter()
        .filter_map(|word| front.get(..bar)?.rfind(word).map(|at| (at + word.len(), *word)))
        .max()?;
    let mut start = text.floor(line) + at;
    // The words are behind the form.
    if command == "printf " && front.get(at..bar)?.contains("%s") {
        return last_word_within(text, start, text.floor(line) + bar);
    }
    while text.at(start) == b'-' {
        start = text.skip_spaces(text.skip_max(start, 16, |b| !is_blank(b)));
    }
    let (start, end) = word(text, start, 0)?;
    match text.slice(start, end).split_once(':') {
        Some((user, password)) if !user.is_empty() && user.bytes().all(is_dotted) && !password.is_empty() => {
            Some((end - password.len(), end))
        }
        _ => Some((start, end)),
    }
}
