//! Mail through a real SMTP server: TLS, login, a server that is down, a job name that tries to forge headers.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Agent, Process, Sim, of, python};

const DENIED: &str = "com.databricks.sql.PermissionException: [INSUFFICIENT_PERMISSIONS] User does not have SELECT on Table 'main.sales.orders'. SQLSTATE: 42501";

struct SmtpServer {
    process: Process,
    port: u64,
    folder: PathBuf,
}

impl SmtpServer {
    fn start(python: &Path, folder: &Path, port: u64, kind: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/smtp_server.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(folder)
            .args([&port.to_string(), kind, "runmend", "s3cret p:w@d"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("the SMTP server said {line:?}: {error}"));
        Self { process: Process { child }, port: ready["port"].as_u64().unwrap(), folder: folder.to_owned() }
    }

    fn url(&self, kind: &str) -> String {
        let login = "runmend:s3cret%20p%3Aw%40d";
        match kind {
            "tls" => format!("mail.smtp=smtps://{login}@localhost:{}", self.port),
            _ => format!("mail.smtp=smtp://{login}@localhost:{}?tls=starttls", self.port),
        }
    }

    fn ca(&self) -> String {
        format!("mail.ca_file={}", self.folder.join("ca.pem").display())
    }

    fn mails(&self) -> Vec<String> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.folder)
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "eml"))
            .collect();
        files.sort();
        files.iter().map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()).collect()
    }
}

async fn failing_job(sim: &Sim, name: &str) {
    sim.order(json!({"do": "fail", "job": name, "error": DENIED, "owner": "sales-data@example.com", "truth": "never"})).await;
}

async fn arrives(kind: &str) {
    let Some(python) = python("mail over TLS") else { return };
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    let server = SmtpServer::start(&python, &home.path().join("smtp"), 0, kind);
    failing_job(&sim, "orders_daily\r\nBcc: thief@example.com\r\n\r\nhello").await;

    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &["--set", &server.url(kind), "--set", &server.ca()]);
    let notified = agent.event("notified").await;
    assert_eq!((notified["channel"].as_str(), notified["to"].as_str()), (Some("smtp"), Some("sales-data@example.com")));
    agent.stop().await;

    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    let (head, _) = mails[0].split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("X-Rcpt: sales-data@example.com\r\n"), "nobody else got it: {head}");
    assert!(!head.lines().any(|line| line.starts_with("Bcc:")), "a job's name forged a header:\n{head}");
    assert!(mails[0].contains("INSUFFICIENT_PERMISSIONS") && mails[0].contains("permission"), "{}", mails[0]);
}

#[tokio::test]
async fn a_mail_arrives_over_starttls_with_login() {
    arrives("starttls").await;
}

#[tokio::test]
async fn a_mail_arrives_over_implicit_tls_with_login() {
    arrives("tls").await;
}

#[tokio::test]
async fn a_server_that_is_down_delays_the_mail_visibly_and_loses_none() {
    let Some(python) = python("a mail server that is down") else { return };
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    let mut server = SmtpServer::start(&python, &home.path().join("smtp"), 0, "starttls");
    let (url, ca) = (server.url("starttls"), server.ca());
    server.process.kill();
    failing_job(&sim, "orders_daily").await;

    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &["--set", &url, "--set", &ca]);
    let degraded = agent.until("degraded mail", |event| event["event"] == "degraded" && event["part"] == "mail").await;
    assert!(!degraded["reason"].as_str().unwrap().contains("s3cret"), "{degraded}");
    let (heard, _) = agent.stop().await;
    assert!(of(&heard, "notified").is_empty());

    // The certificate is a new one after a restart; a client that is told its CA trusts it.
    let server = SmtpServer::start(&python, &server.folder, server.port, "starttls");
    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &["--set", &url, "--set", &ca]);
    agent.event("notified").await;
    agent.stop().await;
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn a_wrong_certificate_gets_no_password() {
    let Some(python) = python("a wrong certificate") else { return };
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    let server = SmtpServer::start(&python, &home.path().join("smtp"), 0, "tls");
    failing_job(&sim, "orders_daily").await;
    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &["--set", &server.url("tls")]);
    agent.until("degraded mail", |event| event["event"] == "degraded" && event["part"] == "mail").await;
    agent.stop().await;
    assert!(server.mails().is_empty());
}
