//! What a message changes. Pure: no IO, no clock, no terminal; what is to be done outside comes back as effects.

mod decide;
mod look;

use std::sync::Arc;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Size;
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler;

use crate::domain::Timestamp;

use super::act;
use super::key::{self, Act, Layer};
use super::layout::Pane;
use super::model::{Effect, Model, Msg, Overlay, Refusal};
use super::notice::Notice;
use super::snapshot::Snapshot;
use super::view;

/// Characters of a filter, a search or a reason: more is no sentence.
const INPUT_MAX: usize = 300;

pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    match msg {
        Msg::Key { key, at } if key.kind != KeyEventKind::Release => {
            model.now = model.now.max(at);
            on_key(model, &key, &mut effects);
        }
        Msg::Key { .. } => {}
        Msg::Paste(text) => on_paste(model, &text),
        Msg::Resize(size) => on_resize(model, size),
        Msg::Snapshot(snapshot) => on_snapshot(model, snapshot),
        Msg::Trouble(trouble) => {
            if let Some(words) = trouble.as_ref().filter(|_| model.trouble.is_none()) {
                post(model, Notice::error(format!("the ledger cannot be read: {words}")));
            }
            model.dirty |= model.trouble != trouble;
            model.trouble = trouble;
        }
        Msg::Dossier(Ok(dossier)) => look::on_dossier(model, dossier),
        Msg::Dossier(Err(trouble)) => {
            model.dossier_trouble = Some(trouble);
            model.dirty = true;
        }
        Msg::Committed { incident, said, result } => match result {
            Ok(version) => {
                let seen = model.latest.iter().flat_map(|s| &s.entries).any(|e| e.incident.id == incident && e.incident.version >= version);
                if seen {
                    model.pending.remove(&incident)
                } else {
                    model.pending.insert(incident, Some(version))
                };
                post(model, Notice::done(said));
            }
            Err(refusal) => {
                model.pending.remove(&incident);
                let why = match refusal {
                    Refusal::Conflict => "changed meanwhile, look again; nothing was done".to_owned(),
                    Refusal::Failed(why) => format!("{why}; nothing was done"),
                };
                post(model, Notice::error(format!("{why} (not {said})")));
            }
        },
        Msg::AutoApplied { on, result } => decide::on_auto_applied(model, on, result),
        Msg::Tick(at) => on_tick(model, at),
    }
    // The dossier of what is under the cursor now, once per version.
    if let Some(entry) = model.selected().cloned() {
        let wanted = (entry.incident.id.clone(), entry.incident.version);
        if model.asked_for.as_ref() != Some(&wanted) {
            model.asked_for = Some(wanted);
            effects.push(Effect::Load(entry));
        }
    }
    if model.dirty {
        // What is drawn next: a tick is compared with it.
        model.face = view::face(model);
    }
    effects
}

pub(super) fn post(model: &mut Model, notice: Notice) {
    model.notices.post(model.now, notice);
    model.dirty = true;
}

fn on_key(model: &mut Model, key: &KeyEvent, effects: &mut Vec<Effect>) {
    // A terminal sends Alt and a key as Esc and the key, so that Esc and a key pressed in haste look like it. No row has Alt: it is
    // always the two, and the first of them takes back whatever was asked.
    if key.modifiers.contains(KeyModifiers::ALT) {
        on_key(model, &KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE), effects);
        on_key(model, &KeyEvent::new(key.code, key.modifiers.difference(KeyModifiers::ALT)), effects);
        return;
    }
    model.dirty |= model.notices.key();
    model.opens = None;
    let layer = model.layer();
    match key::find(layer, key) {
        Some(row) => perform(model, row.does, row.name, effects),
        None if layer.types() => model.dirty |= typed(model, &Event::Key(*key)),
        None if asked_again(model, key) => perform(model, Act::Confirm, "do it", effects),
        // Any other key withdraws, and does nothing else.
        None if layer == Layer::Question => {
            model.over.pop();
            post(model, Notice::info("withdrawn; nothing was done"));
        }
        None => {}
    }
}

/// The key that asked the question, pressed again.
fn asked_again(model: &Model, key: &KeyEvent) -> bool {
    match model.over.last() {
        Some(Overlay::Question(question)) => key::find(Layer::List, key).is_some_and(|row| row.does == question.asks()),
        Some(Overlay::Filter | Overlay::Reader(_) | Overlay::Override(_) | Overlay::Chooser(_)) | None => false,
    }
}

/// Does the act, or says why not.
pub(super) fn perform(model: &mut Model, does: Act, name: &str, effects: &mut Vec<Effect>) {
    if does == Act::Quit {
        effects.push(Effect::Quit);
        return;
    }
    if model.plan().is_none() {
        // Nothing that cannot be seen is done.
        return;
    }
    if let Some(why) = act::refusal(model, does) {
        post(model, Notice::info(format!("{name}: {why}")));
        return;
    }
    model.dirty = true;
    match does {
        Act::Approve | Act::Override | Act::Ignore | Act::CloseHandled | Act::AutoApply | Act::AskModel | Act::StopModel => {
            decide::start(model, does, effects);
        }
        Act::Confirm => confirm(model, effects),
        Act::Back => back(model),
        Act::NextChoice | Act::PreviousChoice | Act::NextCause | Act::PreviousCause | Act::ModelsCause => decide::choose(model, does),
        Act::CopyUrl => {
            if let Some(url) = model.incident().and_then(|incident| incident.run_url.clone()) {
                let url = super::wall::clean(&url);
                post(model, Notice::done(format!("copied {url}")));
                effects.push(Effect::Copy(url));
            }
        }
        Act::Move(_)
        | Act::NextPane
        | Act::PreviousPane
        | Act::Focus(_)
        | Act::ReadEvidence
        | Act::History
        | Act::Call
        | Act::Sort
        | Act::Filter
        | Act::Freeze
        | Act::Notices
        | Act::Help
        | Act::Palette
        | Act::Search
        | Act::NextHit
        | Act::PreviousHit => look::perform(model, does),
        Act::Quit => {}
    }
}

fn confirm(model: &mut Model, effects: &mut Vec<Effect>) {
    match model.over.pop() {
        Some(Overlay::Question(question)) => decide::answered(model, question, effects),
        Some(Overlay::Override(form)) => decide::overridden(model, &form, effects),
        Some(Overlay::Chooser(chooser)) => {
            if let Some(row) = chooser.rows().get(chooser.cursor) {
                perform(model, row.does, row.name, effects);
            }
        }
        Some(Overlay::Reader(mut reader)) => {
            if let Some(search) = &mut reader.search {
                search.typing = false;
            }
            model.over.push(Overlay::Reader(reader));
        }
        Some(Overlay::Filter) | None => {}
    }
}

fn back(model: &mut Model) {
    match model.over.pop() {
        Some(Overlay::Filter) => look::set_filter(model, Input::default()),
        Some(Overlay::Reader(mut reader)) if reader.search.as_ref().is_some_and(|search| search.typing) => {
            reader.search = None;
            model.over.push(Overlay::Reader(reader));
        }
        Some(Overlay::Reader(_) | Overlay::Question(_) | Overlay::Override(_) | Overlay::Chooser(_)) => {}
        None if model.focus.is_some() => model.focus = None,
        None => look::set_filter(model, Input::default()),
    }
}

/// Text for whatever is being typed in. True when something took it.
fn typed(model: &mut Model, event: &Event) -> bool {
    let size = model.size;
    match model.over.last_mut() {
        Some(Overlay::Filter) => {
            let mut filter = std::mem::take(&mut model.list.filter);
            feed(&mut filter, event);
            look::set_filter(model, filter);
        }
        Some(Overlay::Reader(reader)) => {
            let Some(search) = &mut reader.search else { return false };
            feed(&mut search.input, event);
            reader.searched();
        }
        Some(Overlay::Override(form)) => feed(&mut form.reason, event),
        Some(Overlay::Chooser(chooser)) => {
            feed(&mut chooser.input, event);
            (chooser.cursor, chooser.top) = (0, 0);
        }
        Some(Overlay::Question(_)) | None => return false,
    }
    size == model.size
}

fn feed(input: &mut Input, event: &Event) {
    let before = input.clone();
    input.handle_event(event);
    if input.value().chars().count() > INPUT_MAX {
        *input = before;
    }
}

/// Pasted text is text: it never presses a key.
fn on_paste(model: &mut Model, text: &str) {
    if !model.layer().types() {
        post(model, Notice::info("pasted text was left out: nothing is being typed here"));
        return;
    }
    for c in super::wall::clean(text).chars().take(INPUT_MAX) {
        let key = KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
        typed(model, &Event::Key(key));
    }
    model.dirty = true;
}

fn on_resize(model: &mut Model, size: Size) {
    model.size = size;
    model.dirty = true;
    for overlay in &mut model.over {
        if let Overlay::Reader(reader) = overlay {
            reader.resize(look::reader_width(size), look::reader_height(size));
        }
    }
    if let Some(plan) = model.plan() {
        model.list.clamp(plan.list_rows());
        for pane in Pane::ALL {
            look::clamp_scroll(model, pane);
        }
    }
}

fn on_snapshot(model: &mut Model, snapshot: Arc<Snapshot>) {
    model.now = model.now.max(snapshot.at);
    model.dirty |= model.trouble.take().is_some();
    if !model.pending.is_empty() {
        for entry in &snapshot.entries {
            if let Some(Some(version)) = model.pending.get(&entry.incident.id)
                && entry.incident.version >= *version
            {
                model.pending.remove(&entry.incident.id);
            }
        }
    }
    let news = model.latest.as_ref().is_none_or(|latest| !latest.shows_the_same(&snapshot));
    model.dirty |= news;
    decide::refresh(model, &snapshot);
    if news && !model.frozen {
        let before = model.selected().map(|entry| entry.incident.id.clone());
        model.list.rebuild(&snapshot, look::list_rows(model));
        if before != model.selected().map(|entry| entry.incident.id.clone()) {
            model.scroll = [0; 4];
        }
    }
    model.latest = Some(snapshot);
    for pane in Pane::ALL {
        look::clamp_scroll(model, pane);
    }
    // An agent's sign of life alone changes nothing but times.
    model.dirty |= view::face(model) != model.face;
}

fn on_tick(model: &mut Model, at: Timestamp) {
    model.now = model.now.max(at);
    model.dirty |= model.notices.tick(model.now);
    if model.dossier_trouble.is_some() {
        // Asked again, but not in haste.
        model.asked_for = None;
    }
    model.dirty |= view::face(model) != model.face;
}
