//! Ledgers that older runmends wrote: what they hold counts as if this one had written it.

use std::path::Path;

use runmend::domain::action::Action;
use runmend::domain::cause::Cause;
use runmend::domain::decision::{Authority, Decision};
use runmend::domain::event::{Actor, Happening, Outcome};
use runmend::domain::ids::{Fingerprint, JobId};
use runmend::domain::incident::{Ending, Incident, Instead, State};
use runmend::domain::precedent::Word;
use runmend::ledger::{Ledger, SqliteLedger};
use serde_json::Value;
use sqlx::AssertSqlSafe;

use crate::older_file::in_first_schema;
use crate::tampering::{behind_its_back, raw};
use crate::world::*;

/// A run's incident with verdict and decision, each told in its event, in a state after them.
async fn judged(ledger: &dyn Ledger, run: i64, fingerprint: &str, state: State) -> Incident {
    let incident = incident_in(ledger, run, State::Collecting).await;
    judge(ledger, incident, fingerprint, state).await
}

async fn judge(ledger: &dyn Ledger, incident: Incident, fingerprint: &str, state: State) -> Incident {
    let verdict = classification(fingerprint);
    let mut next = incident.become_state(State::Analysed).unwrap();
    next.incident.classification = Some(verdict.clone());
    let incident = ledger.commit(next.happening(at(1), Actor::Agent, Happening::Classified(Box::new(verdict))), None).await.unwrap();
    let decision = Decision {
        action: Action::Retry,
        parameters: Vec::new(),
        authority: Authority::Approval,
        not_before: at(2),
        confidence: incident.classification.as_ref().unwrap().confidence,
        success: None,
        reasons: vec!["cause network".to_owned()],
        guardrails: Vec::new(),
    };
    let mut next = incident.become_state(State::Decided).unwrap();
    next.incident.decision = Some(decision.clone());
    let incident = ledger.commit(next.happening(at(2), Actor::Agent, Happening::decided(&decision)), None).await.unwrap();
    ledger.commit(incident.become_state(state).unwrap(), None).await.unwrap()
}

fn instead(action: Action, note: &str) -> Instead {
    Instead { action, cause: None, note: note.to_owned() }
}

/// People's words in every form, and what looks like one and is none.
async fn decided_by_people(ledger: &dyn Ledger) {
    let approved = judged(ledger, 1, "f1", State::AwaitingApproval).await;
    let approved = ledger.commit(approved.approve("dana", at(3), Some("as \"ever\"\nö".to_owned())).unwrap(), None).await.unwrap();
    let mut ended = approved.clone();
    ended.attempts.push(attempt(1, Action::Retry));
    ledger.learn(&ended, Outcome::FailedAgain, at(9)).await.unwrap();

    let overridden = judged(ledger, 2, "f1", State::AwaitingApproval).await;
    let data = Instead { cause: Some(Cause::Data), ..instead(Action::Notify, "schema") };
    ledger.commit(overridden.override_with(data, "eli", at(4)).unwrap(), None).await.unwrap();
    // Of what was mailed, the person's decision is the next attempt's.
    let mailed = judged(ledger, 3, "f1", State::WithPeople).await;
    ledger.commit(mailed.override_with(instead(Action::Retry, "once more"), "eli", at(5)).unwrap(), None).await.unwrap();
    // Ignored with a reason: two events, one word.
    let ignored = judged(ledger, 4, "f2", State::AwaitingApproval).await;
    ledger.commit(ignored.override_with(instead(Action::Ignore, "a test run"), "eli", at(6)).unwrap(), None).await.unwrap();

    let ignored = judged(ledger, 5, "f2", State::AwaitingApproval).await;
    ledger.commit(ignored.ignore("eli", at(7), Some(" ".to_owned())).unwrap(), None).await.unwrap();
    // It fails anew, and nobody has read why when the person says the next word; then it is read, and there is one more.
    ledger.admit(failure(5, Some(901)), at(8)).await.unwrap();
    let anew = ledger.incident(&id(5)).await.unwrap().unwrap();
    let closed = ledger.commit(anew.ignore("eli", at(9), None).unwrap(), None).await.unwrap();
    ledger.admit(failure(5, Some(902)), at(10)).await.unwrap();
    let anew = ledger.incident(&closed.id).await.unwrap().unwrap();
    let anew = ledger.commit(anew.become_state(State::Collecting).unwrap(), None).await.unwrap();
    let anew = judge(ledger, anew, "f3", State::WithPeople).await;
    ledger.commit(anew.close_handled("dana", at(11), Some("by hand".to_owned())).unwrap(), None).await.unwrap();

    // A re-run failed again: its verdict was the failure's before.
    let watched = judged(ledger, 6, "f1", State::Scheduled).await;
    let watched = ledger.commit(watched.become_state(State::Acting).unwrap(), None).await.unwrap();
    let watched = ledger.commit(watched.become_state(State::Watching).unwrap(), None).await.unwrap();
    let again = Happening::Outcome { result: Outcome::FailedAgain, duration_s: 60, note: None };
    let mut next = watched.become_state(State::Collecting).unwrap().happening(at(12), Actor::Agent, again);
    next.incident.attempt += 1;
    (next.incident.classification, next.incident.decision) = (None, None);
    let again = ledger.commit(next, None).await.unwrap();
    ledger.commit(again.ignore("eli", at(13), None).unwrap(), None).await.unwrap();

    let by_agent = judged(ledger, 7, "f1", State::WithPeople).await;
    let close = by_agent.close(Ending::Superseded, Outcome::Superseded, Actor::Workspace, at(14), None).unwrap();
    ledger.commit(close, None).await.unwrap();
    let early = admitted(ledger, 8, 0).await;
    ledger.commit(early.ignore("eli", at(15), None).unwrap(), None).await.unwrap();
}

type Row = (String, i64, String, Option<i64>, String, Value);

/// The table of precedents, oldest first.
async fn rows(path: &Path) -> Vec<Row> {
    let found: Vec<(String, i64, String, Option<i64>, String, String)> =
        sqlx::query_as("SELECT incident, attempt, workspace, job_id, fingerprint, doc FROM precedents ORDER BY seq")
            .fetch_all(&mut raw(path).await)
            .await
            .unwrap();
    found.into_iter().map(|row| (row.0, row.1, row.2, row.3, row.4, serde_json::from_str(&row.5).unwrap())).collect()
}

#[tokio::test]
async fn what_people_decided_before_there_was_a_table_for_it_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let ledger = SqliteLedger::open(&path).await.unwrap();
    decided_by_people(&ledger).await;
    let lines = ledger.verify_audit().await.unwrap();
    drop(ledger);
    let want = rows(&path).await;
    assert_eq!(want.len(), 6);

    let older = in_first_schema(&path).await;
    for start in 1..=2 {
        let ledger = SqliteLedger::open(&older).await.unwrap();
        assert_eq!(rows(&older).await, want, "start {start}");
        assert_eq!(ledger.verify_audit().await.unwrap(), lines);
    }
    // As a model is told, and with what came of it; what is decided from now on is newer.
    let ledger = SqliteLedger::open(&older).await.unwrap();
    let approved = judged(&ledger, 9, "f1", State::AwaitingApproval).await;
    ledger.commit(approved.approve("dana", at(20), None).unwrap(), None).await.unwrap();
    let found = ledger.precedents(&Fingerprint::from("f1"), Some((&workspace(), JobId(7))), 9).await.unwrap();
    let brief = |found: &[runmend::domain::precedent::Precedent]| {
        found.iter().map(|said| (said.incident.clone(), said.word, said.action, said.outcome)).collect::<Vec<_>>()
    };
    use {Action::*, Word::*};
    let want = [
        (id(9), Approved, Some(Retry), None),
        (id(3), Overrode, Some(Retry), None),
        (id(2), Overrode, Some(Notify), None),
        (id(1), Approved, Some(Retry), Some(Outcome::FailedAgain)),
    ];
    assert_eq!(brief(&found.alike), want);
    let of_job = [(id(5), Handled, None, None), (id(5), Ignored, Some(Ignore), None), (id(4), Overrode, Some(Ignore), None)];
    assert_eq!(brief(&found.of_job), of_job);
}

#[tokio::test]
async fn what_the_table_knows_is_not_told_twice() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let ledger = SqliteLedger::open(&path).await.unwrap();
    decided_by_people(&ledger).await;
    drop(ledger);
    let want = rows(&path).await;
    // The second schema had the later half.
    behind_its_back(&path, &["DELETE FROM precedents WHERE seq <= 3; DELETE FROM _sqlx_migrations WHERE version >= 3"]).await.unwrap();
    assert_eq!(rows(&path).await.len(), 3);
    SqliteLedger::open(&path).await.unwrap();
    assert_eq!(rows(&path).await, want);
}

#[tokio::test]
async fn a_broken_line_hides_its_own_word_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let ledger = SqliteLedger::open(&path).await.unwrap();
    decided_by_people(&ledger).await;
    drop(ledger);
    let mut want = rows(&path).await;
    let older = in_first_schema(&path).await;
    let breaks =
        "DROP TRIGGER audit_no_update; UPDATE audit SET line = '{' WHERE event IN ('overridden', 'decided') AND incident LIKE '%/2'";
    behind_its_back(&older, &[breaks]).await.unwrap();
    SqliteLedger::open(&older).await.unwrap();
    want.retain(|row| row.0 != id(2).as_str());
    assert_eq!(rows(&older).await, want);
}

/// The work grows with what people said, not with its square: each look from one event to others of its incident is by an index.
/// A ledger of 120,000 events opened in a second, all code unoptimised.
#[tokio::test]
async fn a_ledger_of_years_is_brought_up_to_date_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    drop(SqliteLedger::open(&path).await.unwrap());
    let fill = include_str!("../../assets/migrations/sqlite/0003_earlier_precedents.sql");
    let plan: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {fill}"))).fetch_all(&mut raw(&path).await).await.unwrap();
    let looks: Vec<&str> =
        plan.iter().map(|step| step.3.as_str()).filter(|step| step.contains("audit") || step.contains("verdict")).collect();
    assert!(looks.len() >= 4 && looks.iter().all(|step| step.starts_with("SEARCH")), "{plan:#?}");
}
