//! `GET /metrics`: how the agents of this process stand, for whoever watches them. Only what their status, one count of the ledger and
//! the events of this process tell; no job's name, no text of a failure.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::domain::Timestamp;
use crate::domain::action::Action;
use crate::domain::classification::OpinionOrigin;
use crate::domain::decision::Authority;
use crate::domain::event::{Event, Happening, Outcome};
use crate::ledger::{AgentStatus, Counts, Ledger, LedgerError, OpinionHealth};

use super::exposition::{CONTENT_TYPE, Exposition, Kind, Sample};

/// Answers that are made at once at most; each reads the ledger, which the agents need more.
const AT_ONCE_MAX: usize = 4;
/// The ledger is waited for so long; a scraper gives up after ten seconds by default, and the rest is worth having.
const LEDGER_PATIENCE: Duration = Duration::from_secs(5);
const DAY_S: i64 = 86_400;

/// Parts that are named while they work, too: a watcher can tell "works" from "never heard of".
const PARTS: [&str; 6] = ["agent", "ledger", "llm", "mail", "poll", "workspace"];
const AUTHORITIES: [Authority; 3] = [Authority::Observe, Authority::Approval, Authority::Auto];

/// What happened since the process started, counted from its events.
#[derive(Debug, Default)]
pub struct Heard(Mutex<Tallies>);

#[derive(Clone, Debug, Default)]
struct Tallies {
    detected: u64,
    decided: BTreeMap<(&'static str, &'static str), u64>,
    outcomes: BTreeMap<&'static str, u64>,
    opinions: BTreeMap<&'static str, u64>,
    no_opinions: u64,
}

impl Heard {
    pub fn count(&self, event: &Event) {
        let mut tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.what {
            Happening::Detected { .. } => tallies.detected += 1,
            Happening::Decided { action, authority, .. } => {
                *tallies.decided.entry((action.as_str(), authority.as_str())).or_default() += 1;
            }
            Happening::Outcome { result, .. } => *tallies.outcomes.entry(result.as_str()).or_default() += 1,
            Happening::Opinion { available: true, origin, .. } => {
                *tallies.opinions.entry(origin.unwrap_or_default().as_str()).or_default() += 1;
            }
            Happening::Opinion { available: false, .. } => tallies.no_opinions += 1,
            _ => {}
        }
    }

    fn so_far(&self) -> Tallies {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where the numbers come from.
pub struct Source {
    /// How the agents of this process stand now. It must not keep them alive: a scraper may hold a connection past their end.
    pub statuses: Box<dyn Fn() -> Vec<AgentStatus> + Send + Sync>,
    pub ledger: Arc<dyn Ledger>,
    pub heard: Arc<Heard>,
}

/// What the ledger says of all workspaces in it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Books {
    counts: Counts,
    mails_waiting: u64,
}

/// A port that is ours; nothing is answered before [`Endpoint::serve`].
pub struct Endpoint {
    listener: TcpListener,
    address: SocketAddr,
}

impl Endpoint {
    /// # Errors
    /// The address is taken, or not one of this machine.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// With the port that was chosen where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until what is returned is dropped.
    pub fn serve(self, source: Source) -> Serving {
        let desk = Arc::new(Desk { source, free: Semaphore::new(AT_ONCE_MAX) });
        // `get` answers HEAD too, and 405 to anything else.
        let routes = Router::new().route("/metrics", get(answer)).fallback(nothing_here).with_state(desk);
        Serving(tokio::spawn(async move {
            if let Err(error) = axum::serve(self.listener, routes).await {
                tracing::error!(%error, "the metrics endpoint ended");
            }
        }))
    }
}

#[must_use = "the endpoint ends when this is dropped"]
pub struct Serving(JoinHandle<()>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Desk {
    source: Source,
    free: Semaphore,
}

async fn answer(State(desk): State<Arc<Desk>>) -> Response {
    let Ok(_place) = desk.free.try_acquire() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many at once: try again\n").into_response();
    };
    let now = Timestamp::now();
    let books = match timeout(LEDGER_PATIENCE, books(&*desk.source.ledger, now)).await {
        Ok(Ok(books)) => Some(books),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the ledger gave no numbers for the metrics");
            None
        }
        Err(_) => {
            tracing::warn!("the ledger gave no numbers for the metrics in time");
            None
        }
    };
    let text = render(&(desk.source.statuses)(), books.as_ref(), &desk.source.heard);
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}

async fn nothing_here() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "nothing here: the metrics are at /metrics\n")
}

async fn books(ledger: &dyn Ledger, now: Timestamp) -> Result<Books, LedgerError> {
    let midnight = Timestamp::from_second(now.as_second() - now.as_second().rem_euclid(DAY_S)).unwrap_or(now);
    Ok(Books { counts: ledger.counts(midnight).await?, mails_waiting: ledger.mails_waiting().await? })
}

/// The whole answer. Without `books` the ledger counts as degraded and its numbers are left out.
fn render(statuses: &[AgentStatus], books: Option<&Books>, heard: &Heard) -> String {
    let mut out = Exposition::default();
    let version = Sample::new(1.0).with("version", env!("CARGO_PKG_VERSION"));
    out.family("runmend_build_info", Kind::Gauge, "The version that runs.", [version]);
    of_agents(&mut out, statuses, books.is_some());
    if let Some(books) = books {
        of_books(&mut out, books);
    }
    let heard = heard.so_far();
    of_events(&mut out, &heard);
    of_opinions(&mut out, statuses, &heard);
    out.into_text()
}

fn of_agents(out: &mut Exposition, statuses: &[AgentStatus], ledger_answers: bool) {
    let of = |status: &AgentStatus, value: f64| Sample::new(value).with("workspace", status.workspace.as_str());
    let leading = statuses.iter().map(|status| of(status, flag(status.leading)));
    out.family("runmend_leading", Kind::Gauge, "1: this agent acts on the workspace; 0: it stands back for another one.", leading);
    let mut parts = Vec::new();
    for status in statuses {
        let mut degraded: BTreeMap<&str, bool> = PARTS.iter().map(|part| (*part, false)).collect();
        degraded.extend(status.degraded.iter().map(|(part, _)| (part_of(part), true)));
        if !ledger_answers {
            degraded.insert("ledger", true);
        }
        parts.extend(degraded.iter().map(|(part, degraded)| of(status, flag(*degraded)).with("part", *part)));
    }
    out.family("runmend_degraded", Kind::Gauge, "1: the part does not work right now.", parts);
    let polls = statuses.iter().filter_map(|status| Some(of(status, status.last_poll?.as_second() as f64)));
    out.family("runmend_last_poll_timestamp_seconds", Kind::Gauge, "The last poll of the workspace that succeeded.", polls);
    let seen = statuses.iter().map(|status| of(status, status.runs_seen as f64));
    out.family("runmend_runs_seen_total", Kind::Counter, "Runs seen by polls since the agent started.", seen);
}

fn of_books(out: &mut Exposition, books: &Books) {
    let Counts { awaiting, scheduled, acting, watching, with_people, observed, in_analysis, mended_today, failed_again_today } =
        books.counts;
    let open = [
        ("in_analysis", in_analysis),
        ("observed", observed),
        ("awaiting_approval", awaiting),
        ("scheduled", scheduled),
        ("acting", acting),
        ("watching", watching),
        ("with_people", with_people),
    ];
    let open = open.map(|(state, count)| Sample::new(count as f64).with("state", state));
    out.family("runmend_open_incidents", Kind::Gauge, "Open incidents in the ledger, all workspaces.", open);
    let today = [("mended", mended_today), ("failed_again", failed_again_today)];
    let today = today.map(|(result, count)| Sample::new(count as f64).with("result", result));
    out.family("runmend_outcomes_today", Kind::Gauge, "Outcomes in the ledger since midnight UTC, all workspaces.", today);
    let mails = [Sample::new(books.mails_waiting as f64)];
    out.family("runmend_mails_waiting", Kind::Gauge, "Mails that wait to be sent.", mails);
}

fn of_events(out: &mut Exposition, heard: &Tallies) {
    let detected = [Sample::new(heard.detected as f64)];
    out.family("runmend_failures_detected_total", Kind::Counter, "Failures that became incidents, since the process started.", detected);
    let mut decided = Vec::new();
    for action in Action::ALL.map(Action::as_str) {
        for authority in AUTHORITIES.map(Authority::as_str) {
            let count = heard.decided.get(&(action, authority)).copied().unwrap_or_default();
            decided.push(Sample::new(count as f64).with("action", action).with("authority", authority));
        }
    }
    out.family("runmend_decisions_total", Kind::Counter, "Decisions since the process started.", decided);
    let outcomes = Outcome::ALL.map(Outcome::as_str).map(|result| {
        let count = heard.outcomes.get(result).copied().unwrap_or_default();
        Sample::new(count as f64).with("result", result)
    });
    out.family("runmend_outcomes_total", Kind::Counter, "Outcomes of attempts and incidents since the process started.", outcomes);
}

/// One model serves all workspaces of the process, so any status tells of it.
fn of_opinions(out: &mut Exposition, statuses: &[AgentStatus], heard: &Tallies) {
    let Some(opinions) = statuses.iter().find_map(|status| status.opinions.as_ref()) else { return };
    let given = OpinionOrigin::ALL.map(OpinionOrigin::as_str);
    let given = given.map(|origin| (origin, heard.opinions.get(origin).copied().unwrap_or_default()));
    let said = given.into_iter().chain([("none", heard.no_opinions)]);
    let said = said.map(|(result, count)| Sample::new(count as f64).with("result", result));
    let help =
        "Second opinions since the process started. cached: it was given for an incident alike, and cost nothing; none: there was none.";
    out.family("runmend_llm_opinions_total", Kind::Counter, help, said);
    let (mut latency, mut spent, mut down, mut limited) = (None, false, false, false);
    match &opinions.health {
        OpinionHealth::Ok { latency_ms } => latency = latency_ms.map(|ms| Sample::new(ms as f64 / 1000.0)),
        OpinionHealth::Limited { .. } => limited = true,
        OpinionHealth::Spent { .. } => spent = true,
        OpinionHealth::Down { .. } => down = true,
    }
    out.family("runmend_llm_latency_seconds", Kind::Gauge, "How long the model takes, while it answers.", latency);
    out.family("runmend_llm_down", Kind::Gauge, "1: the model keeps failing and is left alone for a while.", [Sample::new(flag(down))]);
    let limited = [Sample::new(flag(limited))];
    out.family("runmend_llm_rate_limited", Kind::Gauge, "1: the provider's rate limit is reached.", limited);
    let cost = [Sample::new(f64::from(opinions.spent_today))];
    let help = "Cost of opinions since midnight UTC, of all processes on the ledger, calls in flight at their highest.";
    out.family("runmend_llm_cost_usd_today", Kind::Gauge, help, cost);
    let budget = opinions.daily_budget.map(|budget| Sample::new(f64::from(budget)));
    out.family("runmend_llm_daily_budget_usd", Kind::Gauge, "llm.daily_budget; absent without one.", budget);
    let spent = [Sample::new(flag(spent))];
    out.family("runmend_llm_budget_spent", Kind::Gauge, "1: the daily or the hourly budget is used up.", spent);
}

/// A call that fails (`GET /api/…`) is one of the workspace: as a label, each path would be a series of its own.
fn part_of(degraded: &str) -> &str {
    if degraded.contains('/') { "workspace" } else { degraded }
}

fn flag(set: bool) -> f64 {
    if set { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests;
