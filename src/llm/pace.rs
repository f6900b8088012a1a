//! How fast a server may be asked: what its headers say, and a gate that keeps to it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;

/// Longest wait that a server's word is believed for: a wrong header must not silence the second opinion for a day.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);
/// The wait after a refusal that named none.
const WAIT_UNSAID: Duration = Duration::from_secs(2);

/// What an answer says about further calls (`x-ratelimit-*`). Absent headers are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    pub remaining_requests: Option<u64>,
    pub remaining_tokens: Option<u64>,
    pub reset_requests: Option<Duration>,
    pub reset_tokens: Option<Duration>,
}

impl Pace {
    /// From a way to look a header up by its name.
    pub fn read<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Self {
        let count = |name: &str| header(name).and_then(|text| text.trim().parse().ok());
        let wait = |name: &str| header(name).and_then(duration);
        Self {
            remaining_requests: count("x-ratelimit-remaining-requests"),
            remaining_tokens: count("x-ratelimit-remaining-tokens"),
            reset_requests: wait("x-ratelimit-reset-requests"),
            reset_tokens: wait("x-ratelimit-reset-tokens"),
        }
    }

    /// How long to hold the next call that needs `tokens`, if at all.
    fn hold(&self, tokens: u64) -> Option<Duration> {
        let requests = self.remaining_requests.filter(|left| *left == 0).and(self.reset_requests);
        let size = self.remaining_tokens.filter(|left| *left < tokens).and(self.reset_tokens);
        requests.max(size).filter(|wait| !wait.is_zero())
    }
}

/// `retry-after-ms` (Azure), else `retry-after` in seconds or as an HTTP date. `now` is only for the date.
pub fn retry_after<'a>(header: impl Fn(&str) -> Option<&'a str>, now: Timestamp) -> Option<Duration> {
    let ms = header("retry-after-ms").and_then(|text| text.trim().parse::<f64>().ok()).map(|ms| ms / 1000.0);
    if let Some(wait) = ms.and_then(positive) {
        return Some(wait);
    }
    let text = header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return positive(seconds);
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    positive(at.duration_since(now).as_secs_f64())
}

fn positive(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|wait| !wait.is_zero())
}

/// `10`, `1.5s`, `120ms`, `6m0s`, `1h2m`: Azure writes plain seconds, OpenAI durations.
pub fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        let (unit, after) = tail.split_at(tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len()));
        let number: f64 = number.parse().ok()?;
        total += number
            * match unit {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        rest = after;
    }
    Duration::try_from_secs_f64(total).ok()
}

/// Closed until a server's limit has passed. Pure: the time is handed in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gate {
    closed_until: Option<Timestamp>,
}

impl Gate {
    /// How long a call must still wait.
    pub fn wait(&self, now: Timestamp) -> Duration {
        self.closed_until(now).map_or(Duration::ZERO, |until| Duration::try_from(until.duration_since(now)).unwrap_or_default())
    }

    /// When the gate opens, if it is closed.
    pub fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        // It never closes for longer: what is beyond was reckoned by a clock that has been set back since.
        let furthest = now.checked_add(WAIT_MAX).unwrap_or(Timestamp::MAX);
        self.closed_until.filter(|until| *until > now && *until <= furthest)
    }

    /// An answer came; the next call needs about `tokens`.
    pub fn note(&mut self, now: Timestamp, pace: &Pace, tokens: u64) {
        if let Some(wait) = pace.hold(tokens) {
            self.close(now, wait);
        }
    }

    /// A call was refused as one too many.
    pub fn refused(&mut self, now: Timestamp, retry_after: Option<Duration>) {
        self.close(now, retry_after.unwrap_or(WAIT_UNSAID));
    }

    fn close(&mut self, now: Timestamp, wait: Duration) {
        let until = now.checked_add(wait.min(WAIT_MAX)).unwrap_or(now);
        self.closed_until = Some(self.closed_until(now).map_or(until, |known| known.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + seconds).unwrap()
    }

    #[test]
    fn waits_in_every_spelling() {
        for (text, want) in [
            ("10", Some(10_000)),
            ("0.5", Some(500)),
            ("120ms", Some(120)),
            ("6m0s", Some(360_000)),
            ("1h2m3s", Some(3_723_000)),
            ("1.5s", Some(1500)),
            ("soon", None),
            ("-3", None),
            ("5x", None),
            ("7e99999", None),
        ] {
            assert_eq!(duration(text).map(|wait| wait.as_millis()), want, "{text}");
        }
    }

    #[test]
    fn retry_after_in_milliseconds_seconds_or_as_a_date() {
        let check = |headers: &[(&str, &str)], want: Option<u128>| {
            let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            assert_eq!(retry_after(header, at(0)).map(|wait| wait.as_millis()), want, "{headers:?}");
        };
        check(&[("retry-after-ms", "1500"), ("retry-after", "9")], Some(1500));
        check(&[("retry-after", "2")], Some(2000));
        check(&[("retry-after", "Mon, 24 Nov 2025 16:00:10 GMT")], Some(10_000));
        check(&[("retry-after", "Mon, 24 Nov 2025 15:59:00 GMT")], None);
        check(&[("retry-after", "tomorrow")], None);
        check(&[("retry-after", "-1")], None);
        check(&[], None);
    }

    #[test]
    fn the_gate_keeps_to_what_the_server_says() {
        let check = |pace: Pace, tokens: u64, want_s: u64| {
            let mut gate = Gate::default();
            gate.note(at(0), &pace, tokens);
            assert_eq!(gate.wait(at(0)), Duration::from_secs(want_s), "{pace:?}");
            assert_eq!(gate.wait(at(1_000_000)), Duration::ZERO);
        };
        let minute = Some(Duration::from_secs(60));
        check(Pace::default(), 1000, 0);
        check(Pace { remaining_requests: Some(0), reset_requests: minute, ..Pace::default() }, 1000, 60);
        check(Pace { remaining_requests: Some(1), reset_requests: minute, ..Pace::default() }, 1000, 0);
        check(Pace { remaining_tokens: Some(900), reset_tokens: minute, ..Pace::default() }, 1000, 60);
        check(Pace { remaining_tokens: Some(1000), reset_tokens: minute, ..Pace::default() }, 1000, 0);
        check(Pace { remaining_requests: Some(0), ..Pace::default() }, 1000, 0);
        let day = Some(Duration::from_secs(86_400));
        check(Pace { remaining_requests: Some(0), reset_requests: day, ..Pace::default() }, 1000, 900);

        let mut gate = Gate::default();
        gate.refused(at(0), Some(Duration::from_secs(30)));
        gate.refused(at(1), None);
        assert_eq!(gate.closed_until(at(2)), Some(at(30)), "the longer wait stands");
        assert_eq!(gate.closed_until(at(30)), None);
        assert_eq!(gate.closed_until(at(-870)), Some(at(30)), "a clock set back by minutes lengthens the wait");
        assert_eq!(gate.wait(at(-86_400)), Duration::ZERO, "by more, it is no wait of a server's any more");
        gate.refused(at(-86_400), Some(Duration::from_secs(5)));
        assert_eq!(gate.closed_until(at(-86_399)), Some(at(-86_395)));
    }
}
