//! Values that an error quotes: the key that was missing, the text that could not be cast, what a test expected. They are the job's data,
//! and say nothing of why it failed: `KeyError: 'java.net.SocketTimeoutException'` is no timeout.

use super::effort;
use super::reading::Segment;

/// What words within such a value count of what they would count elsewhere.
const QUOTED: f32 = 0.2;
/// Longest value, bytes: a cell may hold a whole log.
const VALUE_BYTES_MAX: usize = 8 << 10;
/// Most values of a text.
const VALUES_MAX: usize = 32;
/// From this on a value without spaces may hold the name of an exception.
const LONG_BYTES: usize = 20;
/// Shorter quotes of a test name things rather than hold texts.
const TEXT_BYTES_MIN: usize = 8;

/// Fields of the Jobs API, which has places of its own for them: at the start of a line of an error or a log, anybody may have written them.
const FIELDS: [&str; 5] = ["termination_code:", "termination_type:", "life_cycle_state:", "result_state:", "run_if:"];

/// Takes weight from what stands within quoted values.
pub fn step_back(text: &str, segments: &mut Vec<Segment>) {
    for (start, end) in values(text) {
        let mut split = Vec::with_capacity(segments.len() + 2);
        for segment in segments.drain(..) {
            let (from, to) = (segment.start.max(start), segment.end.min(end));
            if from >= to {
                split.push(segment);
                continue;
            }
            if segment.start < from {
                split.push(Segment { end: from, ..segment });
            }
            let class = if segment.class.0 >= from && segment.class.1 <= to { (0, 0) } else { segment.class };
            split.push(Segment { start: from, end: to, class, weight: segment.weight * QUOTED, ..segment });
            if to < segment.end {
                split.push(Segment { start: to, ..segment });
            }
        }
        *segments = split;
    }
}

/// Where the values stand, without their quotes.
fn values(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    effort::looked(text.len());
    for (mark, _) in text.match_indices("KeyError: ").take(VALUES_MAX) {
        let start = mark + "KeyError: ".len();
        found.extend(to_end_of_line(text, start));
    }
    for (mark, words) in text.match_indices("value '").take(VALUES_MAX) {
        let start = mark + words.len();
        let rest = within(text, start);
        let ends = ["' of the type \"", "' of type \"", "' cannot be ", "' could not be ", "' is out of range"];
        found.extend(ends.iter().filter_map(|end| rest.find(end)).min().map(|length| (start, start + length)));
    }
    for (mark, _) in text.match_indices("AssertionError: ").take(VALUES_MAX) {
        let end = text.get(mark..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| mark + length);
        quotes(text, mark, end, &mut found);
    }
    for (mark, _) in text.match_indices("ValueError: '").take(VALUES_MAX) {
        let start = mark + "ValueError: '".len();
        found.extend(within(text, start).find("' is not a valid ").map(|length| (start, start + length)));
    }
    for (mark, words) in text.match_indices("resolve \"").take(VALUES_MAX) {
        let start = mark + words.len();
        found.extend(within(text, start).find("\" due to ").map(|length| (start, start + length)));
    }
    for field in FIELDS {
        for (mark, _) in
            text.match_indices(field).take(VALUES_MAX).filter(|(mark, _)| *mark == 0 || text.as_bytes().get(mark - 1) == Some(&b'\n'))
        {
            let end = text.get(mark..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| mark + length);
            found.push((mark, end));
        }
    }
    // A short key tells failures apart, and misleads nobody.
    found.retain(|(start, end)| {
        text.get(*start..*end).is_some_and(|value| value.len() >= LONG_BYTES || value.contains(char::is_whitespace))
    });
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
            ("KeyError: 'Read timed out'", vec!["Read timed out"]),
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
