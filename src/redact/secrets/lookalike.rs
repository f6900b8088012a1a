//! What is drawn at random and no secret: ids, hashes, hosts, versions.

use super::random::{Makeup, Pairs};
use super::value::{is_class_name, is_number, is_uuid};

/// Is the word one of them?
pub fn is_lookalike(word: &str, pairs: &Pairs) -> bool {
    let makeup = Makeup::of(word, pairs);
    is_uuid(word)
        || is_cluster_id(word)
        || is_fingerprint(word)
        || makeup.is_hex() && makeup.length >= 7
        || is_number(word)
        || word.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
        || is_class_name(word)
        || [
            "part-",
            "app-",
            "application_",
            "job-",
            "run-",
            "task-",
            "i-",
            "sg-",
            "vpc-",
            "subnet-",
            "ami-",
            "req_",
            "chatcmpl-",
            "resp_",
            "msg_",
            "call_",
            "thread_",
            "asst_",
            "file-",
            "cus_",
            "evt_",
            "org-",
            "in_",
            "x-",
            "adb-",
            "arn:",
            "sha256",
            "sha512",
            "md5",
        ]
        .iter()
        .any(|start| word.starts_with(start))
        || word.contains('@') && word.contains('.') && !word.ends_with('.') && makeup.other <= 4 && word.split('@').count() == 2
}

/// `0608-320420-a5906j1x`, as Databricks names clusters.
fn is_cluster_id(word: &str) -> bool {
    let digits = |part: Option<&str>, length: usize| part.is_some_and(|part| part.len() == length && is_number(part));
    let mut parts = word.split('-');
    digits(parts.next(), 4)
        && digits(parts.next(), 6)
        && parts.next().is_some_and(|end| (6..=14).contains(&end.len()) && end.bytes().all(|b| b.is_ascii_alphanumeric()))
        && parts.next().is_none()
}

/// `c6:3f:0c:…`: the bytes of a hash.
pub fn is_fingerprint(word: &str) -> bool {
    const BYTES_MIN: usize = 6;
    word.split(':').count() >= BYTES_MIN && word.split(':').all(|byte| byte.len() == 2 && byte.bytes().all(|b| b.is_ascii_hexdigit()))
}
