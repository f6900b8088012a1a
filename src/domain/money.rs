//! What opinions cost.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

/// US dollars, never negative. On the wire a number, to a hundred-thousandth of a cent: one opinion of a small model costs less than a cent.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Usd(f64);

impl Usd {
    pub const ZERO: Self = Self(0.0);

    /// What is no number, or below zero, is zero.
    pub fn new(dollars: f64) -> Self {
        Self(if dollars.is_finite() { dollars.max(0.0) } else { 0.0 })
    }

    pub fn get(self) -> f64 {
        self.0
    }

    /// What is left when `spent` is taken away; zero when nothing is.
    pub fn less(self, spent: Self) -> Self {
        Self::new(self.0 - spent.0)
    }
}

impl From<f64> for Usd {
    fn from(dollars: f64) -> Self {
        Self::new(dollars)
    }
}

impl From<Usd> for f64 {
    fn from(usd: Usd) -> Self {
        (usd.0 * 1e7).round() / 1e7
    }
}

impl Add for Usd {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self::new(self.0 + more.0)
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Usd {
    /// Cents where there are any, else as many places as show something: `$12.30`, `$0.0021`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.0 {
            0.0 => "$0".to_owned(),
            small if small < 0.01 => format!("${small:.5}").trim_end_matches('0').trim_end_matches('.').to_owned(),
            dollars => format!("${dollars:.2}"),
        };
        f.pad(&words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_as_people_write_it() {
        for (dollars, want) in [(0.0, "$0"), (12.3, "$12.30"), (0.0021, "$0.0021"), (0.00002, "$0.00002"), (-1.0, "$0"), (f64::NAN, "$0")] {
            assert_eq!(Usd::new(dollars).to_string(), want);
        }
        assert_eq!(serde_json::to_string(&Usd::new(0.1 + 0.2)).unwrap(), "0.3");
        assert_eq!(Usd::new(1.0).less(Usd::new(2.0)), Usd::ZERO);
    }
}
