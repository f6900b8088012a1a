//! A value that stands before its name: `Invalid value x for configuration sasl.password`, `'x' is not a valid token`, `x as password`.

use super::label::{Label, Weight};
use super::pair::{Joint, Name, Value};
use super::text::{Text, is_blank, is_quote, is_space};
use super::wrap::Pieces;

/// What stands between the value and its name.
const BETWEEN: &[&str] = &[
    "for configuration ",
    "for config ",
    "for setting ",
    "for property ",
    "for parameter ",
    "for option ",
    "for field ",
    "for key ",
    "for variable ",
    "for argument ",
    "for environment variable ",
    "for ",
    "as the ",
    "as ",
    "is not a valid ",
    "is no valid ",
    "is not the right ",
    "is an invalid ",
    "is the wrong ",
    "is the ",
];

/// The value before the name, when words that make a value of it stand around it.
pub fn value(text: Text<'_>, name: Name, label: Label) -> Option<Value> {
    const VALUE_BYTES_MAX: usize = 400;
    let open = text.skip_back_max(name.start, 2, |b| is_quote(b) || b == b'<');
    let between = BETWEEN.iter().find(|words| text.ends(open, words))?;
    let end = text.skip_back_max(open - between.len(), 4, is_space);
    let quoted = is_quote(text.before(end));
    let end = end - usize::from(quoted);
    let of: fn(u8) -> bool = if quoted { |b| !is_quote(b) && b != b'\n' } else { |b| !is_blank(b) };
    let start = text.skip_back_max(end, VALUE_BYTES_MAX, of);
    // `Invalid value x for`: said outright; otherwise the value must be in quotes, or the name one of nothing but secrets.
    let lead = text.slice(text.floor(start.saturating_sub(24)), start).to_ascii_lowercase();
    let lead = lead.trim_end_matches(['"', '\'', '`', ':', ' ']);
    let is_said =
        lead.ends_with("value") || lead.ends_with("using") || lead.ends_with("with") || lead.ends_with("got") || lead.ends_with("given");
    let is_for = between.starts_with("for");
    let is_clear = is_said || quoted && !is_for || label.weight == Weight::Strong && between.starts_with("as") && lead.ends_with("use");
    (is_clear && start < end && end - start < VALUE_BYTES_MAX).then(|| Value {
        pieces: Pieces::one(start, end),
        quoted,
        joint: if is_said && is_for { Joint::Equals } else { Joint::Said },
        call: (start, start),
    })
}
