//! The console in a real terminal: it takes it, and gives it back whatever way it ends. The child is this test's own program again, in a
//! terminal of its own.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{Read, Write};
use std::num::NonZero;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use runmend::console::{self, ColorChoice, ConsoleError, Llm, Options, Seat, ThemeChoice};
use runmend::decide::Policy;
use runmend::domain::decision::Mode;
use runmend::domain::ids::WorkspaceName;
use runmend::ledger::{Ledger, SqliteLedger};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

const HOW: &str = "RUNMEND_TEST_TERMINAL";
const CRASH: &str = "crashed on purpose";
/// Longest wait for what must come; a healthy machine needs a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(30);

fn size(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap()
}

/// A console in a terminal of its own.
struct Tty {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
}

impl Tty {
    fn open(how: &str) -> Self {
        let pair = native_pty_system().openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 }).unwrap();
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        command.args(["--exact", "the_child", "--ignored", "--nocapture", "--test-threads", "1"]);
        command.env(HOW, how);
        command.env("TERM", "xterm-256color");
        command.env("RUST_BACKTRACE", "0");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Self { child, master: pair.master, writer, output, parser: vt100::Parser::new(size(24), size(80), 0) }
    }

    fn type_in(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// What a service manager sends; the child does with it what it was told to.
    fn terminate(&mut self) {
        let id = self.child.process_id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    fn until(&mut self, what: &str, holds: impl Fn(&vt100::Screen) -> bool) {
        let start = Instant::now();
        while !holds(self.parser.screen()) {
            match self.output.recv_timeout(PATIENCE.saturating_sub(start.elapsed())) {
                Ok(bytes) => self.parser.process(&bytes),
                Err(_) => panic!("waited for {what}; the screen is\n{}", self.parser.screen().contents()),
            }
        }
    }

    fn shows(&mut self, words: &str) {
        self.until(words, |screen| screen.contents().contains(words));
    }

    /// Raw mode, as the system has it: without it lines are edited and echoed.
    fn is_raw(&self) -> bool {
        let flags = format!("{:?}", self.master.get_termios().unwrap().local_flags);
        !flags.contains("ICANON") && !flags.contains("ECHO ") && !flags.ends_with("ECHO")
    }

    fn is_ours(&self) -> bool {
        let screen = self.parser.screen();
        screen.alternate_screen() || screen.bracketed_paste() || screen.hide_cursor()
    }

    /// The child has ended, and the terminal is as it was before.
    fn is_given_back(&mut self) {
        self.until("the first screen", |screen| !screen.alternate_screen() && !screen.bracketed_paste() && !screen.hide_cursor());
        self.child.wait().unwrap();
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(200)) {
            self.parser.process(&bytes);
        }
        assert!(!self.is_ours(), "something was drawn after the terminal was given back");
        assert!(!self.is_raw(), "raw mode stayed on");
    }
}

fn check(how: &str, ends: impl Fn(&mut Tty), says: &str) {
    let mut tty = Tty::open(how);
    tty.shows("Waiting for the agent");
    assert!(tty.parser.screen().alternate_screen() && tty.parser.screen().bracketed_paste() && tty.is_raw());
    assert_eq!(tty.parser.screen().mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse stays the terminal's");
    ends(&mut tty);
    tty.is_given_back();
    let screen = tty.parser.screen().contents();
    assert!(screen.contains(says), "{how}: the screen should say `{says}`:\n{screen}");
}

#[test]
fn quitting_gives_the_terminal_back() {
    check("stop", |tty| tty.type_in("q"), "ended: Ok");
    check("stop", |tty| tty.type_in("\u{3}"), "ended: Ok");
}

#[test]
fn a_signal_gives_the_terminal_back() {
    check("stop", Tty::terminate, "ended: Ok");
}

#[test]
fn a_panic_anywhere_gives_the_terminal_back_and_its_message_is_read() {
    for says in [CRASH, "ended: Err(Crashed)"] {
        check("panic", Tty::terminate, says);
    }
}

#[test]
fn resizing_and_small_terminals_are_survived() {
    let mut tty = Tty::open("stop");
    tty.shows("Waiting for the agent");
    for (rows, cols, says) in [(10, 40, "runmend needs 60x16"), (36, 120, "4 Evidence"), (16, 60, "[3 Decision]")] {
        tty.parser.screen_mut().set_size(size(rows), size(cols));
        tty.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
        tty.shows(says);
    }
    tty.type_in("q");
    tty.is_given_back();
}

fn options() -> Options {
    Options {
        workspaces: vec![WorkspaceName::from("acme-prod")],
        host: "https://acme-prod.cloud.databricks.com".to_owned(),
        mode: Mode::Approve,
        user: "on-call".to_owned(),
        policy: Policy::default(),
        simulated: false,
        llm: Llm::NotConfigured,
        ascii: false,
        color: ColorChoice::Basic,
        theme: ThemeChoice::Dark,
        zone: jiff::tz::TimeZone::UTC,
    }
}

#[test]
#[ignore = "the tests above run it, each in a terminal of its own"]
fn the_child() {
    let how = std::env::var(HOW).expect("run by the tests above");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let end: Result<(), ConsoleError> = runtime.block_on(async {
        let ledger: Arc<dyn Ledger> = Arc::new(SqliteLedger::open_in_memory().await.unwrap());
        let (stop, shutdown) = watch::channel(false);
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        tokio::spawn(async move {
            terminate.recv().await;
            assert!(how != "panic", "{CRASH}");
            stop.send(true).unwrap();
        });
        console::run(Seat { ledger, options: options(), shutdown }).await
    });
    println!("ended: {end:?}");
}
