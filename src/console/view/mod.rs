//! How the model looks. Reads only; asks nobody anything; makes only what is seen.

mod boxes;
mod footer;
mod overlay;
mod panes;
mod status;
mod table;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;

use super::layout::{self, MIN};
use super::model::{Model, Overlay};
use super::theme::{Meaning, Theme};
use super::wall::ink;

pub use overlay::chooser_rows;

pub fn view(model: &Model, theme: &Theme, frame: &mut Frame) {
    let area = frame.area();
    // A terminal that was resized this instant: its message is on the way, and brings the next picture.
    let cursor = if area.as_size() == model.size { screen(model, theme, frame.buffer_mut()) } else { None };
    if theme.ascii {
        boxes::ascii(frame.buffer_mut());
    }
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

/// Draws everything; gives where the typing cursor stands.
fn screen(model: &Model, theme: &Theme, buffer: &mut Buffer) -> Option<(u16, u16)> {
    buffer.set_style(buffer.area, theme.of(Meaning::Base));
    let Some(plan) = layout::plan(model.size) else {
        too_small(model.size, theme, buffer);
        return None;
    };
    footer::draw(model, &plan, theme, buffer);
    if let Some(reader) = model.reader() {
        let cursor = overlay::reader::draw(reader, theme, buffer);
        return match model.over.last() {
            Some(Overlay::Chooser(chooser)) => Some(overlay::chooser::draw(chooser, model.size, theme, buffer)),
            _ => cursor,
        };
    }
    status::draw(model, plan.status, theme, buffer);
    let filter_cursor = table::draw(model, plan.list, theme, buffer);
    panes::draw(model, &plan, theme, buffer);
    match model.over.last() {
        Some(Overlay::Filter) => filter_cursor,
        Some(Overlay::Question(question)) => {
            overlay::question::draw(model, question, theme, buffer);
            None
        }
        Some(Overlay::Override(form)) => overlay::instead::draw(model, form, theme, buffer),
        Some(Overlay::Chooser(chooser)) => Some(overlay::chooser::draw(chooser, model.size, theme, buffer)),
        Some(Overlay::Reader(_)) | None => None,
    }
}

fn too_small(size: Size, theme: &Theme, buffer: &mut Buffer) {
    let words =
        [format!("runmend needs {}x{},", MIN.width, MIN.height), format!("this is {}x{}.", size.width, size.height), "q quits".to_owned()];
    for (row, text) in (0..size.height).zip(words) {
        put(buffer, Rect::new(0, row, size.width, 1), &Line::from(ink(text, theme.of(Meaning::Base))));
    }
}

/// A line of text in a row of the screen.
fn put(buffer: &mut Buffer, area: Rect, line: &Line<'_>) {
    if area.height > 0 {
        buffer.set_line(area.x, area.y, line, area.width);
    }
}

/// Everything on the screen that time alone changes: a tick that leaves it as it was draws nothing.
pub fn face(model: &Model) -> String {
    if model.reader().is_some() || model.plan().is_none() {
        return String::new();
    }
    let mut face = status::face(model);
    face.push_str(&table::face(model));
    if let Some(Overlay::Question(question)) = model.over.last() {
        for row in super::will::rows(model, question) {
            face.push_str(&row.text);
        }
    }
    face
}
