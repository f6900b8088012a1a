//! How states, times and counts read on the screen.

use jiff::tz::TimeZone;

use crate::domain::Timestamp;
use crate::domain::action::Action;
use crate::domain::decision::{Authority, SuccessProbability};
use crate::domain::incident::{Asking, Ending, Incident, PlannedCall, State};

use super::theme::Meaning;

/// One character per state; with the word and the colour it says the same thing three times.
pub fn glyph(state: State) -> &'static str {
    match state {
        State::Detected | State::Collecting | State::Analysed => ".",
        State::Decided => "=",
        State::Scheduled => "@",
        State::AwaitingApproval => "?",
        State::Acting => ">",
        State::Watching => "~",
        State::WithPeople => "!",
        State::Closed(Ending::Mended) => "+",
        State::Closed(Ending::Handled | Ending::Ignored | Ending::Superseded) => "-",
    }
}

pub fn meaning(state: State) -> Meaning {
    match state {
        State::Detected | State::Collecting | State::Analysed | State::Scheduled | State::Acting | State::Watching => Meaning::Busy,
        State::Decided => Meaning::Base,
        State::AwaitingApproval => Meaning::Waiting,
        State::WithPeople => Meaning::Danger,
        State::Closed(Ending::Mended) => Meaning::Ok,
        State::Closed(Ending::Handled | Ending::Ignored | Ending::Superseded) => Meaning::Muted,
    }
}

/// Seconds from `then` to `now`, never negative: two machines' clocks may differ.
pub fn since(now: Timestamp, then: Timestamp) -> u64 {
    u64::try_from(now.duration_since(then).as_secs()).unwrap_or(0)
}

/// At most four characters: `45s`, `12m`, `3h`, `17d`.
pub fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", (seconds / 86_400).min(999)),
    }
}

/// A countdown or a duration in two units: `40s`, `1m05s`, `2h10m`, `3d04h`.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{:02}h", (seconds / 86_400).min(999), seconds % 86_400 / 3600),
    }
}

/// `14:32:07`.
pub fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// `2026-03-04 14:32:07 CET`.
pub fn full_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// `03-04 14:32:07`, where the zone is named above.
pub fn short_time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%m-%d %H:%M:%S").to_string()
}

pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 run`, `2 runs`.
pub fn plural(n: u64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {one}s", count(n)) }
}

/// The action as the table names it: a re-run says which one of how many it is.
pub fn action(incident: &Incident, max_attempts: u32) -> String {
    // Closed by somebody else before we did anything: the table must not look as if we had.
    if !incident.state.is_open() && incident.attempts.is_empty() && !carried_out(incident) {
        return "nothing done".to_owned();
    }
    match incident.decision.as_ref().map(|decision| decision.action) {
        None => match incident.state {
            State::Detected | State::Collecting => "reading the run".to_owned(),
            State::Analysed => "deciding".to_owned(),
            State::Decided
            | State::Scheduled
            | State::AwaitingApproval
            | State::Acting
            | State::Watching
            | State::WithPeople
            | State::Closed(_) => "-".to_owned(),
        },
        Some(Action::Retry) => format!("retry {} of {}", rerun_number(incident), max_attempts.max(rerun_number(incident))),
        Some(action @ (Action::RetryWithNewParams | Action::Notify | Action::Escalate | Action::Ignore)) => action.words().to_owned(),
    }
}

/// Was the decision that stands carried out by us? A re-run leaves an attempt; a mail goes out only from a schedule, which takes
/// authority or a person's word.
pub fn carried_out(incident: &Incident) -> bool {
    let Some(decision) = &incident.decision else { return false };
    match decision.action {
        Action::Retry | Action::RetryWithNewParams => incident.attempts.last().is_some_and(|attempt| attempt.number == incident.attempt),
        Action::Notify | Action::Escalate | Action::Ignore => decision.authority == Authority::Auto || incident.approval.is_some(),
    }
}

/// Which re-run of this run it is, from 1: the one that was carried out last, else the one to come.
pub fn rerun_number(incident: &Incident) -> u32 {
    match incident.state {
        State::Watching | State::Closed(_) => incident.reruns().max(1),
        State::Detected
        | State::Collecting
        | State::Analysed
        | State::Decided
        | State::Scheduled
        | State::AwaitingApproval
        | State::Acting
        | State::WithPeople => incident.reruns() + 1,
    }
}

/// What the row waits for.
pub fn next(incident: &Incident, now: Timestamp) -> String {
    if incident.state.is_open() && incident.hold.is_some() {
        return "held".to_owned();
    }
    match incident.state {
        State::Detected | State::Collecting | State::Analysed => "soon".to_owned(),
        State::Decided => "nothing".to_owned(),
        State::AwaitingApproval => "you".to_owned(),
        State::Scheduled => match incident.next_due {
            Some(due) if due > now => span(since(due, now)),
            Some(_) | None => "now".to_owned(),
        },
        State::Acting => "now".to_owned(),
        State::Watching => match incident.attempts.last() {
            Some(attempt) => format!("ran {}", age(since(now, attempt.acted_at))),
            None => "runs".to_owned(),
        },
        State::WithPeople => "people".to_owned(),
        State::Closed(Ending::Mended) => "done".to_owned(),
        State::Closed(Ending::Handled | Ending::Superseded) => "person".to_owned(),
        State::Closed(Ending::Ignored) => "-".to_owned(),
    }
}

/// The call's first line: `POST /api/2.2/jobs/runs/repair`, `mail by smtp`.
pub fn call(call: &PlannedCall) -> String {
    match call.method.as_str() {
        "MAIL" => format!("mail by {}", call.path),
        "NONE" => "call nothing".to_owned(),
        method => format!("{method} {}", call.path),
    }
}

/// A call's body drawn together: JSON on one line, with spaces where it may be broken; anything else as it is.
pub fn compact(body: &str) -> String {
    let Ok(json) = serde_json::from_str::<serde_json::Value>(body) else { return body.to_owned() };
    let (mut text, mut quoted, mut escaped) = (String::new(), false, false);
    for c in json.to_string().chars() {
        text.push(c);
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        if !quoted && matches!(c, ',' | ':') {
            text.push(' ');
        }
    }
    text
}

/// The counts behind a probability of success.
pub fn alike(success: &SuccessProbability) -> String {
    match success.tried {
        0 => "none alike yet".to_owned(),
        tried => format!("{} of {tried} alike", success.mended),
    }
}

/// Does an LLM's opinion say the same as the rules?
pub fn llm(incident: &Incident) -> &'static str {
    match (&incident.classification, &incident.opinion) {
        (Some(rules), Some(opinion)) if rules.cause == opinion.cause => "agrees",
        (Some(_), Some(_)) => "differs",
        (_, None) if incident.draft.is_some() || incident.asking == Asking::Demanded => "asking",
        (_, None) | (None, _) => "none",
    }
}

/// The run as a person names it: `orders_daily_load, run 7731204`.
pub fn name(incident: &Incident) -> String {
    if incident.job.name.trim().is_empty() {
        format!("run {}", incident.run)
    } else {
        format!("{}, run {}", super::wall::clean(&incident.job.name), incident.run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_width() {
        for (seconds, short, long) in [
            (0, "0s", "0s"),
            (59, "59s", "59s"),
            (65, "1m", "1m05s"),
            (3600, "1h", "1h00m"),
            (86_399, "23h", "23h59m"),
            (90_000, "1d", "1d01h"),
            (u64::MAX, "999d", "999d15h"),
        ] {
            assert_eq!(age(seconds), short);
            assert_eq!(span(seconds).len(), span(seconds).len().min(7));
            if seconds != u64::MAX {
                assert_eq!(span(seconds), long);
            }
        }
        assert_eq!(compact("{\n \"a\": [1,2],\n \"b\": \"x,y:\\\"z,\"\n}"), "{\"a\": [1, 2], \"b\": \"x,y:\\\"z,\"}");
        assert_eq!(compact("To: a\nSubject: b"), "To: a\nSubject: b");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(plural(1, "run"), "1 run");
        assert_eq!(plural(2_140, "run"), "2,140 runs");
    }
}
