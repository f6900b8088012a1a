//! What the tests of the second opinion share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use runmend::classify::Classifier;
use runmend::domain::Timestamp;
use runmend::domain::cause::Cause;
use runmend::domain::classification::{Classification, Opinion};
use runmend::domain::evidence::{Evidence, FailureText};
use runmend::domain::job::JobFacts;
use runmend::llm::{Alike, Desk, Model, NoOpinion, Occasion, Options, PriceTable, Prompt, Question};
use runmend::redact::secrets::Redactor;
use serde::Deserialize;

/// A failure as the case files hold it. Labels and notes are other fields.
#[derive(Deserialize)]
pub struct Case {
    pub id: String,
    #[serde(flatten)]
    pub text: FailureText,
    /// The log starts with so many lines of nothing.
    #[serde(default)]
    fill: usize,
    #[serde(default)]
    pub technique: String,
    /// The cause without the attack.
    #[serde(default, alias = "true_category", alias = "category")]
    pub cause: Option<Cause>,
    #[serde(default, alias = "alt_categories")]
    pub category_alternatives: Vec<Cause>,
    /// By where it may not appear as it is: `terminal`, `header`, `smtp`, `everywhere` and others.
    #[serde(default)]
    pub forbidden: BTreeMap<String, Vec<String>>,
}

impl Case {
    /// Panics where `text`, which goes to `place`, holds what may not go there.
    pub fn allows(&self, place: &str, text: &str) {
        for words in [place, "everywhere"].into_iter().filter_map(|place| self.forbidden.get(place)).flatten() {
            assert!(!text.contains(words.as_str()), "{} ({}): {words:?} in the {place}:\n{text}", self.id, self.technique);
        }
    }
}

/// The cases of a file; `None`, with its reason, where the file is not at hand.
pub fn cases(path: &Path) -> Option<Vec<Case>> {
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: {} is not here", path.display());
        return None;
    };
    let read = |line: &str| {
        let mut case: Case = serde_json::from_str(line).unwrap();
        if case.fill > 0 {
            case.text.logs = Some("25/06/11 02:14:00 INFO Driver: warming up, nothing to see here\n".repeat(case.fill));
        }
        case
    };
    Some(text.lines().filter(|line| !line.trim().is_empty()).map(read).collect())
}

/// The labelled corpus is not part of the package: `RUNMEND_CORPUS`, or `../shared/corpus`.
pub fn corpus(name: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::env::var_os("RUNMEND_CORPUS").map_or_else(|| package.join("../shared/corpus"), PathBuf::from).join(name)
}

pub fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);

pub struct Failed {
    pub evidence: Evidence,
    pub classification: Classification,
}

/// What the rules say of a text that came through the door.
pub fn failed(classifier: &Classifier, text: &FailureText) -> Failed {
    // As the agent collects it: without secrets.
    let mut run = text.clone();
    let mut texts: Vec<&mut String> =
        [&mut run.error, &mut run.error_trace, &mut run.state_message, &mut run.logs].into_iter().flatten().collect();
    let (redacted, _) = REDACTOR.redact_all(&texts.iter().map(|text| text.as_str()).collect::<Vec<_>>());
    for (text, redacted) in texts.iter_mut().zip(redacted) {
        **text = redacted;
    }
    let evidence = Evidence { run, ..Evidence::default() };
    let classification = classifier.classify_evidence(&evidence);
    Failed { evidence, classification }
}

pub fn desk(model: Arc<dyn Model>, options: Options) -> Desk {
    Desk::new(Some(model), Arc::new(Redactor::new(Default::default())), options, PriceTable::shipped())
}

pub async fn opinion(desk: &Desk, failed: &Failed, now: Timestamp, shown: &mut String) -> Result<Opinion, NoOpinion> {
    let (job, alike) = (JobFacts::default(), Alike::default());
    desk.opinion(&question(failed, &job, &alike), now, &mut |piece| shown.push_str(piece)).await
}

pub fn prompt(desk: &Desk, failed: &Failed) -> Prompt {
    let (job, alike) = (JobFacts::default(), Alike::default());
    desk.prompt(&question(failed, &job, &alike))
}

fn question<'a>(failed: &'a Failed, job: &'a JobFacts, alike: &'a Alike) -> Question<'a> {
    Question { evidence: &failed.evidence, classification: &failed.classification, job, attempts: &[], alike, occasion: Occasion::Demanded }
}
