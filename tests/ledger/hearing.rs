//! Console and agent meet in the ledger: what changes is heard, and what is read is whole.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join;
use runmend::domain::event::{Actor, Event, Happening, Outcome};
use runmend::domain::evidence::{Evidence, Gap};
use runmend::domain::ids::{IncidentId, JobId, RunId};
use runmend::domain::incident::{Ending, Incident, State};
use runmend::domain::mail::Delivery;
use runmend::ledger::{AutoApply, Counts, Ledger};

use crate::world::*;

pub async fn every_change_is_heard(ledger: &dyn Ledger) {
    let mut heard = ledger.change_seq().await.unwrap();
    let mut news = async |what: &str, incidents: &[IncidentId]| {
        let (changed, now) = ledger.changed_since(heard).await.unwrap();
        assert!(now > heard && now == ledger.change_seq().await.unwrap(), "{what}");
        assert_eq!(changed.iter().map(|incident| incident.id.clone()).collect::<Vec<_>>(), incidents, "{what}");
        heard = now;
    };
    let incident = admitted(ledger, 1, 0).await;
    news("a failure", &[id(1)]).await;
    let mut asks = nudge(&incident, "look", 1);
    asks.mail = Some(mail(&incident, "k1"));
    ledger.commit(asks, None).await.unwrap();
    news("a transition", &[id(1)]).await;
    ledger.save_evidence(&id(1), 1, &Evidence::default()).await.unwrap();
    news("evidence", &[id(1)]).await;
    ledger.settle_mail("k1", Delivery::Sent { at: at(2) }, at(2), None).await.unwrap();
    news("a mail on its way", &[id(1)]).await;
    ledger.set_auto_apply(Some(AutoApply { by: "dana".to_owned(), until: at(100) })).await.unwrap();
    news("auto-apply on", &[]).await;
    ledger.set_auto_apply(None).await.unwrap();
    news("auto-apply off", &[]).await;
    ledger.record(Event::of_agent(at(3), Happening::Stopped { open_incidents: 1 })).await.unwrap();
    news("an event of the agent", &[]).await;
    admitted(ledger, 2, 0).await;
    admitted(ledger, 3, 0).await;
    ledger.commit(nudge(&reread(ledger, &incident).await, "again", 4), None).await.unwrap();
    news("several, in the order of their last change", &[id(2), id(3), id(1)]).await;
    incident_in(ledger, 4, State::WithPeople).await;
    news("a way through states", &[id(4)]).await;
    let waiting = ledger.incident(&id(4)).await.unwrap().unwrap();
    ledger.commit(waiting.stay().due(None), None).await.unwrap();
    news("a wait", &[id(4)]).await;
    ledger.job_succeeded(&workspace(), JobId(7), RunId(9), at(50), at(60)).await.unwrap();
    news("a success that wakes it", &[id(4)]).await;
    assert_eq!(ledger.changed_since(heard).await.unwrap(), (vec![], heard));
    claim(ledger, 1, 1).await;
    ledger.admit(failure(1, None), at(5)).await.unwrap();
    assert_eq!(ledger.change_seq().await.unwrap(), heard, "a claim, and a failure that is known, are nothing to look at");
    let (all, _) = ledger.changed_since(0).await.unwrap();
    assert_eq!(all.len(), 4, "who has seen nothing gets all");
}

pub async fn a_reader_misses_nothing_while_others_write(ledger: &dyn Ledger) {
    let over = AtomicBool::new(false);
    let write = async {
        let mut incidents: Vec<Incident> = Vec::new();
        for round in 0_usize..60 {
            if round % 6 == 0 {
                incidents.push(admitted(ledger, round as i64, 0).await);
            } else {
                let which = round * 7 % incidents.len();
                incidents[which] = ledger.commit(nudge(&incidents[which], &format!("round {round}"), 1), None).await.unwrap();
            }
            tokio::task::yield_now().await;
        }
        over.store(true, Ordering::SeqCst);
        incidents
    };
    let read = async {
        let mut seen: BTreeMap<IncidentId, Incident> = BTreeMap::new();
        let (mut heard, mut rounds) = (0, 0);
        loop {
            let last = over.load(Ordering::SeqCst);
            let (changed, now) = ledger.changed_since(heard).await.unwrap();
            assert!(now >= heard);
            for incident in changed {
                let before = seen.insert(incident.id.clone(), incident.clone());
                assert!(before.is_none_or(|before| before.version < incident.version), "an incident is never older than it was");
            }
            heard = now;
            rounds += 1;
            if last {
                break (seen, rounds);
            }
            tokio::task::yield_now().await;
        }
    };
    let (written, (seen, rounds)) = join(write, read).await;
    assert!(rounds > 3, "the reader read {rounds} times only");
    assert_eq!(seen, written.into_iter().map(|incident| (incident.id.clone(), incident)).collect());
}

pub async fn the_audit_trail_is_whole_and_in_order(ledger: &dyn Ledger) {
    assert_eq!(ledger.verify_audit().await.unwrap(), 0);
    let ready = Happening::Ready { version: "0.1.0".to_owned(), mode: Default::default(), workspaces: vec![workspace()] };
    ledger.record(Event::of_agent(at(0), ready)).await.unwrap();
    let first = admitted(ledger, 1, 0).await;
    let second = admitted(ledger, 2, 0).await;
    let step = nudge(&first, "one", 1).happening(at(2), Actor::Workspace, collected(&["two"]));
    ledger.commit(step, None).await.unwrap();
    ledger.commit(nudge(&second, "three", 3), None).await.unwrap();
    assert_eq!(ledger.verify_audit().await.unwrap(), 6);
    let trail = ledger.audit(&first.id).await.unwrap();
    assert_eq!(trail.iter().map(|line| line.seq).collect::<Vec<_>>(), [2, 4, 5]);
    assert_eq!(trail[2].event, first.event(at(2), Actor::Workspace, collected(&["two"])));
    assert!(trail.iter().all(|line| line.hash.len() == 64));
    assert_eq!(ledger.audit(&id(404)).await.unwrap(), []);
}

pub async fn open_incidents_and_the_newest_closed_ones(ledger: &dyn Ledger) {
    let runs = async |limit: u32| {
        let mut runs: Vec<i64> = ledger.incidents(limit).await.unwrap().iter().map(|incident| incident.run.0).collect();
        runs.sort();
        runs
    };
    assert_eq!(runs(10).await, [] as [i64; 0]);
    for (run, closed) in [(1, Some(30)), (2, None), (3, Some(10)), (4, Some(20)), (5, None)] {
        let incident = admitted(ledger, run, 0).await;
        if let Some(closed) = closed {
            ledger.commit(incident.ignore("dana", at(closed), None).unwrap(), None).await.unwrap();
        }
    }
    assert_eq!(runs(0).await, [2, 5]);
    assert_eq!(runs(2).await, [1, 2, 4, 5]);
    assert_eq!(runs(9).await, [1, 2, 3, 4, 5]);
    assert_eq!(ledger.incident(&id(404)).await.unwrap(), None);
    let mut other_job = failure(6, None);
    other_job.job.job_id = Some(JobId(8));
    ledger.admit(other_job, at(0)).await.unwrap();
    let of_job = ledger.open_of_job(&workspace(), JobId(7)).await.unwrap();
    assert_eq!(of_job.iter().map(|incident| incident.run.0).collect::<Vec<_>>(), [2, 5]);
    assert_eq!(ledger.open_of_job(&"acme-dev".into(), JobId(7)).await.unwrap(), []);
}

pub async fn incidents_are_counted_by_state_and_by_todays_endings(ledger: &dyn Ledger) {
    for (run, state) in (1_i64..).zip(STATES.into_iter().filter(|state| state.is_open())) {
        incident_in(ledger, run, state).await;
    }
    for (run, ending, closed) in [
        (20, Ending::Mended, 99),
        (21, Ending::Mended, 100),
        (22, Ending::Mended, 150),
        (23, Ending::Ignored, 150),
        (24, Ending::Handled, 150),
    ] {
        let incident = admitted(ledger, run, 0).await;
        let close = incident.close(ending, Outcome::Mended, Actor::Agent, at(closed), None).unwrap();
        ledger.commit(close, None).await.unwrap();
    }
    // One incident failed again twice today, and once yesterday.
    let mut incident = admitted(ledger, 30, 0).await;
    for second in [99, 100, 160] {
        let again = Happening::Outcome { result: Outcome::FailedAgain, duration_s: 5, note: Some("failed_again".to_owned()) };
        incident = ledger.commit(incident.stay().happening(at(second), Actor::Agent, again), None).await.unwrap();
    }
    let want = Counts {
        awaiting: 1,
        scheduled: 1,
        acting: 1,
        watching: 1,
        with_people: 1,
        observed: 1,
        in_analysis: 4,
        mended_today: 2,
        failed_again_today: 2,
    };
    assert_eq!(ledger.counts(at(100)).await.unwrap(), want);
}

pub async fn evidence_is_kept_by_attempt(ledger: &dyn Ledger) {
    let with = |part: &str| Evidence { gaps: vec![Gap { part: part.to_owned(), reason: "gone".to_owned() }], ..Evidence::default() };
    admitted(ledger, 1, 0).await;
    admitted(ledger, 2, 0).await;
    assert_eq!(ledger.evidence(&id(1), None).await.unwrap(), None);
    for (attempt, part) in [(1, "one"), (3, "three"), (2, "two"), (1, "one again")] {
        ledger.save_evidence(&id(1), attempt, &with(part)).await.unwrap();
    }
    for (attempt, part) in [(Some(1), Some("one again")), (Some(2), Some("two")), (None, Some("three")), (Some(4), None)] {
        assert_eq!(ledger.evidence(&id(1), attempt).await.unwrap(), part.map(with), "{attempt:?}");
    }
    assert_eq!(ledger.evidence(&id(2), None).await.unwrap(), None);
}
