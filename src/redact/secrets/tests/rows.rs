//! Each notation, issuer and look-alike that is known is a line in `tests/redaction/`: a new case is a line.

use super::made::made;
use super::*;

const SECRETS: &str = include_str!("../../../../tests/redaction/secrets.txt");
const LOOK_ALIKES: &str = include_str!("../../../../tests/redaction/look_alikes.txt");

/// Does the secret, or as much of it as would help somebody, stand in the text?
pub fn survives(secret: &str, out: &str) -> bool {
    let chars: Vec<char> = secret.chars().collect();
    let window = if chars.len() < 24 { (chars.len() / 2).max(6) } else { 12 };
    out.contains(secret) || chars.windows(window).any(|part| out.contains(&part.iter().collect::<String>()))
}

#[test]
fn what_is_marked_as_secret_goes() {
    for (number, line) in (0..).zip(SECRETS.lines()) {
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
    for (number, line) in (0..).zip(LOOK_ALIKES.lines()) {
        let made = made(line, number);
        let out = REDACTOR.redact(&made.text).text;
        for keep in &made.marked {
            assert!(out.contains(keep.as_str()), "line {}: {keep:?} is lost in {out:?}\nfrom {:?}", number + 1, made.text);
        }
    }
}
