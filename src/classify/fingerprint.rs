//! A stable name for an error's template: tomorrow's failure of the same kind, in another job, at another time, has the same one.
//!
//! An error condition names itself. Elsewhere the exception's class and the first sentence of its message count, with numbers, ids,
//! paths, hosts, addresses, times and quoted values masked. What lies around the root (stages, wrappers, log heads) does not count.

use sha2::{Digest, Sha256};

use crate::domain::ids::Fingerprint;

/// So much of a message names its kind; what follows is a plan, a query or a listing.
const MESSAGE_BYTES_MAX: usize = 1200;
const WORDS_MAX: usize = 30;
/// A sentence shorter than this may be a heading: the next one counts too.
const SENTENCE_BYTES_MIN: usize = 24;
/// A quoted text of more words is a message of its own, not a value.
const VALUE_WORDS_MAX: usize = 2;

/// The name of a condition, or of the exception that stands for it: `DELTA_CONCURRENT_APPEND` and `ConcurrentAppendException` are one.
pub fn of_name(name: &str) -> Fingerprint {
    hash(&normal(name))
}

pub fn of_message(class: &str, message: &str) -> Fingerprint {
    let simple = simple(class);
    hash(&format!("{}|{}", normal(simple), template(simple, message)))
}

/// `DELTA_METADATA_CHANGED`, `io.delta.exceptions.MetadataChangedException` -> `metadatachanged`.
pub fn normal(name: &str) -> String {
    // A condition keeps its sub-condition, unless that only tells of a hint; a class loses its packages.
    let condition = name.split('.').next().is_some_and(|first| first.contains('_') && !first.bytes().any(|b| b.is_ascii_lowercase()));
    let name = match condition {
        true => HINTS.iter().find_map(|hint| name.strip_suffix(hint)).unwrap_or(name),
        false => simple(name),
    };
    let name = name.strip_prefix("DELTA_").or_else(|| name.strip_prefix("Spark")).unwrap_or(name);
    let name = name.strip_suffix("Exception").or_else(|| name.strip_suffix("Error")).unwrap_or(name);
    name.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase() as char).collect()
}

const HINTS: [&str; 4] = [".WITH_SUGGESTION", ".WITHOUT_SUGGESTION", ".NO_HINT", ".WITH_RECOMMENDATION"];

fn simple(class: &str) -> &str {
    class.rsplit(['.', '$']).next().unwrap_or_default()
}

fn hash(text: &str) -> Fingerprint {
    let digest = Sha256::digest(text.as_bytes());
    Fingerprint(digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect())
}

/// How much of a message's names belongs to its kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    Masked,
    /// The names are the message: `KeyError: 'sku'`, `ClassNotFoundException: com.mysql.cj.jdbc.Driver`.
    Kept,
}

/// The message with everything that changes from run to run masked.
fn template(class: &str, message: &str) -> String {
    let names = match class {
        "KeyError"
        | "AttributeError"
        | "NameError"
        | "TypeError"
        | "ClassNotFoundException"
        | "NoClassDefFoundError"
        | "ModuleNotFoundError"
        | "NoSuchMethodError"
        | "SystemExit" => Names::Kept,
        _ => Names::Masked,
    };
    let message = &message[..super::fold::floor_boundary(message, MESSAGE_BYTES_MAX)];
    // The root's own words start behind the scheduler's.
    let start =
        ["Reason: ", "most recent failure: "].iter().filter_map(|mark| message.find(mark).map(|at| at + mark.len())).max().unwrap_or(0);
    let sentence = first_sentence(message[start..].trim_start_matches([':', ' ']));
    if names == Names::Kept {
        return sentence.to_ascii_lowercase();
    }
    let mut words: Vec<String> = Vec::new();
    for word in
        unquote(sentence).split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | '=' | '"'))
    {
        let word = word.trim_matches(|c: char| matches!(c, '.' | ':' | '!' | '?' | '<' | '>' | '\'' | '`'));
        if word.is_empty() || matches!(word, "ERROR" | "WARN" | "INFO") {
            continue;
        }
        let coded = words.last().is_some_and(|last| matches!(last.as_str(), "code" | "status" | "exitcode"));
        let masked = if coded && word.len() <= 4 { word.to_owned() } else { mask(word) };
        // A list of masked values is one value, however long.
        if masked.len() == 1 && words.last() == Some(&masked) {
            continue;
        }
        words.push(masked);
        if words.len() >= WORDS_MAX {
            break;
        }
    }
    // What an error starts with may be masked away (a log's time): it is no part of its kind.
    let skip = words.iter().take_while(|word| word.len() == 1).count();
    words[skip.min(words.len().saturating_sub(1))..].join(" ")
}

fn first_sentence(message: &str) -> &str {
    for (at, _) in message.match_indices(['.', '\n']) {
        let next = message[at + 1..].chars().next();
        let ends = message[at..].starts_with('\n') || next.is_none_or(char::is_whitespace);
        if ends && at >= SENTENCE_BYTES_MIN {
            return &message[..at];
        }
    }
    message
}

fn mask(word: &str) -> String {
    let path = word.contains('/') || word.contains('\\') || word.contains('@');
    let host = word.matches('.').count() >= 2 && !word.contains("Exception") && !word.contains("Error") && !word.starts_with("spark.");
    if path || host {
        return "/".to_owned();
    }
    if word.bytes().any(|b| b.is_ascii_digit()) {
        return "#".to_owned();
    }
    word.to_ascii_lowercase()
}

/// Quoted values become `?`; quoted sentences lose only their quotes. A quote that never closes, or an apostrophe within a word, is left
/// alone.
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
                out.push_str(" ? ");
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
    use proptest::prelude::*;

    use super::*;

    fn check(a: &str, b: &str, same: bool) {
        assert_eq!(of_message("X", a) == of_message("X", b), same, "{}\n{}", template("X", a), template("X", b));
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
        check("Unable to acquire 44 bytes of memory, got 0", "Unable to acquire 104857600 bytes of memory, got 38125049", true);
        check("Connection refused", "Connection reset by peer", false);
        check("Reason: Command exited with code 137", "x: Reason: Command exited with code 137", true);
        check("Reason: Command exited with code 137", "Reason: Command exited with code 143", false);
        check("{'message': 'Authentication is down for now'}", "{'message': 'Jobs is not ready for now'}", false);
    }

    #[test]
    fn names_that_are_the_message_count() {
        assert_ne!(of_message("KeyError", "'sku'"), of_message("KeyError", "'price'"));
        assert_ne!(of_message("java.lang.ClassNotFoundException", "a.b.C"), of_message("java.lang.ClassNotFoundException", "a.b.D"));
        assert_eq!(of_name("DELTA_CONCURRENT_APPEND"), of_name("io.delta.exceptions.ConcurrentAppendException"));
        assert_eq!(of_name("UNRESOLVED_COLUMN.WITH_SUGGESTION"), of_name("UNRESOLVED_COLUMN"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_fingerprint_is_twelve_hex_digits_and_never_a_panic(class in ".{0,40}", message in ".{0,300}") {
            let found = of_message(&class, &message);
            prop_assert!(found.0.len() == 12 && found.0.bytes().all(|b| b.is_ascii_hexdigit()));
            prop_assert_eq!(of_message(&class, &message), found);
        }
    }
}
