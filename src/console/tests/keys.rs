//! Keys and messages: a scene, what happens, what the screen says and what goes to the ledger.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::screens::opinion;
use super::world::{MIDDLE, SMALL, ago, incident_of, now, options, press, scene, stage, text};
use crate::console::model::{Effect, Msg, Refusal};
use crate::console::picture::{Scene, Stage};
use crate::console::update::update;
use crate::console::{Llm, Options};
use crate::domain::cause::Cause;
use crate::domain::classification::{Opinion, OpinionOrigin};
use crate::domain::decision::Mode;
use crate::domain::incident::{Approval, Asking, CANCELLED, Ending, Incident, State};
use crate::ledger::AutoApply;

/// What was asked of the ledger and the terminal, in words.
fn told(stage: &Stage) -> Vec<String> {
    let told = stage.effects.iter().map(|effect| match effect {
        Effect::Commit { transition, .. } => {
            let incident = &transition.incident;
            let note = incident.approval.as_ref().and_then(|approval| approval.note.clone());
            let action = incident.decision.as_ref().map(|decision| decision.action.as_str()).unwrap_or("-");
            let note = note.map(|note| format!(" \"{note}\"")).unwrap_or_default();
            let cause = incident.corrected().map(|(cause, _)| format!(" cause {cause}")).unwrap_or_default();
            format!("{} {} -> {} {action}{note}{cause}", incident.job.name, transition.from, incident.state)
        }
        Effect::AutoApply(on) => format!("auto-apply {on}"),
        Effect::Copy(text) => format!("copy {text}"),
        Effect::Quit => "quit".to_owned(),
        Effect::Load(_) => "load".to_owned(),
    });
    told.collect()
}

/// After these keys the screen says `says`, and the effects are `effects`.
fn check(before: Scene, mode: Mode, keys: &str, says: &str, effects: &[&str]) {
    let mut stage = stage(MIDDLE, mode, before);
    press(&mut stage, keys);
    let screen = text(&mut stage);
    assert!(screen.contains(says), "after `{keys}` the screen should say `{says}`:\n{screen}");
    assert_eq!(told(&stage), effects, "after `{keys}`");
}

#[test]
fn a_model_is_asked_and_stopped_where_that_means_something() {
    let mut scene = only(State::AwaitingApproval);
    scene.incidents.truncate(1);
    let asking = |change: &dyn Fn(&mut Incident)| {
        let mut scene = scene.clone();
        change(&mut scene.incidents[0]);
        scene
    };
    let at_llm = |scene: Scene, keys: &str, says: &str, wants: Option<Asking>| {
        let options = Options { llm: Llm::Configured("small-model".to_owned()), ..options(Mode::Approve) };
        let mut stage = Stage::new(options, MIDDLE, now()).unwrap();
        stage.show(scene, now());
        press(&mut stage, keys);
        let screen = text(&mut stage);
        assert!(screen.contains(says), "after `{keys}`:\n{screen}");
        let asked = stage.effects.iter().find_map(|effect| match effect {
            Effect::Commit { transition, .. } => Some(transition.incident.asking),
            _ => None,
        });
        assert_eq!(asked, wants, "after `{keys}`");
    };
    at_llm(scene.clone(), "", "m ask a model", None);
    at_llm(scene.clone(), "m", "writing", Some(Asking::Demanded));
    at_llm(scene.clone(), "x", "no model is being asked about this one", None);
    let demanded = asking(&|incident| incident.asking = Asking::Demanded);
    at_llm(demanded.clone(), "", "x stop the model", None);
    at_llm(demanded.clone(), "", "the agent is about", None);
    at_llm(demanded.clone(), "m", "it is being asked; `x` stops it", None);
    at_llm(demanded, "x", "writing", Some(Asking::Cancelled));
    let answering = asking(&|incident| {
        (incident.state, incident.decision) = (State::Analysed, None);
        incident.draft = Some("{\"summary\": \"The driver".to_owned());
    });
    at_llm(answering.clone(), "", "The driver…", None);
    at_llm(answering, "x", "writing", Some(Asking::Cancelled));
    let cancelled = asking(&|incident| {
        incident.asking = Asking::Cancelled;
        incident.no_opinion = Some(CANCELLED.to_owned());
    });
    at_llm(cancelled.clone(), "", "this one: cancelled", None);
    at_llm(cancelled, "m", "writing", Some(Asking::Demanded));
    check(scene, Mode::Approve, "m", "no model is configured", &[]);
}

/// Only incidents in this state.
fn only(state: State) -> Scene {
    let mut scene = scene();
    scene.incidents.retain(|incident| incident.state == state);
    scene
}

#[test]
fn a_key_says_what_it_will_do_before_it_is_done() {
    let clickstream = "clickstream_backfill awaiting -> scheduled retry";
    for (keys, says, effects) in [
        ("j j a", "Approve: clickstream_backfill, run 7731150", &[][..]),
        ("j j a", "POST /api/2.2/jobs/runs/repair", &[]),
        ("j j a", "retry 1 of 3: the failed tasks run again", &[]),
        ("j j a Enter", "writing", &[clickstream]),
        ("j j a y", "writing", &[clickstream]),
        ("j j a a", "writing", &[clickstream]),
        ("j j a i", "withdrawn; nothing was done", &[]),
        ("j j a j", "withdrawn; nothing was done", &[]),
        ("j j a Esc", "a approve", &[]),
        ("j a", "mail to the owner, data-platform@example.com", &[]),
        ("j a Enter", "writing", &["crm_sync awaiting -> scheduled notify"]),
        ("a", "runmend does not change settings itself yet", &[]),
        ("i", "Ignore: orders_daily_load, run 7731204", &[]),
        ("i Enter", "", &["orders_daily_load awaiting -> ignored retry_with_new_params"]),
        ("i a", "withdrawn; nothing was done", &[]),
        ("A", "Auto-apply for this session", &[]),
        ("A", "clickstream_backfill, run 7731150", &[]),
        ("A Enter", "", &["auto-apply true"]),
        ("A n", "A auto-apply", &[]),
    ] {
        check(scene(), Mode::Approve, keys, says, effects);
    }
}

#[test]
fn an_override_needs_a_note_and_shows_the_request() {
    for (keys, says, effects) in [
        ("o", "Override: orders_daily_load, run 7731204", &[][..]),
        ("o", "POST /api/2.2/jobs/runs/repair", &[]),
        ("o Enter", "a note is needed first", &[]),
        ("o \"  \" Enter", "a note is needed first", &[]),
        ("o Down", "mail to the owner, data-platform@example.com", &[]),
        ("o Down Down", "mail to the on-call address", &[]),
        ("o Down Down Down", "close the incident", &[]),
        ("o Down Down Down Down", "(•) retry", &[]),
        ("o Up", "close the incident", &[]),
        ("o \"month end\" Enter", "writing", &["orders_daily_load awaiting -> scheduled retry \"month end\""]),
        ("o Down Down Down \"known\" Enter", "", &["orders_daily_load awaiting -> ignored ignore \"known\""]),
        ("o \"aq?\" Esc", "a approve", &[]),
    ] {
        check(scene(), Mode::Approve, keys, says, effects);
    }
}

/// The first incident with a model's opinion on it, or with a person's word on its cause.
fn with_a_reading(cause: Option<Cause>, said: Option<Cause>) -> Scene {
    let mut scene = scene();
    let incident = &mut scene.incidents[0];
    incident.opinion = cause.map(|cause| Opinion { cause, ..opinion(OpinionOrigin::Asked) });
    incident.approval = said.map(|cause| Approval { by: "night-shift".to_owned(), at: ago(60), note: None, cause: Some(cause) });
    scene
}

#[test]
fn a_person_may_say_that_the_cause_is_another() {
    let kept = "orders_daily_load awaiting -> scheduled retry \"nulls\"";
    let named = |cause: &str| format!("{kept} cause {cause}");
    for (reading, said, keys, says, effects) in [
        (None, None, "o", "[resource]", vec![]),
        (None, None, "o", "the rules say resource 0.91, by spark-driver-oom", vec![]),
        (None, None, "o Ctrl-l", "model's cause: no model gave an opinion on this one", vec![]),
        (None, None, "o Tab", "[permission]", vec![]),
        (None, None, "o BackTab", "[timeout]", vec![]),
        (None, None, "o BackTab BackTab", "[unknown]", vec![]),
        (None, None, "o BackTab BackTab Tab Tab \"nulls\" Enter", "", vec![kept.to_owned()]),
        (None, None, "o Tab \"nulls\" Enter", "writing", vec![named("permission")]),
        (None, None, "o Tab \"nulls\"", "record    your note and the cause, permission, under your name (on-call)", vec![]),
        (None, None, "o Tab \"nulls\" Esc", "a approve", vec![]),
        (Some(Cause::Data), None, "o", "* the model says data 0.80, Ctrl-L takes it", vec![]),
        (Some(Cause::Data), None, "o", "Ctrl-L model's cause", vec![]),
        (Some(Cause::Data), None, "o Ctrl-l", "[data*]", vec![]),
        (Some(Cause::Data), None, "o Ctrl-l \"nulls\" Enter", "writing", vec![named("data")]),
        (Some(Cause::Data), None, "o Ctrl-l Ctrl-l \"nulls\" Enter", "writing", vec![kept.to_owned()]),
        (Some(Cause::Resource), None, "o", "* the model says resource 0.80, agrees", vec![]),
        // What a person said of this failure before is where the next one begins.
        (None, Some(Cause::Data), "o", "[data]", vec![]),
        (None, Some(Cause::Data), "o \"nulls\" Enter", "", vec![named("data")]),
    ] {
        let effects: Vec<&str> = effects.iter().map(String::as_str).collect();
        check(with_a_reading(reading, said), Mode::Approve, keys, says, &effects);
    }
    let mut made_up = with_a_reading(Some(Cause::Data), None);
    made_up.incidents[0].opinion.as_mut().unwrap().grounded = false;
    check(made_up, Mode::Approve, "o", "* the model says data 0.80, but quotes what is not there", &[]);
    let mut unjudged = scene();
    unjudged.incidents[0].classification = None;
    check(unjudged, Mode::Approve, "o \"nulls\" Enter", "writing", &[kept]);
}

#[test]
fn a_persons_cause_is_seen_wherever_the_rules_cause_is() {
    let scene = || with_a_reading(None, Some(Cause::Data));
    for (keys, says) in [
        ("", "cause by night-shift: data, the"),
        ("", "data         said  "),
        ("/ \"orders_daily data\" Enter", "1-1 of 1 that match"),
        ("/ \"orders_daily resource\" Enter", "1-1 of 1 that match"),
    ] {
        check(scene(), Mode::Approve, keys, says, &[]);
    }
}

#[test]
fn a_refused_key_says_why() {
    for (state, keys, says) in [
        (State::Acting, "a", "approve: nothing awaits approval here, it is acting"),
        (State::Acting, "o", "override: the workspace is at it"),
        (State::Acting, "i", "ignore: the call is being made"),
        (State::Watching, "c", "close: only what is with people can be closed as handled"),
        (State::Scheduled, "o", "override: it is scheduled; `i` stops it"),
        (State::Detected, "p", "call: no call is planned here"),
        (State::Closed(Ending::Mended), "i", "ignore: it is closed: mended"),
        (State::WithPeople, "N", "notices: there were none yet"),
    ] {
        check(only(state), Mode::Approve, keys, says, &[]);
    }
    check(Scene::default(), Mode::Approve, "a", "approve: no incident is selected", &[]);
    check(only(State::AwaitingApproval), Mode::Observe, "a", "approve: mode observe carries nothing out", &[]);
    check(scene(), Mode::Auto, "A", "auto-apply: mode auto carries decisions out without it", &[]);
    let auto = AutoApply { by: "night-shift".to_owned(), until: ago(-42) };
    check(Scene { auto_apply: Some(auto), ..scene() }, Mode::Approve, "A", "night-shift has it on at another console", &[]);
}

#[test]
fn what_people_dealt_with_is_closed_and_what_waits_with_them_can_be_overridden() {
    let with_people = || only(State::WithPeople);
    check(with_people(), Mode::Approve, "c", "Close as handled: payments_reconcile", &[]);
    check(with_people(), Mode::Approve, "c Enter", "", &["payments_reconcile with people -> handled escalate"]);
    check(with_people(), Mode::Approve, "o", "this job is critical (policy.critical payments_*)", &[]);
}

#[test]
fn reading_moves_nothing() {
    let url = "https://acme-prod.cloud.databricks.com/jobs/4204/runs/7731204";
    for (keys, says, effects) in [
        ("e", "Evidence · orders_daily_load, run 7731204", &[][..] as &[&str]),
        ("e / \"finished task 199.0\" Enter", "2 lines", &[]),
        ("e / \"no such words\"", "not found", &[]),
        ("e Esc", "Incidents", &[]),
        ("Enter q", "Incidents", &[]),
        ("h", "chained by sha-256", &[]),
        ("p", "\"rerun_tasks\": [", &[]),
        ("y", url, &["copy https://acme-prod.cloud.databricks.com/jobs/4204/runs/7731204"]),
        ("s", "newest first", &[]),
        ("s s s", "by job", &[]),
        ("/ \"crm\" Enter", "1-1 of 1 that match, 15 in all", &[]),
        ("/ \"crm\" Esc", "1-10 of 15", &[]),
        ("/ \"qA?\" Enter", "None of 15 incidents matches", &[]),
        ("4 k k", "4 Evidence", &[]),
        ("f", "FROZEN", &[]),
        ("? \"override\" Enter", "Override: orders_daily_load", &[]),
        ("? \"sort\" Enter", "newest first", &[]),
        (": \"quit\" Enter", "", &["quit"]),
        ("q", "", &["quit"]),
        ("Ctrl-c", "", &["quit"]),
        ("o Ctrl-c", "", &["quit"]),
        ("a Ctrl-c", "", &["quit"]),
        ("e / Ctrl-c", "", &["quit"]),
    ] {
        check(scene(), Mode::Approve, keys, says, effects);
    }
}

#[test]
fn pasted_text_presses_no_key() {
    let mut stage = stage(MIDDLE, Mode::Approve, scene());
    stage.tell(Msg::Paste("a\ny\n".to_owned()));
    assert!(text(&mut stage).contains("pasted text was left out"));
    press(&mut stage, "o");
    stage.tell(Msg::Paste("month\u{1b}[31m end\nq".to_owned()));
    assert!(text(&mut stage).contains("[month end q"));
    assert!(told(&stage).is_empty());
}

#[test]
fn a_conflict_is_told_and_changes_nothing() {
    let mut stage = stage(SMALL, Mode::Approve, scene());
    press(&mut stage, "j j a Enter");
    let id = incident_of(&stage, "clickstream_backfill").id;
    assert!(text(&mut stage).contains("writing"));
    let said = "approved clickstream_backfill".to_owned();
    stage.tell(Msg::Committed { incident: id, said, result: Err(Refusal::Conflict) });
    let screen = text(&mut stage);
    assert!(screen.contains("changed meanwhile, look again; nothing was done"), "{screen}");
    assert!(!screen.contains("writing"), "{screen}");
    assert_eq!(stage.effects.len(), 1);
}

#[test]
fn esc_and_a_key_in_haste_are_two_keys_and_take_back_what_was_asked() {
    for (keys, alt, says, effects) in [
        ("j j a", 'y', "Incidents", &["copy https://acme-prod.cloud.databricks.com/jobs/4150/runs/7731150"][..]),
        ("o \"month end\"", 'q', "Incidents", &["quit"]),
        ("?", 's', "newest first", &[]),
        ("e / \"heap\"", 'n', "Evidence", &[]),
    ] {
        let mut stage = stage(MIDDLE, Mode::Approve, scene());
        press(&mut stage, keys);
        stage.press(KeyEvent::new(KeyCode::Char(alt), KeyModifiers::ALT));
        let screen = text(&mut stage);
        assert!(screen.contains(says), "after `{keys}` and Alt-{alt}:\n{screen}");
        assert_eq!(told(&stage), effects, "after `{keys}` and Alt-{alt}");
    }
}

#[test]
fn a_second_decision_waits_for_the_first() {
    let mut stage = stage(MIDDLE, Mode::Approve, scene());
    press(&mut stage, "j j a Enter a");
    assert!(text(&mut stage).contains("what you decided before is being written"));
    let id = incident_of(&stage, "clickstream_backfill").id;
    stage.tell(Msg::Committed { incident: id.clone(), said: "approved".to_owned(), result: Ok(5) });
    press(&mut stage, "a");
    assert!(text(&mut stage).contains("what you decided before is being written"), "until the ledger shows it");
    let mut newer = scene();
    let changed = newer.incidents.iter_mut().find(|incident| incident.id == id).unwrap();
    (changed.version, changed.state) = (5, State::Scheduled);
    stage.show(newer, now());
    assert!(!text(&mut stage).contains("writing"));
}

#[test]
fn a_question_whose_incident_moved_on_is_taken_back() {
    let mut stage = stage(MIDDLE, Mode::Approve, scene());
    press(&mut stage, "j j a");
    // The agent looked at it and changed nothing: the question stays, and answers for the newer version.
    let mut newer = scene();
    newer.incidents[2].version = 9;
    stage.show(newer, now());
    assert!(text(&mut stage).contains("Approve: clickstream_backfill"));
    // Somebody else approved it.
    let mut newer = scene();
    (newer.incidents[2].version, newer.incidents[2].state) = (10, State::Scheduled);
    stage.show(newer, now());
    assert!(text(&mut stage).contains("changed meanwhile, look again; nothing was done: clickstream_backfill"));
    press(&mut stage, "Enter");
    assert!(told(&stage).is_empty());
}

#[test]
fn a_tick_draws_only_what_it_changes() {
    let mut stage = stage(MIDDLE, Mode::Approve, scene());
    assert!(stage.model.take_dirty());
    stage.tell(Msg::Tick(now()));
    stage.model.take_dirty();
    for (keys, seconds, dirty) in [("", 0, false), ("", 1, true), ("e", 2, false), ("Esc", 3, true)] {
        press(&mut stage, keys);
        stage.model.take_dirty();
        stage.tell(Msg::Tick(ago(-seconds)));
        assert_eq!(stage.model.take_dirty(), dirty, "after `{keys}` and {seconds} s");
    }
}

#[test]
fn an_agents_sign_of_life_draws_nothing_and_news_do() {
    let mut stage = stage(MIDDLE, Mode::Approve, scene());
    stage.model.take_dirty();
    let mut beat = (**stage.model.latest.as_ref().unwrap()).clone();
    beat.agents[0].at = now();
    stage.tell(Msg::Snapshot(Arc::new(beat.clone())));
    assert!(!stage.model.take_dirty());
    beat.agents[0].degraded = vec![("mail".to_owned(), "the server refuses us".to_owned())];
    stage.tell(Msg::Snapshot(Arc::new(beat)));
    assert!(stage.model.take_dirty());
    assert!(text(&mut stage).contains("mail: the server refuses us"));
}

#[test]
fn a_ledger_that_cannot_be_read_is_told_and_what_is_shown_is_called_old() {
    let mut stage = stage(SMALL, Mode::Approve, scene());
    stage.tell(Msg::Trouble(Some("disk I/O error".to_owned())));
    assert!(text(&mut stage).contains("the ledger cannot be read: disk I/O error"));
    press(&mut stage, "j");
    assert!(text(&mut stage).contains("the ledger cannot be read, what is shown is old: disk I/O error"));
    stage.tell(Msg::Trouble(None));
    assert!(!text(&mut stage).contains("disk"));
}

#[test]
fn evidence_that_cannot_be_read_is_asked_for_again_once_a_second() {
    let mut stage = stage(MIDDLE, Mode::Approve, scene());
    let id = incident_of(&stage, "orders_daily_load").id;
    let loads = |effects: Vec<Effect>| effects.iter().filter(|effect| matches!(effect, Effect::Load(_))).count();
    let trouble = || Msg::Dossier(Err((id.clone(), "disk I/O error".to_owned())));
    assert_eq!(loads(update(&mut stage.model, trouble())), 0);
    assert!(text(&mut stage).contains("The ledger could not give the evidence: disk I/O error"));
    assert_eq!(loads(update(&mut stage.model, Msg::Tick(ago(-1)))), 1);
    assert_eq!(loads(update(&mut stage.model, trouble())), 0);
}

#[test]
fn without_an_agent_the_console_says_so_after_a_moment() {
    let mut stage = stage(SMALL, Mode::Approve, Scene::default());
    assert!(text(&mut stage).contains("Waiting for the agent's first word."));
    stage.tell(Msg::Tick(ago(-6)));
    let screen = text(&mut stage);
    assert!(screen.contains("no agent at work") && screen.contains("runmend --auto"), "{screen}");
}

#[test]
fn evidence_asked_for_too_early_opens_when_it_has_come_unless_another_key_was_pressed() {
    for (keys, opens) in [("e", true), ("h", true), ("e j", false), ("e k", false)] {
        let mut stage = stage(MIDDLE, Mode::Approve, scene());
        let dossier = stage.model.dossier.take().unwrap();
        for key in keys.chars() {
            // Nothing is loaded: the ledger is slow.
            update(&mut stage.model, Msg::Key { key: KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE), at: now() });
        }
        assert!(!text(&mut stage).contains(" · orders_daily_load, run 7731204"), "{keys}");
        update(&mut stage.model, Msg::Dossier(Ok(dossier)));
        assert_eq!(text(&mut stage).contains(" · orders_daily_load, run 7731204"), opens, "{keys}");
    }
}
