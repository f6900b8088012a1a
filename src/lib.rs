//! runmend mends failed Databricks job runs. The map of the house; each room opens with its own words.

/// The loops that move incidents through the state machine. No UI. Knows everything below it.
pub mod agent;
/// Evidence -> classification. Pure; knows `domain`.
pub mod classify;
/// Settings from file, environment and arguments. Knows `domain`, `decide`, `notify`, `redact`.
pub mod config;
/// The workspace's REST API, and nothing else of the world. Knows `domain`.
pub mod databricks;
/// The engine: case and policy -> decision. Pure; knows `domain`.
pub mod decide;
/// Plain data: ids, evidence, causes, decisions, incidents. Knows none of the others.
pub mod domain;
/// The store of incidents and the audit trail. Knows `domain`.
pub mod ledger;
/// The second opinion: language models behind one trait, and what is believed of them. Knows `domain`, `redact`.
pub mod llm;
/// How people hear. Knows `domain`, `redact`.
pub mod notify;
/// Text -> harmless text. Pure; knows `domain`.
pub mod redact;

/// The operator console. Knows `domain`, `decide`, `redact`, `ledger`, `config`.
pub mod console;
/// How failures arrive: polling now. Knows `domain`, `databricks`, `ledger`.
pub mod intake;
/// What the judgement says of texts and labelled files, offline. Knows `domain`, `decide`, `classify`, `redact`.
pub mod report;
/// The simulated workspace, over HTTP. Knows `domain`.
pub mod sim;
