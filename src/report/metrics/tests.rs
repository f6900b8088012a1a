use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::domain::decision::Mode;
use crate::domain::money::Usd;
use crate::ledger::OpinionStatus;

fn status(workspace: &str, opinions: Option<OpinionStatus>) -> AgentStatus {
    AgentStatus {
        worker: "host:1".to_owned(),
        workspace: workspace.into(),
        version: "0.1.0".to_owned(),
        mode: Mode::Auto,
        unattended: true,
        leading: true,
        poll_interval_s: 60,
        last_poll: Some(Timestamp::UNIX_EPOCH),
        runs_seen: 7,
        degraded: vec![
            ("mail".to_owned(), "smtp://user:s3cret@host is \"down\"".to_owned()),
            ("GET /api/2.2/jobs/runs/get".to_owned(), "503".to_owned()),
        ],
        opinions,
        at: Timestamp::UNIX_EPOCH,
    }
}

fn opinions(health: OpinionHealth) -> Option<OpinionStatus> {
    Some(OpinionStatus { health, spent_today: Usd::new(0.0042), daily_budget: Some(Usd::new(1.5)) })
}

fn event(what: Happening) -> Event {
    Event::of_agent(Timestamp::UNIX_EPOCH, what)
}

fn outcome(result: Outcome) -> Event {
    event(Happening::Outcome { result, duration_s: 1, note: None })
}

/// As it stands in an audit trail; without an origin as an older runmend wrote it.
fn opinion(origin: Option<&str>) -> Event {
    let mut line = serde_json::json!({
        "ts": "2025-11-24T16:00:00Z", "actor": {"by": "agent"}, "event": "opinion", "available": true, "cause": "resource", "cost_usd": 0.0,
    });
    if let Some(origin) = origin {
        line["origin"] = origin.into();
    }
    serde_json::from_value(line).unwrap()
}

/// Name and labels of a sample's line; panics where a scraper would refuse the line.
fn parse(line: &str) -> (String, Vec<(String, String)>) {
    let (series, value) = line.rsplit_once(' ').unwrap();
    value.parse::<f64>().unwrap();
    let Some((name, rest)) = series.split_once('{') else { return (series.to_owned(), Vec::new()) };
    let mut rest = rest.strip_suffix('}').unwrap();
    let mut labels = Vec::new();
    while !rest.is_empty() {
        let (label, quoted) = rest.split_once("=\"").unwrap();
        let (mut value, mut chars) = (String::new(), quoted.char_indices());
        let end = loop {
            match chars.next().unwrap() {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next().unwrap().1 {
                    'n' => '\n',
                    plain @ ('\\' | '"') => plain,
                    other => panic!("\\{other} is no escape"),
                }),
                (_, plain) => value.push(plain),
            }
        };
        labels.push((label.to_owned(), value));
        rest = &quoted[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    (name.to_owned(), labels)
}

/// Each family is introduced once, by HELP and TYPE, before its samples; no series comes twice.
fn check(text: &str) -> BTreeSet<(String, Vec<(String, String)>)> {
    assert!(text.ends_with('\n'));
    let (mut families, mut series) = (BTreeSet::new(), BTreeSet::new());
    let (mut current, mut help) = (String::new(), String::new());
    for line in text.strip_suffix('\n').unwrap().split('\n') {
        if let Some(words) = line.strip_prefix("# HELP ") {
            help = words.split_once(' ').unwrap().0.to_owned();
        } else if let Some(words) = line.strip_prefix("# TYPE ") {
            let (name, kind) = words.split_once(' ').unwrap();
            assert_eq!(name, help, "TYPE follows its HELP");
            assert!(matches!(kind, "counter" | "gauge"), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(name.starts_with("runmend_") && families.insert(name.to_owned()), "{line}");
            current = name.to_owned();
        } else {
            let sample = parse(line);
            assert_eq!(sample.0, current, "a sample stands under its family");
            assert!(series.insert(sample), "twice: {line}");
        }
    }
    series
}

#[test]
fn a_scraper_can_read_every_line() {
    let heard = Heard::default();
    let healths = [
        OpinionHealth::Ok { latency_ms: Some(1500) },
        OpinionHealth::Ok { latency_ms: None },
        OpinionHealth::Limited { until: Timestamp::UNIX_EPOCH },
        OpinionHealth::Spent { window: "daily".to_owned(), until: Timestamp::UNIX_EPOCH },
        OpinionHealth::Down { until: Timestamp::UNIX_EPOCH },
    ];
    for health in healths {
        for books in [None, Some(&Books::default())] {
            check(&render(&[status("prod", opinions(health.clone())), status("staging", None)], books, &heard));
        }
    }
    check(&render(&[], None, &heard));
}

#[test]
fn what_is_known_is_said() {
    let heard = Heard::default();
    heard.count(&outcome(Outcome::Mended));
    heard.count(&outcome(Outcome::Mended));
    heard.count(&event(Happening::no_opinion("not asked")));
    heard.count(&opinion(Some("asked")));
    heard.count(&opinion(Some("cached")));
    heard.count(&opinion(Some("cached")));
    heard.count(&opinion(None));
    let spent = OpinionHealth::Spent { window: "daily".to_owned(), until: Timestamp::UNIX_EPOCH };
    let books = Books { counts: Counts { with_people: 3, mended_today: 2, ..Counts::default() }, mails_waiting: 4 };
    let text = render(&[status("prod", opinions(spent))], Some(&books), &heard);
    for line in [
        concat!("runmend_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        "runmend_degraded{workspace=\"prod\",part=\"mail\"} 1",
        "runmend_degraded{workspace=\"prod\",part=\"ledger\"} 0",
        "runmend_degraded{workspace=\"prod\",part=\"workspace\"} 1",
        "runmend_leading{workspace=\"prod\"} 1",
        "runmend_runs_seen_total{workspace=\"prod\"} 7",
        "runmend_open_incidents{state=\"with_people\"} 3",
        "runmend_outcomes_today{result=\"mended\"} 2",
        "runmend_mails_waiting 4",
        "runmend_outcomes_total{result=\"mended\"} 2",
        "runmend_decisions_total{action=\"retry\",authority=\"auto\"} 0",
        "runmend_llm_opinions_total{result=\"none\"} 1",
        "runmend_llm_opinions_total{result=\"asked\"} 2",
        "runmend_llm_opinions_total{result=\"cached\"} 2",
        "runmend_llm_cost_usd_today 0.0042",
        "runmend_llm_daily_budget_usd 1.5",
        "runmend_llm_budget_spent 1",
    ] {
        assert!(text.lines().any(|is| is == line), "no {line} in\n{text}");
    }
    assert!(!text.contains("s3cret"), "a reason may quote anything, so none is told");
}

#[test]
fn what_is_not_known_is_left_out() {
    let text = render(&[status("prod", None)], None, &Heard::default());
    for absent in ["runmend_open_incidents", "runmend_mails_waiting", "runmend_llm_"] {
        assert!(!text.contains(absent), "{absent} in\n{text}");
    }
    assert!(text.contains("runmend_degraded{workspace=\"prod\",part=\"ledger\"} 1\n"), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_name_of_a_workspace_comes_back_as_it_was(name in "([a-z]|[\\\\\"\n\r{},= ]|\\PC){0,20}") {
        let series = check(&render(&[status(&name, None)], None, &Heard::default()));
        let leading = series.iter().find(|(family, _)| family == "runmend_leading").unwrap();
        prop_assert_eq!(&leading.1, &vec![("workspace".to_owned(), name)]);
    }
}
