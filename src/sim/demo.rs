//! The shipped scenario, lived through in no time: what somebody who starts the demo gets to see, and when.

use std::collections::BTreeSet;

use super::life;
use super::plan::Millis;
use super::scenario::Scenario;
use super::trouble::Trouble;
use super::truth::Truth;
use super::world::World;

const START: Millis = 1_790_000_000_000;

fn world(seed: u64, rate: Option<f64>, speed: f64) -> World {
    World::new(Scenario::embedded_demo(), seed, rate, speed, "http://127.0.0.1:1".to_owned(), START)
}

/// Causes of the runs that show a failure or a cancellation so long after the start.
fn failed_by(world: &mut World, ms: Millis) -> Vec<String> {
    world.advance(START + ms);
    let now = world.now();
    let ended_badly = |run: &&super::plan::JobRun| {
        let standing = life::of_run(run, now);
        standing.status == Some("TERMINATED") && !standing.is_success()
    };
    world.runs().filter(ended_badly).filter_map(|run| Some(world.troubles.get(run.trouble?.0)?.cause.clone())).collect()
}

#[test]
fn the_first_failure_shows_within_two_seconds_and_a_minute_has_most_causes() {
    let mut world = world(1, None, 1.0);
    assert_eq!(failed_by(&mut world, 2_000), ["network"]);
    let minute = failed_by(&mut world, 60_000);
    let incidents = minute.iter().filter(|cause| *cause != "canceled").count();
    assert!((12..=16).contains(&incidents), "{minute:?}");
    let causes: BTreeSet<&str> = minute.iter().map(String::as_str).collect();
    for cause in
        ["network", "resource", "permission", "dependency", "data", "quota", "concurrency", "timeout", "platform", "syntax", "canceled"]
    {
        assert!(causes.contains(cause), "{cause} in {causes:?}");
    }
}

#[test]
fn every_job_has_a_past_and_most_of_the_present_goes_well() {
    let mut world = world(1, None, 1.0);
    let jobs: Vec<_> = world.jobs.keys().copied().collect();
    for job in jobs {
        assert!(world.runs().filter(|run| run.job == job && run.start() < START).count() >= 10);
    }
    world.advance(START + 300_000);
    let (now, since) = (world.now(), |run: &&super::plan::JobRun| run.start() >= START);
    assert!(world.runs().filter(since).filter(|run| life::of_run(run, now).is_success()).count() > 30);
}

#[test]
fn a_person_repairs_and_an_owner_fixes_as_the_script_says() {
    let mut world = world(1, None, 1.0);
    world.advance(START + 60_000);
    let of = |world: &World, name: &str| world.job_named(name).unwrap();
    let embeddings = of(&world, "image_embeddings");
    let repaired = world.runs().find(|run| run.job == embeddings && run.rounds.len() == 2).unwrap();
    assert!(life::of_run(repaired, world.now()).is_success());
    let returns = of(&world, "returns_incremental");
    let failed: Vec<_> = world.runs().filter(|run| run.job == returns && run.trouble.is_some()).map(super::plan::JobRun::start).collect();
    world.advance(START + 90_000);
    let later = world.runs().filter(|run| run.job == returns && run.start() > *failed.last().unwrap());
    assert!(later.into_iter().any(|run| life::of_run(run, world.now()).is_success()));
}

fn story(world: &World) -> Vec<(Millis, String, Truth)> {
    let told = |trouble: &Trouble| (trouble.began, trouble.cause.clone(), trouble.truth.clone());
    world.troubles.iter().map(told).collect()
}

#[test]
fn a_seed_tells_the_same_story_however_often_it_is_looked_at() {
    let (mut often, mut once) = (world(7, Some(3600.0), 10.0), world(7, Some(3600.0), 10.0));
    (0..600).for_each(|tick| often.advance(START + tick * 100));
    once.advance(START + 59_900);
    assert_eq!(story(&often), story(&once));
    let mut other = world(8, Some(3600.0), 10.0);
    other.advance(START + 59_900);
    assert_ne!(story(&other), story(&once));
}

#[test]
fn rate_and_speed_do_what_they_say() {
    let failures = |rate: f64, speed: f64| {
        let mut world = world(3, Some(rate), speed);
        world.advance(START + 600_000);
        world.troubles.len()
    };
    // Ten minutes at 600 an hour: 100, less the quiet first minute, plus the script and what broken jobs repeat.
    let (usual, fast) = (failures(600.0, 1.0), failures(600.0, 10.0));
    assert!((80..200).contains(&usual), "{usual}");
    assert!((800..2000).contains(&fast), "{fast}");
}
