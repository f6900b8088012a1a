//! The second opinion from the outside: against hostile logs, against servers that nobody here wrote, and what it costs.

#![allow(clippy::unwrap_used)]

mod cost;
mod gateway;
mod hostile;
mod llmock;
mod real_model;
mod shown;
mod simulated;
mod support;
