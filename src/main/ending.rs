//! When to end: after a time, or when the system or the user asks. A second signal does not wait.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// What a shell shows for a process that an interrupt ended. Source: POSIX, 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// Turns true when it is time to stop. Dropping the receiver does no harm.
pub fn watch(limit: Option<Duration>) -> std::io::Result<(watch::Sender<bool>, watch::Receiver<bool>)> {
    let (sender, receiver) = watch::channel(false);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let stop = sender.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
            () = after(limit) => {}
        }
        stop.send_replace(true);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        // What is in flight is an open intent in the ledger; the next start asks after it.
        std::process::exit(INTERRUPTED);
    });
    Ok((sender, receiver))
}

async fn after(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}
