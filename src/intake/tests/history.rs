//! Whole histories at random: runs, repairs, polls at odd times, restarts, calls that fail. What ends badly is admitted, once.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;

use super::world::*;
use crate::databricks::ApiError;
use crate::databricks::run::ResultState;
use crate::domain::Timestamp;
use crate::domain::incident::State;
use crate::ledger::Ledger;

/// Seconds in which runs start and repairs are made.
const HOURS: i64 = 4 * 3600;

#[derive(Clone, Debug)]
struct Plan {
    runs: Vec<Life>,
    /// Pauses between polls, and whether the process ends after the poll.
    polls: Vec<(i64, bool)>,
    /// What calls of a kind answer in turn.
    refusals: Vec<(Call, Vec<Option<ApiError>>)>,
}

fn an_end() -> impl Strategy<Value = End> {
    prop_oneof![
        3 => Just(fails()),
        1 => select(vec![ResultState::TimedOut, ResultState::Other("MELTED".to_owned())]).prop_map(ends),
        2 => select(vec![ResultState::Success, ResultState::Canceled, ResultState::MaximumConcurrentRunsReached]).prop_map(ends),
    ]
}

fn a_length() -> impl Strategy<Value = i64> {
    prop_oneof![0_i64..3, 0_i64..120, 0_i64..20_000]
}

/// A run, and people who repair it as long as it fails.
fn a_run() -> impl Strategy<Value = Life> {
    let repairs = proptest::collection::vec((prop_oneof![1_i64..100, 1_i64..5_000], a_length(), an_end()), 0..3);
    (-2 * LOOKBACK_S..HOURS, a_length(), an_end(), repairs, 0_i64..4).prop_map(|(from, length, end, repairs, job)| {
        let mut run = life(from, from + length, end).of_job(job);
        for (number, (pause, length, end)) in repairs.into_iter().enumerate() {
            let last = run.stretches.last().unwrap();
            if last.end.result == Some(ResultState::Success) {
                break;
            }
            let from = last.to + pause;
            run = run.repaired(900 + number as i64, from, from + length, end);
        }
        run
    })
}

fn a_plan() -> impl Strategy<Value = Plan> {
    let error = select(vec![None, None, Some(unavailable()), Some(rate_limited()), Some(forbidden())]);
    let call = prop_oneof![Just(Call::List), (0_i64..8).prop_map(Call::Get), (0_i64..4).prop_map(Call::Job)];
    (
        proptest::collection::vec(a_run(), 1..8),
        proptest::collection::vec((prop_oneof![10_i64..90, 10_i64..1_500], proptest::bool::weighted(0.2)), 5..40),
        proptest::collection::vec((call, proptest::collection::vec(error, 1..6)), 0..4),
    )
        .prop_map(|(runs, polls, refusals)| Plan { runs, polls, refusals })
}

fn is_bad(stretch: &Stretch) -> bool {
    matches!(stretch.end.result, Some(ResultState::Failed | ResultState::TimedOut | ResultState::Other(_)))
}

/// What happened in one telling of a plan.
#[derive(Default)]
struct Story {
    /// Polls that went to their end.
    polled: Vec<i64>,
    admitted: Vec<Bad>,
}

/// A failure by its end: which repair it follows is not to be had where runs/get was refused.
type Bad = (i64, Timestamp);

async fn poll(stage: &mut Stage, story: &mut Story, now: i64) {
    stage.clock(now);
    let Ok(report) = stage.poller.poll(at(now)).await else { return };
    story.polled.push(now);
    story.admitted.extend(report.admitted.iter().map(|(incident, _)| (incident.run.0, incident.failed_at.unwrap())));
    // People deal with each incident at once, so that the next failure of its run is a new one.
    for incident in stage.ledger.incidents(0).await.unwrap() {
        assert_eq!(incident.state, State::Detected);
        stage.close(incident.run.0).await;
    }
}

/// Failures that must have been found: where a run stood in the end.
fn in_reach(plan: &Plan, story: &Story) -> BTreeSet<Bad> {
    let first = story.polled[0];
    let mut must = BTreeSet::new();
    for (id, run) in plan.runs.iter().enumerate() {
        let last = run.stretches.last().unwrap();
        let seen_active = story.polled.iter().any(|now| (last.from..last.to).contains(now));
        let listed = last.repair.is_none() && run.stretches[0].from >= first - LOOKBACK_S;
        let known = story.admitted.iter().any(|(run, end)| *run == id as i64 && *end != at(last.to));
        if is_bad(last) && (seen_active || listed || known) {
            must.insert((id as i64, at(last.to)));
        }
    }
    must
}

fn told(plan: &Plan) -> Story {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut stage = stage(plan.runs.iter().cloned().enumerate().map(|(id, run)| (id as i64, run))).await;
        for (call, errors) in &plan.refusals {
            stage.refuse(*call, errors.iter().cloned());
        }
        let mut story = Story::default();
        let mut now = 0;
        for (pause, ends) in &plan.polls {
            poll(&mut stage, &mut story, now).await;
            if *ends {
                stage.restart();
            }
            now += pause;
        }
        // Whatever still runs ends, and everything is in order again.
        let last = plan.runs.iter().flat_map(|run| &run.stretches).map(|stretch| stretch.to).max().unwrap_or(0);
        stage.fake.script().refusals.clear();
        poll(&mut stage, &mut story, now).await;
        now = now.max(last);
        for _ in 0..plan.runs.len() + 12 {
            now += 400;
            poll(&mut stage, &mut story, now).await;
        }
        assert!(stage.ledger.intake_memory(&workspace()).await.unwrap().following.is_empty(), "somebody is followed for ever");
        story
    })
}

proptest! {
    // A case is a whole history: an eighth of the usual number.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(8)))]
    #[test]
    fn every_run_that_ends_badly_within_reach_is_admitted_once_and_nothing_else(plan in a_plan()) {
        let story = told(&plan);
        let once: BTreeSet<Bad> = story.admitted.iter().copied().collect();
        prop_assert_eq!(once.len(), story.admitted.len(), "twice: {:?}", story.admitted);
        let real: BTreeSet<Bad> = plan.runs.iter().enumerate().flat_map(|(id, run)| {
            run.stretches.iter().filter(|stretch| is_bad(stretch)).map(move |stretch| (id as i64, at(stretch.to)))
        }).collect();
        prop_assert!(once.is_subset(&real), "no failures: {:?}", once.difference(&real).collect::<Vec<_>>());
        let must = in_reach(&plan, &story);
        prop_assert!(must.is_subset(&once), "not seen: {:?}; polled at {:?}", must.difference(&once).collect::<Vec<_>>(), story.polled);
    }
}
