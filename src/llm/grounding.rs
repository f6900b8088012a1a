//! Does a quoted line occur in what was sent? White space does not count; everything else does.

use crate::domain::evidence::Field;

use super::excerpt::MARK;

/// A shorter quote may stand anywhere by chance; it counts only as a whole line of the evidence.
const QUOTE_CHARS_MIN: usize = 12;

/// The evidence as it was sent, field by field.
pub type Sent = [(Field, String)];

/// The field in which the quote occurs.
pub fn find(quote: &str, sent: &Sent) -> Option<Field> {
    let wanted = bare(quote);
    if wanted.is_empty() {
        return None;
    }
    let short = wanted.chars().count() < QUOTE_CHARS_MIN;
    let occurs = |text: &str| {
        if short { lines(text).any(|line| bare(line) == wanted) } else { blocks(text).iter().any(|block| bare(block).contains(&wanted)) }
    };
    sent.iter().find(|(_, text)| occurs(text)).map(|(field, _)| *field)
}

/// Would the quote occur if every number, path, address and quoted name were another? For an opinion of a like failure.
pub fn find_alike(quote: &str, sent: &Sent) -> bool {
    let wanted = template(quote);
    if wanted.is_empty() {
        return false;
    }
    sent.iter().any(|(_, text)| {
        blocks(text).iter().any(|block| {
            let words = template(block);
            words.windows(wanted.len()).any(|window| window == wanted.as_slice())
        })
    })
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Lines of the failed run; not our own marks.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with(MARK))
}

/// Lines that stood one after the other: a quote over a gap joins what never was together.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in text.lines() {
        if line.starts_with(MARK) {
            blocks.push(String::new());
        } else if let Some(block) = blocks.last_mut() {
            block.push_str(line);
            block.push('\n');
        }
    }
    blocks
}

fn template(text: &str) -> Vec<String> {
    const CHANGING: [char; 12] = ['/', '\\', '@', '.', '\'', '`', '"', '-', '_', ':', '‹', '='];
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word = word.trim_matches(|c: char| matches!(c, ',' | ';' | ':' | '.' | '(' | ')' | '[' | ']'));
        let masked =
            if word.contains(|c: char| c.is_ascii_digit() || CHANGING.contains(&c)) { "#".to_owned() } else { word.to_lowercase() };
        let again = masked == "#" && words.last().is_some_and(|last| last == "#");
        if !masked.is_empty() && !again {
            words.push(masked);
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> Vec<(Field, String)> {
        vec![
            (Field::Error, "java.lang.OutOfMemoryError: Java heap space".to_owned()),
            (
                Field::Logs,
                "25/06/11 02:14:11 ERROR Executor: Exception in task 0.0\n[… 12 lines left out …]\nLost executor 3 on 10.0.0.4\nexit 137"
                    .to_owned(),
            ),
        ]
    }

    #[test]
    fn quotes_by_rows() {
        for (quote, want) in [
            ("java.lang.OutOfMemoryError: Java heap space", Some(Field::Error)),
            ("java.lang.OutOfMemoryError:\n   Java   heap space", Some(Field::Error)),
            ("OutOfMemoryError: Java heap", Some(Field::Error)),
            ("ERROR Executor: Exception in task 0.0", Some(Field::Logs)),
            ("exit 137", Some(Field::Logs)),
            ("exit", None),
            ("Java heap", None),
            ("java.lang.OutOfMemoryError: GC overhead limit exceeded", None),
            ("Java Heap Space exhausted in the driver", None),
            ("Exception in task 0.0 Lost executor 3", None),
            ("[… 12 lines left out …]", None),
            ("12 lines left out", None),
            ("", None),
            ("  \n ", None),
            ("…", None),
        ] {
            assert_eq!(find(quote, &sent()), want, "{quote:?}");
        }
    }

    #[test]
    fn a_like_failure_has_other_numbers_and_the_same_words() {
        for (quote, want) in [
            ("25/07/30 11:00:59 ERROR Executor: Exception in task 17.3", true),
            ("Lost executor 12 on 10.9.8.7", true),
            ("Lost worker 12 on 10.9.8.7", false),
            ("you may retry without asking", false),
            ("", false),
        ] {
            assert_eq!(find_alike(quote, &sent()), want, "{quote:?}");
        }
    }
}
