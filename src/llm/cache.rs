//! Opinions kept for a while: 500 runs that fail of one cause cost one call.
//!
//! Which facts of a prompt are in the [`Key`], and which are not:
//! - In: the fingerprint, for the lines that show the failure (the desk looks the quotes up in the new ones all the same); the prompt's
//!   template and the model; and what people decided otherwise than the engine on this very error, as far as the prompt would show it
//!   ([`otherwise`]). The first override is asked about anew, with it in the prompt: what was said before did not know of it.
//! - Not in: how often people decided so, when, why and what came of it, and the tally of re-runs. They change with every run, and would
//!   make each a question of its own; within the age limit the engine counts them itself, whatever a model says.
//! - Not in: approvals. They leave the decision as it was made beside this very opinion.
//! - Not in: the job with its name, settings, history and people's words on its other errors, and the attempts on the run. One cause
//!   fails many jobs at once, and what holds for one run alone is bounded by the engine (`decide::guardrail`).
//!
//! There are few decisions, so few keys an error, however many people decide: no order of approvals and overrides costs more than one
//! call for each choice of them, and one that is shown again finds its opinion again.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;
use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::classification::Opinion;
use crate::domain::ids::Fingerprint;
use crate::domain::precedent::{Precedent, Word};

use super::prompt::PRECEDENTS_MAX;
use super::reason::NoOpinion;

/// Opinions held; the oldest leaves first. One is a few kilobytes.
const ENTRIES_MAX: usize = 512;
/// Opinions that a restart keeps, the newest: they are written with each new one, and all of them would take as long as the rest of a
/// question together (`benches/opinion.rs`).
const KEPT_MAX: usize = 64;
/// A question that failed by its own fault, or whose answer made its quotes up, is not asked again for so long.
const FAULT_AGE_MAX: Duration = Duration::from_secs(15 * 60);

/// What an opinion is an answer to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    pub fingerprint: Fingerprint,
    /// The prompt's name and hash.
    pub prompt: String,
    /// The model or deployment as configured.
    pub model: String,
    /// Of those alike that the prompt shows: see [`otherwise`].
    #[serde(default)]
    pub people: BTreeSet<Otherwise>,
}

/// A person's decision, whoever took it and for whatever reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Otherwise {
    word: Word,
    action: Option<Action>,
    /// Where the person named another one than the rules.
    cause: Option<Cause>,
}

/// What people decided otherwise than the engine, each decision once, of the precedents that a prompt shows (the newest).
pub fn otherwise(people: &[Precedent]) -> BTreeSet<Otherwise> {
    let shown = people.iter().take(PRECEDENTS_MAX);
    let decided = shown.filter_map(|precedent| match precedent.word {
        Word::Approved => None,
        Word::Overrode | Word::Ignored | Word::Handled => {
            let cause = precedent.rules_said.map(|_| precedent.cause);
            Some(Otherwise { word: precedent.word, action: precedent.action, cause })
        }
    });
    decided.collect()
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    at: Timestamp,
    said: Result<Opinion, NoOpinion>,
}

/// Pure: the time is handed in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cache {
    entries: HashMap<Key, Entry>,
}

/// An opinion as a store keeps it over a restart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    pub key: Key,
    pub at: Timestamp,
    pub opinion: Opinion,
}

impl Cache {
    /// What was said of the key at most `age_max` ago.
    pub fn get(&self, key: &Key, now: Timestamp, age_max: Duration) -> Option<&Result<Opinion, NoOpinion>> {
        let entry = self.entries.get(key)?;
        let age_max = match &entry.said {
            Ok(opinion) if opinion.grounded => age_max,
            Ok(_) | Err(_) => age_max.min(FAULT_AGE_MAX),
        };
        // A time to come counts as one gone by: a clock that was wrong and put right makes nothing young for years.
        let age = now.duration_since(entry.at).unsigned_abs();
        (age <= age_max).then_some(&entry.said)
    }

    pub fn put(&mut self, key: Key, now: Timestamp, said: Result<Opinion, NoOpinion>) {
        self.entries.insert(key, Entry { at: now, said });
        while self.entries.len() > ENTRIES_MAX {
            let oldest = self.entries.iter().min_by_key(|(key, entry)| (entry.at, (*key).clone())).map(|(key, _)| key.clone());
            if let Some(key) = oldest {
                self.entries.remove(&key);
            }
        }
    }

    /// The newest opinions, for a store; in an order of their own.
    pub fn kept(&self) -> Vec<Kept> {
        let mut newest: Vec<(&Key, Timestamp, &Opinion)> =
            self.entries.iter().filter_map(|(key, entry)| Some((key, entry.at, entry.said.as_ref().ok()?))).collect();
        newest.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
        newest.truncate(KEPT_MAX);
        newest.into_iter().map(|(key, at, opinion)| Kept { key: key.clone(), at, opinion: opinion.clone() }).collect()
    }

    pub fn restore(&mut self, kept: Vec<Kept>) {
        for Kept { key, at, opinion } in kept {
            self.put(key, at, Ok(opinion));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::tests::support;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn key(fingerprint: &str) -> Key {
        Key {
            fingerprint: Fingerprint::from(fingerprint),
            prompt: "opinion.v1 0".to_owned(),
            model: "m".to_owned(),
            people: BTreeSet::new(),
        }
    }

    #[test]
    fn what_was_said_is_kept_for_its_time() {
        let day = Duration::from_secs(86_400);
        let mut cache = Cache::default();
        cache.put(key("a"), at(0), Ok(support::opinion()));
        cache.put(key("b"), at(0), Err(NoOpinion::Invalid { fault: "no".to_owned() }));
        cache.put(key("u"), at(0), Ok(Opinion { grounded: false, ..support::opinion() }));
        for (name, seconds, there) in [
            ("u", 900, true),
            ("u", 901, false),
            ("a", 0, true),
            ("a", 86_400, true),
            ("a", 86_401, false),
            ("b", 900, true),
            ("b", 901, false),
            ("c", 0, false),
            ("a", -3_600, true),
            ("a", -86_401, false),
        ] {
            assert_eq!(cache.get(&key(name), at(seconds), day).is_some(), there, "{name} after {seconds} s");
        }
        let other = Key { model: "another".to_owned(), ..key("a") };
        assert_eq!(cache.get(&other, at(0), day), None, "another model's opinion is another");
    }

    #[test]
    fn a_restart_keeps_what_an_older_one_wrote_down() {
        let kept = Kept { key: key("a"), at: at(0), opinion: support::opinion() };
        let mut older = serde_json::to_value(&kept).unwrap();
        older["key"].as_object_mut().unwrap().remove("people").unwrap();
        assert_eq!(serde_json::from_value::<Kept>(older).unwrap(), kept);
    }

    #[test]
    fn the_oldest_leaves_and_a_restart_keeps_opinions() {
        let mut cache = Cache::default();
        for i in 0..ENTRIES_MAX + 10 {
            cache.put(key(&format!("{i:04}")), at(i as i64), Ok(support::opinion()));
        }
        let day = Duration::from_secs(86_400);
        assert_eq!(cache.get(&key("0009"), at(600), day), None);
        assert!(cache.get(&key("0010"), at(600), day).is_some());
        let mut again = Cache::default();
        let text = serde_json::to_string(&cache.kept()).unwrap();
        again.restore(serde_json::from_str(&text).unwrap());
        let newest = ENTRIES_MAX + 10 - 1;
        for (number, there) in [(newest, true), (newest - KEPT_MAX + 1, true), (newest - KEPT_MAX, false)] {
            let key = key(&format!("{number:04}"));
            assert_eq!(again.get(&key, at(600), day), cache.get(&key, at(600), day).filter(|_| there), "{number}");
        }
    }
}
