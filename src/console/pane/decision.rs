//! What will be done, who may say so, why, and the exact call.

use ratatui::text::{Line, Span};

use crate::console::act;
use crate::console::dossier::authority_words;
use crate::console::model::Model;
use crate::console::theme::{Meaning, Theme};
use crate::console::wall::{fit, hanging, ink, width as columns, wrap};
use crate::console::words;
use crate::domain::decision::{Authority, Decision};
use crate::domain::event::Outcome;
use crate::domain::incident::{Attempt, Incident, State};

use super::Text;

const INDENT: usize = 2;
/// From this width on the first reason shares a line with its label.
const WIDE: usize = 60;
/// Lines of the call's body: `p` shows all of it.
const BODY_LINES: usize = 6;

pub fn text(model: &Model, width: usize, brief: bool, theme: &Theme) -> Text<'static> {
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
    lines.extend(call(incident, decision, width, theme));
    if brief {
        lines.extend(in_brief(incident, width, theme));
    }
    lines.extend(why(decision, width, theme));
    lines.extend(body(incident, width, theme));
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
    let mut says = vec![ink(action, theme.strong(Meaning::Base))];
    let success = decision.success.as_ref().map(|success| format!("p(success) {}   {}", success.p, words::alike(success)));
    let later = matches!(incident.state, State::AwaitingApproval | State::Scheduled) && decision.not_before > model.now;
    let later = later.then(|| format!("not before {}", words::clock(decision.not_before, &model.options.zone)));
    let mut used: usize = says.iter().map(Span::width).sum();
    let beside =
        success.as_ref().filter(|success| used + columns(success) + columns(word) + 5 <= width).map(|success| format!("   {success}"));
    if let Some(beside) = &beside {
        says.push(ink(beside, base));
        used += columns(beside);
    }
    says.push(ink(" ".repeat(width.saturating_sub(used + columns(word))), base));
    says.push(ink(word, theme.strong(meaning)));
    let mut lines = vec![Line::from(says)];
    let mut facts: Vec<String> = decision.parameters.iter().map(ToString::to_string).collect();
    facts.extend(success.filter(|_| beside.is_none()));
    facts.extend(later);
    let joined = facts.join(", ");
    if !facts.is_empty() && columns(&joined) + INDENT <= width {
        facts = vec![joined];
    }
    lines.extend(facts.iter().flat_map(|fact| hanging("", INDENT, fact, width, base, base)));
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
    let mut lines = match words::llm(incident) {
        "none" => Vec::new(),
        // The first reason names the cause; only what the LLM says of it is missing there.
        word => hanging(
            if incident.corrected().is_some() { "rules" } else { "cause" },
            6,
            &format!("{} {}, LLM {word}", verdict.cause, verdict.confidence),
            width,
            muted,
            base,
        ),
    };
    if let Some(span) = &verdict.evidence {
        let task = verdict.task.as_ref().map(|task| format!(" in {task}")).unwrap_or_default();
        let words = fit(&span.text, width.saturating_sub(6 + columns(&task)).max(1));
        lines.push(Line::from(vec![ink("hit   ", muted), ink(words, theme.hit()), ink(task, muted)]));
    }
    lines
}

fn why(decision: &Decision, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (base, muted) = (theme.of(Meaning::Base), theme.of(Meaning::Muted));
    // Where there is room the label shares a line with the first reason.
    let (mut lines, indent) = if width >= WIDE { (Vec::new(), 8) } else { (vec![Line::from(ink("why", muted))], 4) };
    for (at, reason) in decision.reasons.iter().enumerate() {
        let rail = decision.guardrails.iter().find(|rail| rail.reason == *reason);
        let (text, style) = match rail {
            Some(rail) => (format!("{reason} [{}]", rail.id), theme.of(Meaning::Waiting)),
            None => (reason.clone(), base),
        };
        let word = if at == 0 && indent > 4 { "why" } else { "" };
        lines.extend(hanging(&format!("{word:<width$}{:>3} ", at + 1, width = indent - 4), indent, &text, width, muted, style));
    }
    lines
}

/// The call's address, and what holds it: seen without scrolling.
fn call(incident: &Incident, decision: &Decision, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (base, muted, waiting) = (theme.of(Meaning::Base), theme.of(Meaning::Muted), theme.of(Meaning::Waiting));
    let mut lines = Vec::new();
    if let Some(call) = &incident.planned {
        let label = match incident.state {
            State::Decided => "would",
            State::Acting => "doing",
            State::Watching | State::WithPeople | State::Closed(_) if words::carried_out(incident) => "did",
            State::Watching | State::WithPeople | State::Closed(_) => "not done:",
            State::Detected | State::Collecting | State::Analysed | State::Scheduled | State::AwaitingApproval => "will",
        };
        lines.extend(hanging(label, columns(label) + 1, &words::call(call), width, muted, base));
    }
    if !decision.guardrails.is_empty() {
        let ids = decision.guardrails.iter().map(|rail| rail.id.as_str()).collect::<Vec<_>>().join(", ");
        lines.extend(hanging("held by", 8, &ids, width, muted, waiting));
    }
    lines
}

/// The call's body in few lines: JSON is drawn together, `p` on the list shows it as it is sent.
fn body(incident: &Incident, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let muted = theme.of(Meaning::Muted);
    let Some(call) = incident.planned.as_ref().filter(|call| !call.body.trim().is_empty()) else { return Vec::new() };
    let text = words::compact(&call.body);
    let body: Vec<_> = text.lines().flat_map(|line| wrap(line, width.saturating_sub(INDENT).max(1))).collect();
    let mut lines = vec![Line::from(ink(if call.path.starts_with('/') { "body" } else { "head" }, muted))];
    lines.extend(body.iter().take(BODY_LINES).map(|line| Line::from(ink(format!("  {line}"), theme.of(Meaning::Base)))));
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
