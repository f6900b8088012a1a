//! The room as its caller sees it: providers before a real HTTP server, the desk before a scripted model, prompts of whole failures.

mod desk;
mod prompts;
mod providers;
pub mod support;
