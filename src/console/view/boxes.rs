//! Boxes with words in their borders, and the same in ASCII.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

use crate::console::wall::{fit, ink, width};

/// Words in a box's border: left and right above, right below.
#[derive(Default)]
pub struct Words<'a> {
    pub title: Line<'a>,
    pub aside: String,
    pub below: String,
}

/// The box itself; what stands in it is the caller's.
pub fn draw(buffer: &mut Buffer, area: Rect, words: Words<'_>, border: Style, text: Style) {
    let room = usize::from(area.width.saturating_sub(4));
    let title = words.title;
    let left = title.width();
    let mut block = Block::bordered().border_style(border);
    // The title is worth more than what stands beside it.
    if left + 2 <= room {
        block = block.title_top(spaced(title.spans));
        let beside = room.saturating_sub(left + 3);
        if width(&words.aside) > 0 && beside > 6 {
            let aside = vec![ink(fit(&words.aside, beside.saturating_sub(2)), text)];
            block = block.title_top(dashed(spaced(aside), border).right_aligned());
        }
    } else {
        let all: String = title.spans.iter().map(|span| span.content.as_ref()).collect();
        block = block.title_top(spaced(vec![ink(fit(&all, room.saturating_sub(2)), text)]));
    }
    if !words.below.is_empty() && room > 6 {
        let below = vec![ink(fit(&words.below, room.saturating_sub(2)), text)];
        block = block.title_bottom(dashed(spaced(below), border).right_aligned());
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

fn spaced(spans: Vec<Span<'_>>) -> Line<'_> {
    let mut line = vec![Span::raw(" ")];
    line.extend(spans);
    line.push(Span::raw(" "));
    Line::from(line)
}

fn dashed(mut line: Line<'_>, border: Style) -> Line<'_> {
    line.spans.push(Span::styled("─", border));
    line
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
