//! The command line. Names are the contract's.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use runmend::config::Common;

pub const EXAMPLES: &str = "\
Examples:
  runmend --demo                         the whole product on a simulated workspace
  runmend                                the console on the workspace of DATABRICKS_HOST and DATABRICKS_TOKEN
  runmend --profile PROD --observe       watch and record what would be done; do nothing
  runmend --auto --json > runmend.jsonl  unattended: one JSON object a line for all that happens
  runmend analyze error.txt              what a failure means, offline

Exit codes: 0 done; 1 something is wrong with the input; 2 usage or configuration; 3 the workspace refused or could not be
reached at start; 4 the ledger cannot be used.
";

/// Mends failed Databricks job runs: finds the cause, decides, acts once, and watches whether it helped.
#[derive(Debug, Parser)]
#[command(name = "runmend", version, after_help = EXAMPLES, subcommand_negates_reqs = true)]
pub struct Arguments {
    #[command(flatten)]
    pub common: Common,
    /// No console: carry out what policy allows, notify or escalate the rest
    #[arg(long)]
    pub auto: bool,
    /// Decide and record, and carry nothing out
    #[arg(long, global = true)]
    pub observe: bool,
    /// Work on an embedded simulated workspace: no account needed
    #[arg(long)]
    pub demo: bool,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what failures mean, offline: cause, action and reasons for error text or JSON Lines
    #[command(
        after_help = "Examples:\n  runmend analyze error.txt\n  databricks jobs get-run-output 42 | jq -c . | runmend analyze --json -"
    )]
    Analyze(AnalyzeArguments),
    /// Measure the classifier on labelled JSON Lines
    #[command(
        after_help = "Example:\n  runmend evaluate history.jsonl\n\nEach line: the fields of `analyze`, and `category`, `action`, optionally `alt_categories`, `alt_actions`."
    )]
    Evaluate(EvaluateArguments),
    /// Text without secrets: tokens, keys and passwords become numbered placeholders
    #[command(after_help = "Examples:\n  runmend redact driver.log > shareable.log\n  runmend redact --jsonl < texts.jsonl")]
    Redact(RedactArguments),
    /// The rules: what they say, and whether your own hold
    #[command(after_help = "Example:\n  runmend rules test --set rules.dir=my-rules")]
    Rules {
        #[command(subcommand)]
        what: RulesCommand,
    },
    /// Train the statistical model beside the rules from labelled JSON Lines
    #[command(after_help = "Example:\n  runmend train dev.jsonl recorded.jsonl --out weights.bin\n\nThe same input gives the same bytes.")]
    Train(TrainArguments),
    /// One pass: detect, decide, act on what is due, leave
    Once,
    /// The simulated workspace alone, for scripts and other clients
    #[command(after_long_help = runmend::sim::CONTROL_HELP)]
    Sim(SimArguments),
    /// Every setting with its value and where it came from
    Config(ConfigArguments),
    /// What the ledger knows, for other programs
    Export {
        #[command(subcommand)]
        what: ExportCommand,
    },
    /// The audit trail
    Audit {
        #[command(subcommand)]
        what: AuditCommand,
    },
}

#[derive(Debug, Args)]
pub struct AnalyzeArguments {
    /// Error text, or one JSON object a line; `-` or nothing is standard input
    pub file: Option<PathBuf>,
    /// Pass each line's other fields through, under `input`
    #[arg(long)]
    pub echo: bool,
    /// Print exactly what a model would be sent, and send nothing. With --ledger (or `ledger` in the config file) also what people
    /// decided before on the same error, and what came of it
    #[arg(long)]
    pub show_prompt: bool,
}

#[derive(Debug, Args)]
pub struct EvaluateArguments {
    /// Labelled cases, one JSON object a line
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub struct RedactArguments {
    /// The text; `-` or nothing is standard input
    pub file: Option<PathBuf>,
    /// JSON Lines: each `{"id", "text"}` is answered with `{"id", "text", "found"}`
    #[arg(long)]
    pub jsonl: bool,
    /// Take e-mail addresses out too
    #[arg(long)]
    pub emails: bool,
    /// Take IP addresses out too
    #[arg(long)]
    pub ips: bool,
}

#[derive(Debug, Args)]
pub struct TrainArguments {
    /// Labelled cases, one JSON object a line, as `evaluate` reads them
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Where the weights go
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Every rule with its cause and strength
    List,
    /// One rule in full
    Show { id: String },
    /// Conflicts with other rules, rules that never decide, missing examples
    Lint {
        /// The shipped rules too
        #[arg(long)]
        all: bool,
    },
    /// Hold each rule against its own examples
    Test {
        /// The shipped rules too
        #[arg(long)]
        all: bool,
    },
}

#[derive(Debug, Args)]
pub struct SimArguments {
    /// Loopback address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// The same seed makes the same failures
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Failures an hour, as 120/h [default: the scenario's]
    #[arg(long, value_name = "N/h", value_parser = rate)]
    pub rate: Option<f64>,
    /// Runs take a fraction of their time, and failures come so much oftener
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub speed: f64,
    /// Scenario in TOML [default: the demo's]
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ConfigArguments {
    /// Print a config file with every key, its meaning and its default
    #[arg(long)]
    pub example: bool,
}

#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Chat-format JSON Lines to fine-tune a model with, from decisions that people confirmed or overrode; redacted
    Finetune,
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Recompute the hash chain and say whether it holds
    Verify,
    /// What happened to an incident, oldest first
    Show {
        /// The incident, as `<workspace>/<run id>`
        incident: String,
    },
}

fn rate(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/h").unwrap_or(text);
    number
        .parse()
        .ok()
        .filter(|rate: &f64| rate.is_finite() && *rate >= 0.0)
        .ok_or_else(|| "expected failures an hour, as 120/h".to_owned())
}
