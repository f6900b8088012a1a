//! The list of incidents: order, filter, and a cursor that follows its incident and not its row.

use std::cmp::Reverse;
use std::sync::Arc;

use tui_input::Input;

use crate::domain::cause::Cause;
use crate::domain::incident::{Incident, State};

use super::key::Motion;
use super::snapshot::{Entry, Snapshot};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    AwaitingFirst,
    Newest,
    Oldest,
    Job,
    Cause,
    Next,
}

impl Sort {
    pub fn next(self) -> Self {
        match self {
            Self::AwaitingFirst => Self::Newest,
            Self::Newest => Self::Oldest,
            Self::Oldest => Self::Job,
            Self::Job => Self::Cause,
            Self::Cause => Self::Next,
            Self::Next => Self::AwaitingFirst,
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::AwaitingFirst => "awaiting first, then newest",
            Self::Newest => "newest first",
            Self::Oldest => "oldest first",
            Self::Job => "by job",
            Self::Cause => "by cause",
            Self::Next => "what comes next first",
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct List {
    /// What is shown, in order.
    pub rows: Vec<Arc<Entry>>,
    /// Row under the cursor; meaningless while `rows` is empty.
    pub cursor: usize,
    /// First visible row.
    pub top: usize,
    pub sort: Sort,
    pub filter: Input,
    /// Incidents before the filter.
    pub total: usize,
}

impl List {
    pub fn selected(&self) -> Option<&Arc<Entry>> {
        self.rows.get(self.cursor)
    }

    /// Sorts and filters anew. Done when the snapshot, the sort or the filter changed, never for a frame.
    pub fn rebuild(&mut self, snapshot: &Snapshot, height: usize) {
        let selected = self.selected().map(|entry| entry.incident.id.clone());
        let words = self.filter.value().to_lowercase();
        self.total = snapshot.entries.len();
        self.rows.clear();
        self.rows.extend(snapshot.entries.iter().filter(|entry| entry.matches(&words)).cloned());
        sort(&mut self.rows, self.sort);
        // The incident may be gone; then the cursor keeps its row.
        if let Some(row) = selected.and_then(|id| self.rows.iter().position(|entry| entry.incident.id == id)) {
            // The row moves, the eye does not: keep it at the same height on the screen where that is possible.
            self.top = (self.top + row).saturating_sub(self.cursor);
            self.cursor = row;
        }
        self.clamp(height);
    }

    pub fn travel(&mut self, motion: Motion, height: usize) {
        let page = height.saturating_sub(1).max(1);
        self.cursor = match motion {
            Motion::Up => self.cursor.saturating_sub(1),
            Motion::Down => self.cursor + 1,
            Motion::PageUp => self.cursor.saturating_sub(page),
            Motion::PageDown => self.cursor + page,
            Motion::Top => 0,
            Motion::Bottom => usize::MAX,
        };
        self.clamp(height);
    }

    /// Cursor and window inside the list; the cursor inside the window.
    pub fn clamp(&mut self, height: usize) {
        let height = height.max(1);
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
        self.top = self.top.min(self.rows.len().saturating_sub(height)).min(self.cursor).max((self.cursor + 1).saturating_sub(height));
    }
}

fn sort(rows: &mut [Arc<Entry>], by: Sort) {
    let newest = |incident: &Incident| (Reverse(incident.detected_at), Reverse(incident.run));
    match by {
        Sort::AwaitingFirst => rows.sort_unstable_by_key(|entry| (rank(entry.incident.state), newest(&entry.incident))),
        Sort::Newest => rows.sort_unstable_by_key(|entry| newest(&entry.incident)),
        Sort::Oldest => rows.sort_unstable_by_key(|entry| (entry.incident.detected_at, entry.incident.run)),
        Sort::Job => {
            rows.sort_by(|a, b| a.incident.job.name.cmp(&b.incident.job.name).then_with(|| newest(&a.incident).cmp(&newest(&b.incident))))
        }
        Sort::Cause => {
            rows.sort_unstable_by_key(|entry| (entry.incident.cause().map_or("~", Cause::as_str), newest(&entry.incident)));
        }
        Sort::Next => rows.sort_unstable_by_key(|entry| {
            let incident = &entry.incident;
            (!incident.state.is_open(), incident.next_due.is_none(), incident.next_due, newest(incident))
        }),
    }
}

/// Awaiting, then open, then closed.
fn rank(state: State) -> u8 {
    match state {
        State::AwaitingApproval => 0,
        State::Detected
        | State::Collecting
        | State::Analysed
        | State::Decided
        | State::Scheduled
        | State::Acting
        | State::Watching
        | State::WithPeople => 1,
        State::Closed(_) => 2,
    }
}
