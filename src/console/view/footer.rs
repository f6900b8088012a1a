//! The last two lines: what was said in passing, and the keys that do something now.

use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use crate::console::act;
use crate::console::key::{Act, Key, Layer};
use crate::console::layout::Plan;
use crate::console::model::Model;
use crate::console::notice::Level;
use crate::console::theme::{Meaning, Theme};
use crate::console::wall::{fit, ink, width as columns};

use super::{put, status};

/// After a notice that is longer than the line.
const MORE: &str = "  N shows all";

pub fn draw(model: &Model, plan: &Plan, theme: &Theme, buffer: &mut Buffer) {
    let width = usize::from(plan.notice.width);
    if let Some((text, meaning)) = notice(model) {
        let room = width.saturating_sub(2);
        let cut = columns(&text) > room && model.notices.shown().is_some() && model.layer() == Layer::List;
        let (text, more) = if cut { (fit(&text, room.saturating_sub(columns(MORE))), MORE) } else { (fit(&text, room), "") };
        let line = Line::from(vec![ink(format!(" {text}"), theme.of(meaning)), ink(more, theme.of(Meaning::Muted))]);
        put(buffer, plan.notice, &line);
    }
    put(buffer, plan.footer, &keys(model, width, theme));
}

/// The newest notice; when it has left, what does not work right now.
fn notice(model: &Model) -> Option<(String, Meaning)> {
    if let Some(notice) = model.notices.shown() {
        let meaning = match notice.level {
            Level::Info => Meaning::Base,
            Level::Done => Meaning::Ok,
            Level::Error => Meaning::Danger,
            Level::Hint => Meaning::Accent,
        };
        return Some((notice.text.clone(), meaning));
    }
    if let Some(trouble) = &model.trouble {
        return Some((format!("the ledger cannot be read, what is shown is old: {trouble}"), Meaning::Danger));
    }
    status::degraded(model).map(|text| (text, Meaning::Danger))
}

fn keys(model: &Model, width: usize, theme: &Theme) -> Line<'static> {
    let rows = act::footer(model);
    let always = |row: &&&'static Key| matches!(row.does, Act::Help | Act::Quit);
    let right: Vec<&Key> = rows.iter().filter(always).copied().collect();
    let hint = |row: &Key| vec![ink(row.chord(), theme.strong(Meaning::Accent)), ink(format!(" {}", row.name), theme.of(Meaning::Base))];
    let taken = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    let mut tail = Vec::new();
    for row in right {
        tail.push(Span::raw("  "));
        tail.extend(hint(row));
    }
    let room = width.saturating_sub(taken(&tail) + 2);
    let mut spans = vec![Span::raw(" ")];
    for row in rows.iter().filter(|row| !matches!(row.does, Act::Help | Act::Quit)) {
        let next = hint(row);
        if taken(&spans) + taken(&next) > room {
            // The rest is in the help.
            break;
        }
        spans.extend(next);
        spans.push(Span::raw("  "));
    }
    let gap = width.saturating_sub(taken(&spans) + taken(&tail) + 1);
    spans.push(Span::raw(" ".repeat(gap)));
    spans.extend(tail);
    Line::from(spans)
}
