//! Everything the screen shows, and nothing that waits. Changed by `update` only, read by `view` only.

use std::collections::HashMap;
use std::sync::Arc;

use ratatui::layout::Size;
use tui_input::Input;

use crate::domain::Timestamp;
use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::classification::Opinion;
use crate::domain::ids::IncidentId;
use crate::domain::incident::{Incident, State, Transition};
use crate::ledger::AutoApply;

use super::dossier::Dossier;
use super::key::{Act, Key, Layer};
use super::layout::{self, Pane, Plan};
use super::list::List;
use super::notice::{Notice, Notices};
use super::options::Options;
use super::reader::{Reader, Text};
use super::snapshot::{Entry, Snapshot};

/// Why a person's decision did not reach the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody, or the agent, changed the incident first.
    Conflict,
    Failed(String),
}

/// Everything that can happen.
#[derive(Debug)]
pub enum Msg {
    Key {
        key: crossterm::event::KeyEvent,
        at: Timestamp,
    },
    Paste(String),
    Resize(Size),
    Snapshot(Arc<Snapshot>),
    /// The ledger cannot be read (or can again).
    Trouble(Option<String>),
    Dossier(Result<Arc<Dossier>, (IncidentId, String)>),
    /// What came of a decision: the incident as it is now.
    Committed {
        incident: IncidentId,
        said: String,
        result: Result<i64, Refusal>,
    },
    /// What came of switching auto-apply.
    AutoApplied {
        on: bool,
        result: Result<(), String>,
    },
    Tick(Timestamp),
}

/// What the loop is asked to do. Each is put in a queue; the screen never waits for it.
#[derive(Clone, Debug)]
pub enum Effect {
    Load(Arc<Entry>),
    /// A person's decision, and what the notice says when it stands.
    Commit {
        transition: Box<Transition>,
        said: String,
    },
    AutoApply(bool),
    /// To the terminal's clipboard.
    Copy(String),
    Quit,
}

/// A question before something is done.
#[derive(Clone, Debug)]
pub enum Question {
    Approve(Arc<Entry>),
    Ignore(Arc<Entry>),
    Close(Arc<Entry>),
    AutoApply,
}

impl Question {
    /// The act that asked: its key, pressed again, answers yes.
    pub fn asks(&self) -> Act {
        match self {
            Self::Approve(_) => Act::Approve,
            Self::Ignore(_) => Act::Ignore,
            Self::Close(_) => Act::CloseHandled,
            Self::AutoApply => Act::AutoApply,
        }
    }

    /// The incident that it is about.
    pub fn entry(&mut self) -> Option<&mut Arc<Entry>> {
        match self {
            Self::Approve(entry) | Self::Ignore(entry) | Self::Close(entry) => Some(entry),
            Self::AutoApply => None,
        }
    }
}

/// Choosing another action than the engine's, or another cause than the rules'.
#[derive(Clone, Debug)]
pub struct Override {
    pub entry: Arc<Entry>,
    pub choices: Vec<Action>,
    pub at: usize,
    pub cause: Cause,
    pub reason: Input,
}

impl Override {
    pub fn action(&self) -> Action {
        self.choices.get(self.at).copied().unwrap_or(Action::Escalate)
    }

    pub fn rules(&self) -> Option<Cause> {
        self.entry.incident.classification.as_ref().map(|rules| rules.cause)
    }

    pub fn opinion(&self) -> Option<&Opinion> {
        self.entry.incident.opinion.as_ref()
    }

    /// The cause, where it is another than the rules'.
    pub fn corrected(&self) -> Option<Cause> {
        (self.cause != self.rules().unwrap_or(Cause::Unknown)).then_some(self.cause)
    }

    pub fn reason(&self) -> String {
        super::wall::clean(self.reason.value()).trim().to_owned()
    }
}

/// Help and palette.
#[derive(Clone, Debug)]
pub struct Chooser {
    pub title: &'static str,
    pub under: Layer,
    pub all: Vec<&'static Key>,
    pub input: Input,
    pub cursor: usize,
    pub top: usize,
}

impl Chooser {
    pub fn rows(&self) -> Vec<&'static Key> {
        let words = self.input.value().to_lowercase();
        self.all
            .iter()
            .filter(|row| {
                let text = format!("{} {} {}", row.chords(), row.name, row.help).to_lowercase();
                words.split_whitespace().all(|word| text.contains(word))
            })
            .copied()
            .collect()
    }
}

/// What lies on top of the list. One at a time, except help over a text.
#[derive(Clone, Debug)]
pub enum Overlay {
    Filter,
    Reader(Box<Reader>),
    Question(Question),
    Override(Box<Override>),
    Chooser(Chooser),
}

#[derive(Clone, Debug)]
pub struct Model {
    pub options: Options,
    /// When this console began.
    pub started: Timestamp,
    pub now: Timestamp,
    pub size: Size,
    /// `None` until the ledger was read once.
    pub latest: Option<Arc<Snapshot>>,
    /// Why the ledger cannot be read right now.
    pub trouble: Option<String>,
    /// The list holds still.
    pub frozen: bool,
    pub list: List,
    /// `None`: the list.
    pub focus: Option<Pane>,
    /// The pane that is seen where there is room for one.
    pub tab: Pane,
    /// First line seen of each pane; the evidence's counts from where its deciding line is in view.
    pub scroll: [isize; 4],
    pub dossier: Option<Arc<Dossier>>,
    pub dossier_trouble: Option<(IncidentId, String)>,
    pub over: Vec<Overlay>,
    /// A text that was asked for before the ledger gave it.
    pub opens: Option<Text>,
    pub notices: Notices,
    /// Auto-apply was switched on here, and when.
    pub auto_since: Option<Timestamp>,
    /// Decisions on their way to the ledger, or there but not yet seen back: the version that will show them.
    pub(super) pending: HashMap<IncidentId, Option<i64>>,
    pub(super) asked_for: Option<(IncidentId, i64)>,
    pub(super) dirty: bool,
    /// The text that time changes, as last drawn.
    pub(super) face: String,
}

impl Model {
    pub fn new(options: Options, size: Size, now: Timestamp) -> Self {
        let mut notices = Notices::default();
        if options.simulated {
            notices.post(now, Notice::hint("a simulated workspace: `a` approves, `?` shows all keys"));
        }
        Self {
            options,
            started: now,
            now,
            size,
            latest: None,
            trouble: None,
            frozen: false,
            list: List::default(),
            focus: None,
            tab: Pane::Decision,
            scroll: [0; 4],
            dossier: None,
            dossier_trouble: None,
            over: Vec::new(),
            opens: None,
            notices,
            auto_since: None,
            pending: HashMap::new(),
            asked_for: None,
            dirty: true,
            face: String::new(),
        }
    }

    /// Must the screen be drawn? Asking takes the answer away.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    pub fn layer(&self) -> Layer {
        match self.over.last() {
            None => Layer::List,
            Some(Overlay::Filter) => Layer::Filter,
            Some(Overlay::Reader(reader)) if reader.search.as_ref().is_some_and(|search| search.typing) => Layer::Search,
            Some(Overlay::Reader(_)) => Layer::Reader,
            Some(Overlay::Question(_)) => Layer::Question,
            Some(Overlay::Override(_)) => Layer::Override,
            Some(Overlay::Chooser(_)) => Layer::Chooser,
        }
    }

    /// The text over the whole screen, also under help.
    pub fn reader(&self) -> Option<&Reader> {
        self.over.iter().rev().find_map(|overlay| match overlay {
            Overlay::Reader(reader) => Some(&**reader),
            Overlay::Filter | Overlay::Question(_) | Overlay::Override(_) | Overlay::Chooser(_) => None,
        })
    }

    pub fn plan(&self) -> Option<Plan> {
        layout::plan(self.size)
    }

    pub fn selected(&self) -> Option<&Arc<Entry>> {
        self.list.selected()
    }

    pub fn incident(&self) -> Option<&Incident> {
        self.selected().map(|entry| &entry.incident)
    }

    /// The selected incident's dossier, when it has come.
    pub fn dossier(&self) -> Option<&Dossier> {
        let incident = self.incident()?;
        self.dossier.as_deref().filter(|dossier| dossier.incident == incident.id)
    }

    /// Auto-apply that is in force, from whichever console.
    pub fn auto_apply(&self) -> Option<&AutoApply> {
        self.latest.as_ref()?.auto_apply.as_ref().filter(|auto| auto.until > self.now)
    }

    /// Everything that waits for a person, filtered out or not.
    pub fn awaiting(&self) -> impl Iterator<Item = &Incident> {
        let entries = self.latest.iter().flat_map(|snapshot| &snapshot.entries);
        entries.map(|entry| &entry.incident).filter(|incident| incident.state == State::AwaitingApproval)
    }

    /// Re-runs that the job may have: the policy's limit.
    pub fn max_attempts(&self) -> u32 {
        self.options.policy.retry.max_attempts
    }
}
