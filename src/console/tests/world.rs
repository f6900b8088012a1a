//! A day at a workspace: incidents in every state, with what the ledger would hold about them.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::layout::Size;

use super::rows::{ROWS, RULES, Row};
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
        opinions: None,
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
        "BackTab" => KeyCode::BackTab,
        "Ctrl-l" => return KeyEvent::new(KeyCode::Char('l'), KeyModifiers::CONTROL),
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
