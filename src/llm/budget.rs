//! What may be spent on opinions: a limit a day and an hour, in UTC, with reservations, so that calls in flight count.
//!
//! Processes that share a ledger share one budget: before and after each question, each tells a common account what it spent and hears
//! what the others did ([`Budget::told_to`], [`Budget::hear`]). What they have in flight at the same time they do not know of each other:
//! by that much they may pass the limit together.

use std::cmp::Ordering;

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
    /// What the common account holds, as it was heard last: the rest is to be told.
    #[serde(skip)]
    told: Usd,
}

impl Window {
    fn at(self, now: Timestamp, length_s: i64) -> Self {
        let number = now.as_second().div_euclid(length_s);
        match self.number - number {
            ..0 => Self { number, ..Self::default() },
            // A clock that was set back does not give the money again,
            0 | 1 => self,
            // and one that had been years ahead does not keep it till then.
            2.. => Self { number, ..self },
        }
    }

    /// The account's window with what was spent here since it was told last. Both as they are now.
    fn told_to(self, account: Self) -> Self {
        match self.number.cmp(&account.number) {
            Ordering::Less => account,
            Ordering::Equal => Self { spent: Usd::new(account.spent.get() + self.spent.get() - self.told.get()), ..account },
            Ordering::Greater => self,
        }
    }

    /// `before` is what this window was when it was told to the account, which is `account` now.
    fn hear(self, before: Self, account: Self) -> Self {
        let since = if self.number == before.number { self.spent.get() - before.spent.get() } else { self.spent.get() };
        match self.number.cmp(&account.number) {
            Ordering::Less => Self { told: account.spent, ..account },
            Ordering::Equal => Self { spent: Usd::new(account.spent.get() + since), told: account.spent, ..account },
            Ordering::Greater => self,
        }
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
    fn at(self, now: Timestamp) -> Self {
        Self { day: self.day.at(now, DAY_S), hour: self.hour.at(now, HOUR_S) }
    }

    /// The account with what was spent here since it was told last: to be kept in its place.
    pub fn told_to(&self, account: &Self, now: Timestamp) -> Self {
        let (own, account) = (self.at(now), account.at(now));
        Self { day: own.day.told_to(account.day), hour: own.hour.told_to(account.hour) }
    }

    /// Is there something that the account does not know yet?
    pub fn has_news(&self) -> bool {
        self.day.spent != self.day.told
    }

    /// What is in the account, now that `before`, this budget as it was then, has been told to it.
    pub fn hear(&mut self, before: &Self, account: &Self) {
        *self = Self { day: self.day.hear(before.day, account.day), hour: self.hour.hear(before.hour, account.hour) };
    }

    /// Sets `most` aside, the highest that the call may cost.
    pub fn reserve(&mut self, now: Timestamp, limits: &Limits, most: Usd) -> Result<Reserved, Spent> {
        *self = self.at(now);
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

    #[test]
    fn a_clock_that_was_years_ahead_gives_no_money_and_keeps_none_back() {
        let limits = Limits { daily: Some(Usd::new(1.0)), hourly: None };
        let mut budget = Budget::default();
        budget.reserve(at(3000 * DAY_S), &limits, Usd::new(0.9)).unwrap();
        let refused = budget.reserve(at(100), &limits, Usd::new(0.2)).unwrap_err();
        assert_eq!((refused.window, refused.until), ("daily", at(DAY_S)));
        assert_eq!(budget.spent_today(at(100)), Usd::new(0.9));
        budget.reserve(at(DAY_S), &limits, Usd::new(0.9)).unwrap();
    }

    /// As the agent does it before and after each question.
    fn exchange(budget: &mut Budget, account: &mut Budget, now: Timestamp) {
        let before = *budget;
        *account = before.told_to(account, now);
        budget.hear(&before, account);
    }

    #[test]
    fn what_is_spent_while_the_account_is_written_is_told_the_next_time() {
        let (mut budget, mut account) = (Budget::default(), Budget::default());
        budget.reserve(at(0), &LIMITS, Usd::new(0.25)).unwrap();
        let before = budget;
        account = before.told_to(&account, at(0));
        let meanwhile = budget.reserve(at(1), &LIMITS, Usd::new(0.5)).unwrap();
        budget.hear(&before, &account);
        assert_eq!((account.spent_today(at(1)), budget.spent_today(at(1))), (Usd::new(0.25), Usd::new(0.75)));
        assert!(budget.has_news());
        budget.settle(meanwhile, Usd::ZERO);
        exchange(&mut budget, &mut account, at(2));
        assert_eq!((account.spent_today(at(2)), budget.has_news()), (Usd::new(0.25), false));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn processes_that_share_an_account_spend_one_budget(
            calls in proptest::collection::vec((0usize..3, 0i64..4000, 0.0f64..0.2, 0.0f64..=1.0, any::<bool>()), 1..80),
        ) {
            let limits = Limits { daily: Some(Usd::new(0.9)), hourly: Some(Usd::new(0.4)) };
            let (mut budgets, mut account, mut now) = ([Budget::default(); 3], Budget::default(), 0);
            let (mut flying, mut landed) = (Vec::new(), Vec::new());
            for (who, wait, most, share, lands) in calls {
                now += wait;
                exchange(&mut budgets[who], &mut account, at(now));
                if let Ok(reserved) = budgets[who].reserve(at(now), &limits, Usd::new(most)) {
                    flying.push((who, reserved, most * share));
                }
                exchange(&mut budgets[who], &mut account, at(now));
                if lands && !flying.is_empty() {
                    let (who, reserved, actual) = flying.remove(0);
                    landed.push((reserved.day, actual));
                    budgets[who].settle(reserved, Usd::new(actual));
                    exchange(&mut budgets[who], &mut account, at(now));
                }
                prop_assert!(account.spent_today(at(now)).get() <= 0.9 + 1e-9);
                prop_assert!(account.spent_this_hour(at(now)).get() <= 0.4 + 1e-9);
            }
            let today = now.div_euclid(DAY_S);
            let unsettled = flying.iter().filter(|(_, reserved, _)| reserved.day == today).map(|(_, reserved, _)| reserved.amount.get());
            let spent = landed.iter().filter(|(day, _)| *day == today).map(|(_, actual)| *actual).chain(unsettled).sum::<f64>();
            prop_assert!((account.spent_today(at(now)).get() - spent).abs() < 1e-9, "{account:?}, not {spent}");
        }
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
