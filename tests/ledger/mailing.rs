//! A mail is asked for with its transition, goes out once, and waits as long as it must.

use runmend::domain::event::{Actor, Happening};
use runmend::domain::incident::{Incident, Transition};
use runmend::domain::mail::Delivery;
use runmend::ledger::Ledger;

use crate::world::*;

/// A transition that asks for a mail at a time.
fn asks(incident: &Incident, key: &str, second: i64) -> Transition {
    let queued = Happening::Queued { to: "oncall@acme.example".to_owned(), subject: "x".to_owned(), dedup_key: key.to_owned() };
    let mut next = incident.stay().happening(at(second), Actor::Agent, queued);
    next.mail = Some(mail(incident, key));
    next
}

async fn due(ledger: &dyn Ledger, now: i64, limit: u32) -> Vec<String> {
    ledger.mails_due(&workspace(), at(now), limit).await.unwrap().into_iter().map(|queued| queued.mail.dedup_key).collect()
}

pub async fn a_mail_is_queued_once(ledger: &dyn Ledger) {
    let incident = admitted(ledger, 1, 0).await;
    let incident = ledger.commit(asks(&incident, "k1", 10), None).await.unwrap();
    let mut again = asks(&incident, "k1", 20);
    again.mail.as_mut().unwrap().body = "Another text.".to_owned();
    let incident = ledger.commit(again, None).await.unwrap();
    let queued = ledger.mails_of(&incident.id).await.unwrap();
    assert_eq!(queued.len(), 1);
    assert_eq!((&queued[0].mail, queued[0].tries, &queued[0].delivery), (&mail(&incident, "k1"), 0, &Delivery::Queued));
    assert_eq!((queued[0].next_try, &queued[0].last_error), (at(10), &None));
    ledger.settle_mail("k1", Delivery::Sent { at: at(30) }, at(30), None).await.unwrap();
    ledger.commit(asks(&incident, "k1", 40), None).await.unwrap();
    assert_eq!(due(ledger, 100, 10).await, [] as [&str; 0], "it was sent, whoever asks for it again");
}

pub async fn mails_are_tried_oldest_first_when_their_time_has_come(ledger: &dyn Ledger) {
    let first = admitted(ledger, 1, 0).await;
    let second = admitted(ledger, 2, 0).await;
    let first = ledger.commit(asks(&first, "k1", 10), None).await.unwrap();
    ledger.commit(asks(&second, "k2", 10), None).await.unwrap();
    ledger.commit(asks(&first, "k3", 20), None).await.unwrap();
    assert_eq!(due(ledger, 9, 10).await, [] as [&str; 0]);
    assert_eq!(due(ledger, 10, 10).await, ["k1", "k2"]);
    assert_eq!(due(ledger, 20, 2).await, ["k1", "k2"]);
    assert_eq!(ledger.mails_waiting().await.unwrap(), 3);
    ledger.settle_mail("k1", Delivery::Queued, at(100), Some("the server is away".to_owned())).await.unwrap();
    assert_eq!(due(ledger, 99, 10).await, ["k2", "k3"]);
    assert_eq!(due(ledger, 100, 10).await, ["k1", "k2", "k3"]);
    let queued = ledger.mails_of(&first.id).await.unwrap();
    assert_eq!((queued[0].tries, queued[0].last_error.as_deref()), (1, Some("the server is away")));
    assert_eq!(queued.iter().map(|queued| queued.mail.dedup_key.as_str()).collect::<Vec<_>>(), ["k1", "k3"]);
    assert_eq!(ledger.mails_waiting().await.unwrap(), 3, "a mail that is tried again still waits");
    assert_eq!(ledger.mails_due(&"acme-dev".into(), at(100), 10).await.unwrap(), [], "each workspace's agent sends its own");
}

pub async fn what_was_sent_stays_sent(ledger: &dyn Ledger) {
    let incident = admitted(ledger, 1, 0).await;
    let incident = ledger.commit(asks(&incident, "k1", 10), None).await.unwrap();
    ledger.commit(asks(&incident, "k2", 10), None).await.unwrap();
    ledger.settle_mail("k1", Delivery::Sent { at: at(11) }, at(11), None).await.unwrap();
    let refused = Delivery::Failed { at: at(12), reason: "no such address".to_owned() };
    ledger.settle_mail("k2", refused.clone(), at(12), Some("no such address".to_owned())).await.unwrap();
    assert_eq!(ledger.mails_waiting().await.unwrap(), 0);
    // Another process tried at the same time, and says so late.
    ledger.settle_mail("k1", Delivery::Queued, at(50), Some("timeout".to_owned())).await.unwrap();
    ledger.settle_mail("k1", Delivery::Sent { at: at(60) }, at(60), None).await.unwrap();
    ledger.settle_mail("nobody's", Delivery::Queued, at(50), None).await.unwrap();
    let mails = ledger.mails_of(&incident.id).await.unwrap();
    assert_eq!((&mails[0].delivery, mails[0].tries), (&Delivery::Sent { at: at(11) }, 1));
    assert_eq!((&mails[1].delivery, mails[1].last_error.as_deref()), (&refused, Some("no such address")));
    assert_eq!(due(ledger, 1_000, 10).await, [] as [&str; 0]);
}
