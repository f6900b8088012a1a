//! Strips what a terminal would obey: escape sequences, control characters, and characters that reorder or hide text.

use std::borrow::Cow;

/// Text that is safe to put on a terminal. Line feeds and tabs stay, CRLF becomes LF, a lone CR becomes LF (a log's progress bar).
/// Removed: ANSI/VT escape sequences (CSI, OSC, DCS, SOS, PM, APC, both 7- and 8-bit), other C0 and C1 controls, bidirectional
/// overrides, zero-width and other invisible format characters, tag characters and the variation selectors beside them.
pub fn strip_control(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c == '\r' || is_unsafe(c)) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_csi(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut chars),
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    clean.push('\n');
                }
            }
            c if is_unsafe(c) => {}
            c => clean.push(c),
        }
    }
    Cow::Owned(clean)
}

/// As [`strip_control`], on one line: line feeds and tabs become spaces. For names, subjects and table cells.
pub fn one_line(text: &str) -> String {
    strip_control(text).chars().map(|c| if c == '\n' || c == '\t' || c == '\u{2028}' || c == '\u{2029}' { ' ' } else { c }).collect()
}

/// JSON with each character that a terminal would obey, or not show, written as its code. In JSON they stand in strings only, so that what is
/// said stays the same; JSON itself allows most of them as they are.
pub fn plain_json(written: String) -> String {
    if !written.chars().any(is_unsafe) {
        return written;
    }
    let mut safe = String::with_capacity(written.len() + 32);
    for c in written.chars() {
        if is_unsafe(c) || matches!(c, '\u{2028}' | '\u{2029}') {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| safe.push_str(&format!("\\u{unit:04x}")));
        } else {
            safe.push(c);
        }
    }
    safe
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn skip_escape(chars: &mut Chars<'_>) {
    match chars.next_if(|c| matches!(c, ' '..='~')) {
        Some('[') => skip_csi(chars),
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(chars),
        // An nF escape: intermediates, then one final character.
        Some(' '..='/') => {
            while chars.next_if(|c| matches!(c, ' '..='/')).is_some() {}
            chars.next_if(|c| matches!(c, '0'..='~'));
        }
        _ => {}
    }
}

fn skip_csi(chars: &mut Chars<'_>) {
    while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
    chars.next_if(|c| matches!(c, '@'..='~'));
}

/// To the string terminator (ST or BEL), or to the line's end when it never comes: a cut-off sequence must not swallow the log.
fn skip_string(chars: &mut Chars<'_>) {
    while let Some(&c) = chars.peek() {
        match c {
            '\n' => return,
            '\u{7}' | '\u{9c}' => {
                chars.next();
                return;
            }
            '\u{1b}' => {
                chars.next();
                chars.next_if_eq(&'\\');
                return;
            }
            _ => {
                chars.next();
            }
        }
    }
}

pub(super) fn is_unsafe(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        c if c.is_control() => true,
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn json_says_the_same_and_shows_nothing_hidden() {
        let text = "a\u{9b}2J\u{7f}\u{202e}\u{e0041}\u{feff} é \u{1b}[31m";
        let written = plain_json(serde_json::to_string(text).unwrap());
        assert!(!written.chars().any(is_unsafe), "{written:?}");
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }

    fn check(text: &str, want: &str) {
        assert_eq!(strip_control(text), want, "{text:?}");
    }

    #[test]
    fn what_a_terminal_obeys_is_gone_and_the_words_stay() {
        check("plain\ttext\nline", "plain\ttext\nline");
        check("\u{1b}[31mred\u{1b}[0m", "red");
        check("a\u{1b}]0;title\u{7}b", "ab");
        check("a\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\b", "alinkb");
        check("a\u{9b}2Jb", "ab");
        check("a\u{1b}(Bb", "ab");
        check("cut \u{1b}]0;never ends\nnext", "cut \nnext");
        check("cut \u{1b}[", "cut ");
        check("10%\r20%\r\ndone", "10%\n20%\ndone");
        check("bell\u{7} null\0 del\u{7f}", "bell null del");
        check("ad\u{202e}min \u{200b}x\u{e0041}\u{e0162}", "admin x");
        check("Zürich 東京 ✓", "Zürich 東京 ✓");
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left(text in any::<String>()) {
            prop_assert!(!strip_control(&text).chars().any(|c| c == '\r' || is_unsafe(c)));
            prop_assert!(!one_line(&text).contains('\n'));
        }

        #[test]
        fn stripping_twice_is_stripping_once(text in any::<String>()) {
            let once = strip_control(&text).into_owned();
            prop_assert_eq!(strip_control(&once).into_owned(), once);
        }
    }
}
