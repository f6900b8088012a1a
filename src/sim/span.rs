//! A length of time as people write it: `"2s"`, `"500ms"`, `"30h"`, or a number of milliseconds.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// Longest span, ms: a year. More is a slip of the pen, and would overflow sums of times.
const SPAN_MS_MAX: i64 = 366 * 24 * 3_600_000;

/// Whole milliseconds, never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(i64);

impl Span {
    pub const fn ms(ms: i64) -> Self {
        Self(if ms < 0 {
            0
        } else if ms > SPAN_MS_MAX {
            SPAN_MS_MAX
        } else {
            ms
        })
    }

    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// At `speed` times the usual pace.
    pub fn at_speed(self, speed: f64) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "at most a year of milliseconds; the cast saturates")]
        let ms = (self.0 as f64 / speed).round() as i64;
        ms.min(SPAN_MS_MAX)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl Visitor<'_> for Words {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as \"2s\", \"500ms\", \"15m\" or \"30h\", or a number of milliseconds")
            }

            fn visit_i64<E: Error>(self, ms: i64) -> Result<Span, E> {
                if (0..=SPAN_MS_MAX).contains(&ms) { Ok(Span(ms)) } else { Err(E::custom("a time is 0 ms to a year")) }
            }

            fn visit_u64<E: Error>(self, ms: u64) -> Result<Span, E> {
                self.visit_i64(i64::try_from(ms).unwrap_or(i64::MAX))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
                let span: jiff::SignedDuration =
                    text.trim().parse().map_err(|_| E::custom(format!("`{text}` is no time; write 2s, 500ms, 15m or 30h")))?;
                self.visit_i64(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
            }
        }

        deserializer.deserialize_any(Words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, want: Option<i64>) {
        assert_eq!(serde_json::from_str::<Span>(json).ok().map(Span::as_ms), want, "{json}");
    }

    #[test]
    fn times_as_people_write_them() {
        for (json, want) in [
            ("\"2s\"", Some(2000)),
            ("\"500ms\"", Some(500)),
            ("\"1h 30m\"", Some(5_400_000)),
            ("250", Some(250)),
            ("\"-2s\"", None),
            ("\"soon\"", None),
            ("-1", None),
            ("\"9000000h\"", None),
        ] {
            check(json, want);
        }
    }

    #[test]
    fn speed_divides() {
        assert_eq!((Span::ms(3000).at_speed(1.0), Span::ms(3000).at_speed(60.0)), (3000, 50));
    }
}
