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
/// A probe that nobody reported back is given up after this.
const PROBE_MAX: Duration = Duration::from_secs(300);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum State {
    Closed,
    /// Nothing goes out before `until`; then one probe, `probing_since`.
    Open {
        until: Timestamp,
        pause: Duration,
        /// No call outlives its process.
        #[serde(skip)]
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

/// What a question that was let through shows when it reports back: whether it is the probe. One that left before the breaker opened,
/// and ends while a probe is out, must not be taken for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pass {
    probe: Option<Timestamp>,
}

impl Pass {
    fn is_probe(self, probing_since: Option<Timestamp>) -> bool {
        self.probe.is_some() && self.probe == probing_since
    }
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

impl Breaker {
    /// May a question go out? Where it is half open, the one that gets `Ok` is the probe and must report back.
    pub fn enter(&mut self, now: Timestamp) -> Result<Pass, Open> {
        let State::Open { until, probing_since, reason, .. } = &mut self.state else { return Ok(Pass { probe: None }) };
        // Where the clock was set back: no pause is that long, and no probe leaves in times to come.
        let pauses = now < *until && between(now, *until) <= PAUSE_MAX;
        let probed = probing_since.is_some_and(|since| since <= now && between(since, now) < PROBE_MAX);
        if pauses || probed {
            return Err(Open { reason: reason.clone(), until: (*until).max(now) });
        }
        *probing_since = Some(now);
        Ok(Pass { probe: Some(now) })
    }

    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    pub fn failed(&mut self, pass: Pass, now: Timestamp, reason: &str) {
        self.failures = self.failures.saturating_add(1);
        let pause = match &self.state {
            State::Closed if self.failures < FAILURES_MAX => return,
            State::Closed => PAUSE_FIRST,
            State::Open { probing_since, pause, .. } if pass.is_probe(*probing_since) => (*pause * 2).min(PAUSE_MAX),
            // It left before the breaker opened: the pause runs already.
            State::Open { .. } => return,
        };
        let until = now.checked_add(pause).unwrap_or(now);
        self.state = State::Open { until, pause, probing_since: None, reason: reason.to_owned() };
    }

    /// The question was given up before it showed anything about the server.
    pub fn withdrawn(&mut self, pass: Pass) {
        if let State::Open { probing_since, .. } = &mut self.state
            && pass.is_probe(*probing_since)
        {
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

    /// `?` must be let through, `!` must not; then of the newest that was, `f` fails, `s` succeeds, `w` is withdrawn, and `F`, `W` are of
    /// the first that was; `+N` waits, and `-N` sets the clock back; `r` is a restart.
    fn check(story: &str) {
        let (mut breaker, mut now) = (Breaker::default(), 1_000_000);
        let mut passes = vec![Pass { probe: None }];
        for (step, word) in story.split_whitespace().enumerate() {
            let (first, newest) = (passes[0], passes[passes.len() - 1]);
            match word {
                "f" => breaker.failed(newest, at(now), "503"),
                "F" => breaker.failed(first, at(now), "503"),
                "s" => breaker.succeeded(),
                "w" => breaker.withdrawn(newest),
                "W" => breaker.withdrawn(first),
                "r" => breaker = serde_json::from_str(&serde_json::to_string(&breaker).unwrap()).unwrap(),
                "?" => passes.push(breaker.enter(at(now)).unwrap_or_else(|open| panic!("{story}, step {step}: {open:?}"))),
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
    fn who_left_before_it_opened_is_not_the_probe() {
        check("? f f f +30 ? F ! f ! +59 ! +1 ?");
        check("? f f f +30 ? W ! w ?");
        check("? f f f +30 ? F ! s ?");
    }

    #[test]
    fn a_clock_set_back_or_a_restart_locks_nobody_out() {
        check("f f f ! -86400 ?");
        check("f f f +30 ? ! -86400 ?");
        check("f f f -20 ! +50 ?");
        check("f f f +30 ? ! r ?");
        check("f f f r ! +30 ?");
    }

    #[test]
    fn it_says_why_and_survives_a_restart() {
        let mut breaker = Breaker::default();
        (0..3).for_each(|_| breaker.failed(Pass { probe: None }, at(10), "the model's server failed (503): no"));
        assert_eq!(breaker.open(), Some(Open { reason: "the model's server failed (503): no".to_owned(), until: at(40) }));
        let kept = serde_json::to_string(&breaker).unwrap();
        assert_eq!(serde_json::from_str::<Breaker>(&kept).unwrap(), breaker);
    }
}
