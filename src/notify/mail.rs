//! Mail through an SMTP server.

use std::error::Error;
use std::fs;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as LettreTls, TlsParameters};
use lettre::transport::smtp::response::Severity;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::message::{bounded, message, sender};
use super::way::{SmtpServer, Tls};
use super::{Channel, ChannelError};
use crate::domain::mail::Mail;
use crate::domain::secret::{REDACTED, Secret};
use crate::redact::control::one_line;

/// Longest wait for one answer of the server.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// Longest time for a whole mail: a server that answers one byte a second must not hold up the others.
const MAIL_TIMEOUT: Duration = Duration::from_secs(90);
/// Longest reason that is kept, characters: a server's words go to the console and the log.
const REASON_CHARS_MAX: usize = 300;

/// One connection a mail: mails are rare, and a connection kept open for the next one is usually closed by then.
///
/// Caveat: when the server's last answer is lost, the mail is sent again later. It has the same Message-ID, by which readers
/// know it as one.
pub struct SmtpChannel {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    place: String,
    password: Option<Secret>,
}

impl SmtpChannel {
    /// Reads the trusted authorities: the system's (`SSL_CERT_FILE` honoured) and `ca_file`. Connects to nothing yet.
    pub fn new(server: &SmtpServer, from: &str) -> Result<Self, ChannelError> {
        let tls = match server.tls {
            Tls::None => LettreTls::None,
            Tls::StartTls => LettreTls::Required(parameters(server)?),
            Tls::Implicit => LettreTls::Wrapper(parameters(server)?),
        };
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host).port(server.port).timeout(Some(ANSWER_TIMEOUT)).tls(tls);
        if let (Some(user), Some(password)) = (&server.user, &server.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
        }
        Ok(Self {
            transport: builder.build(),
            from: sender(from)?,
            place: format!("{}:{}", server.host, server.port),
            password: server.password.clone(),
        })
    }

    fn refused(&self, error: &lettre::transport::smtp::Error) -> ChannelError {
        let mut reason = error.to_string();
        let mut inner = error.source();
        while let Some(cause) = inner {
            let words = cause.to_string();
            if !reason.contains(&words) {
                reason.push_str(&format!(": {words}"));
            }
            inner = cause.source();
        }
        if let Some(password) = &self.password {
            reason = reason.replace(password.expose(), REDACTED);
        }
        let reason = bounded(&one_line(&reason), REASON_CHARS_MAX);
        let place = &self.place;
        match error.status() {
            Some(code) => match (code.severity, code.to_string().parse().unwrap_or(0_u16)) {
                // The login can be corrected in the configuration, and then the mail goes out. Source: RFC 4954, 6.
                (Severity::PermanentNegativeCompletion, 530 | 534 | 535 | 538) => {
                    ChannelError::Later(format!("mail server {place} refused our login: {reason}"))
                }
                // This recipient, sender or text. Source: RFC 5321, 4.2.3.
                (Severity::PermanentNegativeCompletion, 550..=559) => {
                    ChannelError::Never(format!("mail server {place} refused the mail: {reason}"))
                }
                _ => ChannelError::Later(format!("mail server {place} does not take the mail now: {reason}")),
            },
            None if error.is_tls() => ChannelError::Later(format!("no secure connection to mail server {place}: {reason}")),
            None if error.is_timeout() => ChannelError::Later(format!("mail server {place} does not answer: {reason}")),
            None => ChannelError::Later(format!("cannot reach mail server {place}: {reason}")),
        }
    }
}

fn parameters(server: &SmtpServer) -> Result<TlsParameters, ChannelError> {
    let mut builder = TlsParameters::builder(server.host.clone());
    if let Some(path) = &server.ca_file {
        let wrong = |reason: String| ChannelError::Later(format!("cannot use mail.ca_file {}: {reason}", path.display()));
        let pem = fs::read(path).map_err(|error| wrong(error.to_string()))?;
        if !pem.windows(10).any(|window| window == b"-----BEGIN") {
            return Err(wrong("it holds no PEM certificate".to_owned()));
        }
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| wrong(error.to_string()))?);
    }
    builder.build().map_err(|error| ChannelError::Later(format!("TLS for mail server {} cannot be set up: {error}", server.host)))
}

#[async_trait]
impl Channel for SmtpChannel {
    fn name(&self) -> &'static str {
        "smtp"
    }

    async fn send(&self, mail: &Mail) -> Result<(), ChannelError> {
        let message = message(mail, &self.from, SystemTime::now())?;
        match tokio::time::timeout(MAIL_TIMEOUT, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.refused(&error)),
            Err(_) => Err(ChannelError::Later(format!("mail server {} took longer than {} s", self.place, MAIL_TIMEOUT.as_secs()))),
        }
    }
}
