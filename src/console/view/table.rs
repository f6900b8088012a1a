//! The list of incidents: only the rows that are seen are made.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::console::layout;
use crate::console::model::{Model, Overlay};
use crate::console::options::Llm;
use crate::console::snapshot::Entry;
use crate::console::theme::{Meaning, Theme};
use crate::console::wall::{clean, fit, hanging, ink, width};
use crate::console::words;
use crate::domain::incident::{Incident, State};

use super::boxes::{self, Words};
use super::put;
use super::status::{Poll, standing};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    State,
    Age,
    Workspace,
    Job,
    Task,
    Cause,
    Sure,
    Llm,
    Action,
    Next,
    Hit,
}

/// In the order of the screen, with the fewest columns that each needs.
const COLUMNS: [(Column, &str, usize); 11] = [
    (Column::State, "state", 13),
    (Column::Age, "age", 4),
    (Column::Workspace, "workspace", 12),
    (Column::Job, "job", 18),
    (Column::Task, "failed task", 15),
    (Column::Cause, "cause", 11),
    (Column::Sure, "sure", 4),
    (Column::Llm, "LLM", 7),
    (Column::Action, "action", 17),
    (Column::Next, "next", 8),
    (Column::Hit, "evidence", 30),
];
/// Who leaves first when there is no room.
const LEAVING: [Column; 7] = [Column::Hit, Column::Task, Column::Llm, Column::Sure, Column::Next, Column::Workspace, Column::Cause];
/// A job's name gets more room up to here, then the task; what is left then is the last column's, or the job's again.
const JOB_FIRST: usize = 32;
const TASK_MAX: usize = 28;
/// Columns of the cursor's mark, air included.
const MARK: usize = 3;
/// Without a column of its own, the next time stands beside the action.
const ACTION_WITH_NEXT: usize = 19;

/// The columns that fit, with their widths.
fn columns(model: &Model, room: usize) -> Vec<(Column, &'static str, usize)> {
    let several = model.options.workspaces.len() > 1;
    let has_llm = model.options.llm != Llm::NotConfigured;
    let mut chosen: Vec<_> = COLUMNS
        .into_iter()
        .filter(|(column, ..)| (*column != Column::Workspace || several) && (*column != Column::Llm || has_llm))
        .collect();
    let need = |chosen: &[(Column, &str, usize)]| MARK + chosen.iter().map(|(.., width)| width + 2).sum::<usize>() - 1;
    for leaving in LEAVING {
        if need(&chosen) <= room {
            break;
        }
        chosen.retain(|(column, ..)| *column != leaving);
        if leaving == Column::Next {
            widen(&mut chosen, Column::Action, ACTION_WITH_NEXT);
        }
    }
    for (column, most) in [(Column::Job, JOB_FIRST), (Column::Task, TASK_MAX), (Column::Hit, usize::MAX), (Column::Job, usize::MAX)] {
        let left = room.saturating_sub(need(&chosen));
        if let Some(entry) = chosen.iter_mut().find(|(one, ..)| *one == column) {
            entry.2 = (entry.2 + left).min(most.max(entry.2));
        }
    }
    chosen
}

fn widen(chosen: &mut [(Column, &str, usize)], column: Column, to: usize) {
    if let Some(entry) = chosen.iter_mut().find(|(one, ..)| *one == column) {
        entry.2 = entry.2.max(to);
    }
}

/// Draws the list; gives where the typing cursor of the filter stands.
pub fn draw(model: &Model, area: Rect, theme: &Theme, buffer: &mut Buffer) -> Option<(u16, u16)> {
    let border = if model.focus.is_none() { theme.of(Meaning::Accent) } else { theme.of(Meaning::Muted) };
    let (title, cursor) = title(model, area, theme);
    let words = Words { title, aside: model.list.sort.words().to_owned(), below: range(model, area) };
    boxes::draw(buffer, area, words, border, theme.of(Meaning::Muted));
    if model.list.rows.is_empty() {
        empty(model, layout::inside(area), theme, buffer);
        return cursor;
    }
    let chosen = columns(model, usize::from(area.width.saturating_sub(2)));
    let inner = Rect::new(area.x + 1, area.y + 1, area.width.saturating_sub(2), 1);
    let mut head = vec![Span::raw(" ".repeat(MARK))];
    head.extend(chosen.iter().map(|(_, name, width)| ink(format!("{name:<width$}  "), theme.of(Meaning::Muted))));
    put(buffer, inner, &Line::from(head));
    for (line, (at, entry)) in seen(model, area).enumerate() {
        let place = Rect { y: inner.y + 1 + u16::try_from(line).unwrap_or(u16::MAX), ..inner };
        let here = at == model.list.cursor;
        put(buffer, place, &row(model, entry, here, &chosen, theme));
        if here {
            buffer.set_style(place, theme.cursor());
        }
    }
    cursor
}

/// Rows in view, with their place in the list.
fn seen(model: &Model, area: Rect) -> impl Iterator<Item = (usize, &Entry)> {
    let height = usize::from(area.height.saturating_sub(3));
    model.list.rows.iter().enumerate().skip(model.list.top).take(height).map(|(at, entry)| (at, &**entry))
}

fn title<'a>(model: &Model, area: Rect, theme: &Theme) -> (Vec<Span<'a>>, Option<(u16, u16)>) {
    let mut spans = vec![ink("Incidents", theme.strong(Meaning::Base))];
    let typing = matches!(model.over.last(), Some(Overlay::Filter));
    let filter = &model.list.filter;
    if !typing && filter.value().is_empty() {
        return (boxes::title(spans), None);
    }
    // A border, a dash, a space, the title, two spaces and the slash.
    let before = 3 + width("Incidents") + 3;
    let room = usize::from(area.width).saturating_sub(before + 24).max(10);
    let scroll = filter.visual_scroll(room);
    let shown: String = clean(filter.value()).chars().skip(scroll).collect();
    spans.push(ink(format!("  /{}", fit(&shown, room)), theme.strong(Meaning::Accent)));
    let at = before + filter.visual_cursor().saturating_sub(scroll);
    (boxes::title(spans), typing.then(|| (area.x + u16::try_from(at).unwrap_or(0), area.y)))
}

fn range(model: &Model, area: Rect) -> String {
    let list = &model.list;
    let shown = seen(model, area).count();
    let all = words::count(list.total as u64);
    match (shown, list.rows.len() == list.total) {
        (0, _) if list.total == 0 => String::new(),
        (0, _) => format!("none of {all}"),
        (n, true) => format!("{}-{} of {all}", list.top + 1, list.top + n),
        (n, false) => format!("{}-{} of {} that match, {all} in all", list.top + 1, list.top + n, words::count(list.rows.len() as u64)),
    }
}

fn row(model: &Model, entry: &Entry, here: bool, chosen: &[(Column, &'static str, usize)], theme: &Theme) -> Line<'static> {
    let incident = &entry.incident;
    let mark = if here { " ▸ " } else { "   " };
    let mut spans = vec![ink(mark, theme.strong(Meaning::Accent))];
    let has_next = chosen.iter().any(|(column, ..)| *column == Column::Next);
    let has_llm = chosen.iter().any(|(column, ..)| *column == Column::Llm);
    for (column, _, columns) in chosen {
        let (text, style) = cell(model, incident, *column, (has_next, has_llm), theme);
        let text = fit(&text, *columns);
        let pad = columns.saturating_sub(width(&text)) + 2;
        spans.push(Span::styled(text, style));
        spans.push(Span::raw(" ".repeat(pad)));
    }
    Line::from(spans)
}

fn cell(model: &Model, incident: &Incident, column: Column, (has_next, has_llm): (bool, bool), theme: &Theme) -> (String, Style) {
    let state = incident.state;
    let quiet = theme.of(Meaning::Muted);
    let base = if state.is_open() { theme.of(Meaning::Base) } else { quiet };
    let colour = theme.strong(words::meaning(state));
    match column {
        Column::State => (format!("{} {}", words::glyph(state), state.word()), colour),
        Column::Age => (words::age(words::since(model.now, incident.detected_at)), quiet),
        Column::Workspace => (incident.workspace.to_string(), quiet),
        Column::Job if incident.job.name.trim().is_empty() => (format!("run {}", incident.run), base),
        Column::Job => (incident.job.name.clone(), base),
        Column::Task => (tasks(incident), base),
        // A person's word stands before the rules'.
        Column::Cause | Column::Sure if let Some((said, _)) = incident.corrected() => match column {
            Column::Cause => (said.to_string(), base),
            _ => ("said".to_owned(), quiet),
        },
        Column::Cause => match &incident.classification {
            Some(verdict) if !has_llm && words::llm(incident) == "differs" => (format!("{} *", verdict.cause), base),
            Some(verdict) => (verdict.cause.to_string(), base),
            None => ("-".to_owned(), quiet),
        },
        Column::Sure => match &incident.classification {
            Some(verdict) => (verdict.confidence.to_string(), quiet),
            None => ("-".to_owned(), quiet),
        },
        Column::Llm => match words::llm(incident) {
            "differs" => ("differs".to_owned(), theme.of(Meaning::Waiting)),
            word => (word.to_owned(), quiet),
        },
        Column::Action if has_next => (words::action(incident, model.max_attempts()), base),
        Column::Action => {
            let action = words::action(incident, model.max_attempts());
            match state {
                _ if model.pending.contains_key(&incident.id) => ("writing".to_owned(), base),
                State::Scheduled => (format!("{action}, {}", next(model, incident)), base),
                _ => (action, base),
            }
        }
        Column::Next if state == State::AwaitingApproval => (next(model, incident), colour),
        Column::Next => (next(model, incident), base),
        Column::Hit => {
            let span = incident.classification.as_ref().and_then(|verdict| verdict.evidence.as_ref());
            (span.map(|span| span.text.clone()).unwrap_or_default(), quiet)
        }
    }
}

fn next(model: &Model, incident: &Incident) -> String {
    if model.pending.contains_key(&incident.id) { "writing".to_owned() } else { words::next(incident, model.now) }
}

fn tasks(incident: &Incident) -> String {
    match incident.failed_tasks.as_slice() {
        [] => "-".to_owned(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} +{}", rest.len()),
    }
}

/// What the rows in view say of time.
pub fn face(model: &Model) -> String {
    let Some(plan) = model.plan() else { return String::new() };
    let mut face = String::new();
    for (_, entry) in seen(model, plan.list) {
        face.push_str(&words::age(words::since(model.now, entry.incident.detected_at)));
        face.push(' ');
        face.push_str(&next(model, &entry.incident));
        face.push(' ');
    }
    face
}

/// An empty list teaches.
fn empty(model: &Model, area: Rect, theme: &Theme, buffer: &mut Buffer) {
    let (base, muted) = (theme.of(Meaning::Base), theme.of(Meaning::Muted));
    let columns = usize::from(area.width);
    let mut lines = Vec::new();
    for (at, text) in empty_words(model).into_iter().enumerate() {
        lines.extend(hanging("", 0, &text, columns, base, if at == 0 { base } else { muted }));
    }
    for (line, y) in lines.iter().zip(area.y + 1..area.bottom()) {
        put(buffer, Rect { y, height: 1, ..area }, line);
    }
}

fn empty_words(model: &Model) -> Vec<String> {
    if model.latest.is_none() {
        return match &model.trouble {
            Some(trouble) => vec!["The ledger cannot be read; it is tried again every second.".to_owned(), trouble.clone()],
            None => vec!["Reading the ledger.".to_owned()],
        };
    }
    if model.list.total > 0 {
        return vec![
            format!("None of {} matches this filter.", words::plural(model.list.total as u64, "incident")),
            "Esc drops it.".to_owned(),
        ];
    }
    let expect =
        "A failed run appears here within one poll: first as `detected`, then with its cause, then with what would be done.".to_owned();
    let standing = standing(model);
    let Some(first) = standing.first() else { return vec!["No workspace is configured.".to_owned()] };
    let seen: u64 = standing.iter().filter_map(|one| one.status).map(|status| status.runs_seen).sum();
    match &first.poll {
        Poll::Awaited => vec!["Waiting for the agent's first word.".to_owned(), expect],
        Poll::NoAgent => vec![
            "No failed runs, and no agent at work on this ledger.".to_owned(),
            "One starts with this console, or with `runmend --auto` elsewhere; nothing is polled until then.".to_owned(),
        ],
        Poll::Silent { s } => vec![
            format!("No failed runs known, but the agent has been silent for {}.", words::span(*s)),
            "Is `runmend --auto` still running? Nothing is polled until an agent is back.".to_owned(),
        ],
        Poll::First { failing: false } => vec!["The first poll is under way.".to_owned(), expect],
        Poll::First { failing: true } | Poll::Late { .. } => vec![
            "No failed runs known, but the workspace cannot be polled right now.".to_owned(),
            super::status::degraded(model).unwrap_or_else(|| "It is tried again by itself.".to_owned()),
        ],
        Poll::Fresh { interval_s, ago_s } => vec![
            format!("No failed runs. Polled {} ago, {} seen.", words::span(*ago_s), words::plural(seen, "run")),
            format!("The workspace is asked every {}. {expect}", words::age(*interval_s)),
        ],
    }
}
