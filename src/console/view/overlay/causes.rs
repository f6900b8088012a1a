//! The choice of a cause in the override: all of them at a glance, with what the rules and the model say.

use ratatui::text::{Line, Span};

use crate::console::key::{Act, KEYS, Key};
use crate::console::model::Override;
use crate::console::theme::{Meaning, Theme};
use crate::console::wall::{fit, ink, width};
use crate::domain::cause::Cause;

/// Every cause, the chosen one in brackets, wrapped at `columns`; who says what below. `label` columns are left for its name.
pub fn all(form: &Override, label: usize, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut rows: Vec<Vec<Span<'static>>> = vec![Vec::new()];
    // A bracket may stand in the label's last column, so that words stand under words.
    let mut used = label - 1;
    for cell in Cause::ALL.into_iter().map(|cause| cell(form, cause, theme)) {
        if used + cell.width() > columns {
            used = label - 1;
            rows.push(Vec::new());
        }
        used += cell.width();
        if let Some(row) = rows.last_mut() {
            row.push(cell);
        }
    }
    let mut lines = named(rows, label, theme);
    lines.extend(said(form, label, columns, theme));
    lines
}

/// Where there is no room for all: the chosen one, and where it stands among them.
pub fn one(form: &Override, label: usize, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let at = Cause::ALL.iter().position(|cause| *cause == form.cause).unwrap_or_default();
    let place = format!(" {} of {}", at + 1, Cause::ALL.len());
    let mut lines = named(vec![vec![cell(form, form.cause, theme), ink(place, theme.of(Meaning::Muted))]], label, theme);
    lines.extend(said(form, label, columns, theme).into_iter().take(1));
    lines
}

fn named(rows: Vec<Vec<Span<'static>>>, label: usize, theme: &Theme) -> Vec<Line<'static>> {
    let head = |at: usize| ink(format!("{:<width$}", if at == 0 { "Cause" } else { "" }, width = label - 1), theme.of(Meaning::Muted));
    rows.into_iter().enumerate().map(|(at, row)| Line::from_iter(std::iter::once(head(at)).chain(row))).collect()
}

fn cell(form: &Override, cause: Cause, theme: &Theme) -> Span<'static> {
    let mark = if form.opinion().is_some_and(|opinion| opinion.cause == cause) { "*" } else { "" };
    match cause == form.cause {
        true => ink(format!("[{cause}{mark}]"), theme.strong(Meaning::Accent)),
        false => ink(format!(" {cause}{mark} "), theme.of(Meaning::Base)),
    }
}

/// What the model says where there is an opinion, and what the rules say: the first of them matters more where there is little room.
fn said(form: &Override, label: usize, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let muted = theme.of(Meaning::Muted);
    let (margin, room) = (" ".repeat(label), columns.saturating_sub(label));
    let mut lines = Vec::new();
    if let Some(opinion) = form.opinion() {
        let key = KEYS.iter().find(|row| row.does == Act::ModelsCause).map(Key::chord).unwrap_or_default();
        let (word, style) = match () {
            () if !opinion.grounded => (", but quotes what is not there".to_owned(), theme.of(Meaning::Danger)),
            () if form.rules() == Some(opinion.cause) => (", agrees".to_owned(), muted),
            () if form.cause == opinion.cause => (", taken".to_owned(), theme.of(Meaning::Ok)),
            () => (format!(", {key} takes it"), theme.of(Meaning::Waiting)),
        };
        let says = format!("* the model says {} {}", opinion.cause, opinion.confidence);
        let word = fit(&word, room.saturating_sub(width(&says)));
        lines.push(Line::from(vec![Span::raw(margin.clone()), ink(says, muted), ink(word, style)]));
    }
    if let Some(rules) = &form.entry.incident.classification {
        let by = rules.rules.first().map(|rule| format!(", by {rule}")).unwrap_or_default();
        let says = fit(&format!("the rules say {} {}{by}", rules.cause, rules.confidence), room);
        lines.push(Line::from(vec![Span::raw(margin), ink(says, muted)]));
    }
    lines
}
