//! The panes under the list: each says everything it knows about the incident under the cursor, and teaches when it knows nothing.
//! One pane, one file: `text` makes its text for a width; drawing and scrolling both use it.

mod classifier;
mod decision;
mod evidence;
mod llm;

use ratatui::text::Line;

use super::doc::Doc;
use super::layout::{Pane, Plan, inside};
use super::model::Model;
use super::theme::Theme;

/// A pane's text at a width, and the line that must be in view when nobody scrolled.
pub struct Text<'a> {
    lines: Lines<'a>,
    pub anchor: usize,
    /// For the right end of the pane's title.
    pub aside: String,
}

/// Lines that are there, or a document of which only the lines in view are made: a log is long, and seldom looked at.
enum Lines<'a> {
    Made(Vec<Line<'static>>),
    Of(&'a Doc),
}

impl Text<'_> {
    fn new(lines: Vec<Line<'static>>, aside: impl Into<String>) -> Self {
        Self { lines: Lines::Made(lines), anchor: 0, aside: aside.into() }
    }

    pub fn len(&self) -> usize {
        match &self.lines {
            Lines::Made(lines) => lines.len(),
            Lines::Of(doc) => doc.lines.len(),
        }
    }

    /// The lines in view.
    pub fn window(&self, top: usize, height: usize, width: usize, theme: &Theme) -> Vec<Line<'static>> {
        match &self.lines {
            Lines::Made(lines) => lines.iter().skip(top).take(height).cloned().collect(),
            Lines::Of(doc) => doc.lines.iter().skip(top).take(height).map(|line| evidence::draw(line, width, theme)).collect(),
        }
    }
}

/// `brief`: the pane stands alone, so it names in a line what its neighbours would say.
pub fn text<'a>(model: &'a Model, pane: Pane, width: usize, brief: bool, theme: &Theme) -> Text<'a> {
    match pane {
        Pane::Classifier => classifier::text(model, width, theme),
        Pane::Llm => llm::text(model, width, theme),
        Pane::Decision => decision::text(model, width, brief, theme),
        Pane::Evidence => evidence::text(model, width, theme),
    }
}

/// So few lines are for what led to the anchor; in more, what follows is seen too.
const FEW_LINES: usize = 4;

/// Where the text begins when nobody scrolled: its anchor a third down.
pub fn home(text: &Text, height: usize) -> usize {
    let before = if height > FEW_LINES { height / 3 } else { height.saturating_sub(1) };
    text.anchor.saturating_sub(before).min(text.len().saturating_sub(height))
}

/// How far the pane may be scrolled up and down from its home.
pub fn scroll_limits(model: &Model, pane: Pane, plan: &Plan) -> (isize, isize) {
    let area = inside(plan.pane(pane));
    let height = usize::from(area.height);
    let text = text(model, pane, usize::from(area.width), plan.has_tabs(), &Theme::plain());
    let home = home(&text, height);
    let below = text.len().saturating_sub(height).saturating_sub(home);
    (-isize::try_from(home).unwrap_or(0), isize::try_from(below).unwrap_or(0))
}
