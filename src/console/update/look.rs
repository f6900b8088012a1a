//! Moving, sorting, filtering, reading: what changes the screen and nothing else.

use std::sync::Arc;

use ratatui::layout::Size;
use tui_input::Input;

use crate::console::act;
use crate::console::doc::{Doc, Kind};
use crate::console::dossier::{self, Dossier};
use crate::console::key::{Act, KEYS, Layer, Motion};
use crate::console::layout::{Pane, inside};
use crate::console::model::{Chooser, Model, Overlay};
use crate::console::notice::{Level, Notice};
use crate::console::pane;
use crate::console::reader::{Reader, Text};
use crate::console::view;
use crate::console::words;

use super::post;

pub fn list_rows(model: &Model) -> usize {
    model.plan().map_or(1, |plan| plan.list_rows())
}

pub fn reader_width(size: Size) -> usize {
    usize::from(size.width.saturating_sub(4))
}

pub fn reader_height(size: Size) -> usize {
    usize::from(size.height.saturating_sub(4))
}

pub fn perform(model: &mut Model, does: Act) {
    match does {
        Act::Move(motion) => travel(model, motion),
        Act::NextPane => focus(model, around(model.focus, true)),
        Act::PreviousPane => focus(model, around(model.focus, false)),
        Act::Focus(pane) => focus(model, Some(pane)),
        Act::Sort => {
            model.list.sort = model.list.sort.next();
            rebuild(model);
        }
        Act::Filter => {
            model.focus = None;
            model.over.push(Overlay::Filter);
        }
        Act::Freeze => freeze(model),
        Act::Help => choose(model, "Keys"),
        Act::Palette => choose(model, "Palette"),
        Act::Search => {
            if let Some(Overlay::Reader(reader)) = model.over.last_mut() {
                reader.start_search();
            }
        }
        Act::NextHit | Act::PreviousHit => {
            if let Some(Overlay::Reader(reader)) = model.over.last_mut() {
                reader.step(does == Act::NextHit);
            }
        }
        other => {
            if let Some(text) = act::text_of(other) {
                read(model, text);
            }
        }
    }
}

fn travel(model: &mut Model, motion: Motion) {
    let height = list_rows(model);
    let page = view::chooser_rows(model.size);
    match model.over.last_mut() {
        Some(Overlay::Reader(reader)) => reader.travel(motion),
        Some(Overlay::Chooser(chooser)) => chooser_travel(chooser, motion, page),
        Some(Overlay::Filter) | None => match model.focus {
            Some(pane) => scroll(model, pane, motion),
            None => {
                let before = model.list.cursor;
                model.list.travel(motion, height);
                if model.list.cursor != before {
                    model.scroll = [0; 4];
                }
            }
        },
        Some(Overlay::Question(_) | Overlay::Override(_)) => {}
    }
}

fn chooser_travel(chooser: &mut Chooser, motion: Motion, height: usize) {
    let last = chooser.rows().len().saturating_sub(1);
    let height = height.max(1);
    chooser.cursor = match motion {
        Motion::Up => chooser.cursor.saturating_sub(1),
        Motion::Down => chooser.cursor + 1,
        Motion::PageUp => chooser.cursor.saturating_sub(height),
        Motion::PageDown => chooser.cursor + height,
        Motion::Top => 0,
        Motion::Bottom => last,
    }
    .min(last);
    chooser.top = chooser.top.min(chooser.cursor).max((chooser.cursor + 1).saturating_sub(height));
}

fn around(focus: Option<Pane>, forward: bool) -> Option<Pane> {
    let at = focus.map_or(0, |pane| pane.index() + 1);
    let next = if forward { (at + 1) % 5 } else { (at + 4) % 5 };
    next.checked_sub(1).and_then(|index| Pane::ALL.get(index).copied())
}

pub fn focus(model: &mut Model, pane: Option<Pane>) {
    model.focus = pane;
    if let Some(pane) = pane {
        model.tab = pane;
    }
}

pub fn scroll(model: &mut Model, pane: Pane, motion: Motion) {
    let Some(plan) = model.plan() else { return };
    let page = isize::try_from(inside(plan.pane(pane)).height).unwrap_or(1).max(2) - 1;
    let at = &mut model.scroll[pane.index()];
    *at = match motion {
        Motion::Up => *at - 1,
        Motion::Down => *at + 1,
        Motion::PageUp => *at - page,
        Motion::PageDown => *at + page,
        Motion::Top => isize::MIN / 2,
        Motion::Bottom => isize::MAX / 2,
    };
    clamp_scroll(model, pane);
}

/// The pane's first line stays inside its text.
pub fn clamp_scroll(model: &mut Model, pane: Pane) {
    if let Some(plan) = model.plan() {
        let (low, high) = pane::scroll_limits(model, pane, &plan);
        let at = &mut model.scroll[pane.index()];
        *at = (*at).clamp(low, high);
    }
}

pub fn set_filter(model: &mut Model, filter: Input) {
    if model.list.filter.value() == filter.value() {
        model.list.filter = filter;
        return;
    }
    model.list.filter = filter;
    rebuild(model);
}

fn rebuild(model: &mut Model) {
    let rows = list_rows(model);
    if let Some(snapshot) = model.latest.clone() {
        model.list.rebuild(&snapshot, rows);
        // Another filter or order is another list: it is seen from its top, as far as the cursor allows.
        model.list.top = 0;
        model.list.clamp(rows);
    }
}

fn freeze(model: &mut Model) {
    model.frozen = !model.frozen;
    if model.frozen {
        post(model, Notice::info("frozen: the list holds still, `f` goes on"));
    } else {
        rebuild(model);
        post(model, Notice::info("the list moves again"));
    }
}

fn choose(model: &mut Model, title: &'static str) {
    let under = model.layer();
    let all = KEYS.iter().filter(|row| row.layer == under && act::offered(model.options.mode, row));
    let all = match under {
        // Moving about is not what a palette is for.
        Layer::List if title == "Palette" => all.filter(|row| !matches!(row.does, Act::Move(_) | Act::Palette)).collect(),
        _ => all.collect(),
    };
    model.over.push(Overlay::Chooser(Chooser { title, under, all, input: Input::default(), cursor: 0, top: 0 }));
}

fn read(model: &mut Model, text: Text) {
    let Some(doc) = document(model, text) else {
        // It is on its way: it opens when it has come, unless another key is pressed first.
        model.opens = Some(text);
        return post(model, Notice::info("reading it from the ledger"));
    };
    let of = model.incident().map(words::name).unwrap_or_default();
    let title = match text {
        Text::Evidence => format!("Evidence · {of}"),
        Text::History => format!("History · {of}"),
        Text::Call => format!("The call · {of}"),
        Text::Notices => "Notices, newest first".to_owned(),
    };
    let of = model.incident().map(|incident| incident.id.clone());
    if text == Text::History {
        // A mail may have gone out since; that changes no incident.
        model.asked_for = None;
    }
    let reader = Reader::open(text, title, of, doc, reader_width(model.size), reader_height(model.size));
    model.over.push(Overlay::Reader(Box::new(reader)));
}

fn document(model: &Model, text: Text) -> Option<Arc<Doc>> {
    match text {
        Text::Evidence => model.dossier()?.evidence.clone().map(Arc::new),
        Text::History => Some(Arc::new(model.dossier()?.history.clone())),
        Text::Call => model.incident()?.planned.as_ref().map(dossier::call_doc).map(Arc::new),
        Text::Notices => {
            let mut doc = Doc::default();
            for (at, notice) in model.notices.all() {
                let kind = match notice.level {
                    Level::Error => Kind::Danger,
                    Level::Info | Level::Done | Level::Hint => Kind::Text,
                };
                doc.line(kind, &format!("{}  {}", words::full_time(*at, &model.options.zone), notice.text));
            }
            Some(Arc::new(doc))
        }
    }
}

pub fn on_dossier(model: &mut Model, dossier: Arc<Dossier>) {
    let wanted = model.incident().is_some_and(|incident| incident.id == dossier.incident);
    if !wanted {
        return;
    }
    model.dirty = true;
    model.dossier_trouble = None;
    model.dossier = Some(dossier);
    clamp_scroll(model, Pane::Evidence);
    if let Some(text) = model.opens.take() {
        return match text {
            Text::Evidence if model.dossier().is_some_and(|dossier| dossier.evidence.is_none()) => {
                post(model, Notice::info("evidence: nothing was collected yet"));
            }
            Text::Evidence | Text::History | Text::Call | Text::Notices => read(model, text),
        };
    }
    // A text that is being read follows its incident.
    let reading = model.reader().filter(|reader| reader.of == model.incident().map(|incident| incident.id.clone()));
    let replaced = match reading.map(|reader| reader.text) {
        Some(text @ (Text::History | Text::Evidence)) => document(model, text),
        Some(Text::Call | Text::Notices) | None => None,
    };
    if let Some(doc) = replaced {
        for overlay in &mut model.over {
            if let Overlay::Reader(reader) = overlay
                && *reader.doc != *doc
            {
                reader.replace(doc.clone());
            }
        }
    }
}
