//! A text as people read it: without colours and invisible characters, so that a token broken by them is whole again; and the way back
//! to where it stands in the original.

use std::borrow::Cow;

use crate::redact::control::is_unsafe;

/// Longest colour sequence that is left out, bytes: a 24-bit colour for both grounds is 40.
const COLOUR_BYTES_MAX: usize = 48;

/// Columns of usual terminals.
pub const WIDTHS: [usize; 6] = [80, 100, 120, 132, 160, 200];

/// The words without what is invisible.
pub struct View<'t> {
    pub words: Cow<'t, str>,
    /// Position in `words` -> bytes of the original left out up to there, rising.
    gaps: Vec<(usize, usize)>,
}

impl<'t> View<'t> {
    pub fn new(original: &'t str) -> Self {
        let bytes = original.as_bytes();
        let mut words = String::new();
        let mut gaps = Vec::new();
        let (mut kept, mut position) = (0, 0);
        while let Some(offset) = bytes.get(position..).and_then(|rest| rest.iter().position(|b| MAY_START[usize::from(*b)])) {
            position += offset;
            let length = invisible(original, position);
            if length == 0 {
                position += 1;
                continue;
            }
            words.push_str(original.get(kept..position).unwrap_or(""));
            position += length;
            kept = position;
            gaps.push((words.len(), position - words.len()));
        }
        if gaps.is_empty() {
            return Self { words: Cow::Borrowed(original), gaps };
        }
        words.push_str(original.get(kept..).unwrap_or(""));
        Self { words: Cow::Owned(words), gaps }
    }

    /// The words without the line ends at which a terminal of a usual width broke them, or nothing where there are none. A name or token
    /// may have been broken there; or nothing was, and the two lines have nothing to do with each other.
    pub fn unwrapped(&self) -> Option<View<'_>> {
        let of_a_token = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'=' | b'/' | b'+' | b'.');
        let (mut words, mut gaps) = (String::new(), Vec::new());
        let (mut kept, mut line) = (0, 0);
        for (end, _) in self.words.match_indices('\n') {
            let is_full = WIDTHS.contains(&(end - line));
            let is_part = self
                .words
                .as_bytes()
                .get(line..end)
                .is_some_and(|part| part_of_container(part).is_some_and(|prefix| part.get(prefix.wrapping_sub(2)) == Some(&b'P')));
            line = end + 1;
            let bytes = self.words.as_bytes();
            let next: &[u8] = bytes.get(line..).unwrap_or_default();
            let token = next.iter().take(4096).take_while(|b| !b.is_ascii_whitespace()).count();
            let token = next.get(..token).unwrap_or_default();
            // More of a token, or of a name with its value; no word of a new sentence, and no date of a new log line.
            let goes_on = token.len() >= 6
                && token.first().is_some_and(u8::is_ascii_alphanumeric)
                && (token.contains(&b'=')
                    || token.iter().any(u8::is_ascii_digit) && !token.iter().take(5).any(|b| matches!(b, b'/' | b'-' | b':')));
            // What a container's log keeps in parts: `… stdout P ab`, and `… stdout F cd` on the next line.
            if let Some(prefix) = is_part.then(|| part_of_container(next)).flatten() {
                words.push_str(self.words.get(kept..end).unwrap_or(""));
                kept = line + prefix;
                gaps.push((words.len(), kept - words.len()));
            } else if is_full && goes_on && bytes.get(end.wrapping_sub(1)).is_some_and(of_a_token) {
                words.push_str(self.words.get(kept..end).unwrap_or(""));
                kept = line;
                gaps.push((words.len(), line - words.len()));
            }
        }
        words.push_str(self.words.get(kept..).unwrap_or(""));
        (!gaps.is_empty()).then_some(View { words: Cow::Owned(words), gaps })
    }

    /// Does what stands at `start..end` reach over a line's end that was left out, or stand right behind one?
    pub fn is_broken(&self, start: usize, end: usize) -> bool {
        const NAME_BYTES: usize = 40;
        let first = self.gaps.partition_point(|(at, _)| at + NAME_BYTES < start);
        self.gaps.get(first).is_some_and(|(at, _)| *at < end)
    }

    /// Where the character at `position` of the words starts in the original.
    pub fn start(&self, position: usize) -> usize {
        let before = self.gaps.partition_point(|(at, _)| *at <= position);
        position + before.checked_sub(1).and_then(|last| self.gaps.get(last)).map_or(0, |(_, left_out)| *left_out)
    }

    /// Where what ends at `position` of the words ends in the original.
    pub fn end(&self, position: usize) -> usize {
        match position.checked_sub(1) {
            Some(last) => self.start(last) + 1,
            None => 0,
        }
    }
}

/// The length of `2025-07-19T20:43:53.905Z stdout P `.
fn part_of_container(line: &[u8]) -> Option<usize> {
    const PREFIX_BYTES_MAX: usize = 48;
    let front = line.get(..PREFIX_BYTES_MAX.min(line.len()))?;
    let at = |words: &[u8]| front.windows(words.len()).position(|part| part == words).map(|at| at + words.len());
    [b" stdout P ", b" stdout F ", b" stderr P ", b" stderr F "].into_iter().find_map(|words| at(words))
}

/// Bytes that an invisible sequence may start with.
const MAY_START: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 256 {
        table[b] = match b as u8 {
            b'\n' | b'\t' | b'\r' => false,
            0..=0x1f | 0x7f | b'[' | b'\\' | b'^' => true,
            0xc2 | 0xd8 | 0xe1 | 0xe2 | 0xef | 0xf3 => true,
            _ => false,
        };
        b += 1;
    }
    table
};

/// The length of the invisible sequence that starts at `position`; 0 where there is none.
fn invisible(text: &str, position: usize) -> usize {
    let bytes = text.as_bytes();
    let at = |offset: usize| bytes.get(position + offset).copied().unwrap_or(0);
    match at(0) {
        0x1b => match at(1) {
            b'[' => 2 + csi(bytes, position + 2).unwrap_or(0),
            b']' => 2 + string(bytes, position + 2),
            b' '..=b'/' => 3,
            _ => 1,
        },
        // Colours whose escape character was lost or written out: `[31m`, `\u001b[31m`, `\x1b[31m`, `\033[31m`, `\e[31m`, `^[[31m`.
        b'[' => colour(bytes, position).unwrap_or(0),
        b'\\' => ["\\u001b", "\\u001B", "\\x1b", "\\x1B", "\\033", "\\e"]
            .into_iter()
            .find(|escape| text.get(position..).is_some_and(|rest| rest.starts_with(escape)))
            .and_then(|escape| Some(escape.len() + colour(bytes, position + escape.len())?))
            .unwrap_or(0),
        b'^' if at(1) == b'[' => colour(bytes, position + 2).map_or(0, |length| 2 + length),
        b'\n' | b'\t' | b'\r' | b' '..=b'~' => 0,
        0x80..=0xbf => 0,
        _ => text.get(position..).and_then(|rest| rest.chars().next()).filter(|c| is_unsafe(*c)).map_or(0, char::len_utf8),
    }
}

/// `[`, numbers, `m`.
fn colour(bytes: &[u8], position: usize) -> Option<usize> {
    if bytes.get(position) != Some(&b'[') {
        return None;
    }
    let length = csi(bytes, position + 1)?;
    let body = bytes.get(position + 1..position + length)?;
    let is_colour = bytes.get(position + length) == Some(&b'm') && body.iter().all(|b| b.is_ascii_digit() || *b == b';');
    is_colour.then_some(length + 1)
}

/// Parameters and final byte of a control sequence.
fn csi(bytes: &[u8], position: usize) -> Option<usize> {
    let rest = bytes.get(position..)?;
    let parameters = rest.iter().take(COLOUR_BYTES_MAX).take_while(|b| matches!(b, b' '..=b'?')).count();
    matches!(rest.get(parameters), Some(b'@'..=b'~')).then_some(parameters + 1)
}

/// A string sequence up to its terminator, or nothing when it does not end on its line.
fn string(bytes: &[u8], position: usize) -> usize {
    const BYTES_MAX: usize = 2048;
    for (offset, b) in bytes.get(position..).unwrap_or_default().iter().take(BYTES_MAX).enumerate() {
        match b {
            0x07 => return offset + 1,
            0x1b => return offset + if bytes.get(position + offset + 1) == Some(&b'\\') { 2 } else { 0 },
            b'\n' => return 0,
            _ => {}
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn colours_are_left_out_and_found_again() {
        for (text, words) in [
            ("plain [text] [3, 4]", "plain [text] [3, 4]"),
            ("\u{1b}[36mtoken\u{1b}[0m=\u{1b}[33mab\u{1b}[1mcd\u{1b}[0m x", "token=abcd x"),
            ("[36mtoken[0m=abcd", "token=abcd"),
            ("\\u001b[36mtoken\\u001b[0m=abcd", "token=abcd"),
            ("ab\u{200b}cd", "abcd"),
        ] {
            let view = View::new(text);
            assert_eq!(view.words, words);
            if let Some(at) = view.words.find("abcd") {
                let found = text.get(view.start(at)..view.end(at + 4)).unwrap();
                assert!(found.starts_with('a') && found.ends_with('d'), "{found:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_way_back_is_the_same_character(text in "(\u{1b}\\[[0-9;]{0,4}m|[a-zé\u{200b}=\n\\[]){0,40}") {
            let view = View::new(&text);
            for (at, c) in view.words.char_indices() {
                prop_assert!(text.get(view.start(at)..).unwrap().starts_with(c));
                prop_assert!(text.get(..view.end(at + c.len_utf8())).unwrap().ends_with(c));
            }
        }
    }
}
