//! What is a failure, whose it is, what it costs to see it, and what else the ledger is told.

use super::world::*;
use crate::databricks::run::{LifeCycle, ResultState};
use crate::domain::ids::{IntentId, JobId, RepairId, RunId};
use crate::domain::incident::{Attempt, State};
use crate::domain::intent::{Effect, Intent, RunParameters, Settlement};
use crate::ledger::Ledger;

#[tokio::test]
async fn a_failure_is_admitted_once_whoever_polls() {
    let mut stage = stage([(1, life(-100, -50, fails()))]).await;
    let report = stage.poll(0).await;
    assert_eq!(found(&report), [(1, None)]);
    assert_eq!(report.runs_seen, 1);
    let incident = stage.incident(1).await;
    assert_eq!((incident.result_state.as_deref(), incident.termination_code.as_deref()), (Some("FAILED"), Some("RUN_EXECUTION_ERROR")));
    assert_eq!(incident.failed_at, Some(at(-50)));
    assert_eq!((incident.job.name.as_str(), incident.job.owner.as_deref()), ("job 7", Some("dana@acme.example")));
    assert_eq!(stage.found(60).await, []);
    stage.restart();
    assert_eq!(stage.found(120).await, []);
    stage.close(1).await;
    assert_eq!(stage.found(180).await, [], "an old failure of a closed incident is no new one");
    assert_eq!(stage.ledger.audit(&incident.id).await.unwrap().len(), 2, "detected, and closed");
}

#[tokio::test]
async fn which_ends_are_failures() {
    let end = |life_cycle, result, code| End { life_cycle, result, code };
    let rows = [
        (end(LifeCycle::Terminated, Some(ResultState::Failed), None), Some("FAILED")),
        (end(LifeCycle::Terminated, Some(ResultState::TimedOut), None), Some("TIMEDOUT")),
        (end(LifeCycle::InternalError, Some(ResultState::Failed), None), Some("FAILED")),
        (end(LifeCycle::InternalError, Some(ResultState::TimedOut), None), Some("TIMEDOUT")),
        (end(LifeCycle::InternalError, None, None), Some("INTERNAL_ERROR")),
        (end(LifeCycle::Terminated, None, Some("DRIVER_ERROR")), Some("TERMINATED")),
        (end(LifeCycle::Terminated, Some(ResultState::Other("MELTED".to_owned())), None), Some("MELTED")),
        (end(LifeCycle::Terminated, Some(ResultState::UpstreamFailed), None), Some("UPSTREAM_FAILED")),
        (end(LifeCycle::Terminated, Some(ResultState::Success), None), None),
        (end(LifeCycle::Terminated, Some(ResultState::SuccessWithFailures), None), None),
        (end(LifeCycle::Terminated, None, Some("SUCCESS")), None),
        (end(LifeCycle::Terminated, Some(ResultState::Canceled), None), None),
        (end(LifeCycle::InternalError, Some(ResultState::Canceled), None), None),
        (end(LifeCycle::Terminated, None, Some("USER_CANCELED")), None),
        (end(LifeCycle::Skipped, None, None), None),
        (end(LifeCycle::Terminated, Some(ResultState::MaximumConcurrentRunsReached), None), None),
        (end(LifeCycle::Terminated, Some(ResultState::Excluded), None), None),
        (end(LifeCycle::Other("SLEEPING".to_owned()), None, None), None),
    ];
    let lives = rows.iter().enumerate().map(|(run, (end, _))| (run as i64, life(-100, -50, end.clone()).of_job(run as i64)));
    let mut stage = stage(lives).await;
    let mut seen = stage.found(0).await;
    seen.sort();
    let want: Vec<Found> = rows.iter().enumerate().filter(|(_, (_, word))| word.is_some()).map(|(run, _)| (run as i64, None)).collect();
    assert_eq!(seen, want);
    for (run, (end, word)) in rows.iter().enumerate() {
        if word.is_some() {
            assert_eq!(stage.incident(run as i64).await.result_state.as_deref(), *word, "{end:?}");
        }
    }
}

#[tokio::test]
async fn a_run_that_started_long_ago_and_fails_now_is_seen() {
    let mut stage = stage([(1, life(-30 * 24 * 3600, 90, fails())), (2, life(-30 * 24 * 3600, -1, fails()))]).await;
    assert_eq!(stage.found(0).await, []);
    assert_eq!(stage.found(60).await, []);
    assert_eq!(stage.found(120).await, [(1, None)], "run 2 ended before runmend came, and started before the look-back");
}

#[tokio::test]
async fn a_run_that_was_active_when_runmend_stopped_is_seen_when_it_is_back() {
    let mut stage = stage([(1, life(-10_000, 3_600, fails())), (2, life(10, 20, fails()))]).await;
    assert_eq!(stage.found(0).await, []);
    stage.restart();
    let mut seen = stage.found(40_000).await;
    seen.sort();
    assert_eq!(seen, [(1, None), (2, None)]);
    assert_eq!(stage.found(40_060).await, []);
}

#[tokio::test]
async fn a_run_that_fails_within_a_second_between_two_polls_is_seen() {
    let mut stage = stage([(1, life(30, 30, fails())), (2, life(0, 1, fails())), (3, life(60, 61, fails()))]).await;
    assert_eq!(stage.found(0).await, []);
    assert_eq!(stage.found(60).await, [(2, None), (1, None)], "oldest end first");
    assert_eq!(stage.found(120).await, [(3, None)]);
}

#[tokio::test]
async fn a_failure_after_a_repair_is_a_new_one_with_its_repairs_id() {
    // The repair runs over a poll; then another one starts and fails between two polls, when the run has long left every window.
    let run = life(-100, -50, fails()).repaired(901, 70, 130, fails()).repaired(902, 40_010, 40_020, fails());
    let mut stage = stage([(1, run)]).await;
    assert_eq!(stage.found(0).await, [(1, None)]);
    stage.becomes(1, &TO_PEOPLE).await;
    assert_eq!(stage.found(120).await, [], "it is being repaired");
    assert_eq!(stage.found(180).await, [(1, Some(901))]);
    assert_eq!((stage.incident(1).await.attempt, stage.incident(1).await.state), (2, State::Collecting));
    stage.close(1).await;
    assert_eq!(stage.found(40_000).await, []);
    assert_eq!(stage.found(40_060).await, [(1, Some(902))]);
    assert_eq!(stage.incident(1).await.state, State::Detected);
    assert_eq!(stage.found(40_120).await, []);
}

#[tokio::test]
async fn a_failure_that_the_incidents_own_step_did_not_take_up_is_admitted_when_it_ends() {
    for restarts in [false, true] {
        // Somebody repairs the run while it awaits approval: the agent's step is to see that. It does not live to.
        let mut stage = stage([(1, life(-100_000, 10, fails()).repaired(901, 70, 130, fails()))]).await;
        stage.poll(0).await;
        assert_eq!(stage.found(60).await, [(1, None)]);
        stage.becomes(1, &TO_AWAITING).await;
        for now in [120, 180, 240] {
            assert_eq!(stage.found(now).await, [], "in hand");
        }
        stage.close(1).await;
        if restarts {
            stage.restart();
        }
        assert_eq!(stage.found(300).await, [(1, Some(901))], "restarts: {restarts}");
    }
}

#[tokio::test]
async fn a_run_that_shows_its_old_end_right_after_a_repair_counts_as_active() {
    let run = Life { stale_s: 40, ..life(-100, -50, fails()).repaired(901, -10, 90, fails()) };
    let mut stage = stage([(1, run)]).await;
    assert_eq!(stage.found(0).await, [], "its history says that it is being repaired");
    assert_eq!(stage.found(60).await, []);
    assert_eq!(stage.found(120).await, [(1, Some(901))]);
    // A repair that is over in its history, while the run still shows the end before it.
    let run = Life { stale_s: 40, ..life(-100, -50, fails()).repaired(901, -10, -5, succeeds()) };
    stage.fake.script().runs.insert(2, run);
    assert_eq!(stage.found(0).await, [], "no failure: the repair succeeded");
    assert_eq!(stage.found(60).await, []);
}

#[tokio::test]
async fn a_run_that_ends_between_the_two_lists_is_ended() {
    let mut stage = stage([(1, life(50, 67, fails())), (2, life(-100_000, 67, fails()))]).await;
    stage.poll(0).await;
    stage.poll(60).await;
    stage.fake.script().pace_s = 5;
    let report = stage.poll(60).await;
    assert_eq!(found(&report), [(1, None)], "run 2 is in the first list only, as active");
    assert_eq!(report.active.iter().map(|run| run.0).collect::<Vec<_>>(), [2]);
    assert_eq!(stage.found(120).await, [(2, None)]);
}

#[tokio::test]
async fn a_quiet_poll_costs_three_calls_and_one_more_for_each_further_25_active_runs() {
    for (active, past_runs) in [(0, 5_000), (1, 100), (25, 100), (26, 100), (49, 100), (50, 100), (75, 100), (76, 5_000), (250, 100)] {
        // Of the history every tenth run has failed, and people dealt with each; now nothing happens.
        let past = |run: i64| life(-60 - run * 40, -50 - run * 40, if run % 10 == 0 { fails() } else { succeeds() }).of_job(run % 40);
        let history = (0..past_runs).map(|run| (run, past(run)));
        let now = (0..active).map(|run| (10_000 + run, life(-90_000 - run, NEVER, succeeds())));
        let mut stage = stage(history.chain(now)).await;
        for (incident, _) in stage.poll(0).await.admitted {
            stage.close(incident.run.0).await;
        }
        for poll in 1..4 {
            if poll == 3 {
                stage.restart();
            }
            let report = stage.poll(poll * 60).await;
            let most = 3 + (active as u32).saturating_sub(25) / 25;
            assert!(report.calls <= most, "{active} active runs, poll {poll}: {} calls, {most} are allowed", report.calls);
            assert_eq!((report.active.len() as i64, report.admitted.len()), (active, 0));
        }
    }
}

#[tokio::test]
async fn a_storm_of_one_job_costs_its_facts_once() {
    let mut stage = stage((1..=30).map(|run| (run, life(-100 - run, -50 - run, fails())))).await;
    assert_eq!(stage.found(0).await.len(), 30);
    assert_eq!(stage.calls().iter().filter(|call| **call == Call::Job(7)).count(), 1);
}

#[tokio::test]
async fn a_one_time_run_asks_for_no_job() {
    let mut run = life(-100, -50, fails());
    run.run_type = "SUBMIT_RUN";
    let mut stage = stage([(1, run)]).await;
    assert_eq!(stage.found(0).await, [(1, None)]);
    assert_eq!(stage.incident(1).await.job.job_id, None);
    assert!(!stage.calls().contains(&Call::Job(7)));
}

#[tokio::test]
async fn a_later_success_of_a_job_with_an_open_incident_is_told() {
    let runs = [
        (1, life(-100, -50, fails())),
        (2, life(10, 20, succeeds())),
        (3, life(15, 25, succeeds()).of_job(8)),
        (4, life(-5_000, 130, succeeds())),
    ];
    let mut stage = stage(runs).await;
    stage.poll(0).await;
    stage.becomes(1, &TO_PEOPLE).await;
    let report = stage.poll(60).await;
    assert_eq!(report.succeeded, 1, "nobody waits for job 8");
    assert_eq!(stage.ledger.last_success(&workspace(), JobId(7)).await.unwrap(), Some((RunId(2), at(10))));
    assert_eq!(stage.ledger.last_success(&workspace(), JobId(8)).await.unwrap(), None);
    assert_eq!(stage.incident(1).await.next_due, Some(at(60)), "it is due at once");
    assert_eq!(stage.poll(120).await.succeeded, 0, "told once");
    assert_eq!(stage.poll(180).await.succeeded, 1, "a run that was followed to its end");
    assert_eq!(stage.ledger.last_success(&workspace(), JobId(7)).await.unwrap(), Some((RunId(2), at(10))), "the newest start stands");
}

fn run_now(incident: &crate::domain::incident::Incident) -> Intent {
    Intent {
        id: IntentId(format!("{}#1/run_now", incident.id)),
        incident: incident.id.clone(),
        attempt: 1,
        effect: Effect::RunNow { job: JobId(7), token: "t".to_owned(), parameters: RunParameters::default() },
        created_at: at(30),
        settlement: Settlement::Open,
        settled_at: None,
    }
}

#[tokio::test]
async fn a_run_that_may_be_ours_waits_for_our_own_answer() {
    for ours in [true, false] {
        let runs = [(1, life(-100, -50, fails())), (2, life(31, 32, fails())), (3, life(31, 33, fails()).of_job(8))];
        let mut stage = stage(runs).await;
        stage.poll(0).await;
        let incident = stage.becomes(1, &TO_ACTING[..4]).await;
        let mut acting = incident.become_state(State::Acting).unwrap();
        acting.intent = Some(run_now(&incident));
        let incident = stage.ledger.commit(acting, None).await.unwrap();
        assert_eq!(stage.found(60).await, [(3, None)], "run 2 may have come of the call whose answer is not there yet");
        stage.restart();
        assert_eq!(stage.found(120).await, []);
        let mut settled = if ours { incident.become_state(State::Watching) } else { incident.become_state(State::WithPeople) }.unwrap();
        let settlement = if ours { Settlement::Started { run: RunId(2) } } else { Settlement::Refused { reason: "no".to_owned() } };
        settled.intent = Some(Intent { settlement, settled_at: Some(at(130)), ..run_now(&incident) });
        if ours {
            settled.incident.attempts.push(Attempt {
                number: 1,
                action: crate::domain::action::Action::Retry,
                acted_at: at(31),
                repair: None,
                new_run: Some(RunId(2)),
                automatic: true,
                outcome: None,
                ended_at: None,
            });
        }
        stage.ledger.commit(settled, None).await.unwrap();
        let want = if ours { vec![] } else { vec![(2, None)] };
        assert_eq!(stage.found(180).await, want, "ours: {ours}");
        let report = stage.poll(240).await;
        assert!(found(&report).is_empty() && report.calls <= 3, "it is settled, and costs nothing more: {report:?}");
    }
}

#[tokio::test]
async fn a_persons_repair_of_a_run_that_we_started_belongs_to_the_first_runs_incident() {
    let runs = [(1, life(-100, -50, fails())), (2, life(31, 40, fails()).repaired(901, 200, 290, fails()))];
    let mut stage = stage(runs).await;
    stage.poll(0).await;
    let incident = stage.becomes(1, &TO_ACTING).await;
    let mut watching = incident.become_state(State::Watching).unwrap();
    watching.incident.attempts.push(Attempt {
        number: 1,
        action: crate::domain::action::Action::Retry,
        acted_at: at(31),
        repair: None,
        new_run: Some(RunId(2)),
        automatic: true,
        outcome: None,
        ended_at: None,
    });
    stage.ledger.commit(watching, None).await.unwrap();
    assert_eq!(stage.found(60).await, []);
    stage.becomes(1, &[State::WithPeople]).await;
    assert_eq!(stage.found(240).await, []);
    assert_eq!(stage.found(300).await, [(2, Some(901))]);
    let incident = stage.incident(1).await;
    assert_eq!((incident.failure.run, incident.failure.after_repair), (RunId(2), Some(RepairId(901))));
    assert_eq!(stage.ledger.incidents(10).await.unwrap().len(), 1);
}
