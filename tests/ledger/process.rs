//! Processes of their own that end without a word, or whose disk is full. The test binary runs itself again as [`child`].

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use runmend::domain::ids::RunId;
use runmend::domain::incident::State;
use runmend::ledger::{Ledger, LedgerError, SqliteLedger};

use crate::world::*;

const TASK: &str = "RUNMEND_LEDGER_TEST_TASK";
const PATH: &str = "RUNMEND_LEDGER_TEST_PATH";

fn say(words: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{words}").and_then(|()| out.flush()).unwrap();
}

#[tokio::test]
#[ignore = "the other process of the tests beside it, which start it"]
async fn child() {
    let Ok(task) = std::env::var(TASK) else { return };
    let path = std::env::var(PATH).unwrap();
    let ledger = SqliteLedger::open(Path::new(&path)).await.unwrap();
    match task.as_str() {
        "write" => write_for_ever(&ledger).await,
        "fill" => write_until_refused(&ledger).await,
        "lead" => {
            assert!(ledger.try_lead(&workspace()).await.unwrap());
            say("leading");
            std::future::pending().await
        }
        other => panic!("no task {other}"),
    }
}

/// Each run is written in three transactions, and said when the ledger has answered the last one.
async fn write(ledger: &SqliteLedger, run: i64) -> Result<(), LedgerError> {
    ledger.admit(failure(run, None), at(0)).await?;
    for claim in ledger.claim("child", &workspace(), at(0), 60, 5).await? {
        let mut step = claim.incident.become_state(State::Collecting).unwrap().due(None);
        step = step.happening(at(1), runmend::domain::event::Actor::Agent, collected(&["load"]));
        step.mail = Some(mail(&claim.incident, &format!("k{}", claim.incident.run)));
        ledger.commit(step, Some(claim.fence)).await?;
    }
    Ok(())
}

async fn next_run(ledger: &SqliteLedger) -> i64 {
    ledger.incidents(0).await.unwrap().iter().map(|incident| incident.run.0 + 1).max().unwrap_or(1)
}

async fn write_for_ever(ledger: &SqliteLedger) {
    ledger.take_over(&workspace()).await.unwrap();
    for run in next_run(ledger).await.. {
        write(ledger, run).await.unwrap();
        say(&format!("wrote {run}"));
    }
}

async fn write_until_refused(ledger: &SqliteLedger) {
    let mut refusals = 0;
    for run in 1.. {
        match write(ledger, run).await {
            Ok(()) => say(&format!("wrote {run}")),
            Err(error) => {
                assert!(matches!(error, LedgerError::Unwritable { .. }) && error.is_transient(), "{error}");
                assert!(ledger.incidents(0).await.is_ok(), "reading goes on");
                refusals += 1;
            }
        }
        if refusals == 5 {
            return say("refused");
        }
        assert!(run < 10_000, "nothing was refused");
    }
}

fn arguments(command: &mut Command, task: &str, path: &Path) -> Child {
    command.args(["process::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(TASK, task).env(PATH, path).stdout(Stdio::piped()).spawn().unwrap()
}

fn start(task: &str, path: &Path) -> Child {
    arguments(&mut Command::new(std::env::current_exe().unwrap()), task, path)
}

/// Lines that the child says, up to `enough`; what it says besides is the test harness's.
fn hear<E: Fn(&[String]) -> bool>(child: &mut Child, enough: E) -> (Vec<String>, impl Iterator<Item = String> + use<E>) {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut heard = Vec::new();
    while !enough(&heard) {
        let Some(line) = lines.next() else { break };
        // The harness writes its own words without a line's end before them.
        let line = line.rsplit("... ").next().unwrap_or_default().to_owned();
        if ["wrote", "refused", "leading"].iter().any(|word| line.starts_with(word)) {
            heard.push(line);
        }
    }
    (heard, lines)
}

fn runs(heard: &[String]) -> Vec<i64> {
    heard.iter().filter_map(|line| line.strip_prefix("wrote ")).filter_map(|run| run.parse().ok()).collect()
}

/// Everything that was said to be written is there, whole.
async fn holds(ledger: &SqliteLedger, written: &[i64]) {
    for run in written {
        let incident = ledger.incident(&id(*run)).await.unwrap().unwrap_or_else(|| panic!("run {run} was lost"));
        assert_eq!((incident.run, incident.state), (RunId(*run), State::Collecting));
        assert_eq!(ledger.mails_of(&incident.id).await.unwrap().len(), 1);
        assert_eq!(ledger.audit(&incident.id).await.unwrap().len(), 2);
    }
    ledger.verify_audit().await.unwrap();
}

#[tokio::test]
async fn a_process_killed_while_it_writes_loses_nothing_that_it_was_told_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let mut written = Vec::new();
    for round in 1..=4 {
        let mut child = start("write", &path);
        let (mut heard, rest) = hear(&mut child, |heard| heard.len() >= round * 3);
        child.kill().unwrap();
        heard.extend(rest);
        child.wait().unwrap();
        let ledger = SqliteLedger::open(&path).await.unwrap();
        let news = runs(&heard);
        assert!(news.len() >= round * 3, "{heard:?}");
        written.extend(news);
        holds(&ledger, &written).await;
    }
}

/// A limit on the size of a file is to SQLite what a disk quota is: a write that fails.
#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_is_told_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    // Made without the limit, so that only the writing meets it. 512-byte blocks.
    drop(SqliteLedger::open(&path).await.unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 4000; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
    let mut child = arguments(&mut shell, "fill", &path);
    let (heard, rest) = hear(&mut child, |heard| heard.iter().any(|line| line == "refused"));
    rest.for_each(drop);
    assert!(child.wait().unwrap().success());
    let written = runs(&heard);
    assert!(written.len() > 5 && heard.last().is_some_and(|line| line == "refused"), "{heard:?}");
    let ledger = SqliteLedger::open(&path).await.unwrap();
    holds(&ledger, &written).await;
    // There is space again.
    ledger.take_over(&workspace()).await.unwrap();
    write(&ledger, 20_000).await.unwrap();
    holds(&ledger, &[20_000]).await;
}

#[tokio::test]
async fn the_lead_is_free_when_its_holder_dies() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let mut child = start("lead", &path);
    let (heard, _) = hear(&mut child, |heard| !heard.is_empty());
    assert_eq!(heard, ["leading"]);
    let ledger = SqliteLedger::open(&path).await.unwrap();
    assert!(!ledger.try_lead(&workspace()).await.unwrap());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(ledger.try_lead(&workspace()).await.unwrap());
}
