//! Texts from a workspace: harmless for a terminal, and no longer than what is of use.

use crate::redact::control::{one_line, strip_control};

/// A state or termination message, bytes: the platform's own are a few hundred, those with a nested trace a few thousand.
pub const MESSAGE_BYTES_MAX: usize = 16 << 10;
/// The short error of a task, bytes: exception text with a query plan in it still fits.
pub const ERROR_BYTES_MAX: usize = 16 << 10;
/// A stack trace, bytes. Its head (the wrapper) and its tail (the innermost cause) are kept.
pub const TRACE_BYTES_MAX: usize = 256 << 10;
/// A log's tail, bytes: a trace and its cause fit.
pub const LOG_TAIL_BYTES_MAX: usize = 64 << 10;
/// A name, tag or URL, bytes: the platform's longest is a job's name, 4096 bytes.
pub const NAME_BYTES_MAX: usize = 4 << 10;
/// A word of an enum, a code or a setting's value, bytes: the longest documented one has 60.
pub const WORD_BYTES_MAX: usize = 200;
/// A log's tail begins with a whole line when one begins this soon, bytes.
const LINE_SEARCH_BYTES_MAX: usize = 4 << 10;
/// Bytes read before stripping, as a multiple of what is kept: escape sequences are dense, but not denser than this.
const RAW_FACTOR: usize = 4;

/// One line, bounded. `None` when nothing is left.
pub fn name(raw: &str) -> Option<String> {
    line(raw, NAME_BYTES_MAX)
}

/// A word of an enum, a code, a setting's value.
pub fn word(raw: &str) -> Option<String> {
    line(raw, WORD_BYTES_MAX)
}

fn line(raw: &str, max: usize) -> Option<String> {
    let clean = one_line(head(raw, max * RAW_FACTOR));
    let kept = head(clean.trim(), max).trim_end();
    (!kept.is_empty()).then(|| kept.to_owned())
}

pub fn message(raw: &str) -> Option<String> {
    block(raw, MESSAGE_BYTES_MAX)
}

pub fn error(raw: &str) -> Option<String> {
    block(raw, ERROR_BYTES_MAX)
}

fn block(raw: &str, max: usize) -> Option<String> {
    let clean = strip_control(head(raw, max * RAW_FACTOR));
    let kept = head(clean.trim(), max).trim_end();
    (!kept.is_empty()).then(|| kept.to_owned())
}

/// Head and tail, half each, with a line between them that says how much is missing.
pub fn trace(raw: &str) -> Option<String> {
    let half = TRACE_BYTES_MAX / 2;
    let clean = if raw.len() <= TRACE_BYTES_MAX * RAW_FACTOR {
        strip_control(raw).into_owned()
    } else {
        let mut ends = strip_control(head(raw, half * RAW_FACTOR)).into_owned();
        ends.push('\n');
        ends.push_str(&strip_control(tail(raw, half * RAW_FACTOR)));
        ends
    };
    let clean = clean.trim();
    if clean.is_empty() {
        return None;
    }
    if clean.len() <= TRACE_BYTES_MAX {
        return Some(clean.to_owned());
    }
    let (first, last) = (head(clean, half), tail(clean, half));
    let missing = clean.len() - first.len() - last.len();
    Some(format!("{first}\n[{missing} bytes left out]\n{last}"))
}

/// The tail, from the start of a line where one is near, and whether anything was cut.
pub fn log_tail(raw: &str) -> (Option<String>, bool) {
    let clean = strip_control(tail(raw, LOG_TAIL_BYTES_MAX * RAW_FACTOR));
    let clean = clean.trim_end();
    let cut = raw.len() > LOG_TAIL_BYTES_MAX * RAW_FACTOR || clean.len() > LOG_TAIL_BYTES_MAX;
    let mut kept = tail(clean, LOG_TAIL_BYTES_MAX);
    if cut && let Some((_, rest)) = head(kept, LINE_SEARCH_BYTES_MAX).find('\n').and_then(|at| kept.split_at_checked(at + 1)) {
        kept = rest;
    }
    ((!kept.trim().is_empty()).then(|| kept.to_owned()), cut)
}

/// At most `max` bytes from the start, whole characters.
pub fn head(text: &str, max: usize) -> &str {
    text.split_at_checked(text.floor_char_boundary(max)).map_or(text, |(head, _)| head)
}

/// At most `max` bytes from the end, whole characters.
pub fn tail(text: &str, max: usize) -> &str {
    text.split_at_checked(text.ceil_char_boundary(text.len().saturating_sub(max))).map_or(text, |(_, tail)| tail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_one_clean_line() {
        assert_eq!(name("\u{1b}[31mload\u{1b}[0m\norders ").as_deref(), Some("load orders"));
        assert_eq!(name(" \n "), None);
        assert_eq!(name(&"x".repeat(10_000)).map(|kept| kept.len()), Some(NAME_BYTES_MAX));
    }

    #[test]
    fn a_long_trace_keeps_wrapper_and_innermost_cause() {
        let raw = format!("Py4JJavaError: outer\n{}\nCaused by: inner", "\tat frame\n".repeat(200_000));
        let kept = trace(&raw).unwrap();
        assert!(kept.starts_with("Py4JJavaError: outer") && kept.ends_with("Caused by: inner"));
        assert!(kept.contains("bytes left out]"), "the reader is told that it was cut");
        assert!(kept.len() <= TRACE_BYTES_MAX + 64);
    }

    #[test]
    fn a_long_log_keeps_its_last_whole_lines() {
        let raw = format!("{}last words\n", "a line of the log\n".repeat(50_000));
        let (kept, cut) = log_tail(&raw);
        let kept = kept.unwrap();
        assert!(cut && kept.starts_with("a line") && kept.ends_with("last words"));
        assert!(kept.len() <= LOG_TAIL_BYTES_MAX);
        assert_eq!(log_tail("short"), (Some("short".to_owned()), false));
        assert_eq!(log_tail(""), (None, false));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn no_text_passes_its_limit_or_a_control_character(raw in any::<String>(), repeat in 1usize..4000) {
            let raw = raw.repeat(repeat);
            for (kept, max) in [
                (name(&raw), NAME_BYTES_MAX),
                (word(&raw), WORD_BYTES_MAX),
                (message(&raw), MESSAGE_BYTES_MAX),
                (trace(&raw), TRACE_BYTES_MAX + 64),
                (log_tail(&raw).0, LOG_TAIL_BYTES_MAX),
            ] {
                let kept = kept.unwrap_or_default();
                prop_assert!(kept.len() <= max);
                prop_assert!(!kept.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
            }
        }
    }
}
