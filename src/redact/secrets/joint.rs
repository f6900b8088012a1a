//! What stands between a name and its value: signs, markup, tables, field names, line ends.

use super::pair::{Joint, Name};
use super::quote::{QUOTED_BYTES_MAX, Quote};
use super::spaced::spaced_value;
use super::text::{Text, is_alnum, is_blank, is_name, is_quote, is_space};
use super::wrap::is_border;

/// What joins the name to a value, and where the value starts.
pub fn joint(text: Text<'_>, name: Name) -> Option<(Joint, usize)> {
    let mut position = name.end;
    let mut quoted = false;
    position = after_leaders(text, name, position);
    let drawn_out = position >= name.end + 6 && !is_blank(text.at(position)) && !matches!(text.at(position), b':' | b'=');
    if position > name.end && text.before(position) == b'.' && (drawn_out || Quote::at(text, position).is_some()) {
        return Some((Joint::Equals, position));
    }
    if let Some(quote) = Quote::at(text, position) {
        quoted = true;
        position += quote.len();
        position = text.skip_max(position, 3, |b| b == b']' || b == b')');
    }
    // `[password] => x`
    if text.at(position) == b']' && text.before(name.start) == b'[' {
        position += 1;
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
    if quoted && spaced > position && is_attribute_of_element(text, name) {
        let close = text.skip_max(spaced, 120, |b| b != b'>' && b != b'<' && b != b'\n');
        if text.at(close) == b'>' && text.before(close) != b'/' {
            return Some((Joint::Markup, text.skip(close + 1, is_blank)));
        }
        if let Some(at) = described_later(text, spaced) {
            return Some((Joint::Equals, at));
        }
    }
    if let Some(at) = runner_command(text, name, position) {
        return Some((Joint::Equals, at));
    }
    if let Some(after) = separator(text, spaced) {
        let joint = match text.at(spaced) {
            b':' if text.at(spaced + 1) != b'=' => Joint::Colon,
            b'-' | b'<' | b'~' => Joint::Arrow,
            _ => Joint::Equals,
        };
        let at = after_closing(text, after_tag(text, text.skip_spaces(after)));
        if joint == Joint::Colon {
            // `Token::Brace` is a path.
            if text.at(after) == b':' {
                // `userPassword:: x` of a directory: in base64.
                let at = text.skip_spaces(after + 1);
                return (at > after + 1).then_some((Joint::Colon, at));
            }
            if let Some(typed) = after_type(text, at) {
                // Source code: a secret is a string there, all else is a constant.
                return quote_follows(text, typed).then_some((Joint::Equals, typed));
            }
        }
        // A dump of PHP breaks the line behind the arrow.
        if text.starts(spaced, "=>") && text.at(at) == b'\n' {
            return Some((joint, after_size(text, text.skip(at, is_blank))));
        }
        return Some((joint, value_on_next_line(text, name, at).unwrap_or(after_size(text, at))));
    }
    if text.at(spaced) == b',' {
        if let Some(at) = quoted.then(|| described_later(text, text.skip(spaced + 1, is_blank))).flatten() {
            return Some((Joint::Equals, at));
        }
        // `variable: DB_PASSWORD, value: x`
        if let Some(at) = (!quoted).then(|| described_value(text, text.skip_spaces(spaced + 1))).flatten() {
            return Some((Joint::Equals, at));
        }
        // `{password,"x"}`
        if text.before(name.start) == b'{' && !quoted && quote_follows(text, text.skip_spaces(spaced + 1)) {
            return Some((Joint::Equals, text.skip_spaces(spaced + 1)));
        }
        let at_line = !quoted && text.line_start(name.start, 4) == name.start && name.start > 0;
        let tuple = (text.before(name.start) == b'(' || at_line) && !quote_follows(text, text.skip_spaces(spaced + 1));
        let at = text.skip(spaced + 1, is_blank);
        // `a`, `b` in prose are names.
        let listed = quoted && quote_follows(text, at) && text.before(position) != b'`';
        return (tuple || listed).then_some((Joint::Comma, at));
    }
    // `(password . "x")`
    if text.at(spaced) == b'.' && text.at(spaced + 1) == b' ' && spaced > position && quote_follows(text, text.skip_spaces(spaced + 1)) {
        return Some((Joint::Equals, text.skip_spaces(spaced + 1)));
    }
    if quoted && text.at(spaced) == b'{' {
        // `variable "x" { default = "…" }`
        return block_value(text, spaced + 1).map(|at| (Joint::Equals, at));
    }
    if text.at(spaced) == b'|' || is_border(text, spaced) {
        let at = text.skip_spaces(spaced + if text.at(spaced) == b'|' { 1 } else { 3 });
        return (!is_blank(text.at(at)) && at < text.len()).then_some((Joint::Cell, at));
    }
    // `param password string = 'x'`
    if spaced > position
        && let Some(at) = after_type(text, spaced).filter(|at| quote_follows(text, *at) && text.at(spaced) != b'=')
    {
        return Some((Joint::Equals, at));
    }
    if text.at(spaced) == b'\n' || text.at(spaced) == b'\r' {
        // `Content-Disposition: form-data; name="password"`, and x behind the empty line.
        let body = text.skip_max(spaced, 4, |b| matches!(b, b'\n' | b'\r'));
        if text.ends(name.start, "form-data; name=\"") && body > spaced {
            return Some((Joint::Equals, body));
        }
        // A file of options, one a line.
        let next = text.skip_max(spaced, 2, |b| matches!(b, b'\n' | b'\r'));
        let next = if text.starts(next, "--arg\n") { next + "--arg\n".len() } else { next };
        let starts_line = text.skip_spaces(text.line_start(name.start, 80)) + 2 == name.start;
        if text.ends(name.start, "--") && starts_line && !quoted && !is_blank(text.at(next)) && text.at(next) != b'-' && next < text.len() {
            return Some((Joint::Flag, next));
        }
        return name_of_a_field(text, name)
            .then(|| described_later(text, text.skip(spaced, is_blank)))
            .flatten()
            .map(|at| (Joint::Equals, at))
            .or_else(|| numbered_item(text, name, quoted, text.skip(spaced, is_blank)));
    }
    (spaced > position).then(|| spaced_value(text, name, quoted, spaced)).flatten()
}

/// `<b>Password:</b> x`: behind the closing tag.
fn after_closing(text: Text<'_>, position: usize) -> usize {
    if !text.starts(position, "</") {
        return position;
    }
    let end = text.skip_max(position + 2, 12, is_alnum);
    if text.at(end) == b'>' { text.skip_spaces(end + 1) } else { position }
}

/// `!!str x`, `&anchor x` of YAML: behind the tag.
fn after_tag(text: Text<'_>, position: usize) -> usize {
    let is_tag = text.starts(position, "!!") || text.at(position) == b'&' && text.at(position + 1).is_ascii_alphabetic();
    if !is_tag {
        return position;
    }
    let end = text.skip_max(position + 1, 32, |b| is_alnum(b) || matches!(b, b'!' | b'_' | b'-'));
    let value = text.skip_spaces(end);
    let is_followed = value > end && !is_blank(text.at(value)) && text.at(value) != b'=' && value < text.len();
    if is_followed { value } else { position }
}

/// `string(12) "x"`: behind the type and size.
fn after_size(text: Text<'_>, position: usize) -> usize {
    if !text.starts(position, "string(") {
        return position;
    }
    let end = text.skip_max(position + "string(".len(), 6, |b| b.is_ascii_digit());
    let at = text.skip_spaces(end + 1);
    if text.at(end) == b')' && Quote::at(text, at).is_some() { at } else { position }
}

/// `name=password::x`, `variable=password;issecret=true]x`: commands to the runner of a pipeline.
fn runner_command(text: Text<'_>, name: Name, position: usize) -> Option<usize> {
    if text.ends(name.start, "name=") && text.starts(position, "::") {
        return Some(position + 2);
    }
    if text.ends(name.start, "variable=") && matches!(text.at(position), b';' | b']') {
        let close = text.skip_max(position, 80, |b| b != b']' && b != b'\n');
        return (text.at(close) == b']').then_some(close + 1);
    }
    None
}

/// `"password", "type": "string", "value": "x"`, `"password" Type="string">x`: other members or attributes stand before the value.
pub fn described_later(text: Text<'_>, position: usize) -> Option<usize> {
    const MEMBERS_MAX: usize = 4;
    let mut at = position;
    for _ in 0..MEMBERS_MAX {
        if let Some(value) = described_value(text, at) {
            return Some(value);
        }
        let start = at + Quote::at(text, at).map_or(0, Quote::len);
        let end = text.skip_max(start, 32, is_name);
        let after = text.skip_spaces(end + Quote::at(text, end).map_or(0, Quote::len));
        if end == start {
            return None;
        }
        let value = text.skip_spaces(separator(text, after)?);
        let value_end = match Quote::at(text, value) {
            Some(quote) => quote.close(text, value + quote.len())? + quote.len(),
            None => text.skip_max(value, 40, |b| is_alnum(b) || b == b'_'),
        };
        let comma = text.skip_spaces(value_end);
        at = text.skip(comma + usize::from(text.at(comma) == b','), is_blank);
    }
    None
}

/// `password......: x`, `password ........ x`: behind the dots that lead the eye; `Key 1: x`: behind the number.
fn after_leaders(text: Text<'_>, name: Name, position: usize) -> usize {
    const DOTS_MIN: usize = 3;
    let spaced = text.skip_spaces(position);
    let dots = text.skip_max(spaced, 80, |b| b == b'.');
    if dots - spaced >= DOTS_MIN && position == name.end {
        return dots;
    }
    let number = text.skip_max(spaced, 1, |b| b == b'#');
    let digits = text.skip_max(number, 2, |b| b.is_ascii_digit());
    if spaced > position && digits > number && text.at(digits) == b':' { digits } else { position }
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
    const WRITTEN: &[&str] = &["===", "==", "=>", "=3D", ":=", "::=", "->", "<-", "%3D", "%3A", "\\u003d", "&#61;", "：", "＝", "→", "⇒"];
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
    let position = if text.at(position) == b'&' { text.skip_max(position, 2, |b| b == b'&') } else { position };
    let position = if text.starts(position, "'static ") { position + "'static ".len() } else { position };
    let end = text.skip_max(position, 40, |b| is_alnum(b) || matches!(b, b'[' | b']' | b'(' | b')' | b'.' | b'_' | b'?' | b'<' | b'>'));
    let equals = text.skip_spaces(end);
    let is_type = text.at(position).is_ascii_alphabetic() && end > position && equals > end;
    (is_type && text.at(equals) == b'=' && text.at(equals + 1) == b' ').then(|| text.skip_spaces(equals + 1))
}

/// The value of a YAML block (`password: |`), of an element, or of JSON that breaks behind the colon.
fn value_on_next_line(text: Text<'_>, name: Name, position: usize) -> Option<usize> {
    let mut at = if text.starts(position, "\r\n") { position + 1 } else { position };
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

pub fn quote_follows(text: Text<'_>, position: usize) -> bool {
    let position = if matches!(text.at(position), b'b' | b'r' | b'u' | b'f' | b'N' | b'E') { position + 1 } else { position };
    Quote::at(text, position).is_some()
}

/// `</name> <value>`: where the value starts.
fn hadoop_value(text: Text<'_>, position: usize) -> Option<usize> {
    let close = text.skip_max(position, 40, |b| b != b'>' && b != b'\n') + 1;
    let next = text.skip(close, is_blank);
    ["<value>", "<Value>", "<string>", "<val>", "<td>", "<dd>"]
        .into_iter()
        .find(|tag| text.starts(next, tag))
        .map(|tag| text.skip(next + tag.len(), is_blank))
        .map(|at| if text.starts(at, "<string>") { at + "<string>".len() } else { at })
}

/// `1) "requirepass"` and `2) "x"` below it.
fn numbered_item(text: Text<'_>, name: Name, quoted: bool, next: usize) -> Option<(Joint, usize)> {
    const DIGITS_MAX: usize = 4;
    let end = text.skip_max(next, DIGITS_MAX, |b| b.is_ascii_digit());
    let item = text.skip_spaces(end + 1);
    let is_item = quoted && end > next && text.at(end) == b')' && Quote::at(text, item).is_some();
    (is_item && text.ends(name.start.saturating_sub(1), ") ")).then_some((Joint::Cell, item))
}

/// `<Setting Name="password" …`: the name is the value of an attribute.
fn is_attribute_of_element(text: Text<'_>, name: Name) -> bool {
    let open = text.skip_back_max(name.start, 120, |b| b != b'<' && b != b'>' && b != b'\n');
    text.before(open) == b'<' && text.at(open).is_ascii_alphabetic() && matches!(text.before(name.start), b'"' | b'\'')
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

/// Behind `": "`, `= `: where the value of a field that ends at `end` starts.
pub fn assigned(text: Text<'_>, end: usize) -> Option<usize> {
    let after = text.skip_spaces(end + Quote::at(text, end).map_or(0, Quote::len));
    separator(text, after).map(|at| text.skip_spaces(at))
}

/// `"value": "x"`, `value: x`, `value="x"` that follows a name: where x starts.
pub fn described_value(text: Text<'_>, position: usize) -> Option<usize> {
    const FIELDS: &[&str] =
        &["value", "stringvalue", "string_value", "plaintext", "plain_text", "default", "val", "v", "secretstring", "content"];
    let start = position + Quote::at(text, position).map_or(0, Quote::len);
    let end = text.skip_max(start, 24, is_name);
    // `cfg:value="x"`: behind the prefix of the namespace.
    let start = if text.at(end) == b':' && text.at(end + 1) == b'v' && text.before(start) != b'"' { end + 1 } else { start };
    let end = text.skip_max(start, 24, is_name);
    let word = text.slice(start, end).to_ascii_lowercase();
    if !FIELDS.contains(&word.as_str()) && !word.ends_with("parametervalue") {
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
