//! The simulated workspace: a real HTTP server on loopback that speaks the Jobs API, in which jobs run, fail in different ways, and
//! react truthfully to what is done to them. Seeded; with faults on request, and a book of every call and of the truth behind every
//! failure. May import: `domain`. Must not: anything else of ours, above all not `databricks`, whose reading of the API it checks.
//! Start at [`Simulator::start`]; `world` is the state, `plan` how a run goes in time, `endpoint` the API, `control` what one can ask for.

mod azure;
mod book;
mod call;
mod chance;
mod control;
mod cut;
#[cfg(test)]
mod demo;
mod desk;
mod endpoint;
mod events;
mod faults;
mod ids;
mod job_spec;
mod layout;
mod life;
mod plan;
mod recordings;
mod run_spec;
mod scenario;
mod server;
mod settings;
mod span;
#[cfg(test)]
mod tests;
mod trouble;
mod truth;
mod view;
mod world;

pub use control::HELP as CONTROL_HELP;
pub use scenario::{Scenario, ScenarioError};
pub use server::{Options, Ready, SimError, Simulator};
