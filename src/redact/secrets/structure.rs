//! Secrets that their own structure gives away: JSON web tokens, armoured private keys, URLs with a password, authorization headers.

use super::found::Found;
use super::judge::{decoded, is_user_and_password};
use super::lone::is_explained;
use super::random::{Makeup, Pairs};
use super::shape::extend;
use super::text::{Text, is_alnum, is_base64, is_blank, is_digit, is_dotted, is_encoded, is_quote, is_space};
use super::value::{is_masked, is_nothing, is_reference, looks_chosen};
use super::wrap::Pieces;

/// Longest private key with what stands between its lines, bytes. A 16384-bit RSA key is 13 KB; log prefixes triple it.
const KEY_BYTES_MAX: usize = 48 << 10;
/// Longest web token, bytes.
const TOKEN_BYTES_MAX: usize = 16 << 10;
/// Longest part of a URL before its host, bytes.
const USERINFO_BYTES_MAX: usize = 512;

/// `eyJ….eyJ….…`: header and body in base64 of JSON; also encrypted ones (five parts), and cut-off ones.
pub fn web_token(text: Text<'_>, start: usize, pairs: &Pairs) -> Option<Found> {
    if is_alnum(text.before(start)) && !text.ends(start, "\\n") && !text.ends(start, "%20") {
        return None;
    }
    let of: fn(u8) -> bool = |b| is_dotted(b) || matches!(b, b'=' | b'%' | b'+' | b'/');
    let mut pieces = Pieces::one(start, text.skip_max(start, TOKEN_BYTES_MAX, of));
    extend(text, of, 60, None, pairs, &mut pieces);
    let words = pieces.words(text);
    let header = words.split('.').next().unwrap_or("");
    let is_json = decoded_start(header).is_some_and(|json| json.starts_with("{\"") || json.starts_with("{ \"") || json.starts_with("{\n"));
    // One part alone is any JSON, as of a cursor; what it holds is looked at elsewhere.
    let says = words.contains('.') || words.len() >= 60 && super::inside::decoded(&words).is_none();
    (is_json && says && words.len() >= 30).then(|| Found {
        start,
        end: pieces.end(),
        kind: "jwt",
        words: words.trim_end_matches('.').to_owned(),
    })
}

/// The text that the first characters of base64 hold.
fn decoded_start(words: &str) -> Option<String> {
    let whole = words.len().min(64) / 4 * 4;
    let bytes = decoded(words.get(..whole)?)?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The body between `-----BEGIN … PRIVATE KEY-----` and its END, whatever its lines are broken by. `mark` is where `PRIVATE KEY` stands.
pub fn private_key(text: Text<'_>, mark: usize) -> Option<Found> {
    let begin = text.skip_back_max(mark, 40, |b| b.is_ascii_uppercase() || b == b' ');
    let armour = text.slice(begin, mark);
    if armour.trim_start().starts_with("END") {
        return end_of_key(text, begin);
    }
    if !armour.trim_start().starts_with("BEGIN") || !text.ends(begin, "--") && !text.ends(begin, "---- ") {
        return None;
    }
    let mut start = mark + "PRIVATE KEY".len();
    if text.starts(start, " BLOCK") {
        start += " BLOCK".len();
    }
    start = text.skip_max(start, 8, |b| b == b'-' || b == b' ');
    let end = text.find(start, KEY_BYTES_MAX, "-----END").or_else(|| text.find(start, KEY_BYTES_MAX, "---- END"));
    let end = end.unwrap_or_else(|| cut_off_key(text, start, start + text.reach(KEY_BYTES_MAX)));
    let end = text.floor(end);
    let words: String = text.slice(start, end).bytes().filter(|b| is_base64(*b)).map(char::from).collect();
    (!words.is_empty() && !is_masked(text.slice(start, end).trim()) && !text.slice(start, end).contains('‹')).then_some(Found {
        start,
        end,
        kind: "private-key",
        words,
    })
}

/// The lines of an OpenVPN static key. `mark` is where `OpenVPN Static key` stands.
pub fn static_key(text: Text<'_>, mark: usize) -> Option<Found> {
    let start = text.line_end(mark, 80) + 1;
    let end = text.find(start, 2 << 10, "-----END")?;
    let words: String = text.slice(start, end).bytes().filter(u8::is_ascii_hexdigit).map(char::from).collect();
    (text.ends(mark, "BEGIN ") && words.len() >= 64).then_some(Found { start, end, kind: "private-key", words })
}

/// The lines of PuTTY's private part: as many as `end` is followed by.
pub fn putty_key(text: Text<'_>, end: usize) -> Option<Found> {
    const LINES_MAX: usize = 400;
    let digits = text.skip_max(end, 3, is_digit);
    let count: usize = text.slice(end, digits).parse().ok()?;
    let start = text.line_end(digits, 8) + 1;
    let stop = (0..count.min(LINES_MAX)).fold(start, |at, _| text.line_end(at, 200) + 1);
    let stop = text.floor(stop.saturating_sub(1).max(start));
    let words: String = text.slice(start, stop).bytes().filter(|b| is_base64(*b)).map(char::from).collect();
    (words.len() >= 24).then_some(Found { start, end: stop, kind: "private-key", words })
}

/// A key whose start the log lacks: the lines of base64 before its end.
fn end_of_key(text: Text<'_>, begin: usize) -> Option<Found> {
    let end = text.skip_back_max(begin, 8, |b| b == b'-');
    let lines = text.skip_back_max(end, KEY_BYTES_MAX, |b| is_base64(b) || b == b'\n' || b == b'\r');
    let start = text.skip_max(lines, 2, |b| b == b'\n' || b == b'\r');
    let words: String = text.slice(start, end).bytes().filter(|b| is_base64(*b)).map(char::from).collect();
    // Without a line of its own this is the end of a sentence before the armour.
    (words.len() >= 24 && text.slice(start, end).contains('\n')).then_some(Found { start, end, kind: "private-key", words })
}

/// A key whose end the log lacks: line by line while they end in base64.
fn cut_off_key(text: Text<'_>, start: usize, limit: usize) -> usize {
    let mut end = start;
    let mut position = start;
    while position < limit && position < text.len() {
        let line_end = text.line_end(position, 4096);
        let line = text.slice(position, line_end).trim_end();
        let token = line.rsplit([' ', '\t', '|', '>']).next().unwrap_or("");
        let is_body = token.len() >= 16 && token.bytes().all(|b| is_base64(b) || b == b'\\' || b == b'"' || b == b'\'' || b == b',');
        if !line.trim().is_empty() && !is_body && position > start {
            break;
        }
        end = line_end;
        position = line_end + 1;
    }
    end
}

/// The password of `scheme://user:password@host`, or a user name that is a token itself. `mark` is where `://` (or its code) stands.
pub fn url_password(text: Text<'_>, mark: usize, mark_end: usize, pairs: &Pairs) -> Option<Found> {
    let encoded = text.at(mark) == b'%';
    let stop: fn(u8) -> bool = |b| !is_blank(b) && !is_quote(b) && !matches!(b, b'<' | b'>' | b'|' | b'{' | b'}' | b'\\');
    let start = mark_end;
    let end = text.skip_max(start, USERINFO_BYTES_MAX, stop);
    let whole = text.slice(start, text.floor(end));
    let (colon, at) = if encoded { ("%3a", "%40") } else { (":", "@") };
    let lower = whole.to_ascii_lowercase();
    let strict_end = if encoded { lower.find("%2f").unwrap_or(lower.len()) } else { whole.find(['/', '?', '#']).unwrap_or(whole.len()) };
    let user_end = lower.find(colon);
    let at_position = match lower.get(..strict_end)?.rfind(at) {
        Some(position) => position,
        // A password with a slash or a question mark: up to the last `@` whose host follows.
        None => {
            let user_end = user_end.filter(|user_end| *user_end < strict_end)?;
            let is_port = lower.get(user_end + colon.len()..strict_end)?.bytes().all(|b| b.is_ascii_digit());
            let position = lower.rfind(at)?;
            let is_query = lower.get(strict_end + 1..position)?.contains(['?', '=']) || lower.get(strict_end..position)?.contains("://");
            if is_port || is_query {
                return None;
            }
            position
        }
    };
    let (from, kind) = match user_end.filter(|user_end| *user_end < at_position) {
        Some(user_end) if user_end + colon.len() < at_position => (user_end + colon.len(), "url-password"),
        // `https://x:@host`: a token in place of the user.
        Some(user_end) if Makeup::of(whole.get(..user_end)?, pairs).is_random() => {
            let words = whole.get(..user_end)?;
            return (words.len() >= 16).then(|| Found { start, end: start + user_end, kind: "url-token", words: words.to_owned() });
        }
        Some(_) => return None,
        None => {
            let makeup = Makeup::of(lower.get(..at_position)?, pairs);
            let user = Makeup::of(whole.get(..at_position)?, pairs);
            if user.length < 16 || !(user.is_random() && user.digits > 0 || makeup.is_hex() && user.length >= 24) {
                return None;
            }
            (0, "url-token")
        }
    };
    let words = whole.get(from..at_position)?;
    // `host:1433;database=dw;user=etl@srv`: a port and settings.
    if words.split_once(';').is_some_and(|(port, _)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())) {
        return None;
    }
    let is_empty =
        words.is_empty() || is_masked(words) || is_reference(words) || kind == "url-password" && is_nothing(words) && words.len() < 4;
    (!is_empty).then(|| Found { start: start + from, end: start + at_position, kind, words: words.to_owned() })
}

/// `user:password@host` without a scheme; `at` is where the `@` stands.
pub fn bare_password(text: Text<'_>, at: usize, pairs: &Pairs) -> Option<Found> {
    if text.before(at) == b'"' && is_alnum(text.at(at + 1)) {
        // `user/"password"@service`
        let open = text.skip_back_max(at - 1, 80, |b| b != b'"' && !is_blank(b));
        let words = text.slice(open, at - 1);
        let opens = text.ends(open, "/\"") && open >= 3 && is_alnum(text.at(open - 3));
        return (opens && words.len() >= 4 && !is_masked(words) && !is_reference(words)).then(|| Found {
            start: open,
            end: at - 1,
            kind: "url-password",
            words: words.to_owned(),
        });
    }
    let start = text.floor(text.skip_back_max(at, 200, |b| !is_blank(b) && !is_quote(b) && b != b'@' && b < 0x80));
    // The user's name starts the word, or stands behind a sign that opens or separates.
    let front = text.slice(start, at);
    let has_port = {
        let host = text.skip_max(at + 1, 100, is_dotted);
        let port = text.skip_max(host + 1, 6, is_digit);
        text.at(host) == b':' && is_digit(text.at(host + 1)) && (text.slice(at + 1, host).contains('.') || port >= host + 5)
    };
    if text.starts(at, "@sha256:") {
        return None;
    }
    // `user/password@ORCL`, the name of a service in capitals.
    let service = text.skip_max(at + 1, 40, |b| b.is_ascii_uppercase() || is_digit(b) || matches!(b, b'_' | b'.'));
    let is_service = service - at > 3
        && !text.slice(at, service).contains('.')
        && text.at(at + 1).is_ascii_uppercase()
        && !is_alnum(text.at(service))
        && text.at(service) != b'-';
    let address = text.skip_max(at + 1, 16, |b| is_digit(b) || b == b'.');
    let is_address = text.slice(at + 1, address).split('.').filter(|part| !part.is_empty()).count() == 4 && !is_alnum(text.at(address));
    let has_port = has_port || is_service || is_address;
    // `user/password@host:1521` too.
    let colon = front.find(':').or_else(|| front.find('/').filter(|_| has_port && front.matches('/').count() == 1))?;
    let user = front.get(..colon)?.rsplit(['=', '(', '[', '{', ',', '|', '<', '/']).next()?;
    let password = front.get(colon + 1..)?;
    let host_end = text.skip_max(at + 1, 100, is_dotted);
    let host = text.slice(at + 1, host_end);
    let is_host = host.contains('.') && host.bytes().any(|b| b.is_ascii_alphabetic())
        || text.at(host_end) == b':' && is_digit(text.at(host_end + 1))
        || host == "localhost"
        || (is_service || is_address) && front.contains('/')
        || text.at(host_end) == b'(' && matches!(host, "tcp" | "unix");
    let is_user = !user.is_empty()
        && user.len() <= 64
        && user.bytes().all(is_dotted)
        && !matches!(
            user,
            "mailto" | "sip" | "sips" | "acct" | "xmpp" | "git" | "ssh" | "from" | "to" | "cc" | "user" | "email" | "mail" | "owner" | "by"
        );
    let makeup = Makeup::of(password, pairs);
    let is_password = makeup.length >= 6
        && makeup.kinds() >= 2
        && makeup.digits < makeup.length
        && (makeup.digits > 0 || makeup.is_random() || looks_chosen(password, pairs))
        && !is_masked(password)
        && !is_reference(password);
    (is_user && is_host && is_password && !password.starts_with('/')).then(|| Found {
        start: at - password.len(),
        end: at,
        kind: "url-password",
        words: password.to_owned(),
    })
}

/// The credential behind a scheme word: `Bearer x`, `Basic x`, `Token x`. `end` is where the word ends.
pub fn credential(text: Text<'_>, start: usize, end: usize, in_header: bool, pairs: &Pairs) -> Option<Found> {
    if is_alnum(text.before(start)) && !text.ends(start, "\\n") && !text.ends(start, "%20") {
        return None;
    }
    let mut position = text.skip_spaces(end);
    if position == end {
        position = ["%20", "+", "\\u0020", ": ", ":", "="].iter().find(|space| text.starts(end, space)).map(|space| end + space.len())?;
    }
    position = text.skip_max(position, 2, |b| is_quote(b) || b == b'=');
    let of: fn(u8) -> bool = |b| is_encoded(b) || b == b':' || b == b'|';
    let mut pieces = Pieces::one(position, text.skip_max(position, TOKEN_BYTES_MAX, of));
    extend(text, of, 16, None, pairs, &mut pieces);
    let words = pieces.words(text);
    let word = words.trim_end_matches(['.', ':', '|', '%']);
    // `SharedAccessSignature sr=…&sig=…`, `AWS4-HMAC-SHA256 Credential=…`: pairs, of which one proves something.
    let is_pairs = ["sr=", "sv=", "sig=", "se=", "Credential="].iter().any(|name| word.starts_with(name));
    if is_pairs {
        return None;
    }
    // `SharedKey account:x`, `AWS AKIA…:x`: whose it is, and what proves it.
    let owner = word
        .split_once(':')
        .filter(|(owner, _)| in_header && (3..=24).contains(&owner.len()) && owner.bytes().all(|b| b.is_ascii_lowercase() || is_digit(b)));
    let (position, word) = match owner {
        Some((owner, rest)) => (position + owner.len() + 1, rest),
        None => (position, word),
    };
    let is_basic = text.starts_anycase(start, "basic");
    let makeup = Makeup::of(word, pairs);
    let is_credential = if is_basic {
        is_user_and_password(word) || in_header && makeup.length >= 8 && makeup.is_random()
    } else {
        makeup.length >= if in_header { 8 } else { 16 }
            && (makeup.is_random() || in_header && makeup.digits > 0 || makeup.is_hex() && makeup.digits > 0)
            && !word.contains("://")
    };
    let kind = if is_basic { "basic-auth" } else { "bearer-token" };
    (is_credential && !is_masked(word) && !is_reference(word)).then(|| Found {
        start: position,
        end: pieces.end(),
        kind,
        words: word.to_owned(),
    })
}

/// The 40 characters of an AWS secret key near the access key id at `start..end`; what stands before `floor` was read already. Returns
/// where reading ended.
pub fn aws_secret(text: Text<'_>, start: usize, end: usize, floor: usize, pairs: &Pairs, all: &mut Vec<Found>) -> usize {
    const AROUND_BYTES: usize = 240;
    const LENGTH: usize = 40;
    let from = text.floor(start.saturating_sub(AROUND_BYTES)).max(floor);
    let to = end + AROUND_BYTES;
    let of: fn(u8) -> bool = |b| is_alnum(b) || b == b'/' || b == b'+';
    let mut position = from;
    while position < to.min(text.len()) {
        if !of(text.at(position)) {
            position += 1;
            continue;
        }
        let stop = text.skip_max(position, 200, of);
        let word = text.slice(position, stop);
        let makeup = Makeup::of(word, pairs);
        let is_drawn = makeup.is_random() && makeup.kinds() >= 3 && !makeup.is_hex();
        if word.len() == LENGTH && !of(text.before(position)) && is_drawn && !is_explained(text, position, word) {
            all.push(Found { start: position, end: stop, kind: "aws-secret", words: word.to_owned() });
        }
        position = stop;
    }
    position
}

/// Values of cookies: each that is drawn at random. `end` is where the header's name ends.
pub fn cookies(text: Text<'_>, end: usize, pairs: &Pairs, all: &mut Vec<Found>) {
    const COOKIES_MAX: usize = 64;
    let mut position = text.skip_max(end, 6, |b| is_space(b) || is_quote(b) || matches!(b, b':' | b'=' | b'{'));
    for _ in 0..COOKIES_MAX {
        let name_end = text.skip_max(position, 100, |b| is_dotted(b) || matches!(b, b'%' | b'$' | b'!' | b'*'));
        if name_end == position || text.at(name_end) != b'=' {
            return;
        }
        let value = name_end + 1;
        let value_end = text.skip_max(value, 8192, |b| !is_blank(b) && !matches!(b, b';' | b'"' | b'\'' | b','));
        let word = text.slice(value, text.floor(value_end));
        let makeup = Makeup::of(word, pairs);
        let is_attribute = ["expires", "path", "domain", "max-age", "samesite"].iter().any(|name| text.starts_anycase(position, name));
        if makeup.length >= 16 && makeup.is_random() && !is_masked(word) && !is_attribute {
            all.push(Found { start: value, end: text.floor(value_end), kind: "session", words: word.to_owned() });
        }
        if text.at(value_end) != b';' {
            return;
        }
        position = text.skip_spaces(value_end + 1);
    }
}
