//! One list of runs, all its pages. Believes no filter of the workspace: some ignore them.

use std::collections::BTreeSet;

use crate::databricks::run::{Run, RunFilter, RunQuery, Standing};
use crate::databricks::{ApiError, Workspace};
use crate::domain::Timestamp;

/// Pages of one list, 25 runs each: 10,000 runs, more than a workspace of the largest size starts in the usual look-back of a day.
const PAGES_MAX: u32 = 400;

#[derive(Debug, Default)]
pub struct Scan {
    pub active: Vec<Run>,
    /// Ended, and started at or after the time asked for.
    pub ended: Vec<Run>,
    pub calls: u32,
    pub warnings: Vec<String>,
}

/// Both lists. The active runs come first: a run that ends between the two calls is then in both, never in none.
pub async fn scan(workspace: &dyn Workspace, from: Timestamp) -> Result<Scan, ApiError> {
    let mut scan = Scan::default();
    let mut seen = BTreeSet::new();
    let active = RunQuery { filter: RunFilter::ActiveOnly, ..RunQuery::default() };
    for run in pages(workspace, &active, &mut scan).await? {
        if run.state.standing() == Standing::Active && seen.insert(run.run_id) {
            scan.active.push(run);
        }
    }
    let mut ended = BTreeSet::new();
    let completed = RunQuery { filter: RunFilter::CompletedOnly, started_from: Some(from), ..RunQuery::default() };
    for run in pages(workspace, &completed, &mut scan).await? {
        if run.state.standing() == Standing::Active {
            if seen.insert(run.run_id) {
                scan.active.push(run);
            }
        } else if run.started_at.is_none_or(|start| start >= from) && ended.insert(run.run_id) {
            scan.ended.push(run);
        }
    }
    // What ended between the two calls is no longer active.
    scan.active.retain(|run| !ended.contains(&run.run_id));
    Ok(scan)
}

async fn pages(workspace: &dyn Workspace, query: &RunQuery, scan: &mut Scan) -> Result<Vec<Run>, ApiError> {
    let mut runs = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let page = workspace.list_runs(query, token.as_deref()).await?;
        scan.calls += 1;
        scan.warnings.extend(page.malformed.into_iter().map(|words| format!("a run in the list cannot be read: {words}")));
        // Newest start first: a page that is all before the time asked for has nothing behind it.
        let all_older = query
            .started_from
            .is_some_and(|from| !page.runs.is_empty() && page.runs.iter().all(|run| run.started_at.is_some_and(|start| start < from)));
        runs.extend(page.runs);
        match page.next_page_token {
            Some(next) if !all_older && token.as_ref() != Some(&next) => token = Some(next),
            Some(_) | None => return Ok(runs),
        }
    }
    scan.warnings.push(format!("a list of runs has more than {PAGES_MAX} pages: its oldest runs were not looked at"));
    Ok(runs)
}
