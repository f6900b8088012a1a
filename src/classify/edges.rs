//! Where words start and end in folded text.
//!
//! Every byte of every text is looked at for this, so eight are looked at together: each byte of a number answers for one, in its top bit.

const EACH: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// Of eight bytes, those within a word.
#[derive(Clone, Copy, Debug, Default)]
struct Eight {
    /// Letters and digits of ASCII.
    ascii: u64,
    /// Those, and the bytes of other letters.
    word: u64,
}

impl Eight {
    fn of(bytes: [u8; 8]) -> Self {
        let all = u64::from_le_bytes(bytes);
        // Seven bits and at most 0x7f: the sum reaches the top bit where the byte is at least `b`, and never goes beyond it.
        let at_least = |b: u8| (all & !TOPS) + EACH * u64::from(0x80 - b);
        let letters = at_least(b'a') & !at_least(b'z' + 1);
        let digits = at_least(b'0') & !at_least(b'9' + 1);
        let ascii = (letters | digits) & !all & TOPS;
        Self { ascii, word: ascii | all & TOPS }
    }

    fn at(text: &[u8], at: usize) -> Self {
        let rest = text.get(at..).unwrap_or_default();
        Self::of(rest.first_chunk().copied().unwrap_or_else(|| {
            let mut padded = [b' '; 8];
            padded[..rest.len()].copy_from_slice(rest);
            padded
        }))
    }
}

/// Calls `start` with each place in `low..high` where a word starts, `end` with each in `low..=high` before which a word of ASCII ends.
pub fn edges(text: &[u8], low: usize, high: usize, mut start: impl FnMut(usize), mut end: impl FnMut(usize)) {
    let mut before = match low.checked_sub(1).and_then(|at| text.get(at)) {
        Some(b) => Eight::of([b' ', b' ', b' ', b' ', b' ', b' ', b' ', *b]),
        None => Eight::default(),
    };
    let mut next = |at: usize| {
        let here = Eight::at(text, at);
        // Each byte's neighbour before it, the first one's from the eight before.
        let behind = |now: u64, last: u64| now << 8 | last >> 56;
        let starts = here.word & !behind(here.word, before.word);
        let ends = behind(here.ascii, before.ascii) & !here.ascii & TOPS;
        before = here;
        (starts, ends)
    };
    let mut at = low;
    while at + 8 <= high {
        let (starts, ends) = next(at);
        each(starts, |place| start(at + place));
        each(ends, |place| end(at + place));
        at += 8;
    }
    let (starts, ends) = next(at);
    let beyond = u64::MAX << (8 * (high - at));
    each(starts & !beyond, |place| start(at + place));
    each(ends & !(beyond << 8), |place| end(at + place));
}

fn each(mut tops: u64, mut place: impl FnMut(usize)) {
    while tops != 0 {
        place(tops.trailing_zeros() as usize / 8);
        tops &= tops - 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn edges_are_where_a_byte_by_byte_look_finds_them(text in "[a-c0-9 é_.:/@{`]{0,40}", low in 0_usize..40, length in 0_usize..40) {
            let text = text.as_bytes();
            let low = low.min(text.len());
            let high = (low + length).min(text.len());
            let ascii = |at: usize| text.get(at).is_some_and(u8::is_ascii_alphanumeric);
            let word = |at: usize| ascii(at) || text.get(at).is_some_and(|b| *b >= 128);
            let starts: Vec<usize> = (low..high).filter(|at| word(*at) && (*at == 0 || !word(at - 1))).collect();
            let ends: Vec<usize> = (low..=high).filter(|at| *at > 0 && ascii(at - 1) && !ascii(*at)).collect();
            let (mut found_starts, mut found_ends) = (Vec::new(), Vec::new());
            edges(text, low, high, |at| found_starts.push(at), |at| found_ends.push(at));
            prop_assert_eq!(found_starts, starts);
            prop_assert_eq!(found_ends, ends);
        }
    }
}
