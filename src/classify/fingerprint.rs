//! A stable name for an error's template: tomorrow's failure of the same kind, in another job, at another time, has the same one.
//!
//! Here is chosen which of the texts names the failure: the condition it carries, else the words that decided the verdict, else the root of
//! the chain. What lies around (stages, wrappers, log heads) does not count. `naming` makes the name.

use sha2::{Digest, Sha256};

use crate::domain::cause::Cause;
use crate::domain::evidence::Field;
use crate::domain::ids::Fingerprint;

use super::naming::{self, HINTS};
use super::reading::{Kind, Page, Segment};
use super::signal::{Place, Signal, Source};
use super::table::Tables;
use super::template;
use super::verdict::Verdict;

/// An exception is known again in another field by so much of it.
const HEAD_BYTES: usize = 80;
/// A condition at least so strong names the failure by itself; a weaker one only carries another error.
const NAMES_ITSELF: f32 = 45.0;

/// The condition that names the failure, or its exception and message; without either, the first words.
pub fn of(tables: &Tables, pages: &[Page<'_>], signals: &[Signal], verdict: &Verdict) -> Fingerprint {
    let because = || verdict.because.iter().filter_map(|i| signals.get(*i));
    let named = because().take_while(|signal| signal.strength >= NAMES_ITSELF).find_map(|signal| {
        let bracketed = signal.place.is_some_and(|place| {
            pages.get(place.page).is_some_and(|page| place.start > 0 && page.piece.folded.get(place.start - 1) == Some(&b'['))
        });
        match &signal.source {
            // An API's code (`PERMISSION_DENIED: …`) names a kind of answer; what was refused stands in the message.
            Source::Condition(name) if bracketed && !carries(name) => Some(name.as_str()),
            _ => None,
        }
    });
    if let Some(name) = named {
        return of_name(name);
    }
    let decisive = because().find(|signal| signal.place.is_some_and(|place| tells(pages, verdict.cause, place)));
    let place = decisive.and_then(|signal| signal.place);
    let chosen = place
        .and_then(|place| pages.get(place.page).and_then(|page| page.segments.get(place.segment).map(|segment| (page, segment))))
        .or_else(|| pages.first().and_then(|page| page.segments.first().map(|segment| (page, segment))));
    let Some(chosen) = chosen else { return of_message("", "", None) };
    let words = place.and_then(|place| pages.get(place.page)?.piece.text.get(place.start..place.end)).unwrap_or_default();
    // Where nothing was decisive, and of an exception that nobody knows, what it was raised for counts.
    let unknown = decisive.is_none_or(|signal| signal.source == Source::Exception);
    let carries = unknown || carries(words.trim_matches(['[', ']'])) || words.starts_with(PY4J);
    let beneath = if carries { root(pages, chosen) } else { None };
    let place = if beneath.is_some() { None } else { place };
    let (page, segment) = beneath.unwrap_or(chosen);
    let class = class(page, segment);
    if tables.is_condition_class(&naming::normal(class)) {
        return of_name(class);
    }
    let start = if class.is_empty() { segment.start } else { segment.class.1 };
    let at = place.and_then(|place| Some((place.start.checked_sub(start)?, place.end.checked_sub(start)?)));
    let message = page.piece.text.get(start..segment.end).unwrap_or_default();
    match naming::is_anybodys(class) {
        true => {
            hash(&format!("{}@{}", naming::named(class, message, at), pages.iter().find_map(|page| frame(page, class)).unwrap_or_default()))
        }
        false => of_message(class, message, at),
    }
}

/// A state message without a cause (`Workload failed, see run output`) tells nothing beside the error itself.
fn tells(pages: &[Page<'_>], cause: Cause, place: Place) -> bool {
    let told = |page: &Page<'_>| page.piece.field == Field::Error;
    cause != Cause::Unknown || pages.get(place.page).is_some_and(|page| told(page) || !pages.iter().any(told))
}

/// What lies at the bottom of a chain in which the carrier stands; `None` where nothing is beneath it.
fn root<'p, 'a>(pages: &'p [Page<'a>], carrier: (&Page<'a>, &Segment)) -> Option<(&'p Page<'a>, &'p Segment)> {
    let head = head(carrier.0, carrier.1);
    pages.iter().filter(|page| page.piece.field != Field::Logs).find_map(|page| {
        let messages = || page.segments.iter().filter(|segment| segment.kind == Kind::Message);
        let depth = messages().find(|segment| self::head(page, segment) == head)?.depth;
        let deepest = messages().rev().max_by_key(|segment| segment.depth)?;
        (deepest.depth > depth).then_some((page, deepest))
    })
}

/// By which the same exception is known again in another field.
fn head<'p>(page: &'p Page<'_>, segment: &Segment) -> &'p str {
    template::head(page.piece.text.get(segment.class.0..segment.end).unwrap_or_default(), HEAD_BYTES)
}

/// Where an exception of this class was raised: the first method of a program or library in its frames, without what a compiler numbers.
fn frame<'p>(page: &'p Page<'_>, class: &str) -> Option<&'p str> {
    // An outer exception may quote it: the innermost has its own frames.
    let raised = page.segments.iter().rev().filter(|segment| segment.kind == Kind::Message && self::class(page, segment) == class);
    raised.filter_map(|segment| page.segments.iter().find(|next| next.start >= segment.end)).find_map(|next| {
        let frames = template::head(page.piece.text.get(next.start..next.end)?, FRAMES_BYTES_MAX).lines();
        let mut methods = frames.filter_map(|line| line.trim_start().strip_prefix("at ")?.split(['(', '$']).next());
        methods.find(|method| !LANGUAGE.iter().any(|package| method.starts_with(package)))
    })
}

const FRAMES_BYTES_MAX: usize = 2000;
/// Frames of the languages themselves.
const LANGUAGE: [&str; 6] = ["java.", "java.base/", "jdk.", "scala.", "kotlin.", "sun."];

fn class<'p>(page: &'p Page<'_>, segment: &Segment) -> &'p str {
    page.piece.text.get(segment.class.0..segment.class.1).unwrap_or_default()
}

/// The name of a condition, or of the exception that stands for it.
fn of_name(name: &str) -> Fingerprint {
    hash(&naming::normal(name))
}

/// `at`: where in the message the words stand that decided, if any did.
fn of_message(class: &str, message: &str, at: Option<(usize, usize)>) -> Fingerprint {
    hash(&naming::named(class, message, at))
}

/// Carriers of another error: what they carry names the failure.
fn carries(condition: &str) -> bool {
    CARRIERS.iter().any(|carrier| {
        condition.strip_prefix(carrier).is_some_and(|rest| rest.is_empty() || HINTS.contains(&rest) || carrier.ends_with('_'))
    })
}

/// How Python tells that an exception came from the JVM.
const PY4J: &str = "An error occurred while calling";

const CARRIERS: [&str; 17] = [
    "FAILED_READ_FILE",
    "TASK_WRITE_FAILED",
    "FAILED_EXECUTE_UDF",
    "FAILED_FUNCTION_CALL",
    "STREAM_FAILED",
    // Cancelled by whom?
    "SPARK_JOB_CANCELLED",
    "FOREACH_BATCH_USER_FUNCTION_ERROR",
    "INTERNAL_ERROR",
    "INTERNAL_ERROR_",
    "JAVA_GATEWAY_EXITED",
    "USER_RAISED_EXCEPTION",
    "INSUFFICIENT_PERMISSIONS",
    "PERMISSION_DENIED",
    "UC_COMMAND_NOT_SUPPORTED",
    "NOT_SUPPORTED_WITH_SERVERLESS",
    "UNSUPPORTED_FEATURE",
    "UNCLASSIFIED_ERROR",
];

fn hash(text: &str) -> Fingerprint {
    let digest = Sha256::digest(text.as_bytes());
    let halves = digest.iter().take(6).flat_map(|byte| [byte >> 4, byte & 15]);
    Fingerprint(halves.filter_map(|half| char::from_digit(u32::from(half), 16)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carrier_names_nothing_but_its_sub_conditions_do() {
        for (name, want) in [
            ("FAILED_READ_FILE", true),
            ("FAILED_READ_FILE.NO_HINT", true),
            ("FAILED_READ_FILE.FILE_NOT_EXIST", false),
            ("INTERNAL_ERROR_NETWORK", true),
            ("UNRESOLVED_COLUMN.WITH_SUGGESTION", false),
        ] {
            assert_eq!(carries(name), want, "{name}");
        }
    }
}
