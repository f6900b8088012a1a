//! The override: another action, the cause, a note, and what the request will be.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::console::layout::{centred, inside};
use crate::console::model::{Model, Override};
use crate::console::theme::{Meaning, Theme};
use crate::console::view::boxes::{self, Words};
use crate::console::view::put;
use crate::console::wall::{self, fit, ink};
use crate::console::will;
use crate::console::words;
use crate::domain::action::Action;

use super::causes;

const WIDTH: u16 = 76;
/// Columns of a label.
const LABEL: usize = 13;

pub fn draw(model: &Model, form: &Override, theme: &Theme, buffer: &mut Buffer) -> Option<(u16, u16)> {
    let width = WIDTH.min(model.size.width.saturating_sub(2));
    let columns = usize::from(width.saturating_sub(4));
    let most = model.size.height.saturating_sub(2);
    let (mut lines, will) = (head(model, form, theme), super::will_lines(&will::instead(model, form), columns, theme));
    let all = causes::all(form, LABEL, columns, theme);
    // Borders, the note and the empty line after it.
    let roomy = lines.len() + all.len() + will.len() + 4 <= usize::from(most);
    lines.extend(if roomy { all } else { causes::one(form, LABEL, columns, theme) });
    let note_at = lines.len();
    lines.push(note(form, columns, theme));
    lines.push(Line::default());
    lines.extend(will);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(most);
    let area = centred(model.size, width, height);
    boxes::clear(buffer, area, theme.of(Meaning::Base));
    let title = boxes::title([ink(format!("Override: {}", words::name(&form.entry.incident)), theme.strong(Meaning::Waiting))]);
    let below = match form.reason().is_empty() {
        true => "a note is needed   Esc cancel".to_owned(),
        false => "Enter do it   Esc cancel".to_owned(),
    };
    boxes::draw(buffer, area, Words { title, aside: String::new(), below }, theme.of(Meaning::Waiting), theme.of(Meaning::Accent));
    let room = inside(area);
    for (line, y) in lines.iter().zip(room.y..room.bottom()) {
        put(buffer, Rect { y, height: 1, ..room }, line);
    }
    let field = columns.saturating_sub(LABEL + 2);
    let cursor = form.reason.visual_cursor().saturating_sub(form.reason.visual_scroll(field.saturating_sub(1)));
    let x = room.x + u16::try_from(LABEL + 1 + cursor).unwrap_or(0);
    let y = room.y + u16::try_from(note_at).unwrap_or(0);
    (x < room.right() && y < room.bottom()).then_some((x, y))
}

fn head(model: &Model, form: &Override, theme: &Theme) -> Vec<Line<'static>> {
    let (base, muted) = (theme.of(Meaning::Base), theme.of(Meaning::Muted));
    let incident = &form.entry.incident;
    let says = match &incident.decision {
        Some(_) => words::action(incident, model.max_attempts()),
        None => "nothing yet".to_owned(),
    };
    let success = incident.decision.as_ref().and_then(|decision| decision.success.as_ref());
    let success = success.map(|success| format!("   p(success) {}, {}", success.p, words::alike(success))).unwrap_or_default();
    let label = |text: &str| ink(format!("{text:<LABEL$}"), muted);
    let mut lines = vec![Line::from(vec![label("Engine says"), ink(says, theme.strong(Meaning::Base)), ink(success, muted)])];
    for (at, choice) in form.choices.iter().enumerate() {
        let head = label(if at == 0 { "Do instead" } else { "" });
        let (mark, style) = if at == form.at { ("(•) ", theme.strong(Meaning::Accent)) } else { ("( ) ", base) };
        lines.push(Line::from(vec![head, ink(mark, style), ink(choice_words(*choice), style)]));
    }
    lines
}

fn choice_words(action: Action) -> &'static str {
    match action {
        Action::Retry => "retry as it is: repair the failed tasks",
        Action::RetryWithNewParams => "retry with new params",
        Action::Notify => "notify the owner by mail",
        Action::Escalate => "escalate: mail the on-call address",
        Action::Ignore => "ignore: close it",
    }
}

fn note(form: &Override, columns: usize, theme: &Theme) -> Line<'static> {
    let field = columns.saturating_sub(LABEL + 2);
    let scroll = form.reason.visual_scroll(field.saturating_sub(1));
    let shown: String = wall::clean(form.reason.value()).chars().skip(scroll).collect();
    let shown = fit(&shown, field);
    let pad = " ".repeat(field.saturating_sub(wall::width(&shown)));
    let (accent, base) = (theme.of(Meaning::Accent), theme.of(Meaning::Base));
    Line::from(vec![
        ink(format!("{:<LABEL$}", "Your note"), theme.of(Meaning::Muted)),
        ink("[", accent),
        ink(shown, base),
        Span::raw(pad),
        ink("]", accent),
    ])
}
