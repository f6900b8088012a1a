//! How long a picture takes with 10,000 incidents (aim: under 8 ms), and what a snapshot and a key cost beside it.

#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::layout::Size;
use runmend::console::picture::{Papers, Scene, Stage};
use runmend::console::{ColorChoice, Llm, Options, ThemeChoice};
use runmend::decide::{Case, Policy, decide};
use runmend::domain::Timestamp;
use runmend::domain::action::Action;
use runmend::domain::cause::Cause;
use runmend::domain::classification::{Classification, Span};
use runmend::domain::decision::Mode;
use runmend::domain::event::Via;
use runmend::domain::evidence::{Evidence, FailureText, Field, TaskEvidence};
use runmend::domain::ids::{Fingerprint, JobId, Probability, RunId, TaskKey, WorkspaceName};
use runmend::domain::incident::{Failure, Incident, PlannedCall, State};
use runmend::domain::job::JobFacts;

const INCIDENTS: i64 = 10_000;
/// A log as long as evidence may be.
const LOG_LINES: usize = 800;
const HIT: &str = "java.net.SocketException: Connection reset by peer";

fn now() -> Timestamp {
    "2026-03-04T14:32:07Z".parse().unwrap()
}

fn options() -> Options {
    Options {
        workspaces: vec![WorkspaceName::from("acme-prod")],
        host: "https://acme-prod.cloud.databricks.com".to_owned(),
        mode: Mode::Approve,
        user: "on-call".to_owned(),
        policy: Policy::default(),
        simulated: false,
        llm: Llm::NotConfigured,
        ascii: false,
        color: ColorChoice::Rich,
        theme: ThemeChoice::Dark,
        zone: TimeZone::UTC,
    }
}

fn log() -> String {
    let mut log: String =
        (0..LOG_LINES).map(|line| format!("26/03/04 14:29:58 INFO TaskSetManager: Finished task {line}.0 in stage 14.0\n")).collect();
    log.push_str(HIT);
    log
}

fn incident(n: i64) -> Incident {
    let job = JobFacts { job_id: Some(JobId(n)), name: format!("orders_daily_load_{n}"), ..JobFacts::default() };
    let failure = Failure {
        workspace: WorkspaceName::from("acme-prod"),
        run: RunId(7_000_000 + n),
        after_repair: None,
        job: job.clone(),
        run_url: None,
        via: Via::Poll,
        result_state: Some("FAILED".to_owned()),
        termination_code: None,
        ended_at: None,
    };
    let (mut incident, _) = Incident::detected(failure, now() - jiff::SignedDuration::from_secs(n));
    let start = log().len() - HIT.len();
    let classification = Classification {
        cause: Cause::Network,
        confidence: Probability::new(0.95),
        alternatives: Vec::new(),
        action: Action::Retry,
        parameters: Vec::new(),
        rules: vec!["connection-reset".to_owned()],
        evidence: Some(Span { field: Field::Logs, text: HIT.to_owned(), start, end: start + HIT.len() }),
        task: Some(TaskKey::from("ingest")),
        fingerprint: Fingerprint::from("3fa9c17be004"),
        explanation: "The other side closed the connection: mostly gone at the next try.".to_owned(),
        advice: "If it comes back, look at the broker's logs.".to_owned(),
    };
    let case = Case {
        classification: classification.clone(),
        opinion: None,
        job,
        attempts: Vec::new(),
        mended_alike: 31,
        tried_alike: 40,
        gaps: Vec::new(),
        rerun_refused: None,
        mode: Mode::Approve,
        seed: 7,
        now: now(),
    };
    incident.state = if n % 3 == 0 { State::AwaitingApproval } else { State::Watching };
    incident.failed_tasks = vec!["ingest".to_owned()];
    incident.decision = Some(decide(&case, &Policy::default()));
    incident.classification = Some(classification);
    incident.planned = Some(PlannedCall {
        method: "POST".to_owned(),
        path: "/api/2.2/jobs/runs/repair".to_owned(),
        body: format!("{{\"run_id\": {}, \"rerun_tasks\": [\"ingest\"]}}", 7_000_000 + n),
    });
    incident
}

fn scene() -> Scene {
    let incidents: Vec<Incident> = (0..INCIDENTS).map(incident).collect();
    let evidence = Evidence {
        tasks: vec![TaskEvidence {
            task_key: TaskKey::from("ingest"),
            task_run: RunId(1),
            attempt_number: 0,
            text: FailureText { logs: Some(log()), ..FailureText::default() },
            result_state: Some("FAILED".to_owned()),
            termination_type: None,
            logs_truncated: true,
            settings: Vec::new(),
        }],
        ..Evidence::default()
    };
    let papers = incidents.iter().map(|incident| (incident.id.clone(), Papers::default())).chain(
        // The one under the cursor when the list is first seen.
        incidents.first().map(|incident| (incident.id.clone(), Papers { evidence: Some(evidence), ..Papers::default() })),
    );
    Scene { papers: papers.collect(), incidents, ..Scene::default() }
}

fn frame(c: &mut Criterion) {
    let scene = scene();
    for (name, width, height) in [("80x24", 80, 24), ("120x36", 120, 36), ("200x50", 200, 50)] {
        let mut stage = Stage::new(options(), Size { width, height }, now()).unwrap();
        stage.show(scene.clone(), now());
        c.bench_function(&format!("frame, 10,000 incidents, {name}"), |b| b.iter(|| black_box(stage.draw()).area));
        let down = KeyEvent::new(KeyCode::Char('j'), KeyModifiers::NONE);
        c.bench_function(&format!("key and frame, 10,000 incidents, {name}"), |b| {
            b.iter(|| {
                stage.press(down);
                black_box(stage.draw()).area
            });
        });
    }
    let mut stage = Stage::new(options(), Size { width: 120, height: 36 }, now()).unwrap();
    c.bench_function("a snapshot of 10,000 incidents, sorted", |b| {
        b.iter_batched(|| scene.clone(), |scene| stage.show(scene, now()), criterion::BatchSize::PerIteration);
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(3));
    targets = frame
}
criterion_main!(benches);
