//! A [`Mail`] as RFC 5322 text, with a head that nothing in it can forge.

use std::time::SystemTime;

use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue, MIME_VERSION_1_0};
use sha2::{Digest, Sha256};

use super::ChannelError;
use crate::domain::mail::Mail;
use crate::redact::control::{one_line, strip_control};

/// Longest subject, characters: more is cut off by every mail reader, and a line of the head may hold 998 bytes.
const SUBJECT_CHARS_MAX: usize = 180;
/// Longest incident id in the head, characters.
const INCIDENT_CHARS_MAX: usize = 120;
/// Longest line of a body, bytes. Source: RFC 5322, 2.1.1 (998 without the line's end).
const LINE_BYTES_MAX: usize = 900;

/// The sender, checked once.
pub(super) fn sender(from: &str) -> Result<Mailbox, ChannelError> {
    from.parse().map_err(|_| ChannelError::Never(format!("the sender `{}` is no mail address", one_line(from))))
}

pub(super) fn message(mail: &Mail, from: &Mailbox, date: SystemTime) -> Result<Message, ChannelError> {
    let to: Mailbox =
        mail.to.parse().map_err(|_| ChannelError::Never(format!("`{}` is no mail address", bounded(&one_line(&mail.to), 100))))?;
    Message::builder()
        .from(from.clone())
        .to(to)
        .subject(head_text(&mail.subject, SUBJECT_CHARS_MAX))
        .date(date)
        .message_id(Some(format!("<{}@{}>", key_hash(&mail.dedup_key), from.email.domain())))
        // An auto-responder must not answer. Source: RFC 3834, 5.
        .header(AutoSubmitted)
        .header(IncidentHeader(head_text(mail.incident.as_str(), INCIDENT_CHARS_MAX)))
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN)
        .body(body_text(&mail.body))
        .map_err(|error| ChannelError::Never(format!("the mail cannot be written: {error}")))
}

/// The mail's stable name: 32 hex digits.
pub(super) fn key_hash(dedup_key: &str) -> String {
    Sha256::digest(dedup_key.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// One line, bounded, and without the start of an encoded word: a name must not speak through a reader's decoder.
fn head_text(text: &str, chars_max: usize) -> String {
    bounded(&one_line(text), chars_max).replace("=?", "= ?")
}

pub(super) fn bounded(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    text.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect()
}

fn body_text(text: &str) -> String {
    let clean = strip_control(text);
    let mut body = String::with_capacity(clean.len());
    for line in clean.lines() {
        let mut width = 0;
        for c in line.chars() {
            width += c.len_utf8();
            if width > LINE_BYTES_MAX {
                body.push_str("\r\n");
                width = c.len_utf8();
            }
            body.push(c);
        }
        body.push_str("\r\n");
    }
    body
}

#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[derive(Clone)]
struct IncidentHeader(String);

impl Header for IncidentHeader {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("X-Runmend-Incident")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ids::IncidentId;
    use crate::domain::mail::MailKind;

    fn written(subject: &str, incident: &str, body: &str) -> Vec<u8> {
        let mail = Mail {
            dedup_key: format!("{incident}#1/owner"),
            incident: IncidentId::from(incident),
            kind: MailKind::Owner,
            to: "data@example.com".to_owned(),
            subject: subject.to_owned(),
            body: body.to_owned(),
        };
        let from = sender("runmend <runmend@example.org>").unwrap();
        message(&mail, &from, SystemTime::UNIX_EPOCH).unwrap().formatted()
    }

    const HEAD: [&str; 10] = [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "X-Runmend-Incident",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ];

    /// Names of the head's lines as a mail server sees them; a folded line belongs to the one before it.
    fn names(bytes: &[u8]) -> Vec<String> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap().to_owned();
        head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])).map(|line| line.split(':').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_mail_as_it_is_sent() {
        let text = String::from_utf8(written("job x failed", "acme/7", "one\ntwo")).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "one\r\ntwo\r\n");
        let hash = key_hash("acme/7#1/owner");
        for line in [
            "To: data@example.com",
            "Subject: job x failed",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000",
            &format!("Message-ID: <{hash}@example.org>"),
            "Auto-Submitted: auto-generated",
            "X-Runmend-Incident: acme/7",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(head.lines().any(|have| have == line), "{line}\n{head}");
        }
    }

    #[test]
    fn a_hostile_name_adds_no_line() {
        for name in [
            "x\r\nBcc: evil@example.net",
            "x\nX: y",
            "x\r\n\r\nbody",
            "=?utf-8?q?=0D=0ABcc:_e@example.net?=",
            "x\u{2028}Bcc: y",
            "\0\u{b}\u{c}",
        ] {
            let bytes = written(name, name, name);
            assert_eq!(names(&bytes), HEAD, "{name:?}");
            assert!(!String::from_utf8(bytes).unwrap().to_lowercase().contains("subject: =?utf-8?q"), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn the_head_has_our_lines_whatever_the_names(subject in any::<String>(), incident in any::<String>(), body in any::<String>()) {
            let bytes = written(&subject, &incident, &body);
            prop_assert_eq!(names(&bytes), HEAD);
            let text = String::from_utf8(bytes).unwrap();
            for line in text.split("\r\n") {
                prop_assert!(line.len() <= 998 && !line.contains(['\r', '\n']), "{} bytes", line.len());
            }
        }

        #[test]
        fn long_words_stay_within_a_line(word in "[a-z]{1,3}|[äöü東]{1,2}", times in 1_usize..2000) {
            let long = word.repeat(times);
            let text = String::from_utf8(written(&long, &long, &long)).unwrap();
            prop_assert!(text.split("\r\n").all(|line| line.len() <= 998));
        }
    }
}
