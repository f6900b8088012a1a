//! Help and palette: rows of the key table, narrowed by typing.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::{Line, Span};

use crate::console::key::{Key, Reach};
use crate::console::layout::{centred, inside};
use crate::console::model::Chooser;
use crate::console::theme::{Meaning, Theme};
use crate::console::view::boxes::{self, Words};
use crate::console::view::put;
use crate::console::wall::{self, fit, hanging, ink};

const WIDTH: u16 = 100;
/// Columns of the keys and of the name.
const KEYS: usize = 14;
const NAME: usize = 15;
/// The input and an empty line.
const HEAD: u16 = 2;
/// An empty line, and the whole help of the line under the cursor.
const FOOT: u16 = 3;

fn area(size: Size) -> Rect {
    centred(size, WIDTH.min(size.width.saturating_sub(4)), size.height.saturating_sub(4).min(44))
}

/// Rows that are seen at once.
pub fn rows(size: Size) -> usize {
    usize::from(inside(area(size)).height.saturating_sub(HEAD + FOOT))
}

/// Draws it; gives where the typing cursor stands.
pub fn draw(chooser: &Chooser, size: Size, theme: &Theme, buffer: &mut Buffer) -> (u16, u16) {
    let area = area(size);
    let room = inside(area);
    boxes::clear(buffer, area, theme.of(Meaning::Base));
    let all = chooser.rows();
    let title = boxes::title([ink(format!("{}: {}", chooser.title, chooser.under.words()), theme.strong(Meaning::Base))]);
    let aside = "! acts on the workspace".to_owned();
    let shown = rows(size).min(all.len().saturating_sub(chooser.top));
    let below = match all.len() {
        0 => "Esc close".to_owned(),
        n => format!("{}-{} of {n}   Enter runs the line   Esc close", chooser.top + 1, chooser.top + shown),
    };
    boxes::draw(buffer, area, Words { title, aside, below }, theme.of(Meaning::Accent), theme.of(Meaning::Muted));
    let columns = usize::from(room.width);
    let label = "type to narrow: ";
    let typed = wall::clean(chooser.input.value());
    let line = vec![
        ink(label, theme.of(Meaning::Muted)),
        ink(fit(&typed, columns.saturating_sub(label.len() + 1)), theme.strong(Meaning::Accent)),
    ];
    put(buffer, room, &Line::from(line));
    if all.is_empty() {
        let words = Line::from(ink("No key has these words.", theme.of(Meaning::Muted)));
        put(buffer, Rect { y: room.y + HEAD, height: 1, ..room }, &words);
    }
    for ((at, row), y) in all.iter().enumerate().skip(chooser.top).zip(room.y + HEAD..room.bottom().saturating_sub(FOOT)) {
        let place = Rect { y, height: 1, ..room };
        put(buffer, place, &one(row, at == chooser.cursor, columns, theme));
        if at == chooser.cursor {
            buffer.set_style(place, theme.cursor());
        }
    }
    if let Some(row) = all.get(chooser.cursor) {
        let style = theme.of(Meaning::Base);
        let help = hanging("", 2, row.help, columns, style, style);
        for (line, y) in help.iter().zip(room.bottom().saturating_sub(FOOT - 1)..room.bottom()) {
            put(buffer, Rect { y, height: 1, ..room }, line);
        }
    }
    let x = u16::try_from(label.len() + chooser.input.visual_cursor()).unwrap_or(0).min(room.width.saturating_sub(1));
    (room.x + x, room.y)
}

fn one(row: &Key, here: bool, columns: usize, theme: &Theme) -> Line<'static> {
    let mark = if here { "▸ " } else { "  " };
    let acts = if row.reach == Reach::Workspace { "! " } else { "  " };
    let padded = |text: &str, width: usize| format!("{:<width$} ", fit(text, width));
    Line::from(vec![
        ink(mark, theme.strong(Meaning::Accent)),
        ink(padded(&row.chords(), KEYS), theme.strong(Meaning::Accent)),
        ink(padded(row.name, NAME), theme.of(Meaning::Base)),
        ink(acts, theme.strong(Meaning::Waiting)),
        Span::styled(fit(row.help, columns.saturating_sub(KEYS + NAME + 6)), theme.of(Meaning::Muted)),
    ])
}
