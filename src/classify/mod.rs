//! Evidence -> classification: rule table, Spark error conditions, termination codes, fingerprint. Pure.
//! May import: `domain`. Must not: read files or the clock (the rules' text is compiled in or handed over). Start at [`Classifier`].

use crate::domain::classification::Classification;
use crate::domain::evidence::{Evidence, FailureText};

/// The rules, compiled once.
pub struct Classifier {}

impl Classifier {
    /// The shipped rules.
    pub fn shipped() -> Self {
        unimplemented!("written next")
    }

    /// One failure's texts.
    pub fn classify(&self, _text: &FailureText) -> Classification {
        unimplemented!("written next")
    }

    /// A run's failure: each root failing task is judged; where they differ, the verdict is the one that is least safe to re-run.
    pub fn classify_evidence(&self, _evidence: &Evidence) -> Classification {
        unimplemented!("written next")
    }
}
