//! What a shell feeds into a command or writes away: `echo x | login --password-stdin`, `kinit user <<< x`, `echo x > secret.txt`, and what
//! the trace of a pipeline evaluates.

use super::text::{Text, is_blank, is_dotted, is_quote, is_space};
use super::word::{LINE_BYTES_MAX, word};

/// `kinit user <<< 'x'`: what a command that asks for a password is fed with.
pub fn behind(text: Text<'_>, start: usize, end: usize) -> Option<(usize, usize)> {
    const ASKING: [&str; 9] = ["kinit", "passwd", "sudo ", "login", "gpg ", "openssl ", "mysql", "su ", "cryptsetup"];
    let front = text.slice(text.floor(text.line_start(start, LINE_BYTES_MAX)), start);
    ASKING.iter().any(|command| front.contains(command)).then(|| word(text, end, 0))?
}

/// `Evaluating: env.DEPLOY_PASSWORD`, and `Result: 'x'` or `=> 'x'` on the line below.
pub fn evaluated(text: Text<'_>, end: usize) -> Option<(usize, usize)> {
    let name_end = text.line_end(end, 120);
    let name = text.slice(end, name_end).to_ascii_lowercase();
    let announces = ["pass", "pwd", "pw", "secret", "token", "key", "cred"].iter().any(|word| name.contains(word));
    let next = text.slice(name_end, text.line_end(name_end + 1, 200));
    let at = next.find("Result: ").map(|at| at + "Result: ".len()).or_else(|| next.find("=> ").map(|at| at + "=> ".len()))?;
    announces.then(|| word(text, name_end + at, 0))?
}

/// `echo "x" > /etc/secret.txt`: written to a file whose name says what it is.
pub fn written_to(text: Text<'_>, start: usize, end: usize) -> Option<(usize, usize)> {
    let path_end = text.skip_max(end, 200, |b| !is_blank(b));
    let path = text.slice(end, path_end).to_ascii_lowercase();
    let line = text.floor(text.line_start(start, LINE_BYTES_MAX));
    let front = text.slice(line, start);
    let at = front.rfind("echo ")? + "echo ".len();
    let names_it = ["secret", "pass", "token", "cred", "pwd", "apikey", "api_key", "netrc"].iter().any(|word| path.contains(word));
    let (from, to) = names_it.then(|| word(text, line + at, usize::from(text.at(line + at) == b'-')))??;
    (to <= start && !text.slice(from, to).contains(' ')).then_some((from, to))
}

/// The last word before `end`, its quotes taken off.
fn last_word_within(text: Text<'_>, from: usize, end: usize) -> Option<(usize, usize)> {
    let end = text.skip_back_max(end, 40, |b| is_space(b) || is_quote(b));
    let start = text.skip_back_max(end, end.saturating_sub(from), |b| !is_blank(b) && !is_quote(b));
    (start < end).then_some((start, end))
}

/// `echo x | login --password-stdin`: x, or what follows the colon of `user:x`.
pub fn piped(text: Text<'_>, position: usize) -> Option<(usize, usize)> {
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
