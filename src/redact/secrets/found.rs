//! Places of secrets in a text: collected by many rules, merged, and replaced by numbered placeholders.

use std::collections::{BTreeMap, HashMap};

/// A secret at `start..end` of the view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub start: usize,
    pub end: usize,
    pub kind: &'static str,
    /// The secret without what breaks it: by this it is recognised a second time.
    pub words: String,
}

/// In order, without overlaps: where two meet they become one, named by the one whose rule ran first.
pub fn merged(mut all: Vec<Found>) -> Vec<Found> {
    let mut order: Vec<(usize, Found)> = all.drain(..).enumerate().filter(|(_, found)| found.start < found.end).collect();
    order.sort_by(|(rank_a, a), (rank_b, b)| a.start.cmp(&b.start).then(rank_a.cmp(rank_b)));
    let mut merged: Vec<(usize, Found)> = Vec::with_capacity(order.len());
    for (rank, found) in order {
        match merged.last_mut() {
            Some((last_rank, last)) if found.start < last.end => {
                if rank < *last_rank {
                    last.kind = found.kind;
                    *last_rank = rank;
                }
                if found.end > last.end {
                    last.words.clear();
                    last.end = found.end;
                }
            }
            _ => merged.push((rank, found)),
        }
    }
    merged.into_iter().map(|(_, found)| found).collect()
}

/// Which placeholder stands for which secret, within one text.
#[derive(Default)]
pub struct Numbers {
    next: HashMap<&'static str, usize>,
    known: HashMap<String, (&'static str, usize)>,
    /// Highest number that stands in the text already, by kind.
    taken: HashMap<String, usize>,
}

impl Numbers {
    /// Goes on counting after the placeholders that the texts hold already.
    pub fn after(texts: &[&str]) -> Self {
        let mut taken: HashMap<String, usize> = HashMap::new();
        for part in texts.iter().flat_map(|text| text.split('‹').skip(1)) {
            if let Some((inner, _)) = part.split_once('›')
                && let Some((kind, number)) = inner.rsplit_once('-')
                && let Ok(number) = number.parse::<usize>()
                && kind.len() <= 40
            {
                let highest = taken.entry(kind.to_owned()).or_default();
                *highest = number.max(*highest);
            }
        }
        Self { taken, ..Self::default() }
    }

    pub fn placeholder(&mut self, kind: &'static str, words: &str) -> String {
        let (kind, number) = match self.known.get(words) {
            Some(known) => *known,
            None => {
                let taken = self.taken.get(kind).copied().unwrap_or(0);
                let next = self.next.entry(kind).or_insert(taken);
                *next += 1;
                let named = (kind, *next);
                self.known.insert(words.to_owned(), named);
                named
            }
        };
        format!("‹{kind}-{number}›")
    }

    pub fn kind(&self, words: &str) -> Option<&'static str> {
        self.known.get(words).map(|(kind, _)| *kind)
    }
}

pub type Counts = BTreeMap<String, usize>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_places_become_one_named_by_the_first_rule() {
        let at = |start, end, kind| Found { start, end, kind, words: String::new() };
        assert_eq!(merged(vec![at(5, 9, "key"), at(0, 6, "password"), at(12, 14, "token")]), [at(0, 9, "key"), at(12, 14, "token")]);
    }

    #[test]
    fn the_same_secret_has_the_same_number() {
        let mut numbers = Numbers::after(&["a ‹key-2›"]);
        assert_eq!(numbers.placeholder("key", "a"), "‹key-3›");
        assert_eq!(numbers.placeholder("key", "b"), "‹key-4›");
        assert_eq!(numbers.placeholder("token", "a"), "‹key-3›");
    }
}
