//! What a model costs: a dated table, and the price of an opinion by it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::classification::Tokens;
use crate::domain::money::Usd;

const SHIPPED: &str = include_str!("../../assets/prices.toml");

/// US dollars for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub input: f64,
    /// Input that the provider had cached.
    pub cached: Option<f64>,
    pub output: f64,
}

impl Price {
    pub const FREE: Self = Self { input: 0.0, cached: None, output: 0.0 };

    pub fn of(&self, tokens: &Tokens) -> Usd {
        let cached = tokens.cached.min(tokens.input);
        let fresh = tokens.input - cached;
        let dollars = fresh as f64 * self.input + cached as f64 * self.cached.unwrap_or(self.input) + tokens.output as f64 * self.output;
        Usd::new(dollars / 1e6)
    }
}

/// Prices by model.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceTable {
    /// The day on which the prices were looked up.
    pub as_of: String,
    /// By the model's name, without its date: `gpt-4o` is the price of `gpt-4o-2024-08-06` too.
    pub usd_per_million_tokens: BTreeMap<String, Price>,
}

/// Why a price file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PriceError {
    #[error("the prices are not readable: {0}")]
    Form(#[from] toml::de::Error),
    #[error("the price of {0} is no amount of money")]
    Amount(String),
}

impl PriceTable {
    /// The table of this version of runmend.
    pub fn shipped() -> Self {
        // The shipped file is part of the program; a test reads it, so the empty table is never met.
        Self::read(SHIPPED).unwrap_or_else(|_| Self { as_of: String::new(), usd_per_million_tokens: BTreeMap::new() })
    }

    pub fn read(text: &str) -> Result<Self, PriceError> {
        let table: Self = toml::from_str(text)?;
        for (model, price) in &table.usd_per_million_tokens {
            let amounts = [price.input, price.output, price.cached.unwrap_or(0.0)];
            if amounts.iter().any(|amount| !amount.is_finite() || *amount < 0.0) {
                return Err(PriceError::Amount(model.clone()));
            }
        }
        Ok(table)
    }

    /// An operator's own prices go before these.
    pub fn overridden_by(mut self, own: Self) -> Self {
        self.as_of = own.as_of;
        self.usd_per_million_tokens.extend(own.usd_per_million_tokens);
        self
    }

    /// The price of a model by its name, or by the name that starts its own: `gpt-4o-mini-2024-07-18` is `gpt-4o-mini`, not `gpt-4o`.
    /// `None` where it is not known: never a price of nothing.
    pub fn get(&self, model: &str) -> Option<Price> {
        let name = model.to_ascii_lowercase();
        let name = name.rsplit('/').next().unwrap_or(&name);
        let name = name.strip_prefix("databricks-").unwrap_or(name);
        let fits = |known: &str| name == known || name.strip_prefix(known).is_some_and(is_version);
        self.usd_per_million_tokens.iter().filter(|(known, _)| fits(known)).max_by_key(|(known, _)| known.len()).map(|(_, price)| *price)
    }

    /// The highest prices of the table: what a budget reckons with where the model's own is not known.
    pub fn dearest(&self) -> Price {
        let most = |of: fn(&Price) -> f64| self.usd_per_million_tokens.values().map(of).fold(0.0, f64::max);
        Price { input: most(|price| price.input), cached: None, output: most(|price| price.output) }
    }
}

/// `-2024-08-06`, `-001`, `@20250929`: a date or a build behind the name. `-2` may be another model: `gpt-5-2` is no `gpt-5`.
fn is_version(rest: &str) -> bool {
    let Some(version) = rest.strip_prefix(['-', '@', ':']) else { return false };
    let first = version.split('-').next().unwrap_or_default();
    first.len() >= 3 && version.chars().all(|c| c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_prices_are_readable_and_dated() {
        let table = PriceTable::read(SHIPPED).unwrap();
        assert!(table.as_of.parse::<jiff::civil::Date>().is_ok(), "{}", table.as_of);
        assert!(table.usd_per_million_tokens.values().all(|price| price.input > 0.0 && price.output >= price.input));
    }

    #[test]
    fn a_price_is_found_by_the_models_own_name_and_never_guessed() {
        let table = PriceTable::shipped();
        for (model, want) in [
            ("gpt-4o", Some(2.5)),
            ("gpt-4o-2024-08-06", Some(2.5)),
            ("gpt-4o-mini-2024-07-18", Some(0.15)),
            ("GPT-4o-mini", Some(0.15)),
            ("openai/gpt-4.1-nano", Some(0.1)),
            ("databricks-gpt-oss-20b", Some(0.07)),
            ("gpt-4o-audio-preview", None),
            ("gpt-4o-", None),
            ("gpt-5-2", None),
            ("our-deployment", None),
            ("", None),
        ] {
            assert_eq!(table.get(model).map(|price| price.input), want, "{model}");
        }
        assert!(table.dearest().output >= 15.0);
    }

    #[test]
    fn an_opinion_costs_its_tokens() {
        let price = Price { input: 2.5, cached: Some(1.25), output: 10.0 };
        let tokens = Tokens { input: 1000, cached: 200, output: 100, ..Tokens::default() };
        assert_eq!(price.of(&tokens), Usd::new(0.00325));
        assert_eq!(Price { cached: None, ..price }.of(&tokens), Usd::new(0.0035));
        assert_eq!(price.of(&Tokens { cached: 9999, ..tokens }), Usd::new(0.00225), "a miscount does not go below the input");
    }

    #[test]
    fn an_operators_prices_go_first() {
        let own = PriceTable::read(
            "as_of = '2026-01-01'\n[usd_per_million_tokens]\ngpt-4o = { input = 1.0, output = 2.0 }\nours = { input = 3.0, output = 4.0 }",
        )
        .unwrap();
        let table = PriceTable::shipped().overridden_by(own);
        assert_eq!(table.get("gpt-4o").map(|price| price.output), Some(2.0));
        assert_eq!(table.get("ours").map(|price| price.output), Some(4.0));
        assert_eq!(table.get("gpt-4o-mini").map(|price| price.output), Some(0.6));
        for bad in [
            "",
            "as_of = 'x'\n[usd_per_million_tokens]\na = { input = -1.0, output = 2.0 }",
            "as_of = 'x'\n[usd_per_million_tokens]\na = { input = nan, output = 2.0 }",
        ] {
            assert!(PriceTable::read(bad).is_err(), "{bad}");
        }
    }
}
