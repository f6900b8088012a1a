//! A commit is all of it or nothing, on the version that was read, and never two actions for one decision.

use futures_util::future::join_all;
use runmend::domain::Timestamp;
use runmend::domain::event::{Actor, Happening};
use runmend::domain::ids::{JobId, RepairId, RunId};
use runmend::domain::incident::{Ending, Incident, State, Transition};
use runmend::domain::intent::{Effect, Intent, RunParameters, Settlement};
use runmend::ledger::{Admission, Claim, Ledger, LedgerError};

use crate::world::*;

/// An act with everything that a commit can carry.
fn act(incident: &Incident) -> Transition {
    let mut act = incident.become_state(State::Acting).unwrap().due(Some(at(30))).happening(at(10), Actor::Agent, collected(&["one"]));
    act = act.happening(at(11), Actor::Person("dana".to_owned()), Happening::Approved { note: Some("go".to_owned()) });
    act.intent = Some(intent(incident, "repair"));
    act.mail = Some(mail(incident, "k1"));
    act
}

pub async fn a_commit_is_all_of_it(ledger: &dyn Ledger) {
    let incident = incident_in(ledger, 1, State::Scheduled).await;
    let lines = ledger.audit(&incident.id).await.unwrap().len();
    let act = act(&incident);
    let after = ledger.commit(act.clone(), None).await.unwrap();
    assert_eq!((after.state, after.version, after.next_due), (State::Acting, incident.version + 1, Some(at(30))));
    assert_eq!(reread(ledger, &incident).await, after, "what is given back is what a reader gets");
    let told: Vec<_> = ledger.audit(&incident.id).await.unwrap().into_iter().skip(lines).map(|line| line.event).collect();
    assert_eq!(told, act.events);
    assert_eq!(ledger.intents(&incident.id).await.unwrap(), [intent(&incident, "repair")]);
    assert_eq!(ledger.mails_of(&incident.id).await.unwrap().len(), 1);
}

/// What a reader can see of the ledger.
async fn everything(ledger: &dyn Ledger) -> String {
    let incidents = ledger.incidents(100).await.unwrap();
    let mut seen = format!("{incidents:?} {:?} {:?}", ledger.change_seq().await.unwrap(), ledger.verify_audit().await.unwrap());
    for incident in &incidents {
        let intents = ledger.intents(&incident.id).await.unwrap();
        seen += &format!("{intents:?} {:?}", ledger.mails_of(&incident.id).await.unwrap());
    }
    seen
}

pub async fn a_refused_commit_changes_nothing(ledger: &dyn Ledger) {
    let other = admitted(ledger, 2, 0).await;
    let old = incident_in(ledger, 1, State::Scheduled).await;
    let incident = ledger.commit(nudge(&old, "someone was faster", 5), None).await.unwrap();
    let before = everything(ledger).await;
    let with = |change: &dyn Fn(&mut Transition)| {
        let mut act = act(&incident);
        change(&mut act);
        act
    };
    let conflict: fn(&LedgerError) -> bool = |error| matches!(error, LedgerError::Conflict { incident } if *incident == id(1));
    let illegal: fn(&LedgerError) -> bool = |error| matches!(error, LedgerError::Illegal(_));
    let refused: fn(&LedgerError) -> bool = |error| matches!(error, LedgerError::IntentRefused { .. });
    for (what, act, fence, right) in [
        ("an old version", act(&old), None, conflict),
        ("a version to come", with(&|act| act.incident.version += 1), None, conflict),
        ("another state", with(&|act| act.from = State::Detected), None, conflict),
        ("no claim of ours", act(&incident), Some(77), conflict),
        ("a step that is not in the state machine", with(&|act| act.incident.state = State::Analysed), None, illegal),
        ("an intent of another incident", with(&|act| act.intent = Some(intent(&other, "repair"))), None, refused),
        ("a settlement of nothing", with(&|act| act.intent = Some(settled(&intent(&incident, "repair")))), None, refused),
    ] {
        let error = ledger.commit(act, fence).await.unwrap_err();
        assert!(right(&error), "{what}: {error}");
        assert!(!error.is_transient(), "{what}: the same commit never goes through");
        assert_eq!(everything(ledger).await, before, "{what}");
    }
    let mut nobody = act(&incident);
    nobody.incident.id = id(404);
    assert!(matches!(ledger.commit(nobody, None).await, Err(LedgerError::Conflict { .. })));
    ledger.commit(act(&incident), None).await.expect("and now as it should be");
}

pub async fn an_incident_comes_back_as_it_was_given(ledger: &dyn Ledger) {
    let hostile = "\u{0}\u{1b}[2J\u{202e}'; DROP TABLE incidents; --\r\n\"\\ 日本語 🦀";
    let mut strange = failure(i64::MAX, Some(i64::MAX));
    strange.workspace = hostile.into();
    strange.job.name = hostile.to_owned();
    strange.job.job_id = Some(JobId(i64::MIN));
    strange.job.tags.insert(hostile.to_owned(), hostile.to_owned());
    strange.ended_at = Some(Timestamp::from_nanosecond(1_800_000_000_123_456_789).unwrap());
    let now = Timestamp::from_nanosecond(1_800_000_001_987_654_321).unwrap();
    let Admission::Admitted(incident, _) = ledger.admit(strange.clone(), now).await.unwrap() else { panic!("it is new") };
    assert_eq!((incident.failed_at, incident.detected_at, incident.run), (strange.ended_at, now, RunId(i64::MAX)));
    let claims = ledger.claim(hostile, &hostile.into(), now, 60, 1).await.unwrap();
    assert_eq!(claims[0].incident, *incident, "due at a nanosecond, claimed at it");
    let mut next =
        incident.become_state(State::Collecting).unwrap().happening(now, Actor::Person(hostile.to_owned()), collected(&[hostile]));
    next.incident.classification = Some(classification(hostile));
    next.incident.next_due = Some(Timestamp::MAX);
    next.incident.hold = Some(hostile.repeat(10_000));
    let given = next.incident.clone();
    let after = ledger.commit(next, Some(claims[0].fence)).await.unwrap();
    let rounded = |incident: &runmend::domain::incident::Incident| serde_json::to_string(incident).unwrap();
    assert_eq!(rounded(&after), rounded(&runmend::domain::incident::Incident { version: 1, ..given }));
    assert_eq!(reread(ledger, &incident).await, after);
    assert_eq!(ledger.open_of_job(&hostile.into(), JobId(i64::MIN)).await.unwrap(), [after]);
    let trail = ledger.audit(&incident.id).await.unwrap();
    assert_eq!(trail[1].event.actor, Actor::Person(hostile.to_owned()));
}

pub async fn one_of_many_commits_on_one_version_wins(ledger: &dyn Ledger) {
    let incident = admitted(ledger, 1, 0).await;
    let words: Vec<String> = (0..12).map(|writer| format!("writer {writer}")).collect();
    let answers = join_all(words.iter().map(|words| ledger.commit(nudge(&incident, words, 1), None))).await;
    let won: Vec<_> = answers.iter().flatten().collect();
    assert_eq!(won.len(), 1);
    assert!(answers.iter().all(|answer| matches!(answer, Ok(_) | Err(LedgerError::Conflict { .. }))));
    assert_eq!(reread(ledger, &incident).await, *won[0]);
    assert_eq!(ledger.verify_audit().await.unwrap(), 2, "detected, and the one");
}

pub async fn an_intent_is_opened_once_and_settled_once(ledger: &dyn Ledger) {
    let incident = incident_in(ledger, 1, State::Acting).await;
    let open = intent(&incident, "repair");
    let done = settled(&open);
    let refusal = Intent { settlement: Settlement::Refused { reason: "no".to_owned() }, ..done.clone() };
    let second = Intent { id: Intent::id_for(&incident.id, 1, "run_now"), ..open.clone() };
    let mut version = incident;
    for (what, intent, goes) in [
        ("opened", &open, true),
        ("opened again", &open, false),
        ("settled", &done, true),
        ("settled again", &done, false),
        ("settled otherwise", &refusal, false),
        ("opened after it was settled", &open, false),
        ("another call of the same attempt", &second, true),
    ] {
        let mut step = version.stay();
        step.intent = Some(intent.clone());
        match ledger.commit(step, None).await {
            Ok(next) => {
                assert!(goes, "{what}");
                version = next;
            }
            Err(LedgerError::IntentRefused { intent: named, .. }) => assert!(!goes && named == intent.id, "{what}"),
            Err(error) => panic!("{what}: {error}"),
        }
    }
    assert_eq!(ledger.intents(&version.id).await.unwrap(), [done, second], "oldest first");
    assert_eq!(ledger.intents(&id(404)).await.unwrap(), []);
}

pub async fn a_settlement_leaves_what_was_asked(ledger: &dyn Ledger) {
    let incident = incident_in(ledger, 1, State::Acting).await;
    let open = intent(&incident, "repair");
    let mut step = incident.stay();
    step.intent = Some(open.clone());
    let incident = ledger.commit(step, None).await.unwrap();
    let other = Effect::RunNow { job: JobId(1), token: "t".to_owned(), parameters: RunParameters::default() };
    let mut step = incident.become_state(State::Closed(Ending::Superseded)).unwrap();
    step.intent = Some(Intent { effect: other, created_at: at(99), attempt: 9, ..settled(&open) });
    ledger.commit(step, None).await.unwrap();
    let [stored] = &ledger.intents(&id(1)).await.unwrap()[..] else { panic!("one intent") };
    assert_eq!((&stored.effect, stored.created_at, stored.attempt), (&open.effect, open.created_at, 1));
    assert_eq!((&stored.settlement, stored.settled_at), (&Settlement::Repaired { repair: RepairId(901) }, Some(at(20))));
}

pub async fn a_draft_is_read_along_and_hinders_no_person(ledger: &dyn Ledger) {
    incident_in(ledger, 1, State::Analysed).await;
    let Claim { incident, fence } = claim(ledger, 0, 1).await.remove(0);
    let heard = ledger.change_seq().await.unwrap();
    ledger.save_draft(&incident, fence, "{\"summary\": \"The \\u001b driver ☃").await.unwrap();
    let (changed, _) = ledger.changed_since(heard).await.unwrap();
    assert_eq!(changed[0].draft.as_deref(), Some("{\"summary\": \"The \\u001b driver ☃"));
    assert_eq!(Incident { draft: None, ..changed[0].clone() }, incident, "nothing else of it changes");
    let stopped = ledger.commit(incident.cancel_opinion("dana", at(1)), None).await.unwrap();
    assert_eq!((stopped.draft, stopped.no_opinion.as_deref()), (None, Some("cancelled by a person")));
    for (of, fence) in [(&incident, fence), (&reread(ledger, &incident).await, fence + 1)] {
        let late = ledger.save_draft(of, fence, "more").await;
        assert!(matches!(late, Err(LedgerError::Conflict { .. })), "{late:?}");
    }
    assert_eq!(reread(ledger, &incident).await.draft, None);
    let last = ledger.audit(&incident.id).await.unwrap().pop().unwrap().event;
    assert_eq!((last.actor, last.what), (Actor::Person("dana".to_owned()), Happening::no_opinion("cancelled by a person")));
}
