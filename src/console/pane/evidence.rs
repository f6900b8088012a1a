//! The text that decided, in its place. `e` shows all of it.

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

use crate::console::doc::{DocLine, Kind};
use crate::console::model::Model;
use crate::console::theme::{Meaning, Theme};
use crate::console::wall::{fit, hanging, ink, width as columns};

use super::{Lines, Text};

/// Columns of the line number and a space.
const GUTTER: usize = 5;
/// Columns kept before the deciding words when a line is too long to show them from its start.
const LEAD: usize = 20;

pub fn text<'a>(model: &'a Model, width: usize, theme: &Theme) -> Text<'a> {
    let muted = theme.of(Meaning::Muted);
    let say = |words: &str| Text::new(hanging("", 0, words, width, muted, muted), "");
    let Some(incident) = model.incident() else {
        return say("The error, the trace and the log of the incident under the cursor, with the line that decided.");
    };
    if let Some((id, why)) = &model.dossier_trouble
        && *id == incident.id
    {
        let danger = theme.of(Meaning::Danger);
        return Text::new(hanging("", 0, &format!("The ledger could not give the evidence: {why}"), width, danger, danger), "");
    }
    match model.dossier() {
        None => say("Reading the evidence from the ledger."),
        Some(dossier) => match &dossier.evidence {
            None => say("Nothing is collected yet: the workspace is being asked for the error, the trace and the log."),
            Some(doc) => {
                let anchor = doc.hit().unwrap_or(0);
                let place = doc.heading_of(anchor).unwrap_or_default();
                Text { lines: Lines::Of(doc), anchor, aside: format!("run {} · {place}", incident.run) }
            }
        },
    }
}

/// One line, its number before it.
pub fn draw(line: &DocLine, width: usize, theme: &Theme) -> Line<'static> {
    let (base, muted) = (theme.of(Meaning::Base), theme.of(Meaning::Muted));
    let style = match line.kind {
        Kind::Heading => return Line::from(ink(fit(&line.text, width), theme.strong(Meaning::Base))),
        Kind::Muted => muted,
        Kind::Danger => theme.of(Meaning::Danger),
        Kind::Text => base,
    };
    let number = line.number.map(|n| n.to_string()).unwrap_or_default();
    let gutter = Span::styled(format!("{number:>4} "), muted);
    let room = width.saturating_sub(GUTTER).max(1);
    let Some(hit) = line.hit.clone().filter(|hit| line.text.get(hit.clone()).is_some()) else {
        return Line::from(vec![gutter, ink(fit(&line.text, room), style)]);
    };
    // A long line begins shortly before the words that decided, or they would not be seen.
    let mut from = 0;
    if columns(&line.text[..hit.end]) > room {
        let lead = columns(&line.text[..hit.start]).saturating_sub(LEAD.min(room / 3));
        let mut passed = 0;
        let begins = line.text[..hit.start].char_indices().find(|(_, c)| {
            passed += c.width().unwrap_or(0);
            passed > lead
        });
        from = begins.map_or(hit.start, |(at, _)| at);
    }
    let head = if from > 0 { format!("…{}", &line.text[from..hit.start]) } else { line.text[..hit.start].to_owned() };
    let left = room.saturating_sub(columns(&head));
    let words = fit(&line.text[hit.clone()], left);
    let tail = fit(&line.text[hit.end..], left.saturating_sub(columns(&words)));
    Line::from(vec![gutter, ink(head, theme.strong(Meaning::Base)), ink(words, theme.hit()), ink(tail, theme.strong(Meaning::Base))])
}
