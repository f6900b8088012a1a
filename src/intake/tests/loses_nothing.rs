//! Calls that fail, polls that break off, clocks that disagree.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use super::world::*;
use crate::databricks::ApiError;
use crate::intake::IntakeError;
use crate::ledger::Ledger;

/// Run 1 is listed as failed, run 2 was active and is in no list any more, run 3 is healthy work beside them.
async fn three() -> Stage {
    let runs =
        [(1, life(70, 80, fails()).of_job(1)), (2, life(-100_000, 90, fails()).of_job(2)), (3, life(-100_000, 100, fails()).of_job(3))];
    let mut stage = stage(runs).await;
    assert_eq!(stage.found(60).await, []);
    stage
}

#[tokio::test]
async fn a_run_that_cannot_be_read_is_asked_about_again_and_stops_no_other() {
    let malformed = ApiError::Malformed { call: "GET x".to_owned(), message: "no state".to_owned() };
    let lost = ApiError::AnswerLost { call: "GET x".to_owned(), message: "reset".to_owned() };
    for (error, at_once) in [
        (not_found("no such run"), false),
        (forbidden(), true),
        (rate_limited(), false),
        (unavailable(), false),
        (lost, false),
        // What the list says is enough to begin with, where asking again would not help.
        (malformed, true),
    ] {
        for restarts in [false, true] {
            let mut stage = three().await;
            stage.refuse(Call::Get(1), [Some(error.clone())]);
            stage.refuse(Call::Get(2), [Some(error.clone())]);
            let report = stage.poll(120).await;
            let mut seen = found(&report);
            seen.sort();
            let want: &[Found] = if at_once { &[(1, None), (3, None)] } else { &[(3, None)] };
            assert_eq!(seen, want, "{error}");
            assert_eq!(report.warnings.len(), 2, "{error}: {:?}", report.warnings);
            assert!(report.warnings.iter().all(|words| words.contains(&error.to_string())), "{:?}", report.warnings);
            if restarts {
                stage.restart();
            }
            let report = stage.poll(180).await;
            let mut seen = found(&report);
            seen.sort();
            let want: &[Found] = if at_once { &[(2, None)] } else { &[(1, None), (2, None)] };
            assert_eq!(seen, want, "{error}, restarts: {restarts}");
            assert_eq!(report.warnings, [] as [String; 0]);
            assert_eq!(stage.found(240).await, []);
        }
    }
}

#[tokio::test]
async fn a_failure_that_was_taken_from_the_list_is_the_same_when_the_run_can_be_read_again() {
    let mut stage = stage([(1, life(-100, -80, fails()).repaired(901, -70, -60, fails()))]).await;
    stage.refuse(Call::Get(1), [Some(forbidden())]);
    assert_eq!(stage.found(0).await, [(1, None)]);
    stage.close(1).await;
    for now in [60, 120, 180] {
        assert_eq!(stage.found(now).await, [], "at {now}");
    }
}

#[tokio::test]
async fn a_permission_that_comes_back_after_hours_still_finds_the_failure() {
    let mut stage = three().await;
    stage.poll(120).await;
    let mut stage = three().await;
    stage.refuse(Call::Get(2), std::iter::repeat_n(Some(forbidden()), 8));
    let mut asked = 0;
    let mut seen = Vec::new();
    for minute in 2..4 * 60 {
        let report = stage.poll(minute * 60).await;
        let calls = stage.calls().iter().filter(|call| **call == Call::Get(2)).count();
        asked += calls;
        seen.extend(found(&report));
        let waits = !seen.contains(&(2, None));
        assert_eq!(waits, report.warnings.iter().any(|words| words.contains("run 2")), "minute {minute}: said as long as it is so");
    }
    assert!(seen.contains(&(2, None)), "{seen:?}");
    assert!(asked < 15, "asked {asked} times");
}

#[tokio::test]
async fn a_run_that_stays_forbidden_is_given_up_after_a_day_and_said_so() {
    let mut stage = three().await;
    stage.refuse(Call::Get(2), std::iter::repeat_n(Some(forbidden()), 1000));
    let mut last_words = Vec::new();
    for hour in 0..30 {
        let report = stage.poll(120 + hour * 3600).await;
        last_words.extend(report.warnings.into_iter().filter(|words| words.contains("no longer followed")));
    }
    assert_eq!(last_words.len(), 1, "{last_words:?}");
    assert!(stage.ledger.intake_memory(&workspace()).await.unwrap().following.is_empty());
}

#[tokio::test]
async fn a_run_that_was_deleted_is_forgotten_after_two_answers() {
    let mut stage = three().await;
    stage.fake.script().runs.remove(&2);
    for (now, asks) in [(120, 1), (180, 1), (240, 0)] {
        stage.poll(now).await;
        assert_eq!(stage.calls().iter().filter(|call| **call == Call::Get(2)).count(), asks, "at {now}");
    }
}

#[tokio::test]
async fn a_job_that_cannot_be_read_is_guessed_only_where_asking_again_is_no_help() {
    for (error, admitted, warned) in
        [(not_found("no such job"), true, false), (forbidden(), true, true), (unavailable(), false, true), (rate_limited(), false, true)]
    {
        let mut stage = three().await;
        stage.refuse(Call::Job(1), [Some(error.clone())]);
        let report = stage.poll(120).await;
        assert_eq!(found(&report).contains(&(1, None)), admitted, "{error}");
        assert!(found(&report).contains(&(2, None)) && found(&report).contains(&(3, None)));
        assert_eq!(!report.warnings.is_empty(), warned, "{:?}", report.warnings);
        stage.restart();
        assert_eq!(stage.found(180).await, if admitted { vec![] } else { vec![(1, None)] }, "{error}");
        assert_eq!(stage.incident(1).await.job.tags.is_empty(), admitted, "{error}: what could not be read is not guessed");
    }
}

#[tokio::test]
async fn a_poll_that_breaks_off_is_made_again() {
    // The second page of the finished runs; a token refused in the middle of the gets; and of the jobs.
    for (call, errors) in [
        (Call::List, vec![None, None, Some(unavailable())]),
        (Call::List, vec![Some(rate_limited())]),
        (Call::Get(17), vec![Some(unauthenticated())]),
        (Call::Job(17), vec![Some(unauthenticated())]),
    ] {
        let mut stage = stage((1..=40).map(|run| (run, life(run, run + 1, fails()).of_job(run)))).await;
        stage.poll(0).await;
        stage.clock(60);
        stage.refuse(call, errors);
        let broken = stage.poller.poll(at(60)).await;
        assert!(matches!(broken, Err(IntakeError::Workspace(_))), "{call:?}");
        assert_eq!(stage.ledger.intake_memory(&workspace()).await.unwrap().polled_at, Some(at(0)));
        // Longer after the last good poll than any overlap.
        let mut seen = stage.found(10_000).await;
        seen.sort();
        assert_eq!(seen, (1..=40).map(|run| (run, None)).collect::<Vec<_>>(), "{call:?}");
        assert_eq!(stage.found(10_060).await, []);
    }
}

/// Lets the future go on `wakes` times, then drops it: a process that stops there. `None` when it was not over.
async fn dropped_after<T>(wakes: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = wakes;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn a_poll_dropped_anywhere_neither_loses_nor_doubles_a_failure() {
    let mut wakes = 1;
    loop {
        let mut stage = stage((1..=3).map(|run| (run, life(run, run + 1, fails()).of_job(run)))).await;
        stage.clock(60);
        let ended = dropped_after(wakes, stage.poller.poll(at(60))).await.is_some();
        stage.restart();
        stage.poll(120).await;
        let mut keys: Vec<Found> = stage.ledger.incidents(10).await.unwrap().iter().map(key).collect();
        keys.sort();
        assert_eq!(keys, [(1, None), (2, None), (3, None)], "dropped after {wakes} wakes");
        assert_eq!(stage.ledger.verify_audit().await.unwrap(), 3, "detected once each; dropped after {wakes} wakes");
        if ended {
            break;
        }
        wakes += 1;
    }
    assert!(wakes > 2, "the poll was dropped at {wakes} places only");
}

#[tokio::test]
async fn clocks_that_differ_hide_nothing() {
    for skew in [-590, -300, 0, 3_000] {
        for restarts in [false, true] {
            // A short failure in each minute for twenty minutes, seconds of our clock.
            let runs = (0..20).map(|run| (run, life(run * 60 + 20 + skew, run * 60 + 21 + skew, fails())));
            let mut stage = stage(runs).await;
            stage.skew = skew;
            let mut seen = Vec::new();
            for poll in 0..=20 {
                seen.extend(stage.found(poll * 60).await);
                if restarts {
                    stage.restart();
                }
            }
            seen.sort();
            assert_eq!(seen, (0..20).map(|run| (run, None)).collect::<Vec<_>>(), "skew {skew}, restarts: {restarts}");
        }
    }
}

#[tokio::test]
async fn a_run_that_the_lists_show_late_is_seen() {
    // On a busy workspace, where the newest start seen is always of a moment ago.
    for late_s in [0, 30, 110] {
        let busy = (0..90).map(|run| (100 + run, life(run * 10, run * 10 + 3, succeeds())));
        let failed = (0..10).map(|run| (run, Life { late_s, ..life(run * 60 + 25, run * 60 + 26, fails()) }));
        let mut stage = stage(busy.chain(failed)).await;
        let mut seen = Vec::new();
        for poll in 0..15 {
            seen.extend(stage.found(poll * 60).await);
        }
        seen.sort();
        assert_eq!(seen, (0..10).map(|run| (run, None)).collect::<Vec<_>>(), "{late_s} s late");
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_hides_nothing() {
    for back in [1, 300, 590, 3_000, 40_000] {
        // At 600 our clock is found to be ahead and set right: what the ledger remembers lies in the future.
        let runs = (0..20).map(|run| (run, life(run * 60 + 20, run * 60 + 21, fails())));
        let mut stage = stage(runs).await;
        stage.skew = -back;
        let mut seen = Vec::new();
        for poll in 0..=20 {
            let true_now = poll * 60;
            if poll == 10 {
                stage.skew = 0;
            }
            seen.extend(stage.found(true_now - stage.skew).await);
        }
        seen.sort();
        assert_eq!(seen, (0..20).map(|run| (run, None)).collect::<Vec<_>>(), "set back by {back} s");
    }
}

#[tokio::test]
async fn a_workspace_that_ignores_its_filters_is_believed_nothing() {
    let runs = [
        (1, life(-100, -50, fails())),
        (2, life(-100, NEVER, fails())),
        (3, life(-LOOKBACK_S - 100, -LOOKBACK_S - 50, fails())),
        (4, life(-100, -50, succeeds())),
    ];
    let mut stage = stage(runs).await;
    stage.fake.script().ignores_filters = true;
    let report = stage.poll(0).await;
    assert_eq!(found(&report), [(1, None)]);
    assert_eq!(report.active.len(), 1);
}

#[tokio::test]
async fn a_run_of_the_list_that_cannot_be_read_is_said_and_costs_itself_only() {
    let mut stage = stage([(1, life(-100, -50, fails()))]).await;
    stage.fake.script().malformed = vec!["run_id is missing".to_owned()];
    let report = stage.poll(0).await;
    assert_eq!(found(&report), [(1, None)]);
    assert!(report.warnings.iter().all(|words| words.contains("run_id is missing")) && !report.warnings.is_empty());
}
