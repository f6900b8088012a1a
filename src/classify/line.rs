//! What a line of an error text is: an exception's head, a stack frame, source code, a log line, or plain words.

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Error,
    Warn,
    Quiet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    Blank,
    /// A frame of a JVM, .NET or Python trace, or what stands for left-out ones.
    Frame,
    /// A line of somebody's program, printed in a trace.
    Source,
    /// `Traceback (most recent call last)`: frames follow, the exception comes after them.
    Traceback,
    /// `During handling of the above exception …`: what follows came of what stands above.
    Consequence,
    /// `Caused by: …`; the head starts at this offset in the line.
    CausedBy(usize),
    /// `some.pack.Class: message`; the class name is `start..end` in the line.
    Head(usize, usize),
    Log(Level),
    Text,
}

/// `in_trace`: between `Traceback` and its exception, where indented and numbered lines are source.
pub fn read(line: &str, in_trace: bool) -> Line {
    // Nearly every indent is of blanks and tabs: bytes, not characters.
    let blanks = line.bytes().take_while(|b| matches!(b, b' ' | b'\t')).count();
    let trimmed = line[blanks..].trim_start();
    let indent = line.len() - trimmed.len();
    // Every line of every text comes by here: its first byte rules out most of what it might be.
    let Some(first) = trimmed.bytes().next() else { return Line::Blank };
    if is_frame(trimmed, first) {
        return Line::Frame;
    }
    if is_traceback(trimmed) {
        return Line::Traceback;
    }
    let consequence = match first {
        b'D' => trimmed.starts_with("During handling of the above exception"),
        b'T' => trimmed.starts_with("The above exception was the direct cause"),
        _ => false,
    };
    if consequence {
        return Line::Consequence;
    }
    if let Some(at) = caused_by(trimmed, first) {
        return Line::CausedBy(indent + at);
    }
    if trimmed.starts_with("---------") || trimmed.bytes().all(|b| matches!(b, b'^' | b'~' | b' ' | b'-' | b'|')) {
        return Line::Source;
    }
    if in_trace && is_source(line, trimmed, indent) {
        return Line::Source;
    }
    if let Some((start, end)) = head(trimmed, first) {
        return Line::Head(indent + start, indent + end);
    }
    match level(trimmed, first) {
        Some(level) => Line::Log(level),
        None => Line::Text,
    }
}

/// `Traceback (most recent call last):`, alone, behind an exception's name (notebooks) or in a drawn frame (rich).
fn is_traceback(trimmed: &str) -> bool {
    let plain_end = trimmed.bytes().next_back().is_some_and(|b| b.is_ascii_alphanumeric());
    !plain_end && trimmed.trim_end().trim_end_matches(':').ends_with("(most recent call last)")
        || !trimmed.is_ascii() && trimmed.contains("Traceback (most recent call last)")
}

fn is_frame(trimmed: &str, first: u8) -> bool {
    match first {
        b'a' => trimmed.strip_prefix("at ").is_some_and(|rest| {
            let name = &rest[..memchr::memchr2(b'(', b' ', rest.as_bytes()).unwrap_or(rest.len())];
            let dots = memchr::memchr_iter(b'.', name.as_bytes()).take(2).count();
            dots >= 2 || dots == 1 && rest.contains('(')
        }),
        b'.' => match trimmed.strip_prefix("... ") {
            Some(rest) => rest.contains("more") || rest.contains("omitted"),
            None => trimmed.trim_end() == "...",
        },
        b'F' => trimmed.strip_prefix("File ").is_some_and(|rest| {
            rest.contains(", line ") || rest.contains(", in ") || rest.contains("<command-") || rest.contains(":<line")
        }),
        b'D' => trimmed.trim_end() == "Driver stacktrace:",
        b'(' => trimmed.trim_end() == "(...)",
        b'[' => trimmed.starts_with("[Previous line repeated"),
        // Notebook frames of older runtimes: `/databricks/x.py in name(args)`, `<command-1> in <module>`.
        b'/' => is_notebook_frame(trimmed),
        b'<' => (trimmed.starts_with("<command-") || trimmed.starts_with("<ipython-")) && is_notebook_frame(trimmed),
        _ => false,
    }
}

fn is_notebook_frame(trimmed: &str) -> bool {
    trimmed.contains(" in ") && (trimmed.contains(".py in ") || trimmed.contains(".pyx in ") || trimmed.contains("> in "))
}

/// A line of code within a traceback: indented, numbered, or marked with an arrow.
fn is_source(line: &str, trimmed: &str, indent: usize) -> bool {
    if line.starts_with("--") && trimmed.trim_start_matches('-').starts_with('>') {
        return true;
    }
    if trimmed.starts_with("->") || trimmed.starts_with("--->") {
        return true;
    }
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 {
        // ` 12 code`, `12     code`; but not `404 Client Error`, nor a date.
        let after = trimmed.as_bytes().get(digits);
        return (after.is_none() || after == Some(&b' '))
            && digits <= 5
            && (indent > 0 || trimmed[digits..].starts_with("  ") || digits < 3);
    }
    indent >= 2
}

fn caused_by(trimmed: &str, first: u8) -> Option<usize> {
    if !matches!(first, b'C' | b'c' | b'S') {
        return None;
    }
    for mark in ["Caused by:", "caused by:", "Suppressed:"] {
        if let Some(rest) = trimmed.strip_prefix(mark) {
            return Some(mark.len() + rest.len() - rest.trim_start().len());
        }
    }
    None
}

/// The class name at the head of an exception line, after the marks that tools put before it.
fn head(trimmed: &str, first: u8) -> Option<(usize, usize)> {
    let mut at = 0;
    if !matches!(first, b':' | b'[') && !first.is_ascii_alphabetic() {
        return None;
    }
    for mark in ["Exception in thread ", "ERROR: ", "Error: ", "error: ", "[error] ", "[Error] ", ": ", "E   ", "Failed: ", "Reason: "] {
        if trimmed.as_bytes().get(at) == mark.as_bytes().first()
            && let Some(rest) = trimmed[at..].strip_prefix(mark)
        {
            at = trimmed.len() - rest.len();
            if mark == "Exception in thread "
                && let Some(quote) = rest.strip_prefix('"').and_then(|rest| rest.find("\" "))
            {
                at += quote + 3;
            }
        }
    }
    let rest = &trimmed[at..];
    let length = class_length(rest)?;
    let name = &rest[..length];
    let after = rest[length..].trim_start_matches('$');
    let ends = after.is_empty() || after.starts_with(':') || after.starts_with('(') || after.starts_with(" (");
    (ends && is_exception_name(name)).then_some((at, at + length))
}

/// Length of the dotted identifier at the start.
pub fn class_length(text: &str) -> Option<usize> {
    let length = text.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'$')).count();
    let name = text[..length].trim_end_matches('.');
    name.bytes().next().filter(u8::is_ascii_alphabetic)?;
    Some(name.len())
}

/// Does the name read like an exception's: `java.io.IOException`, `KeyError`, `KeyboardInterrupt`, `databricks.sdk.errors.platform.NotFound`?
pub fn is_exception_name(name: &str) -> bool {
    let simple = &name[memchr::memrchr2(b'.', b'$', name.as_bytes()).map_or(0, |at| at + 1)..];
    if simple.len() < 4 || !simple.bytes().next().is_some_and(|b| b.is_ascii_uppercase()) {
        return false;
    }
    const ENDS: [&str; 12] = [
        "Exception",
        "Error",
        "Failure",
        "Fault",
        "Interrupt",
        "Exit",
        "Throwable",
        "Warning",
        "Timeout",
        "Canceled",
        "Cancelled",
        "Exceeded",
    ];
    let last = simple.as_bytes().last();
    ENDS.iter().any(|end| end.as_bytes().last() == last && simple.ends_with(end)) && simple != "Error" && simple != "Warning"
        || name.contains(".errors.")
        || name.contains(".exceptions.")
        || name.contains(".exc.")
        || simple.starts_with("Err") && name.contains('.')
}

/// A log line's level, from its first words.
fn level(trimmed: &str, first: u8) -> Option<Level> {
    if !(first.is_ascii_digit() || first == b'[' || first.is_ascii_uppercase()) {
        return None;
    }
    // A level without a time before it is a log line only when it opens the line.
    let dated = first.is_ascii_digit() || first == b'[';
    if !dated && !["ERROR", "FATAL", "CRITICAL", "SEVERE", "WARN", "INFO", "DEBUG", "TRACE"].iter().any(|word| trimmed.starts_with(word)) {
        return None;
    }
    let mut end = trimmed.len().min(80);
    while !trimmed.is_char_boundary(end) {
        end -= 1;
    }
    let start = &trimmed[..end];
    let dated = first == b'[' || dated && start.contains(':');
    for (at, word) in words(start) {
        let level = match word {
            "ERROR" | "FATAL" | "CRITICAL" | "SEVERE" | "error" => Level::Error,
            "WARN" | "WARNING" | "warning" => Level::Warn,
            "INFO" | "DEBUG" | "TRACE" | "info" | "debug" => Level::Quiet,
            _ => continue,
        };
        let small = word.starts_with(|c: char| c.is_ascii_lowercase());
        let ends = start[at + word.len()..].chars().next();
        if at == 0 && matches!(ends, Some(' ' | ':')) || at > 0 && at < 60 && dated && (!small || ends == Some(']')) {
            return Some(level);
        }
    }
    None
}

/// Runs of letters with their offsets.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        at += bytes[at..].iter().take_while(|b| !b.is_ascii_alphabetic()).count();
        let start = at;
        at += bytes[at..].iter().take_while(|b| b.is_ascii_alphabetic()).count();
        (at > start).then(|| (start, &text[start..at]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, in_trace: bool, want: Line) {
        assert_eq!(read(line, in_trace), want, "{line:?}");
    }

    #[test]
    fn lines_are_read_for_what_they_are() {
        check("\tat org.apache.spark.rdd.RDD.map(RDD.scala:10)", false, Line::Frame);
        check("\t... 23 more", false, Line::Frame);
        check("  File \"/x/y.py\", line 3, in f", true, Line::Frame);
        check("File <command-12>, line 2", true, Line::Frame);
        check("/databricks/spark/python/pyspark/cloudpickle.py in save_function(self, obj, name)", true, Line::Frame);
        check("    return f(x)", true, Line::Source);
        check("---> 14 raise ValueError('x')", true, Line::Source);
        check("     12 try:", true, Line::Source);
        check("Traceback (most recent call last):", false, Line::Traceback);
        check("Caused by: java.io.IOException: x", false, Line::CausedBy(11));
        check("java.io.IOException: disk", false, Line::Head(0, 19));
        check("Exception in thread \"main\" java.lang.Foo: y", false, Line::Text);
        check("Exception in thread \"main\" java.lang.FooError: y", false, Line::Head(27, 45));
        check(": org.apache.spark.SparkException: x", false, Line::Head(2, 33));
        check("KeyError: 'x'", true, Line::Head(0, 8));
        check("404 Client Error: Not Found", true, Line::Text);
        check("26/11/23 07:27:37 WARN Master: Got", false, Line::Log(Level::Warn));
        check("[2022-08-23, 00:46:41 UTC] {x.py:1} ERROR - no", false, Line::Log(Level::Error));
        check("plain words", false, Line::Text);
    }
}
