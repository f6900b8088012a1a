//! From start to the first picture, and resident memory, with 1,000 open incidents in the ledger. Aims: under 50 ms, under 64 MiB.
//! `cargo bench --bench start` (Linux: memory is read from /proc)

#![allow(clippy::unwrap_used)]

use std::io::Read;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use runmend::classify::Classifier;
use runmend::decide::{self, Policy};
use runmend::domain::Timestamp;
use runmend::domain::decision::Mode;
use runmend::domain::event::Via;
use runmend::domain::evidence::{Evidence, FailureText};
use runmend::domain::ids::{JobId, RunId, WorkspaceName};
use runmend::domain::incident::{Failure, State};
use runmend::domain::job::JobFacts;
use runmend::ledger::{Admission, Ledger, SqliteLedger};
use runmend::sim::{Options, Simulator};

const INCIDENTS: i64 = 1000;
const STARTS: usize = 9;
/// What the first picture has and nothing before it.
const PICTURE: &[u8] = b"Incidents";

/// A ledger as a bad night leaves it: every incident judged, decided and waiting for a person.
async fn fill(ledger: &SqliteLedger, now: Timestamp) {
    let classifier = Classifier::shipped();
    let text = FailureText {
        error: Some("java.net.ConnectException: Connection refused (Connection refused)".to_owned()),
        error_trace: Some("\tat org.apache.spark.scheduler.DAGScheduler.failJobAndIndependentStages(DAGScheduler.scala:3312)\n".repeat(40)),
        ..FailureText::default()
    };
    let classification = classifier.classify_evidence(&Evidence { run: text, ..Evidence::default() });
    for number in 0..INCIDENTS {
        let job = JobFacts { job_id: Some(JobId(number)), name: format!("load_{number}"), ..JobFacts::default() };
        let failure = Failure {
            workspace: WorkspaceName("127.0.0.1".to_owned()),
            run: RunId(1_000_000 + number),
            after_repair: None,
            job: job.clone(),
            run_url: None,
            via: Via::Poll,
            result_state: Some("FAILED".to_owned()),
            termination_code: Some("RUN_EXECUTION_ERROR".to_owned()),
            ended_at: Some(now),
        };
        let Admission::Admitted(incident, _) = ledger.admit(failure, now).await.unwrap() else { continue };
        let case = decide::Case {
            classification: classification.clone(),
            opinion: None,
            job,
            attempts: Vec::new(),
            mended_alike: 0,
            tried_alike: 0,
            gaps: Vec::new(),
            rerun_refused: None,
            mode: Mode::Approve,
            seed: number as u64,
            now,
        };
        let mut incident = *incident;
        for state in [State::Collecting, State::Analysed, State::Decided, State::AwaitingApproval] {
            let mut next = incident.become_state(state).unwrap().due(Some(now + Duration::from_secs(86_400)));
            next.incident.classification = Some(classification.clone());
            next.incident.decision = Some(decide::decide(&case, &Policy::default()));
            incident = ledger.commit(next, None).await.unwrap();
        }
    }
}

struct Measured {
    first_picture: Duration,
    resident_kib: u64,
}

fn start(home: &std::path::Path, url: &str, token: &str) -> Measured {
    let pair = native_pty_system().openpty(PtySize { rows: 45, cols: 160, pixel_width: 0, pixel_height: 0 }).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_runmend"));
    command.env_clear();
    for (name, value) in
        [("HOME", home.to_str().unwrap()), ("TERM", "xterm-256color"), ("DATABRICKS_HOST", url), ("DATABRICKS_TOKEN", token)]
    {
        command.env(name, value);
    }
    command.args(["--set", &format!("data_dir={}", home.display())]);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let began = Instant::now();
    let mut child = pair.slave.spawn_command(command).unwrap();
    let mut seen = Vec::new();
    let mut bytes = [0; 65536];
    while !seen.windows(PICTURE.len()).any(|window| window == PICTURE) {
        let read = reader.read(&mut bytes).unwrap();
        assert!(read > 0, "it ended: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&bytes[..read]);
    }
    let first_picture = began.elapsed();
    std::thread::spawn(move || while reader.read(&mut [0; 65536]).is_ok_and(|read| read > 0) {});
    // Polls, and the whole table read once.
    std::thread::sleep(Duration::from_secs(2));
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.process_id().unwrap())).unwrap_or_default();
    let resident_kib =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default();
    child.kill().unwrap();
    child.wait().unwrap();
    Measured { first_picture, resident_kib }
}

fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let home = tempfile::TempDir::new().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let simulator = runtime.block_on(async {
        let ledger = SqliteLedger::open(&home.path().join("ledger.db")).await.unwrap();
        fill(&ledger, Timestamp::now()).await;
        Simulator::start(Options::default()).await.unwrap()
    });
    let ready = simulator.ready();
    let mut measured: Vec<Measured> = (0..STARTS).map(|_| start(home.path(), &ready.url, &ready.token)).collect();
    measured.sort_by_key(|measured| measured.first_picture);
    let (first, last) = (&measured[0], &measured[STARTS - 1]);
    println!(
        "first picture: median {:?} (of {STARTS}: {:?} to {:?}), aim 50 ms",
        measured[STARTS / 2].first_picture,
        first.first_picture,
        last.first_picture
    );
    let most = measured.iter().map(|measured| measured.resident_kib).max().unwrap_or_default();
    println!("resident with {INCIDENTS} open incidents: {:.1} MiB at most, aim 64 MiB", most as f64 / 1024.0);
}
