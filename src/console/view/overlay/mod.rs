//! What lies on top of the list: texts to read, questions, the override, help.

mod causes;
pub mod chooser;
pub mod instead;
pub mod question;
pub mod reader;

use ratatui::text::Line;

use crate::console::theme::{Meaning, Theme};
use crate::console::wall::hanging;
use crate::console::will::Row;

pub use chooser::rows as chooser_rows;

/// Columns of a row's label.
const LABEL: usize = 10;

/// What will happen, as lines of a modal.
fn will_lines(rows: &[Row], width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let muted = theme.of(Meaning::Muted);
    rows.iter()
        .flat_map(|row| {
            let style = if row.warning { theme.strong(Meaning::Danger) } else { theme.of(Meaning::Base) };
            hanging(row.label, LABEL, &row.text, width, muted, style)
        })
        .collect()
}
