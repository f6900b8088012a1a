//! Texts within a text: base64 that holds words, as of a key file's JSON, a configuration or `user:password`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::text::{Text, is_alnum, is_base64};

/// Shortest base64 that is looked into, and how much of a longer one, bytes.
const LENGTH_MIN: usize = 32;
const LENGTH_MAX: usize = 16 << 10;

/// Where base64 of a text stands, and that text.
pub fn texts(text: Text<'_>) -> Vec<(usize, usize, String)> {
    let bytes = text.bytes();
    let mut found = Vec::new();
    let mut position = 0;
    while position < bytes.len() {
        // Text in base64 starts with a letter or digit of these: the first byte is one of ASCII.
        if !is_alnum(text.at(position)) {
            position += 1;
            continue;
        }
        let end = text.skip(position, is_base64);
        if end - position >= LENGTH_MIN
            && starts_text(text, position)
            && let Some(words) = decoded(text.slice(position, end))
        {
            found.push((position, end, words));
        }
        position = end;
    }
    found
}

/// Do the first characters hold nothing but letters and signs? One look that most names and paths do not pass.
fn starts_text(text: Text<'_>, position: usize) -> bool {
    const CHARACTERS: usize = 12;
    let start = text.slice(position, position + CHARACTERS);
    STANDARD_NO_PAD.decode(start).is_ok_and(|bytes| bytes.iter().all(|b| is_written(*b)))
}

fn is_written(b: u8) -> bool {
    matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t')
}

/// The text that base64 in either alphabet holds; nothing where it holds other bytes.
pub fn decoded(words: &str) -> Option<String> {
    let bare = words.trim_end_matches('=');
    let whole = bare.len().min(LENGTH_MAX);
    let whole = if bare.len() > whole || bare.len() % 4 == 1 { whole / 4 * 4 } else { whole };
    let bare = bare.get(..whole)?;
    let bytes = if bare.contains(['-', '_']) { URL_SAFE_NO_PAD.decode(bare) } else { STANDARD_NO_PAD.decode(bare) }.ok()?;
    let words = String::from_utf8(bytes).ok()?;
    words.bytes().all(|b| is_written(b) || b >= 0x80).then_some(words)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::super::text::Work;
    use super::*;

    #[test]
    fn only_words_are_looked_into() {
        let json = STANDARD.encode(r#"{"type": "service_account", "id": "x"}"#);
        for (text, want) in [(format!("a {json} b"), 1), ("org/apache/spark/sql/catalyst/expressions/Expr".to_owned(), 0)] {
            let work = Work::default();
            assert_eq!(texts(Text::new(&text, &work)).len(), want, "{text}");
        }
    }
}
