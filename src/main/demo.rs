//! `--demo`: any mode on an embedded simulated workspace. It differs from a real one by its configuration only.

use std::path::{Path, PathBuf};
use std::time::Duration;

use runmend::config::{Config, Inputs, Loaded};
use runmend::sim::{Options, Scenario, Simulator};
use tokio::sync::watch;

use crate::fault::{Exit, Fault};
use crate::telling::{Told, Voice};
use crate::unattended::{self, Span};

/// How long the story is told where stdout is no terminal. Source: contract.md.
pub const STORY: Duration = Duration::from_secs(60);

/// The paces of a workspace in which a minute shows a night: stronger than the user's own files, weaker than their `--set`.
const PACE: &[(&str, &str)] = &[
    ("workspace.name", "demo"),
    ("poll.interval", "1s"),
    ("watch.interval", "500ms"),
    ("retry.base_delay", "3s"),
    ("retry.max_delay", "10s"),
    ("mail.smtp", "file:"),
    ("mail.from", "runmend@localhost"),
    ("mail.default_to", "data-platform@example.com"),
    ("mail.on_call", "on-call@example.com"),
    ("policy.critical", "payments_*"),
    ("llm.provider", "azure"),
    ("llm.deployment", "simulated-model"),
    ("llm.ask", "always"),
    ("llm.daily_budget", "1"),
];

/// The workspace, its folder, and a configuration that leads there. All of it goes when this is dropped.
pub struct Demo {
    pub loaded: Loaded,
    pub simulator: Simulator,
    folder: Folder,
}

impl Demo {
    pub async fn start(mut inputs: Inputs) -> Result<Self, Fault> {
        let folder = folder()?;
        let options = Options { scenario: Scenario::embedded_demo(), ..Options::default() };
        let simulator = Simulator::start(options)
            .await
            .map_err(|error| Fault::usage(error.to_string(), "close what uses the ports of this machine and try again"))?;
        let ready = simulator.ready();
        let mut sets: Vec<String> = PACE.iter().map(|(key, value)| format!("{key}={value}")).collect();
        sets.extend(
            [
                ("workspace.host", &ready.url),
                ("workspace.token", &ready.token),
                ("llm.base_url", &ready.url),
                ("llm.api_key", &ready.token),
            ]
            .map(|(key, value)| format!("{key}={value}")),
        );
        sets.push(format!("data_dir={}", folder.0.display()));
        if inputs.options.ledger.is_none() {
            sets.push(format!("ledger={}", folder.0.join("ledger.db").display()));
        }
        sets.append(&mut inputs.options.sets);
        inputs.options.sets = sets;
        // A real workspace's profile has no business here.
        inputs.options.profiles.clear();
        let loaded = Config::load(&inputs)?;
        Ok(Self { loaded, simulator, folder })
    }

    /// Ends the workspace; its folder goes with it.
    pub async fn end(self) {
        self.simulator.stop().await;
    }

    pub fn outbox(&self) -> PathBuf {
        self.folder.0.join("outbox")
    }
}

/// Made for one demo and gone with it.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn folder() -> Result<Folder, Fault> {
    let folder = std::env::temp_dir().join(format!("runmend-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| {
        Fault::usage(format!("cannot make a folder for the demo: {error}"), "set TMPDIR to a folder that you may write")
            .at(folder.display().to_string())
    })?;
    Ok(Folder(folder))
}

/// The story as text: what happens within a minute, and what came of it.
pub async fn story(demo: &Demo, stop: watch::Receiver<bool>) -> Result<Exit, Fault> {
    println!(
        "runmend {} on a simulated workspace: jobs run there, fail in different ways, and react truthfully to what is done.",
        env!("CARGO_PKG_VERSION")
    );
    println!("The same as text, since stdout is no terminal; it ends after a minute. In a terminal, `--demo` opens the console.\n");
    let (exit, told) = unattended::run(&demo.loaded, Voice::Story, Span::UntilStopped, stop).await?;
    print!("{}", summary(&told, &demo.outbox()));
    Ok(exit)
}

fn summary(told: &Told, outbox: &Path) -> String {
    let mut text = format!(
        "\nIn this minute: {} failures seen, {} re-runs started, {} runs mended, {} failed again, {} superseded by a person.\n",
        told.detected, told.acted, told.mended, told.failed_again, told.superseded
    );
    text.push_str(&format!("{} decisions wait for a person's approval; {} mails went out:\n", told.awaiting, told.mailed));
    for subject in subjects(outbox) {
        text.push_str(&format!("  {subject}\n"));
    }
    text.push_str("Every step of this is in the ledger's audit trail. On your own workspace: runmend --observe first, then runmend.\n");
    text
}

/// The subjects of the mails in the outbox, by file name.
fn subjects(outbox: &Path) -> Vec<String> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(outbox).map(|entries| entries.flatten().map(|entry| entry.path()).collect()).unwrap_or_default();
    files.sort();
    let subject = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).ok()?;
        let head = text.split("\r\n\r\n").next()?.replace("\r\n ", " ");
        head.lines().find_map(|line| line.strip_prefix("Subject: ").map(str::to_owned))
    };
    files.iter().filter_map(subject).collect()
}
