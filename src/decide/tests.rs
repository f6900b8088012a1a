//! The engine by rows (a case, what it must say) and by properties (what must hold for every case).

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::action::{Action, Change, Parameter, Setting};
use crate::domain::cause::Cause;
use crate::domain::classification::{Alternative, OpinionOrigin, Tokens};
use crate::domain::decision::Authority;
use crate::domain::event::Outcome;
use crate::domain::ids::{Fingerprint, JobId, Probability};

fn case(cause: Cause, action: Action, mode: Mode) -> Case {
    Case {
        classification: Classification {
            cause,
            confidence: Probability::new(0.9),
            alternatives: Vec::new(),
            action,
            parameters: Vec::new(),
            rules: vec!["a-rule".to_owned()],
            evidence: None,
            task: None,
            fingerprint: Fingerprint::from("0123456789ab"),
            explanation: "it says so".to_owned(),
            advice: String::new(),
        },
        opinion: None,
        job: JobFacts { job_id: Some(JobId(7)), name: "orders_daily_load".to_owned(), ..JobFacts::default() },
        attempts: Vec::new(),
        mended_alike: 0,
        tried_alike: 0,
        gaps: Vec::new(),
        rerun_refused: None,
        mode,
        seed: 1,
        now: Timestamp::UNIX_EPOCH,
    }
}

fn rerun(number: u32) -> Attempt {
    Attempt {
        number,
        action: Action::Retry,
        acted_at: Timestamp::UNIX_EPOCH,
        repair: None,
        new_run: None,
        automatic: true,
        outcome: Some(Outcome::FailedAgain),
        ended_at: None,
    }
}

/// The case, changed as a row says, must give this action and authority under the default policy, with this guardrail among its reasons.
fn check(mut case: Case, change: fn(&mut Case), want: (Action, Authority), guardrail: Option<&str>) {
    change(&mut case);
    let decision = decide(&case, &Policy { critical: vec!["pay*".to_owned()], ..Policy::default() });
    assert_eq!((decision.action, decision.authority), want, "{decision:#?}");
    match guardrail {
        Some(id) => assert!(decision.guardrails.iter().any(|rail| rail.id == id), "{id} not in {:#?}", decision.guardrails),
        None => assert!(decision.guardrails.is_empty(), "{:#?}", decision.guardrails),
    }
}

#[test]
fn each_guardrail_has_its_say() {
    use Action::*;
    use Authority::*;
    let retry = || case(Cause::Network, Action::Retry, Mode::Auto);
    check(retry(), |_| (), (Retry, Auto), None);
    check(case(Cause::Network, Retry, Mode::Approve), |_| (), (Retry, Approval), Some("mode"));
    check(case(Cause::Network, Retry, Mode::Observe), |_| (), (Retry, Observe), Some("mode"));
    check(case(Cause::Syntax, Retry, Mode::Auto), |_| (), (Notify, Auto), Some("retryable"));
    check(case(Cause::Permission, RetryWithNewParams, Mode::Auto), |_| (), (Notify, Auto), Some("retryable"));
    check(case(Cause::Unknown, Retry, Mode::Auto), |_| (), (Escalate, Auto), Some("retryable"));
    check(case(Cause::Canceled, Retry, Mode::Auto), |_| (), (Ignore, Auto), Some("retryable"));
    check(case(Cause::Canceled, Ignore, Mode::Auto), |_| (), (Ignore, Auto), None);
    check(case(Cause::Data, Ignore, Mode::Auto), |_| (), (Ignore, Approval), Some("ignorable"));
    check(retry(), |case| case.classification.confidence = Probability::new(0.39), (Escalate, Auto), Some("min_confidence"));
    check(retry(), |case| case.classification.confidence = Probability::new(0.84), (Retry, Approval), Some("min_confidence"));
    check(retry(), |case| case.classification.rules = vec!["model".to_owned()], (Retry, Approval), Some("min_confidence"));
    check(retry(), |case| case.rerun_refused = Some("a one-time run".to_owned()), (Notify, Auto), Some("rerunnable"));
    check(retry(), |case| case.attempts = (1..=2).map(rerun).collect(), (Retry, Auto), None);
    check(retry(), |case| case.attempts = (1..=3).map(rerun).collect(), (Escalate, Auto), Some("max_attempts"));
    check(case(Cause::Resource, RetryWithNewParams, Mode::Auto), |_| (), (RetryWithNewParams, Approval), Some("new_settings"));
    check(retry(), |case| case.gaps = vec!["output of task a".to_owned()], (Retry, Approval), Some("evidence_gap"));
    check(retry(), |case| case.job.name = "payments".to_owned(), (Retry, Approval), Some("critical"));
    check(case(Cause::Data, Notify, Mode::Auto), |case| case.job.name = "payments".to_owned(), (Notify, Auto), None);
}

fn opinion(cause: Cause, action: Action, confidence: f64, grounded: bool) -> Opinion {
    Opinion {
        cause,
        action,
        confidence: Probability::new(confidence),
        summary: "s".to_owned(),
        grounded,
        model: "m".to_owned(),
        parameters: vec![Parameter { setting: Setting::Workers, change: Change::Scale(8.0) }],
        dropped: Vec::new(),
        quotes: Vec::new(),
        message: String::new(),
        tokens: Tokens::default(),
        cost_usd: None,
        latency_ms: 0,
        prompt: String::new(),
        origin: OpinionOrigin::Asked,
    }
}

#[test]
fn the_table_of_second_opinions() {
    use Action::*;
    use Authority::*;
    // The rules: network 0.9, with data in mind.
    let said = |action: Action, mode: Mode, opinion: Opinion| {
        let mut case = case(Cause::Network, action, mode);
        case.classification.alternatives = vec![Alternative { cause: Cause::Data, confidence: Probability::new(0.1) }];
        case.opinion = Some(opinion);
        let decision = decide(&case, &Policy::default());
        (decision.action, decision.authority, (decision.confidence.get() * 1000.0).round() / 1000.0)
    };
    use Cause::{Data, Network, Platform};
    for (action, mode, of, want) in [
        (Retry, Mode::Auto, opinion(Network, Retry, 0.8, true), (Retry, Auto, 0.985)),
        (Retry, Mode::Auto, opinion(Network, Notify, 0.8, true), (Retry, Approval, 0.985)),
        (Retry, Mode::Auto, opinion(Network, Notify, 0.8, false), (Retry, Auto, 0.9)),
        (Retry, Mode::Auto, opinion(Network, Notify, 0.4, true), (Retry, Auto, 0.9)),
        (Retry, Mode::Auto, opinion(Data, Notify, 0.3, true), (Retry, Auto, 0.9)),
        (Retry, Mode::Auto, opinion(Data, Notify, 1.0, true), (Retry, Approval, 0.668)),
        (Retry, Mode::Auto, opinion(Platform, Retry, 0.6, true), (Retry, Approval, 0.668)),
        (Retry, Mode::Approve, opinion(Platform, Retry, 1.0, true), (Retry, Approval, 0.668)),
        (Retry, Mode::Auto, opinion(Platform, Retry, 1.0, false), (Retry, Auto, 0.9)),
        (Notify, Mode::Auto, opinion(Platform, Ignore, 1.0, true), (Notify, Auto, 0.668)),
        (Escalate, Mode::Auto, opinion(Platform, Ignore, 1.0, true), (Escalate, Auto, 0.668)),
    ] {
        assert_eq!(said(action, mode, of.clone()), want, "{action} under {mode}, {of:?}");
    }
    check(
        case(Cause::Canceled, Ignore, Mode::Auto),
        |case| case.opinion = Some(opinion(Cause::Code, Action::Notify, 0.9, true)),
        (Ignore, Approval),
        Some("second_opinion"),
    );
    check(
        case(Cause::Unknown, Escalate, Mode::Auto),
        |case| case.opinion = Some(opinion(Cause::Network, Action::Retry, 1.0, true)),
        (Escalate, Auto),
        None,
    );
}

#[test]
fn a_disagreement_that_leaves_little_pages_where_nobody_watches() {
    let decided = |confidence: f64, mode: Mode| {
        let mut case = case(Cause::Network, Action::Retry, mode);
        case.classification.confidence = Probability::new(confidence);
        case.opinion = Some(opinion(Cause::Platform, Action::Retry, 0.9, true));
        let decision = decide(&case, &Policy { min_confidence: Probability::new(0.5), ..Policy::default() });
        (decision.action, decision.authority)
    };
    assert_eq!(decided(0.88, Mode::Auto), (Action::Retry, Authority::Approval));
    assert_eq!(decided(0.86, Mode::Auto), (Action::Escalate, Authority::Auto));
    assert_eq!(decided(0.86, Mode::Approve), (Action::Retry, Authority::Approval));
}

#[test]
fn an_agreement_lifts_nothing_over_the_threshold() {
    let mut case = case(Cause::Network, Action::Retry, Mode::Auto);
    case.classification.confidence = Probability::new(0.82);
    case.opinion = Some(opinion(Cause::Network, Action::Retry, 1.0, true));
    let decision = decide(&case, &Policy::default());
    assert!(decision.confidence > Policy::default().min_confidence, "{}", decision.confidence);
    assert_eq!(decision.authority, Authority::Approval, "the rules alone are held against the threshold");
}

#[test]
fn tags_lower_and_never_raise_unless_trusted() {
    let decided = |key: &str, value: &str, mode: Mode, trust_tags: bool| {
        let mut case = case(Cause::Network, Action::Retry, mode);
        case.job.tags = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        case.attempts = vec![rerun(1)];
        let decision = decide(&case, &Policy { trust_tags, ..Policy::default() });
        (decision.action, decision.authority)
    };
    use Action::*;
    use Authority::*;
    for (key, value, mode, trust, want) in [
        ("runmend.mode", "observe", Mode::Auto, false, (Retry, Observe)),
        ("runmend.mode", "approve", Mode::Auto, false, (Retry, Approval)),
        ("runmend.mode", "auto", Mode::Approve, false, (Retry, Approval)),
        ("runmend.mode", "auto", Mode::Approve, true, (Retry, Auto)),
        ("runmend.mode", "auto", Mode::Observe, true, (Retry, Observe)),
        ("runmend.mode", "atuo", Mode::Auto, false, (Retry, Approval)),
        ("runmend.idempotent", "false", Mode::Auto, false, (Retry, Approval)),
        ("runmend.idempotent", "true", Mode::Auto, false, (Retry, Auto)),
        ("runmend.idempotent", "nein", Mode::Auto, false, (Retry, Approval)),
        ("runmend.critical", "true", Mode::Auto, false, (Retry, Approval)),
        ("runmend.critical", "false", Mode::Auto, false, (Retry, Auto)),
        ("runmend.critical", "yse", Mode::Auto, false, (Retry, Approval)),
        ("runmend.max_retries", "1", Mode::Auto, false, (Escalate, Auto)),
        ("runmend.max_retries", "0", Mode::Auto, false, (Escalate, Auto)),
        ("runmend.max_retries", "99", Mode::Auto, false, (Retry, Auto)),
        ("runmend.max_retries", "many", Mode::Auto, false, (Retry, Auto)),
    ] {
        assert_eq!(decided(key, value, mode, trust), want, "{key}={value} under {mode}, trusted: {trust}");
    }
}

#[test]
fn the_wait_grows_and_stays_in_bounds() {
    let plain = Retry { jitter: 0.0, ..Retry::default() };
    let waits: Vec<u64> = (0..7).map(|done| backoff::delay(&plain, done, 5).as_secs()).collect();
    assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900]);
    for seed in 0..200 {
        let wait = backoff::delay(&Retry::default(), 1, seed);
        assert!(wait >= Duration::from_secs(48) && wait <= Duration::from_secs(72), "{wait:?}");
    }
    assert_eq!(backoff::words(Duration::from_secs(100)), "1m40s");
}

#[test]
fn outcomes_of_runs_alike_outweigh_the_usual_rate() {
    let mut case = case(Cause::Network, Action::Retry, Mode::Auto);
    (case.mended_alike, case.tried_alike) = (0, 40);
    let p = decide(&case, &Policy::default()).success.map(|success| success.p.get());
    assert!(p.is_some_and(|p| p < 0.1), "{p:?}");
}

fn any_opinion() -> impl Strategy<Value = Option<Opinion>> {
    let cause = proptest::sample::select(Cause::ALL.to_vec());
    let action = proptest::sample::select(Action::ALL.to_vec());
    proptest::option::weighted(
        0.8,
        (cause, action, 0.0f64..=1.0, any::<bool>())
            .prop_map(|(cause, action, confidence, grounded)| opinion(cause, action, confidence, grounded)),
    )
}

fn any_case() -> impl Strategy<Value = Case> {
    let cause = proptest::sample::select(Cause::ALL.to_vec());
    let action = proptest::sample::select(Action::ALL.to_vec());
    let mode = proptest::sample::select(vec![Mode::Observe, Mode::Approve, Mode::Auto]);
    let tag = proptest::option::of((
        proptest::sample::select(vec!["runmend.mode", "runmend.max_retries", "runmend.idempotent", "runmend.critical"]),
        "[a-z0-9]{0,8}",
    ));
    (cause, action, mode, tag, 0u32..6, 0.0f64..=1.0, any::<u64>(), (any::<bool>(), any::<bool>()), any_opinion()).prop_map(
        |(cause, action, mode, tag, done, confidence, seed, (gap, refused), opinion)| {
            let mut case = case(cause, action, mode);
            case.classification.confidence = Probability::new(confidence);
            case.attempts = (1..=done).map(rerun).collect();
            case.seed = seed;
            case.opinion = opinion;
            case.gaps = if gap { vec!["logs".to_owned()] } else { Vec::new() };
            case.rerun_refused = refused.then(|| "gone".to_owned());
            case.job.tags = tag.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            case
        },
    )
}

proptest! {
    #[test]
    fn the_same_case_gives_the_same_decision(case in any_case()) {
        let policy = Policy::default();
        prop_assert_eq!(decide(&case, &policy), decide(&case, &policy));
    }

    #[test]
    fn authority_never_exceeds_the_mode(case in any_case()) {
        prop_assert!(decide(&case, &Policy::default()).authority <= case.mode.ceiling());
    }

    #[test]
    fn no_rerun_past_the_limit_or_of_what_cannot_pass(case in any_case()) {
        let policy = Policy::default();
        let decision = decide(&case, &policy);
        if decision.action.reruns() {
            prop_assert!(case.reruns() < policy.retry.max_attempts);
            prop_assert!(case.rerun_refused.is_none());
            prop_assert!(!matches!(case.classification.cause, Cause::Permission | Cause::Syntax | Cause::Code | Cause::Canceled | Cause::Unknown));
            prop_assert!(case.classification.confidence >= policy.min_confidence || decision.authority < Authority::Auto);
            prop_assert!(case.classification.confidence.get() >= guardrail::abstain::NO_IDEA);
            let latest = case.now.checked_add(policy.retry.max_delay).unwrap();
            prop_assert!(decision.not_before >= case.now && decision.not_before <= latest);
        }
    }

    #[test]
    fn an_opinion_never_raises_authority(case in any_case()) {
        let policy = Policy::default();
        let with = decide(&case, &policy);
        let without = decide(&Case { opinion: None, ..case.clone() }, &policy);
        match with.action {
            Action::Retry | Action::RetryWithNewParams | Action::Ignore => {
                prop_assert_eq!(with.action, without.action);
                prop_assert!(with.authority <= without.authority);
                prop_assert_eq!(&with.parameters, &without.parameters);
                prop_assert_eq!(with.not_before, without.not_before);
            }
            // Where a person looks anyway, at most one more page.
            Action::Notify | Action::Escalate => prop_assert!(with.action == without.action || with.action == Action::Escalate),
        }
        if !without.action.reruns() && without.action != Action::Ignore {
            prop_assert_eq!((with.action, with.authority), (without.action, without.authority), "no mail and no page is suppressed");
        }
    }

    #[test]
    fn every_change_leaves_its_reason(case in any_case()) {
        let decision = decide(&case, &Policy::default());
        if decision.action != case.classification.action || decision.authority != Authority::Auto {
            prop_assert!(!decision.guardrails.is_empty());
        }
        for rail in &decision.guardrails {
            prop_assert!(decision.reasons.contains(&rail.reason));
        }
    }
}
