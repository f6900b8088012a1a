//! What is kept for later: outcomes, successes, settings, and how agents stand.

use runmend::domain::action::Action;
use runmend::domain::cause::Cause;
use runmend::domain::decision::Mode;
use runmend::domain::event::{Actor, Happening, Outcome};
use runmend::domain::ids::{Fingerprint, JobId, RunId};
use runmend::domain::incident::{Ending, Incident, Instead, State};
use runmend::domain::money::Usd;
use runmend::domain::precedent::{Precedent, Word};
use runmend::ledger::{AgentStatus, AutoApply, IntakeMemory, Ledger, LedgerError, OpinionHealth, OpinionStatus, Tally};

use crate::world::*;

/// The incident as it was when an attempt ended.
fn tried(incident: &Incident, fingerprint: Option<&str>, actions: &[Action]) -> Incident {
    let mut incident = incident.clone();
    incident.classification = fingerprint.map(classification);
    incident.attempts = (1..).zip(actions).map(|(number, action)| attempt(number, *action)).collect();
    for earlier in incident.attempts.iter_mut().rev().skip(1) {
        earlier.outcome = Some(Outcome::FailedAgain);
    }
    incident.attempt = actions.len().max(1) as u32;
    incident
}

pub async fn an_outcome_is_learnt_once(ledger: &dyn Ledger) {
    let tally = async |fingerprint: &str| ledger.tally(&Fingerprint::from(fingerprint)).await.unwrap();
    let mut of = Vec::new();
    for run in 0..6 {
        of.push(admitted(ledger, run, 0).await);
    }
    for (incident, outcome) in [
        (tried(&of[0], Some("f1"), &[Action::Retry]), Outcome::FailedAgain),
        (tried(&of[0], Some("f1"), &[Action::Retry]), Outcome::FailedAgain),
        // After a crash the agent may see the end of its re-run otherwise: the first word stays.
        (tried(&of[0], Some("f1"), &[Action::Retry]), Outcome::Mended),
        (tried(&of[0], Some("f1"), &[Action::Retry, Action::RetryWithNewParams]), Outcome::Mended),
        (tried(&of[1], Some("f1"), &[Action::Retry]), Outcome::Superseded),
        // Mended, but not by a re-run of ours.
        (tried(&of[2], Some("f1"), &[]), Outcome::Mended),
        (tried(&of[3], Some("f1"), &[Action::Notify]), Outcome::Mended),
        (tried(&of[4], Some("f2"), &[Action::Retry]), Outcome::Mended),
        (tried(&of[5], None, &[Action::Retry]), Outcome::Mended),
    ] {
        ledger.learn(&incident, outcome, at(100)).await.unwrap();
    }
    assert_eq!(tally("f1").await, Tally { mended: 1, failed_again: 1 });
    assert_eq!(tally("f2").await, Tally { mended: 1, failed_again: 0 });
    assert_eq!(tally("f3").await, Tally::default());
}

pub async fn what_people_said_is_found_by_error_and_by_job(ledger: &dyn Ledger) {
    let waiting = async |run: i64, fingerprint: &str| {
        let incident = incident_in(ledger, run, State::AwaitingApproval).await;
        let mut next = incident.stay();
        next.incident.classification = Some(classification(fingerprint));
        ledger.commit(next, None).await.unwrap()
    };
    let approved = waiting(1, "f1").await;
    let approved = ledger.commit(approved.approve("dana", at(1), Some("as ever".to_owned())).unwrap(), None).await.unwrap();
    ledger.learn(&tried(&approved, Some("f1"), &[Action::Retry]), Outcome::FailedAgain, at(2)).await.unwrap();
    let overridden = waiting(2, "f1").await;
    let transition =
        overridden.override_with(Instead { action: Action::Notify, cause: None, note: "schema".to_owned() }, "eli", at(3)).unwrap();
    ledger.commit(transition, None).await.unwrap();
    let ignored = waiting(3, "f2").await;
    ledger.commit(ignored.ignore("eli", at(4), None).unwrap(), None).await.unwrap();
    // What the agent does by itself is no word of a person's, and what had no verdict yet cannot be found again.
    let by_agent = waiting(4, "f1").await;
    let close = by_agent.close(Ending::Superseded, Outcome::Superseded, Actor::Workspace, at(5), None).unwrap();
    ledger.commit(close, None).await.unwrap();
    let early = admitted(ledger, 5, 0).await;
    ledger.commit(early.ignore("eli", at(6), None).unwrap(), None).await.unwrap();

    let job = (&workspace(), JobId(7));
    let said = async |fingerprint: &str, job, limit| {
        let found = ledger.precedents(&Fingerprint::from(fingerprint), job, limit).await.unwrap();
        let brief = |precedent: &Precedent| (precedent.incident.clone(), precedent.word, precedent.note.clone(), precedent.outcome);
        (found.alike.iter().map(brief).collect::<Vec<_>>(), found.of_job.iter().map(brief).collect::<Vec<_>>())
    };
    let first = (id(1), Word::Approved, Some("as ever".to_owned()), Some(Outcome::FailedAgain));
    let second = (id(2), Word::Overrode, Some("schema".to_owned()), None);
    let third = (id(3), Word::Ignored, None, None);
    assert_eq!(said("f1", Some(job), 3).await, (vec![second.clone(), first.clone()], vec![third.clone()]), "the newest first");
    assert_eq!(said("f1", None, 1).await, (vec![second.clone()], vec![]), "bounded");
    assert_eq!(said("f2", Some(job), 3).await, (vec![third], vec![second, first]));
    assert_eq!(said("f3", Some((&"acme-dev".into(), JobId(7))), 3).await, (vec![], vec![]), "another workspace's job is another job");
}

pub async fn the_cause_that_a_person_names_is_remembered_with_what_the_rules_said(ledger: &dyn Ledger) {
    let said = async |run: i64, action, cause| {
        let incident = incident_in(ledger, run, State::AwaitingApproval).await;
        let mut next = incident.stay();
        next.incident.classification = Some(classification("f1"));
        let waiting = ledger.commit(next, None).await.unwrap();
        let instead = Instead { action, cause, note: "nulls in order_id".to_owned() };
        let after = ledger.commit(waiting.override_with(instead, "eli", at(run)).unwrap(), None).await.unwrap();
        let found = ledger.precedents(&Fingerprint::from("f1"), None, 9).await.unwrap().alike;
        let newest = found.first().unwrap().clone();
        (found.len(), after, newest)
    };
    let rules = classification("f1").cause;
    assert_ne!(rules, Cause::Data);
    for (words, action, cause, want) in [
        (1, Action::Notify, Some(Cause::Data), Some(Cause::Data)),
        // It closes the incident, and still is one word.
        (2, Action::Ignore, Some(Cause::Data), Some(Cause::Data)),
        (3, Action::Notify, None, None),
        (4, Action::Notify, Some(rules), None),
    ] {
        let (count, incident, precedent) = said(words, action, cause).await;
        assert_eq!(count as i64, words);
        let note = Some("nulls in order_id".to_owned());
        assert_eq!((precedent.word, precedent.action, precedent.note), (Word::Overrode, Some(action), note), "{words}");
        assert_eq!((precedent.cause, precedent.rules_said), (want.unwrap_or(rules), want.map(|_| rules)), "{words}");
        assert_eq!((incident.cause(), incident.corrected()), (Some(want.unwrap_or(rules)), want.map(|cause| (cause, "eli"))), "{words}");
        assert_eq!(incident.state, if action == Action::Ignore { State::Closed(Ending::Ignored) } else { State::Scheduled });
        let trail: Vec<_> = ledger.audit(&incident.id).await.unwrap().into_iter().map(|line| line.event.what).collect();
        let named = trail.iter().find_map(|what| if let Happening::Overridden { cause, .. } = what { Some(*cause) } else { None });
        assert_eq!(named, Some(want), "the audit trail has it");
    }
    ledger.verify_audit().await.unwrap();
}

pub async fn a_success_wakes_those_who_wait_for_it(ledger: &dyn Ledger) {
    let mut before = Vec::new();
    for (run, state) in (1_i64..).zip(STATES) {
        let incident = incident_in(ledger, run, state).await;
        let due = state.is_open().then(|| at(500));
        before.push(ledger.commit(incident.stay().due(due), None).await.unwrap());
    }
    let mut elsewhere = failure(50, None);
    elsewhere.job.job_id = Some(JobId(8));
    ledger.admit(elsewhere, at(500)).await.unwrap();
    let seen_by_agent = claim(ledger, 500, 20).await;
    ledger.job_succeeded(&workspace(), JobId(7), RunId(99), at(90), at(100)).await.unwrap();
    assert_eq!(ledger.last_success(&workspace(), JobId(7)).await.unwrap(), Some((RunId(99), at(90))));
    for incident in &before {
        let after = reread(ledger, incident).await;
        let waits = matches!(incident.state, State::WithPeople | State::Decided | State::AwaitingApproval);
        assert_eq!(after.next_due, if waits { Some(at(100)) } else { incident.next_due }, "{:?}", incident.state);
        if let Some(claim) = seen_by_agent.iter().find(|claim| claim.incident.id == incident.id) {
            let answer = ledger.commit(claim.incident.stay().due(Some(at(900))), Some(claim.fence)).await;
            assert_eq!(
                matches!(answer, Err(LedgerError::Conflict { .. })),
                waits,
                "{:?}: no old look puts it to sleep again",
                incident.state
            );
        }
    }
    assert_eq!(claim(ledger, 100, 20).await.len(), 3, "and the claims on them have ended");
    let heard = ledger.change_seq().await.unwrap();
    for (run, started) in [(99, 90), (98, 80)] {
        ledger.job_succeeded(&workspace(), JobId(7), RunId(run), at(started), at(200)).await.unwrap();
    }
    assert_eq!(ledger.last_success(&workspace(), JobId(7)).await.unwrap(), Some((RunId(99), at(90))), "the newest stands");
    assert_eq!(ledger.change_seq().await.unwrap(), heard, "the same success, or an older one, wakes nobody");
    assert_eq!(ledger.last_success(&workspace(), JobId(8)).await.unwrap(), None);
    assert_eq!(ledger.last_success(&"acme-dev".into(), JobId(7)).await.unwrap(), None);
}

pub async fn auto_apply_ends_by_itself(ledger: &dyn Ledger) {
    let auto = |until| AutoApply { by: "dana".to_owned(), until: at(until) };
    assert_eq!(ledger.auto_apply(at(0)).await.unwrap(), None);
    ledger.set_auto_apply(Some(auto(100))).await.unwrap();
    assert_eq!(ledger.auto_apply(at(99)).await.unwrap(), Some(auto(100)));
    assert_eq!(ledger.auto_apply(at(100)).await.unwrap(), None, "a console that died leaves no agent acting");
    ledger.set_auto_apply(Some(auto(200))).await.unwrap();
    assert_eq!(ledger.auto_apply(at(100)).await.unwrap(), Some(auto(200)));
    ledger.set_auto_apply(None).await.unwrap();
    assert_eq!(ledger.auto_apply(at(0)).await.unwrap(), None);
}

pub async fn an_agent_says_how_it_stands(ledger: &dyn Ledger) {
    let status = |worker: &str, workspace: &str, second| AgentStatus {
        worker: worker.to_owned(),
        workspace: workspace.into(),
        version: "0.1.0".to_owned(),
        mode: Mode::Auto,
        unattended: true,
        leading: worker == "a",
        poll_interval_s: 60,
        last_poll: Some(at(second)),
        runs_seen: 12,
        degraded: vec![("mail".to_owned(), "the server is away".to_owned())],
        opinions: Some(OpinionStatus {
            health: OpinionHealth::Spent { window: "daily".to_owned(), until: at(second + 60) },
            spent_today: Usd::new(0.5),
            daily_budget: Some(Usd::new(0.5)),
        }),
        at: at(second),
    };
    assert_eq!(ledger.agent_statuses().await.unwrap(), []);
    for said in [status("b", "acme-prod", 1), status("a", "acme-prod", 2), status("a", "acme-dev", 3), status("b", "acme-prod", 4)] {
        ledger.set_agent_status(&said).await.unwrap();
    }
    let want = [status("a", "acme-dev", 3), status("a", "acme-prod", 2), status("b", "acme-prod", 4)];
    assert_eq!(ledger.agent_statuses().await.unwrap(), want, "the last word of each, for each workspace");
}

pub async fn each_workspace_has_its_intake_memory(ledger: &dyn Ledger) {
    assert_eq!(ledger.intake_memory(&workspace()).await.unwrap(), IntakeMemory::default());
    let memory = |runs: &[i64], second| IntakeMemory { following: runs.iter().copied().map(RunId).collect(), polled_at: Some(at(second)) };
    ledger.save_intake_memory(&workspace(), &memory(&[1, i64::MAX], 1)).await.unwrap();
    ledger.save_intake_memory(&"acme-dev".into(), &memory(&[], 2)).await.unwrap();
    ledger.save_intake_memory(&workspace(), &memory(&[3], 3)).await.unwrap();
    assert_eq!(ledger.intake_memory(&workspace()).await.unwrap(), memory(&[3], 3));
    assert_eq!(ledger.intake_memory(&"acme-dev".into()).await.unwrap(), memory(&[], 2));
}

pub async fn the_lead_is_kept_until_it_is_given_up(ledger: &dyn Ledger) {
    for round in 0..2 {
        assert!(ledger.try_lead(&workspace()).await.unwrap(), "round {round}");
        assert!(ledger.try_lead(&workspace()).await.unwrap(), "who leads is told so again");
        assert!(ledger.try_lead(&"Acme/Dev ../..".into()).await.unwrap(), "each workspace has its own");
        ledger.yield_lead(&workspace()).await;
        ledger.yield_lead(&workspace()).await;
    }
    let closed = incident_in(ledger, 1, State::Closed(Ending::Mended)).await;
    assert_eq!(reread(ledger, &closed).await, closed);
}

pub async fn what_a_part_keeps_is_changed_by_one_at_a_time(ledger: &dyn Ledger) {
    let count = |kept: Option<serde_json::Value>| (kept.and_then(|kept| kept.as_i64()).unwrap_or_default() + 1).into();
    let counted = futures_util::future::join_all((0..20).map(|_| ledger.update_keepsake("counter", &count))).await;
    let mut counted: Vec<i64> = counted.into_iter().map(|kept| kept.unwrap().as_i64().unwrap()).collect();
    counted.sort_unstable();
    assert_eq!(counted, (1..=20).collect::<Vec<_>>());
    assert_eq!(ledger.keepsake("counter").await.unwrap(), Some(20.into()));
    assert_eq!(ledger.keepsake("another").await.unwrap(), None);
}
