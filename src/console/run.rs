//! The loop: messages in, effects out, a picture when something changed. It never waits for the ledger.

use std::io::{self, BufWriter, stdout};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures_util::{Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::layout::Size;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::domain::Timestamp;
use crate::ledger::Ledger;

use super::feed::{Archive, Feed};
use super::model::{Effect, Model, Msg};
use super::office::{Errand, Office};
use super::options::Options;
use super::snapshot::Entry;
use super::terminal::{self, Guard};
use super::theme::{Theme, ThemeError};
use super::update::update;
use super::view;

/// What time it is: injected, so that a test can say.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Messages taken before the next picture: a burst is one picture, an endless burst is still seen.
const BURST_MAX: usize = 256;
/// Messages that may wait for the loop; senders wait beyond that, the screen never does.
const INBOX: usize = 64;
/// Beat of the clock on the screen.
const TICK: Duration = Duration::from_secs(1);
/// How long leaving waits for decisions on their way to the ledger.
const GRACE: Duration = Duration::from_secs(5);
/// A whole screen of a large terminal, so that a picture is one write.
const FRAME_BYTES: usize = 256 << 10;

/// Where a person sits down: the ledger, how the console was started, and when it is to end.
pub struct Seat {
    pub ledger: Arc<dyn Ledger>,
    pub options: Options,
    /// `true`: leave, as `q` does. A dropped sender means nothing.
    pub shutdown: watch::Receiver<bool>,
}

#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// There is none, or it went away.
    #[error("the terminal failed: {0}")]
    Terminal(#[from] io::Error),
    #[error(transparent)]
    Theme(#[from] ThemeError),
    /// The ledger hung when the console was left.
    #[error("the ledger did not answer for {s} s: what was decided last may not be recorded", s = GRACE.as_secs())]
    Unrecorded,
    /// The panic's message was printed when it happened.
    #[error("a part of runmend crashed; everything recorded is in the ledger")]
    Crashed,
}

/// Shows the console on the process's terminal until a person quits or the seat's signal says so.
///
/// # Errors
/// No terminal, a theme that cannot be read (before anything is drawn), or a panic elsewhere in the process.
pub async fn run(seat: Seat) -> Result<(), ConsoleError> {
    let theme = Theme::new(&seat.options.theme, seat.options.color, seat.options.ascii)?;
    let guard = Guard::enter()?;
    let mut terminal = Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(FRAME_BYTES, stdout())))?;
    let screen = Screen { terminal: &mut terminal, theme: &theme, copy: &mut terminal::copy };
    let result = converse(seat, screen, EventStream::new(), Arc::new(Timestamp::now)).await;
    drop(guard);
    if terminal::crashed() { Err(ConsoleError::Crashed) } else { result }
}

/// Where pictures and copied text go.
pub(super) struct Screen<'a, B: Backend> {
    pub terminal: &'a mut Terminal<B>,
    pub theme: &'a Theme,
    pub copy: &'a mut dyn FnMut(&str) -> io::Result<()>,
}

/// Where effects go: each only enqueues.
struct Desk {
    errands: mpsc::UnboundedSender<Errand>,
    wanted: watch::Sender<Option<Arc<Entry>>>,
}

/// The conversation of one person with one ledger, on any screen.
pub(super) async fn converse<B>(
    seat: Seat,
    mut screen: Screen<'_, B>,
    keys: impl Stream<Item = io::Result<Event>> + Unpin + Send + 'static,
    clock: Clock,
) -> Result<(), ConsoleError>
where
    B: Backend,
    ConsoleError: From<B::Error>,
{
    let Seat { ledger, options, mut shutdown } = seat;
    let (out, mut inbox) = mpsc::channel(INBOX);
    let (errands, errands_in) = mpsc::unbounded_channel();
    let (wanted, wanted_in) = watch::channel(None);
    let zone = options.zone.clone();
    let feed = Feed { ledger: ledger.clone(), zone: zone.clone(), clock: clock.clone(), out: out.clone() };
    let archive = Archive { ledger: ledger.clone(), zone, wanted: wanted_in, out: out.clone() };
    let office = Office { ledger, user: options.user.clone(), clock: clock.clone(), errands: errands_in, out };
    let office = tokio::spawn(office.run());
    let (typed, mut typed_in) = mpsc::channel(BURST_MAX);
    let readers = [tokio::spawn(feed.run()), tokio::spawn(archive.run()), tokio::spawn(hear(keys, typed))];

    let mut model = Model::new(options, size_of(&mut screen)?, clock());
    let desk = Desk { errands, wanted };
    let result = attend(&mut model, &desk, &mut screen, &mut typed_in, &mut inbox, &mut shutdown, &clock).await;
    drop(desk);
    if !leave(office, readers, inbox).await {
        return Err(ConsoleError::Unrecorded);
    }
    result
}

async fn attend<B>(
    model: &mut Model,
    desk: &Desk,
    screen: &mut Screen<'_, B>,
    keys: &mut mpsc::Receiver<io::Result<Event>>,
    inbox: &mut mpsc::Receiver<Msg>,
    shutdown: &mut watch::Receiver<bool>,
    clock: &Clock,
) -> Result<(), ConsoleError>
where
    B: Backend,
    ConsoleError: From<B::Error>,
{
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        if terminal::crashed() {
            return Err(ConsoleError::Crashed);
        }
        draw(model, screen)?;
        let mut next = tokio::select! {
            biased;
            () = told_to_stop(shutdown) => return Ok(()),
            key = keys.recv() => Some(key_msg(key.ok_or_else(gone)??, clock)),
            Some(msg) = inbox.recv() => Some(Some(msg)),
            _ = ticks.tick() => Some(Some(Msg::Tick(clock()))),
        };
        for _ in 0..BURST_MAX {
            let Some(msg) = next else { break };
            for effect in msg.map(|msg| update(model, msg)).unwrap_or_default() {
                match effect {
                    Effect::Quit => return Ok(()),
                    Effect::Copy(text) => (screen.copy)(&text)?,
                    // A receiver that is gone is a task that panicked: the loop ends for it at its next turn.
                    Effect::Commit { transition, said } => drop(desk.errands.send(Errand::Commit { transition, said })),
                    Effect::AutoApply(on) => drop(desk.errands.send(Errand::AutoApply(on))),
                    Effect::Load(entry) => drop(desk.wanted.send(Some(entry))),
                }
            }
            next = match keys.try_recv() {
                Ok(key) => Some(key_msg(key?, clock)),
                // An end of the keys is seen when they are waited for.
                Err(_) => inbox.try_recv().ok().map(Some),
            };
        }
    }
}

/// Keys wait in a queue of their own: crossterm's stream remembers only the first one who waits for it, so that a look without waiting
/// would put the loop to sleep over a key.
async fn hear(mut keys: impl Stream<Item = io::Result<Event>> + Unpin, typed: mpsc::Sender<io::Result<Event>>) {
    while let Some(key) = keys.next().await {
        if typed.send(key).await.is_err() {
            return;
        }
    }
}

/// `None`: an event that means nothing here.
fn key_msg(event: Event, clock: &Clock) -> Option<Msg> {
    match event {
        Event::Key(key) => Some(Msg::Key { key, at: clock() }),
        Event::Paste(text) => Some(Msg::Paste(text)),
        Event::Resize(width, height) => Some(Msg::Resize(Size { width, height })),
        Event::FocusGained | Event::FocusLost | Event::Mouse(_) => None,
    }
}

fn gone() -> ConsoleError {
    ConsoleError::Terminal(io::Error::new(io::ErrorKind::UnexpectedEof, "it was closed"))
}

async fn told_to_stop(shutdown: &mut watch::Receiver<bool>) {
    if shutdown.wait_for(|stop| *stop).await.is_err() {
        std::future::pending().await
    }
}

fn size_of<B>(screen: &mut Screen<'_, B>) -> Result<Size, ConsoleError>
where
    B: Backend,
    ConsoleError: From<B::Error>,
{
    Ok(screen.terminal.size()?)
}

fn draw<B>(model: &mut Model, screen: &mut Screen<'_, B>) -> Result<(), ConsoleError>
where
    B: Backend,
    ConsoleError: From<B::Error>,
{
    if model.take_dirty() {
        let size = size_of(screen)?;
        if size != model.size {
            update(model, Msg::Resize(size));
            model.take_dirty();
        }
        screen.terminal.draw(|frame| view::view(model, screen.theme, frame))?;
    }
    Ok(())
}

/// What was decided reaches the ledger before the console ends.
/// `false`: the ledger did not answer, so that what was decided last may be lost.
async fn leave(office: JoinHandle<()>, readers: [JoinHandle<()>; 3], inbox: mpsc::Receiver<Msg>) -> bool {
    drop(inbox);
    for reader in readers {
        reader.abort();
    }
    timeout(GRACE, office).await.is_ok()
}
