//! Which of a few thousand byte strings begin here? One look-up a word, whatever their number.

use std::collections::BTreeMap;
use std::ops::Range;

/// So many bytes of a string tell it apart; the caller compares the rest.
const BYTES_MAX: usize = 16;
/// A string shorter than this would be tried at every second word.
pub const SHORTEST: usize = 3;
/// Strings are found by a hash of their first three bytes.
const SLOTS: usize = 1 << 12;

/// Up to [`BYTES_MAX`] bytes as a number, the first byte on top: in the order of numbers a prefix stands right before what it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lead {
    word: u128,
    length: u32,
}

impl Lead {
    /// The first bytes.
    pub fn of_start(bytes: &[u8]) -> Self {
        if let Some(full) = bytes.first_chunk() {
            return Self { word: u128::from_be_bytes(*full), length: BYTES_MAX as u32 };
        }
        let mut word = [0; BYTES_MAX];
        word[..bytes.len()].copy_from_slice(bytes);
        Self { word: u128::from_be_bytes(word), length: bytes.len() as u32 }
    }

    /// The last bytes, read backwards.
    pub fn of_end(bytes: &[u8]) -> Self {
        if let Some(full) = bytes.last_chunk() {
            return Self { word: u128::from_le_bytes(*full), length: BYTES_MAX as u32 };
        }
        let mut word = [0; BYTES_MAX];
        word[BYTES_MAX - bytes.len()..].copy_from_slice(bytes);
        Self { word: u128::from_le_bytes(word), length: bytes.len() as u32 }
    }

    fn slot(self) -> usize {
        slot([(self.word >> 120) as u8, (self.word >> 112) as u8, (self.word >> 104) as u8])
    }

    fn begins(self, word: u128) -> bool {
        (self.word ^ word) >> (8 * (BYTES_MAX as u32 - self.length)) == 0
    }
}

fn slot([first, second, third]: [u8; SHORTEST]) -> usize {
    (u32::from_be_bytes([0, first, second, third]).wrapping_mul(0x9e37_79b1) >> 20) as usize
}

/// In which order the values of strings that begin one another are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    ShortFirst,
    LongFirst,
}

#[derive(Debug)]
struct Entry {
    lead: Lead,
    /// The longest entry that begins this one: its place in the slot, from 1; 0 = none.
    within: u32,
    /// A range of the values: its own and those of the entries that begin it.
    from: u32,
    to: u32,
}

#[derive(Debug)]
pub struct Index<T> {
    /// By hash: a range of `entries`.
    slots: Vec<(u32, u32)>,
    entries: Vec<Entry>,
    values: Vec<T>,
}

impl<T: Copy> Index<T> {
    /// Strings of at least [`SHORTEST`] bytes, each with a value.
    pub fn new(strings: impl Iterator<Item = (Lead, T)>, order: Order) -> Self {
        let mut sorted: BTreeMap<(usize, Lead), Vec<T>> = BTreeMap::new();
        for (lead, value) in strings {
            sorted.entry((lead.slot(), lead)).or_default().push(value);
        }
        let mut index = Self { slots: vec![(0, 0); SLOTS], entries: Vec::with_capacity(sorted.len()), values: Vec::new() };
        for ((slot, lead), own) in sorted {
            let here = index.entries.len() as u32;
            if index.slots[slot].0 == index.slots[slot].1 {
                index.slots[slot] = (here, here);
            }
            let before = &index.entries[index.slots[slot].0 as usize..];
            let mut within = before.len();
            while within > 0 && !before[within - 1].lead.begins(lead.word) {
                within = before[within - 1].within as usize;
            }
            let shorter = match within {
                0 => Vec::new(),
                place => index.values[before[place - 1].from as usize..before[place - 1].to as usize].to_vec(),
            };
            let from = index.values.len() as u32;
            match order {
                Order::ShortFirst => index.values.extend(shorter.into_iter().chain(own)),
                Order::LongFirst => index.values.extend(own.into_iter().chain(shorter)),
            }
            index.entries.push(Entry { lead, within: within as u32, from, to: index.values.len() as u32 });
            index.slots[slot].1 = here + 1;
        }
        index
    }

    /// The values of all strings, entered by their start, that begin this text, as far as [`BYTES_MAX`] bytes tell.
    #[inline]
    pub fn beginning(&self, text: &[u8]) -> &[T] {
        match text.first_chunk().map(|three| self.slots[slot(*three)]) {
            Some((from, to)) if from < to => self.within(from..to, Lead::of_start(text)),
            _ => &[],
        }
    }

    /// The values of all strings, entered by their end, that end this text.
    #[inline]
    pub fn ending(&self, text: &[u8]) -> &[T] {
        match text.last_chunk().map(|[third, second, first]| self.slots[slot([*first, *second, *third])]) {
            Some((from, to)) if from < to => self.within(from..to, Lead::of_end(text)),
            _ => &[],
        }
    }

    /// Kept out of line: at most words no string begins, and that is told before.
    #[inline(never)]
    fn within(&self, slot: Range<u32>, text: Lead) -> &[T] {
        let here = &self.entries[slot.start as usize..slot.end as usize];
        // What begins the text is not above it in order; between the longest such entry and the text stand only longer ones that share
        // its bytes, so it is met on the way from the nearest entry to what begins that.
        let mut place = here.partition_point(|entry| entry.lead.word <= text.word);
        while let Some(entry) = place.checked_sub(1).and_then(|at| here.get(at)) {
            if entry.lead.begins(text.word) {
                return &self.values[entry.from as usize..entry.to as usize];
            }
            place = entry.within as usize;
        }
        &[]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn exactly_the_strings_that_begin_a_text_are_found_shortest_first(
            strings in proptest::collection::vec("[ab]{3,18}", 0..40),
            text in "[ab]{0,24}",
        ) {
            let index = Index::new(strings.iter().enumerate().map(|(i, s)| (Lead::of_start(s.as_bytes()), i)), Order::ShortFirst);
            let found: Vec<&String> = index.beginning(text.as_bytes()).iter().map(|i| &strings[*i]).collect();
            let mut want: Vec<&String> = strings.iter().filter(|s| text.starts_with(&s[..s.len().min(BYTES_MAX)])).collect();
            want.sort_by_key(|s| s.len().min(BYTES_MAX));
            prop_assert_eq!(found, want);
        }

        #[test]
        fn exactly_the_strings_that_end_a_text_are_found_longest_first(
            strings in proptest::collection::vec("[ab]{3,16}", 0..40),
            text in "[ab]{0,24}",
        ) {
            let index = Index::new(strings.iter().enumerate().map(|(i, s)| (Lead::of_end(s.as_bytes()), i)), Order::LongFirst);
            let found: Vec<&String> = index.ending(text.as_bytes()).iter().map(|i| &strings[*i]).collect();
            let mut want: Vec<&String> = strings.iter().filter(|s| text.ends_with(s.as_str())).collect();
            want.sort_by_key(|s| std::cmp::Reverse(s.len()));
            prop_assert_eq!(found, want);
        }
    }
}
