//! Durations as people write them: `500ms`, `30s`, `15m`, `2h`, `1d`, and joined, as `1h30m`.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

/// No setting of ours means more than ten years; larger numbers are typing errors and would overflow times.
pub const DURATION_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a duration such as `500ms`, `30s`, `15m`, `2h` or `1d`")]
pub struct NoDuration;

/// Reads whole numbers with a unit each; a number without a unit is refused, because nobody remembers which one it would be.
pub fn parse(text: &str) -> Result<Duration, NoDuration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(NoDuration);
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or(NoDuration)?;
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| NoDuration)?;
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let unit_ms: u64 = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(NoDuration),
        };
        let part = Duration::from_millis(number.checked_mul(unit_ms).ok_or(NoDuration)?);
        total = total.checked_add(part).filter(|sum| *sum <= DURATION_MAX).ok_or(NoDuration)?;
        rest = next.trim_start();
    }
    Ok(total)
}

/// The shortest way to write it: `90s` as `1m30s`, whole units where they fit.
pub fn words(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    if rest == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, unit_ms) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if rest >= unit_ms {
            text.push_str(&format!("{}{unit}", rest / unit_ms));
            rest %= unit_ms;
        }
    }
    text
}

pub(super) fn de<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, want: Option<u64>) {
        assert_eq!(parse(text).ok(), want.map(Duration::from_millis), "{text:?}");
    }

    #[test]
    fn durations_as_people_write_them() {
        check("500ms", Some(500));
        check("30s", Some(30_000));
        check("15m", Some(900_000));
        check("2h", Some(7_200_000));
        check("1d", Some(86_400_000));
        check(" 1h30m ", Some(5_400_000));
        check("1h 30m", Some(5_400_000));
        check("0s", Some(0));
        for wrong in ["", "30", "s", "-1s", "1.5h", "1 week", "99999999999999999999s", "9999999999999999999d", "4000d", "30 s x"] {
            check(wrong, None);
        }
    }

    proptest! {
        #[test]
        fn words_are_read_as_the_same_duration(ms in 0_u64..=315_360_000_000) {
            let duration = Duration::from_millis(ms);
            prop_assert_eq!(parse(&words(duration)), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
