//! Takes the terminal and gives it back: on return, on error, and on a panic anywhere in the process.

use std::io::{self, Write, stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};

/// The terminal is ours.
static HELD: AtomicBool = AtomicBool::new(false);
/// A part of the process panicked while the terminal was ours.
static CRASHED: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// Holds the terminal in raw mode on its second screen; dropping it gives everything back. One at a time.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// # Errors
    /// There is no terminal, or it refuses.
    pub fn enter() -> io::Result<Self> {
        HOOK.call_once(install_hook);
        enable_raw_mode()?;
        HELD.store(true, Ordering::SeqCst);
        // From here on every way out gives the terminal back.
        let guard = Self(());
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        give_back();
    }
}

/// A part of the process panicked: the message is on the terminal by now, and nothing may be drawn over it.
pub fn crashed() -> bool {
    CRASHED.load(Ordering::SeqCst)
}

/// A task's panic ends the task and not the process, but its hook runs: without this its message would be drawn over, and a console
/// whose agent died would look alive.
fn install_hook() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if HELD.load(Ordering::SeqCst) {
            CRASHED.store(true, Ordering::SeqCst);
            give_back();
        }
        report(info);
    }));
}

fn give_back() {
    if HELD.swap(false, Ordering::SeqCst) {
        // Whatever fails here, the rest must still be tried; there is nobody left to tell.
        let _ = execute!(stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}

/// Puts text on the clipboard of the terminal's own machine, also through ssh (OSC 52). A terminal that does not know it ignores it.
///
/// # Errors
/// The terminal is gone.
pub fn copy(text: &str) -> io::Result<()> {
    let mut out = stdout().lock();
    write!(out, "\u{1b}]52;c;{}\u{7}", STANDARD.encode(text))?;
    out.flush()
}
