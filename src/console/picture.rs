//! The console without a terminal: a scene in, a picture out, as cells or as SVG. For the README, for tests, and for measuring a frame.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crossterm::event::KeyEvent;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Size;
use ratatui::style::{Color, Modifier};

use crate::domain::Timestamp;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::ledger::{AgentStatus, AutoApply, Counts};

use super::dossier::Dossier;
pub use super::dossier::Papers;
use super::model::{Effect, Model, Msg};
use super::options::Options;
use super::snapshot::{Entry, Snapshot};
use super::theme::{Theme, ThemeError};
use super::update::update;
use super::view::view;

/// What a ledger would give.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    pub incidents: Vec<Incident>,
    pub counts: Counts,
    pub agents: Vec<AgentStatus>,
    pub auto_apply: Option<AutoApply>,
    pub papers: HashMap<IncidentId, Papers>,
}

/// A console whose ledger is a scene. Nothing that is decided here reaches any ledger.
pub struct Stage {
    pub(super) model: Model,
    /// What was asked for besides loading, oldest first.
    pub(super) effects: Vec<Effect>,
    papers: HashMap<IncidentId, Papers>,
    theme: Theme,
    terminal: Terminal<TestBackend>,
}

impl Stage {
    /// # Errors
    /// The options' theme cannot be read.
    pub fn new(options: Options, size: Size, now: Timestamp) -> Result<Self, ThemeError> {
        let theme = Theme::new(&options.theme, options.color, options.ascii)?;
        let terminal = match Terminal::new(TestBackend::new(size.width, size.height)) {
            Ok(terminal) => terminal,
            Err(never) => match never {},
        };
        let model = Model::new(options, size, now);
        Ok(Self { model, effects: Vec::new(), papers: HashMap::new(), theme, terminal })
    }

    /// The ledger holds this now.
    pub fn show(&mut self, scene: Scene, at: Timestamp) {
        self.papers = scene.papers;
        let entries = scene.incidents.into_iter().map(|incident| Arc::new(Entry::new(incident))).collect();
        let snapshot = Snapshot { entries, counts: scene.counts, agents: scene.agents, auto_apply: scene.auto_apply, at };
        self.tell(Msg::Snapshot(Arc::new(snapshot)));
    }

    pub fn press(&mut self, key: KeyEvent) {
        let at = self.model.now;
        self.tell(Msg::Key { key, at });
    }

    /// A message, and at once the dossier that it asks for.
    pub(super) fn tell(&mut self, msg: Msg) {
        let mut waiting = vec![msg];
        while let Some(msg) = waiting.pop() {
            for effect in update(&mut self.model, msg) {
                match effect {
                    Effect::Load(entry) => {
                        if let Some(papers) = self.papers.get(&entry.incident.id) {
                            let dossier = Dossier::new(&entry.incident, papers, &self.model.options.zone);
                            waiting.push(Msg::Dossier(Ok(Arc::new(dossier))));
                        }
                    }
                    other => self.effects.push(other),
                }
            }
        }
    }

    /// The picture.
    pub fn draw(&mut self) -> &Buffer {
        let (model, theme) = (&self.model, &self.theme);
        match self.terminal.draw(|frame| view(model, theme, frame)) {
            Ok(_) => self.terminal.backend().buffer(),
            Err(never) => match never {},
        }
    }
}

/// Size of a cell and of the letters in it, in SVG units.
const CELL: (f32, f32) = (8.4, 18.0);
const FONT_SIZE: f32 = 14.0;
/// From a row's top to the letters' base line.
const BASE_LINE: f32 = 13.5;
const MARGIN: f32 = 12.0;

/// Colours of the paper: what a cell has that names none.
#[derive(Clone, Copy, Debug)]
pub struct Paper {
    pub ink: &'static str,
    pub ground: &'static str,
}

pub const DARK: Paper = Paper { ink: "#d4d4d8", ground: "#16181d" };

/// The buffer as an SVG picture: one element a run of cells that look alike.
pub fn svg(buffer: &Buffer, paper: Paper) -> String {
    let (columns, rows) = (f32::from(buffer.area.width), f32::from(buffer.area.height));
    let (width, height) = (columns * CELL.0 + 2.0 * MARGIN, rows * CELL.1 + 2.0 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" font-family=\"ui-monospace, 'JetBrains Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"{FONT_SIZE}\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n",
        paper.ground
    );
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            x = run(&mut out, buffer, paper, x, y);
        }
    }
    out.push_str("</svg>\n");
    out
}

/// Writes the run of cells from `x` that look alike; gives the column after it.
fn run(out: &mut String, buffer: &Buffer, paper: Paper, x: u16, y: u16) -> u16 {
    let Some(first) = buffer.cell((x, y)) else { return x + 1 };
    let look = |cell: &Cell| (cell.fg, cell.bg, cell.modifier, arms(cell.symbol()));
    let mut text = String::new();
    let mut end = x;
    while let Some(cell) = buffer.cell((end, y)).filter(|cell| end < buffer.area.width && look(cell) == look(first)) {
        text.push_str(cell.symbol());
        // A wide character's second cell is empty and belongs to it.
        end += u16::try_from(super::wall::width(cell.symbol()).max(1)).unwrap_or(1);
    }
    let (mut ink, mut ground) = (hex(first.fg, paper.ink), hex(first.bg, paper.ground));
    if first.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut ink, &mut ground);
    }
    let (left, top) = (MARGIN + f32::from(x) * CELL.0, MARGIN + f32::from(y) * CELL.1);
    let width = f32::from(end - x) * CELL.0;
    if ground != paper.ground {
        let _ = writeln!(out, "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{ground}\"/>", CELL.1);
    }
    if let Some(arms) = arms(first.symbol()) {
        // Borders are lines and not letters: no font leaves gaps in them. Only what goes across is one line for the whole run.
        let path = match arms {
            [true, true, false, false] => lines(arms, left, top, width),
            _ => (x..end).map(|at| lines(arms, MARGIN + f32::from(at) * CELL.0, top, CELL.0)).collect(),
        };
        let _ = writeln!(out, "<path d=\"{path}\" stroke=\"{ink}\" fill=\"none\"/>");
    } else if !text.trim().is_empty() {
        let weight = if first.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
        // The run's length is given, so that another font than ours moves no border.
        let _ = writeln!(
            out,
            "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\" fill=\"{ink}\"{weight}>{}</text>",
            top + BASE_LINE,
            escaped(&text)
        );
    }
    end.max(x + 1)
}

/// Which ways a border's sign goes from its middle: left, right, up, down.
fn arms(sign: &str) -> Option<[bool; 4]> {
    match sign {
        "─" => Some([true, true, false, false]),
        "│" => Some([false, false, true, true]),
        "┌" => Some([false, true, false, true]),
        "┐" => Some([true, false, false, true]),
        "└" => Some([false, true, true, false]),
        "┘" => Some([true, false, true, false]),
        _ => None,
    }
}

fn lines([left_arm, right_arm, up, down]: [bool; 4], left: f32, top: f32, width: f32) -> String {
    let (middle, line) = (top + CELL.1 / 2.0, left + CELL.0 / 2.0);
    let mut path = String::new();
    if left_arm || right_arm {
        let (from, to) = (if left_arm { left } else { line }, if right_arm { left + width } else { line });
        let _ = write!(path, "M{from:.1} {middle:.1}H{to:.1}");
    }
    if up || down {
        let (from, to) = (if up { top } else { middle }, if down { top + CELL.1 } else { middle });
        let _ = write!(path, "M{line:.1} {from:.1}V{to:.1}");
    }
    path
}

fn hex(color: Color, default: &str) -> String {
    match color {
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        // Scenes are drawn with rich colours; anything else takes the paper's.
        _ => default.to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
