//! A day at a workspace: incidents in every state, with what the ledger would hold about them.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::layout::Size;

use crate::console::picture::{Papers, Scene, Stage};
use crate::console::{ColorChoice, Llm, Options, ThemeChoice};
use crate::decide::{Case, Policy, decide};
use crate::domain::Timestamp;
use crate::domain::action::{Action, Change, Parameter, Setting};
use crate::domain::cause::Cause;
use crate::domain::classification::{Alternative, Classification, Span};
use crate::domain::decision::{Decision, Mode};
use crate::domain::event::{Actor, Call, Happening, Outcome, Via};
use crate::domain::evidence::{Evidence, FailureText, Field, PastRun, TaskEvidence};
use crate::domain::ids::{Fingerprint, JobId, Probability, RepairId, RunId, TaskKey, WorkspaceName};
use crate::domain::incident::{Attempt, Ending, Failure, Incident, PlannedCall, State};
use crate::domain::job::JobFacts;
use crate::ledger::{AgentStatus, AuditLine, Counts};

pub const SMALL: Size = Size { width: 80, height: 24 };
pub const MIDDLE: Size = Size { width: 120, height: 36 };
pub const LARGE: Size = Size { width: 200, height: 50 };

/// 2026-03-04 14:32:07 UTC.
pub fn now() -> Timestamp {
    "2026-03-04T14:32:07Z".parse().unwrap()
}

pub fn ago(s: i64) -> Timestamp {
    now() - jiff::SignedDuration::from_secs(s)
}

pub fn options(mode: Mode) -> Options {
    Options {
        workspaces: vec![WorkspaceName::from("acme-prod")],
        host: "https://acme-prod.cloud.databricks.com".to_owned(),
        mode,
        user: "on-call".to_owned(),
        policy: Policy { critical: vec!["payments_*".to_owned()], ..Policy::default() },
        simulated: false,
        llm: Llm::NotConfigured,
        ascii: false,
        color: ColorChoice::Rich,
        theme: ThemeChoice::Dark,
        zone: TimeZone::UTC,
    }
}

/// What the row of the table says, and from it the rest.
pub struct Row {
    pub run: i64,
    pub age_s: i64,
    pub job: &'static str,
    pub task: &'static str,
    pub cause: Cause,
    pub sure: f64,
    pub action: Action,
    pub state: State,
}

/// The rule, the words that it hits, why they mean the cause, and what the owner can do.
const RULES: [(Cause, &str, &str, &str, &str); 10] = [
    (
        Cause::Resource,
        "spark-driver-oom",
        "java.lang.OutOfMemoryError: Java heap space",
        "The driver's heap is full: a repair with the same settings fails again.",
        "Aggregate before collecting, or give the driver more memory.",
    ),
    (
        Cause::Permission,
        "sql-state-42501",
        "PERMISSION_DENIED: User does not have SELECT on table crm.accounts",
        "The run's user may not read the table: only its owner can grant that.",
        "Grant SELECT on crm.accounts to the job's run-as user.",
    ),
    (
        Cause::Data,
        "quality-check-failed",
        "AssertionError: 1,204 rows have no event_id",
        "The data does not hold what the job asserts: the same data fails again.",
        "Find out why the source sent rows without event_id.",
    ),
    (
        Cause::Network,
        "connection-reset",
        "java.net.SocketException: Connection reset by peer",
        "The other side closed the connection: mostly gone at the next try.",
        "If it comes back, look at the broker's logs.",
    ),
    (
        Cause::Quota,
        "http-429",
        "429 Too Many Requests",
        "The service limits how often it is asked: a later try gets through.",
        "Ask in larger batches, or for a higher limit.",
    ),
    (
        Cause::Concurrency,
        "delta-concurrent-append",
        "ConcurrentAppendException: Files were added by a concurrent update",
        "Another writer was faster: the next try sees its files.",
        "Write disjoint partitions, or one after the other.",
    ),
    (
        Cause::Timeout,
        "task-timed-out",
        "Task exceeded its timeout of 3600 seconds",
        "The task took longer than it may.",
        "See what grew; raise the timeout only then.",
    ),
    (
        Cause::Platform,
        "spot-capacity-lost",
        "AWS_INSUFFICIENT_INSTANCE_CAPACITY_FAILURE",
        "The cloud had no machine of this kind just then.",
        "Allow other instance types, or on-demand ones.",
    ),
    (
        Cause::Syntax,
        "parse-syntax-error",
        "[PARSE_SYNTAX_ERROR] Syntax error at or near 'FORM'",
        "The statement cannot be read: it fails every time.",
        "Correct the SQL.",
    ),
    (
        Cause::Code,
        "python-type-error",
        "TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'",
        "The code does not expect a missing value: the same input fails again.",
        "Handle the missing value.",
    ),
];

fn rule(cause: Cause) -> (&'static str, &'static str, &'static str, &'static str) {
    let (_, id, hit, why, advice) = RULES.into_iter().find(|(of, ..)| *of == cause).unwrap();
    (id, hit, why, advice)
}

pub fn incident(row: &Row) -> Incident {
    let failure = Failure {
        workspace: WorkspaceName::from("acme-prod"),
        run: RunId(row.run),
        after_repair: None,
        job: JobFacts {
            job_id: Some(JobId(4_000 + row.run % 1000)),
            name: row.job.to_owned(),
            owner: Some("data-platform@example.com".to_owned()),
            tags: BTreeMap::new(),
            tasks: vec![TaskKey::from(row.task)],
            deployed_by: None,
        },
        run_url: Some(format!("https://acme-prod.cloud.databricks.com/jobs/{}/runs/{}", 4_000 + row.run % 1000, row.run)),
        via: Via::Poll,
        result_state: Some("FAILED".to_owned()),
        termination_code: Some("RUN_EXECUTION_ERROR".to_owned()),
        ended_at: Some(ago(row.age_s + 20)),
    };
    let (mut incident, _) = Incident::detected(failure, ago(row.age_s));
    incident.version = 4;
    incident.state = row.state;
    if !matches!(row.state, State::Detected) {
        incident.failed_tasks = vec![row.task.to_owned()];
    }
    if !matches!(row.state, State::Detected | State::Collecting) {
        incident.classification = Some(classification(row));
    }
    if !matches!(row.state, State::Detected | State::Collecting | State::Analysed) {
        incident.decision = Some(decision(&incident, row, classification(row)));
        incident.planned = Some(planned(row));
    }
    if matches!(row.state, State::Watching | State::Closed(Ending::Mended)) {
        let outcome = (row.state != State::Watching).then_some(Outcome::Mended);
        incident.attempts.push(Attempt {
            number: 1,
            action: row.action,
            acted_at: ago(row.age_s - 60),
            repair: Some(RepairId(88_100 + row.run % 100)),
            new_run: None,
            automatic: false,
            outcome,
            ended_at: outcome.map(|_| ago(row.age_s - 300)),
        });
    }
    incident.closed_at = (!row.state.is_open()).then(|| ago(60));
    incident
}

fn classification(row: &Row) -> Classification {
    let (rule, hit, why, advice) = rule(row.cause);
    let start = log(hit).find(hit).unwrap();
    Classification {
        cause: row.cause,
        confidence: Probability::new(row.sure),
        alternatives: vec![Alternative { cause: Cause::Data, confidence: Probability::new(0.06) }],
        action: row.action,
        parameters: match row.action {
            Action::RetryWithNewParams => vec![Parameter { setting: Setting::DriverMemory, change: Change::Scale(2.0) }],
            Action::Retry | Action::Notify | Action::Escalate | Action::Ignore => Vec::new(),
        },
        rules: vec![rule.to_owned()],
        evidence: Some(Span { field: Field::Logs, text: hit.to_owned(), start, end: start + hit.len() }),
        task: Some(TaskKey::from(row.task)),
        fingerprint: Fingerprint::from("3fa9c17be004"),
        explanation: why.to_owned(),
        advice: advice.to_owned(),
    }
}

/// What the engine itself says, so that the screens show what it would.
fn decision(incident: &Incident, row: &Row, classification: Classification) -> Decision {
    let case = Case {
        classification,
        opinion: None,
        job: incident.job.clone(),
        attempts: Vec::new(),
        mended_alike: 31,
        tried_alike: 40,
        gaps: Vec::new(),
        rerun_refused: None,
        mode: if row.state == State::Decided { Mode::Observe } else { Mode::Approve },
        seed: 7,
        now: ago(row.age_s.min(10)),
    };
    decide(&case, &Policy::default())
}

fn planned(row: &Row) -> PlannedCall {
    if row.action.reruns() {
        let body = format!(
            "{{\n  \"run_id\": {},\n  \"rerun_tasks\": [\n    \"{}\"\n  ],\n  \"job_parameters\": {{\n    \"day\": \"2026-03-03\"\n  }}\n}}",
            row.run, row.task
        );
        return PlannedCall { method: "POST".to_owned(), path: "/api/2.2/jobs/runs/repair".to_owned(), body };
    }
    let (to, subject) = ("data-platform@example.com", format!("[runmend] {} failed: {}", row.job, row.cause));
    PlannedCall { method: "MAIL".to_owned(), path: "smtp".to_owned(), body: format!("To: {to}\nSubject: {subject}") }
}

/// 212 lines of a driver's log, the last of which says what went wrong.
pub fn log(hit: &str) -> String {
    let mut log = String::new();
    for line in 1..=209 {
        log.push_str(&format!("26/03/04 14:29:{:02} INFO TaskSetManager: Finished task {line}.0 in stage 14.0\n", line % 60));
    }
    log.push_str("26/03/04 14:29:57 INFO CodeGenerator: Code generated in 14.2 ms\n");
    log.push_str("26/03/04 14:29:58 INFO TaskSetManager: Finished task 199.0 in stage 14.0 (TID 3211) in 812 ms\n");
    log.push_str(&format!("26/03/04 14:29:59 ERROR Driver: {hit}\n"));
    log
}

const ROWS: [Row; 15] = [
    row(7_731_204, 130, "orders_daily_load", "bronze_ingest", Cause::Resource, 0.91, Action::RetryWithNewParams, State::AwaitingApproval),
    row(7_731_198, 250, "crm_sync", "fetch_accounts", Cause::Permission, 0.97, Action::Notify, State::AwaitingApproval),
    row(7_731_150, 555, "clickstream_backfill", "read_kafka", Cause::Network, 0.95, Action::Retry, State::AwaitingApproval),
    row(7_731_207, 62, "clickstream_bronze", "autoloader", Cause::Network, 0.95, Action::Retry, State::Acting),
    row(7_731_220, 8, "web_sessions", "sessionize", Cause::Code, 0.5, Action::Notify, State::Detected),
    row(7_731_219, 15, "geo_enrichment", "lookup", Cause::Code, 0.5, Action::Notify, State::Collecting),
    row(7_731_180, 375, "fx_rates_import", "download", Cause::Quota, 0.99, Action::Retry, State::Scheduled),
    row(7_731_176, 430, "billing_export", "write_out", Cause::Concurrency, 0.93, Action::Retry, State::Scheduled),
    row(7_731_140, 730, "store_traffic", "aggregate", Cause::Timeout, 0.88, Action::Retry, State::Watching),
    row(7_731_101, 1_090, "inventory_snapshot", "merge_silver", Cause::Platform, 0.96, Action::Retry, State::Watching),
    row(7_731_040, 1_870, "payments_reconcile", "check_totals", Cause::Data, 0.94, Action::Escalate, State::WithPeople),
    row(7_730_990, 2_650, "sessions_rollup", "rollup", Cause::Network, 0.97, Action::Retry, State::Closed(Ending::Mended)),
    row(7_730_950, 3_130, "hr_headcount", "load", Cause::Syntax, 0.99, Action::Notify, State::Closed(Ending::Superseded)),
    row(7_730_900, 5_400, "ads_spend", "fetch", Cause::Quota, 0.9, Action::Retry, State::Closed(Ending::Ignored)),
    row(7_730_870, 9_100, "churn_scores", "score", Cause::Code, 0.86, Action::Notify, State::Closed(Ending::Handled)),
];

#[allow(clippy::too_many_arguments)]
const fn row(run: i64, age_s: i64, job: &'static str, task: &'static str, cause: Cause, sure: f64, action: Action, state: State) -> Row {
    Row { run, age_s, job, task, cause, sure, action, state }
}

/// Incidents in every state but `observed`.
pub fn scene() -> Scene {
    let mut incidents: Vec<Incident> = ROWS.iter().map(incident).collect();
    for incident in &mut incidents {
        if incident.job.name == "fx_rates_import" {
            incident.attempt = 2;
            incident.next_due = Some(ago(-100));
            incident.attempts.push(Attempt {
                number: 1,
                action: Action::Retry,
                acted_at: ago(300),
                repair: Some(RepairId(88_080)),
                new_run: None,
                automatic: true,
                outcome: Some(Outcome::FailedAgain),
                ended_at: Some(ago(200)),
            });
        }
        if incident.job.name == "billing_export" {
            incident.next_due = Some(ago(-185));
        }
        if let (State::Scheduled, Some(due), Some(decision)) = (incident.state, incident.next_due, &mut incident.decision) {
            decision.not_before = due;
        }
    }
    let papers = incidents.iter().map(|incident| (incident.id.clone(), papers(incident))).collect();
    let counts = Counts {
        awaiting: 3,
        scheduled: 2,
        acting: 1,
        watching: 2,
        with_people: 1,
        observed: 0,
        in_analysis: 2,
        mended_today: 41,
        failed_again_today: 3,
    };
    Scene { incidents, counts, agents: vec![agent()], auto_apply: None, papers }
}

pub fn agent() -> AgentStatus {
    AgentStatus {
        worker: "host/1".to_owned(),
        workspace: WorkspaceName::from("acme-prod"),
        version: "0.1.0".to_owned(),
        mode: Mode::Approve,
        unattended: false,
        leading: true,
        poll_interval_s: 60,
        last_poll: Some(ago(4)),
        runs_seen: 214,
        degraded: Vec::new(),
        at: ago(1),
    }
}

fn papers(incident: &Incident) -> Papers {
    let task = incident.failed_tasks.first().cloned().unwrap_or_else(|| "main".to_owned());
    let text = FailureText {
        error: Some(format!("Task {task} failed; see its log.")),
        state_message: Some(format!("Task {task} failed.")),
        logs: Some(log(incident.classification.as_ref().and_then(|verdict| verdict.evidence.as_ref()).map_or("", |span| &span.text))),
        task_type: Some("notebook".to_owned()),
        ..FailureText::default()
    };
    let evidence = Evidence {
        tasks: vec![TaskEvidence {
            task_key: TaskKey(task.clone()),
            task_run: RunId(991_772),
            attempt_number: 0,
            text,
            result_state: Some("FAILED".to_owned()),
            termination_type: Some("CLIENT_ERROR".to_owned()),
            logs_truncated: true,
            settings: vec![("driver memory".to_owned(), "8g".to_owned())],
        }],
        consequences: vec![TaskKey::from("publish")],
        run: FailureText::default(),
        history: vec![PastRun {
            run: RunId(7_700_001),
            started_at: Some(ago(86_400)),
            result_state: Some("SUCCESS".to_owned()),
            duration_s: Some(1_310),
        }],
        gaps: Vec::new(),
    };
    let mut events = vec![
        incident.event(
            incident.detected_at,
            Actor::Agent,
            Happening::Detected {
                via: Via::Poll,
                result_state: incident.result_state.clone(),
                termination_code: incident.termination_code.clone(),
                ended_at: incident.failed_at,
            },
        ),
        incident.event(incident.detected_at, Actor::Agent, Happening::Collected { tasks: vec![task], gaps: Vec::new() }),
    ];
    if let Some(verdict) = &incident.classification {
        events.push(incident.event(incident.detected_at, Actor::Agent, Happening::Classified(Box::new(verdict.clone()))));
    }
    if let Some(decision) = &incident.decision {
        events.push(incident.event(incident.detected_at, Actor::Agent, Happening::decided(decision)));
    }
    if !incident.attempts.is_empty() {
        let call = Call { method: "POST".to_owned(), path: "/api/2.2/jobs/runs/repair".to_owned() };
        events.push(incident.event(
            ago(300),
            Actor::Agent,
            Happening::Acted {
                action: Action::Retry,
                call,
                repair_id: Some(RepairId(88_080)),
                new_run_id: None,
                intent: format!("{}#1/repair", incident.id),
                reconciled: false,
            },
        ));
    }
    let audit = events
        .into_iter()
        .enumerate()
        .map(|(at, event)| AuditLine { seq: 1000 + at as i64, event, hash: format!("{:064x}", 0xa1b2_c3d4_u64 + at as u64) })
        .collect();
    Papers { evidence: Some(evidence), audit, intents: Vec::new(), mails: Vec::new() }
}

pub fn stage(size: Size, mode: Mode, scene: Scene) -> Stage {
    let mut stage = Stage::new(options(mode), size, now()).unwrap();
    stage.show(scene, now());
    stage
}

/// Keys as they are written: `j j a Enter`, `"month end"` for typed text, `Ctrl-c`.
pub fn press(stage: &mut Stage, keys: &str) {
    for (at, part) in keys.split('"').enumerate() {
        if at % 2 == 1 {
            part.chars().for_each(|c| stage.press(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)));
        } else {
            part.split_whitespace().for_each(|word| stage.press(key(word)));
        }
    }
}

fn key(word: &str) -> KeyEvent {
    let code = match word {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "PgDn" => KeyCode::PageDown,
        "PgUp" => KeyCode::PageUp,
        "Backspace" => KeyCode::Backspace,
        "Ctrl-c" => return KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL),
        word => KeyCode::Char(word.chars().next().unwrap()),
    };
    KeyEvent::new(code, KeyModifiers::NONE)
}

/// The screen as lines of text, without the spaces at their ends.
pub fn text(stage: &mut Stage) -> String {
    let buffer = stage.draw();
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            x += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol).max(1)).unwrap();
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The incident of this job, as the list holds it.
pub fn incident_of(stage: &Stage, job: &str) -> Incident {
    stage.model.list.rows.iter().find(|entry| entry.incident.job.name == job).unwrap().incident.clone()
}
