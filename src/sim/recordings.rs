//! What programs really said when they really failed: small Spark and Python programs, recorded, with what would have cured them.
//! The texts are in `assets/scenarios/recordings.jsonl`, one recording a line.

use std::sync::LazyLock;

use serde::Deserialize;

use super::truth::Truth;

const TEXT: &str = include_str!("../../assets/scenarios/recordings.jsonl");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    pub id: String,
    /// The cause as its author labelled it; the book tells it, the workspace never does.
    pub cause: String,
    /// Would the same program have passed a little later?
    transient: bool,
    /// The limit that, raised, would have let it pass.
    cured_by: Option<String>,
    pub error: String,
    pub error_trace: Option<String>,
    pub state_message: Option<String>,
    pub termination_code: Option<String>,
    pub logs: Option<String>,
}

impl Recording {
    /// What the recorded program would have done when run again.
    pub fn truth(&self) -> Truth {
        match (&self.cured_by, self.transient) {
            (_, true) => Truth::PassesAfter(1),
            (Some(setting), false) => Truth::CuredBy(setting.clone()),
            (None, false) => Truth::Never,
        }
    }
}

static ALL: LazyLock<Vec<Recording>> = LazyLock::new(|| {
    // A line that cannot be read would be a fault of the build; the test below reads them all.
    TEXT.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
});

pub fn all() -> &'static [Recording] {
    &ALL
}

pub fn find(id: &str) -> Option<&'static Recording> {
    ALL.iter().find(|recording| recording.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_recording_and_every_cause_is_there() {
        for (n, line) in TEXT.lines().enumerate() {
            let read: Result<Recording, _> = serde_json::from_str(line);
            assert!(read.is_ok(), "line {}: {:?}", n + 1, read.err());
        }
        let mut ids: Vec<&str> = all().iter().map(|recording| recording.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all().len(), "an id is used once");
        for cause in [
            "timeout",
            "resource",
            "permission",
            "syntax",
            "network",
            "data",
            "platform",
            "quota",
            "dependency",
            "concurrency",
            "code",
            "canceled",
            "unknown",
        ] {
            assert!(all().iter().any(|recording| recording.cause == cause), "{cause}");
        }
    }
}
