//! What the rules say: cause, confidence, the rule and the words that decided, and what the owner can do.

use ratatui::text::Line;

use crate::console::model::Model;
use crate::console::theme::{Meaning, Theme};
use crate::console::wall::{clean, fit, hanging, ink};
use crate::domain::classification::Classification;
use crate::domain::incident::Incident;

use super::Text;

const INDENT: usize = 8;

pub fn text(model: &Model, width: usize, theme: &Theme) -> Text<'static> {
    let Some(incident) = model.incident() else {
        let muted = theme.of(Meaning::Muted);
        return Text::new(hanging("", 0, "What the rules say about the incident under the cursor.", width, muted, muted), "rules");
    };
    match &incident.classification {
        Some(classification) => Text::new(verdict(incident, classification, width, theme), "rules"),
        None => {
            let words = "Not judged yet: the evidence is being collected.";
            Text::new(hanging("", 0, words, width, theme.of(Meaning::Base), theme.of(Meaning::Muted)), "rules")
        }
    }
}

fn verdict(incident: &Incident, verdict: &Classification, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (base, muted) = (theme.of(Meaning::Base), theme.of(Meaning::Muted));
    let row = |label: &str, text: &str| hanging(label, INDENT, text, width, muted, base);
    let mut lines = vec![Line::from(vec![
        ink(format!("{:<15} ", verdict.cause.as_str()), theme.strong(Meaning::Base)),
        ink(verdict.confidence.to_string(), theme.strong(Meaning::Base)),
    ])];
    if let Some(words) = incident.correction() {
        let waiting = theme.of(Meaning::Waiting);
        lines.extend(hanging("", 2, &words, width, waiting, waiting));
    }
    match verdict.rules.split_first() {
        Some((first, more)) => {
            lines.extend(row("  rule", first));
            if !more.is_empty() {
                lines.extend(row("", &format!("also {}", more.join(", "))));
            }
        }
        None => lines.extend(row("  rule", "none matched")),
    }
    if let Some(span) = &verdict.evidence {
        // One line: the pane names the words, the evidence shows them in their place.
        let words = fit(&span.text, width.saturating_sub(INDENT).max(1));
        lines.push(Line::from(vec![ink(format!("{:<INDENT$}", "  hit"), muted), ink(words, theme.hit())]));
        let place = match &verdict.task {
            Some(task) => format!("in {}, {}", span.field.as_str().replace('_', " "), task),
            None => format!("in {}", span.field.as_str().replace('_', " ")),
        };
        lines.extend(row("", &place));
    }
    if let Some(code) = &incident.termination_code {
        lines.extend(row("  code", code));
    }
    let others = verdict.alternatives.iter().map(|other| format!("{} {}", other.cause, other.confidence)).collect::<Vec<_>>().join(", ");
    lines.extend(row("  else", if others.is_empty() { "no other cause fits" } else { &others }));
    for (label, text) in [("why", &verdict.explanation), ("advice", &verdict.advice)] {
        if !clean(text).trim().is_empty() {
            lines.extend(row(label, text));
        }
    }
    lines.extend(row("alike", &format!("fingerprint {}", verdict.fingerprint)));
    lines
}
