//! What stands beside a name: separators and values in the notations of logs, settings, code, markup, tables and command lines.

use super::quote::{QUOTED_BYTES_MAX, Quote, ends_value};
use super::text::{Text, is_alnum, is_blank, is_name, is_quote, is_space};
use super::wrap::{self, Break, Pieces, is_border};

/// Longest value without quotes, bytes.
const BARE_BYTES_MAX: usize = 8 << 10;
/// Pieces that a broken value may have.
const PIECES_MAX: usize = 64;
/// Values in a list that are taken one by one.
const LIST_MAX: usize = 16;

/// What joins name and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    Equals,
    Colon,
    Arrow,
    /// `("password", "x")`
    Comma,
    /// `<password>x</password>`
    Markup,
    /// `| password | x |`
    Cell,
    /// `--password x`, `password x` in a netrc
    Flag,
    /// `spark.x.password x`
    Setting,
    /// `password is x`
    Said,
    Space,
}

#[derive(Clone, Debug)]
pub struct Value {
    pub pieces: Pieces,
    pub quoted: bool,
    pub joint: Joint,
    /// A call around it, as `get("x")` or `Some(x)`; empty where there is none.
    pub call: (usize, usize),
}

/// The name at `start..end` with what is around it.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    pub start: usize,
    pub end: usize,
}

/// The values that the name announces.
pub fn values(text: Text<'_>, name: Name) -> Vec<Value> {
    let mut found = Vec::new();
    if let Some((joint, position)) = joint(text, name) {
        take(text, name, joint, position, &mut found);
        // `credentials: user / x`
        if let Some(last) = found.last().filter(|last| !last.quoted) {
            let slash = text.skip_spaces(last.pieces.end());
            if text.at(slash) == b'/' && text.at(slash + 1) == b' ' {
                take(text, name, Joint::Flag, slash + 2, &mut found);
            }
        }
        // `"old" -> "new"` of a plan: both are values.
        if let Some(last) = found.last() {
            let end = last.pieces.end();
            let after = text.skip_spaces(end + usize::from(is_quote(text.at(end))));
            if text.starts(after, "->") && !matches!(joint, Joint::Arrow) {
                take(text, name, Joint::Arrow, text.skip_spaces(after + 2), &mut found);
            }
        }
    }
    found
}

/// What joins the name to a value, and where the value starts.
fn joint(text: Text<'_>, name: Name) -> Option<(Joint, usize)> {
    let mut position = name.end;
    let mut quoted = false;
    if let Some(quote) = Quote::at(text, position) {
        quoted = true;
        position += quote.len();
        position = text.skip_max(position, 3, |b| b == b']' || b == b')');
    }
    let spaced = after_remark(text, text.skip_spaces(position));
    let in_markup = text.before(name.start) == b'<'
        || text.before(name.start) == b':'
            && text.skip_back_max(name.start, 24, |b| b != b'<') > 0
            && text.before(text.skip_back_max(name.start, 24, |b| b != b'<' && !is_blank(b))) == b'<';
    if text.at(position) == b'>' && (in_markup || quoted) {
        return Some((Joint::Markup, text.skip(position + 1, is_blank)));
    }
    if in_markup && spaced > position {
        // Attributes before the value: `<Password Type="x">`.
        let close = text.skip_max(spaced, 200, |b| b != b'>' && b != b'<' && b != b'\n');
        if text.at(close) == b'>' && text.before(close) != b'/' {
            return Some((Joint::Markup, text.skip(close + 1, is_blank)));
        }
    }
    if text.starts(position, "&gt;") && (text.ends(name.start, "&lt;") || text.before(name.start) == b':') {
        return Some((Joint::Equals, position + "&gt;".len()));
    }
    if text.starts(position, "</") {
        return hadoop_value(text, position).map(|at| (Joint::Markup, at));
    }
    if quoted && in_markup_attribute(text, spaced) {
        return described_value(text, spaced).map(|at| (Joint::Equals, at));
    }
    if let Some(after) = separator(text, spaced) {
        let joint = match text.at(spaced) {
            b':' if text.at(spaced + 1) != b'=' => Joint::Colon,
            b'-' | b'<' | b'~' => Joint::Arrow,
            _ => Joint::Equals,
        };
        let mut at = text.skip_spaces(after);
        if joint == Joint::Colon {
            at = after_type(text, at).unwrap_or(at);
        }
        return Some((joint, value_on_next_line(text, name, at).unwrap_or(at)));
    }
    if text.at(spaced) == b',' {
        if let Some(at) = quoted.then(|| described_value(text, text.skip(spaced + 1, is_blank))).flatten() {
            return Some((Joint::Equals, at));
        }
        let tuple = text.before(name.start) == b'(';
        let at = text.skip(spaced + 1, is_blank);
        return (tuple || quoted && quote_follows(text, at)).then_some((Joint::Comma, at));
    }
    if quoted && text.at(spaced) == b'{' {
        // `variable "x" { default = "…" }`
        return block_value(text, spaced + 1).map(|at| (Joint::Equals, at));
    }
    if text.at(spaced) == b'|' || is_border(text, spaced) {
        let at = text.skip_spaces(spaced + if text.at(spaced) == b'|' { 1 } else { 3 });
        return (!is_blank(text.at(at)) && at < text.len()).then_some((Joint::Cell, at));
    }
    if text.at(spaced) == b'\n' || text.at(spaced) == b'\r' {
        return name_of_a_field(text, name)
            .then(|| described_value(text, text.skip(spaced, is_blank)))
            .flatten()
            .map(|at| (Joint::Equals, at));
    }
    (spaced > position).then(|| spaced_value(text, name, quoted, spaced)).flatten()
}

/// `key (hex): x`: behind the remark, when a separator follows it.
fn after_remark(text: Text<'_>, position: usize) -> usize {
    const BYTES_MAX: usize = 24;
    if text.at(position) != b'(' {
        return position;
    }
    let close = text.skip_max(position, BYTES_MAX, |b| b != b')' && b != b'\n');
    let after = text.skip_spaces(close + 1);
    if text.at(close) == b')' && matches!(text.at(after), b':' | b'=') { after } else { position }
}

/// `=`, `:`, `:=`, `=>`, `->`, `==`, and as codes; where the value may start.
fn separator(text: Text<'_>, position: usize) -> Option<usize> {
    const WRITTEN: &[&str] = &["===", "==", "=>", "=3D", ":=", "::=", "->", "<-", "%3D", "%3A", "\\u003d", "&#61;"];
    if let Some(words) = WRITTEN.iter().copied().find(|words| text.starts_anycase(position, words)) {
        return Some(position + words.len());
    }
    if text.starts(position, "!=") || text.starts(position, "+=") || text.starts(position, "?=") || text.starts(position, "||=") {
        return Some(position + 2);
    }
    matches!(text.at(position), b'=' | b':').then_some(position + 1)
}

/// `name: str = "x"`: the value behind the type.
fn after_type(text: Text<'_>, position: usize) -> Option<usize> {
    let end = text.skip_max(position, 40, |b| is_alnum(b) || matches!(b, b'[' | b']' | b'.' | b'_' | b'?'));
    let equals = text.skip_spaces(end);
    let is_type = text.at(position).is_ascii_alphabetic() && end > position && equals > end;
    (is_type && text.at(equals) == b'=' && text.at(equals + 1) == b' ').then(|| text.skip_spaces(equals + 1))
}

/// The value of a YAML block (`password: |`), of an element, or of JSON that breaks behind the colon.
fn value_on_next_line(text: Text<'_>, name: Name, position: usize) -> Option<usize> {
    let mut at = position;
    if matches!(text.at(at), b'|' | b'>') && text.skip_max(at + 1, 2, |b| matches!(b, b'-' | b'+' | b'1'..=b'9')) > at {
        let end = text.skip_max(at + 1, 2, |b| matches!(b, b'-' | b'+' | b'1'..=b'9'));
        if text.at(end) != b'\n' {
            return None;
        }
        at = end;
    } else if text.at(at) != b'\n' {
        return None;
    }
    let value = text.skip(at, is_blank);
    let indent = |position: usize| position - text.line_start(position, QUOTED_BYTES_MAX);
    let line = text.line_start(name.start, QUOTED_BYTES_MAX);
    let deeper = indent(value) > text.skip_spaces(line) - line;
    // A deeper line without a separator of its own is the value; with one, it is a section.
    let end = text.skip_max(value, 200, |b| !is_blank(b));
    (deeper && (quote_follows(text, value) || !matches!(text.before(end), b':' | b'=') && !matches!(text.at(value), b'-' | b'{' | b'[')))
        .then_some(value)
}

fn quote_follows(text: Text<'_>, position: usize) -> bool {
    let position = if matches!(text.at(position), b'b' | b'r' | b'u' | b'f' | b'N' | b'E') { position + 1 } else { position };
    Quote::at(text, position).is_some()
}

/// `</name> <value>`: where the value starts.
fn hadoop_value(text: Text<'_>, position: usize) -> Option<usize> {
    let close = text.skip_max(position, 40, |b| b != b'>' && b != b'\n') + 1;
    let next = text.skip(close, is_blank);
    ["<value>", "<Value>", "<string>", "<val>"]
        .into_iter()
        .find(|tag| text.starts(next, tag))
        .map(|tag| text.skip(next + tag.len(), is_blank))
}

fn in_markup_attribute(text: Text<'_>, position: usize) -> bool {
    ["value", "Value", "VALUE", "val"].into_iter().any(|word| text.starts(position, word))
}

/// Is the name the value of a field `name` or `key`, as in `- name: DB_PASSWORD`?
fn name_of_a_field(text: Text<'_>, name: Name) -> bool {
    let back = text.skip_back_max(name.start, 4, |b| is_space(b) || is_quote(b));
    matches!(text.before(back), b':' | b'=')
        && ["name", "key", "Name", "Key", "variable", "parameter"]
            .iter()
            .any(|word| text.ends(text.skip_back_max(back - 1, 3, |b| is_quote(b) || is_space(b)), word))
}

/// `"value": "x"`, `value: x`, `value="x"` that follows a name: where x starts.
fn described_value(text: Text<'_>, position: usize) -> Option<usize> {
    const FIELDS: &[&str] =
        &["value", "stringvalue", "string_value", "plaintext", "plain_text", "default", "val", "v", "secretstring", "content"];
    let start = position + Quote::at(text, position).map_or(0, Quote::len);
    let end = text.skip_max(start, 24, is_name);
    let word = text.slice(start, end).to_ascii_lowercase();
    if !FIELDS.contains(&word.as_str()) {
        return None;
    }
    let after = text.skip_spaces(end + Quote::at(text, end).map_or(0, Quote::len));
    let at = separator(text, after)?;
    Some(text.skip_spaces(at))
}

/// The value of a block of settings that the name heads: within its first lines.
fn block_value(text: Text<'_>, position: usize) -> Option<usize> {
    const LINES_MAX: usize = 6;
    let mut line = text.skip(position, is_blank);
    for _ in 0..LINES_MAX {
        if text.at(line) == b'}' {
            return None;
        }
        if let Some(at) = described_value(text, line) {
            return Some(at);
        }
        line = text.skip(text.line_end(line, QUOTED_BYTES_MAX), is_blank);
    }
    None
}

/// A value with nothing but spaces before it: flags, settings, netrc, SQL, prose.
fn spaced_value(text: Text<'_>, name: Name, quoted: bool, position: usize) -> Option<(Joint, usize)> {
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
    if name_words.contains('.') && starts_line && !quoted {
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

/// Reads the value or values at `position`.
fn take(text: Text<'_>, name: Name, joint: Joint, position: usize, found: &mut Vec<Value>) {
    let mut at = position;
    let mut call = (at, at);
    // Brackets of lists and objects, and calls around the value: `["x"]`, `Some(x)`, `SecretStr('x')`, `b'x'`.
    for _ in 0..4 {
        let b = text.at(at);
        let next = text.at(at + 1);
        if matches!(b, b'[' | b'(') || b == b'{' && (is_quote(next) || next == b'\\') {
            let inner = text.skip(at + 1, is_blank);
            if !quote_follows(text, inner) {
                break;
            }
            if b != b'{' {
                list(text, name, joint, inner, found);
                return;
            }
            match described_value(text, inner) {
                Some(value) => at = value,
                None => return,
            }
            continue;
        }
        if matches!(b, b'b' | b'r' | b'u' | b'f' | b'N' | b'E') && is_quote(next) {
            at += 1;
            break;
        }
        let end = text.skip_max(at, 60, |b| is_alnum(b) || matches!(b, b'_' | b'.' | b':'));
        if end > at && text.at(end) == b'(' && text.at(at).is_ascii_alphabetic() {
            let inner = text.skip_spaces(end + 1);
            if quote_follows(text, inner)
                || matches!(text.slice(at, end), "Some" | "Success" | "Right" | "Just" | "Ok" | "Password" | "Secret")
            {
                call = (at, end);
                at = inner;
                continue;
            }
        }
        break;
    }
    if let Some(value) = one(text, name, joint, at, call) {
        found.push(value);
    }
}

/// Each quoted value of a list.
fn list(text: Text<'_>, name: Name, joint: Joint, mut position: usize, found: &mut Vec<Value>) {
    for _ in 0..LIST_MAX {
        let Some(value) = one(text, name, joint, position, (position, position)).filter(|value| value.quoted) else { return };
        let end = value.pieces.end();
        found.push(value);
        let after = text.skip(end + Quote::at(text, end).map_or(1, Quote::len), is_blank);
        if text.at(after) != b',' {
            return;
        }
        position = text.skip(after + 1, is_blank);
        if !quote_follows(text, position) {
            return;
        }
    }
}

fn one(text: Text<'_>, name: Name, joint: Joint, at: usize, call: (usize, usize)) -> Option<Value> {
    if let Some(quote) = Quote::at(text, at) {
        let start = at + quote.len();
        let pieces = match quote.close(text, start) {
            Some(close) => continued_string(text, start, close),
            None => open_string(text, start, quote)?,
        };
        return Some(Value { pieces, quoted: true, joint, call });
    }
    if at >= text.len() || is_blank(text.at(at)) {
        return None;
    }
    let end = match joint {
        _ if phrase_end(text, name, at).is_some() => phrase_end(text, name, at).unwrap_or(at),
        Joint::Markup => text.skip_max(at, BARE_BYTES_MAX, |b| b != b'<' && b != b'\n'),
        Joint::Cell => text.skip_back(text.skip_max(at, BARE_BYTES_MAX, |b| b != b'|' && b != b'\n' && b != 0xe2), is_space),
        _ => bare_end(text, name, at),
    };
    let end = text.floor(end);
    (end > at).then(|| Value { pieces: continued_bare(text, at, end), quoted: false, joint, call })
}

/// Words of a recovery phrase: eight or more small ones.
fn phrase_end(text: Text<'_>, name: Name, start: usize) -> Option<usize> {
    const WORDS_MIN: usize = 8;
    let label = text.slice(name.start, name.end).to_ascii_lowercase();
    if !label.ends_with("mnemonic") && !label.ends_with("phrase") {
        return None;
    }
    let end = text.skip_back(text.skip_max(start, 400, |b| b.is_ascii_lowercase() || b == b' '), is_space);
    (text.slice(start, end).split(' ').count() >= WORDS_MIN).then_some(end)
}

/// The end of a value without quotes.
fn bare_end(text: Text<'_>, name: Name, start: usize) -> usize {
    let lead = text.before(name.start);
    let in_query = matches!(lead, b'?' | b'&') || text.ends(name.start, "&amp;") || text.ends(name.start, "\\u0026");
    let encoded = text.ends(name.start, "%26")
        || text.ends(name.start, "%3F")
        || text.ends(name.start, "%3f")
        || text.starts(name.end, "%3D")
        || text.starts(name.end, "%3d");
    let in_list = matches!(lead, b';' | b',' | b'{');
    let tuple = lead == b'(' && text.at(name.end) == b',';
    let mut opened = 0;
    let limit = start + text.reach(BARE_BYTES_MAX);
    // `{a;b}` of ODBC: braces enclose a value with separators.
    if text.at(start) == b'{' && !matches!(text.at(start + 1), b'{' | b'"') {
        let close = text.skip_max(start, 200, |b| b != b'}' && b != b'\n' && b != b'=' && b != b'"');
        if text.at(close) == b'}' && close > start + 1 {
            return close + 1;
        }
    }
    if let Some(end) = template_end(text, start) {
        return end;
    }
    let mut position = start;
    while position < limit && position < text.len() {
        let b = text.at(position);
        let ends = match b {
            _ if is_blank(b) => true,
            b'&' => {
                in_query
                    || name_follows(text, position + 1)
                    || text.starts(position, "&amp;")
                    || text.starts(position, "&quot;")
                    || text.starts(position, "&lt;")
            }
            b'#' => in_query,
            b'%' => {
                encoded
                    && (text.starts(position, "%26")
                        || text.starts(position, "%22")
                        || text.starts(position, "%20")
                        || text.starts(position, "%3B"))
            }
            b';' => in_list || lead == b';' || ends_here(text, position + 1) || name_follows(text, position + 1),
            b',' => {
                tuple
                    || ends_here(text, position + 1)
                    || lead == b',' && name_follows(text, position + 1)
                    || name_follows(text, position + 1)
            }
            b'(' => {
                opened += 1;
                false
            }
            b')' if opened > 0 && !(tuple && ends_here(text, position + 1)) => {
                opened -= 1;
                false
            }
            b')' | b'}' | b']' => {
                let after = text.skip_max(position, 8, |b| matches!(b, b')' | b'}' | b']'));
                ends_here(text, after)
            }
            b'>' | b'|' => ends_here(text, position + 1),
            b'<' => text.at(position + 1) == b'/' || text.starts_anycase(position, "<br"),
            b'\\' => {
                matches!(text.at(position + 1), b'"' | b'\'' | b'\n' | b'n' | b'r' | b't')
                    || text.starts(position, "\\\\n")
                    || text.starts(position, "\\\\\"")
                    || text.starts(position, "\\u0026")
                    || text.starts(position, "\\u0022")
                    || text.starts(position, "\\u003c")
            }
            b'"' | b'\'' | b'`' => ends_here(text, position + 1),
            0xe2 => is_border(text, position),
            _ => false,
        };
        if ends {
            break;
        }
        position += 1;
    }
    text.spend(position - start);
    // A sentence's punctuation is not part of it.
    if position - start > 1
        && (is_blank(text.at(position)) || position >= text.len())
        && matches!(text.before(position), b':' | b',' | b';')
    {
        position -= 1;
    }
    position
}

/// `{{ … }}`, `${ … }`, `$( … )`: to the closing sign, spaces and all.
fn template_end(text: Text<'_>, start: usize) -> Option<usize> {
    const BYTES_MAX: usize = 300;
    for (open, close) in [("{{", "}}"), ("${", "}"), ("$(", ")"), ("<%", "%>"), ("((", "))")] {
        if text.starts(start, open) {
            let end = text.line_end(start, BYTES_MAX);
            return (start + open.len()..end).find(|at| text.starts(*at, close)).map(|at| at + close.len());
        }
    }
    None
}

/// May a value without quotes end before `position`?
fn ends_here(text: Text<'_>, position: usize) -> bool {
    let b = text.at(position);
    position >= text.len()
        || is_blank(b)
        || is_quote(b)
        || matches!(b, b',' | b';' | b')' | b'}' | b']' | b'>' | b'|' | b'<' | b'&')
        || b == b'\\' && matches!(text.at(position + 1), b'"' | b'n' | b'r' | b'\\')
        || is_border(text, position)
}

/// Does `name=` or `name:` start here?
fn name_follows(text: Text<'_>, position: usize) -> bool {
    let position = text.skip_max(position, 2, is_space);
    let position = position + Quote::at(text, position).map_or(0, Quote::len);
    let end = text.skip_max(position, 64, |b| is_name(b) || b == b' ');
    end > position
        && text.at(position).is_ascii_alphabetic()
        && (matches!(text.at(end), b'=' | b':')
            || Quote::at(text, end).is_some_and(|quote| matches!(text.at(end + quote.len()), b':' | b'='))
            || text.starts(end, "%3D"))
}

/// A closed string, and the strings that go on with it.
fn continued_string(text: Text<'_>, start: usize, close: usize) -> Pieces {
    let mut pieces = Pieces::one(start, close);
    let mut close = close;
    while pieces.0.len() < PIECES_MAX
        && let Some((next, Break::Said)) = wrap::next_piece(text, close)
        && is_quote(text.before(next))
        && let Some(quote) = Quote::before(text, next)
        && let Some(end) = quote.close(text, next)
        && !text.slice(next, end).contains(char::is_whitespace)
        && !matches!(text.at(text.skip_spaces(end + 1)), b':' | b'=')
    {
        pieces.0.push((next, end));
        close = end;
    }
    pieces
}

/// A string that its line does not close: up to the mark on one of the next lines, when only a broken token stands between.
fn open_string(text: Text<'_>, start: usize, quote: Quote) -> Option<Pieces> {
    let piece = |from: usize| text.skip_max(from, BARE_BYTES_MAX, |b| !is_blank(b) && b != b'|' && !is_quote(b) && b < 0x80 && b != b'\\');
    let mut pieces = Pieces::one(start, piece(start));
    while pieces.0.len() < PIECES_MAX
        && let Some((next, _)) = wrap::next_piece(text, pieces.end())
    {
        let end = piece(next);
        if end == next {
            break;
        }
        pieces.0.push((next, end));
        if Quote::at(text, end) == Some(quote) {
            return Some(pieces);
        }
    }
    // Nothing closes it: the log was cut off. What stands on its own line is the value.
    let end = pieces.0.first().map_or(start, |(_, end)| *end);
    (end > start && matches!(text.at(text.skip_spaces(end)), 0 | b'\n' | b'|' | 0xe2 | b'\r'))
        .then(|| Pieces::one(start, end))
        .or_else(|| (end > start).then(|| Pieces::one(start, end)))
}

/// A value without quotes that its line's end breaks.
fn continued_bare(text: Text<'_>, start: usize, end: usize) -> Pieces {
    let mut pieces = Pieces::one(start, end);
    while pieces.0.len() < PIECES_MAX
        && let Some((next, how)) = wrap::next_piece(text, pieces.end())
        && goes_on(text, &pieces, next, how)
    {
        let stop = text.skip_max(next, BARE_BYTES_MAX, |b| {
            !is_blank(b) && !is_quote(b) && !matches!(b, b',' | b';' | b'|' | b')' | b'}' | b'\\') && b < 0x80
        });
        if stop == next {
            break;
        }
        pieces.0.push((next, stop));
    }
    pieces
}

/// Narrowest line that a terminal or a mail breaks, columns.
const WRAP_COLUMNS_MIN: usize = 60;

/// Narrowest line that shows by its width alone that it was broken.
const FULL_COLUMNS_MIN: usize = 72;

/// Is what starts at `next` the rest of the token? It fills its line alone, or ends where a value may end, and looks like more of it.
fn goes_on(text: Text<'_>, pieces: &Pieces, next: usize, how: Break) -> bool {
    let stop = text.skip_max(next, BARE_BYTES_MAX, |b| {
        !is_blank(b) && !is_quote(b) && !matches!(b, b',' | b';' | b'|' | b')' | b'}' | b'\\') && b < 0x80
    });
    let rest = text.slice(next, stop);
    let is_pair = rest.split_once(['=', ':']).is_some_and(|(name, value)| {
        !value.trim_matches('=').is_empty()
            && name.bytes().all(is_name)
            && name.split(['.', '_', '-']).all(|part| part.len() <= 24 && part.bytes().filter(u8::is_ascii_digit).count() <= 2)
    });
    if rest.is_empty() || is_pair || rest.contains(['(', '<', '[', '{']) {
        return false;
    }
    if how == Break::Said {
        let glued = text.at(pieces.end()) == b'\\' && text.before(next) == b'\n';
        return glued || !rest.starts_with('-') && !rest.starts_with('$');
    }
    let (start, end) = pieces.0.last().copied().unwrap_or_default();
    let columns = end - text.line_start(start, QUOTED_BYTES_MAX);
    let alone = matches!(text.at(text.skip_spaces(stop)), b'\n' | b'\r' | 0) || ends_value(text, stop) && !is_space(text.at(stop));
    let mixed = rest.bytes().any(|b| b.is_ascii_digit())
        || rest.bytes().any(|b| b.is_ascii_uppercase()) && rest.bytes().any(|b| b.is_ascii_lowercase());
    // A block of YAML: each line is a piece.
    let own_line = text.skip_spaces(text.line_start(start, QUOTED_BYTES_MAX)) == start;
    if alone && mixed && own_line && end - start >= 16 && rest.len() >= 8 {
        return true;
    }
    let enough = end - start >= 16 || columns >= FULL_COLUMNS_MIN && rest.len() >= 10;
    alone && mixed && columns >= WRAP_COLUMNS_MIN && enough && !rest.contains('/') | !rest.contains('.')
}
