//! A failure gets in once, whoever reports it and however often.

use futures_util::future::join_all;
use runmend::domain::action::Action;
use runmend::domain::event::{Actor, Happening};
use runmend::domain::ids::RunId;
use runmend::domain::incident::{Approval, Ending, State};
use runmend::ledger::{Admission, Ledger};

use crate::world::*;

pub async fn a_failure_is_admitted_once(ledger: &dyn Ledger) {
    let Admission::Admitted(incident, event) = ledger.admit(failure(1, None), at(0)).await.unwrap() else { panic!("it is new") };
    assert_eq!((incident.state, incident.attempt, incident.version, incident.next_due), (State::Detected, 1, 0, Some(at(0))));
    assert_eq!(reread(ledger, &incident).await, *incident);
    let trail = ledger.audit(&incident.id).await.unwrap();
    assert_eq!(trail.iter().map(|line| &line.event).collect::<Vec<_>>(), [&*event]);
    for now in [0, 60] {
        assert_eq!(ledger.admit(failure(1, None), at(now)).await.unwrap(), Admission::Known(incident.id.clone()));
    }
    let mut elsewhere = failure(1, None);
    elsewhere.workspace = "acme-dev".into();
    assert!(matches!(ledger.admit(elsewhere, at(0)).await.unwrap(), Admission::Admitted(..)), "another workspace's run 1 is another run");
    assert_eq!(ledger.verify_audit().await.unwrap(), 2);
}

pub async fn what_a_new_failure_means_depends_on_where_the_incident_stands(ledger: &dyn Ledger) {
    for (run, state) in (1_i64..).zip(STATES) {
        let before = incident_in(ledger, run, state).await;
        let admission = ledger.admit(failure(run, Some(901)), at(100)).await.unwrap();
        let next = match state {
            State::Closed(Ending::Mended | Ending::Handled | Ending::Ignored | Ending::Superseded) => Some(State::Detected),
            State::WithPeople => Some(State::Collecting),
            State::Detected
            | State::Collecting
            | State::Analysed
            | State::Decided
            | State::Scheduled
            | State::AwaitingApproval
            | State::Acting
            | State::Watching => None,
        };
        let Some(next) = next else {
            assert_eq!(admission, Admission::InHand(id(run)), "{state:?}");
            assert_eq!(reread(ledger, &before).await, before, "{state:?}: nothing changed");
            assert_eq!(ledger.admit(failure(run, Some(901)), at(110)).await.unwrap(), Admission::InHand(id(run)), "not known yet");
            continue;
        };
        let Admission::Admitted(after, _) = admission else { panic!("{state:?}: {admission:?}") };
        assert_eq!((after.state, after.attempt, after.next_due, after.closed_at), (next, 2, Some(at(100)), None), "{state:?}");
        assert_eq!(after.version, before.version + 1, "{state:?}: who read it before may not write over it");
        for repair in [None, Some(901)] {
            assert_eq!(ledger.admit(failure(run, repair), at(120)).await.unwrap(), Admission::Known(id(run)), "{state:?}");
        }
        assert_eq!(reread(ledger, &before).await, *after);
    }
}

pub async fn a_reopened_incident_starts_its_next_attempt_afresh(ledger: &dyn Ledger) {
    let incident = incident_in(ledger, 1, State::AwaitingApproval).await;
    let mut next = incident.close_handled("dana", at(50), None).unwrap();
    next.incident.classification = Some(classification("f1"));
    next.incident.no_opinion = Some("none is set up".to_owned());
    next.incident.failed_tasks = vec!["load".to_owned()];
    next.incident.approval = Some(Approval { by: "dana".to_owned(), at: at(40), note: None, cause: None });
    next.incident.attempts = vec![attempt(1, Action::Retry)];
    next.incident.hold = Some("the workspace is away".to_owned());
    ledger.commit(next, None).await.unwrap();
    let mut anew = failure(1, Some(901));
    anew.result_state = Some("TIMEDOUT".to_owned());
    anew.ended_at = Some(at(90));
    let Admission::Admitted(incident, event) = ledger.admit(anew, at(100)).await.unwrap() else { panic!("it failed anew") };
    assert_eq!(incident.attempts, [attempt(1, Action::Retry)], "what was done stays known");
    assert_eq!(incident.detected_at, at(0), "the clock runs from the first failure");
    assert_eq!((incident.failed_at, incident.result_state.as_deref()), (Some(at(90)), Some("TIMEDOUT")));
    assert!(incident.classification.is_none() && incident.no_opinion.is_none() && incident.approval.is_none() && incident.hold.is_none());
    assert!(incident.failed_tasks.is_empty());
    assert!(matches!(event.what, Happening::Detected { ended_at, .. } if ended_at == Some(at(90))));
    assert_eq!((event.attempt, event.actor.clone()), (Some(2), Actor::Agent));
}

pub async fn failures_reported_at_once_make_one_incident(ledger: &dyn Ledger) {
    let reports = (0..20).map(|report| ledger.admit(failure(report % 2, None), at(0)));
    let admitted = join_all(reports).await.into_iter().filter(|answer| matches!(answer, Ok(Admission::Admitted(..)))).count();
    assert_eq!((admitted, ledger.incidents(10).await.unwrap().len()), (2, 2));
    assert_eq!(ledger.verify_audit().await.unwrap(), 2);
}

pub async fn a_rerun_that_we_started_belongs_to_its_incident(ledger: &dyn Ledger) {
    let incident = incident_in(ledger, 1, State::Acting).await;
    let mut watching = incident.become_state(State::Watching).unwrap();
    watching.incident.attempts = vec![attempt(1, Action::Retry)];
    watching.incident.attempts[0].new_run = Some(RunId(2));
    let incident = ledger.commit(watching, None).await.unwrap();
    assert_eq!(ledger.admit(failure(2, None), at(50)).await.unwrap(), Admission::Known(id(1)));
    // Somebody repairs that run, and it fails again.
    assert_eq!(ledger.admit(failure(2, Some(901)), at(60)).await.unwrap(), Admission::InHand(id(1)));
    ledger.commit(incident.become_state(State::WithPeople).unwrap(), None).await.unwrap();
    let Admission::Admitted(incident, _) = ledger.admit(failure(2, Some(901)), at(70)).await.unwrap() else { panic!("it failed anew") };
    assert_eq!((&incident.id, incident.failure.run), (&id(1), RunId(2)));
    assert_eq!(ledger.incidents(10).await.unwrap().len(), 1);
}
