//! The panes under the list, side by side or as tabs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::console::layout::{Pane, Plan, inside};
use crate::console::model::Model;
use crate::console::pane;
use crate::console::theme::{Meaning, Theme};
use crate::console::wall::ink;

use super::boxes::{self, Words};
use super::put;

pub fn draw(model: &Model, plan: &Plan, theme: &Theme, buffer: &mut Buffer) {
    if plan.has_tabs() {
        let title = tabs(model, theme);
        return one(model, plan, model.tab, title, theme, buffer);
    }
    for pane in Pane::ALL {
        let title = boxes::title([ink(pane.title(), theme.strong(Meaning::Base))]);
        one(model, plan, pane, title, theme, buffer);
    }
}

fn tabs(model: &Model, theme: &Theme) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    for pane in Pane::ALL {
        // The brackets take the room of the spaces around: nothing jumps.
        let (text, style) = match pane == model.tab {
            true => (format!("[{}]", pane.title()), theme.strong(Meaning::Accent)),
            false => (format!(" {} ", pane.title()), theme.of(Meaning::Muted)),
        };
        spans.push(ink(text, style));
        spans.push(Span::raw(" "));
    }
    spans.pop();
    spans
}

fn one(model: &Model, plan: &Plan, pane: Pane, title: Vec<Span<'_>>, theme: &Theme, buffer: &mut Buffer) {
    let area = plan.pane(pane);
    let room = inside(area);
    let height = usize::from(room.height);
    let text = pane::text(model, pane, usize::from(room.width), plan.has_tabs(), theme);
    let top = pane::home(&text, height).saturating_add_signed(model.scroll[pane.index()]).min(text.len().saturating_sub(1));
    let focused = model.focus == Some(pane);
    let border = if focused { theme.of(Meaning::Accent) } else { theme.of(Meaning::Muted) };
    let below = match text.len() {
        lines if lines > height => format!("{}-{} of {lines}", top + 1, (top + height).min(lines)),
        _ => String::new(),
    };
    boxes::draw(buffer, area, Words { title, aside: text.aside.clone(), below }, border, theme.of(Meaning::Muted));
    for (line, y) in text.window(top, height, usize::from(room.width), theme).iter().zip(room.y..room.bottom()) {
        put(buffer, Rect { y, height: 1, ..room }, line);
    }
}
