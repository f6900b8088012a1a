//! Boxes with words in their borders, and the same in ASCII.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

use crate::console::wall::{fit, ink, width};

/// Words in a box's border: left and right above, right below.
pub struct Words<'a> {
    /// With the air around it: see [`title`].
    pub title: Vec<Span<'a>>,
    pub aside: String,
    pub below: String,
}

/// A title with a space at either side.
pub fn title<'a>(spans: impl IntoIterator<Item = Span<'a>>) -> Vec<Span<'a>> {
    std::iter::once(Span::raw(" ")).chain(spans).chain([Span::raw(" ")]).collect()
}

/// The box itself; what stands in it is the caller's.
pub fn draw(buffer: &mut Buffer, area: Rect, words: Words<'_>, border: Style, text: Style) {
    let room = usize::from(area.width.saturating_sub(4));
    let left: usize = words.title.iter().map(Span::width).sum();
    let mut block = Block::bordered().border_style(border);
    // The title is worth more than what stands beside it.
    if left <= room {
        block = block.title_top(Line::from_iter(std::iter::once(dash(border)).chain(words.title)));
        let beside = room.saturating_sub(left + 2);
        if width(&words.aside) > 0 && beside > 6 {
            block = block.title_top(right(&words.aside, beside.saturating_sub(2), border, text));
        }
    } else {
        let all: String = words.title.iter().map(|span| span.content.as_ref()).collect();
        block = block.title_top(Line::from(vec![dash(border), ink(fit(&all, room), text)]));
    }
    if !words.below.is_empty() && room > 6 {
        block = block.title_bottom(right(&words.below, room.saturating_sub(2), border, text));
    }
    block.render(area, buffer);
}

/// Empties the place of a modal.
pub fn clear(buffer: &mut Buffer, area: Rect, base: Style) {
    // A wide character that reaches under the modal's edge would push the edge aside.
    for y in area.top()..area.bottom() {
        if let Some(cell) = area.x.checked_sub(1).and_then(|x| buffer.cell_mut((x, y)))
            && width(cell.symbol()) > 1
        {
            cell.set_symbol(" ");
        }
    }
    Clear.render(area, buffer);
    buffer.set_style(area, base);
}

fn right(words: &str, room: usize, border: Style, text: Style) -> Line<'static> {
    Line::from(vec![Span::raw(" "), ink(fit(words, room), text), Span::raw(" "), dash(border)]).right_aligned()
}

fn dash(border: Style) -> Span<'static> {
    Span::styled("─", border)
}

/// Our own signs that have an ASCII twin.
fn twin(sign: &str) -> &'static str {
    match sign {
        "─" => "-",
        "│" => "|",
        "┌" | "┐" | "└" | "┘" | "├" | "┤" | "┬" | "┴" | "┼" => "+",
        "▸" | "→" => ">",
        "…" => "~",
        "·" => "-",
        "•" => "*",
        "×" => "x",
        "▾" => "v",
        "–" | "—" => "-",
        "‹" => "<",
        "›" => ">",
        _ => "?",
    }
}

/// The picture in ASCII only. What is not ours has no twin and becomes a question mark, one a column.
pub fn ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            let sign = twin(cell.symbol());
            cell.set_symbol(sign);
        }
    }
}
