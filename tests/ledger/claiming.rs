//! One worker at a time moves an incident; a worker that was thought dead writes nothing more.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use runmend::domain::ids::RunId;
use runmend::domain::incident::{Ending, State};
use runmend::ledger::{Claim, Ledger, LedgerError};

use crate::world::*;

fn runs(claims: &[Claim]) -> Vec<i64> {
    claims.iter().map(|claim| claim.incident.run.0).collect()
}

async fn is_refused(ledger: &dyn Ledger, claim: &Claim) -> bool {
    match ledger.commit(nudge(&claim.incident, "late", 1), Some(claim.fence)).await {
        Ok(_) => false,
        Err(LedgerError::Conflict { .. }) => true,
        Err(error) => panic!("{error}"),
    }
}

pub async fn due_incidents_are_claimed_oldest_first_and_not_twice(ledger: &dyn Ledger) {
    for (run, due) in [(1, 30), (2, 10), (3, 20), (4, 40), (5, 10)] {
        admitted(ledger, run, due).await;
    }
    incident_in(ledger, 6, State::Closed(Ending::Ignored)).await;
    let waiting = admitted(ledger, 7, 0).await;
    ledger.commit(waiting.stay().due(None), None).await.unwrap();
    let mut elsewhere = failure(8, None);
    elsewhere.workspace = "acme-dev".into();
    ledger.admit(elsewhere, at(0)).await.unwrap();
    assert_eq!(runs(&claim(ledger, 9, 10).await), [] as [i64; 0], "nothing is due yet");
    assert_eq!(runs(&claim(ledger, 35, 3).await), [2, 5, 3]);
    assert_eq!(runs(&claim(ledger, 35, 3).await), [1]);
    assert_eq!(runs(&claim(ledger, 35, 3).await), [] as [i64; 0]);
    assert_eq!(runs(&claim(ledger, 40, 0).await), [] as [i64; 0]);
    assert_eq!(runs(&claim(ledger, 40, 3).await), [4], "due at 40, claimed at 40");
}

pub async fn claimers_at_once_share_nothing(ledger: &dyn Ledger) {
    for run in 0..30 {
        admitted(ledger, run, run).await;
    }
    let all = join_all((0..10).map(|_| claim(ledger, 100, 4))).await.concat();
    let once: BTreeSet<i64> = runs(&all).into_iter().collect();
    assert_eq!((all.len(), once.len()), (30, 30));
}

pub async fn a_lease_ends_and_an_older_fence_is_refused(ledger: &dyn Ledger) {
    admitted(ledger, 1, 0).await;
    let [first] = &claim(ledger, 0, 1).await[..] else { panic!("one claim") };
    assert_eq!(claim(ledger, 59, 1).await, []);
    let [second] = &claim(ledger, 60, 1).await[..] else { panic!("the lease is over") };
    assert!(second.fence > first.fence);
    assert_eq!(second.incident, first.incident, "a claim is no change");
    assert!(is_refused(ledger, first).await);
    assert!(!is_refused(ledger, second).await);
    assert_eq!(claim(ledger, 119, 1).await, [], "a commit keeps the claim");
}

pub async fn a_new_leader_ends_all_leases_and_fences(ledger: &dyn Ledger) {
    admitted(ledger, 1, 0).await;
    admitted(ledger, 2, 0).await;
    let mut elsewhere = failure(3, None);
    elsewhere.workspace = "acme-dev".into();
    ledger.admit(elsewhere, at(0)).await.unwrap();
    let there = ledger.claim("w", &"acme-dev".into(), at(0), 60, 1).await.unwrap();
    let old = claim(ledger, 0, 1).await;
    ledger.take_over(&workspace()).await.unwrap();
    assert!(is_refused(ledger, &old[0]).await);
    assert!(!is_refused(ledger, &there[0]).await, "another workspace's agent lives");
    let new = claim(ledger, 1, 5).await;
    assert_eq!(runs(&new), [1, 2], "both are free");
    assert!(!is_refused(ledger, &new[0]).await);
}

pub async fn what_is_given_back_is_free_at_once(ledger: &dyn Ledger) {
    admitted(ledger, 1, 0).await;
    let first = claim(ledger, 0, 1).await.remove(0);
    ledger.release(&first.incident.id, first.fence).await.unwrap();
    let second = claim(ledger, 1, 1).await.remove(0);
    ledger.release(&first.incident.id, first.fence).await.unwrap();
    assert_eq!(claim(ledger, 2, 1).await, [], "an old claim gives nobody else's back");
    ledger.release(&second.incident.id, second.fence).await.unwrap();
    ledger.release(&id(404), 1).await.unwrap();
    assert_eq!(claim(ledger, 3, 1).await.len(), 1);
}

pub async fn a_persons_word_ends_a_claim_except_during_a_call(ledger: &dyn Ledger) {
    incident_in(ledger, 1, State::AwaitingApproval).await;
    incident_in(ledger, 2, State::Acting).await;
    let claims = claim(ledger, 0, 5).await;
    for claim in &claims {
        ledger.commit(nudge(&claim.incident, "a person's", 1), None).await.unwrap();
        assert!(is_refused(ledger, claim).await, "run {}: the agent reads it again first", claim.incident.run);
    }
    assert_eq!(runs(&claim(ledger, 1, 5).await), [1], "run 2's call has no answer yet");
    assert_eq!(runs(&claim(ledger, 60, 5).await), [2]);
}

pub async fn the_next_due_time_counts_leases(ledger: &dyn Ledger) {
    let next = async || ledger.next_due(&workspace()).await.unwrap();
    assert_eq!(next().await, None);
    admitted(ledger, 1, 10).await;
    admitted(ledger, 2, 30).await;
    let closed = admitted(ledger, 3, 5).await;
    ledger.commit(closed.ignore("dana", at(6), None).unwrap(), None).await.unwrap();
    assert_eq!(next().await, Some(at(10)));
    let claims = claim(ledger, 12, 1).await;
    assert_eq!((claims[0].incident.run, next().await), (RunId(1), Some(at(30))));
    claim(ledger, 30, 1).await;
    assert_eq!(next().await, Some(at(72)), "the lease from 12 ends first");
    assert_eq!(ledger.next_due(&"acme-dev".into()).await.unwrap(), None);
}
