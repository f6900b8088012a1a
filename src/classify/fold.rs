//! A field's text as the rules see it: bounded, ASCII lower case, every white space a blank, byte for byte as long as the original, so
//! that an offset here is an offset there.

use std::borrow::Cow;

use memchr::memmem;

use crate::domain::evidence::Field;

/// A field is read to here from its start …
const HEAD_BYTES_MAX: usize = 64 << 10;
/// … and from here to its end: the exception that ended a run stands at one of the two. The middle of a longer text is not read, so that
/// a hostile log costs no more than a long one.
const TAIL_BYTES_MAX: usize = 96 << 10;

/// A stretch of one field.
pub struct Piece<'a> {
    pub field: Field,
    /// Where `text` starts in its field.
    pub base: usize,
    pub original: &'a str,
    /// `original`, its terminal colours blanked out: the same length, byte for byte.
    pub text: Cow<'a, str>,
    /// `text`, folded.
    pub folded: Vec<u8>,
}

/// The one or two stretches of a field that are read.
pub fn pieces(field: Field, text: &str) -> impl Iterator<Item = Piece<'_>> {
    let (head, tail) = if text.len() <= HEAD_BYTES_MAX + TAIL_BYTES_MAX {
        (text, None)
    } else {
        let end = floor_boundary(text, HEAD_BYTES_MAX);
        let start = floor_boundary(text, text.len() - TAIL_BYTES_MAX);
        (&text[..end], Some((start, &text[start..])))
    };
    std::iter::once((0, head)).chain(tail).map(move |(base, original)| {
        let text = plain(original);
        let folded = fold(&text);
        Piece { field, base, original, text, folded }
    })
}

/// Notebooks colour their traces: `ESC [ 31 m`.
fn plain(text: &str) -> Cow<'_, str> {
    if memchr::memchr(0x1b, text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            plain.push(c);
            continue;
        }
        plain.push(' ');
        if chars.next_if_eq(&'[').is_some() {
            plain.push(' ');
            while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {
                plain.push(' ');
            }
            if chars.next_if(|c| matches!(c, '@'..='~')).is_some() {
                plain.push(' ');
            }
        }
    }
    Cow::Owned(plain)
}

pub fn fold(text: &str) -> Vec<u8> {
    text.bytes()
        .map(|b| match b {
            b'\n' | b'\t' | b'\r' => b' ',
            b => b.to_ascii_lowercase(),
        })
        .collect()
}

/// Where a mark first stands. A message is asked for dozens of them, so this is worth more than `str::find`, which prepares a lot for little.
pub fn find(text: &str, mark: &str) -> Option<usize> {
    memmem::find(text.as_bytes(), mark.as_bytes())
}

/// Where it last stands.
pub fn rfind(text: &str, mark: &str) -> Option<usize> {
    memmem::rfind(text.as_bytes(), mark.as_bytes())
}

/// The last character boundary at or before `at`.
pub fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
