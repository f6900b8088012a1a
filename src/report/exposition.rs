//! The text format that Prometheus scrapes, version 0.0.4. Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::fmt::Write;

/// What an answer in this format calls itself.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows while the process lives.
    Counter,
    Gauge,
}

/// One value with the labels that tell it from others of its family.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    labels: Vec<(&'static str, String)>,
    value: f64,
}

impl Sample {
    pub fn new(value: f64) -> Self {
        Self { labels: Vec::new(), value }
    }

    pub fn with(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.labels.push((label, value.into()));
        self
    }
}

/// An answer while it is written, family by family.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

impl Exposition {
    /// A family without samples is left out: absent says "not known", where a zero would say "none". Names and help are our own words,
    /// of one line and without backslashes.
    pub fn family(&mut self, name: &str, kind: Kind, help: &str, samples: impl IntoIterator<Item = Sample>) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
        for Sample { labels, value } in samples {
            let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
            match labels.as_slice() {
                [] => self.line(format_args!("{name} {value}")),
                some => self.line(format_args!("{name}{{{}}} {value}", some.join(","))),
            }
        }
    }

    pub fn into_text(self) -> String {
        self.text
    }

    fn line(&mut self, words: std::fmt::Arguments<'_>) {
        // A string takes every write.
        let _ = self.text.write_fmt(words);
        self.text.push('\n');
    }
}

/// A label's value keeps to its quotes and its line.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
