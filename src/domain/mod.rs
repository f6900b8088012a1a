//! Plain data: ids, evidence, causes, actions, decisions, incidents and what happens to them. No IO, no clock.
//! May import: nothing of ours. Start at `incident`; its `State::may_become` is the state machine.

pub mod action;
pub mod cause;
pub mod classification;
pub mod decision;
pub mod event;
pub mod evidence;
pub mod ids;
pub mod incident;
pub mod intent;
pub mod job;
pub mod mail;
pub mod money;
pub mod precedent;
pub mod secret;

pub use jiff::Timestamp;
