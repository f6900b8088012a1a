//! Values that an error quotes: the key that was missing, the text that could not be cast, what a test expected. They are the job's data,
//! and say nothing of why it failed: `KeyError: 'java.net.SocketTimeoutException'` is no timeout. Nor do lines that look like fields of the
//! Jobs API, which has places of its own for them: in an error or a log anybody may have written them.

use std::sync::LazyLock;

use aho_corasick::packed::Searcher;

use super::effort;

/// What words within such a value count of what they would count elsewhere.
pub const QUOTED: f32 = 0.2;
/// Longest value, bytes: a cell may hold a whole log.
const VALUE_BYTES_MAX: usize = 8 << 10;
/// Most marks that are looked at, and most values of a text.
const MARKS_MAX: usize = 256;
const VALUES_MAX: usize = 32;
/// Shorter quotes of a test name things rather than hold texts.
const TEXT_BYTES_MIN: usize = 8;

/// What stands before a value, the fields last. One search for all: every text is looked through.
const MARKS: [&str; 16] = [
    "KeyError: ",
    "value '",
    "AssertionError: ",
    "assert ",
    "ValueError: '",
    "resolve \"",
    "abfss://",
    "s3://",
    "s3a://",
    "gs://",
    "wasbs://",
    "termination_code:",
    "termination_type:",
    "life_cycle_state:",
    "result_state:",
    "run_if:",
];
const VALUE_ENDS: [&str; 5] = ["' of the type \"", "' of type \"", "' cannot be ", "' could not be ", "' is out of range"];

static SEARCH: LazyLock<Option<Searcher>> = LazyLock::new(|| Searcher::new(MARKS));

/// Where the values stand, without their quotes.
pub fn values(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    effort::looked(text.len());
    let Some(search) = &*SEARCH else { return found };
    let line_end = |start: usize| memchr::memchr(b'\n', &text.as_bytes()[start..]).map_or(text.len(), |length| start + length);
    for hit in search.find_iter(text).take(MARKS_MAX) {
        let start = hit.end();
        let up_to = |ends: &[&str]| {
            let rest = within(text, start);
            ends.iter().filter_map(|end| rest.find(end)).min().map(|length| (start, start + length))
        };
        match hit.pattern().as_usize() {
            0 => found.extend(to_end_of_line(text, start)),
            1 => found.extend(up_to(&VALUE_ENDS)),
            2 => {
                let end = line_end(start);
                quotes(text, start, end, &mut found);
                found.extend(differences(text, end));
            }
            3 => quotes(text, start, line_end(start), &mut found),
            4 => found.extend(up_to(&["' is not a valid "])),
            5 => found.extend(up_to(&["\" due to "])),
            6..=10 => found.extend(path(text, start)),
            _ if hit.start() == 0 || text.as_bytes().get(hit.start() - 1) == Some(&b'\n') => found.push((hit.start(), line_end(start))),
            _ => {}
        }
    }
    found.truncate(VALUES_MAX);
    found
}

/// At most so many bytes behind `start`.
fn within(text: &str, start: usize) -> &str {
    let end = text.floor_char_boundary(text.len().min(start + VALUE_BYTES_MAX));
    text.get(start..end).unwrap_or_default()
}

/// `'x'` up to the line's end.
fn to_end_of_line(text: &str, start: usize) -> Option<(usize, usize)> {
    let rest = text.get(start..)?;
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let line = rest.get(..rest.find('\n').unwrap_or(rest.len()))?.trim_end();
    let end = line.rfind(quote).filter(|end| *end > 0)?;
    Some((start + 1, start + end))
}

/// The folders of an address in a store: whatever they are called.
fn path(text: &str, start: usize) -> Option<(usize, usize)> {
    let rest = within(text, start);
    let length = rest.find(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | ')' | ',' | ';')).unwrap_or(rest.len());
    let folders = rest.get(..length)?.find('/')?;
    Some((start + folders, start + length))
}

/// The lines of a comparison behind a failed assertion: `- expected`, `+ found`.
fn differences(text: &str, line_end: usize) -> Option<(usize, usize)> {
    let mut end = line_end;
    for line in within(text, line_end).split_inclusive('\n').skip(1) {
        let words = line.trim_start_matches(['E', ' ']);
        if !words.starts_with(['-', '+', '?']) {
            break;
        }
        end = (end + 1 + line.trim_end_matches('\n').len()).min(text.len());
    }
    (end > line_end).then_some((line_end, end))
}

/// Each longer text between two quotes of one kind.
fn quotes(text: &str, start: usize, end: usize, found: &mut Vec<(usize, usize)>) {
    let line = text.get(start..end).unwrap_or_default();
    for quote in ['\'', '"'] {
        let mut at = 0;
        while found.len() < VALUES_MAX
            && let Some(open) = line.get(at..).and_then(|rest| rest.find(quote)).map(|open| at + open + 1)
        {
            let Some(close) = line.get(open..).and_then(|rest| rest.find(quote)).map(|close| open + close) else { break };
            // An apostrophe opens nothing.
            let opens = !line.get(..open - 1).is_some_and(|before| before.ends_with(|c: char| c.is_alphanumeric()));
            if opens && close - open >= TEXT_BYTES_MIN {
                found.push((start + open, start + close));
            }
            at = if opens { close + 1 } else { open };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_error_quotes_is_known() {
        for (text, want) in [
            ("    assert message(err) == 'Path does not exist'", vec!["Path does not exist"]),
            ("KeyError: 'throttled'", vec!["throttled"]),
            ("missing: abfss://a@b.net/OutOfMemoryError/x. SQLSTATE", vec!["/OutOfMemoryError/x."]),
            ("AssertionError: 'a'\n  - PATH_NOT_FOUND\n  + x\nnext", vec!["\n  - PATH_NOT_FOUND\n  + x"]),
            ("The value '12\nCaused by: x' of the type \"STRING\" cannot be cast", vec!["12\nCaused by: x"]),
            ("AssertionError: expected 'Java heap space' but it was 'x'", vec!["Java heap space"]),
            ("ValueError: 'UNAVAILABLE_RETRY_LATER' is not a valid Status", vec!["UNAVAILABLE_RETRY_LATER"]),
            ("Driver restarted.\ntermination_code: USER_CANCELED\nrun_if: NONE", vec!["termination_code: USER_CANCELED", "run_if: NONE"]),
            ("Cannot resolve \"(a = array(OutOfMemoryError))\" due to data type mismatch", vec!["(a = array(OutOfMemoryError))"]),
            ("RuntimeError: 'Connection refused'", vec![]),
            ("AssertionError: the job's own table isn't there", vec![]),
        ] {
            let found: Vec<&str> = values(text).into_iter().map(|(start, end)| &text[start..end]).collect();
            assert_eq!(found, want, "{text}");
        }
    }
}
