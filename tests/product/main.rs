//! What a user can do: the real binary against real peers.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bad_input;
mod command_line;
mod crash;
mod mail;
mod metrics;
mod minilake;
#[path = "../support/older.rs"]
mod older;
mod second_opinion;
mod support;
mod terminal;
mod whole_loop;
mod wounds;
