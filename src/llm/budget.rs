//! What may be spent on opinions: a limit a day and an hour, in UTC, with reservations, so that calls in flight count.

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;
use crate::domain::money::Usd;

const HOUR_S: i64 = 3600;
const DAY_S: i64 = 86_400;

/// `None`: no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    pub daily: Option<Usd>,
    pub hourly: Option<Usd>,
}

/// One calendar window and what was spent in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Window {
    /// Windows since 1970.
    number: i64,
    spent: Usd,
}

impl Window {
    fn at(self, now: Timestamp, length_s: i64) -> Self {
        let number = now.as_second().div_euclid(length_s);
        // A clock that was set back does not give the money again.
        if number > self.number { Self { number, spent: Usd::ZERO } } else { self }
    }

    fn end(self, length_s: i64) -> Timestamp {
        Timestamp::from_second((self.number + 1) * length_s).unwrap_or(Timestamp::MAX)
    }
}

/// Pure: the time is handed in. Keep it over a restart, or a restart gives the day's money again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    day: Window,
    hour: Window,
}

/// Money set aside for a call. Settle it; one that is dropped counts as spent, for its call may have been billed.
#[derive(Debug, PartialEq)]
pub struct Reserved {
    amount: Usd,
    day: i64,
    hour: i64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spent {
    pub window: &'static str,
    pub limit: Usd,
    pub until: Timestamp,
}

impl Budget {
    /// Sets `most` aside, the highest that the call may cost.
    pub fn reserve(&mut self, now: Timestamp, limits: &Limits, most: Usd) -> Result<Reserved, Spent> {
        self.day = self.day.at(now, DAY_S);
        self.hour = self.hour.at(now, HOUR_S);
        for (window, length_s, limit, name) in [(self.day, DAY_S, limits.daily, "daily"), (self.hour, HOUR_S, limits.hourly, "hourly")] {
            if let Some(limit) = limit.filter(|limit| window.spent + most > *limit) {
                return Err(Spent { window: name, limit, until: window.end(length_s) });
            }
        }
        self.day.spent += most;
        self.hour.spent += most;
        Ok(Reserved { amount: most, day: self.day.number, hour: self.hour.number })
    }

    /// The call cost `actual`. What it cost counts in the window in which it was asked.
    pub fn settle(&mut self, reserved: Reserved, actual: Usd) {
        for (window, number) in [(&mut self.day, reserved.day), (&mut self.hour, reserved.hour)] {
            if window.number == number {
                window.spent = window.spent.less(reserved.amount) + actual;
            }
        }
    }

    /// Spent since midnight UTC, calls in flight at their highest.
    pub fn spent_today(&self, now: Timestamp) -> Usd {
        self.day.at(now, DAY_S).spent
    }

    pub fn spent_this_hour(&self, now: Timestamp) -> Usd {
        self.hour.at(now, HOUR_S).spent
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    const LIMITS: Limits = Limits { daily: None, hourly: None };

    #[test]
    fn a_window_ends_at_its_hour_or_at_midnight() {
        let limits = Limits { daily: Some(Usd::new(1.0)), hourly: Some(Usd::new(0.5)) };
        let mut budget = Budget::default();
        let first = budget.reserve(at(100), &limits, Usd::new(0.5)).unwrap();
        let refused = budget.reserve(at(200), &limits, Usd::new(0.01)).unwrap_err();
        assert_eq!((refused.window, refused.until), ("hourly", at(3600)));
        budget.settle(first, Usd::new(0.4));
        budget.reserve(at(300), &limits, Usd::new(0.1)).unwrap();
        budget.reserve(at(3600), &limits, Usd::new(0.5)).unwrap();
        let refused = budget.reserve(at(7200), &limits, Usd::new(0.01)).unwrap_err();
        assert_eq!((refused.window, refused.limit, refused.until), ("daily", Usd::new(1.0), at(86_400)));
        budget.reserve(at(86_400), &limits, Usd::new(0.5)).unwrap();
    }

    #[test]
    fn a_dropped_reservation_is_spent_and_a_late_one_stays_in_its_window() {
        let mut budget = Budget::default();
        let _dropped = budget.reserve(at(0), &LIMITS, Usd::new(0.3)).unwrap();
        assert_eq!(budget.spent_today(at(1)), Usd::new(0.3));
        let late = budget.reserve(at(86_399), &LIMITS, Usd::new(0.2)).unwrap();
        budget.reserve(at(86_401), &LIMITS, Usd::new(0.1)).unwrap();
        budget.settle(late, Usd::new(0.2));
        assert_eq!(budget.spent_today(at(86_402)), Usd::new(0.1));
        assert_eq!(budget.spent_today(at(5)), Usd::new(0.1), "a clock set back gives no money");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_window_spends_more_than_its_limit(calls in proptest::collection::vec((0i64..4000, 0.0f64..0.2, 0.0f64..=1.0), 1..80)) {
            let limits = Limits { daily: Some(Usd::new(0.9)), hourly: Some(Usd::new(0.4)) };
            let (mut budget, mut now) = (Budget::default(), 0);
            for (wait, most, share) in calls {
                now += wait;
                if let Ok(reserved) = budget.reserve(at(now), &limits, Usd::new(most)) {
                    budget.settle(reserved, Usd::new(most * share));
                }
                prop_assert!(budget.spent_today(at(now)).get() <= 0.9 + 1e-9);
                prop_assert!(budget.spent_this_hour(at(now)).get() <= 0.4 + 1e-9);
            }
        }
    }
}
