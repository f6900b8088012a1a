//! The lines of a long text that show why it failed: those around the classifier's hit, the exception chain, the ends; not simply the
//! last ones. Bounded and deterministic.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Longer lines are shortened in their middle: a query plan or a serialised row must not take everybody's room.
const LINE_BYTES_MAX: usize = 360;
/// The line that decided may be longer, and is kept around the words that did.
const HIT_BYTES_MAX: usize = 720;
/// Lines to either side of the hit that explain it.
const NEIGHBOURS: usize = 3;
/// Lines of a text's end that are likelier to matter than its middle.
const LAST_LINES: usize = 6;
/// Lines that say nothing of an error are kept only so near to the hit, or to the end where there is none.
const NEAR: usize = 12;
/// More lines than this are not looked at: those around the hit, else the last ones.
const LINES_MAX: usize = 4000;

/// Room that a "left out" line takes, bytes.
const MARK_BYTES: usize = 36;
/// How a "left out" line starts.
pub const MARK: &str = "[… ";

/// How much a line is wanted; lower is more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Hit,
    Chain,
    Neighbour,
    End,
    Error,
    Near,
    Frame,
    /// Says nothing new: not even if there is room, for each line is paid for.
    Noise,
}

/// Where the verdict rests: a line's number, from 0, and words in it.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'a> {
    pub line: usize,
    pub words: &'a str,
}

/// At most `bytes_max` of the text, in whole lines, in order.
pub fn choose(text: &str, hit: Option<Hit<'_>>, bytes_max: usize) -> String {
    if text.len() <= bytes_max && text.lines().all(|line| line.len() <= LINE_BYTES_MAX) {
        return text.trim_end().to_owned();
    }
    let all: Vec<&str> = text.lines().collect();
    let middle = hit.map_or(all.len(), |hit| hit.line).min(all.len());
    let first = middle.saturating_sub(LINES_MAX / 2).min(all.len().saturating_sub(LINES_MAX));
    let shortened = |(i, line): (usize, &&str)| match hit.filter(|hit| hit.line == i) {
        Some(hit) => around(line, hit.words),
        None => shorten(line),
    };
    let lines: Vec<String> = all.iter().enumerate().skip(first).take(LINES_MAX).map(shortened).collect();
    let hit = hit.map(|hit| hit.line.saturating_sub(first));
    let ranks = ranks(&lines, hit);
    let near = hit.unwrap_or(lines.len());
    let rank = |i: usize| ranks.get(i).copied().unwrap_or(Rank::Noise);
    let mut order: Vec<usize> = (0..lines.len()).filter(|i| rank(*i) != Rank::Noise).collect();
    order.sort_by_key(|i| (rank(*i), i.abs_diff(near), *i));

    let mut taken = vec![false; lines.len()];
    // Each kept line may leave a gap before it, and one more stands at the end.
    let mut room = bytes_max.saturating_sub(MARK_BYTES);
    for i in order {
        let cost = lines.get(i).map_or(0, String::len) + 1 + MARK_BYTES;
        let joined = i > 0 && taken.get(i - 1).copied().unwrap_or(false) || taken.get(i + 1).copied().unwrap_or(false);
        let cost = if joined { cost - MARK_BYTES } else { cost };
        if let Some(slot) = taken.get_mut(i).filter(|_| cost <= room) {
            *slot = true;
            room -= cost;
        }
    }
    let excerpt = write(&lines, &taken, first, all.len());
    // Room for less than a mark.
    if excerpt.len() > bytes_max { String::new() } else { excerpt }
}

fn write(lines: &[String], taken: &[bool], skipped_before: usize, total: usize) -> String {
    let mut out = String::new();
    let mut left_out = skipped_before;
    let mark = |out: &mut String, left_out: &mut usize| {
        if *left_out > 0 {
            out.push_str(&format!("{MARK}{left_out} lines left out …]\n"));
            *left_out = 0;
        }
    };
    for (line, taken) in lines.iter().zip(taken) {
        if *taken {
            mark(&mut out, &mut left_out);
            out.push_str(line);
            out.push('\n');
        } else {
            left_out += 1;
        }
    }
    left_out += total.saturating_sub(skipped_before + lines.len());
    mark(&mut out, &mut left_out);
    out.truncate(out.trim_end().len());
    out
}

fn ranks(lines: &[String], hit: Option<usize>) -> Vec<Rank> {
    let mut seen = HashSet::new();
    let last = lines.len().saturating_sub(1);
    let distance = |i: usize| hit.unwrap_or(last).abs_diff(i);
    lines
        .iter()
        .enumerate()
        .map(|(i, line)| {
            let text = line.trim_start();
            // A flood of lines that differ in their numbers counts once.
            let new = seen.insert(shape(text));
            match () {
                () if hit == Some(i) => Rank::Hit,
                () if text.is_empty() => Rank::Noise,
                () if i == last => Rank::End,
                () if !new => Rank::Noise,
                () if text.starts_with("Caused by:") => Rank::Chain,
                () if hit.is_some() && distance(i) <= NEIGHBOURS => Rank::Neighbour,
                () if is_library_frame(text) => Rank::Frame,
                () if i == 0 || i + LAST_LINES > last => Rank::End,
                () if says_error(text) => Rank::Error,
                () if distance(i) <= NEAR || is_own_frame(text) => Rank::Near,
                () => Rank::Noise,
            }
        })
        .collect()
}

/// A line's hash with its digits masked.
fn shape(line: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut in_number = false;
    for c in line.chars() {
        let number = c.is_ascii_digit();
        if !(number && in_number) {
            (if number { '0' } else { c }).hash(&mut hasher);
        }
        in_number = number;
    }
    hasher.finish()
}

fn is_library_frame(line: &str) -> bool {
    const OTHERS: [&str; 8] =
        ["at org.apache.", "at java.", "at java.base/", "at scala.", "at sun.", "at jdk.", "at com.databricks.", "at io.netty."];
    OTHERS.iter().any(|start| line.starts_with(start)) || line.starts_with("... ")
}

/// A frame of the job's own code: where its owner looks first.
fn is_own_frame(line: &str) -> bool {
    line.starts_with("at ") || line.starts_with("File \"") || line.starts_with("File <")
}

fn says_error(line: &str) -> bool {
    const WORDS: [&str; 12] =
        ["Exception", "Error", "ERROR", "FATAL", "error:", "Killed", "killed", "exit code", "denied", "refused", "failed", "FAILED"];
    WORDS.iter().any(|word| line.contains(word))
}

/// A long line around these words; both its ends where it does not have them.
fn around(line: &str, words: &str) -> String {
    let Some(at) = line.find(words).filter(|_| line.len() > HIT_BYTES_MAX && !words.is_empty()) else {
        return if line.len() <= HIT_BYTES_MAX { line.trim_end().to_owned() } else { shorten(line) };
    };
    let room = HIT_BYTES_MAX.saturating_sub(words.len()) / 2;
    let from = ceil(line, at.saturating_sub(room));
    let to = floor(line, (at + words.len() + room).min(from + HIT_BYTES_MAX));
    let mark = |cut: bool| if cut { "…" } else { "" };
    format!("{}{}{}", mark(from > 0), line.get(from..to).unwrap_or_default(), mark(to < line.len()))
}

/// Both ends of a long line.
pub fn shorten(line: &str) -> String {
    let line = line.trim_end();
    if line.len() <= LINE_BYTES_MAX {
        return line.to_owned();
    }
    let head = floor(line, LINE_BYTES_MAX * 2 / 3);
    let tail = ceil(line, line.len() - LINE_BYTES_MAX / 3 + '…'.len_utf8());
    format!("{}…{}", line.get(..head).unwrap_or_default(), line.get(tail..).unwrap_or_default())
}

/// The last character boundary at or before `at`.
pub fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The first character boundary at or after `at`.
pub fn ceil(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn long_log() -> (String, usize) {
        let mut lines: Vec<String> =
            (0..3000).map(|i| format!("25/06/11 02:14:{:02} INFO TaskSetManager: Finished task {i}.0 in stage 1.0", i % 60)).collect();
        lines[1200] = "25/06/11 02:14:11 ERROR Executor: Exception in task 0.0".to_owned();
        lines[1201] = "java.lang.OutOfMemoryError: Java heap space".to_owned();
        lines[1202] = "\tat com.acme.etl.Join.run(Join.scala:41)".to_owned();
        for line in &mut lines[1203..1230] {
            *line = "\tat org.apache.spark.scheduler.Task.run(Task.scala:141)".to_owned();
        }
        lines[1230] = "Caused by: com.acme.TooWide: 900 columns".to_owned();
        (lines.join("\n"), 1201)
    }

    #[test]
    fn the_hit_and_its_chain_are_kept_not_the_last_lines_only() {
        let (log, hit) = long_log();
        let excerpt = choose(&log, Some(Hit { line: hit, words: "Java heap space" }), 1200);
        for kept in [
            "ERROR Executor: Exception",
            "OutOfMemoryError: Java heap space",
            "com.acme.etl.Join.run",
            "Caused by: com.acme.TooWide",
            "Finished task 2999.0",
        ] {
            assert!(excerpt.contains(kept), "{kept} is missing in:\n{excerpt}");
        }
        assert!(excerpt.matches("Task.run").count() <= 1, "library frames fill the room:\n{excerpt}");
        assert!(excerpt.contains(" lines left out …]"), "a gap is said: {excerpt}");
        assert!(excerpt.len() <= 1200);
        let without = choose(&log, None, 1200);
        assert!(without.contains("Caused by: com.acme.TooWide") && without.contains("Finished task 2999.0"));
    }

    #[test]
    fn a_flood_does_not_push_the_hit_out() {
        let flood: String = (0..20_000).map(|i| format!("Caused by: fake.Exception{}: decoy {i}\n", "x".repeat(i % 50))).collect();
        let text = format!("{flood}the real reason\n{flood}");
        let excerpt = choose(&text, Some(Hit { line: 20_000, words: "the real reason" }), 800);
        assert!(excerpt.contains("the real reason") && excerpt.len() <= 800, "{excerpt}");
    }

    #[test]
    fn short_texts_are_whole_and_long_lines_keep_both_ends() {
        assert_eq!(choose("a\nb\n", None, 100), "a\nb");
        let line = format!("START {} END", "ä".repeat(5000));
        let excerpt = choose(&line, None, 1000);
        assert!(excerpt.starts_with("START ") && excerpt.ends_with(" END") && excerpt.len() <= LINE_BYTES_MAX + 3, "{excerpt}");
    }

    #[test]
    fn the_words_that_decided_are_kept_in_the_middle_of_a_long_line() {
        let line = format!("{} java.lang.OutOfMemoryError: Java heap space {}", "ä".repeat(3000), "z".repeat(3000));
        let excerpt = choose(&line, Some(Hit { line: 0, words: "OutOfMemoryError" }), 1000);
        assert!(excerpt.contains("java.lang.OutOfMemoryError: Java heap space") && excerpt.len() <= HIT_BYTES_MAX + 6, "{excerpt}");
        let short = choose(&line, Some(Hit { line: 0, words: "nowhere" }), 1000);
        assert!(short.starts_with('ä') && short.ends_with('z'), "{short}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn an_excerpt_is_bounded_and_of_the_text(lines in proptest::collection::vec("[a-zA-Z:ü0-9 ]{0,500}", 0..24), hit in 0usize..80, max in 0usize..3000) {
            let text = lines.join("\n");
            let hit = Some(Hit { line: hit, words: "a" });
            let excerpt = choose(&text, hit, max);
            prop_assert!(excerpt.len() <= max, "{} > {max}", excerpt.len());
            prop_assert_eq!(&excerpt, &choose(&text, hit, max));
            for line in excerpt.lines().filter(|line| !line.starts_with(MARK) && !line.contains('…')) {
                prop_assert!(lines.iter().any(|known| known.trim_end() == line.trim_end()), "{line:?}");
            }
        }
    }
}
