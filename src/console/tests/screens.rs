//! Whole screens, as an operator sees them. `INSTA_UPDATE=always cargo test --lib console::` writes them anew; read the difference.

use ratatui::layout::Size;
use ratatui::style::Modifier;

use super::world::{LARGE, MIDDLE, SMALL, agent, ago, now, options, press, scene, stage, text};
use crate::console::picture::{Papers, Scene, Stage};
use crate::console::{ColorChoice, Llm, Options, ThemeChoice};
use crate::domain::action::{Action, Change, Parameter, Setting};
use crate::domain::cause::Cause;
use crate::domain::classification::{Opinion, OpinionOrigin, Quote, Tokens};
use crate::domain::decision::Mode;
use crate::domain::event::{Actor, Happening};
use crate::domain::evidence::Field;
use crate::domain::ids::{Probability, WorkspaceName};
use crate::domain::incident::{Ending, Instead, State};
use crate::domain::money::Usd;
use crate::ledger::{AgentStatus, AuditLine, AutoApply, Counts, OpinionHealth, OpinionStatus};

/// One screen at each of three sizes.
fn check(name: &str, scene: &Scene, keys: &str) {
    for size in [SMALL, MIDDLE, LARGE] {
        let mut stage = stage(size, Mode::Approve, scene.clone());
        press(&mut stage, keys);
        insta::assert_snapshot!(format!("{name}_{}x{}", size.width, size.height), text(&mut stage));
    }
}

/// Nothing failed yet; the agent has polled.
fn quiet() -> Scene {
    Scene { agents: vec![agent()], ..Scene::default() }
}

/// The workspace refuses the agent's token since a while.
fn degraded() -> Scene {
    let mut scene = scene();
    scene.agents[0].last_poll = Some(ago(190));
    scene.agents[0].degraded = vec![("poll".to_owned(), "the workspace refused our token (401); renew it".to_owned())];
    scene
}

/// A job whose name moves cursors, hides, turns around, and never ends.
fn hostile() -> Scene {
    let mut scene = scene();
    let name = "\u{1b}[2J\u{1b}]0;owned\u{7}orders\u{202e}ylliad\u{200b}\r\nApproved: yes 日本語の仕事 e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301} ".to_owned()
        + &"x".repeat(500);
    scene.incidents[0].job.name.clone_from(&name);
    scene.incidents[0].failed_tasks = vec!["\u{9b}31mtask\ttab".to_owned()];
    scene.incidents[1].job.name = "日本語の仕事日本語の仕事日本語の仕事".to_owned();
    if let Some(decision) = &mut scene.incidents[0].decision {
        decision.reasons.push("\u{1b}[8mhidden\u{1b}[0m reason".to_owned());
    }
    scene
}

#[test]
fn the_first_start() {
    check("empty", &quiet(), "");
}

#[test]
fn incidents_in_every_state() {
    check("states", &scene(), "");
}

#[test]
fn the_question_before_an_approval() {
    check("approve", &scene(), "a");
}

#[test]
fn the_override() {
    check("override", &scene(), r#"o Down "month end, aggregate later""#);
    // The model's reading taken, on the longest request.
    let mut read = scene();
    read.incidents[0].opinion = Some(Opinion { cause: Cause::Data, ..opinion(OpinionOrigin::Asked) });
    read.incidents[0].job.name = "payments_settle".to_owned();
    check("override_cause", &read, r#"o Ctrl-l "nulls in order_id""#);
}

#[test]
fn the_help() {
    check("help", &scene(), "?");
}

#[test]
fn the_audit_trail_of_an_incident() {
    check("audit", &scene(), "j j j j j j h");
}

#[test]
fn the_whole_evidence() {
    check("evidence", &scene(), "e");
}

#[test]
fn a_poll_that_fails() {
    check("degraded", &degraded(), "");
}

#[test]
fn a_hostile_job_name() {
    check("hostile", &hostile(), "");
    check("hostile_approve", &hostile(), "a");
}

fn one(name: &str, options: Options, size: Size, scene: Scene, keys: &str) {
    let mut stage = Stage::new(options, size, now()).unwrap();
    stage.show(scene, now());
    press(&mut stage, keys);
    insta::assert_snapshot!(name, text(&mut stage));
}

#[test]
fn a_filter_that_is_being_typed() {
    one("filter", options(Mode::Approve), SMALL, scene(), r#"/ "network""#);
    one("filter_without_a_match", options(Mode::Approve), SMALL, scene(), r#"/ "nothing like it""#);
}

#[test]
fn under_observe_nothing_is_offered_that_acts() {
    let mut scene = scene();
    for incident in scene.incidents.iter_mut().filter(|incident| incident.state == State::AwaitingApproval) {
        incident.state = State::Decided;
    }
    scene.counts = Counts { observed: 3, awaiting: 0, ..scene.counts };
    scene.agents[0].mode = Mode::Observe;
    one("observe", options(Mode::Observe), MIDDLE, scene, "");
}

#[test]
fn auto_apply_that_is_on() {
    let auto = AutoApply { by: "night-shift".to_owned(), until: ago(-42) };
    one("auto_apply", options(Mode::Approve), MIDDLE, Scene { auto_apply: Some(auto), ..scene() }, "");
    one("auto_apply_question", options(Mode::Approve), MIDDLE, scene(), "A");
}

#[test]
fn ascii_is_ascii() {
    let mut stage = Stage::new(Options { ascii: true, ..options(Mode::Approve) }, SMALL, now()).unwrap();
    stage.show(hostile(), now());
    assert!(text(&mut stage).is_ascii());
    one("ascii", Options { ascii: true, ..options(Mode::Approve) }, SMALL, scene(), "o");
}

#[test]
fn a_simulated_workspace_says_so() {
    one("simulated", Options { simulated: true, ..options(Mode::Approve) }, MIDDLE, scene(), "");
}

#[test]
fn a_critical_job_says_so_before_it_is_touched() {
    let mut scene = scene();
    scene.incidents[0].job.name = "payments_settle".to_owned();
    one("critical", options(Mode::Approve), MIDDLE, scene, "a");
}

#[test]
fn too_small_a_terminal_says_what_it_needs_and_every_size_draws() {
    let mut stage = stage(SMALL, Mode::Approve, scene());
    for keys in ["", "a", "Esc o", "Esc ?", "Esc e", "Esc /", "Esc h /"] {
        press(&mut stage, keys);
        for width in [0, 1, 59, 60, 100, 203] {
            for height in [0, 1, 15, 16, 29, 51] {
                let mut small = Stage::new(options(Mode::Approve), Size { width, height }, now()).unwrap();
                small.model = crate::console::model::Model { size: Size { width, height }, ..stage.model.clone() };
                small.tell(crate::console::model::Msg::Resize(Size { width, height }));
                let text = text(&mut small);
                if width >= 20 && height >= 3 && (width < 60 || height < 16) {
                    assert!(text.contains("60x16") && text.contains("q quits"), "{width}x{height}: {text}");
                }
            }
        }
    }
}

/// Cells of the screen that hold `words`.
fn cells<'a>(buffer: &'a ratatui::buffer::Buffer, words: &str) -> Vec<&'a ratatui::buffer::Cell> {
    let width = usize::from(buffer.area.width);
    for line in buffer.content.chunks(width) {
        let symbols: Vec<&str> = line.iter().map(|cell| cell.symbol()).collect();
        let n = words.chars().count();
        if let Some(at) = (0..width.saturating_sub(n)).find(|at| symbols[*at..at + n].concat() == words) {
            return line[at..at + n].iter().collect();
        }
    }
    panic!("{words} is not on the screen");
}

#[test]
fn the_line_that_decided_stands_out_with_and_without_colour() {
    for color in [ColorChoice::Never, ColorChoice::Basic, ColorChoice::Rich] {
        for theme in [ThemeChoice::Dark, ThemeChoice::Light] {
            let mut stage = Stage::new(Options { color, theme, ..options(Mode::Approve) }, MIDDLE, now()).unwrap();
            stage.show(scene(), now());
            let buffer = stage.draw();
            for cell in cells(buffer, "java.lang.OutOfMemoryError: Java heap space") {
                assert!(cell.modifier.contains(Modifier::REVERSED));
            }
        }
    }
}

#[test]
fn without_colour_no_cell_has_one() {
    let mut stage = Stage::new(Options { color: ColorChoice::Never, ..options(Mode::Approve) }, MIDDLE, now()).unwrap();
    stage.show(scene(), now());
    for keys in ["", "a", "Esc o", "Esc ?", "Esc e"] {
        press(&mut stage, keys);
        let plain = ratatui::style::Color::Reset;
        assert!(stage.draw().content.iter().all(|cell| cell.fg == plain && cell.bg == plain), "after {keys}");
    }
}

/// The run was mended by somebody else: the screen must not claim the call that was only planned.
#[test]
fn what_was_never_done_is_not_shown_as_done() {
    let mut scene = scene();
    scene.incidents.truncate(1);
    let incident = &mut scene.incidents[0];
    incident.state = State::Closed(Ending::Mended);
    incident.attempts.clear();
    assert!(incident.planned.is_some());
    one("closed_by_others", options(Mode::Approve), MIDDLE, scene, "");
}

pub fn opinion(origin: OpinionOrigin) -> Opinion {
    Opinion {
        cause: Cause::Resource,
        action: Action::RetryWithNewParams,
        confidence: Probability::new(0.8),
        summary: "The driver collects the whole day's orders and runs out of heap at month end.".to_owned(),
        grounded: true,
        model: "small-model".to_owned(),
        parameters: vec![Parameter { setting: Setting::DriverMemory, change: Change::Set("16g".to_owned()) }],
        dropped: vec!["workers 100: beyond the limit".to_owned()],
        quotes: vec![Quote { text: "java.lang.OutOfMemoryError: Java heap space".to_owned(), field: Some(Field::Logs) }],
        message: "Aggregate before collecting.".to_owned(),
        tokens: Tokens::default(),
        cost_usd: Some(Usd::new(0.0004)),
        latency_ms: 812,
        prompt: "opinion.v1 3fa9c17be004".to_owned(),
        origin,
    }
}

#[test]
fn an_opinion_beside_the_rules() {
    let mut scene = scene();
    scene.incidents[0].opinion = Some(opinion(OpinionOrigin::Asked));
    scene.incidents[1].no_opinion = Some("the day's budget is spent".to_owned());
    let llm = Options { llm: Llm::Configured("small-model".to_owned()), ..options(Mode::Approve) };
    one("opinion", llm.clone(), MIDDLE, scene.clone(), "");
    one("no_opinion", llm.clone(), MIDDLE, scene.clone(), "j");
    scene.incidents[0].opinion = None;
    scene.incidents[0].draft =
        Some("{\"quotes\": [\"java.lang.OutOfMemoryError: Java heap space\"], \"summary\": \"The driver ran".to_owned());
    one("draft", llm, MIDDLE, scene, "");
}

#[test]
fn an_opinion_from_the_cache_is_said_to_be_free() {
    let llm = Options { llm: Llm::Configured("small-model".to_owned()), ..options(Mode::Approve) };
    for (said, pane, trail) in [
        (opinion(OpinionOrigin::Asked), "0.8s, $0.0004, small", "resource, by small-model, $0.0004"),
        (
            Opinion { cost_usd: Some(Usd::ZERO), ..opinion(OpinionOrigin::Cached) },
            "cached, free, small",
            "resource, by small-model, cached, free",
        ),
    ] {
        let mut scene = scene();
        let incident = &mut scene.incidents[0];
        let event = incident.event(now(), Actor::Agent, Happening::opinion(&said));
        incident.opinion = Some(said);
        let papers = Papers { audit: vec![AuditLine { seq: 1, event, hash: "0".repeat(64) }], ..Papers::default() };
        scene.papers.insert(incident.id.clone(), papers);
        let mut stage = Stage::new(llm.clone(), MIDDLE, now()).unwrap();
        stage.show(scene, now());
        let shown = text(&mut stage);
        assert!(shown.contains(pane), "no {pane} in\n{shown}");
        press(&mut stage, "h");
        let shown = text(&mut stage);
        assert!(shown.contains(trail), "no {trail} in\n{shown}");
    }
}

#[test]
fn what_opinions_cost_and_what_keeps_them_away_is_in_the_header() {
    let check = |status: OpinionStatus, wide: &str, narrow: &str| {
        let mut scene = scene();
        scene.agents[0].opinions = Some(status);
        for (size, want) in [(Size { width: 160, height: 36 }, wide), (SMALL, narrow)] {
            let text = text(&mut stage(size, Mode::Approve, scene.clone()));
            let head = text.lines().next().unwrap();
            assert!(head.contains(want) && head.ends_with("14:32:07"), "{want}: {head}");
        }
    };
    let until = "2026-03-05T00:00:00Z".parse().unwrap();
    let status = |health, budget: Option<f64>| OpinionStatus { health, spent_today: Usd::new(0.423), daily_budget: budget.map(Usd::new) };
    let well = OpinionHealth::Ok { latency_ms: Some(812) };
    check(status(well.clone(), Some(1.0)), "LLM ok 0.8s, $0.42 of $1.00 today", "LLM $0.42 ");
    check(status(well.clone(), None), "LLM ok 0.8s, $0.42 today", "LLM $0.42");
    let free = OpinionStatus { spent_today: Usd::ZERO, ..status(OpinionHealth::Ok { latency_ms: None }, None) };
    check(free, "LLM ok ", "LLM ok");
    let spent = OpinionHealth::Spent { window: "daily".to_owned(), until };
    check(status(spent, Some(0.42)), "LLM daily BUDGET SPENT ($0.42) until 00:00:00", "LLM $ SPENT");
    check(status(OpinionHealth::Limited { until }, None), "LLM at its rate limit until 00:00:00", "LLM limited");
    check(status(OpinionHealth::Down { until }, None), "LLM DOWN, asked again 00:00:00", "LLM DOWN");
}

#[test]
fn several_workspaces_in_one_console() {
    let mut scene = scene();
    for incident in scene.incidents.iter_mut().step_by(2) {
        incident.workspace = WorkspaceName::from("acme-staging");
    }
    let staging = AgentStatus { workspace: WorkspaceName::from("acme-staging"), at: ago(90), ..agent() };
    scene.agents.push(staging);
    let workspaces = vec![WorkspaceName::from("acme-prod"), WorkspaceName::from("acme-staging")];
    one("workspaces", Options { workspaces, host: String::new(), ..options(Mode::Approve) }, MIDDLE, scene, "s / \"staging\" Enter");
}

/// Somebody overrode the cause: panes and history.
#[test]
fn a_cause_by_a_persons_word() {
    let mut scene = scene();
    let incident = &mut scene.incidents[0];
    let instead = Instead { action: Action::Notify, cause: Some(Cause::Data), note: "nulls in order_id since the new feed".to_owned() };
    let next = incident.override_with(instead, "night-shift", ago(3)).unwrap();
    *incident = next.incident;
    let papers = scene.papers.get_mut(&scene.incidents[0].id).unwrap();
    let seq = papers.audit.last().unwrap().seq + 1;
    papers.audit.extend(next.events.into_iter().map(|event| AuditLine { seq, event, hash: "0".repeat(64) }));
    check("corrected", &scene, "/ \"orders_daily\" Enter");
    check("corrected_history", &scene, "/ \"orders_daily\" Enter h");
}
