//! What of a hostile log, and of a model that obeys it, reaches the console's screen and a mail.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;
use runmend::config::{Config, Inputs};
use runmend::console::picture::{Papers, Scene, Stage};
use runmend::console::{Llm, Options};
use runmend::domain::Timestamp;
use runmend::domain::classification::Opinion;
use runmend::domain::decision::Decision;
use runmend::domain::event::{Actor, Happening, Via};
use runmend::domain::ids::RunId;
use runmend::domain::incident::{Failure, Incident, State};
use runmend::domain::job::JobFacts;
use runmend::domain::mail::{Mail, MailKind};
use runmend::ledger::{AuditLine, Counts};
use runmend::notify::letter::compose;
use runmend::notify::{Channel, channel, way::Way};

use super::hostile::is_inert;
use super::support::{Case, Failed};

/// Pane, whole evidence, audit trail.
const KEYS: [KeyCode; 3] = [KeyCode::Char('2'), KeyCode::Char('e'), KeyCode::Char('h')];

fn incident(failed: &Failed) -> Incident {
    let failure = Failure {
        workspace: "acme-prod".into(),
        run: RunId(7),
        after_repair: None,
        job: JobFacts { name: "orders_daily_load".to_owned(), owner: Some("owner@example.com".to_owned()), ..JobFacts::default() },
        run_url: None,
        via: Via::Poll,
        result_state: Some("FAILED".to_owned()),
        termination_code: failed.evidence.run.termination_code.clone(),
        ended_at: None,
    };
    let (mut incident, _) = Incident::detected(failure, Timestamp::UNIX_EPOCH);
    incident.state = State::Analysed;
    incident.classification = Some(failed.classification.clone());
    incident
}

/// Draws the incident with everything about it, and holds each cell of each screen against what a terminal would obey.
fn on_a_screen(size: Size, failed: &Failed, incident: &Incident, case: &Case) {
    let id = &case.id;
    static OPTIONS: LazyLock<Options> = LazyLock::new(|| {
        let loaded = Config::load(&Inputs::default()).unwrap();
        let options = Options::new(&loaded.config, &[], false, |_| None).unwrap();
        Options { llm: Llm::Configured("gpt-4o".to_owned()), ..options }
    });
    let mut events =
        vec![incident.event(incident.detected_at, Actor::Agent, Happening::Classified(Box::new(failed.classification.clone())))];
    events.extend(incident.opinion.as_ref().map(|opinion| incident.event(incident.detected_at, Actor::Agent, Happening::opinion(opinion))));
    events.extend(
        incident.decision.as_ref().map(|decision| incident.event(incident.detected_at, Actor::Agent, Happening::decided(decision))),
    );
    let audit = events.into_iter().map(|event| AuditLine { seq: 1, event, hash: "0".repeat(64) }).collect();
    let papers = Papers { evidence: Some(failed.evidence.clone()), audit, intents: Vec::new(), mails: Vec::new() };
    let mut stage = Stage::new(OPTIONS.clone(), size, Timestamp::UNIX_EPOCH).unwrap();
    let papers = [(incident.id.clone(), papers)].into();
    let counts = Counts { in_analysis: 1, ..Counts::default() };
    stage.show(Scene { incidents: vec![incident.clone()], counts, papers, ..Scene::default() }, Timestamp::UNIX_EPOCH);
    for key in KEYS {
        stage.press(KeyEvent::new(key, KeyModifiers::NONE));
        let buffer = stage.draw();
        for cell in &buffer.content {
            assert!(!cell.symbol().contains(obeyed), "{id}: {:?} is on the screen", cell.symbol());
        }
        for row in buffer.content.chunks(usize::from(size.width)) {
            case.allows("terminal", &row.iter().map(|cell| cell.symbol()).collect::<String>());
        }
        stage.press(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE));
    }
    let pane = pane(&mut stage);
    assert!(!["http:", "https:", "<script", "javascript:"].iter().any(|link| pane.contains(link)), "{id}: the model's link:\n{pane}");
}

fn obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

/// The LLM's pane on the screen: at 80 columns it is alone, at 120 in the middle. Its quotes are the log's, and left out.
fn pane(stage: &mut Stage) -> String {
    stage.press(KeyEvent::new(KeyCode::Char('2'), KeyModifiers::NONE));
    let buffer = stage.draw();
    let width = usize::from(buffer.area.width);
    let columns = if width >= 100 { 41..80 } else { 1..79 };
    let rows = buffer.content.chunks(width).map(|row| row[columns.clone()].iter().map(|cell| cell.symbol()).collect::<String>());
    let rows: Vec<String> = rows.skip_while(|row| !row.contains("2 LLM")).skip(1).take_while(|row| !row.contains('─')).collect();
    let mut text = String::new();
    let mut quoting = false;
    for row in rows {
        quoting =
            row.starts_with("quotes") || row.starts_with(" quotes") || (quoting && row.trim_start_matches(' ').len() + 10 <= row.len());
        if !quoting {
            text.push_str(row.trim_end());
            text.push('\n');
        }
    }
    text
}

/// An answer that is still being written.
pub fn draft(failed: &Failed, written: &str, case: &Case) {
    // Cut where it may hurt: in the middle, as it arrives.
    let end = (0..=written.len() / 2).rev().find(|end| written.is_char_boundary(*end)).unwrap_or(0);
    let size = Size { width: 120, height: 36 };
    on_a_screen(size, failed, &Incident { draft: Some(written[..end].to_owned()), ..incident(failed) }, case);
}

/// An opinion that has been taken, the decision it was heard in, and the mails about it.
pub fn opinion(failed: &Failed, opinion: &Opinion, decision: Decision, case: &Case) {
    let id = &case.id;
    let opinion = Some(opinion.clone());
    let incident = Incident { opinion, decision: Some(decision), state: State::AwaitingApproval, ..incident(failed) };
    on_a_screen(Size { width: 80, height: 24 }, failed, &incident, case);
    for kind in [MailKind::OnCall, MailKind::Approval] {
        let (subject, body) = compose(kind, &incident, Some(&failed.evidence));
        assert!(is_inert(&subject), "{id}: {subject}");
        assert!(!body.chars().any(|c| obeyed(c) && c != '\n' && c != '\t'), "{id}: the mail's body:\n{body}");
        // Whatever is the log's stands behind a bar, so that it cannot pass for a line of ours; a model's sentence goes to nobody.
        let opinion = incident.opinion.as_ref().unwrap();
        for line in body.lines().filter(|line| !line.starts_with("  | ")) {
            assert!(is_inert(line), "{id}: {line}");
            let said = [&opinion.message, &opinion.summary].into_iter().any(|said| said.len() > 20 && line.contains(said.as_str()));
            assert!(!said, "{id}: {line}");
        }
    }
}

/// The hostile texts as mail, as it goes over the wire: plain text, with the head that we wrote and no other.
pub async fn mailed(failed: &Failed, case: &Case) {
    let id = &case.id;
    let folder = tempfile::tempdir().unwrap();
    let channel: Box<dyn Channel> = channel(&Way::Outbox(folder.path().to_owned()), "runmend@example.com").unwrap();
    let incident = incident(failed);
    let (subject, body) = compose(MailKind::Owner, &incident, Some(&failed.evidence));
    let mail = Mail {
        dedup_key: "k".to_owned(),
        incident: incident.id.clone(),
        kind: MailKind::Owner,
        to: "owner@example.com".to_owned(),
        subject,
        body,
    };
    channel.send(&mail).await.unwrap();
    let file = std::fs::read_dir(folder.path()).unwrap().flatten().find(|entry| entry.path().extension().is_some_and(|end| end == "eml"));
    let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let mut names: BTreeMap<String, u32> = BTreeMap::new();
    for line in head.lines().filter(|line| !line.starts_with([' ', '\t'])) {
        *names.entry(line.split(':').next().unwrap().to_ascii_lowercase()).or_default() += 1;
    }
    assert!(names.values().all(|times| *times == 1) && !names.contains_key("bcc") && !names.contains_key("cc"), "{id}: {head}");
    case.allows("header", &head.replace("\r\n", "\n"));
    case.allows("smtp", &text.replace("\r\n", "\n"));
    assert!(head.contains("Content-Type: text/plain; charset=utf-8"), "{id}: {head}");
}
