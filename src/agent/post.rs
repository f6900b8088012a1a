//! Takes queued mail out. A server that is down delays it, visibly, and loses none.

use std::time::Duration;

use crate::domain::decision::Mode;
use crate::domain::event::{Event, Happening};
use crate::domain::mail::{Delivery, Mail, MailKind, QueuedMail};
use crate::ledger::LedgerError;
use crate::notify::ChannelError;

use super::house::House;
use super::letters;
use super::step::after;

/// First pause after a failed try; doubled each time.
const PAUSE: Duration = Duration::from_secs(15);
const PAUSE_MAX: Duration = Duration::from_secs(15 * 60);
/// Mails a round.
const BATCH: u32 = 16;

/// One round: every mail whose time has come is tried once. Returns how many were tried.
pub async fn round(house: &House) -> Result<usize, LedgerError> {
    if house.settings.mode == Mode::Observe {
        return Ok(0);
    }
    // Several workspaces on one ledger have an agent each: two of them must not send the same mail at once.
    let due = house.ledger.mails_due(house.name(), house.now(), BATCH).await?;
    let tried = due.len();
    for queued in due {
        deliver(house, queued).await?;
    }
    Ok(tried)
}

async fn deliver(house: &House, queued: QueuedMail) -> Result<(), LedgerError> {
    let mail = &queued.mail;
    let answer = house.channel.send(mail).await;
    let now = house.now();
    match answer {
        Ok(()) => {
            house.ledger.settle_mail(&mail.dedup_key, Delivery::Sent { at: now }, now, None).await?;
            house.recover("mail").await;
            let what =
                Happening::Notified { channel: house.channel.name().to_owned(), to: mail.to.clone(), dedup_key: mail.dedup_key.clone() };
            let event = match house.ledger.incident(&mail.incident).await? {
                Some(incident) => incident.event(now, crate::domain::event::Actor::Agent, what),
                None => Event::of_agent(now, what),
            };
            house.ledger.record(event.clone()).await?;
            house.tell(vec![event]);
        }
        Err(ChannelError::Later(reason)) => {
            let pause = PAUSE.saturating_mul(1 << queued.tries.min(10)).min(PAUSE_MAX);
            let next_try = after(now, pause).unwrap_or(now);
            house.ledger.settle_mail(&mail.dedup_key, Delivery::Queued, next_try, Some(reason.clone())).await?;
            house.degrade("mail", &reason).await;
        }
        Err(ChannelError::Never(reason)) => {
            if !hand_to_on_call(house, mail).await? {
                return Ok(());
            }
            house
                .ledger
                .settle_mail(&mail.dedup_key, Delivery::Failed { at: now, reason: reason.clone() }, now, Some(reason.clone()))
                .await?;
            house.degrade("mail", &format!("mail to {} cannot be delivered: {reason}", mail.to)).await;
        }
    }
    Ok(())
}

/// An owner whose address no server takes must not end the story: whoever is on call hears instead. `false`: the incident changed
/// meanwhile; the mail stays queued and the next round does it.
async fn hand_to_on_call(house: &House, mail: &Mail) -> Result<bool, LedgerError> {
    if mail.kind != MailKind::Owner {
        return Ok(true);
    }
    let Some(incident) = house.ledger.incident(&mail.incident).await?.filter(|incident| incident.state.is_open()) else {
        return Ok(true);
    };
    match letters::write(house, &incident, MailKind::OnCall).await? {
        Ok(page) if page.to != mail.to => {
            let next = letters::enclose(incident.stay(), page, house.now());
            match house.ledger.commit(next, None).await {
                Ok(_) => Ok(true),
                Err(LedgerError::Conflict { .. }) => Ok(false),
                Err(error) => Err(error),
            }
        }
        Ok(_) | Err(_) => Ok(true),
    }
}
