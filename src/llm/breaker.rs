//! Stops asking a server that keeps failing, and lets one question through now and then to see whether it is back.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;

/// So many failures in a row open it: one is chance, two may be one restart.
const FAILURES_MAX: u32 = 3;
/// The first pause; each probe that fails doubles it.
const PAUSE_FIRST: Duration = Duration::from_secs(30);
/// An outage of hours costs one probe in ten minutes.
const PAUSE_MAX: Duration = Duration::from_secs(600);
/// A probe that nobody reported back (its incident went away) is given up after this.
const PROBE_MAX: Duration = Duration::from_secs(300);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum State {
    Closed,
    /// Nothing goes out before `until`; then one probe, `probing_since`.
    Open {
        until: Timestamp,
        pause: Duration,
        probing_since: Option<Timestamp>,
        reason: String,
    },
}

/// Pure: the time is handed in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Breaker {
    failures: u32,
    state: State,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { failures: 0, state: State::Closed }
    }
}

/// Not to be asked now.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    pub reason: String,
    pub until: Timestamp,
}

impl Breaker {
    /// May a question go out? Where it is half open, the one that gets `Ok` is the probe and must report back.
    pub fn enter(&mut self, now: Timestamp) -> Result<(), Open> {
        let State::Open { until, probing_since, reason, .. } = &mut self.state else { return Ok(()) };
        let probed = probing_since.is_some_and(|since| now.duration_since(since) < PROBE_MAX.try_into().unwrap_or_default());
        if now < *until || probed {
            return Err(Open { reason: reason.clone(), until: (*until).max(now) });
        }
        *probing_since = Some(now);
        Ok(())
    }

    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub fn failed(&mut self, now: Timestamp, reason: &str) {
        self.failures = self.failures.saturating_add(1);
        let pause = match &self.state {
            State::Closed if self.failures < FAILURES_MAX => return,
            State::Closed => PAUSE_FIRST,
            // A question that left before it opened: the pause runs already.
            State::Open { probing_since: None, .. } => return,
            State::Open { pause, .. } => (*pause * 2).min(PAUSE_MAX),
        };
        let until = now.checked_add(pause).unwrap_or(now);
        self.state = State::Open { until, pause, probing_since: None, reason: reason.to_owned() };
    }

    /// The question was given up before it showed anything about the server.
    pub fn withdrawn(&mut self) {
        if let State::Open { probing_since, .. } = &mut self.state {
            *probing_since = None;
        }
    }

    /// Why and until when it is open, if it is.
    pub fn open(&self) -> Option<Open> {
        match &self.state {
            State::Closed => None,
            State::Open { until, reason, .. } => Some(Open { reason: reason.clone(), until: *until }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    /// `f` fails, `s` succeeds, `w` is withdrawn; `+N` waits; `?` must be let through, `!` must not.
    fn check(story: &str) {
        let (mut breaker, mut now) = (Breaker::default(), 0);
        for (step, word) in story.split_whitespace().enumerate() {
            match word {
                "f" => breaker.failed(at(now), "503"),
                "s" => breaker.succeeded(),
                "w" => breaker.withdrawn(),
                "?" => assert_eq!(breaker.enter(at(now)), Ok(()), "{story}, step {step}"),
                "!" => assert!(breaker.enter(at(now)).is_err(), "{story}, step {step}"),
                wait => now += wait.parse::<i64>().unwrap(),
            }
        }
    }

    #[test]
    fn it_opens_pauses_probes_and_closes() {
        check("? f ? f ? s ? f ? f ?");
        check("? f ? f ? f ! +29 ! +1 ? ! f ! +59 ! +1 ? s ? ?");
        check("f f f +30 ? w ? f +60 ?");
        check("f f f +30 ? ! +299 ! +1 ?");
        check("f f f f f ! +30 ? f +60 ? f +120 ? f +240 ? f +480 ? f +599 ! +1 ?");
    }

    #[test]
    fn it_says_why_and_survives_a_restart() {
        let mut breaker = Breaker::default();
        (0..3).for_each(|_| breaker.failed(at(10), "the model's server failed (503): no"));
        assert_eq!(breaker.open(), Some(Open { reason: "the model's server failed (503): no".to_owned(), until: at(40) }));
        let kept = serde_json::to_string(&breaker).unwrap();
        assert_eq!(serde_json::from_str::<Breaker>(&kept).unwrap(), breaker);
    }
}
