//! Each notation, issuer and look-alike that is known is a line in `tests/redaction/`: a new case is a line.

use super::made::made;
use super::*;

pub const SECRETS: [&str; 5] = [
    include_str!("../../../../tests/redaction/secrets_fourth.txt"),
    include_str!("../../../../tests/redaction/secrets_third.txt"),
    include_str!("../../../../tests/redaction/secrets_second.txt"),
    include_str!("../../../../tests/redaction/secrets.txt"),
    include_str!("../../../../tests/redaction/secrets_wider.txt"),
];
pub const LOOK_ALIKES: [&str; 5] = [
    include_str!("../../../../tests/redaction/look_alikes_fourth.txt"),
    include_str!("../../../../tests/redaction/look_alikes_third.txt"),
    include_str!("../../../../tests/redaction/look_alikes_second.txt"),
    include_str!("../../../../tests/redaction/look_alikes.txt"),
    include_str!("../../../../tests/redaction/look_alikes_wider.txt"),
];

/// Does the secret, or as much of it as would help somebody, stand in the text?
pub fn survives(secret: &str, out: &str) -> bool {
    let chars: Vec<char> = secret.chars().collect();
    let window = if chars.len() < 24 { (chars.len() / 2).max(6) } else { 12 };
    out.contains(secret) || chars.windows(window).any(|part| out.contains(&part.iter().collect::<String>()))
}

/// The lines of the files, each with its number in its own file, which is the seed of its values.
pub fn lines<const FILES: usize>(files: [&'static str; FILES]) -> impl Iterator<Item = (u64, &'static str)> {
    files.into_iter().flat_map(|file| (0..).zip(file.lines()))
}

#[test]
fn what_is_marked_as_secret_goes() {
    for (number, line) in lines(SECRETS) {
        let made = made(line, number);
        let out = REDACTOR.redact(&made.text).text;
        assert!(!made.marked.is_empty(), "line {} marks nothing: {line}", number + 1);
        for secret in &made.marked {
            assert!(!survives(secret, &out), "line {}: {secret:?} stands in {out:?}\nfrom {:?}", number + 1, made.text);
        }
    }
}

#[test]
fn what_only_looks_like_a_secret_stays() {
    for (number, line) in lines(LOOK_ALIKES) {
        let made = made(line, number);
        let out = REDACTOR.redact(&made.text).text;
        for keep in &made.marked {
            assert!(out.contains(keep.as_str()), "line {}: {keep:?} is lost in {out:?}\nfrom {:?}", number + 1, made.text);
        }
    }
}
