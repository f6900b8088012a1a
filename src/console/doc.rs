//! A long text to read: numbered lines under headings, with the lines that decided marked.

use std::ops::Range;

use crate::redact::control::strip_control;

use super::wall;

/// How a line reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Heading,
    Text,
    Muted,
    Danger,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocLine {
    /// Its number in its section, from 1.
    pub number: Option<usize>,
    pub text: String,
    /// Bytes of `text` on which the verdict rests.
    pub hit: Option<Range<usize>>,
    pub kind: Kind,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doc {
    pub lines: Vec<DocLine>,
}

/// A tab becomes so many spaces: a cell cannot hold one.
const TAB: &str = "    ";

impl Doc {
    pub fn line(&mut self, kind: Kind, text: &str) {
        self.lines.push(DocLine { number: None, text: wall::clean(text), hit: None, kind });
    }

    pub fn heading(&mut self, text: &str) {
        if !self.lines.is_empty() {
            self.line(Kind::Text, "");
        }
        self.line(Kind::Heading, text);
    }

    /// The text's lines, numbered. `hit` is in bytes of `text`.
    pub fn numbered(&mut self, text: &str, hit: Option<Range<usize>>) {
        // Stripping moves bytes: what was hit is then found again by its own words.
        let hit_text = hit.as_ref().and_then(|hit| text.get(hit.clone()));
        let clean = strip_control(text);
        let hit = match hit_text {
            Some(words) if clean != text => {
                let words = strip_control(words);
                clean.find(&*words).filter(|_| !words.is_empty()).map(|at| at..at + words.len())
            }
            Some(_) => hit,
            None => None,
        };
        let mut start = 0;
        for (at, line) in clean.trim_end_matches('\n').split('\n').enumerate() {
            let end = start + line.len();
            let within = hit.as_ref().and_then(|hit| {
                let (from, to) = (hit.start.max(start), hit.end.min(end));
                (from < to).then(|| column(line, from - start)..column(line, to - start))
            });
            self.lines.push(DocLine { number: Some(at + 1), text: spaced(line), hit: within, kind: Kind::Text });
            start = end + 1;
        }
    }

    /// The first line that was hit.
    pub fn hit(&self) -> Option<usize> {
        self.lines.iter().position(|line| line.hit.is_some())
    }

    /// The heading over a line.
    pub fn heading_of(&self, line: usize) -> Option<&str> {
        self.lines.get(..=line)?.iter().rev().find(|line| line.kind == Kind::Heading).map(|line| line.text.as_str())
    }
}

fn spaced(line: &str) -> String {
    wall::clean(&line.replace('\t', TAB))
}

/// Where a byte of the line stands after tabs became spaces.
fn column(line: &str, byte: usize) -> usize {
    line.get(..byte).map_or(0, |head| spaced(head).len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, hit: &str, want: &[(usize, &str)]) {
        let mut doc = Doc::default();
        let at = text.find(hit).unwrap();
        doc.numbered(text, Some(at..at + hit.len()));
        let found: Vec<_> =
            doc.lines.iter().filter_map(|line| Some((line.number?, line.text.get(line.hit.clone()?)?.to_owned()))).collect();
        let want: Vec<_> = want.iter().map(|(number, text)| (*number, (*text).to_owned())).collect();
        assert_eq!(found, want, "{text:?}");
    }

    #[test]
    fn the_hit_is_marked_where_it_stands() {
        check("one\ntwo three\nfour", "three", &[(2, "three")]);
        check("a\n\tat org.Driver(x)\n", "Driver", &[(2, "Driver")]);
        check("ab\ncd\nef", "b\ncd\ne", &[(1, "b"), (2, "cd"), (3, "e")]);
        check("ü\u{1b}[31mERROR\u{1b}[0m heap", "heap", &[(1, "heap")]);
    }

    #[test]
    fn a_hit_outside_the_text_marks_nothing() {
        let mut doc = Doc::default();
        doc.numbered("üb", Some(1..99));
        assert_eq!(doc.hit(), None);
    }
}
