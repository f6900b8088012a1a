//! The two lines above the list: where we are and how the agent stands; how many incidents are where.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::console::model::Model;
use crate::console::theme::{Meaning, Theme};
use crate::console::wall::{self, ink};
use crate::console::words;
use crate::domain::decision::Mode;
use crate::domain::ids::WorkspaceName;
use crate::domain::incident::{Ending, State};
use crate::domain::money::Usd;
use crate::ledger::{AgentStatus, OpinionHealth};

use super::put;

/// An agent says how it stands every few seconds; one that was silent for so long is gone.
const SILENT_S: u64 = 15;
/// An agent that starts with its console says so within this time.
const START_S: u64 = 5;
/// A poll may be late by so much beyond twice its interval: a slow workspace is no fault.
const LATE_S: u64 = 10;
/// Columns between two parts of a line.
const GAP: usize = 3;

/// How the polling of one workspace stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Poll {
    /// This console has only just begun, and with it perhaps its agent.
    Awaited,
    /// No agent has ever said anything.
    NoAgent,
    Silent {
        s: u64,
    },
    /// It has not ended yet, or fails.
    First {
        failing: bool,
    },
    Fresh {
        interval_s: u64,
        ago_s: u64,
    },
    /// Or failing: the last one that succeeded is too long ago.
    Late {
        ago_s: u64,
    },
}

/// What stands about the agent of one workspace.
#[derive(Debug)]
pub struct Standing<'a> {
    pub status: Option<&'a AgentStatus>,
    pub poll: Poll,
}

/// Of each of our workspaces, the agent that leads it, or else the one that was heard last.
pub fn standing(model: &Model) -> Vec<Standing<'_>> {
    let agents = model.latest.as_ref().map(|snapshot| snapshot.agents.as_slice()).unwrap_or_default();
    let heard = |status: &AgentStatus| words::since(model.now, status.at);
    let of = |workspace: &WorkspaceName| {
        let status = agents
            .iter()
            .filter(|status| status.workspace == *workspace)
            .max_by_key(|status| (status.leading && heard(status) < SILENT_S, status.at));
        Standing { status, poll: poll(model, status) }
    };
    model.options.workspaces.iter().map(of).collect()
}

fn poll(model: &Model, status: Option<&AgentStatus>) -> Poll {
    let just_begun = words::since(model.now, model.started) < START_S;
    let Some(status) = status else { return if just_begun { Poll::Awaited } else { Poll::NoAgent } };
    let silent = words::since(model.now, status.at);
    if silent >= SILENT_S && just_begun {
        return Poll::Awaited;
    }
    if silent >= SILENT_S {
        return Poll::Silent { s: silent };
    }
    let failing = status.degraded.iter().any(|(part, _)| part == "poll" || part == "workspace");
    match status.last_poll.map(|at| words::since(model.now, at)) {
        None => Poll::First { failing },
        Some(ago_s) if failing || ago_s > 2 * status.poll_interval_s + LATE_S => Poll::Late { ago_s },
        Some(ago_s) => Poll::Fresh { interval_s: status.poll_interval_s, ago_s },
    }
}

impl Poll {
    fn words(&self) -> (String, String, Meaning) {
        let say = |full: String, short: &str, meaning| (full, short.to_owned(), meaning);
        match self {
            Self::Awaited => say("waiting for the agent".to_owned(), "agent?", Meaning::Busy),
            Self::NoAgent => say("no agent at work".to_owned(), "no agent", Meaning::Danger),
            Self::Silent { s } => say(format!("agent silent for {}", words::age(*s)), "agent silent", Meaning::Danger),
            Self::First { failing: true } => say("poll FAILING, none succeeded yet".to_owned(), "poll FAILING", Meaning::Danger),
            Self::First { failing: false } => say("first poll is under way".to_owned(), "first poll", Meaning::Busy),
            Self::Late { ago_s } => {
                let full = format!("poll FAILING, last success {} ago", words::age(*ago_s));
                (full, format!("poll {} late", words::age(*ago_s)), Meaning::Danger)
            }
            Self::Fresh { interval_s, ago_s } => (
                format!("poll {}, {} ago", words::age(*interval_s), words::age(*ago_s)),
                format!("poll {} ago", words::age(*ago_s)),
                Meaning::Base,
            ),
        }
    }

    fn is_well(&self) -> bool {
        match self {
            Self::Fresh { .. } | Self::First { failing: false } | Self::Awaited => true,
            Self::NoAgent | Self::Silent { .. } | Self::Late { .. } | Self::First { failing: true } => false,
        }
    }
}

/// Parts of the agents that do not work, for the line above the footer: `poll: the workspace refused our token`.
pub fn degraded(model: &Model) -> Option<String> {
    let several = model.options.workspaces.len() > 1;
    let parts: Vec<String> = standing(model)
        .iter()
        .filter(|standing| !matches!(standing.poll, Poll::Silent { .. }))
        .filter_map(|standing| standing.status)
        .flat_map(|status| {
            let place = if several { format!("{} ", status.workspace) } else { String::new() };
            status.degraded.iter().map(move |(part, reason)| format!("{place}{part}: {reason}"))
        })
        .collect();
    if parts.is_empty() { None } else { Some(parts.join("   ")) }
}

/// A part of the line, in full and in short.
struct Part {
    full: Vec<Span<'static>>,
    short: Vec<Span<'static>>,
}

fn columns(spans: &[Span<'_>]) -> usize {
    spans.iter().map(Span::width).sum()
}

fn same(span: Span<'static>) -> Part {
    Part { full: vec![span.clone()], short: vec![span] }
}

pub fn draw(model: &Model, area: Rect, theme: &Theme, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    put(buffer, Rect { height: 1, ..area }, &line(head(model, theme), clock(model, theme), width));
    put(buffer, Rect { y: area.y + 1, height: 1, ..area }, &line(counts(model, theme), today(model, theme), width));
}

pub fn face(model: &Model) -> String {
    let theme = Theme::plain();
    let width = usize::from(model.size.width);
    let text = |line: Line<'_>| line.spans.iter().map(|span| span.content.as_ref()).collect::<String>();
    let lines =
        text(line(head(model, &theme), clock(model, &theme), width)) + &text(line(counts(model, &theme), today(model, &theme), width));
    lines + &degraded(model).unwrap_or_default()
}

/// Parts from the left in the order of their worth, `right` at the right end. What has no room is shortened, then left out, from the
/// least worth to the most.
fn line(parts: Vec<Part>, right: Part, width: usize) -> Line<'static> {
    let over = |left: &[Vec<Span<'static>>], end: &[Span<'static>]| {
        2 + left.iter().map(|part| columns(part) + GAP).sum::<usize>() + columns(end) > width
    };
    let (mut left, shorts): (Vec<_>, Vec<_>) = parts.into_iter().map(|part| (part.full, part.short)).unzip();
    let mut end = right.full;
    if over(&left, &end) {
        end = right.short;
    }
    for at in (0..left.len()).rev() {
        if over(&left, &end)
            && let (Some(part), Some(short)) = (left.get_mut(at), shorts.get(at))
        {
            part.clone_from(short);
        }
    }
    if over(&left, &end) {
        end = Vec::new();
    }
    while left.len() > 1 && over(&left, &end) {
        left.pop();
    }
    let used: usize = left.iter().map(|part| columns(part) + GAP).sum();
    let gap = width.saturating_sub(2 + used + columns(&end));
    let mut spans = vec![Span::raw(" ")];
    for part in left {
        spans.extend(part);
        spans.push(Span::raw(" ".repeat(GAP)));
    }
    spans.push(Span::raw(" ".repeat(gap)));
    spans.extend(end);
    Line::from(spans)
}

fn head(model: &Model, theme: &Theme) -> Vec<Part> {
    let mut place = vec![ink("runmend  ", theme.strong(Meaning::Accent)), ink(workspaces(model), theme.strong(Meaning::Base))];
    if model.options.simulated {
        place.push(ink("  simulated", theme.strong(Meaning::Waiting)));
    }
    let mut parts = vec![Part { full: place.clone(), short: place }, mode(model, theme)];
    parts.push(polls(model, theme));
    let (well, unwell) =
        opinions(model, theme).map_or((None, None), |(part, well)| if well { (Some(part), None) } else { (None, Some(part)) });
    parts.extend(unwell);
    parts.extend(auto_apply(model, theme));
    if model.frozen {
        parts.push(same(ink("FROZEN", theme.strong(Meaning::Waiting))));
    }
    parts.extend(well);
    parts
}

/// How the second opinion stands and what it has cost today; and is it well? Nothing where no model is configured.
fn opinions(model: &Model, theme: &Theme) -> Option<(Part, bool)> {
    let standing = standing(model);
    let heard = standing.iter().filter(|standing| !matches!(standing.poll, Poll::Silent { .. }));
    let status = heard.filter_map(|standing| standing.status?.opinions.as_ref()).next()?;
    let clock = |at: &jiff::Timestamp| words::clock(*at, &model.options.zone);
    let (full, short, meaning) = match &status.health {
        OpinionHealth::Ok { latency_ms } => {
            let took = latency_ms.map(|ms| format!(" {:.1}s", ms as f64 / 1000.0)).unwrap_or_default();
            let (spent, any) = (status.spent_today, status.spent_today > Usd::ZERO);
            let cost = match status.daily_budget {
                Some(budget) => format!(", {spent} of {budget} today"),
                None if any => format!(", {spent} today"),
                None => String::new(),
            };
            let brief = if any { format!(" {spent}") } else { " ok".to_owned() };
            (format!("LLM ok{took}{cost}"), format!("LLM{brief}"), Meaning::Base)
        }
        OpinionHealth::Limited { until } => {
            (format!("LLM at its rate limit until {}", clock(until)), "LLM limited".to_owned(), Meaning::Waiting)
        }
        OpinionHealth::Spent { window, until } => {
            let full = format!("LLM {window} BUDGET SPENT ({}) until {}", status.spent_today, clock(until));
            (full, "LLM $ SPENT".to_owned(), Meaning::Waiting)
        }
        OpinionHealth::Down { until } => (format!("LLM DOWN, asked again {}", clock(until)), "LLM DOWN".to_owned(), Meaning::Danger),
    };
    let style = if meaning == Meaning::Base { theme.of(meaning) } else { theme.strong(meaning) };
    Some((Part { full: vec![ink(full, style)], short: vec![ink(short, style)] }, meaning == Meaning::Base))
}

fn workspaces(model: &Model) -> String {
    match model.options.workspaces.as_slice() {
        [one] => wall::fit(one.as_str(), 24),
        [] => "no workspace".to_owned(),
        [first, rest @ ..] => format!("{} and {} more", wall::fit(first.as_str(), 16), rest.len()),
    }
}

/// The mode in force is that of the agent that acts; ours says only what may be done here.
fn mode(model: &Model, theme: &Theme) -> Part {
    let ours = model.options.mode;
    let word = ours.as_str().to_uppercase();
    let meaning = match ours {
        Mode::Auto => Meaning::Busy,
        Mode::Approve | Mode::Observe => Meaning::Base,
    };
    let acting = standing(model).iter().filter(|standing| standing.poll.is_well()).find_map(|standing| {
        let status = standing.status?;
        (status.leading && status.mode != ours).then_some(status.mode)
    });
    let mut full = vec![ink("mode ", theme.of(Meaning::Muted)), ink(&word, theme.strong(meaning))];
    let mut short = vec![ink(word, theme.strong(meaning))];
    if let Some(other) = acting {
        let other = format!(", agent {}", other.as_str().to_uppercase());
        full.push(ink(&other, theme.strong(Meaning::Waiting)));
        short.push(ink(other, theme.strong(Meaning::Waiting)));
    }
    Part { full, short }
}

fn polls(model: &Model, theme: &Theme) -> Part {
    if model.latest.is_none() {
        return same(ink("reading the ledger", theme.of(Meaning::Busy)));
    }
    let all = standing(model);
    let sick = all.iter().filter(|standing| !standing.poll.is_well()).count();
    let Some(worst) = all.iter().find(|standing| !standing.poll.is_well()).or(all.first()) else {
        return same(ink("no workspace to poll", theme.of(Meaning::Danger)));
    };
    let (mut full, mut short, meaning) = worst.poll.words();
    if all.len() > 1 {
        let tail = if sick > 0 { format!(" ({sick} of {})", all.len()) } else { format!(" (all {})", all.len()) };
        full.push_str(&tail);
        short.push_str(&tail);
    }
    let style = if meaning == Meaning::Danger { theme.strong(meaning) } else { theme.of(meaning) };
    Part { full: vec![ink(full, style)], short: vec![ink(short, style)] }
}

fn auto_apply(model: &Model, theme: &Theme) -> Option<Part> {
    let say = |full: String, short: String, meaning| {
        let style = if meaning == Meaning::Muted { theme.of(meaning) } else { theme.strong(meaning) };
        Some(Part { full: vec![ink(full, style)], short: vec![ink(short, style)] })
    };
    match (model.options.mode, model.auto_apply(), model.auto_since) {
        (Mode::Auto | Mode::Observe, None, None) => None,
        (_, Some(_), Some(since)) => {
            let on = words::span(words::since(model.now, since));
            say(format!("auto-apply ON for {on}"), format!("AUTO-APPLY {on}"), Meaning::Busy)
        }
        (_, Some(auto), None) => {
            let left = words::span(words::since(auto.until, model.now));
            say(format!("auto-apply ON by {}, {left} left", auto.by), "AUTO-APPLY".to_owned(), Meaning::Busy)
        }
        (_, None, _) => say("auto-apply off".to_owned(), "auto off".to_owned(), Meaning::Muted),
    }
}

fn clock(model: &Model, theme: &Theme) -> Part {
    same(ink(words::clock(model.now, &model.options.zone), theme.of(Meaning::Muted)))
}

fn counts(model: &Model, theme: &Theme) -> Vec<Part> {
    let Some(snapshot) = &model.latest else {
        return Vec::new();
    };
    let counts = &snapshot.counts;
    let mut parts = vec![same(ink(format!("open {}:", words::count(snapshot.open())), theme.strong(Meaning::Base)))];
    for (n, state) in [
        (counts.awaiting, State::AwaitingApproval),
        (counts.with_people, State::WithPeople),
        (counts.acting, State::Acting),
        (counts.scheduled, State::Scheduled),
        (counts.watching, State::Watching),
        (counts.in_analysis, State::Collecting),
        (counts.observed, State::Decided),
    ] {
        if n == 0 {
            continue;
        }
        let style = theme.strong(words::meaning(state));
        let word = if state == State::Collecting { "in analysis" } else { state.word() };
        let head = format!("{} {}", words::glyph(state), words::count(n));
        // What waits for a person keeps its word at every width.
        let short = if state == State::AwaitingApproval { format!("{head} {word}") } else { head.clone() };
        parts.push(Part { full: vec![ink(format!("{head} {word}"), style)], short: vec![ink(short, style)] });
    }
    parts
}

fn today(model: &Model, theme: &Theme) -> Part {
    let Some(snapshot) = &model.latest else {
        return same(Span::raw(""));
    };
    let (mended, again) = (words::count(snapshot.counts.mended_today), words::count(snapshot.counts.failed_again_today));
    let (muted, ok) = (theme.of(Meaning::Muted), theme.of(Meaning::Ok));
    let glyph = words::glyph(State::Closed(Ending::Mended));
    Part {
        full: vec![ink("today: ", muted), ink(format!("{mended} mended"), ok), ink(format!(", {again} failed again"), muted)],
        short: vec![ink("today ", muted), ink(format!("{glyph} {mended}"), ok)],
    }
}
