//! The console in a real terminal (a pseudo terminal, read by a terminal emulator): what a person sees and presses.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use axum::extract::State;
use futures_util::stream::{self, StreamExt};
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Agent, QUICK, Sim, output, runmend};

const PATIENCE: Duration = Duration::from_secs(60);
const REFUSED: &str = "java.net.ConnectException: Connection refused (Connection refused)";

/// What came out of the program, raw and as a screen.
struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
    ended: bool,
}

struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    _master: Box<dyn MasterPty + Send>,
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Terminal {
    fn start(home: &Path, (width, height): (u16, u16), environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows: height, cols: width, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_runmend"));
        command.env_clear();
        command.cwd(home);
        for (name, value) in
            [("HOME", home.to_str().unwrap()), ("TMPDIR", home.to_str().unwrap()), ("TERM", "xterm-256color"), ("USER", "operator")]
        {
            command.env(name, value);
        }
        for (name, value) in environment {
            command.env(name, value);
        }
        command.args(arguments);
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let seen = Arc::new((
            Mutex::new(Seen { parser: vt100::Parser::new(nonzero(height), nonzero(width), 0), raw: Vec::new(), ended: false }),
            Condvar::new(),
        ));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            loop {
                let read = reader.read(&mut bytes).unwrap_or(0);
                let mut seen = writer.0.lock().unwrap();
                seen.parser.process(&bytes[..read]);
                seen.raw.extend_from_slice(&bytes[..read]);
                seen.ended = read == 0;
                writer.1.notify_all();
                if read == 0 {
                    break;
                }
            }
        });
        let keyboard = pair.master.take_writer().unwrap();
        Self { child, keyboard, seen, _master: pair.master }
    }

    fn on_workspace(home: &Path, size: (u16, u16), sim: &Sim, arguments: &[&str]) -> Self {
        let data = format!("data_dir={}", home.join("data").display());
        let all: Vec<&str> = QUICK.iter().copied().chain(["--set", &data]).chain(arguments.iter().copied()).collect();
        Self::start(home, size, &[("DATABRICKS_HOST", &sim.url), ("DATABRICKS_TOKEN", &sim.token)], &all)
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits until the screen is as asked for, and gives it.
    fn until(&self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().unwrap();
        loop {
            let screen = seen.parser.screen().contents();
            if is_it(&screen) {
                return screen;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !seen.ended, "the screen never showed {what}:\n{screen}");
            seen = self.seen.1.wait_timeout(seen, left).unwrap().0;
        }
    }

    fn shows(&self, words: &str) -> String {
        self.until(words, |screen| screen.contains(words))
    }

    /// The exit code, and that the terminal was given back: main screen, cursor, no paste mode.
    fn ends_well(mut self) -> u32 {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = self.seen.0.lock().unwrap();
        while !seen.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it did not end:\n{}", seen.parser.screen().contents());
            seen = self.seen.1.wait_timeout(seen, left).unwrap().0;
        }
        let code = self.child.wait().unwrap().exit_code();
        assert!(!seen.parser.screen().alternate_screen(), "the alternate screen was left on");
        assert!(!seen.parser.screen().hide_cursor(), "the cursor was left hidden");
        assert!(!seen.parser.screen().bracketed_paste(), "bracketed paste was left on");
        drop(seen);
        code
    }
}

#[tokio::test]
async fn a_person_approves_and_sees_the_run_mended() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "fail", "job": "rates_import", "error": REFUSED, "truth": {"passes_after": 1}})).await;
    let mut terminal = Terminal::on_workspace(home.path(), (120, 36), &sim, &[]);
    let screen = terminal.until("the decision", |screen| screen.contains("awaiting") && screen.contains("/api/2.2/jobs/runs/repair"));
    assert!(screen.contains("rates_import") && screen.contains("network"), "{screen}");
    assert!(sim.calls_to("/runs/repair").await.is_empty());
    terminal.press("a");
    let question = terminal.shows("Enter or a do it");
    assert!(question.contains("runs/repair"), "the key says first what it will do:\n{question}");
    assert!(sim.calls_to("/runs/repair").await.is_empty());
    terminal.press("a");
    terminal.shows("1 mended");
    assert_eq!(sim.calls_to("/runs/repair").await.len(), 1);
    terminal.press("q");
    assert_eq!(terminal.ends_well(), 0);

    // What a person confirmed is an example to train a model with.
    let data = format!("data_dir={}", home.path().join("data").display());
    let (stdout, stderr, code) = output(runmend(home.path()).args(["export", "finetune", "--set", &data]));
    assert_eq!(code, Some(0), "{stderr}");
    let example: Value = serde_json::from_str(&stdout).unwrap();
    let answer = chat_answer(&example);
    assert_eq!((answer["cause"].as_str(), answer["action"].as_str()), (Some("network"), Some("retry")), "{answer}");
}

#[tokio::test]
async fn a_person_corrects_the_cause_and_it_is_learnt() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "fail", "job": "rates_import", "error": REFUSED, "truth": "never"})).await;
    let mut terminal = Terminal::on_workspace(home.path(), (80, 24), &sim, &["--set", "mail.default_to=data@acme.example"]);
    terminal.until("the decision", |screen| screen.contains("awaiting") && screen.contains("/api/2.2/jobs/runs/repair"));
    terminal.press("o");
    terminal
        .until("causes and keys", |screen| ["[network]", "the rules say network", "Tab cause"].iter().all(|words| screen.contains(words)));
    // To the cause beside it; the action that stands first is another than the engine's.
    terminal.press("\t");
    terminal.until("another cause", |screen| screen.contains("[data]") && screen.contains("(•) notify the owner"));
    terminal.press("the feed moved to another host\r");
    terminal.until("the mail is out", |screen| screen.contains("with people"));
    terminal.shows("cause by operator: data, the rules said network");
    terminal.press("h");
    terminal.until("the history", |screen| {
        // Wrapped as it is.
        let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        words.contains("another host; cause by operator: data, the rules said network")
    });
    terminal.press("qq");
    assert_eq!(terminal.ends_well(), 0);

    let data = format!("data_dir={}", home.path().join("data").display());
    let (stdout, stderr, code) = output(runmend(home.path()).args(["export", "finetune", "--set", &data]));
    assert_eq!(code, Some(0), "{stderr}");
    let example: Value = serde_json::from_str(&stdout).unwrap();
    let answer = chat_answer(&example);
    assert_eq!((answer["cause"].as_str(), answer["action"].as_str()), (Some("data"), Some("notify")), "{answer}");
    assert_eq!(answer["summary"], "the feed moved to another host", "not what the rules say of their cause: {answer}");

    std::fs::write(home.path().join("error.txt"), REFUSED).unwrap();
    let ledger = home.path().join("data/ledger.db");
    let arguments = ["analyze", "--show-prompt", "error.txt", "--ledger", ledger.to_str().unwrap()];
    let (prompt, _, _) = output(runmend(home.path()).args(arguments));
    assert!(prompt.contains("(cause by them: data) overrode the engine with notify; said: the feed moved to another host"), "{prompt}");
    let trail = output(runmend(home.path()).args(["audit", "verify", "--set", &data]));
    assert_eq!(trail.2, Some(0), "{}{}", trail.0, trail.1);
}

/// The example as a trainer of chat models takes it: three messages of known roles with text, the last of them the answer wanted.
fn chat_answer(example: &Value) -> Value {
    let keys: Vec<&String> = example.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["messages"], "{example}");
    let messages = example["messages"].as_array().unwrap();
    let roles: Vec<&str> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant"]);
    for message in messages {
        assert_eq!(message.as_object().unwrap().len(), 2, "{message}");
        assert!(!message["content"].as_str().unwrap().trim().is_empty());
    }
    let answer: Value = serde_json::from_str(messages[2]["content"].as_str().unwrap()).unwrap();
    for quote in answer["quotes"].as_array().unwrap() {
        assert!(messages[1]["content"].as_str().unwrap().contains(quote.as_str().unwrap()), "{example}");
    }
    assert!(!answer["quotes"].as_array().unwrap().is_empty(), "{answer}");
    answer
}

#[tokio::test]
async fn the_agent_beside_a_console_has_metrics_too() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "fail", "job": "rates_import", "error": REFUSED, "truth": {"passes_after": 1}})).await;
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut terminal = Terminal::on_workspace(home.path(), (120, 36), &sim, &["--set", &format!("metrics.listen={address}")]);
    terminal.until("the decision", |screen| screen.contains("awaiting") && screen.contains("/api/2.2/jobs/runs/repair"));
    let text = reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    assert!(text.contains("runmend_open_incidents{state=\"awaiting_approval\"} 1\n"), "{text}");
    terminal.press("q");
    assert_eq!(terminal.ends_well(), 0);
}

/// A model's server that begins each answer and never ends it, until told to.
async fn slow_model() -> (String, Arc<Slow>) {
    let slow = Arc::new(Slow::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(begin).with_state(Arc::clone(&slow));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, slow)
}

#[derive(Default)]
struct Slow {
    questions: AtomicUsize,
    left: AtomicUsize,
    ends: AtomicBool,
}

/// Counts a caller that went away before the end.
struct Caller(Arc<Slow>);

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.left.fetch_add(1, Ordering::SeqCst);
    }
}

async fn begin(State(slow): State<Arc<Slow>>) -> impl axum::response::IntoResponse {
    slow.questions.fetch_add(1, Ordering::SeqCst);
    let said = json!({"quotes": [REFUSED], "summary": "The rates server takes no calls, \u{1b}[2Jsee https://evil.example.net",
        "cause": "network", "action": "retry", "parameters": [], "confidence": 0.9, "message": "Try again."})
    .to_string();
    let delta = |text: &str| json!({"model": "m", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]});
    let finish = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let cut = said.find("calls,").unwrap() + 30;
    let first = format!("data: {}\n\n", delta(&said[..cut]));
    let rest = format!("data: {}\n\ndata: {finish}\n\ndata: [DONE]\n\n", delta(&said[cut..]));
    let ends = slow.ends.load(Ordering::SeqCst);
    let caller = Caller(slow);
    let tail = async move {
        if !ends {
            let _caller = caller;
            std::future::pending::<()>().await;
        }
        Ok(rest)
    };
    let pieces = stream::once(async move { Ok::<_, std::io::Error>(first) }).chain(stream::once(tail));
    ([("content-type", "text/event-stream")], axum::body::Body::from_stream(pieces))
}

// The server answers while this thread waits for the screen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_takes_its_time_is_read_along_stopped_and_asked_again() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "fail", "job": "rates_import", "error": REFUSED, "truth": {"passes_after": 1}})).await;
    let (url, slow) = slow_model().await;
    let base = format!("llm.base_url={url}");
    let llm =
        ["--set", "llm.provider=openai", "--set", "llm.model=m", "--set", "llm.ask=always", "--set", &base, "--set", "llm.timeout=60s"];
    let mut terminal = Terminal::on_workspace(home.path(), (160, 40), &sim, &llm);
    terminal.shows("The rates server takes no calls");
    let screen = terminal.shows("x stop the model");
    assert!(!screen.contains("summary") && !screen.contains("evil"), "{screen}");
    terminal.press("x");
    for words in ["awaiting", "cancelled by a person", "m ask a model"] {
        terminal.shows(words);
    }
    for _ in 0..200 {
        if slow.left.load(Ordering::SeqCst) > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((slow.questions.load(Ordering::SeqCst), slow.left.load(Ordering::SeqCst)), (1, 1), "its connection was closed");
    slow.ends.store(true, Ordering::SeqCst);
    terminal.press("m");
    let screen = terminal.shows("agrees");
    assert!(screen.contains("(link") && !screen.contains("evil"), "{screen}");
    assert_eq!(slow.questions.load(Ordering::SeqCst), 2);
    terminal.press("h");
    // The trail that is shown at once may be the one of a moment ago.
    let trail = terminal.shows("a model, for a second opinion");
    assert!(trail.contains("operator") && trail.contains("cancelled by a person"), "{trail}");
    terminal.press("qq");
    assert_eq!(terminal.ends_well(), 0);
}

#[tokio::test]
async fn auto_apply_carries_out_what_only_the_mode_holds_and_ends_with_the_console() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "fail", "job": "rates_import", "error": REFUSED, "truth": {"passes_after": 1}})).await;
    let critical = ["--set", "policy.critical=payments"];
    let mut terminal = Terminal::on_workspace(home.path(), (120, 36), &sim, &critical);
    terminal.shows("awaiting");
    terminal.press("A");
    terminal.shows("Enter or A do it");
    terminal.press("\r");
    terminal.shows("1 mended");
    terminal.press("q");
    assert_eq!(terminal.ends_well(), 0);
    // A new console asks again: what the last one allowed ended with it.
    sim.order(json!({"do": "fail", "job": "rates_export", "error": REFUSED, "truth": {"passes_after": 1}})).await;
    let mut terminal = Terminal::on_workspace(home.path(), (120, 36), &sim, &critical);
    let screen = terminal.until("the second failure", |screen| screen.contains("rates_export") && screen.contains("awaiting"));
    assert!(screen.contains("auto-apply off"), "{screen}");
    terminal.press("q");
    assert_eq!(terminal.ends_well(), 0);
    assert_eq!(sim.calls_to("/runs/repair").await.len(), 1);
}

#[tokio::test]
async fn a_console_and_an_agent_in_two_processes_meet_in_the_ledger() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    sim.order(json!({"do": "fail", "job": "payments", "error": REFUSED, "truth": {"passes_after": 1}})).await;
    let mut agent = Agent::auto(home.path(), &sim.url, &sim.token, &["--set", "policy.critical=payments"]);
    let decided = agent.event("decided").await;
    assert_eq!(decided["authority"], "approval", "{decided}");
    let mut terminal = Terminal::on_workspace(home.path(), (80, 24), &sim, &["--set", "policy.critical=payments"]);
    terminal.until("the incident", |screen| screen.contains("awaiting") && screen.contains("payments"));
    terminal.press("a");
    terminal.press("a");
    let acted = agent.event("acted").await;
    assert_eq!(acted["run_id"], decided["run_id"]);
    agent.outcome("mended").await;
    terminal.press("q");
    assert_eq!(terminal.ends_well(), 0);
    agent.stop().await;
    assert_eq!(sim.calls_to("/runs/repair").await.len(), 1);
}

#[tokio::test]
async fn a_console_that_is_terminated_gives_the_terminal_back() {
    let home = TempDir::new().unwrap();
    let sim = Sim::start(home.path());
    let terminal = Terminal::on_workspace(home.path(), (120, 36), &sim, &[]);
    terminal.shows("runmend");
    std::process::Command::new("kill").arg(terminal.child.process_id().unwrap().to_string()).status().unwrap();
    assert_eq!(terminal.ends_well(), 0);
}

#[test]
fn the_demo_opens_on_a_workspace_where_things_happen() {
    let home = TempDir::new().unwrap();
    let mut terminal = Terminal::start(home.path(), (160, 45), &[], &["--demo"]);
    terminal.until("a first decision", |screen| screen.contains("awaiting"));
    terminal.press("?");
    terminal.until("the help", |screen| screen.contains("approve") && screen.contains("override"));
    terminal.press("\u{1b}");
    // Escape and `q` in one breath would be Alt-q.
    terminal.until("the table again", |screen| !screen.contains("Keys: "));
    terminal.press("q");
    assert_eq!(terminal.ends_well(), 0);
}

fn nonzero(size: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(size).unwrap()
}
