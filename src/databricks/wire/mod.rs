//! The JSON of the Jobs API, read once into our types: unknown fields and words are tolerated, nulls stand for absence, ids may be
//! quoted, and every text is stripped of control sequences and bounded here. Start at `run`.

pub mod lenient;
pub mod text;

pub mod failure;
pub mod job;
pub mod output;
pub mod run;
pub mod task;
