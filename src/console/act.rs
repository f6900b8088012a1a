//! Which key does something now, and what it would do: asked by the footer before a key, and by `update` after it.

use crate::decide::guardrail;
use crate::domain::action::Action;
use crate::domain::decision::Mode;
use crate::domain::incident::{Asking, Incident, State};

use super::key::{Act, KEYS, Key, Layer, Reach};
use super::model::{Model, Overlay};
use super::options::Llm;
use super::reader::Text;
use super::words;

/// Rows that the mode leaves: under `--observe` nothing acts on the workspace.
pub fn offered(mode: Mode, row: &Key) -> bool {
    !(mode == Mode::Observe && row.reach == Reach::Workspace)
}

/// The footer's rows: those that do something now.
pub fn footer(model: &Model) -> Vec<&'static Key> {
    let layer = model.layer();
    KEYS.iter()
        .filter(|row| row.layer == layer && row.footer && offered(model.options.mode, row) && refusal(model, row.does).is_none())
        .collect()
}

/// Why the act does nothing now; `None` when it does something.
pub fn refusal(model: &Model, act: Act) -> Option<String> {
    match model.layer() {
        Layer::List => on_list(model, act),
        Layer::Reader => on_reader(model, act),
        Layer::Override => match (act, model.over.last()) {
            (Act::Confirm, Some(Overlay::Override(form))) if form.reason().is_empty() => Some("a note is needed first".to_owned()),
            (Act::ModelsCause, Some(Overlay::Override(form))) if form.opinion().is_none() => {
                Some("no model gave an opinion on this one".to_owned())
            }
            _ => None,
        },
        Layer::Search | Layer::Filter | Layer::Question | Layer::Chooser => None,
    }
}

fn on_list(model: &Model, act: Act) -> Option<String> {
    let no = |words: &str| Some(words.to_owned());
    if KEYS.iter().any(|row| row.layer == Layer::List && row.does == act && !offered(model.options.mode, row)) {
        return no("mode observe carries nothing out");
    }
    match act {
        Act::AutoApply => match model.auto_apply() {
            _ if model.options.mode == Mode::Auto => no("mode auto carries decisions out without it"),
            Some(auto) if model.auto_since.is_none() => Some(format!("{} has it on at another console", super::wall::clean(&auto.by))),
            Some(_) | None => None,
        },
        Act::Notices if model.notices.is_empty() => no("there were none yet"),
        Act::Approve
        | Act::Override
        | Act::Ignore
        | Act::CloseHandled
        | Act::AskModel
        | Act::StopModel
        | Act::ReadEvidence
        | Act::History
        | Act::Call
        | Act::CopyUrl => match model.incident() {
            None => no("no incident is selected"),
            Some(incident) => on_incident(model, incident, act),
        },
        Act::Sort | Act::Filter | Act::Freeze if model.latest.is_none() => no("the ledger is still being read"),
        Act::Sort | Act::Filter | Act::Freeze if model.list.total == 0 => no("there are no incidents"),
        Act::Move(_)
        | Act::NextPane
        | Act::PreviousPane
        | Act::Focus(_)
        | Act::Sort
        | Act::Filter
        | Act::Freeze
        | Act::Notices
        | Act::Help
        | Act::Palette
        | Act::Quit
        | Act::Back
        | Act::Search
        | Act::NextHit
        | Act::PreviousHit
        | Act::Confirm
        | Act::NextChoice
        | Act::PreviousChoice
        | Act::NextCause
        | Act::PreviousCause
        | Act::ModelsCause => None,
    }
}

fn on_incident(model: &Model, incident: &Incident, act: Act) -> Option<String> {
    let no = |words: &str| Some(words.to_owned());
    let decides = matches!(act, Act::Approve | Act::Override | Act::Ignore | Act::CloseHandled | Act::AskModel | Act::StopModel);
    if decides && model.pending.contains_key(&incident.id) {
        return no("what you decided before is being written");
    }
    let state = incident.state;
    match act {
        Act::Approve if state != State::AwaitingApproval || incident.decision.is_none() => {
            Some(format!("nothing awaits approval here, it is {state}"))
        }
        Act::Override => match state {
            State::AwaitingApproval | State::WithPeople | State::Decided => None,
            State::Scheduled => no("it is scheduled; `i` stops it"),
            State::Acting | State::Watching => no("the workspace is at it; when it fails again you can"),
            State::Detected | State::Collecting | State::Analysed => no("nothing was decided yet"),
            State::Closed(_) => Some(format!("it is closed: {state}")),
        },
        Act::Ignore => match state {
            State::Acting => no("the call is being made; wait for its answer"),
            State::Closed(_) => Some(format!("it is closed: {state}")),
            State::Detected
            | State::Collecting
            | State::Analysed
            | State::Decided
            | State::Scheduled
            | State::AwaitingApproval
            | State::Watching
            | State::WithPeople => None,
        },
        Act::CloseHandled if !matches!(state, State::WithPeople | State::Decided) => {
            Some(format!("only what is with people can be closed as handled, this is {state}"))
        }
        Act::AskModel => asks(model, incident),
        Act::StopModel if !with_model(model, incident) => no("no model is being asked about this one"),
        Act::ReadEvidence if model.dossier().is_some_and(|dossier| dossier.evidence.is_none()) => no("nothing was collected yet"),
        Act::Call if incident.planned.is_none() => no("no call is planned here"),
        Act::CopyUrl if incident.run_url.is_none() => no("the workspace gave no address for this run"),
        _ => None,
    }
}

/// Is a model being asked about it, or about to be?
pub fn with_model(model: &Model, incident: &Incident) -> bool {
    let on_its_way = incident.state == State::Analysed && model.options.llm != Llm::NotConfigured && incident.asking != Asking::Cancelled;
    incident.state.is_open() && (incident.draft.is_some() || on_its_way || incident.asking == Asking::Demanded)
}

/// Why a model cannot be asked by hand.
fn asks(model: &Model, incident: &Incident) -> Option<String> {
    let no = |words: &str| Some(words.to_owned());
    if model.options.llm == Llm::NotConfigured {
        return no("no model is configured (llm.provider)");
    }
    if with_model(model, incident) {
        return no("it is being asked; `x` stops it");
    }
    match incident.state {
        State::AwaitingApproval | State::Decided | State::WithPeople => match &incident.opinion {
            Some(opinion) if opinion.grounded => no("it has given its opinion"),
            Some(_) | None => None,
        },
        State::Scheduled => no("it is scheduled; `i` stops it"),
        State::Acting | State::Watching => no("the workspace is at it"),
        State::Detected | State::Collecting | State::Analysed => no("nothing was decided yet"),
        State::Closed(_) => Some(format!("it is closed: {}", incident.state)),
    }
}

fn on_reader(model: &Model, act: Act) -> Option<String> {
    let found = model.reader().and_then(|reader| reader.search.as_ref()).map_or(0, |search| search.lines.len());
    match act {
        Act::NextHit | Act::PreviousHit if found == 0 => Some("nothing was searched, or nothing found; `/` searches".to_owned()),
        _ => None,
    }
}

/// Why the job is critical: said in the question before something is done to it.
pub fn critical(model: &Model, incident: &Incident) -> Option<String> {
    guardrail::critical::why(&incident.job, &model.options.policy)
}

/// Awaiting decisions that only the mode holds back: with auto-apply on, the agent carries them out.
pub fn auto_would_apply(incident: &Incident) -> bool {
    incident.state == State::AwaitingApproval
        && incident.decision.as_ref().is_some_and(|decision| decision.guardrails.iter().any(|rail| rail.id == guardrail::mode::ID))
}

/// What an approval sets off: `retry 1 of 3`, `mail to crm-data@acme.example`.
pub fn effect_of(model: &Model, incident: &Incident, action: Action) -> String {
    match action {
        Action::Retry => match incident.decision.as_ref().filter(|decision| decision.action == Action::Retry) {
            Some(_) => format!("{}: the failed tasks run again", words::action(incident, model.max_attempts())),
            None => "retry now: the failed tasks run again".to_owned(),
        },
        Action::Notify => match &incident.job.owner {
            Some(owner) => format!("mail to the owner, {}", super::wall::clean(owner)),
            None => "mail to the default address (the job names no owner)".to_owned(),
        },
        Action::Escalate => "mail to the on-call address".to_owned(),
        Action::RetryWithNewParams => "repair with the job's settings as they are then".to_owned(),
        Action::Ignore => "close it; the run is left as it is".to_owned(),
    }
}

/// The texts that a reader can show.
pub fn text_of(act: Act) -> Option<Text> {
    match act {
        Act::ReadEvidence => Some(Text::Evidence),
        Act::History => Some(Text::History),
        Act::Call => Some(Text::Call),
        Act::Notices => Some(Text::Notices),
        _ => None,
    }
}
