//! A stranger's sentence made inert: what a model, and through it a log, can write into a mail or onto a screen.

use std::sync::LazyLock;

use regex::Regex;

use super::control::one_line;

/// Characters that show nothing and can carry words past a reader: variation selectors, fillers, joiners.
pub fn invisible(c: char) -> bool {
    matches!(c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A model's sentence made inert: one line, no control or invisible characters, no links, no tags or mentions, bounded.
pub fn prose(text: &str, chars_max: usize) -> String {
    // Schemes that a mail client or chat opens; `s3://` and `abfss://` only name a place.
    static LINK: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)(?:\b(?:https?|ftp|file)://|\bwww\.|\b(?:mailto|javascript|vbscript|tel):|\bdata:\w+/)[^\s)\]>]*").ok()
    });
    let clean: String = one_line(text).chars().filter(|c| !invisible(*c)).collect();
    let clean = match LINK.as_ref() {
        Some(link) => link.replace_all(&clean, "(link removed)").into_owned(),
        None => clean,
    };
    // Angle brackets make tags in mails and mentions in chats; these only look alike.
    let clean: Vec<String> = clean.split_whitespace().map(|word| word.replace('<', "‹").replace('>', "›")).collect();
    let clean = clean.join(" ");
    if clean.chars().count() <= chars_max {
        return clean;
    }
    let mut cut: String = clean.chars().take(chars_max.saturating_sub(1)).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_sentences_are_inert() {
        for (text, want) in [
            ("see [docs](https://collect.example.net/?q=1) now", "see [docs]((link removed)) now"),
            ("![x](HTTPS://evil.example.net/a.png)", "![x]((link removed))"),
            ("<a href=\"javascript:alert(1)\">x</a>", "‹a href=\"(link removed))\"›x‹/a›"),
            ("<!channel> <@U0123> <script>", "‹!channel› ‹@U0123› ‹script›"),
            ("bell\u{7} \u{1b}[2Jred \u{202e}rtl \u{e0041}x", "bell red rtl x"),
            ("two\nlines\r\nBcc: x", "two lines Bcc: x"),
            ("reads s3://bucket/path and abfss://c@a/x", "reads s3://bucket/path and abfss://c@a/x"),
        ] {
            assert_eq!(prose(text, 200), want, "{text:?}");
        }
    }
}
