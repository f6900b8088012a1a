//! The workspace as any client meets it: over HTTP, with JSON read by nobody's types.

use serde_json::{Value, json};

use super::*;

struct Lab {
    simulator: Simulator,
    http: reqwest::Client,
}

impl Lab {
    async fn new() -> Self {
        Self::at_speed(1.0).await
    }

    async fn at_speed(speed: f64) -> Self {
        Self::with(Options { speed, ..Options::default() }).await
    }

    async fn with(options: Options) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { simulator: Simulator::start(options).await.unwrap(), http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn any_get(&self, endpoint: &str) -> (u16, Value) {
        let url = format!("{}/api/2.2/jobs{endpoint}", self.simulator.ready().url);
        self.send(self.http.get(url).bearer_auth(&self.simulator.ready().token)).await
    }

    async fn get(&self, endpoint: &str) -> Value {
        let (status, answer) = self.any_get(endpoint).await;
        assert_eq!(status, 200, "{endpoint}: {answer}");
        answer
    }

    async fn any_post(&self, endpoint: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/api/2.2/jobs{endpoint}", self.simulator.ready().url);
        self.send(self.http.post(url).bearer_auth(&self.simulator.ready().token).json(&body)).await
    }

    async fn post(&self, endpoint: &str, body: Value) -> Value {
        let (status, answer) = self.any_post(endpoint, body).await;
        assert_eq!(status, 200, "{endpoint}: {answer}");
        answer
    }

    async fn refused(&self, endpoint: &str, body: Value, says: &str) {
        let (status, answer) = self.any_post(endpoint, body).await;
        assert!(status == 400 && answer["message"].as_str().unwrap().contains(says), "{status} {answer}");
    }

    async fn control(&self, command: Value) -> Value {
        let (status, answer) = self.send(self.http.post(&self.simulator.ready().control_url).json(&command)).await;
        assert_eq!(status, 200, "{command}: {answer}");
        answer
    }

    async fn book(&self) -> Value {
        self.send(self.http.get(&self.simulator.ready().book_url)).await.1
    }

    /// A run that has failed by now.
    async fn failed(&self, mut spec: Value) -> i64 {
        spec["do"] = json!("fail");
        if spec.get("duration_ms").is_none() {
            spec["duration_ms"] = json!(0);
        }
        self.control(spec).await["runs"][0]["run_id"].as_i64().unwrap()
    }

    async fn run(&self, run: i64) -> Value {
        self.get(&format!("/runs/get?run_id={run}&include_history=true")).await
    }

    /// Repairs what failed and lets it end; gives the repair's id.
    async fn repair(&self, run: i64, latest: Option<i64>) -> i64 {
        let body = json!({"run_id": run, "rerun_all_failed_tasks": true, "latest_repair_id": latest});
        let repair = self.post("/runs/repair", body).await["repair_id"].as_i64().unwrap();
        self.control(json!({"do": "finish"})).await;
        repair
    }
}

fn result(run: &Value) -> (&str, &str, &str) {
    let word = |value: &Value| -> &'static str { value.as_str().unwrap_or("-").to_owned().leak() };
    (word(&run["state"]["life_cycle_state"]), word(&run["state"]["result_state"]), word(&run["status"]["termination_details"]["code"]))
}

#[tokio::test]
async fn it_listens_on_this_machine_only_and_answers_only_its_token() {
    let open = Options { listen: "0.0.0.0:0".parse().unwrap(), ..Options::default() };
    let error = Simulator::start(open).await.err().unwrap();
    assert!(error.to_string().contains("use 127.0.0.1"), "{error}");

    let lab = Lab::new().await;
    let url = format!("{}/api/2.2/jobs/list", lab.simulator.ready().url);
    assert_eq!(lab.send(lab.http.get(&url)).await.0, 401);
    assert_eq!(lab.send(lab.http.get(&url).bearer_auth("dapi0")).await.0, 403);
    assert_eq!(lab.any_get("/list").await, (200, json!({})));
    let (status, answer) = lab.any_get("/no-such").await;
    assert_eq!((status, answer["error_code"].as_str()), (404, Some("ENDPOINT_NOT_FOUND")));
    let line = serde_json::to_value(lab.simulator.ready()).unwrap();
    assert!(["ready", "url", "token", "book_url", "control_url"].iter().all(|name| line.get(*name).is_some()), "{line}");
    let other = Lab::new().await;
    assert_ne!(lab.simulator.ready().token, other.simulator.ready().token);
    lab.simulator.stop().await;
}

#[tokio::test]
async fn a_failed_task_is_told_in_both_halves_and_its_text_only_by_get_output() {
    let lab = Lab::new().await;
    lab.control(json!({"do": "job", "name": "orders", "task": [{"key": "a"}, {"key": "b", "depends_on": ["a"]}]})).await;
    let id = lab.failed(json!({"job": "orders", "task": "a", "recording": "r061"})).await;
    assert!(id > 1 << 53 && id % 2 == 1, "an id that a double cannot hold: {id}");
    let run = lab.run(id).await;
    assert_eq!(result(&run), ("INTERNAL_ERROR", "FAILED", "RUN_EXECUTION_ERROR"), "of a run with a failed task");
    assert_eq!(run["status"]["state"], "TERMINATED");
    assert!(run["state"]["state_message"].as_str().unwrap().starts_with("Task a failed with message: Workload failed"));
    let task = |key: &str| run["tasks"].as_array().unwrap().iter().find(|task| task["task_key"] == key).unwrap().clone();
    assert_eq!(result(&task("a")), ("TERMINATED", "FAILED", "RUN_EXECUTION_ERROR"));
    assert_eq!(result(&task("b")), ("TERMINATED", "UPSTREAM_FAILED", "SKIPPED"));
    assert_eq!(run["repair_history"].as_array().unwrap().len(), 1);

    let output = lab.get(&format!("/runs/get-output?run_id={}", task("a")["run_id"])).await;
    assert!(output["error"].as_str().unwrap().contains("Job aborted due to stage failure"), "{output}");
    assert!(output["error_trace"].is_string() && output["logs"].is_string());
    assert_eq!(output["metadata"]["job_run_id"], id);
    let (status, answer) = lab.any_get(&format!("/runs/get-output?run_id={id}")).await;
    assert!(status == 400 && answer["message"].as_str().unwrap().contains("multiple tasks is not supported"), "{answer}");
    let (status, answer) = lab.any_get("/runs/get?run_id=5").await;
    assert_eq!((status, answer["message"].as_str()), (400, Some("Run 5 does not exist.")));
}

#[tokio::test]
async fn how_runs_end() {
    let lab = Lab::new().await;
    for (spec, want) in [
        (json!({"result_state": "TIMEDOUT"}), ("TERMINATED", "TIMEDOUT", "CANCELED")),
        (json!({"result_state": "INTERNAL_ERROR"}), ("INTERNAL_ERROR", "FAILED", "INTERNAL_ERROR")),
        (json!({"result_state": "CANCELED"}), ("TERMINATED", "CANCELED", "USER_CANCELED")),
        (json!({"result_state": "SKIPPED"}), ("SKIPPED", "-", "MAX_CONCURRENT_RUNS_EXCEEDED")),
        (json!({"result_state": "EVICTED"}), ("TERMINATED", "EVICTED", "RUN_EXECUTION_ERROR")),
        (
            json!({"termination_code": "LIBRARY_INSTALLATION_ERROR", "duration_ms": 400}),
            ("INTERNAL_ERROR", "FAILED", "LIBRARY_INSTALLATION_ERROR"),
        ),
    ] {
        let mut spec = spec;
        spec["job"] = json!("a");
        spec["started_ago"] = json!("1m");
        let run = lab.failed(spec.clone()).await;
        assert_eq!(result(&lab.run(run).await), want, "{spec}");
    }
    let library = lab.get("/runs/list?limit=1&expand_tasks=true").await;
    assert_eq!(library["runs"][0]["end_time"].as_i64().unwrap() - library["runs"][0]["start_time"].as_i64().unwrap(), 400);
    assert_eq!(library["runs"][0]["tasks"][0]["execution_duration"], 0);
}

#[tokio::test]
async fn a_last_task_that_runs_whatever_failed_saves_the_run() {
    let lab = Lab::new().await;
    let tasks = json!([{"key": "a"}, {"key": "report", "depends_on": ["a"], "run_if_done": true}]);
    lab.control(json!({"do": "job", "name": "j", "task": tasks})).await;
    let run = lab.failed(json!({"job": "j", "task": "a"})).await;
    assert_eq!(result(&lab.run(run).await), ("TERMINATED", "SUCCESS_WITH_FAILURES", "SUCCESS_WITH_FAILURES"));
}

#[tokio::test]
async fn a_run_lives_in_time() {
    let lab = Lab::new().await;
    let id =
        lab.control(json!({"do": "fail", "job": "a", "started_ago": "30h", "ends_in": "10m"})).await["runs"][0]["run_id"].as_i64().unwrap();
    let run = lab.run(id).await;
    assert_eq!(result(&run), ("RUNNING", "-", "-"));
    assert_eq!((&run["end_time"], run.get("run_duration")), (&json!(0), None));
    let start = run["start_time"].as_i64().unwrap();
    let listed = |answer: Value| answer["runs"].as_array().map_or(0, Vec::len);
    assert_eq!(listed(lab.get("/runs/list?active_only=true").await), 1);
    assert_eq!(listed(lab.get(&format!("/runs/list?start_time_from={}", start + 1)).await), 0, "the list knows the start only");
    lab.refused("/runs/repair", json!({"run_id": id, "rerun_all_failed_tasks": true}), "still active").await;
    lab.control(json!({"do": "finish"})).await;
    assert_eq!(result(&lab.run(id).await), ("INTERNAL_ERROR", "FAILED", "RUN_EXECUTION_ERROR"));
    assert_eq!(listed(lab.get("/runs/list?active_only=true").await), 0);
    assert_eq!(listed(lab.get("/runs/list?completed_only=true").await), 1);
}

#[tokio::test]
async fn a_second_repair_must_name_the_first() {
    let lab = Lab::new().await;
    let id = lab.failed(json!({"job": "a", "truth": {"passes_after": 2}, "attempts": 2})).await;
    let one = lab.repair(id, None).await;
    let run = lab.run(id).await;
    assert_eq!(result(&run), ("INTERNAL_ERROR", "FAILED", "RUN_EXECUTION_ERROR"), "the first re-run fails alike");
    let mut attempts: Vec<i64> = run["tasks"].as_array().unwrap().iter().map(|task| task["attempt_number"].as_i64().unwrap()).collect();
    attempts.sort_unstable();
    assert_eq!(attempts, [0, 1, 2, 3], "one entry an attempt, of all rounds");
    let needed = "The latest repair ID needs to be provided in order to create a new repair";
    lab.refused("/runs/repair", json!({"run_id": id, "rerun_all_failed_tasks": true}), needed).await;
    lab.refused("/runs/repair", json!({"run_id": id, "rerun_all_failed_tasks": true, "latest_repair_id": one + 2}), needed).await;
    let two = lab.repair(id, Some(one)).await;
    let run = lab.run(id).await;
    assert_eq!(result(&run), ("TERMINATED", "SUCCESS", "SUCCESS"));
    let history: Vec<_> = run["repair_history"].as_array().unwrap().iter().map(|item| item["id"].as_i64()).collect();
    assert_eq!(history, [None, Some(one), Some(two)], "oldest first, the original without an id");
    assert_eq!(result(&run["repair_history"][0]).1, "FAILED", "what was is not rewritten");

    let book = lab.book().await;
    let row = &book["runs"][0];
    assert_eq!(
        (&row["fails"], &row["reruns"], &row["passed"], &row["truth"]),
        (&json!(2), &json!(2), &json!(true), &json!({"passes_after": 2}))
    );
    assert_eq!(row["repairs"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_repair_that_is_wrong_is_refused_and_changes_nothing() {
    let lab = Lab::new().await;
    let id = lab.failed(json!({"job": "a", "truth": "never"})).await;
    let task_run = lab.run(id).await["tasks"][0]["run_id"].clone();
    lab.refused("/runs/repair", json!({"run_id": id, "rerun_tasks": ["main", "main"]}), "cannot contain duplicate task keys").await;
    lab.refused("/runs/repair", json!({"run_id": id, "rerun_tasks": ["gone"]}), "'gone' does not exist").await;
    lab.refused("/runs/repair", json!({"run_id": id, "rerun_tasks": ["main"], "rerun_all_failed_tasks": true}), "Only one of").await;
    lab.refused("/runs/repair", json!({"run_id": id}), "must be provided").await;
    lab.refused("/runs/repair", json!({"run_id": task_run, "rerun_all_failed_tasks": true}), "task run").await;
    lab.refused("/runs/repair", json!({"run_id": 5, "rerun_all_failed_tasks": true}), "does not exist").await;
    assert_eq!(lab.run(id).await["repair_history"].as_array().unwrap().len(), 1);
    assert!(lab.book().await["calls"].as_array().unwrap().iter().all(|call| call["method"] == "GET" || call["took_effect"] == false));
}

#[tokio::test]
async fn a_repair_is_not_seen_at_once() {
    let lab =
        Lab::with(Options { scenario: Scenario::read("[workspace]\nrepair_shows_after = \"10m\"").unwrap(), ..Options::default() }).await;
    let id = lab.failed(json!({"job": "a"})).await;
    lab.post("/runs/repair", json!({"run_id": id, "rerun_all_failed_tasks": true})).await;
    let run = lab.run(id).await;
    assert_eq!((result(&run).1, run["repair_history"].as_array().unwrap().len()), ("FAILED", 1), "the old end still shows");
    lab.refused("/runs/repair", json!({"run_id": id, "rerun_all_failed_tasks": true}), "still active").await;
}

#[tokio::test]
async fn a_repair_forgets_the_parameters_that_are_not_passed_again() {
    let lab = Lab::new().await;
    lab.control(json!({"do": "job", "name": "a", "parameters": {"day": "today"}})).await;
    let id = lab.failed(json!({"job": "a", "parameters": {"day": "2026-11-24"}, "truth": "never"})).await;
    let day = |run: &Value| run["job_parameters"][0].clone();
    assert_eq!(day(&lab.run(id).await), json!({"name": "day", "default": "today", "value": "2026-11-24"}));
    let one = lab.repair(id, None).await;
    assert_eq!(day(&lab.run(id).await)["value"], "today");
    lab.post(
        "/runs/repair",
        json!({"run_id": id, "rerun_all_failed_tasks": true, "latest_repair_id": one, "job_parameters": {"day": "2026-11-24"}}),
    )
    .await;
    lab.control(json!({"do": "finish"})).await;
    assert_eq!(day(&lab.run(id).await)["value"], "2026-11-24");
    let repairs = lab.book().await["runs"][0]["repairs"].clone();
    assert_eq!((&repairs[0]["parameters_lost"], &repairs[1]["parameters_lost"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn only_what_is_named_runs_again_and_with_the_jobs_present_settings() {
    let lab = Lab::new().await;
    let tasks = json!([{"key": "a"}, {"key": "b"}, {"key": "c", "depends_on": ["a"]}]);
    lab.control(json!({"do": "job", "name": "j", "task": tasks})).await;
    let id = lab.failed(json!({"job": "j", "task": "a", "truth": {"cured_by": "memory"}})).await;
    let before = lab.run(id).await;
    let job = before["job_id"].clone();
    lab.post("/runs/repair", json!({"run_id": id, "rerun_tasks": ["a", "c"]})).await;
    lab.control(json!({"do": "finish"})).await;
    let run = lab.run(id).await;
    let attempts = |run: &Value, key: &str| run["tasks"].as_array().unwrap().iter().filter(|task| task["task_key"] == key).count();
    assert_eq!((attempts(&run, "a"), attempts(&run, "b"), attempts(&run, "c")), (2, 1, 2));
    assert_eq!(result(&run).1, "FAILED", "with the same memory it fails again");

    let cluster = json!({"job_cluster_key": "main", "new_cluster": {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_E8ds_v5", "num_workers": 2}});
    lab.post("/update", json!({"job_id": job, "new_settings": {"job_clusters": [cluster]}})).await;
    assert_eq!(lab.get(&format!("/get?job_id={job}")).await["settings"]["name"], "j", "what is not named is kept");
    let latest = run["repair_history"][1]["id"].as_i64();
    lab.repair(id, latest).await;
    assert_eq!(result(&lab.run(id).await).1, "SUCCESS", "with more memory it passes");
}

#[tokio::test]
async fn a_token_starts_one_run_however_often_it_comes() {
    let lab = Lab::new().await;
    let id = lab.failed(json!({"job": "a", "truth": {"passes_after": 1}})).await;
    let job = lab.run(id).await["job_id"].clone();
    let start = |token: String| lab.any_post("/run-now", json!({"job_id": job, "idempotency_token": token}));
    let (status, first) = start("t".to_owned()).await;
    lab.control(json!({"do": "finish"})).await;
    assert_eq!((status, start("t".to_owned()).await.1), (200, first.clone()), "also when that run has ended");
    assert_ne!(start("u".to_owned()).await.1, first);
    assert_eq!(result(&lab.run(first["run_id"].as_i64().unwrap()).await).1, "SUCCESS", "the re-run passes as its truth says");
    assert_eq!(start("x".repeat(65)).await.0, 400);
    lab.refused("/run-now", json!({"job_id": 5}), "Job 5 does not exist").await;
    let one_time =
        lab.post("/runs/submit", json!({"run_name": "x", "tasks": [{"task_key": "a", "notebook_task": {"notebook_path": "/x"}}]})).await;
    assert_eq!(lab.run(one_time["run_id"].as_i64().unwrap()).await["run_type"], "SUBMIT_RUN");
}

#[tokio::test]
async fn pages_of_the_list_are_whole_and_stay_in_place() {
    let lab = Lab::new().await;
    lab.control(json!({"do": "history", "count": 60, "job": "old"})).await;
    let mut seen = Vec::new();
    let mut token = String::new();
    for page in 0..3 {
        let answer = lab.get(&format!("/runs/list?limit=25&page_token={token}")).await;
        seen.extend(answer["runs"].as_array().unwrap().iter().map(|run| run["start_time"].as_i64().unwrap()));
        assert_eq!(answer.get("next_page_token").is_some(), page < 2);
        token = answer["next_page_token"].as_str().unwrap_or_default().to_owned();
        // A new run between two pages moves nothing.
        lab.control(json!({"do": "succeed", "job": "new"})).await;
    }
    assert_eq!(seen.len(), 60);
    assert!(seen.is_sorted_by(|a, b| a > b), "newest first");
    assert_eq!(lab.get("/runs/list").await["runs"].as_array().unwrap().len(), 20);
    for wrong in ["limit=26", "limit=-1", "active_only=true&completed_only=true", "active_only=1", "page_token=x", "job_id=1e3"] {
        assert_eq!(lab.any_get(&format!("/runs/list?{wrong}")).await.0, 400, "{wrong}");
    }
    let older = lab
        .send(
            lab.http.get(format!("{}/api/2.1/jobs/runs/list?limit=1", lab.simulator.ready().url)).bearer_auth(&lab.simulator.ready().token),
        )
        .await
        .1;
    assert_eq!(older["has_more"], true, "2.1 says it at the root");
    assert_eq!(lab.get("/list?limit=1").await["jobs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn tasks_beyond_a_hundred_come_in_pages() {
    let lab = Lab::new().await;
    let id = lab.failed(json!({"job": "wide", "tasks": 150})).await;
    let first = lab.run(id).await;
    let second =
        lab.get(&format!("/runs/get?run_id={id}&include_history=true&page_token={}", first["next_page_token"].as_str().unwrap())).await;
    let keys =
        |run: &Value| run["tasks"].as_array().unwrap().iter().map(|task| task["task_key"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let mut all = keys(&first);
    assert_eq!(all.len(), 100);
    assert!(!all.is_sorted(), "they are not in order");
    all.extend(keys(&second));
    all.sort_unstable();
    all.dedup();
    assert_eq!((all.len(), second.get("next_page_token"), &second["repair_history"]), (150, None, &json!([])));
    let job = lab.get(&format!("/get?job_id={}", first["job_id"])).await;
    assert_eq!((job["settings"]["tasks"].as_array().unwrap().len(), job["next_page_token"].is_string()), (100, true));
}

#[tokio::test]
async fn faults_do_what_they_say_and_the_book_knows() {
    let lab = Lab::new().await;
    let id = lab.failed(json!({"job": "a", "truth": {"passes_after": 1}})).await;
    lab.control(json!({"do": "fault", "path": "/runs/get", "status": 429, "retry_after": 7, "times": 1})).await;
    assert_eq!(lab.any_get(&format!("/runs/get?run_id={id}")).await.0, 429);
    assert_eq!(lab.any_get(&format!("/runs/get?run_id={id}")).await.0, 200);
    lab.control(json!({"do": "fault", "path": "/runs/list", "status": 503, "body": "html"})).await;
    let (status, page) = lab.any_get("/runs/list").await;
    assert!(status == 503 && page.as_str().unwrap().starts_with("<!DOCTYPE html>"));
    lab.control(json!({"do": "clear_faults"})).await;

    lab.control(json!({"do": "no_repair"})).await;
    assert_eq!(lab.any_post("/runs/repair", json!({"run_id": id, "rerun_all_failed_tasks": true})).await.0, 501);
    lab.control(json!({"do": "no_repair", "on": false})).await;

    lab.control(json!({"do": "fault", "path": "/runs/repair", "drop_answer": true, "times": 1})).await;
    let url = format!("{}/api/2.2/jobs/runs/repair", lab.simulator.ready().url);
    let lost = lab
        .http
        .post(url)
        .bearer_auth(&lab.simulator.ready().token)
        .json(&json!({"run_id": id, "rerun_all_failed_tasks": true}))
        .send()
        .await;
    assert!(lost.is_err(), "no answer comes: {lost:?}");
    lab.control(json!({"do": "finish"})).await;
    assert_eq!(lab.run(id).await["repair_history"].as_array().unwrap().len(), 2, "and yet it took effect");
    let book = lab.book().await;
    let repairs: Vec<_> = book["calls"].as_array().unwrap().iter().filter(|call| call["path"] == "/api/2.2/jobs/runs/repair").collect();
    assert_eq!(
        (repairs.len(), &repairs[0]["status"], &repairs[1]["took_effect"], &repairs[1]["answered"]),
        (2, &json!(501), &json!(true), &json!(false))
    );
    assert_eq!(repairs[1]["body"]["run_id"], id);
}

#[tokio::test]
async fn people_act_in_the_workspace_too() {
    let lab = Lab::new().await;
    let id = lab.failed(json!({"job": "a", "truth": "never"})).await;
    lab.control(json!({"do": "person_repairs", "run_id": id})).await;
    lab.control(json!({"do": "finish"})).await;
    let run = lab.run(id).await;
    assert_eq!(result(&run).1, "SUCCESS", "having put right what was wrong");
    lab.refused("/runs/repair", json!({"run_id": id, "rerun_tasks": ["main"]}), "latest repair ID").await;
    let row = lab.book().await["runs"][0].clone();
    assert_eq!((&row["repairs"][0]["by"], &row["passed"]), (&json!("person"), &json!(true)));

    let long = lab.control(json!({"do": "fail", "job": "b", "ends_in": "10m"})).await["runs"][0]["run_id"].as_i64().unwrap();
    lab.control(json!({"do": "cancel", "run_id": long})).await;
    lab.control(json!({"do": "finish"})).await;
    assert_eq!(result(&lab.run(long).await), ("TERMINATED", "CANCELED", "USER_CANCELED"));

    let other = lab.control(json!({"do": "succeed", "job": "c", "ends_in": "10m"})).await["runs"][0]["run_id"].as_i64().unwrap();
    lab.post("/runs/cancel", json!({"run_id": other})).await;
    lab.control(json!({"do": "finish"})).await;
    assert_eq!(result(&lab.run(other).await).1, "CANCELED");
    assert_eq!(lab.any_post("/runs/cancel", json!({"run_id": other})).await, (200, json!({})), "harmless when it has ended");
}

#[tokio::test]
async fn a_number_in_the_name_makes_as_many_jobs() {
    let lab = Lab::new().await;
    lab.control(json!({"do": "fail", "job": "load_#", "count": 3, "duration_ms": 0})).await;
    let mut names: Vec<_> = lab.get("/list").await["jobs"].as_array().unwrap().iter().map(|job| job["settings"]["name"].clone()).collect();
    names.reverse();
    assert_eq!(names, ["load_1", "load_2", "load_3"]);
    assert_eq!(lab.book().await["runs"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_wrong_command_says_so() {
    let lab = Lab::new().await;
    for (command, says) in [
        (json!({"do": "fail", "job": "a", "recording": "nope"}), "no recording"),
        (json!({"do": "fail", "jobs": "a"}), "unknown field"),
        (json!({"do": "fall"}), "no command"),
        (json!({"do": "fail", "job": "a", "task": "b"}), "has no task `b`"),
        (json!({"do": "fault", "path": "/x"}), "nothing would happen"),
        (json!(3), "an object"),
        (json!({"do": "cancel", "run_id": 5}), "not there"),
    ] {
        let (status, answer) = lab.send(lab.http.post(&lab.simulator.ready().control_url).json(&command)).await;
        assert!(status == 400 && answer["error"].as_str().unwrap().contains(says), "{command}: {answer}");
    }
    for word in [
        "fail",
        "succeed",
        "job",
        "history",
        "person_repairs",
        "cancel",
        "fix",
        "fault",
        "no_repair",
        "clear_faults",
        "finish",
        "forget_calls",
    ] {
        assert!(CONTROL_HELP.contains(&format!("\"do\": \"{word}\"")), "{word} is explained");
    }
    assert!(CONTROL_HELP.lines().all(|line| line.chars().count() <= 96) && !CONTROL_HELP.contains("{n}"));
}
