//! A question before something is done: the effect in full, the list visible above it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::console::key::{KEYS, Key, Layer};
use crate::console::layout::inside;
use crate::console::model::{Model, Question};
use crate::console::theme::{Meaning, Theme};
use crate::console::view::boxes::{self, Words};
use crate::console::view::put;
use crate::console::wall::ink;
use crate::console::will;
use crate::console::words;

/// Wide enough for a call's address, narrow enough to be read at a glance.
const WIDTH: u16 = 100;
/// Lines of the screen that stay visible above: status, and the list's first rows.
const ABOVE: u16 = 6;

pub fn draw(model: &Model, question: &Question, theme: &Theme, buffer: &mut Buffer) {
    let size = model.size;
    let width = WIDTH.min(size.width.saturating_sub(4));
    let lines = super::will_lines(&will::rows(model, question), usize::from(width.saturating_sub(4)), theme);
    let most = size.height.saturating_sub(ABOVE + 4);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(most.saturating_sub(2)) + 2;
    // Just above the notices and the keys that answer it.
    let area = Rect::new((size.width - width) / 2, size.height.saturating_sub(height + 2), width, height);
    boxes::clear(buffer, area, theme.of(Meaning::Base));
    let title = boxes::title([ink(will::title(question), theme.strong(Meaning::Waiting))]);
    let again = KEYS.iter().find(|row| row.layer == Layer::List && row.does == question.asks()).map(Key::chord).unwrap_or_default();
    let below = format!("Enter or {again} do it   Esc cancel");
    boxes::draw(buffer, area, Words { title, aside: String::new(), below }, theme.of(Meaning::Waiting), theme.strong(Meaning::Accent));
    let room = inside(area);
    let shown = usize::from(room.height);
    for (at, (line, y)) in lines.iter().zip(room.y..room.bottom()).enumerate() {
        let cut = at + 1 == shown && lines.len() > shown;
        let more = Line::from(ink(
            format!("{} more; `p` on the list shows the whole call", words::plural((lines.len() - at) as u64, "line")),
            theme.of(Meaning::Muted),
        ));
        put(buffer, Rect { y, height: 1, ..room }, if cut { &more } else { line });
    }
}
