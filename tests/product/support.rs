//! The real binary and its peers, as a user would start them.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

/// What a test waits for comes within this, or the test says what came instead. Generous: machines that build are slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary without the environment of whoever runs the tests.
pub fn runmend(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runmend"));
    command.env_clear().env("HOME", home).env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(home);
    command.env("TMPDIR", home).stdin(Stdio::null());
    command
}

/// Runs to its end; gives stdout, stderr and the exit code.
pub fn output(command: &mut Command) -> (String, String, Option<i32>) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (String::from_utf8_lossy(&stdout).into_owned(), String::from_utf8_lossy(&stderr).into_owned(), status.code())
}

/// A process that is killed with its test.
pub struct Process {
    pub child: Child,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    /// Asks it to end as an operator's `kill` does, and waits for it.
    pub fn terminate(&mut self) -> Option<i32> {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap().code()
    }

    /// As a power cut.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The simulated workspace, a process of its own.
pub struct Sim {
    _process: Process,
    pub url: String,
    pub token: String,
    book_url: String,
    control_url: String,
    http: reqwest::Client,
}

impl Sim {
    /// With nothing happening in it but what the test asks for.
    pub fn start(home: &Path) -> Self {
        let scenario = home.join("quiet.toml");
        std::fs::write(&scenario, "").unwrap();
        Self::start_with(home, &["--scenario", scenario.to_str().unwrap()])
    }

    pub fn start_with(home: &Path, arguments: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut command = runmend(home);
        command.args(["sim", "--listen", "127.0.0.1:0"]).args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("the simulator said {line:?}: {error}"));
        let word = |name: &str| ready[name].as_str().unwrap().to_owned();
        Self {
            _process: Process { child },
            url: word("url"),
            token: word("token"),
            book_url: word("book_url"),
            control_url: word("control_url"),
            http: reqwest::Client::new(),
        }
    }

    /// What the simulator answers to an order.
    pub async fn order(&self, order: Value) -> Value {
        let answer = self.http.post(&self.control_url).json(&order).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{order}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Calls that arrived, oldest first.
    pub async fn calls(&self) -> Vec<Value> {
        let book: Value = self.http.get(&self.book_url).send().await.unwrap().json().await.unwrap();
        book["calls"].as_array().unwrap().clone()
    }

    /// Calls that arrived at paths that end so.
    pub async fn calls_to(&self, end: &str) -> Vec<Value> {
        self.calls().await.into_iter().filter(|call| call["path"].as_str().unwrap().split('?').next().unwrap().ends_with(end)).collect()
    }

    /// What any client of the workspace reads.
    pub async fn get(&self, path: &str) -> Value {
        self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token).send().await.unwrap().json().await.unwrap()
    }
}

/// An agent at work, and what it says.
pub struct Agent {
    pub process: Process,
    events: mpsc::UnboundedReceiver<Value>,
    /// Everything that was said so far.
    pub heard: Vec<Value>,
    stderr: PathBuf,
}

/// Paces under which a test need not wait.
pub const QUICK: &[&str] = &[
    "--set",
    "poll.interval=200ms",
    "--set",
    "watch.interval=200ms",
    "--set",
    "retry.base_delay=200ms",
    "--set",
    "mail.default_to=data@example.com",
];

impl Agent {
    /// `--auto --json` on the workspace, with its ledger and outbox under `home`.
    pub fn auto(home: &Path, url: &str, token: &str, arguments: &[&str]) -> Self {
        let mut all = vec!["--auto", "--json"];
        all.extend(arguments);
        Self::start(home, url, token, &all)
    }

    pub fn start(home: &Path, url: &str, token: &str, arguments: &[&str]) -> Self {
        let stderr = home.join("stderr.txt");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(&stderr).unwrap();
        let mut command = runmend(home);
        command.env("DATABRICKS_HOST", url).env("DATABRICKS_TOKEN", token).args(QUICK).args(arguments);
        command.args(["--set".to_owned(), format!("data_dir={}", home.join("data").display())]);
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (sender, events) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or_else(|_| json!({ "not_json": line }));
                if sender.send(event).is_err() {
                    break;
                }
            }
        });
        Self { process: Process { child }, events, heard: Vec::new(), stderr }
    }

    /// The first event from now on that is as asked for.
    pub async fn until(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let found = tokio::time::timeout(PATIENCE, async {
            while let Some(event) = self.events.recv().await {
                self.heard.push(event.clone());
                if is_it(&event) {
                    return Some(event);
                }
            }
            None
        });
        match found.await {
            Ok(Some(event)) => event,
            ended => panic!(
                "no {what} ({}). Heard:\n{}\nstderr:\n{}",
                if ended.is_ok() { "the agent ended" } else { "in time" },
                self.heard.iter().map(Value::to_string).collect::<Vec<_>>().join("\n"),
                self.log()
            ),
        }
    }

    /// The next event of this name.
    pub async fn event(&mut self, name: &str) -> Value {
        self.until(name, |event| event["event"] == name).await
    }

    /// The next outcome with this result.
    pub async fn outcome(&mut self, result: &str) -> Value {
        self.until(&format!("outcome {result}"), |event| event["event"] == "outcome" && event["result"] == result).await
    }

    /// Ends it politely; everything it said, to the last line.
    pub async fn stop(mut self) -> (Vec<Value>, Option<i32>) {
        let code = self.process.terminate();
        while let Some(event) = self.events.recv().await {
            self.heard.push(event);
        }
        (std::mem::take(&mut self.heard), code)
    }

    pub fn log(&self) -> String {
        let mut text = String::new();
        let _ = std::fs::File::open(&self.stderr).map(|mut file| file.read_to_string(&mut text));
        text
    }
}

/// All that was heard of one event.
pub fn of<'a>(heard: &'a [Value], name: &str) -> Vec<&'a Value> {
    heard.iter().filter(|event| event["event"] == name).collect()
}

/// The mails in the outbox, whole.
pub fn mails(home: &Path) -> Vec<String> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(home.join("data/outbox"))
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    // What a killed process left half written has another name, and is no mail.
    files.retain(|path| path.extension().is_some_and(|end| end == "eml"));
    files.sort();
    files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// A Python with the packages of tests/requirements.txt; `None` on a machine without, where the test says so and is skipped.
/// With `CI=true` the absence is a failure.
pub fn python(test: &str) -> Option<PathBuf> {
    let python = std::env::var_os("RUNMEND_TEST_PYTHON").map(PathBuf::from).filter(|path| path.exists());
    if python.is_none() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{test}: RUNMEND_TEST_PYTHON names no Python");
        // Straight to stderr: what a passing test prints is not shown, and a skip must be seen.
        let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
        let _ = writeln!(std::io::stderr(), "skipped ({count} so far): {test}: RUNMEND_TEST_PYTHON is not set (.ci/run makes that Python)");
    }
    python
}
