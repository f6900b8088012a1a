use proptest::prelude::*;

use super::*;
use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::classification::{Classification, Span};
use crate::domain::decision::{Authority, Decision, Guardrail};
use crate::domain::event::Via;
use crate::domain::evidence::{Gap, TaskEvidence};
use crate::domain::ids::{Fingerprint, JobId, Probability, RepairId, RunId, TaskKey, WorkspaceName};
use crate::domain::incident::{Failure, Instead, PlannedCall, State};
use crate::domain::job::JobFacts;
use crate::notify::{NoAddressee, addressee};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn incident(name: &str) -> Incident {
    let failure = Failure {
        workspace: WorkspaceName::from("acme-prod"),
        run: RunId(7731),
        after_repair: None,
        job: JobFacts { job_id: Some(JobId(12)), name: name.to_owned(), owner: Some("ann@example.com".to_owned()), ..JobFacts::default() },
        run_url: Some("https://acme.example.com/jobs/12/runs/7731".to_owned()),
        via: Via::Poll,
        result_state: Some("FAILED".to_owned()),
        termination_code: Some("RUN_EXECUTION_ERROR".to_owned()),
        ended_at: Some(at("2026-03-01T10:00:00Z")),
    };
    let (mut incident, _) = Incident::detected(failure, at("2026-03-01T10:01:00Z"));
    incident.attempt = 2;
    incident.failed_tasks = vec!["fetch".to_owned()];
    incident.classification = Some(Classification {
        cause: Cause::Dependency,
        confidence: Probability::new(0.97),
        alternatives: vec![],
        action: Action::Notify,
        parameters: vec![],
        rules: vec!["python-module-missing".to_owned()],
        evidence: Some(Span { field: Field::Error, text: "ModuleNotFoundError: No module named 'pandera'".to_owned(), start: 0, end: 46 }),
        task: None,
        fingerprint: Fingerprint::from("3fa9c1"),
        explanation: "Python cannot find a module that the code imports: no re-run can install it.".to_owned(),
        advice: "Add the library to the job's cluster or environment.".to_owned(),
    });
    incident.decision = Some(Decision {
        action: Action::Notify,
        parameters: vec![],
        authority: Authority::Auto,
        not_before: at("2026-03-01T10:01:00Z"),
        confidence: Probability::new(0.97),
        success: None,
        reasons: vec!["dependency is mended by its owner".to_owned()],
        guardrails: vec![Guardrail { id: "retry_limit".to_owned(), reason: "3 of 3 re-runs are used".to_owned() }],
    });
    incident.planned = Some(PlannedCall {
        method: "POST".to_owned(),
        path: "/api/2.2/jobs/runs/repair".to_owned(),
        body: "{\n  \"run_id\": 7731\n}".to_owned(),
    });
    incident.attempts = vec![Attempt {
        number: 1,
        action: Action::Retry,
        acted_at: at("2026-03-01T09:30:00Z"),
        repair: Some(RepairId(55)),
        new_run: None,
        automatic: true,
        outcome: Some(Outcome::FailedAgain),
        ended_at: None,
    }];
    incident
}

fn evidence(text: &str) -> Evidence {
    let text = FailureText {
        error: Some(text.to_owned()),
        error_trace: Some(format!("Traceback\n{text}")),
        logs: Some((0..30).map(|n| format!("log line {n}\n")).collect()),
        ..FailureText::default()
    };
    let task = TaskEvidence {
        task_key: TaskKey::from("fetch"),
        task_run: RunId(7732),
        attempt_number: 0,
        text,
        result_state: None,
        termination_type: None,
        logs_truncated: true,
        settings: vec![],
    };
    Evidence { tasks: vec![task], gaps: vec![Gap { part: "history".to_owned(), reason: "403".to_owned() }], ..Evidence::default() }
}

const OWNER: &str = "Your job failed, and only you can mend it.

  Job        crm_sync (job 12)
  Workspace  acme-prod
  Run        7731
  Task       fetch
  Failed at  2026-03-01 10:00:00 UTC
  Ended as   FAILED, RUN_EXECUTION_ERROR

What runmend found
  dependency, confidence 0.97, by python-module-missing
  Python cannot find a module that the code imports: no re-run can install it.

The evidence
  decided by (error):
  | ModuleNotFoundError: No module named 'pandera'
  task fetch, run 7732, its log cut off by the platform:
  | No module named 'pandera'
  end of its trace:
  | Traceback
  | No module named 'pandera'
  end of its log:
  | log line 18
  | log line 19
  | log line 20
  | log line 21
  | log line 22
  | log line 23
  | log line 24
  | log line 25
  | log line 26
  | log line 27
  | log line 28
  | log line 29
  history could not be had: 403

What you can do
  Add the library to the job's cluster or environment.

What was tried
  1. retry (repair 55) at 2026-03-01 09:30:00 UTC: failed again

What is asked of you
  Mend the cause, then repair the run or start the job anew. runmend looks on, and closes this when the job succeeds again.

The run
  https://acme.example.com/jobs/12/runs/7731

Why you are asked
  - dependency is mended by its owner
  - 3 of 3 re-runs are used [retry_limit]

Incident acme-prod/7731, attempt 2
";

#[test]
fn a_persons_cause_is_the_letters() {
    let secret = format!("{}{}", "dapi", "4f8c91ab27de6035c1f09e7b84d2a6f3");
    let note = format!("nulls in order_id since the new feed, seen with {secret}");
    let instead = Instead { action: Action::Notify, cause: Some(Cause::Data), note };
    let waiting = Incident { state: State::AwaitingApproval, ..incident("crm_sync") };
    let scheduled = waiting.override_with(instead, "dana", at("2026-03-01T10:02:00Z")).unwrap().incident;
    let (subject, body) = compose(MailKind::Owner, &scheduled, None);
    assert_eq!(subject, "[runmend] crm_sync: data, your help is needed");
    let finding = "What runmend found
  data, by dana
  nulls in order_id since the new feed, seen with ‹databricks-token-1›
  The rules said dependency, confidence 0.97, by python-module-missing.

";
    assert!(body.contains(finding), "{body}");
    assert!(!body.contains("Add the library") && !body.contains("Python cannot find"), "what is wrong of this cause is not told: {body}");
    assert!(body.contains("- cause by dana: data, the rules said dependency"), "{body}");
}

#[test]
fn the_owners_letter_is_complete() {
    let (subject, body) = compose(MailKind::Owner, &incident("crm_sync"), Some(&evidence("No module named 'pandera'")));
    assert_eq!(subject, "[runmend] crm_sync: dependency, your help is needed");
    assert_eq!(body, OWNER);
}

#[test]
fn the_others_say_what_they_ask() {
    let (subject, body) = compose(MailKind::OnCall, &incident("crm_sync"), None);
    assert_eq!(subject, "[runmend] PAGE crm_sync: dependency");
    for part in ["Why you are paged", "another action or close", "failed again", "| ModuleNotFoundError", "runs/7731"] {
        assert!(body.contains(part), "{part}\n{body}");
    }
    let (subject, body) = compose(MailKind::Approval, &incident("crm_sync"), None);
    assert_eq!(subject, "[runmend] crm_sync: notify owner awaits your approval");
    for part in ["POST /api/2.2/jobs/runs/repair", "  |   \"run_id\": 7731", "Nothing happens until then", "retry_limit"] {
        assert!(body.contains(part), "{part}\n{body}");
    }
}

#[test]
fn what_is_not_known_leaves_no_empty_heading() {
    let mut bare = incident("");
    bare.classification = None;
    bare.decision = None;
    bare.planned = None;
    bare.run_url = None;
    bare.attempts.clear();
    for kind in [MailKind::Owner, MailKind::OnCall, MailKind::Approval] {
        let (subject, body) = compose(kind, &bare, None);
        assert!(subject.contains("run 7731"), "{subject}");
        for absent in ["What runmend found", "The evidence", "The run\n", "What it would do", "{", "}"] {
            assert!(!body.contains(absent), "{absent}\n{body}");
        }
        assert!(body.contains("Nothing yet") && body.contains("What is asked of you"));
    }
}

#[test]
fn every_slot_of_every_template_is_known() {
    let (incident, evidence) = (incident("x"), evidence("y"));
    for template in [
        include_str!("../../../assets/templates/owner.txt"),
        include_str!("../../../assets/templates/on_call.txt"),
        include_str!("../../../assets/templates/approval.txt"),
    ] {
        for name in template.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()) {
            assert_ne!(slot(name, MailKind::Owner, &incident, Some(&evidence)), "", "{name}");
        }
    }
}

#[test]
fn text_that_is_filled_in_is_no_template() {
    let (subject, body) = compose(MailKind::Owner, &incident("{reasons}{url}"), Some(&evidence("{advice}")));
    assert!(subject.contains("{reasons}{url}") && body.contains("| {advice}"), "{subject}\n{body}");
}

#[test]
fn whom_a_mail_goes_to() {
    use MailKind::*;
    let goes = |kind, owner: Option<&str>, default_to, on_call| {
        let mut incident = incident("x");
        incident.job.owner = owner.map(str::to_owned);
        addressee(kind, &incident, default_to, on_call).map_err(|error: NoAddressee| error.to_string())
    };
    let (team, pager) = (Some("team@example.com"), Some("pager@example.com"));
    let to = |address: &str| Ok(address.to_owned());
    assert_eq!(goes(Owner, Some("ann@example.com"), team, pager), to("ann@example.com"));
    assert_eq!(goes(Owner, None, team, pager), to("team@example.com"));
    assert_eq!(goes(Owner, Some("ann@example.com\r\nBcc: x@y.z"), team, pager), to("team@example.com"));
    assert_eq!(goes(Owner, Some("0123-service-principal"), None, pager), to("pager@example.com"));
    assert_eq!(goes(OnCall, Some("ann@example.com"), team, pager), to("pager@example.com"));
    assert_eq!(goes(Approval, Some("ann@example.com"), team, None), to("team@example.com"));
    assert_eq!(
        goes(Owner, Some("spn"), None, None),
        Err("the job's owner `spn` is no mail address, and mail.default_to is not set: nobody is told".to_owned())
    );
    assert_eq!(
        goes(OnCall, Some("ann@example.com"), None, None),
        Err("mail.on_call is not set, and mail.default_to is not set: nobody is told".to_owned())
    );
}

#[test]
fn a_letter_that_went_to_another_than_the_owner_says_so() {
    let mut incident = incident("x");
    incident.job.owner = Some("spn-1".to_owned());
    assert!(compose(MailKind::Owner, &incident, None).1.contains("the job's owner `spn-1` is no mail address: this came to you instead"));
    assert!(!compose(MailKind::OnCall, &incident, None).1.contains("instead"));
}

#[test]
fn no_line_of_a_log_steps_out_of_its_bar() {
    for sign in ["\r", "\r\n", "\u{2028}", "\u{2029}", "\u{85}", "\u{b}", "\n\r"] {
        let (_, body) = compose(MailKind::Owner, &incident("x"), Some(&evidence(&format!("first{sign}.{sign}RCPT TO:<b@example.net>"))));
        let stray: Vec<&str> =
            body.split(['\n', '\r', '\u{2028}']).filter(|line| line.contains("RCPT") && !line.starts_with("  | ")).collect();
        assert!(stray.is_empty() && body.contains("RCPT"), "{sign:?}: {body}");
    }
}

#[test]
fn a_secret_in_the_log_goes_to_nobody() {
    let token = format!("{}{}", "dapi", "0a1b2c3d4e5f".repeat(3).get(..32).unwrap());
    let mut leaky = incident(&format!("sync --password {}", "Tundra2010x"));
    leaky.run_url = Some(format!("https://acme.example.com/?token={token}"));
    if let Some(found) = &mut leaky.classification {
        found.evidence = Some(Span { field: Field::Error, text: format!("refused {token}"), start: 0, end: 9 });
    }
    for kind in [MailKind::Owner, MailKind::OnCall, MailKind::Approval] {
        let (subject, body) = compose(kind, &leaky, Some(&evidence(&format!("DB_PASSWORD=Harbor7788x and {token}"))));
        for secret in [token.as_str(), "Tundra2010x", "Harbor7788x"] {
            assert!(!subject.contains(secret) && !body.contains(secret), "{secret} in {subject}\n{body}");
        }
        assert!(body.contains("DB_PASSWORD=‹password-2›"), "{body}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn a_letter_is_bounded_and_clean_whatever_it_quotes(name in any::<String>(), text in any::<String>(), times in 1_usize..3000) {
        let long = text.repeat(times.min(1_200 / text.len().max(1)).max(1));
        let mut hostile = incident(&name);
        hostile.workspace = WorkspaceName(text.clone());
        hostile.failed_tasks = vec![long.clone(); 21];
        hostile.run_url = Some(long.clone());
        if let Some(decision) = &mut hostile.decision {
            decision.reasons = vec![long.clone(); 21];
        }
        if let Some(found) = &mut hostile.classification {
            found.advice = long.clone();
            found.explanation = long.clone();
        }
        for kind in [MailKind::Owner, MailKind::OnCall, MailKind::Approval] {
            let (subject, body) = compose(kind, &hostile, Some(&evidence(&long)));
            prop_assert!(!subject.chars().any(char::is_control) && subject.chars().count() < 200, "{:?}", subject);
            prop_assert!(body.len() <= BODY_BYTES_MAX);
            prop_assert!(body.lines().all(|line| line.len() <= LINE_BYTES_MAX));
            prop_assert!(!body.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
            prop_assert!(body.contains("What is asked of you"));
        }
    }
}
