//! A message without what changes from run to run: ids, numbers, paths, hosts, addresses, times, dotted names and quoted values become
//! one mark, and a row of marks one mark.

use super::fold::{find, floor_boundary, rfind};

const WORDS_MAX: usize = 30;
/// A sentence shorter than this may be a heading: the next one counts too.
const SENTENCE_BYTES_MIN: usize = 24;
/// A quoted text of more words is a message of its own, not a value.
const VALUE_WORDS_MAX: usize = 2;
const MARK: &str = "*";

/// The template, and how many of its words are plain.
pub struct Template {
    pub text: String,
    pub plain: usize,
}

/// Of the words around `at` (a range in `message`); without one, of the first sentence.
pub fn of(message: &str, at: Option<(usize, usize)>) -> Template {
    let clause = at.and_then(|(start, end)| clause(message, start, end)).unwrap_or_else(|| first_sentence(message));
    let mut words: Vec<String> = Vec::new();
    for word in words_of(&unquote(clause)) {
        if matches!(word, "ERROR" | "WARN" | "INFO" | "FATAL") {
            continue;
        }
        let word = match words.last().map(String::as_str) {
            Some("code" | "status" | "exitcode") if word.len() <= 4 => word.to_owned(),
            Some("http" | "error" | "many") if is_http_status(word) => word.to_owned(),
            _ => mask(word),
        };
        if word == MARK && words.last().is_none_or(|last| last == MARK) {
            continue;
        }
        words.push(word);
        if words.len() >= WORDS_MAX {
            break;
        }
    }
    while words.last().is_some_and(|last| last == MARK) {
        words.pop();
    }
    Template { plain: words.iter().filter(|word| *word != MARK).count(), text: words.join(" ") }
}

/// Words as a log, a Python repr or a JSON text divides them; an address stays whole, whatever it holds.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
        .flat_map(|word| {
            let whole = word.contains("://") || word.starts_with('/');
            word.split(move |c: char| !whole && matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | '=' | '"'))
        })
        .map(|word| word.trim_matches(|c: char| matches!(c, '.' | ':' | '!' | '?' | '<' | '>' | '\'' | '`' | '-' | '|')))
        .filter(|word| !word.is_empty())
}

fn mask(word: &str) -> String {
    let place = word.contains(['/', '\\', '@', '_']) && !word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let name = word.contains('.') && !word.starts_with("spark.");
    // `StatusCode.DEADLINE_EXCEEDED`: of an enumeration the value counts.
    if let Some((kind, value)) = word.rsplit_once('.')
        && kind.bytes().any(|b| b.is_ascii_lowercase())
        && value.len() > 2
        && value.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    {
        return value.to_ascii_lowercase();
    }
    let number = word.bytes().any(|b| b.is_ascii_digit());
    if word == MARK || place || name || number { MARK.to_owned() } else { word.to_ascii_lowercase() }
}

fn is_http_status(word: &str) -> bool {
    word.len() == 3 && word.parse().is_ok_and(|status: u16| (400..600).contains(&status))
}

/// The words that a match stands in: from the sentence's or clause's start before it to the one's end behind it.
fn clause(message: &str, start: usize, end: usize) -> Option<&str> {
    let before = message.get(..start)?;
    let after = message.get(end..)?;
    let from = CLAUSE_STARTS.iter().filter_map(|mark| rfind(before, mark).map(|at| at + mark.len())).max().unwrap_or(0);
    let to = CLAUSE_ENDS.iter().filter_map(|mark| find(after, mark)).min().map_or(message.len(), |at| end + at);
    message.get(from..to)
}

const CLAUSE_STARTS: [&str; 6] = ["\n", ". ", ": ", "; ", "\": \"", " - "];
const CLAUSE_ENDS: [&str; 7] = ["\n", ". ", "; ", "\", \"", "\",", " | ", ".\""];

fn first_sentence(message: &str) -> &str {
    for (at, _) in message.match_indices(['.', '\n']) {
        let next = message[at + 1..].chars().next();
        let ends = message[at..].starts_with('\n') || next.is_none_or(char::is_whitespace);
        // A line that ends with a colon is a heading, however long.
        if ends && at >= SENTENCE_BYTES_MIN && !message[..at].ends_with(':') {
            return &message[..at];
        }
    }
    message
}

/// At most `max` bytes.
pub fn head(message: &str, max: usize) -> &str {
    &message[..floor_boundary(message, max)]
}

/// Quoted values become a mark; quoted sentences lose only their quotes. A quote that never closes, or an apostrophe within a word, is
/// left alone.
fn unquote(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '"', '`']) {
        let quote = rest[at..].chars().next().unwrap_or('"');
        let opens = !rest[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        match after.find(quote).filter(|_| opens) {
            Some(end) if after[..end].split_whitespace().count() <= VALUE_WORDS_MAX => {
                out.push_str(" * ");
                rest = &after[end + 1..];
            }
            _ => {
                out.push(if opens { ' ' } else { quote });
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(a: &str, b: &str, same: bool) {
        let (a, b) = (of(a, None).text, of(b, None).text);
        assert_eq!(a == b, same, "{a}\n{b}");
    }

    #[test]
    fn what_changes_from_run_to_run_is_masked() {
        check("File s3a://a/b/c.parquet does not exist", "File dbfs:/x/y.parquet does not exist", true);
        check(
            "Lost task 0.0 in stage 7.0 (TID 10) (10.139.64.5 executor 1)",
            "Lost task 3.1 in stage 12.0 (TID 999) (10.2.3.4 executor 12)",
            true,
        );
        check("column `a` cannot be resolved. Did you mean [`b`, `c`]", "column `z` cannot be resolved. Did you mean [`q`]", true);
        check("401 Client Error for url: https://a.b/c?d=e", "401 Client Error for url: https://x.y/api?z=1&w=(2,3)", true);
        check("Connection refused", "Connection reset by peer", false);
        check("{'message': 'Authentication is down for now'}", "{'message': 'Jobs is not ready for now'}", false);
    }

    #[test]
    fn the_words_around_a_match_are_taken_without_what_leads_to_them() {
        let message = "Run result unavailable: job failed. Reason: the driver is gone; see 17 logs";
        let at = message.find("driver").map(|at| (at, at + 6));
        assert_eq!(of(message, at).text, "the driver is gone");
    }
}
