//! Readers for JSON that is not quite as documented. Emulators give null for everything absent; some answers quote their ids.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::domain::Timestamp;

/// A 64-bit number, also when quoted. Ids are never read as floating point: 2^53 is too small for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub i64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let number = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        number.map(Self).ok_or_else(|| D::Error::custom(format!("expected a 64-bit integer, got {}", kind(&value))))
    }
}

/// A text; a number or object in its place is kept as it is written (an `error_code` may be an integer).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        }))
    }
}

/// Epoch milliseconds. 0, null, absent and what is no time are all "not yet".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Millis(pub Option<Timestamp>);

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ms = serde_json::from_value::<Number>(Value::deserialize(deserializer)?).ok().map(|number| number.0);
        Ok(Self(ms.filter(|&ms| ms > 0).and_then(|ms| Timestamp::from_millisecond(ms).ok())))
    }
}

/// A flag; anything but `true` is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Value::deserialize(deserializer)? == Value::Bool(true)))
    }
}

/// An array whose bad elements cost themselves only. Null and what is no array are empty.
#[derive(Clone, Debug)]
pub struct List<T> {
    pub items: Vec<T>,
    /// One sentence for each element that could not be read.
    pub malformed: Vec<String>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { items: Vec::new(), malformed: Vec::new() }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut list = Self::default();
        if let Value::Array(values) = Value::deserialize(deserializer)? {
            for (index, value) in values.into_iter().enumerate() {
                let id = value.get("run_id").or_else(|| value.get("task_key")).map(ToString::to_string).unwrap_or_default();
                match serde_json::from_value(value) {
                    Ok(item) => list.items.push(item),
                    Err(error) => list.malformed.push(format!("element {index} {id}: {error}")),
                }
            }
        }
        Ok(list)
    }
}

/// What stands where something else was expected, in a word.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "another number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, want: Option<i64>) {
        assert_eq!(serde_json::from_str::<Number>(json).ok().map(|number| number.0), want, "{json}");
    }

    #[test]
    fn ids_keep_all_their_bits() {
        check("11223344556677889", Some(11_223_344_556_677_889));
        check("\"9007199254740993\"", Some(9_007_199_254_740_993));
        check("9223372036854775807", Some(i64::MAX));
        check("1.5", None);
        check("null", None);
        check("\"seven\"", None);
    }

    #[test]
    fn no_time_is_no_time() {
        for json in ["0", "null", "-5", "\"soon\"", "{}", "99999999999999999"] {
            assert_eq!(serde_json::from_str::<Millis>(json).unwrap().0, None, "{json}");
        }
        assert_eq!(serde_json::from_str::<Millis>("1000").unwrap().0, Timestamp::from_millisecond(1000).ok());
        assert_eq!(serde_json::from_str::<Millis>("\"1000\"").unwrap().0, Timestamp::from_millisecond(1000).ok());
    }

    #[test]
    fn a_bad_element_costs_itself_only() {
        let list: List<Number> = serde_json::from_str("[1, \"2\", {}, 4]").unwrap();
        assert_eq!(list.items, [Number(1), Number(2), Number(4)]);
        assert_eq!(list.malformed.len(), 1);
        assert!(serde_json::from_str::<List<Number>>("null").unwrap().items.is_empty());
    }
}
