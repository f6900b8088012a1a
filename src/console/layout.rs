//! What stands where at a given size. Both `update` (scrolling) and `view` (drawing) ask here, so that they cannot disagree.

use ratatui::layout::{Rect, Size};

/// Smaller than this nothing useful fits.
pub const MIN: Size = Size { width: 60, height: 16 };
/// From here on the panes stand side by side.
const SIDE_BY_SIDE: Size = Size { width: 100, height: 30 };

/// A pane under the list. Its number is its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    Classifier,
    Llm,
    Decision,
    Evidence,
}

impl Pane {
    pub const ALL: [Self; 4] = [Self::Classifier, Self::Llm, Self::Decision, Self::Evidence];

    pub fn index(self) -> usize {
        match self {
            Self::Classifier => 0,
            Self::Llm => 1,
            Self::Decision => 2,
            Self::Evidence => 3,
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Classifier => "1 Classifier",
            Self::Llm => "2 LLM",
            Self::Decision => "3 Decision",
            Self::Evidence => "4 Evidence",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panes {
    Side {
        classifier: Rect,
        llm: Rect,
        decision: Rect,
        evidence: Rect,
    },
    /// One pane at a time, its name in the title.
    Tabs(Rect),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Two lines.
    pub status: Rect,
    pub list: Rect,
    pub panes: Panes,
    pub notice: Rect,
    pub footer: Rect,
}

/// `None`: too small.
pub fn plan(size: Size) -> Option<Plan> {
    if size.width < MIN.width || size.height < MIN.height {
        return None;
    }
    let (w, h) = (size.width, size.height);
    let room = h - 4;
    let at = |y, height| Rect::new(0, y, w, height);
    let (list, panes) = if w >= SIDE_BY_SIDE.width && h >= SIDE_BY_SIDE.height {
        let evidence = (room / 6).clamp(5, 14);
        let side = (room * 9 / 20).clamp(12, 22);
        let list = room - evidence - side;
        let third = w / 3;
        let pane = |n, width| Rect::new(third * n, 2 + list, width, side);
        let panes = Panes::Side {
            classifier: pane(0, third),
            llm: pane(1, third),
            decision: pane(2, w - 2 * third),
            evidence: at(2 + list + side, evidence),
        };
        (list, panes)
    } else {
        // The list keeps a row more than half at small sizes; on tall narrow screens the pane gets the rest.
        let list = room / 2;
        (list, Panes::Tabs(at(2 + list, room - list)))
    };
    Some(Plan { status: at(0, 2), list: at(2, list), panes, notice: at(h - 2, 1), footer: at(h - 1, 1) })
}

impl Plan {
    /// Rows of incidents that fit: the box has two borders and a header.
    pub fn list_rows(&self) -> usize {
        usize::from(self.list.height.saturating_sub(3))
    }

    pub fn pane(&self, pane: Pane) -> Rect {
        match self.panes {
            Panes::Tabs(area) => area,
            Panes::Side { classifier, llm, decision, evidence } => match pane {
                Pane::Classifier => classifier,
                Pane::Llm => llm,
                Pane::Decision => decision,
                Pane::Evidence => evidence,
            },
        }
    }

    pub fn has_tabs(&self) -> bool {
        matches!(self.panes, Panes::Tabs(_))
    }
}

/// The inside of a box: a border and one column of air at either side.
pub fn inside(area: Rect) -> Rect {
    Rect::new(area.x + 2, area.y + 1, area.width.saturating_sub(4), area.height.saturating_sub(2))
}

/// A box of at most `width` x `height` in the middle of the screen.
pub fn centred(size: Size, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(size.width), height.min(size.height));
    Rect::new((size.width - width) / 2, (size.height - height) / 2, width, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_lies_on_the_screen_at_every_size() {
        for width in 0..260 {
            for height in 0..90 {
                let Some(plan) = plan(Size { width, height }) else {
                    assert!(width < MIN.width || height < MIN.height);
                    continue;
                };
                let screen = Rect::new(0, 0, width, height);
                let mut used = 4;
                for area in [plan.status, plan.list, plan.notice, plan.footer].into_iter().chain(Pane::ALL.map(|pane| plan.pane(pane))) {
                    assert_eq!(area.intersection(screen), area, "{width}x{height}");
                }
                used += plan.list.height;
                used += match plan.panes {
                    Panes::Tabs(area) => area.height,
                    Panes::Side { classifier, evidence, .. } => classifier.height + evidence.height,
                };
                assert_eq!(used, height, "{width}x{height} leaves a hole");
                assert!(plan.list_rows() >= 3);
            }
        }
    }
}
