//! Against MiniLake (PyPI), a workspace that nobody here wrote: Python jobs that really fail. It knows no runs/repair and no idempotency
//! token, and keeps an exception only in the logs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Agent, Process, mails, of, python};

struct MiniLake {
    _process: Process,
    url: String,
    http: reqwest::Client,
}

impl MiniLake {
    async fn start(python: &Path, home: &Path) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(python.with_file_name("minilake"))
            .args(["--port", &port.to_string()])
            .env("MINILAKE_JOB_EXECUTOR", "subprocess")
            .env("MINILAKE_DATA_DIR", home.join("minilake"))
            .current_dir(home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lake = Self { _process: Process { child }, url: format!("http://127.0.0.1:{port}"), http: reqwest::Client::new() };
        tokio::time::timeout(Duration::from_secs(60), async {
            while lake.http.get(format!("{}/api/2.2/jobs/list", lake.url)).send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
        .await
        .expect("MiniLake answers");
        lake
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.http.post(format!("{}{path}", self.url)).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    }

    /// A job of one Python file, started once.
    async fn job(&self, name: &str, program: &str) -> i64 {
        let path = format!("/Shared/{name}.py");
        let content = base64::engine::general_purpose::STANDARD.encode(program);
        self.post(
            "/api/2.0/workspace/import",
            json!({"path": path, "format": "SOURCE", "language": "PYTHON", "content": content, "overwrite": true}),
        )
        .await;
        let task = json!({"task_key": "main", "spark_python_task": {"python_file": path}});
        let job =
            self.post("/api/2.2/jobs/create", json!({"name": name, "tasks": [task], "tags": {"runmend.owner": "owner@example.com"}})).await;
        let id = job["job_id"].as_i64().unwrap();
        self.post("/api/2.2/jobs/run-now", json!({"job_id": id})).await;
        id
    }

    async fn runs_of(&self, job: i64) -> Vec<Value> {
        let list: Value =
            self.http.get(format!("{}/api/2.2/jobs/runs/list?job_id={job}", self.url)).send().await.unwrap().json().await.unwrap();
        list["runs"].as_array().unwrap().clone()
    }
}

async fn world(test: &str) -> Option<(TempDir, MiniLake)> {
    let python: PathBuf = python(test)?;
    let home = TempDir::new().unwrap();
    let lake = MiniLake::start(&python, home.path()).await;
    Some((home, lake))
}

#[tokio::test]
async fn a_refused_connection_is_rerun_once_and_mended() {
    let Some((home, lake)) = world("a_refused_connection_is_rerun_once_and_mended").await else { return };
    let flag = home.path().join("service-is-up");
    let program = format!(
        "import os, socket\nif not os.path.exists({flag:?}):\n    s = socket.socket()\n    s.bind((\"127.0.0.1\", 0))\n    port = s.getsockname()[1]\n    s.close()\n    socket.create_connection((\"127.0.0.1\", port), timeout=5)\nprint(\"loaded\")\n"
    );
    let job = lake.job("fetch_rates", &program).await;

    let mut agent = Agent::auto(home.path(), &lake.url, "any", &[]);
    let classified = agent.event("classified").await;
    assert_eq!(classified["cause"], "network", "{classified}");
    assert!(classified["evidence"]["text"].as_str().unwrap().contains("refused"), "{classified}");
    std::fs::write(&flag, "").unwrap();
    let acted = agent.event("acted").await;
    assert_eq!((acted["action"].as_str(), acted["call"]["path"].as_str()), (Some("retry"), Some("/api/2.2/jobs/run-now")), "{acted}");
    agent.outcome("mended").await;
    let (heard, code) = agent.stop().await;
    assert_eq!(code, Some(0));

    let runs = lake.runs_of(job).await;
    assert_eq!(runs.len(), 2, "one failed run, one re-run: {runs:?}");
    assert_eq!(acted["new_run_id"], runs[1]["run_id"]);
    assert_eq!(of(&heard, "detected").len(), 1, "the re-run is no failure of its own");
}

#[tokio::test]
async fn a_missing_module_is_mailed_and_not_rerun() {
    let Some((home, lake)) = world("a_missing_module_is_mailed_and_not_rerun").await else { return };
    let job = lake.job("train_model", "import pandaz_core\n").await;

    let mut agent = Agent::auto(home.path(), &lake.url, "any", &[]);
    let classified = agent.event("classified").await;
    assert_eq!(classified["cause"], "dependency", "{classified}");
    let notified = agent.event("notified").await;
    assert_eq!(notified["to"], "owner@example.com");
    agent.stop().await;

    assert_eq!(lake.runs_of(job).await.len(), 1, "never re-run");
    let mails = mails(home.path());
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("pandaz_core") && mails[0].contains("train_model"), "{}", mails[0]);
}
