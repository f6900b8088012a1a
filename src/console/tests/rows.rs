//! The rows of that day, and the rules that explain them.

use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::incident::{Ending, State};

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

pub const ROWS: [Row; 15] = [
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

/// The rule, the words that it hits, why they mean the cause, and what the owner can do.
pub const RULES: [(Cause, &str, &str, &str, &str); 10] = [
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
