//! Reads a failure's texts the way a person does: which words are the message of which exception, which exception caused which, and
//! which lines are frames, source or a log's chatter.
//!
//! In a JVM chain the last `Caused by` is the root; in a Python chain (`During handling of …`) the first exception is. Wrappers above the
//! root stay readable, with less weight.

use crate::domain::evidence::{FailureText, Field};

use super::effort;
use super::fold::{self, Piece};
use super::line::{self, Level, Line};
use super::quoted;

/// No chain that a person wrote is longer; what a hostile text adds beyond stays at the last depth.
const DEPTH_MAX: u32 = 64;
/// A message goes on over so many lines at most: behind them a plan, a query or a listing follows.
const MESSAGE_LINES_MAX: usize = 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The message of an exception.
    Message,
    /// Words of their own, or a state message.
    Plain,
    Log(Level),
    /// Frames and source: read only by rules that ask for it.
    Trace,
}

/// A stretch of text of one kind. `start..end` in its piece.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
    /// 0 = outermost; grows along the chain of causes.
    pub depth: u32,
    /// The exception's class name, in the piece; empty where there is none.
    pub class: (usize, usize),
    /// How much a word found here counts, 0..=1.
    pub weight: f32,
}

/// One piece, read.
pub struct Page<'a> {
    pub piece: Piece<'a>,
    /// In order, without overlap.
    pub segments: Vec<Segment>,
    /// Values that the text quotes: nothing in them says why.
    quoted: Vec<(usize, usize)>,
}

impl Page<'_> {
    /// The segment without the values that it quotes: ranges in the piece.
    pub fn unquoted(&self, segment: &Segment) -> impl Iterator<Item = (usize, usize)> {
        let inner = self.quoted.iter().filter(|(start, end)| *start > segment.start && *end < segment.end).copied();
        let mut from = segment.start;
        inner.chain(std::iter::once((segment.end, segment.end))).map(move |(start, end)| {
            let part = (from, start.max(from));
            from = end.max(from);
            part
        })
    }

    /// How much the words at `start..end` of the segment count.
    pub fn weight(&self, segment: &Segment, start: usize, end: usize) -> f32 {
        let holds = |(from, to): &(usize, usize)| *from <= start && end <= *to && !(*from <= segment.start && segment.end <= *to);
        if self.quoted.iter().any(holds) { segment.weight * quoted::QUOTED } else { segment.weight }
    }
}

/// The pages of a failure in the order of trust.
pub fn read(text: &FailureText) -> Vec<Page<'_>> {
    let mut pages = Vec::with_capacity(4);
    for field in [Field::Error, Field::ErrorTrace, Field::StateMessage, Field::Logs] {
        if let Some(words) = text.field(field).filter(|words| !words.trim().is_empty()) {
            pages.extend(fold::pieces(field, words).map(page));
        }
    }
    // Where the error itself is there, the log around it is chatter; a command that ended badly leaves its reason there.
    let told = pages.iter().any(|page| {
        let tells = |segment: &Segment| {
            segment.kind == Kind::Message
                && !page.piece.text.get(segment.class.0..segment.class.1).is_some_and(|name| name.ends_with(COMMAND))
        };
        page.piece.field != Field::Logs && page.segments.iter().any(tells)
            || page.piece.field == Field::Error && opens_with_name(&page.piece.text)
    });
    for page in pages.iter_mut().filter(|page| told && page.piece.field == Field::Logs) {
        for segment in page.segments.iter_mut().filter(|segment| segment.kind != Kind::Message) {
            segment.weight *= CHATTER;
        }
    }
    // A mistake of the program's own is told where it was made: what its log holds of other exceptions is not why.
    let mistaken =
        pages.iter().any(|page| {
            page.piece.field == Field::Error
                && page.segments.iter().rfind(|segment| segment.kind == Kind::Message).is_some_and(|segment| {
                    page.piece.text.get(segment.class.0..segment.class.1).is_some_and(|name| MISTAKES.contains(&name))
                })
        });
    for page in pages.iter_mut().filter(|page| mistaken && page.piece.field == Field::Logs) {
        for segment in &mut page.segments {
            segment.weight *= ASIDE;
        }
    }
    // A state message beside an error is the workspace's own summary: `Workload failed, see run output for details`.
    let error = pages.iter().any(|page| page.piece.field == Field::Error);
    for page in pages.iter_mut().filter(|page| error && page.piece.field == Field::StateMessage) {
        for segment in &mut page.segments {
            segment.weight *= SUMMARY;
        }
    }
    pages
}

/// `INVALID_PARAMETER_VALUE: …`, `[PARSE_SYNTAX_ERROR] …`: an error that says its name.
fn opens_with_name(text: &str) -> bool {
    let rest = text.trim_start().trim_start_matches('[');
    let length = rest.bytes().take_while(|b| b.is_ascii_uppercase() || matches!(b, b'_' | b'.')).count();
    let name = rest.get(..length).unwrap_or_default();
    name.contains('_') && rest.get(length..).is_some_and(|behind| behind.starts_with([':', ']']))
}

/// Exceptions of Python for what a program does wrong by itself.
const MISTAKES: [&str; 9] = [
    "IndexError",
    "KeyError",
    "ZeroDivisionError",
    "UnboundLocalError",
    "NameError",
    "AttributeError",
    "TypeError",
    "AssertionError",
    "RecursionError",
];
/// The exception that says only that a command failed.
const COMMAND: &str = "CalledProcessError";
/// What a log line counts beside an error that is told.
const CHATTER: f32 = 0.6;
/// What a log counts beside a mistake of the program's own.
const ASIDE: f32 = 0.4;
/// What the workspace's summary counts beside an error that is told.
const SUMMARY: f32 = 0.4;

fn page(piece: Piece<'_>) -> Page<'_> {
    let mut reader = Reader { segments: Vec::with_capacity(16), groups: Vec::with_capacity(16), ..Reader::default() };
    let mut at = 0;
    for end in memchr::memchr_iter(b'\n', piece.text.as_bytes()).chain(std::iter::once(piece.text.len())) {
        let bytes = piece.text.as_bytes().get(at..end).unwrap_or_default();
        let carriage = bytes.iter().rev().take_while(|b| **b == b'\r').count();
        effort::looked(end - at);
        reader.line(at, piece.text.get(at..end - carriage).unwrap_or_default());
        at = end + 1;
    }
    let mut segments = reader.finish();
    weigh(piece.field, &mut segments);
    let mut quoted = quoted::values(&piece.text);
    quoted.sort_unstable();
    for segment in &mut segments {
        if quoted.iter().any(|(start, end)| *start <= segment.start && segment.end <= *end) {
            segment.weight *= quoted::QUOTED;
        }
    }
    Page { piece, segments, quoted }
}

#[derive(Default)]
struct Reader {
    segments: Vec<Segment>,
    /// Frames of a Python trace are being read.
    in_trace: bool,
    depth: u32,
    /// Python groups (`During handling`), the first is 0.
    group: u32,
    groups: Vec<u32>,
    lines: usize,
    /// The line before was no frame: words that follow belong to the same message.
    open: bool,
}

impl Reader {
    fn line(&mut self, at: usize, line: &str) {
        match line::read(line, self.in_trace) {
            Line::Blank => {}
            Line::Frame | Line::Source => {
                // A trace that came without its opening line.
                self.in_trace |= line.trim_start().starts_with("File ");
                self.push(at, at + line.len(), Kind::Trace, (0, 0));
                self.open = false;
            }
            Line::Traceback => {
                self.in_trace = true;
                // `PythonException: Traceback (most recent call last):` names the wrapper and opens the trace.
                let words = line.find("Traceback").unwrap_or(0);
                let before = line[..words].trim_end();
                if before.ends_with(':') {
                    self.words(at, before);
                }
                self.push(at + words, at + line.len(), Kind::Trace, (0, 0));
                self.open = false;
            }
            Line::Consequence => {
                self.in_trace = false;
                self.group += 1;
                self.depth = 0;
                self.open = false;
            }
            Line::CausedBy(head) => {
                self.in_trace = false;
                self.deepen();
                let length = line::class_length(&line[head..]).unwrap_or(0);
                self.head(at, line, head, head + length);
            }
            Line::Head(start, end) => {
                self.in_trace = false;
                if self.open || self.depth > 0 {
                    // A message that holds another exception: `Py4JJavaError: … \n: org.apache…`.
                    self.deepen();
                }
                self.head(at, line, start, end);
                self.depth = self.depth.max(1);
            }
            Line::Log(level) => {
                self.in_trace = false;
                self.push(at, at + line.len(), Kind::Log(level), (0, 0));
                self.open = false;
            }
            Line::Text => {
                // The exception of a trace that the reader does not know by name.
                self.in_trace = false;
                self.words(at, line);
            }
        }
    }

    fn words(&mut self, at: usize, line: &str) {
        let inner = nested(line, 0);
        self.plain(at, &line[..inner.map_or(line.len(), |(start, _)| start)]);
        self.chain(at, line, inner);
    }

    /// The exceptions named within a message, each a step deeper: `… Lost task 0.3: java.io.IOException: No space left on device`.
    fn chain(&mut self, at: usize, line: &str, mut next: Option<(usize, usize)>) {
        while let Some((start, end)) = next {
            next = nested(line, end);
            self.deepen();
            let stop = next.map_or(line.len(), |(start, _)| start);
            self.start(at + start, at + stop, (at + start, at + end));
        }
    }

    fn plain(&mut self, at: usize, line: &str) {
        if line.is_empty() {
            return;
        }
        if self.open
            && self.lines < MESSAGE_LINES_MAX
            && let Some(last) = self.segments.last_mut()
        {
            last.end = at + line.len();
            self.lines += 1;
            return;
        }
        self.push(at, at + line.len(), Kind::Plain, (0, 0));
        self.open = true;
        self.lines = 1;
    }

    /// An exception's line: its class at `start..end`, then its message, then whatever it wraps.
    fn head(&mut self, at: usize, line: &str, start: usize, end: usize) {
        let inner = nested(line, end);
        self.start(at, at + inner.map_or(line.len(), |(start, _)| start), (at + start, at + end));
        self.chain(at, line, inner);
    }

    fn start(&mut self, start: usize, end: usize, class: (usize, usize)) {
        self.push(start, end, Kind::Message, class);
        self.open = true;
        self.lines = 1;
    }

    fn deepen(&mut self) {
        self.depth = (self.depth + 1).min(DEPTH_MAX);
    }

    fn push(&mut self, start: usize, end: usize, kind: Kind, class: (usize, usize)) {
        if kind == Kind::Trace
            && let Some(last) = self.segments.last_mut()
            && last.kind == Kind::Trace
        {
            last.end = end;
            return;
        }
        self.segments.push(Segment { start, end, kind, depth: self.depth, class, weight: 0.0 });
        self.groups.push(self.group);
    }

    /// Python's first group is the root: its depth counts on top of the later ones.
    fn finish(mut self) -> Vec<Segment> {
        for (segment, group) in self.segments.iter_mut().zip(&self.groups) {
            segment.depth = segment.depth.saturating_add(self.group - group).min(DEPTH_MAX);
        }
        self.segments
    }
}

/// The next exception's class within a line, from `from` on: after `: `, `; ` or a bracket, before `:`, a parenthesis or the line's end.
fn nested(line: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = line.as_bytes();
    let mut at = from;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr3(b':', b';', b'[', rest)) {
        effort::looked(found + 1);
        at += found + 1;
        if bytes[at - 1] != b'[' {
            if bytes.get(at) != Some(&b' ') {
                continue;
            }
            at += 1;
        }
        if !bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
            continue;
        }
        let length = line::class_length(&line[at..])?;
        effort::looked(length);
        let ends = matches!(bytes.get(at + length), None | Some(b':' | b'('));
        if ends && line::is_exception_name(&line[at..at + length]) {
            return Some((at, at + length));
        }
        at += length;
    }
    None
}

/// A segment of this weight tells of the failure itself.
const TOLD: f32 = 0.75;
const LOG_AS_ERROR: f32 = 0.95;
/// A wrapper counts a little less with each step up from the root.
const STEP: f32 = 0.05;
const WRAPPER_MIN: f32 = 0.8;

fn weigh(field: Field, segments: &mut [Segment]) {
    let deepest = segments.iter().filter(|segment| segment.kind == Kind::Message).map(|segment| segment.depth).max().unwrap_or(0);
    let trust = match field {
        Field::Error => 1.0,
        Field::ErrorTrace => 0.98,
        Field::StateMessage => 0.95,
        Field::TerminationCode | Field::TaskType => 1.0,
        Field::Logs => 0.85,
    };
    for segment in segments.iter_mut() {
        let kind = match segment.kind {
            Kind::Message => (1.0 - STEP * (deepest - segment.depth.min(deepest)) as f32).max(WRAPPER_MIN),
            Kind::Plain => match field {
                Field::Logs => 0.7,
                _ => 0.97,
            },
            Kind::Log(Level::Error) => match field {
                Field::Logs => 0.75,
                _ => 0.97,
            },
            Kind::Log(Level::Warn) => match field {
                Field::Logs => 0.5,
                _ => 0.9,
            },
            Kind::Log(Level::Quiet) => match field {
                Field::Logs => 0.25,
                _ => 0.45,
            },
            Kind::Trace => 0.9,
        };
        segment.weight = trust * kind;
    }
    // Where nothing but log lines was handed over as the error, they are the error, whatever their level.
    let told = segments.iter().any(|segment| segment.weight >= TOLD);
    for segment in segments.iter_mut().filter(|segment| field == Field::Error && !told && segment.kind != Kind::Trace) {
        segment.weight = LOG_AS_ERROR;
    }
}
