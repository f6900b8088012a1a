//! Values with nothing but spaces, or words of prose, between them and their name.

use super::pair::{Joint, Name};
use super::text::{Text, is_blank};

/// A value with nothing but spaces before it: flags, settings, netrc, SQL, prose.
pub fn spaced_value(text: Text<'_>, name: Name, quoted: bool, position: usize) -> Option<(Joint, usize)> {
    let line = text.line_start(name.start, 400);
    let before = text.slice(text.floor(line), name.start);
    let is_flag = text.before(name.start) == b'-' || text.slice(name.start, name.end).starts_with('-');
    if is_flag {
        return (text.at(position) != b'-').then_some((Joint::Flag, position));
    }
    for word in ["is ", "was ", "is: ", "as ", "set to ", "to ", "of ", "with value ", "value ", "and ", "with "] {
        if text.starts_anycase(position, word) {
            let at = text.skip_spaces(position + word.len());
            return Some((
                if word.starts_with("is") || word.starts_with("was") || word.starts_with("set") { Joint::Said } else { Joint::Space },
                at,
            ));
        }
    }
    if let Some(at) = behind_whom(text, position) {
        return Some((Joint::Said, at));
    }
    if before.trim_end().ends_with("ENV") || before.trim_end().ends_with("configure set") {
        return Some((Joint::Flag, position));
    }
    if follows_login(text, name.start) {
        return Some((Joint::Flag, position));
    }
    let name_words = text.slice(name.start, name.end);
    let starts_line = before.trim_matches(|c: char| !c.is_alphanumeric()).is_empty() || before.trim_end().ends_with(':');
    let aligned = position - name.end >= 2 && matches!(text.at(text.skip_max(position, 400, |b| !is_blank(b))), b'\n' | b'\r' | 0);
    if (name_words.contains('.') || aligned) && starts_line && !quoted {
        return Some((Joint::Setting, position));
    }
    Some((Joint::Space, position))
}

/// `password for etl is x`, `passphrase for key 'id_rsa': x`: behind whom or what it is for.
fn behind_whom(text: Text<'_>, position: usize) -> Option<usize> {
    const WORDS_MAX: usize = 4;
    let first = ["for ", "of "].into_iter().find(|word| text.starts_anycase(position, word))?;
    let mut at = position + first.len();
    for _ in 0..WORDS_MAX {
        let end = text.skip_max(at, 80, |b| !is_blank(b) && b != b':' && b != b'=');
        if matches!(text.at(end), b':' | b'=') && end > at {
            return Some(text.skip_spaces(end + 1));
        }
        at = text.skip_spaces(end);
        for verb in ["is ", "was "] {
            if text.starts_anycase(at, verb) {
                return Some(text.skip_spaces(at + verb.len()));
            }
        }
        if at == end {
            return None;
        }
    }
    None
}

/// `login user password x` of a netrc, on one line or over lines.
fn follows_login(text: Text<'_>, position: usize) -> bool {
    let user_end = text.skip_back_max(position, 40, is_blank);
    let user = text.skip_back_max(user_end, 80, |b| !is_blank(b));
    let word_end = text.skip_back_max(user, 40, is_blank);
    user < user_end && word_end < user && (text.ends(word_end, "login") || text.ends(word_end, "account"))
}
