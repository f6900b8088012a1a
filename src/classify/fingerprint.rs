//! A stable name for an error's template: tomorrow's failure of the same kind, in another job, at another time, has the same one.
//!
//! Numbers, ids, paths, hosts, addresses, times and quoted values are masked; what is left is hashed.

use sha2::{Digest, Sha256};

use crate::domain::ids::Fingerprint;

/// So much of a message names its kind; what follows is a plan, a query or a listing.
const TEMPLATE_BYTES_MAX: usize = 400;
const WORDS_MAX: usize = 40;

pub fn of(class: &str, message: &str) -> Fingerprint {
    let simple = class.rsplit(['.', '$']).next().unwrap_or_default();
    let text = format!("{simple}|{}", template(message));
    let digest = Sha256::digest(text.as_bytes());
    let hex: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    Fingerprint(hex)
}

/// The message with everything that changes from run to run masked.
pub fn template(message: &str) -> String {
    let bound = super::fold::floor_boundary(message, TEMPLATE_BYTES_MAX * 4);
    let unquoted = unquote(&message[..bound]);
    let mut words: Vec<String> = Vec::new();
    for word in unquoted.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | '=' | '"')) {
        let word = word.trim_matches(|c: char| matches!(c, '.' | ':' | '!' | '?' | '<' | '>' | '\'' | '`'));
        if word.is_empty() {
            continue;
        }
        let masked = mask(word);
        // A list of masked values is one value, however long.
        if words.last().is_some_and(|last| *last == masked && masked.len() == 1) {
            continue;
        }
        words.push(masked);
        if words.len() >= WORDS_MAX {
            break;
        }
    }
    let mut text = words.join(" ");
    text.truncate(super::fold::floor_boundary(&text, TEMPLATE_BYTES_MAX));
    text
}

fn mask(word: &str) -> String {
    let path = word.contains('/') || word.contains('\\') || word.contains('@') || word.contains('\u{2019}');
    let host = word.matches('.').count() >= 2 && !word.contains("Exception") && !word.contains("Error") && !word.starts_with("spark.");
    if path || host {
        return "/".to_owned();
    }
    if word.bytes().any(|b| b.is_ascii_digit()) {
        return "#".to_owned();
    }
    word.to_ascii_lowercase()
}

/// Quoted values become `?`. A quote that never closes, or an apostrophe within a word, is left alone.
fn unquote(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '"', '`']) {
        let quote = rest[at..].chars().next().unwrap_or('"');
        let opens = !rest[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        match after.find(quote).filter(|end| opens && *end <= 200) {
            Some(end) => {
                out.push_str(" ? ");
                rest = &after[end + 1..];
            }
            None => {
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
        assert_eq!(of("X", a) == of("X", b), same, "{}\n{}", template(a), template(b));
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
        check("Connection refused", "Connection reset by peer", false);
        check("KeyError: 'a'", "KeyError: 'b'", true);
        assert_eq!(of("X", "y").0.len(), 12);
    }
}
