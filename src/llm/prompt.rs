//! What is sent: one template, one failure's facts and the lines that show it, redacted, bounded, and the same for the same case.
//!
//! The order matters: control characters go first (or they would hide a secret from the redactor), then secrets (or a cut could leave
//! half of one), then the choice of lines, and last the marks around them, derived from what they enclose, so that nobody who writes
//! into a log can know them.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use crate::domain::action::Setting;
use crate::domain::cause::Cause;
use crate::domain::classification::Classification;
use crate::domain::evidence::{Evidence, FailureText, Field, TaskEvidence};
use crate::domain::incident::Attempt;
use crate::domain::job::JobFacts;
use crate::domain::precedent::Precedent;
use crate::redact::control::{one_line, strip_control};
use crate::redact::prose::invisible;
use crate::redact::secrets::Redactor;

use super::ask::Occasion;
use super::excerpt;
use super::facts;
use super::grounding;
use super::model::{Message, Role};

const TEMPLATE: &str = include_str!("../../assets/prompts/opinion.v1.md");
pub const NAME: &str = "opinion.v1";
/// The evidence's share of a prompt, bytes: about 1,100 tokens. A chain with its neighbours fits; most failures need a third of it.
pub const EVIDENCE_BYTES_MAX: usize = 3600;
/// The facts' share, bytes.
const FACTS_BYTES_MAX: usize = 700;
/// The share of people's words on earlier failures, bytes.
const PRECEDENTS_BYTES_MAX: usize = 1200;
/// No prompt is longer, whatever the failure: template, facts, evidence and their marks.
pub const PROMPT_BYTES_MAX: usize = 8 << 10;
/// A field is looked at so far around its hit (or its end), bytes, before lines are chosen: the redactor reads no more than this.
const WINDOW_BYTES_MAX: usize = 48 << 10;
/// Lines at a window's cut edge that are not chosen from: a secret of many lines that begins before the cut is not recognised there.
const EDGE_LINES: usize = 64;

/// What the agent asks about.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    pub evidence: &'a Evidence,
    pub classification: &'a Classification,
    pub job: &'a JobFacts,
    /// Attempts carried out on this run, oldest first.
    pub attempts: &'a [Attempt],
    pub alike: &'a Alike,
    pub occasion: Occasion,
}

/// What came of failures with the same fingerprint, and what people said of them and of the job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alike {
    pub mended: u32,
    pub failed_again: u32,
    /// People's words on failures with the same fingerprint, newest first. At most [`PRECEDENTS_MAX`] are sent.
    pub people: Vec<Precedent>,
    /// On other failures of the job; likewise.
    pub of_job: Vec<Precedent>,
}

/// People's words of each kind that a prompt carries: the newest count most, and each costs some twenty tokens.
pub const PRECEDENTS_MAX: usize = 3;

/// A prompt, and the evidence in it for the check of quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    pub system: String,
    pub user: String,
    /// The fields as they stand in `user`.
    pub sent: Vec<(Field, String)>,
}

struct Template {
    system: String,
    user: &'static str,
    hash: String,
}

static PARTS: LazyLock<Template> = LazyLock::new(|| {
    let (system, user) = TEMPLATE.split_once("\n---\n").unwrap_or((TEMPLATE, "{{fence}}\n{{data}}\n{{fence}}"));
    let causes: Vec<&str> = Cause::ALL.iter().map(|cause| cause.as_str()).collect();
    let settings: Vec<&str> = Setting::NAMED.iter().map(|(name, _)| *name).collect();
    let system = system.replace("{{causes}}", &causes.join(" | ")).replace("{{settings}}", &settings.join(" | "));
    Template { system: system.trim().to_owned(), user: user.trim(), hash: hex(&Sha256::digest(TEMPLATE)) }
});

/// SHA-256 of the template, in hex: which words were sent can be told from the audit trail.
pub fn hash() -> &'static str {
    &PARTS.hash
}

/// Name and start of the hash, as opinions and events carry it.
pub fn id() -> String {
    format!("{NAME} {}", hash().get(..12).unwrap_or_default())
}

impl Prompt {
    /// The prompt for a question, its evidence at most `evidence_bytes_max` long.
    pub fn build(question: &Question<'_>, redact: &Redactor, evidence_bytes_max: usize) -> Self {
        let source = Source::of(question);
        let fields = source.fields();
        let mut texts = vec![facts::of(question, &source), facts::precedents(question.alike)];
        texts.extend(fields.iter().map(|window| window.text.clone()));
        texts.push(fields.iter().find_map(|window| window.hit.clone()).unwrap_or_default());
        let parts: Vec<&str> = texts.iter().map(String::as_str).collect();
        // Together, so that one secret has one placeholder, and what one part gives away is found in all.
        let mut texts = redact.redact_all(&parts).0;
        let hit = texts.pop().unwrap_or_default();
        let mut facts = shorten(&texts.remove(0), FACTS_BYTES_MAX);
        let precedents: Vec<String> = texts.remove(0).lines().map(facts::precedent_as_sent).collect();
        let precedents = shorten(&precedents.join("\n"), PRECEDENTS_BYTES_MAX);
        if !precedents.is_empty() {
            facts.push('\n');
            facts.push_str(&precedents);
        }

        let mut sent = Vec::new();
        let mut room = evidence_bytes_max;
        let windows: Vec<(&Window, String)> = fields.iter().zip(texts).collect();
        // The field that decided chooses first; each takes at most half of what is left, but the last.
        let mut order: Vec<usize> = (0..windows.len()).collect();
        order.sort_by_key(|i| windows.get(*i).is_none_or(|(window, _)| window.hit.is_none()));
        for (place, i) in order.iter().enumerate() {
            let Some((window, text)) = windows.get(*i) else { continue };
            let share = if place + 1 == order.len() { room } else { room / 2 };
            let mut said = excerpt_of(window, text, &hit, share);
            if said.len() > share {
                said.truncate(excerpt::floor(&said, share));
            }
            room -= said.len();
            if !said.trim().is_empty() {
                sent.push((*i, window.field, said));
            }
        }
        sent.sort_by_key(|(i, _, _)| *i);
        let sent: Vec<(Field, String)> = sent.into_iter().map(|(_, field, said)| (field, said)).collect();
        Self::fenced(&facts, sent)
    }

    fn fenced(facts: &str, mut sent: Vec<(Field, String)>) -> Self {
        let body = |sent: &[(Field, String)]| {
            let mut data = format!("[facts]\n{facts}");
            for (field, text) in sent {
                data.push_str(&format!("\n[{}]\n{text}", field.as_str()));
            }
            data
        };
        let data = body(&sent);
        let fence = hex(&Sha256::digest(format!("{}\n{data}", hash()))).get(..16).unwrap_or_default().to_owned();
        // Nobody can aim at this mark; if it stands in the data all the same, it goes.
        let data = if data.contains(&fence) {
            for (_, text) in &mut sent {
                *text = text.replace(&fence, "");
            }
            body(&sent).replace(&fence, "")
        } else {
            data
        };
        let user = PARTS.user.replace("{{fence}}", &fence).replace("{{data}}", &data);
        Self { system: PARTS.system.clone(), user, sent }
    }

    pub fn messages(&self) -> Vec<Message> {
        vec![Message { role: Role::System, text: self.system.clone() }, Message { role: Role::User, text: self.user.clone() }]
    }

    /// Does the line occur in the evidence that is sent? As answers are checked.
    pub fn holds(&self, quote: &str) -> bool {
        grounding::find(quote, &self.sent).is_some()
    }

    /// Exactly what is sent, for people.
    pub fn show(&self) -> String {
        format!(
            "{} sha256:{}, about {} tokens\n\n--- system ---\n{}\n\n--- user ---\n{}\n",
            NAME,
            hash(),
            self.tokens(),
            self.system,
            self.user
        )
    }

    /// Estimated tokens of the whole prompt.
    pub fn tokens(&self) -> u64 {
        // Each message costs a few of its own.
        tokens(&self.system) + tokens(&self.user) + 8
    }
}

/// Estimated tokens of a text, as the tokenisers of the field cut it: a short word is one, a compound of names several, and long runs of
/// hex, base64 and digits are the dearest.
pub fn tokens(text: &str) -> u64 {
    let mut sum = 0.0;
    for word in text.split_whitespace() {
        let bytes = word.len() as f64;
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let plain = word.trim_end_matches([',', '.', ':', ';']).bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_uppercase());
        let one_name = word.bytes().skip(1).all(|b| !b.is_ascii_uppercase());
        let per_token = match () {
            () if word.len() >= 16 && digits * 4 >= word.len() => 1.6,
            () if plain && one_name => 6.0,
            () => 3.2,
        };
        sum += (bytes / per_token).max(1.0);
    }
    sum.ceil() as u64
}

/// The text that decided, with what is known of its task.
pub(super) struct Source<'a> {
    pub text: &'a FailureText,
    pub task: Option<&'a TaskEvidence>,
    classification: &'a Classification,
}

/// A stretch of one field, clean of control characters.
struct Window {
    field: Field,
    text: String,
    /// The hit's words and its line in `text`, if it is in this field.
    hit: Option<String>,
    hit_line: Option<usize>,
    /// Lines at the start and the end that are not chosen from.
    edges: (usize, usize),
}

impl<'a> Source<'a> {
    fn of(question: &Question<'a>) -> Self {
        let Question { evidence, classification, .. } = *question;
        let decided = classification.task.as_ref().and_then(|key| evidence.tasks.iter().find(|task| task.task_key == *key));
        let run_decided = classification.task.is_none() && evidence.run.error.is_some();
        let task = decided.or_else(|| if run_decided { None } else { evidence.tasks.first() });
        Self { text: task.map_or(&evidence.run, |task| &task.text), task, classification }
    }

    /// The fields with text, a message that only repeats another left out.
    fn fields(&self) -> Vec<Window> {
        let mut windows: Vec<Window> = Vec::new();
        for field in [Field::Error, Field::StateMessage, Field::ErrorTrace, Field::Logs] {
            let Some(text) = self.text.field(field).filter(|text| !text.trim().is_empty()) else { continue };
            let window = self.window(field, text);
            let repeats = |known: &Window| known.text.contains(window.text.trim());
            if window.hit.is_some() || !windows.iter().any(repeats) {
                windows.push(window);
            }
        }
        windows
    }

    fn window(&self, field: Field, text: &str) -> Window {
        let span = self.classification.evidence.as_ref().filter(|span| span.field == field);
        let middle = span.map_or(text.len(), |span| span.start.min(text.len()));
        let from = excerpt::floor(text, middle.saturating_sub(WINDOW_BYTES_MAX / 2));
        let to = excerpt::ceil(text, from.saturating_add(WINDOW_BYTES_MAX));
        let raw = text.get(from..to).unwrap_or_default();
        let before = span.and_then(|span| text.get(from..excerpt::floor(text, span.start)));
        let hit_line = before.map(|before| clean(before).matches('\n').count());
        let edge = |cut: bool| if cut { EDGE_LINES } else { 0 };
        Window {
            field,
            text: clean(raw),
            hit: span.map(|span| one_line(&span.text)),
            hit_line,
            edges: (edge(from > 0), edge(to < text.len())),
        }
    }
}

/// The chosen lines of a window after redaction. A redacted secret of many lines may have moved the hit: its words find it again.
fn excerpt_of(window: &Window, text: &str, hit: &str, bytes_max: usize) -> String {
    let total = text.lines().count();
    let (start, end) = window.edges;
    let line = window.hit_line.map(|near| {
        let words = hit.trim();
        let found = text.lines().enumerate().filter(|(_, line)| !words.is_empty() && line.contains(words)).map(|(at, _)| at);
        found.min_by_key(|at| at.abs_diff(near)).unwrap_or(near).min(total.saturating_sub(1))
    });
    // The hit itself is never at an edge: the window is around it.
    let start = line.map_or(start, |line| start.min(line));
    let kept: Vec<&str> = text.lines().skip(start).take(total.saturating_sub(start + end).max(1)).collect();
    let text = neutral(&kept.join("\n"));
    let words = neutral(hit.trim());
    excerpt::choose(&text, line.map(|line| excerpt::Hit { line: line - start, words: &words }), bytes_max)
}

fn clean(text: &str) -> String {
    strip_control(text).chars().filter(|c| !invisible(*c)).collect()
}

/// Marks by which servers tell roles apart, split by a blank: some read them out of a message's text.
fn neutral(text: &str) -> String {
    const ROLES: [(&str, &str); 9] = [
        ("<|", "< |"),
        ("|>", "| >"),
        ("[INST]", "[ INST ]"),
        ("[/INST]", "[ /INST ]"),
        ("<<SYS>>", "< <SYS> >"),
        ("<</SYS>>", "< </SYS> >"),
        ("<start_of_turn>", "< start_of_turn >"),
        ("<end_of_turn>", "< end_of_turn >"),
        ("</s>", "< /s >"),
    ];
    let marks =
        ROLES.iter().fold(text.to_owned(), |text, (mark, split)| if text.contains(mark) { text.replace(mark, split) } else { text });
    // And what looks like our own.
    if marks.contains("<<<DATA") || marks.contains(">>>") { marks.replace("<<<DATA", "< < <DATA").replace(">>>", "> > >") } else { marks }
}

fn shorten(text: &str, bytes_max: usize) -> String {
    let text = neutral(text);
    text.get(..excerpt::floor(&text, bytes_max)).unwrap_or_default().trim_end().to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
