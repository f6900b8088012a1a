//! What sorting, filtering and moving always keep.

use std::sync::Arc;

use proptest::prelude::*;

use super::rows::Row;
use super::world::{ago, incident};
use crate::console::key::Motion;
use crate::console::list::{List, Sort};
use crate::console::snapshot::{Entry, Snapshot};
use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::incident::{Ending, State};

const STATES: [State; 10] = [
    State::AwaitingApproval,
    State::Detected,
    State::Collecting,
    State::Decided,
    State::Scheduled,
    State::Acting,
    State::Watching,
    State::WithPeople,
    State::Closed(Ending::Mended),
    State::Closed(Ending::Superseded),
];
const JOBS: [&str; 5] = ["orders", "crm_sync", "fx_rates", "Billing", "web sessions"];
const CAUSES: [Cause; 3] = [Cause::Network, Cause::Resource, Cause::Code];

fn entries() -> impl Strategy<Value = Vec<Arc<Entry>>> {
    let one = (0..STATES.len(), 0..JOBS.len(), 0..CAUSES.len(), 0..10_000i64);
    proptest::collection::vec(one, 0..40).prop_map(|rows| {
        let entry = |(run, (state, job, cause, age_s)): (usize, (usize, usize, usize, i64))| {
            let (state, job, cause) = (STATES[state], JOBS[job], CAUSES[cause]);
            let row = Row { run: 1 + run as i64, age_s, job, task: "main", cause, sure: 0.9, action: Action::Retry, state };
            Arc::new(Entry::new(incident(&row)))
        };
        rows.into_iter().enumerate().map(entry).collect()
    })
}

fn sorts() -> impl Strategy<Value = Sort> {
    (0..6).prop_map(|n| (0..n).fold(Sort::default(), |sort, _| sort.next()))
}

fn filters() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just("NETWORK".into()), Just("sync awaiting".into()), Just("7".into()), "[a-z ]{0,4}"]
}

fn built(entries: &[Arc<Entry>], sort: Sort, filter: &str, height: usize) -> List {
    let mut list = List { sort, filter: filter.into(), ..List::default() };
    list.rebuild(&Snapshot { entries: entries.to_vec(), at: ago(0), ..Snapshot::default() }, height);
    list
}

fn runs(list: &List) -> Vec<i64> {
    list.rows.iter().map(|entry| entry.incident.run.0).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_does_not_depend_on_how_incidents_arrive(entries in entries(), sort in sorts()) {
        let mut backwards = entries.clone();
        backwards.reverse();
        prop_assert_eq!(runs(&built(&entries, sort, "", 10)), runs(&built(&backwards, sort, "", 10)));
    }

    #[test]
    fn sorting_loses_and_doubles_nothing(entries in entries(), sort in sorts()) {
        let mut sorted = runs(&built(&entries, sort, "", 10));
        sorted.sort_unstable();
        prop_assert_eq!(sorted, entries.iter().map(|entry| entry.incident.run.0).collect::<Vec<_>>());
    }

    #[test]
    fn what_awaits_a_person_stands_first(entries in entries()) {
        let list = built(&entries, Sort::AwaitingFirst, "", 10);
        let awaiting = |entry: &Arc<Entry>| entry.incident.state == State::AwaitingApproval;
        let first = list.rows.iter().take_while(|entry| awaiting(entry)).count();
        prop_assert_eq!(first, entries.iter().filter(|entry| awaiting(entry)).count());
    }

    #[test]
    fn a_longer_filter_shows_a_part_of_what_a_shorter_one_shows(entries in entries(), sort in sorts(), filter in filters(), more in "[a-z]{1,3}") {
        let wide = runs(&built(&entries, sort, &filter, 10));
        let narrow = runs(&built(&entries, sort, &format!("{filter}{more}"), 10));
        prop_assert!(narrow.iter().all(|run| wide.contains(run)), "{narrow:?} in {wide:?}");
        let kept: Vec<_> = wide.iter().filter(|run| narrow.contains(run)).copied().collect();
        prop_assert_eq!(narrow, kept);
    }

    #[test]
    fn the_cursor_follows_its_incident(entries in entries(), sort in sorts(), at in 0usize..40, arrivals in 0usize..40) {
        let (old, new) = entries.split_at(arrivals.min(entries.len()));
        let mut list = built(old, sort, "", 5);
        for _ in 0..at {
            list.travel(Motion::Down, 5);
        }
        let selected = list.selected().map(|entry| entry.incident.run);
        let all: Vec<_> = new.iter().chain(old).cloned().collect();
        list.rebuild(&Snapshot { entries: all, at: ago(0), ..Snapshot::default() }, 5);
        if selected.is_some() {
            prop_assert_eq!(list.selected().map(|entry| entry.incident.run), selected);
        }
    }

    #[test]
    fn the_cursor_is_always_in_view(entries in entries(), moves in proptest::collection::vec(0u8..6, 0..30), height in 0usize..20) {
        let mut list = built(&entries, Sort::Newest, "", height);
        for step in moves {
            let motion = [Motion::Up, Motion::Down, Motion::PageUp, Motion::PageDown, Motion::Top, Motion::Bottom][usize::from(step)];
            list.travel(motion, height);
            if !entries.is_empty() {
                prop_assert!(list.cursor < entries.len());
                prop_assert!(list.top <= list.cursor && list.cursor < list.top + height.max(1));
            }
        }
    }
}
