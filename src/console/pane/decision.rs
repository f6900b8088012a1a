//! What will be done, who may say so, why, and the exact call.

use ratatui::text::Line;

use crate::console::act;
use crate::console::dossier::authority_words;
use crate::console::model::Model;
use crate::console::theme::{Meaning, Theme};
use crate::console::wall::{fit, hanging, ink, width as columns};
use crate::console::words;
use crate::domain::decision::{Authority, Decision};
use crate::domain::event::Outcome;
use crate::domain::incident::{Attempt, Incident, State};

use super::Text;

const INDENT: usize = 2;
/// Lines of the call's body: `p` shows all of it.
const BODY_LINES: usize = 12;

pub fn text(model: &Model, width: usize, brief: bool, theme: &Theme) -> Text {
    let muted = theme.of(Meaning::Muted);
    let Some(incident) = model.incident() else {
        let words = "What runmend would do about the incident under the cursor, why, and the exact call.";
        return Text::new(hanging("", 0, words, width, muted, muted), "");
    };
    let aside = format!("attempt {} of {}", words::rerun_number(incident), model.max_attempts().max(words::rerun_number(incident)));
    let Some(decision) = &incident.decision else {
        let words = match incident.state {
            State::Closed(_) => "Closed before anything was decided.",
            _ => "Nothing is decided yet: first the evidence, then the cause, then this.",
        };
        let mut lines = hanging("", 0, words, width, muted, muted);
        lines.extend(hold(incident, width, theme));
        return Text::new(lines, "");
    };
    let mut lines = head(model, incident, decision, width, theme);
    lines.extend(hold(incident, width, theme));
    if brief {
        lines.extend(in_brief(incident, width, theme));
    }
    lines.extend(why(decision, width, theme));
    lines.extend(call(incident, width, theme));
    lines.extend(so_far(model, incident, width, theme));
    Text::new(lines, if incident.attempts.is_empty() && !decision.action.reruns() { String::new() } else { aside })
}

fn head(model: &Model, incident: &Incident, decision: &Decision, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (base, muted) = (theme.of(Meaning::Base), theme.of(Meaning::Muted));
    let (word, meaning) = match (incident.state, decision.authority) {
        (State::AwaitingApproval, _) => ("awaits approval", Meaning::Waiting),
        (State::Closed(_), _) => ("over", Meaning::Muted),
        (_, Authority::Observe) => ("observed only", Meaning::Muted),
        (_, authority @ (Authority::Approval | Authority::Auto)) => (authority_words(authority), Meaning::Base),
    };
    let action = fit(&words::action(incident, model.max_attempts()), width.saturating_sub(columns(word) + 1));
    let gap = width.saturating_sub(columns(&action) + columns(word));
    let mut lines =
        vec![Line::from(vec![ink(&action, theme.strong(Meaning::Base)), ink(" ".repeat(gap), base), ink(word, theme.strong(meaning))])];
    for parameter in &decision.parameters {
        lines.extend(hanging("", INDENT, &parameter.to_string(), width, base, base));
    }
    if let Some(success) = &decision.success {
        lines.extend(hanging("", INDENT, &format!("p(success) {}   {}", success.p, words::alike(success)), width, base, base));
    }
    if matches!(incident.state, State::AwaitingApproval | State::Scheduled) && decision.not_before > model.now {
        let at = words::clock(decision.not_before, &model.options.zone);
        lines.extend(hanging("", INDENT, &format!("not before {at}"), width, base, base));
    }
    if !decision.action.reruns() && incident.state.is_open() {
        lines.extend(hanging("", INDENT, &act::effect_of(model, incident, decision.action), width, base, base));
    }
    if let Some(approval) = &incident.approval {
        let note = approval.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        let at = words::clock(approval.at, &model.options.zone);
        lines.extend(hanging("", INDENT, &format!("approved by {} at {at}{note}", approval.by), width, muted, base));
    }
    lines
}

fn hold(incident: &Incident, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let waiting = theme.of(Meaning::Waiting);
    match incident.hold.as_ref().filter(|_| incident.state.is_open()) {
        Some(hold) => hanging("", INDENT, &format!("held: {hold}"), width, waiting, waiting),
        None => Vec::new(),
    }
}

/// The neighbours' verdicts in a line each, where only one pane is seen.
fn in_brief(incident: &Incident, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (base, muted) = (theme.of(Meaning::Base), theme.of(Meaning::Muted));
    let Some(verdict) = &incident.classification else { return Vec::new() };
    let rule = verdict.rules.first().map_or_else(|| "no rule".to_owned(), |rule| format!("rule {rule}"));
    let llm = match words::llm(incident) {
        "none" => String::new(),
        word => format!(", LLM {word}"),
    };
    let mut lines = hanging("cause ", 6, &format!("{} {} ({rule}){llm}", verdict.cause, verdict.confidence), width, muted, base);
    if let Some(span) = &verdict.evidence {
        let task = verdict.task.as_ref().map(|task| format!(" in {task}")).unwrap_or_default();
        let words = fit(&span.text, width.saturating_sub(6 + columns(&task)).max(1));
        lines.push(Line::from(vec![ink("hit   ", muted), ink(words, theme.hit()), ink(task, muted)]));
    }
    lines
}

fn why(decision: &Decision, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (base, muted) = (theme.of(Meaning::Base), theme.of(Meaning::Muted));
    let mut lines = vec![Line::from(ink("why", muted))];
    for (at, reason) in decision.reasons.iter().enumerate() {
        let rail = decision.guardrails.iter().find(|rail| rail.reason == *reason);
        let (text, style) = match rail {
            Some(rail) => (format!("{reason} [{}]", rail.id), theme.of(Meaning::Waiting)),
            None => (reason.clone(), base),
        };
        lines.extend(hanging(&format!("{:>3} ", at + 1), 4, &text, width, muted, style));
    }
    lines
}

fn call(incident: &Incident, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (base, muted) = (theme.of(Meaning::Base), theme.of(Meaning::Muted));
    let Some(call) = &incident.planned else { return Vec::new() };
    let label = match incident.state {
        State::Decided => "would call",
        State::Acting | State::Watching | State::WithPeople | State::Closed(_) => "called",
        State::Detected | State::Collecting | State::Analysed | State::Scheduled | State::AwaitingApproval => "will call",
    };
    let mut lines = hanging(&format!("{label} "), columns(label) + 1, &format!("{} {}", call.method, call.path), width, muted, base);
    let body: Vec<_> = call.body.lines().collect();
    lines.extend(body.iter().take(BODY_LINES).map(|line| Line::from(ink(format!("  {}", fit(line, width.saturating_sub(2))), muted))));
    if body.len() > BODY_LINES {
        lines.push(Line::from(ink(format!("  {} more, `p` shows all", words::plural((body.len() - BODY_LINES) as u64, "line")), muted)));
    }
    lines
}

fn so_far(model: &Model, incident: &Incident, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (base, muted) = (theme.of(Meaning::Base), theme.of(Meaning::Muted));
    if incident.attempts.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::from(ink("so far", muted))];
    for attempt in &incident.attempts {
        let at = words::clock(attempt.acted_at, &model.options.zone);
        let by = if attempt.automatic { "by itself" } else { "approved" };
        let (end, style) = ended(attempt, theme);
        let text = format!("{} at {at}, {by}: {end}", attempt.action.words());
        lines.extend(hanging(&format!("{:>3} ", attempt.number), 4, &text, width, muted, style.unwrap_or(base)));
    }
    lines
}

fn ended(attempt: &Attempt, theme: &Theme) -> (&'static str, Option<ratatui::style::Style>) {
    match attempt.outcome {
        None => ("running", None),
        Some(Outcome::Mended) => ("mended", Some(theme.of(Meaning::Ok))),
        Some(Outcome::FailedAgain) => ("failed again", Some(theme.of(Meaning::Danger))),
        Some(Outcome::Superseded) => ("a person acted first", None),
        Some(Outcome::Escalated) => ("on-call was mailed", None),
        Some(Outcome::Notified) => ("the owner was mailed", None),
        Some(Outcome::Ignored) => ("ignored", None),
        Some(Outcome::Handled) => ("handled by a person", None),
    }
}
