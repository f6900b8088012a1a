//! Why the model says what it says: the words of a text that weigh most for a cause.

use crate::classify::reading::Page;
use crate::classify::signal::Place;
use crate::domain::cause::Cause;

use super::Model;
use super::features::{each, is_read};

/// A shorter or longer word explains nothing to a reader.
const TERM_BYTES_MIN: usize = 4;
const TERM_BYTES_MAX: usize = 48;

impl Model {
    /// The words and pairs that speak loudest for the cause, strongest first, none within another; at most `count`.
    pub fn strongest(&self, pages: &[Page<'_>], cause: Cause, count: usize) -> Vec<Place> {
        let Some(class) = Cause::ALL.iter().position(|known| *known == cause) else { return Vec::new() };
        let mut heard: Vec<(i8, Place)> = Vec::new();
        let mut read = 0;
        for (page, text) in pages.iter().enumerate() {
            for (segment, part) in text.segments.iter().enumerate().filter(|(_, part)| is_read(part)) {
                for (start, end) in text.unquoted(part) {
                    let words = text.piece.text.get(start..end).unwrap_or_default();
                    each(words, &mut read, |bucket, range| {
                        let weight = self.weights.get(bucket as usize).and_then(|row| row.get(class)).copied().unwrap_or_default();
                        if weight > 0 && words.get(range.clone()).is_some_and(is_readable) {
                            heard.push((weight, Place { page, start: start + range.start, end: start + range.end, segment }));
                        }
                    });
                }
            }
        }
        heard.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.page.cmp(&b.1.page)).then(a.1.start.cmp(&b.1.start)));
        let words = |place: &Place| pages.get(place.page).and_then(|page| page.piece.text.get(place.start..place.end)).unwrap_or_default();
        let mut terms: Vec<Place> = Vec::new();
        for (_, place) in heard {
            let overlaps = |known: &Place| known.page == place.page && known.start < place.end && place.start < known.end;
            let told = terms.iter().any(|known| overlaps(known) || words(known).eq_ignore_ascii_case(words(&place)));
            if !told {
                terms.push(place);
            }
            if terms.len() == count {
                break;
            }
        }
        terms
    }
}

/// A word, or two with one mark between them: what stands between words of a hostile text is not for a screen.
fn is_readable(term: &str) -> bool {
    let marks = term.bytes().filter(|b| !b.is_ascii_alphanumeric()).count();
    (TERM_BYTES_MIN..=TERM_BYTES_MAX).contains(&term.len()) && marks <= 1 && term.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}
