//! The loop on a real ledger: what is decided arrives, whatever way the console ends.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use futures_util::stream;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tokio::sync::{mpsc, watch};
use tokio::time::{interval, timeout};

use super::rows::Row;
use super::world::{incident, now, options};
use crate::console::Seat;
use crate::console::run::{ConsoleError, Screen, converse};
use crate::console::theme::Theme;
use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::decision::Mode;
use crate::domain::event::{Actor, Happening, Via};
use crate::domain::ids::IncidentId;
use crate::domain::incident::{Failure, Incident, State};
use crate::ledger::{Admission, Ledger, SqliteLedger};

/// A screen of cells never fails.
impl From<std::convert::Infallible> for ConsoleError {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

/// A person at a console on this ledger.
struct Person {
    ledger: Arc<dyn Ledger>,
    keys: mpsc::UnboundedSender<Event>,
    stop: watch::Sender<bool>,
    copied: RefCell<Vec<String>>,
}

impl Person {
    fn press(&self, keys: &str) {
        for c in keys.chars() {
            let code = if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) };
            self.keys.send(Event::Key(KeyEvent::new(code, KeyModifiers::NONE))).unwrap();
        }
    }

    /// Until the incident can be seen: only then has its address been copied.
    async fn sees_it(&self) {
        let mut beat = interval(Duration::from_millis(5));
        while self.copied.borrow().is_empty() {
            beat.tick().await;
            self.press("y");
        }
    }

    async fn until(&self, holds: impl AsyncFn(&dyn Ledger) -> bool) {
        let mut beat = interval(Duration::from_millis(5));
        while !holds(&*self.ledger).await {
            beat.tick().await;
        }
    }
}

/// The console and a person at it, to the end of both.
async fn sit(ledger: Arc<dyn Ledger>, does: impl AsyncFnOnce(&Person)) -> Result<(), ConsoleError> {
    let (keys, mut pressed) = mpsc::unbounded_channel();
    let (stop, shutdown) = watch::channel(false);
    let person = Person { ledger: ledger.clone(), keys, stop, copied: RefCell::default() };
    let seat = Seat { ledger, options: options(Mode::Approve), shutdown };
    let theme = Theme::new(&seat.options.theme, seat.options.color, false).unwrap();
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let mut copy = |text: &str| -> io::Result<()> {
        person.copied.borrow_mut().push(text.to_owned());
        Ok(())
    };
    let screen = Screen { terminal: &mut terminal, theme: &theme, copy: &mut copy };
    let typed = stream::poll_fn(move |context| pressed.poll_recv(context).map(|event| event.map(Ok)));
    let console = converse(seat, screen, typed, Arc::new(now));
    let both = async { tokio::join!(console, does(&person)).0 };
    timeout(Duration::from_secs(20), both).await.expect("the console ends")
}

/// A ledger with one incident that awaits approval.
async fn waiting() -> (Arc<dyn Ledger>, IncidentId) {
    let ledger: Arc<dyn Ledger> = Arc::new(SqliteLedger::open_in_memory().await.unwrap());
    let row = Row {
        run: 7_731_150,
        age_s: 60,
        job: "clickstream_backfill",
        task: "read_kafka",
        cause: Cause::Network,
        sure: 0.95,
        action: Action::Retry,
        state: State::AwaitingApproval,
    };
    let wanted = incident(&row);
    let failure = Failure {
        workspace: wanted.workspace.clone(),
        run: wanted.run,
        after_repair: None,
        job: wanted.job.clone(),
        run_url: wanted.run_url.clone(),
        via: Via::Poll,
        result_state: wanted.result_state.clone(),
        termination_code: None,
        ended_at: None,
    };
    let Admission::Admitted(admitted, _) = ledger.admit(failure, wanted.detected_at).await.unwrap() else {
        panic!("the failure is new");
    };
    let mut at = *admitted;
    for state in [State::Collecting, State::Analysed, State::Decided, State::AwaitingApproval] {
        let mut step = at.become_state(state).unwrap().happening(now(), Actor::Agent, Happening::Stopped { open_incidents: 1 });
        step.incident = Incident { version: at.version, state, id: at.id.clone(), ..wanted.clone() };
        at = ledger.commit(step, None).await.unwrap();
    }
    (ledger, at.id)
}

async fn state(ledger: &dyn Ledger, id: &IncidentId) -> State {
    ledger.incident(id).await.unwrap().unwrap().state
}

#[tokio::test]
async fn an_approval_reaches_the_ledger_under_the_persons_name() {
    let (ledger, id) = waiting().await;
    let end = sit(ledger.clone(), async |person| {
        person.sees_it().await;
        person.press("a\n");
        person.until(async |ledger| state(ledger, &id).await == State::Scheduled).await;
        person.press("q");
    });
    end.await.unwrap();
    let approval = ledger.incident(&id).await.unwrap().unwrap().approval.unwrap();
    assert_eq!((approval.by.as_str(), approval.at), ("on-call", now()));
    let last = ledger.audit(&id).await.unwrap().pop().unwrap().event;
    assert_eq!((last.actor, last.what), (Actor::Person("on-call".to_owned()), Happening::Approved { note: None }));
}

#[tokio::test]
async fn what_was_decided_arrives_though_the_console_was_left_in_the_same_breath() {
    let (ledger, id) = waiting().await;
    let end = sit(ledger.clone(), async |person| {
        person.sees_it().await;
        person.press("i\nq");
    });
    end.await.unwrap();
    assert_eq!(state(&*ledger, &id).await.word(), "ignored");
}

#[tokio::test]
async fn leaving_by_key_or_by_signal_withdraws_auto_apply() {
    for by_signal in [false, true] {
        let (ledger, _) = waiting().await;
        let end = sit(ledger.clone(), async |person| {
            person.sees_it().await;
            person.press("A\n");
            person.until(async |ledger| ledger.auto_apply(now()).await.unwrap().is_some_and(|auto| auto.by == "on-call")).await;
            if by_signal {
                person.stop.send(true).unwrap();
            } else {
                person.press("q");
            }
        });
        end.await.unwrap();
        assert_eq!(ledger.auto_apply(now()).await.unwrap(), None, "by signal: {by_signal}");
    }
}

#[tokio::test]
async fn a_terminal_that_goes_away_ends_the_console_with_an_error() {
    let (ledger, _) = waiting().await;
    let (keys, _) = mpsc::unbounded_channel::<Event>();
    drop(keys);
    let (_stop, shutdown) = watch::channel(false);
    let seat = Seat { ledger, options: options(Mode::Approve), shutdown };
    let theme = Theme::plain();
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let screen = Screen { terminal: &mut terminal, theme: &theme, copy: &mut |_| Ok(()) };
    let end = converse(seat, screen, stream::empty(), Arc::new(now)).await;
    assert!(matches!(end, Err(ConsoleError::Terminal(_))), "{end:?}");
}
