//! Ids as a large workspace has them: beyond 2^53 and odd, so that whoever reads them as floating point numbers gets another run.

use crate::domain::ids::{JobId, RepairId, RunId};

/// 2^53: from here on a double skips odd numbers.
const FIRST: i64 = 1 << 53;

#[derive(Debug)]
pub struct Ids {
    next: i64,
}

impl Ids {
    pub fn new() -> Self {
        Self { next: FIRST + 1 }
    }

    fn next(&mut self) -> i64 {
        let id = self.next;
        // A step that is even and no power of two: the digits at the end differ, which is what a person compares.
        self.next += 14_738;
        id
    }

    pub fn run(&mut self) -> RunId {
        RunId(self.next())
    }

    pub fn job(&mut self) -> JobId {
        JobId(self.next())
    }

    pub fn repair(&mut self) -> RepairId {
        RepairId(self.next())
    }
}
