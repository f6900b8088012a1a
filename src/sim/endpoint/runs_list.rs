//! GET jobs/runs/list: newest start first; filters on the start only; pages that stay in place while new runs come.

use std::ops::Bound;

use serde_json::{Map, Value, json};

use super::{Answer, Call, Refusal, Version, World};
use crate::domain::ids::{JobId, RunId};
use crate::sim::call::{open, seal};
use crate::sim::endpoint::jobs::ELEMENTS_MAX;
use crate::sim::plan::{JobRun, Millis};
use crate::sim::view;

const PAGE_DEFAULT: i64 = 20;
/// The documentation says "less than 25"; 25 itself is taken.
const PAGE_MAX: i64 = 25;

struct Filter {
    job: Option<JobId>,
    active_only: bool,
    completed_only: bool,
    run_type: Option<String>,
    from: Option<Millis>,
    to: Option<Millis>,
}

impl Filter {
    fn read(call: &Call) -> Result<Self, Refusal> {
        let filter = Self {
            job: call.number("job_id")?.map(JobId),
            active_only: call.flag("active_only")?,
            completed_only: call.flag("completed_only")?,
            run_type: call.text("run_type")?,
            from: call.number("start_time_from")?,
            to: call.number("start_time_to")?,
        };
        if filter.active_only && filter.completed_only {
            return Err(Refusal::invalid("Only one of active_only and completed_only can be true."));
        }
        Ok(filter)
    }

    fn takes(&self, run: &JobRun, now: Millis) -> bool {
        if self.job.is_some_and(|job| job != run.job) || self.run_type.as_deref().is_some_and(|wanted| wanted != run.run_type.as_str()) {
            return false;
        }
        if !self.active_only && !self.completed_only {
            return true;
        }
        let active = run.shown(now).last().is_some_and(|round| now < round.end());
        active == self.active_only
    }

    /// What a page token belongs to. `active_only` and the rest must not change under way.
    fn name(&self) -> String {
        let Self { job, active_only, completed_only, run_type, from, to } = self;
        format!("runs:{job:?}:{active_only}:{completed_only}:{run_type:?}:{from:?}:{to:?}")
    }
}

pub fn list(world: &mut World, call: &Call) -> Answer {
    let limit = match call.number("limit")?.unwrap_or(PAGE_DEFAULT) {
        0 => PAGE_MAX,
        limit if (1..=PAGE_MAX).contains(&limit) => limit,
        limit => return Err(Refusal::invalid(format!("limit must be between 1 and {PAGE_MAX}, got {limit}."))),
    };
    let limit = usize::try_from(limit).unwrap_or_default();
    let filter = Filter::read(call)?;
    let expand = call.flag("expand_tasks")?;
    let of = filter.name();
    let before = place(call, &of)?;
    let latest = filter.to.map_or(Bound::Unbounded, |to| Bound::Excluded((to.saturating_add(1), RunId(i64::MIN))));
    let upper = before.map_or(latest, Bound::Excluded);
    let lower = filter.from.map_or(Bound::Unbounded, |from| Bound::Included((from, RunId(i64::MIN))));
    let found: Vec<&JobRun> = if is_empty(&lower, &upper) {
        Vec::new()
    } else {
        let listed = world.order.range((lower, upper)).rev().filter_map(|(_, id)| world.run(*id));
        listed.filter(|run| filter.takes(run, call.now)).take(limit + 1).collect()
    };
    let more = found.len() > limit;
    let shown = found.get(..limit).unwrap_or(&found);
    let mut answer = Map::new();
    if !shown.is_empty() {
        answer.insert("runs".to_owned(), shown.iter().map(|run| element(world, run, expand, call)).collect());
    }
    if let Some(last) = shown.last().filter(|_| more) {
        answer.insert("next_page_token".to_owned(), json!(seal(&of, format!("{}:{}", last.start(), last.id))));
    }
    if call.version == Version::V21 {
        answer.insert("has_more".to_owned(), json!(more));
    }
    Ok(Value::Object(answer))
}

type Edge = Bound<(Millis, RunId)>;

/// A range that ends before it begins is an empty list, and no request to the tree.
fn is_empty(lower: &Edge, upper: &Edge) -> bool {
    matches!((lower, upper), (Bound::Included(lower), Bound::Excluded(upper)) if lower >= upper)
}

/// The run after which the page begins.
fn place(call: &Call, of: &str) -> Result<Option<(Millis, RunId)>, Refusal> {
    let Some(token) = call.query.get("page_token").filter(|token| !token.is_empty()) else { return Ok(None) };
    let read = || {
        let place = open(token, of)?;
        let (start, run) = place.split_once(':')?;
        Some((start.parse().ok()?, RunId(run.parse().ok()?)))
    };
    read().map(Some).ok_or_else(|| Refusal::invalid("Invalid page token."))
}

fn element(world: &World, run: &JobRun, expand: bool, call: &Call) -> Value {
    let mut fields = view::base(world, run, call.now);
    if expand {
        let mut tasks = view::newest_tasks(world, run, call.now);
        let more = tasks.len() > ELEMENTS_MAX;
        tasks.truncate(ELEMENTS_MAX);
        fields.insert("tasks".to_owned(), Value::Array(tasks));
        fields.insert("job_clusters".to_owned(), run.settings.get("job_clusters").cloned().unwrap_or_else(|| json!([])));
        if call.version == Version::V22 {
            fields.insert("has_more".to_owned(), json!(more));
        }
    }
    Value::Object(fields)
}
