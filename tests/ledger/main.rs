//! What every ledger must keep, asked through the trait alone. A promise is a function over `&dyn Ledger`; [`each_store!`] runs it over
//! every store there is, so a second store joins by one more arm. What only the SQLite file can show is in `sqlite` and `process`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod admitting;
mod claiming;
mod committing;
mod hearing;
mod mailing;
mod older;
#[path = "../support/older.rs"]
mod older_file;
mod process;
mod remembering;
mod sqlite;
mod tampering;
mod world;

macro_rules! each_store {
    ($($room:ident: $($promise:ident),+;)+) => {
        mod sqlite_file {
            $($(
                #[tokio::test]
                async fn $promise() {
                    let dir = tempfile::tempdir().unwrap();
                    let ledger = runmend::ledger::SqliteLedger::open(&dir.path().join("ledger.db")).await.unwrap();
                    super::$room::$promise(&ledger).await;
                    runmend::ledger::Ledger::verify_audit(&ledger).await.unwrap();
                }
            )+)+
        }
        mod sqlite_memory {
            $($(
                #[tokio::test]
                async fn $promise() {
                    let ledger = runmend::ledger::SqliteLedger::open_in_memory().await.unwrap();
                    super::$room::$promise(&ledger).await;
                    runmend::ledger::Ledger::verify_audit(&ledger).await.unwrap();
                }
            )+)+
        }
    };
}

each_store! {
    admitting:
        a_failure_is_admitted_once,
        what_a_new_failure_means_depends_on_where_the_incident_stands,
        a_reopened_incident_starts_its_next_attempt_afresh,
        failures_reported_at_once_make_one_incident,
        a_rerun_that_we_started_belongs_to_its_incident;
    committing:
        a_commit_is_all_of_it,
        a_refused_commit_changes_nothing,
        an_incident_comes_back_as_it_was_given,
        one_of_many_commits_on_one_version_wins,
        a_draft_is_read_along_and_hinders_no_person,
        an_intent_is_opened_once_and_settled_once,
        a_settlement_leaves_what_was_asked;
    claiming:
        due_incidents_are_claimed_oldest_first_and_not_twice,
        claimers_at_once_share_nothing,
        a_lease_ends_and_an_older_fence_is_refused,
        a_new_leader_ends_all_leases_and_fences,
        what_is_given_back_is_free_at_once,
        a_persons_word_ends_a_claim_except_during_a_call,
        the_next_due_time_counts_leases;
    hearing:
        every_change_is_heard,
        a_reader_misses_nothing_while_others_write,
        the_audit_trail_is_whole_and_in_order,
        open_incidents_and_the_newest_closed_ones,
        incidents_are_counted_by_state_and_by_todays_endings,
        evidence_is_kept_by_attempt;
    mailing:
        a_mail_is_queued_once,
        mails_are_tried_oldest_first_when_their_time_has_come,
        what_was_sent_stays_sent;
    remembering:
        an_outcome_is_learnt_once,
        what_people_said_is_found_by_error_and_by_job,
        the_cause_that_a_person_names_is_remembered_with_what_the_rules_said,
        a_success_wakes_those_who_wait_for_it,
        auto_apply_ends_by_itself,
        an_agent_says_how_it_stands,
        each_workspace_has_its_intake_memory,
        what_a_part_keeps_is_changed_by_one_at_a_time,
        the_lead_is_kept_until_it_is_given_up;
}
