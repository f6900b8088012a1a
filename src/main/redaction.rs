//! `redact`: text, or JSON Lines with `id` and `text`, without secrets.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use runmend::redact::control::plain_json;
use runmend::redact::secrets::{Options, Personal, Redactor};

use crate::arguments::RedactArguments;
use crate::fault::{Exit, Fault};

/// Largest plain text, bytes: a driver's whole log is a few hundred MB at most, and all of it is one text, as a secret without its label is
/// known by its labelled twin elsewhere.
const TEXT_BYTES_MAX: u64 = 1 << 30;
/// Longest JSON line, bytes.
const LINE_BYTES_MAX: u64 = 256 << 20;

/// A line of the input. The id is passed through as it is.
#[derive(Deserialize)]
struct Given {
    id: serde_json::Value,
    text: String,
}

#[derive(Serialize)]
struct Taken<'a> {
    id: &'a serde_json::Value,
    text: &'a str,
    found: &'a std::collections::BTreeMap<String, usize>,
}

pub fn run(arguments: &RedactArguments) -> Result<Exit, Fault> {
    let asked = |on: bool| if on { Personal::Redact } else { Personal::Keep };
    let redactor = Redactor::new(Options { emails: asked(arguments.emails), addresses: asked(arguments.ips) });
    let file = arguments.file.as_deref().filter(|path| *path != Path::new("-"));
    let input: Box<dyn BufRead> = match file {
        Some(path) => Box::new(BufReader::new(File::open(path).map_err(|error| Fault::unreadable(path, &error))?)),
        None => {
            if io::stdin().is_terminal() {
                eprintln!("reading text from the keyboard; Ctrl-D ends it");
            }
            Box::new(BufReader::new(io::stdin()))
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let done = if arguments.jsonl { lines(&redactor, input, &mut out) } else { whole(&redactor, input, &mut out) };
    let done = done.and_then(|exit| out.flush().map_err(Trouble::Write).map(|()| exit));
    match done {
        Ok(exit) => Ok(exit),
        // Whoever read our output has seen enough.
        Err(Trouble::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(Trouble::Write(error)) => {
            Err(Fault::usage(format!("cannot write: {error}"), "check where the output goes").at("standard output"))
        }
        Err(Trouble::Read(error)) => Err(Fault::unreadable(file.unwrap_or(Path::new("standard input")), &error)),
    }
}

enum Trouble {
    Read(io::Error),
    Write(io::Error),
}

/// Plain text in, plain text out. Bytes that are no UTF-8 become U+FFFD.
fn whole(redactor: &Redactor, mut input: impl BufRead, out: &mut impl Write) -> Result<Exit, Trouble> {
    let mut bytes = Vec::new();
    let read = input.by_ref().take(TEXT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(Trouble::Read)?;
    if read as u64 > TEXT_BYTES_MAX {
        return Err(Trouble::Read(io::Error::other(format!("it is larger than {} MiB: split it", TEXT_BYTES_MAX >> 20))));
    }
    out.write_all(redactor.redact(&String::from_utf8_lossy(&bytes)).text.as_bytes()).map_err(Trouble::Write)?;
    Ok(Exit::Done)
}

/// One object a line, answered in order; a line that is none is answered with its number and why.
fn lines(redactor: &Redactor, mut input: impl BufRead, out: &mut impl Write) -> Result<Exit, Trouble> {
    let mut exit = Exit::Done;
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        if input.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut line).map_err(Trouble::Read)? == 0 {
            break;
        }
        if line.len() as u64 > LINE_BYTES_MAX {
            return Err(Trouble::Read(io::Error::other(format!("line {number} is longer than {} MiB", LINE_BYTES_MAX >> 20))));
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = match serde_json::from_slice::<Given>(&line) {
            Ok(given) => {
                let redacted = redactor.redact(&given.text);
                serde_json::to_string(&Taken { id: &given.id, text: &redacted.text, found: &redacted.found }).map(plain_json)
            }
            Err(error) => {
                exit = Exit::Found;
                // The parser's words may quote the line, and the line may hold a secret.
                let why = redactor.redact(&error.to_string()).text;
                serde_json::to_string(&serde_json::json!({ "line": number, "error": why }))
            }
        };
        // A program that asks and waits gets its answer at once.
        writeln!(out, "{}", answer.unwrap_or_default()).and_then(|()| out.flush()).map_err(Trouble::Write)?;
    }
    Ok(exit)
}
