//! Commands that look and change nothing: `config`, `audit`.

use runmend::config::{Loaded, example, listing};
use runmend::domain::ids::IncidentId;
use runmend::redact::control::plain_json;

use crate::arguments::{AuditCommand, ConfigArguments};
use crate::fault::{Exit, Fault};
use crate::{start, telling};

pub fn config(loaded: &Loaded, what: &ConfigArguments, json: bool) -> Result<Exit, Fault> {
    if what.example {
        print!("{}", example::example());
        return Ok(Exit::Done);
    }
    let lines = loaded.listing();
    if json {
        println!("{}", plain_json(serde_json::to_string_pretty(&lines).map_err(unprintable)?));
    } else {
        print!("{}", listing::human(&lines));
    }
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(Exit::Done)
}

pub async fn audit(loaded: &Loaded, what: &AuditCommand, json: bool) -> Result<Exit, Fault> {
    let ledger = start::ledger(&loaded.config).await?;
    match what {
        AuditCommand::Verify => {
            let lines = ledger.verify_audit().await?;
            if json {
                println!("{}", serde_json::json!({ "lines": lines, "intact": true }));
            } else {
                println!("the audit trail is intact: {lines} lines");
            }
        }
        AuditCommand::Show { incident } => {
            let id = IncidentId(incident.clone());
            let lines = ledger.audit(&id).await?;
            if lines.is_empty() {
                return Err(Fault::found(
                    format!("the ledger has no incident `{incident}`"),
                    "audit show",
                    "name it as <workspace>/<run id>, as the console and `--json` show it",
                ));
            }
            for line in lines {
                if json {
                    println!("{}", serde_json::json!({ "seq": line.seq, "hash": line.hash, "event": line.event }));
                } else {
                    let words = telling::sentence(&line.event).unwrap_or_else(|| line.event.what.name().to_owned());
                    println!("{:>6}  {}  {words}", line.seq, line.event.ts.strftime("%Y-%m-%d %H:%M:%S"));
                }
            }
        }
    }
    Ok(Exit::Done)
}

fn unprintable(error: serde_json::Error) -> Fault {
    Fault::usage(format!("cannot print the settings: {error}"), "leave --json away")
}
