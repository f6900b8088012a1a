//! One search for everything that may give a secret away: two passes over a text, whatever the number of words.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::{call, command, dialogue, label, place, shape};

/// Signs of structure, written in capitals or small letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    WebToken,
    PrivateKey,
    PuttyKey,
    StaticKey,
    Url,
    At,
    Cookie,
    Identified,
    Authorization,
    Scheme,
}

const MARKS: [(&str, Mark); 17] = [
    ("eyJ", Mark::WebToken),
    ("PRIVATE KEY", Mark::PrivateKey),
    ("Private-Lines: ", Mark::PuttyKey),
    ("OpenVPN Static key", Mark::StaticKey),
    ("://", Mark::Url),
    ("%3A%2F%2F", Mark::Url),
    ("@", Mark::At),
    ("cookie", Mark::Cookie),
    ("identified by", Mark::Identified),
    ("identified with", Mark::Identified),
    ("authorization", Mark::Authorization),
    ("bearer", Mark::Scheme),
    ("basic", Mark::Scheme),
    ("SharedAccessSignature", Mark::Scheme),
    ("GenieKey", Mark::Scheme),
    ("ApiKey", Mark::Scheme),
    ("Splunk ", Mark::Scheme),
];

/// What was found, and which rule reads on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Mark(Mark),
    /// A part of a name that may announce a secret.
    Stem,
    /// A whole name in another language, and the kind of secret it announces.
    Foreign(&'static str),
    Program,
    Call,
    Place(&'static str),
    /// An issuer's mark: its row.
    Shape(usize),
}

/// A sign at `start..end`.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    pub sign: Sign,
    pub start: usize,
    pub end: usize,
}

/// The automata, and the sign of each pattern.
struct Automaton {
    search: AhoCorasick,
    signs: Vec<Sign>,
}

pub struct Search {
    exact: Option<Automaton>,
    anycase: Option<Automaton>,
}

impl Search {
    pub fn new() -> Self {
        let mut exact: Vec<(String, Sign)> = Vec::new();
        exact.extend(shape::prefixes().map(|(prefix, row)| (prefix.to_owned(), Sign::Shape(row))));
        exact.extend(command::programs().into_iter().map(|program| (program, Sign::Program)));
        exact.extend(call::words().into_iter().map(|word| (word.to_owned(), Sign::Call)));
        exact.extend(place::MARKS.iter().chain(&dialogue::MARKS).map(|mark| ((*mark).to_owned(), Sign::Place(mark))));
        let mut anycase: Vec<(String, Sign)> = label::stems().into_iter().map(|stem| (stem, Sign::Stem)).collect();
        anycase.extend(MARKS.into_iter().map(|(mark, sign)| (mark.to_owned(), Sign::Mark(sign))));
        anycase.extend(label::foreign().map(|(word, kind)| (word, Sign::Foreign(kind))));
        Self { exact: Automaton::new(&exact, false), anycase: Automaton::new(&anycase, true) }
    }

    /// Both automata could be built: they always can, from words that are part of the program, and a test says so.
    #[cfg(test)]
    pub fn is_complete(&self) -> bool {
        self.exact.is_some() && self.anycase.is_some()
    }

    /// Every sign, by the automaton that knows it, each in the order of its ends.
    pub fn each(&self, text: &[u8], mut tell: impl FnMut(Hit)) {
        for automaton in [&self.anycase, &self.exact].into_iter().flatten() {
            for hit in automaton.search.find_overlapping_iter(text) {
                if let Some(sign) = automaton.signs.get(hit.pattern().as_usize()) {
                    tell(Hit { sign: *sign, start: hit.start(), end: hit.end() });
                }
            }
        }
    }
}

impl Automaton {
    fn new(words: &[(String, Sign)], anycase: bool) -> Option<Self> {
        let patterns = words.iter().map(|(word, _)| word);
        let search = AhoCorasick::builder().ascii_case_insensitive(anycase).kind(Some(AhoCorasickKind::DFA)).build(patterns).ok()?;
        Some(Self { search, signs: words.iter().map(|(_, sign)| *sign).collect() })
    }
}
