//! Tables whose header names a secret: the values stand in the rows below, in the same column.

use super::pair::Name;
use super::text::{Text, is_blank, is_name, is_space};
use super::wrap::is_border;

/// Rows that are read, and the longest line, bytes.
const ROWS_MAX: usize = 1000;
const LINE_BYTES_MAX: usize = 4 << 10;

/// How the cells of a table are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Bars,
    Sign(u8),
    Spaces,
}

/// The cells below the name, if it heads a column.
pub fn cells(text: Text<'_>, name: Name) -> Vec<(usize, usize)> {
    // Most names are followed by something else than the border of a cell.
    let after = text.skip_max(name.end, 1, |b| b == b'"');
    let next = text.skip_spaces(after);
    let heads = matches!(text.at(next), b'|' | b',' | b';' | b'\t' | b'\n' | b'\r') || next - after >= 2 || is_border(text, next);
    if !heads {
        return Vec::new();
    }
    let start = text.line_start(name.start, LINE_BYTES_MAX);
    let end = text.line_end(name.end, LINE_BYTES_MAX);
    let Some((rule, header)) = header(text, start, end) else { return Vec::new() };
    let Some(column) = header.iter().position(|(from, to)| *from <= name.start && name.end <= *to) else { return Vec::new() };
    // A header is the first row: the line above is none of the same table.
    if rule != Rule::Spaces
        && let Some(above_end) = start.checked_sub(1)
    {
        let above = text.line_start(above_end, LINE_BYTES_MAX);
        let is_rule_off = text.slice(above, above_end).chars().all(|c| "+-|= :\r─┼│├┤╞╪╡═┌┐└┘┬┴".contains(c));
        let row = split(text, above, above_end, rule);
        let is_row = row.iter().all(|(from, to)| !text.slice(*from, *to).contains([' ', '"']));
        if !is_rule_off && is_row && row.len() == header.len() {
            return Vec::new();
        }
    }
    let mut found = Vec::new();
    let mut line = end + 1;
    for _ in 0..ROWS_MAX {
        if line >= text.len() {
            break;
        }
        let line_end = text.line_end(line, LINE_BYTES_MAX);
        let is_rule_off = text.slice(line, line_end).chars().all(|c| "+-|= :\r─┼│├┤╞╪╡═┌┐└┘┬┴".contains(c));
        if !is_rule_off {
            let row = split(text, line, line_end, rule);
            // A table printed with its row numbers has one cell more.
            let extra = usize::from(rule == Rule::Spaces && row.len() == header.len() + 1);
            if row.len() != header.len() + extra {
                break;
            }
            // Columns that spaces make stand below their names.
            let (name_start, name_end) = header.get(column).copied().unwrap_or((start, start));
            let is_below = |from: usize, to: usize| {
                rule != Rule::Spaces
                    || from - line == name_start - start
                    || (to - line).abs_diff(name_end - start) <= 1
                    || from - line <= name_end - start && to - line >= name_start - start
            };
            found.extend(row.get(column + extra).filter(|(from, to)| from < to && is_below(*from, *to)));
        } else if text.slice(line, line_end).trim().is_empty() {
            break;
        }
        line = line_end + 1;
    }
    found
}

/// The cells of the line, if each is a name.
fn header(text: Text<'_>, start: usize, end: usize) -> Option<(Rule, Vec<(usize, usize)>)> {
    let line = text.slice(start, end);
    let rules: &[Rule] =
        if line.contains(['|', '│']) { &[Rule::Bars] } else { &[Rule::Sign(b','), Rule::Sign(b';'), Rule::Sign(b'\t'), Rule::Spaces] };
    rules.iter().find_map(|rule| {
        let cells = split(text, start, end, *rule);
        let all_names = cells.iter().all(|(from, to)| {
            let cell = text.slice(*from, *to);
            !cell.is_empty()
                && cell.len() <= 64
                && cell.bytes().all(|b| is_name(b) || b == b' ' && *rule == Rule::Bars)
                && !cell.starts_with(|c: char| c.is_ascii_digit())
        });
        // Spaces alone make prose; a table is aligned by two or more of them.
        let aligned = *rule != Rule::Spaces || line.trim().contains("  ") && !line.bytes().any(|b| b.is_ascii_digit());
        (cells.len() >= 2 && all_names && aligned).then_some((*rule, cells))
    })
}

fn split(text: Text<'_>, start: usize, end: usize, rule: Rule) -> Vec<(usize, usize)> {
    let mut cells = Vec::new();
    match rule {
        Rule::Spaces => {
            let mut position = text.skip_spaces(start);
            while position < end {
                let stop = text.skip_max(position, end - position, |b| !is_blank(b));
                cells.push((position, stop));
                position = text.skip_spaces(stop).max(stop + 1);
            }
        }
        Rule::Bars => {
            let mut from = start;
            let mut position = start;
            while position <= end {
                let width = if position == end || text.at(position) == b'|' {
                    1
                } else if is_border(text, position) {
                    3
                } else {
                    0
                };
                if width == 0 {
                    position += 1;
                    continue;
                }
                cells.push(trim(text, from, position));
                position += width;
                from = position;
            }
            // The bars at both ends enclose nothing.
            if cells.first().is_some_and(|(from, to)| from == to) {
                cells.remove(0);
            }
            if cells.last().is_some_and(|(from, to)| from == to) {
                cells.pop();
            }
        }
        Rule::Sign(sign) => {
            let mut from = start;
            for position in start..=end {
                if position == end || text.at(position) == sign {
                    cells.push(trim(text, from, position));
                    from = position + 1;
                }
            }
        }
    }
    cells
}

/// Without spaces and quotes around it.
fn trim(text: Text<'_>, from: usize, to: usize) -> (usize, usize) {
    let around: fn(u8) -> bool = |b| is_space(b) || b == b'"' || b == b'\r';
    let start = text.skip_max(from, to - from, around);
    let end = start + (text.skip_back_max(to, to - start, around) - start);
    (start, end)
}
