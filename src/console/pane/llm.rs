//! What an LLM says beside the rules; without one, how to have one.

use ratatui::text::Line;

use crate::console::act;
use crate::console::key::Act;
use crate::console::model::Model;
use crate::console::options::Llm;
use crate::console::partial::{self, Partial};
use crate::console::theme::{Meaning, Theme};
use crate::console::wall::{hanging, ink};
use crate::domain::classification::{Opinion, OpinionOrigin};
use crate::domain::incident::{Asking, Incident};
use crate::domain::money::Usd;
use crate::redact::prose::prose;

use super::Text;

const INDENT: usize = 10;
/// One sentence or quote of an answer that is being written, characters.
const PIECE_CHARS_MAX: usize = 600;
/// An answer's keys, and what stands beside them.
const PARTS: [(&str, &str); 7] = [
    ("summary", ""),
    ("cause", "cause"),
    ("action", "would"),
    ("parameters", "with"),
    ("confidence", "sure"),
    ("quotes", "quotes"),
    ("message", "to owner"),
];

pub fn text(model: &Model, width: usize, theme: &Theme) -> Text<'static> {
    let (base, muted) = (theme.of(Meaning::Base), theme.of(Meaning::Muted));
    let Some(incident) = model.incident() else {
        return match &model.options.llm {
            Llm::NotConfigured => Text::new(how_to(width, theme), "not configured"),
            Llm::Configured(name) => {
                Text::new(hanging("", 0, "What the model says about the incident under the cursor.", width, base, muted), name.clone())
            }
        };
    };
    if let Some(draft) = &incident.draft {
        let name = match &model.options.llm {
            Llm::Configured(name) => name.as_str(),
            Llm::NotConfigured => "a model",
        };
        let mut lines = hanging("", 0, "The model is answering; nothing of it is checked yet. `x` stops it.", width, muted, muted);
        lines.extend(so_far(draft, width, theme));
        return Text::new(lines, format!("answering, {name}"));
    }
    if act::with_model(model, incident) {
        let words = match incident.asking {
            Asking::Demanded => "Asked by hand: the agent is about to put the question. `x` takes it back.",
            Asking::ByPolicy | Asking::Cancelled => "The model is asked where it may add something. `x` stops it.",
        };
        return Text::new(hanging("", 0, words, width, muted, muted), "asking");
    }
    match (&incident.opinion, &model.options.llm) {
        (Some(opinion), _) => Text::new(lines(incident, opinion, width, theme), aside(opinion)),
        (None, Llm::NotConfigured) => Text::new(how_to(width, theme), "not configured"),
        (None, Llm::Configured(name)) => {
            let why = incident.no_opinion.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            let words = format!("No opinion on this one{why}. The rules decided alone; nothing waits for a model.");
            let mut lines = hanging("", 0, &words, width, base, muted);
            if act::refusal(model, Act::AskModel).is_none() {
                lines.extend(hanging("", 0, "`m` asks it.", width, muted, muted));
            }
            Text::new(lines, name.clone())
        }
    }
}

/// An answer that is still being written, field by field as it comes.
fn so_far(draft: &str, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (base, muted) = (theme.of(Meaning::Base), theme.of(Meaning::Muted));
    let fields = match partial::read(draft) {
        Partial::Nothing => return hanging("", 0, "It thinks…", width, muted, muted),
        Partial::Words(words) => return hanging("", 0, &prose(&words, PIECE_CHARS_MAX), width, muted, muted),
        Partial::Fields(fields) => fields,
    };
    let mut lines = Vec::new();
    // In the order of the opinion that it becomes; what is no part of one is left out in the end, too.
    for (key, label) in PARTS {
        let pieces = fields.iter().filter(|field| field.key == key).flat_map(|field| &field.pieces);
        for (at, piece) in pieces.enumerate() {
            let indent = if label.is_empty() { 0 } else { INDENT };
            let piece = prose(piece, PIECE_CHARS_MAX);
            lines.extend(hanging(if at == 0 { label } else { "" }, indent, &piece, width, muted, base));
        }
    }
    lines
}

/// `0.8s, $0.0004, gpt-4o`: where there is little room the name is cut.
fn aside(opinion: &Opinion) -> String {
    let mut words = Vec::new();
    match opinion.origin {
        OpinionOrigin::Asked => words.push(format!("{:.1}s", opinion.latency_ms as f64 / 1000.0)),
        OpinionOrigin::Cached => words.push("cached, free".to_owned()),
    }
    match opinion.cost_usd {
        Some(cost) if cost > Usd::ZERO => words.push(cost.to_string()),
        // Nothing, as a model of one's own costs.
        Some(_) => {}
        None => words.push("price unknown".to_owned()),
    }
    words.push(opinion.model.clone());
    words.join(", ")
}

fn lines(incident: &Incident, opinion: &Opinion, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (base, muted, danger) = (theme.of(Meaning::Base), theme.of(Meaning::Muted), theme.of(Meaning::Danger));
    let agrees = incident.classification.as_ref().is_some_and(|rules| rules.cause == opinion.cause);
    let (word, style) = if agrees { ("agrees", theme.of(Meaning::Ok)) } else { ("differs", theme.of(Meaning::Waiting)) };
    let mut lines =
        vec![Line::from(vec![ink(format!("{} {}, ", opinion.cause, opinion.confidence), theme.strong(Meaning::Base)), ink(word, style)])];
    if !opinion.grounded {
        lines.extend(hanging("", 0, "It quotes what is not in the evidence: not to be trusted.", width, danger, danger));
    }
    lines.extend(hanging("", 0, &opinion.summary, width, base, base));
    let proposals = opinion.parameters.iter().map(ToString::to_string).collect::<Vec<_>>();
    let would = std::iter::once(opinion.action.words().to_owned()).chain(proposals).collect::<Vec<_>>().join(", ");
    lines.extend(hanging("would", INDENT, &would, width, muted, base));
    for (at, quote) in opinion.quotes.iter().enumerate() {
        let label = if at == 0 { "quotes" } else { "" };
        let (text, style) = match quote.field {
            Some(field) => (format!("{} ({})", quote.text, field.as_str().replace('_', " ")), base),
            None => (format!("{} (nowhere in the evidence)", quote.text), danger),
        };
        lines.extend(hanging(label, INDENT, &text, width, muted, style));
    }
    if !opinion.message.trim().is_empty() {
        lines.extend(hanging("to owner", INDENT, &opinion.message, width, muted, base));
    }
    for dropped in &opinion.dropped {
        lines.extend(hanging("left out", INDENT, dropped, width, muted, muted));
    }
    lines
}

fn how_to(width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (base, muted, accent) = (theme.of(Meaning::Base), theme.of(Meaning::Muted), theme.of(Meaning::Accent));
    let intro = "No LLM is configured; the rules decide alone. Its place is here, beside them. To give it one, in the config file or the environment:";
    let mut lines = hanging("", 0, intro, width, base, base);
    for setting in ["llm.provider = \"azure\"", "AZURE_OPENAI_ENDPOINT=https://…", "AZURE_OPENAI_DEPLOYMENT=…", "AZURE_OPENAI_API_KEY=…"]
    {
        lines.extend(hanging("", 2, setting, width, base, accent));
    }
    lines.extend(hanging(
        "",
        0,
        "Also \"openai\", \"databricks\" and \"ollama\". Its opinion never raises what runmend may do by itself.",
        width,
        base,
        muted,
    ));
    lines
}
