//! Which way mails go out: the setting `mail.smtp`.

use std::fmt;
use std::path::{Path, PathBuf};

use lettre::Address;
use lettre::message::Mailbox;
use url::{Host, Url};

use crate::domain::secret::{REDACTED, Secret};

/// Longest mail address accepted, bytes. Source: RFC 5321, 4.5.3.1 (64 local part, 255 domain, `@`).
const ADDRESS_BYTES_MAX: usize = 320;

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Plain first, then STARTTLS; refused if the server does not offer it.
    StartTls,
    /// TLS from the first byte (`smtps://`).
    Implicit,
    /// Nothing. Default only to this machine; elsewhere it must be asked for (`?tls=none`).
    None,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpServer {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// A further trusted certificate authority, PEM.
    pub ca_file: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    Smtp(SmtpServer),
    /// Each mail is a file in this folder. Empty: the outbox of the data folder.
    Outbox(PathBuf),
}

/// Why a text is no way out. Never repeats the text, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWay {
    #[error("smtp://host:port, smtps://host:port or file:folder")]
    Scheme,
    #[error("a mail server's host")]
    Host,
    #[error("`tls` to be starttls or none, and no other parameter")]
    Parameter,
    #[error("user and password together, `user:password@`, percent-encoded where needed")]
    Login,
}

/// One mail address, nothing before or after it.
pub fn is_address(text: &str) -> bool {
    text.len() <= ADDRESS_BYTES_MAX && text.parse::<Address>().is_ok()
}

/// As [`is_address`], with a display name allowed before it.
pub fn is_mailbox(text: &str) -> bool {
    text.len() <= ADDRESS_BYTES_MAX && text.parse::<Mailbox>().is_ok()
}

impl Way {
    pub fn parse(text: &str) -> Result<Self, NoWay> {
        if let Some(folder) = text.strip_prefix("file:") {
            return Ok(Self::Outbox(PathBuf::from(folder.strip_prefix("//").unwrap_or(folder))));
        }
        let url = Url::parse(text).map_err(|_| NoWay::Scheme)?;
        let implicit = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(NoWay::Scheme),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(NoWay::Host)?;
        let mut tls = match (implicit, is_this_machine(&url)) {
            (true, _) => Tls::Implicit,
            (false, true) => Tls::None,
            (false, false) => Tls::StartTls,
        };
        for (name, value) in url.query_pairs() {
            tls = match (name.as_ref(), value.as_ref(), implicit) {
                ("tls", "none", false) => Tls::None,
                ("tls", "starttls", false) => Tls::StartTls,
                _ => return Err(NoWay::Parameter),
            };
        }
        let user = decoded(url.username()).ok_or(NoWay::Login)?;
        let password = url.password().map(|password| decoded(password).ok_or(NoWay::Login)).transpose()?;
        if user.is_empty() != password.is_none() {
            return Err(NoWay::Login);
        }
        Ok(Self::Smtp(SmtpServer {
            // An IPv6 host stands in brackets in a URL and without them in a socket address.
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(if implicit { 465 } else { 587 }),
            tls,
            user: Some(user).filter(|user| !user.is_empty()),
            password: password.map(Secret::new),
            ca_file: None,
        }))
    }

    /// With its paths made whole: the default outbox is in the data folder, a relative one starts at `base`.
    pub fn placed(self, data_dir: &Path, base: &Path, ca: Option<PathBuf>) -> Self {
        match self {
            Self::Smtp(server) => Self::Smtp(SmtpServer { ca_file: ca, ..server }),
            Self::Outbox(folder) if folder.as_os_str().is_empty() => Self::Outbox(data_dir.join("outbox")),
            Self::Outbox(folder) => Self::Outbox(base.join(folder)),
        }
    }
}

/// Without the password.
impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outbox(folder) => write!(f, "file:{}", folder.display()),
            Self::Smtp(server) => {
                let (scheme, tail) = match server.tls {
                    Tls::Implicit => ("smtps", ""),
                    Tls::StartTls => ("smtp", "?tls=starttls"),
                    Tls::None => ("smtp", "?tls=none"),
                };
                let login = server.user.as_deref().map(|user| format!("{user}:{REDACTED}@")).unwrap_or_default();
                write!(f, "{scheme}://{login}{}:{}{tail}", server.host, server.port)
            }
        }
    }
}

fn is_this_machine(url: &Url) -> bool {
    // `smtp` is no special scheme, so that even an address in numbers is a domain to the parser.
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback()),
        None => false,
    }
}

/// Percent-decoded, UTF-8 and without control characters.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: Result<&str, NoWay>) {
        assert_eq!(Way::parse(text).map(|way| way.to_string()), want.map(str::to_owned), "{text}");
    }

    #[test]
    fn ways_out() {
        check("file:", Ok("file:"));
        check("file:mails", Ok("file:mails"));
        check("file:///var/mails", Ok("file:/var/mails"));
        check("smtp://mail.example.com", Ok("smtp://mail.example.com:587?tls=starttls"));
        check("smtp://mail.example.com:25?tls=none", Ok("smtp://mail.example.com:25?tls=none"));
        check("smtp://127.0.0.1:2525", Ok("smtp://127.0.0.1:2525?tls=none"));
        check("smtp://localhost:2525?tls=starttls", Ok("smtp://localhost:2525?tls=starttls"));
        check("smtp://127.evil.example:25", Ok("smtp://127.evil.example:25?tls=starttls"));
        check("smtps://a%40b:p%3Aw@mail.example.com", Ok("smtps://a@b:‹redacted›@mail.example.com:465"));
        check("smtps://mail.example.com?tls=none", Err(NoWay::Parameter));
        check("smtp://mail.example.com?verify=no", Err(NoWay::Parameter));
        check("smtp://user@mail.example.com", Err(NoWay::Login));
        check("smtp://user:p%0aw@mail.example.com", Err(NoWay::Login));
        check("https://mail.example.com", Err(NoWay::Scheme));
        check("mail.example.com", Err(NoWay::Scheme));
        check("smtp://", Err(NoWay::Host));
    }
}
