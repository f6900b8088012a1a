//! Collecting: the evidence of this attempt, then the verdict on it. What cannot be had is a gap, not an end.

use crate::databricks::run::{ResultState, RunFilter, RunState};
use crate::databricks::{ApiError, Run, RunQuery, TaskOutput, TaskRun};
use crate::domain::event::{Actor, Happening};
use crate::domain::evidence::{Evidence, FailureText, Gap, PastRun, TaskEvidence};
use crate::domain::ids::RunId;
use crate::domain::incident::State;

use crate::redact::secrets::Redactor;

use super::house::House;
use super::step::{Case, StepError};
use super::world::{self, World};

/// Root failing tasks whose output is fetched. More fail of one cause, and each costs a call.
const TASKS_MAX: usize = 8;
/// Earlier runs of the job that are kept as its history: one page, newest first.
const HISTORY_MAX: usize = 10;

pub async fn step(case: &mut Case<'_>) -> Result<(), StepError> {
    let run = match world::look(case.house, &case.incident).await {
        Ok(World::AsFailed(run)) => *run,
        Ok(World::Superseded { how, failed_again }) => return world::supersede(case, how, failed_again).await,
        // The run itself may not be read: go on with what the intake saw, and let a person look.
        Err(error @ ApiError::Forbidden { .. }) => return unreadable(case, &error).await,
        Err(error) => return Err(error.into()),
    };
    case.house.recover("workspace").await;
    let evidence = redacted(collect(case.house, &run).await?, &case.house.redactor);
    if run.run_id == case.incident.run {
        case.incident.run_url = run.run_page_url.clone().or(case.incident.run_url.take());
    }
    case.incident.result_state = run.state.result.as_ref().map(world::result_word);
    case.incident.termination_code = run.state.termination.code.clone();
    case.incident.failed_at = run.ended_at.or(case.incident.failed_at);
    conclude(case, evidence).await
}

async fn unreadable(case: &mut Case<'_>, error: &ApiError) -> Result<(), StepError> {
    let run = FailureText { termination_code: case.incident.termination_code.clone(), ..FailureText::default() };
    let gap = Gap { part: format!("run {}", case.incident.failure.run), reason: error.to_string() };
    conclude(case, Evidence { run, gaps: vec![gap], ..Evidence::default() }).await
}

/// Evidence first, then the transition that says it is there: a crash between them only collects again.
async fn conclude(case: &mut Case<'_>, evidence: Evidence) -> Result<(), StepError> {
    let now = case.now();
    case.house.ledger.save_evidence(&case.incident.id, case.incident.attempt, &evidence).await?;
    let classification = case.house.classifier.classify_evidence(&evidence);
    let tasks: Vec<String> = evidence.tasks.iter().map(|task| task.task_key.to_string()).collect();
    let gaps = evidence.gaps.iter().map(|gap| format!("{}: {}", gap.part, gap.reason)).collect();
    let mut next = case.incident.become_state(State::Analysed)?.due(Some(now));
    next.incident.failed_tasks = tasks.clone();
    next.incident.classification = Some(classification.clone());
    let next = next.happening(now, Actor::Agent, Happening::Collected { tasks, gaps }).happening(
        now,
        Actor::Agent,
        Happening::Classified(Box::new(classification)),
    );
    case.commit(next).await
}

/// Everything that is kept of a failure, without secrets: what the ledger does not have cannot leak from it. One secret has one
/// placeholder in all of the texts.
fn redacted(mut evidence: Evidence, redactor: &Redactor) -> Evidence {
    let mut texts: Vec<&mut String> = Vec::new();
    for text in evidence.tasks.iter_mut().map(|task| &mut task.text).chain([&mut evidence.run]) {
        texts.extend([&mut text.error, &mut text.error_trace, &mut text.state_message, &mut text.logs].into_iter().flatten());
    }
    let (clean, _) = redactor.redact_all(&texts.iter().map(|text| text.as_str()).collect::<Vec<_>>());
    for (text, clean) in texts.into_iter().zip(clean) {
        *text = clean;
    }
    evidence
}

/// All evidence of the run's current failure. An outage of the workspace is an error (come again); a refusal is a gap.
async fn collect(house: &House, run: &Run) -> Result<Evidence, ApiError> {
    let mut evidence = Evidence { run: text_of(&run.state, None), ..Evidence::default() };
    evidence.consequences = run.consequences().iter().map(|task| task.task_key.clone()).collect();
    let roots = run.root_failures();
    if roots.len() > TASKS_MAX {
        evidence.gaps.push(Gap {
            part: format!("{} further failing tasks", roots.len() - TASKS_MAX),
            reason: format!("only the first {TASKS_MAX} are read"),
        });
    }
    for task in roots.into_iter().take(TASKS_MAX) {
        let output = match task.run_id {
            Some(task_run) => output(house, task_run, &mut evidence.gaps, &task.task_key.to_string()).await?,
            None => TaskOutput::default(),
        };
        evidence.tasks.push(task_evidence(task, output));
    }
    evidence.history = history(house, run).await?;
    Ok(evidence)
}

/// The task run's output; for a run-job task that of the child run's failing task, where the real cause is.
async fn output(house: &House, task_run: RunId, gaps: &mut Vec<Gap>, task: &str) -> Result<TaskOutput, ApiError> {
    let output = match house.workspace.task_output(task_run).await {
        Ok(output) => output,
        Err(error) if error.is_transient() || matches!(error, ApiError::Unauthenticated { .. }) => return Err(error),
        Err(error) => {
            gaps.push(Gap { part: format!("output of {task}"), reason: error.to_string() });
            return Ok(TaskOutput::default());
        }
    };
    let Some(child) = output.child_run else { return Ok(output) };
    let child_output = match house.workspace.run(child).await {
        Ok(run) => match run.root_failures().first().and_then(|task| task.run_id) {
            Some(inner) => house.workspace.task_output(inner).await,
            None => return Ok(TaskOutput { error: output.error.or(run.state.message), ..output }),
        },
        Err(error) => Err(error),
    };
    match child_output {
        Ok(inner) => Ok(inner),
        Err(error) if error.is_transient() => Err(error),
        Err(error) => {
            gaps.push(Gap { part: format!("child run {child} of {task}"), reason: error.to_string() });
            Ok(output)
        }
    }
}

fn task_evidence(task: &TaskRun, output: TaskOutput) -> TaskEvidence {
    let mut text = text_of(&task.state, Some(task.task_type.clone()));
    text.error = output.error;
    text.error_trace = output.error_trace;
    text.logs = output.logs;
    TaskEvidence {
        task_key: task.task_key.clone(),
        task_run: task.run_id.unwrap_or(RunId(0)),
        attempt_number: task.attempt_number,
        text,
        result_state: task.state.result.as_ref().map(world::result_word),
        termination_type: task.state.termination.kind.clone(),
        logs_truncated: output.logs_truncated,
        settings: task.settings.clone(),
    }
}

/// A run stopped at its time limit has the code CANCELED, as if somebody had wanted it so; only the result state says why.
fn code_of(state: &RunState) -> Option<String> {
    match state.result {
        Some(ResultState::TimedOut) => Some("TIMEDOUT".to_owned()),
        _ => state.termination.code.clone(),
    }
}

/// The message of the termination details, where cluster and cloud causes stand; else the older state message.
fn text_of(state: &RunState, task_type: Option<String>) -> FailureText {
    FailureText {
        state_message: state
            .termination
            .message
            .clone()
            .filter(|text| !text.is_empty())
            .or_else(|| state.message.clone().filter(|text| !text.is_empty())),
        termination_code: code_of(state),
        task_type,
        ..FailureText::default()
    }
}

async fn history(house: &House, run: &Run) -> Result<Vec<PastRun>, ApiError> {
    let Some(job) = run.job_id else { return Ok(Vec::new()) };
    let query = RunQuery { job_id: Some(job), filter: RunFilter::CompletedOnly, started_from: None };
    let page = match house.workspace.list_runs(&query, None).await {
        Ok(page) => page,
        Err(error) if error.is_transient() => return Err(error),
        // A history is a help, not a condition.
        Err(_) => return Ok(Vec::new()),
    };
    let past = page.runs.into_iter().filter(|past| past.run_id != run.run_id).take(HISTORY_MAX);
    Ok(past
        .map(|past| PastRun {
            run: past.run_id,
            started_at: past.started_at,
            result_state: past.state.result.as_ref().map(world::result_word),
            duration_s: past.started_at.zip(past.ended_at).map(|(start, end)| end.duration_since(start).as_secs()),
        })
        .collect())
}
