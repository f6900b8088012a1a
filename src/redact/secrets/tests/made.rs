//! Texts from templates: `{hex:32}` and its like become values drawn from a seed, so that no file holds anything that looks like a secret.
//! `«…»` marks what must go, or what must stay.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const DIGITS: &str = "0123456789";
const SMALL: &str = "abcdefghijklmnopqrstuvwxyz";
const CAPITAL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A text, and the parts of it that were marked.
pub struct Made {
    pub text: String,
    pub marked: Vec<String>,
}

/// The line of a template file: `\n`, `\t`, `\r`, `\e` and `\\` stand for what they are.
pub fn made(line: &str, seed: u64) -> Made {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let plain = unescaped(line);
    let mut values: Vec<(String, String)> = Vec::new();
    let mut filled = String::new();
    let mut rest = plain.as_str();
    while let Some((before, tag, after)) = next_tag(rest) {
        filled.push_str(before);
        let known = values.iter().find(|(known, _)| known == tag).map(|(_, value)| value.clone());
        let value = known.unwrap_or_else(|| value(tag, &mut rng));
        filled.push_str(&value);
        values.push((tag.to_owned(), value));
        rest = after;
    }
    filled.push_str(rest);
    let marked = filled.split('«').skip(1).filter_map(|part| part.split_once('»')).map(|(part, _)| part.to_owned()).collect();
    Made { text: filled.replace(['«', '»'], ""), marked }
}

fn unescaped(line: &str) -> String {
    let mut plain = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('n')) => plain.push('\n'),
            ('\\', Some('t')) => plain.push('\t'),
            ('\\', Some('r')) => plain.push('\r'),
            ('\\', Some('e')) => plain.push('\u{1b}'),
            ('\\', Some(other)) => plain.push(other),
            (c, _) => plain.push(c),
        }
    }
    plain
}

/// What stands before the next `{kind:length#number}`, the tag, and what stands behind.
fn next_tag(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(at, _)| {
        let (tag, after) = text[at + 1..].split_once('}')?;
        let kind = tag.split([':', '#']).next()?;
        let is_tag = KINDS.contains(&kind) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b':' || b == b'#');
        is_tag.then_some((&text[..at], tag, after))
    })
}

const KINDS: [&str; 19] = [
    "alnum",
    "hex",
    "HEX",
    "lower",
    "UPPER",
    "digits",
    "urlsafe",
    "base64ish",
    "letters",
    "BASE32",
    "small",
    "base64",
    "uuid",
    "password",
    "jwt",
    "basic",
    "chosen",
    "chosenq",
    "chosenurl",
];

fn value(tag: &str, rng: &mut ChaCha8Rng) -> String {
    let tag = tag.split('#').next().unwrap_or(tag);
    let (kind, length) = tag.split_once(':').unwrap_or((tag, "0"));
    let length: usize = length.parse().unwrap();
    let alphabet = match kind {
        "alnum" => format!("{SMALL}{CAPITAL}{DIGITS}"),
        "hex" => format!("{DIGITS}abcdef"),
        "HEX" => format!("{DIGITS}ABCDEF"),
        "lower" => format!("{SMALL}{DIGITS}"),
        "UPPER" => format!("{CAPITAL}{DIGITS}"),
        "urlsafe" => format!("{SMALL}{CAPITAL}{DIGITS}-_"),
        "base64ish" => format!("{SMALL}{CAPITAL}{DIGITS}+/"),
        "letters" => format!("{SMALL}{CAPITAL}"),
        "BASE32" => format!("{CAPITAL}234567"),
        "small" => SMALL.to_owned(),
        "digits" => DIGITS.to_owned(),
        "base64" => return STANDARD.encode((0..length).map(|_| rng.random()).collect::<Vec<u8>>()),
        "uuid" => return [8, 4, 4, 4, 12].map(|length| drawn(&format!("{DIGITS}abcdef"), length, rng)).join("-"),
        "password" => return password(rng),
        // What may stand without quotes, within quotes, and in a URL.
        "chosen" => return chosen("!#*_-+.?@%^", rng),
        "chosenq" => return chosen("!#*_-+.?@%^&;,=:", rng),
        "chosenurl" => return chosen("!*_-.~", rng),
        "jwt" => return jwt(rng),
        "basic" => return STANDARD.encode(format!("etl:{}", password(rng))),
        other => panic!("no such kind: {other}"),
    };
    drawn(&alphabet, length, rng)
}

fn drawn(alphabet: &str, length: usize, rng: &mut ChaCha8Rng) -> String {
    let letters = alphabet.as_bytes();
    (0..length).map(|_| char::from(letters[rng.random_range(0..letters.len())])).collect()
}

/// As people choose them.
fn password(rng: &mut ChaCha8Rng) -> String {
    const WORDS: [&str; 8] = ["Amber", "Harbor", "Cobalt", "Winter", "Falcon", "Granite", "Lagoon", "Tundra"];
    let word = WORDS[rng.random_range(0..WORDS.len())];
    let other = WORDS[rng.random_range(0..WORDS.len())];
    let number: u32 = rng.random_range(10..9999);
    match rng.random_range(0..4) {
        0 => format!("{word}{number}!"),
        1 => format!("{}-{}-{number}", word.to_lowercase(), other.to_lowercase()),
        2 => format!("Pr0d_{}", drawn(&format!("{SMALL}{CAPITAL}{DIGITS}"), 9, rng)),
        _ => format!("{word}{other}_{number}"),
    }
}

/// As [`password`], with any sign of `signs`.
fn chosen(signs: &str, rng: &mut ChaCha8Rng) -> String {
    const WORDS: [&str; 8] = ["River", "Marble", "Copper", "Orchid", "Thunder", "Saffron", "Pepper", "Comet"];
    let mut word = || WORDS[rng.random_range(0..WORDS.len())];
    let (first, second, third) = (word(), word(), word());
    let number: u32 = rng.random_range(10..9999);
    let alnum = format!("{SMALL}{CAPITAL}{DIGITS}");
    let sign = drawn(signs, 1, rng);
    match rng.random_range(0..8) {
        0 => format!("{first}{sign}{number}"),
        1 => format!("{first}{number}{sign}"),
        2 => format!("{}{second}{number}", first.to_lowercase()),
        3 => format!("{}-{}-{}{}", first.to_lowercase(), second.to_lowercase(), third.to_lowercase(), number % 100),
        4 => drawn(&alnum, 14, rng),
        5 => format!("{}{sign}{}{}{}", drawn(&alnum, 5, rng), drawn(&alnum, 5, rng), drawn(signs, 1, rng), drawn(&alnum, 3, rng)),
        6 => format!("{}{sign}{}{number}", first.to_uppercase(), second.to_lowercase()),
        _ => format!("P{sign}{}{number}", drawn(&format!("{SMALL}{CAPITAL}"), 6, rng)),
    }
}

fn jwt(rng: &mut ChaCha8Rng) -> String {
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
    let body = URL_SAFE_NO_PAD.encode(format!(r#"{{"sub":"{}","iat":1700000000}}"#, drawn(SMALL, 12, rng)));
    format!("{head}.{body}.{}", drawn(&format!("{SMALL}{CAPITAL}{DIGITS}-_"), 43, rng))
}
