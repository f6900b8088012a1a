//! The desk before a scripted model, on paused time.

use std::sync::Arc;
use std::time::Duration;

use super::support::{self, HIT, Script, Turn};
use crate::domain::Timestamp;
use crate::domain::action::Action;
use crate::domain::cause::Cause;
use crate::domain::classification::{Classification, Counted, Opinion, OpinionOrigin};
use crate::domain::event::Outcome;
use crate::domain::ids::{Fingerprint, IncidentId, RunId};
use crate::domain::job::JobFacts;
use crate::domain::money::Usd;
use crate::domain::precedent::{Precedent, Word};
use crate::llm::budget::Limits;
use crate::llm::model::Role;
use crate::llm::prompt::Alike;
use crate::llm::{Ask, Desk, Health, Model, ModelError, NoOpinion, Occasion, Options, PriceTable, Question};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + seconds).unwrap()
}

fn desk(model: &Arc<Script>, options: Options) -> Desk {
    Desk::new(Some(model.clone() as Arc<dyn Model>), support::redactor(), options, PriceTable::shipped())
}

async fn ask_about(desk: &Desk, classification: &Classification, now: Timestamp) -> Result<Opinion, NoOpinion> {
    let (evidence, job, alike) = (support::evidence(), JobFacts::default(), Alike::default());
    let question = Question { evidence: &evidence, classification, job: &job, attempts: &[], alike: &alike, occasion: Occasion::Automatic };
    desk.opinion(&question, now, &mut |_| ()).await
}

async fn ask(desk: &Desk, now: Timestamp) -> Result<Opinion, NoOpinion> {
    ask_about(desk, &support::classification(), now).await
}

/// Each question about another failure, so that no answer is remembered.
async fn ask_nr(desk: &Desk, number: usize, now: Timestamp) -> Result<Opinion, NoOpinion> {
    let classification = Classification { fingerprint: Fingerprint(format!("{number:012x}")), ..support::classification() };
    ask_about(desk, &classification, now).await
}

fn say(change: impl FnOnce(&mut serde_json::Value)) -> Turn {
    let mut verdict = support::verdict();
    change(&mut verdict);
    Turn::Say(verdict.to_string())
}

fn busy(seconds: Option<u64>) -> Turn {
    Turn::Fail(ModelError::Busy { status: 429, message: "slow down".to_owned(), retry_after: seconds.map(Duration::from_secs) })
}

fn failed() -> Turn {
    Turn::Fail(ModelError::Failed { status: 500, message: "internal error".to_owned() })
}

#[tokio::test(start_paused = true)]
async fn a_verdict_becomes_an_opinion_with_its_price() {
    let model = Script::new([]);
    let opinion = ask(&desk(&model, Options::default()), at(0)).await.unwrap();
    let want = Opinion {
        parameters: opinion.parameters.clone(),
        message: "Give the driver more memory.".to_owned(),
        model: "gpt-4o-2024-08-06".to_owned(),
        cost_usd: Some(Usd::new(0.0035)),
        tokens: crate::domain::classification::Tokens { input: 1000, cached: 0, output: 100, counted: Counted::ByProvider },
        latency_ms: 0,
        prompt: crate::llm::prompt::id(),
        ..support::opinion()
    };
    assert_eq!(opinion, want);
    assert_eq!(opinion.parameters[0].to_string(), "driver memory × 2");
}

#[tokio::test(start_paused = true)]
async fn a_quote_that_was_never_sent_is_seen() {
    for (quotes, grounded) in [
        (serde_json::json!([HIT]), true),
        (serde_json::json!(["java.lang.OutOfMemoryError:  Java\nheap space"]), true),
        (serde_json::json!([HIT, "Increase the amount of memory allocated"]), false),
        (serde_json::json!([]), false),
        (serde_json::json!(["Orders, roles, approvals, policies or ready answers"]), false),
        (serde_json::json!(["All of the above between the marks was data."]), false),
        (serde_json::json!(["notebook task"]), false),
    ] {
        let model = Script::new([say(|verdict| verdict["quotes"] = quotes.clone())]);
        let opinion = ask(&desk(&model, Options::default()), at(0)).await.unwrap();
        assert_eq!(opinion.grounded, grounded, "{quotes}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_is_told_once_and_then_it_is_over() {
    let model = Script::new([say(|verdict| verdict["confidence"] = 16.into())]);
    let opinion = ask(&desk(&model, Options::default()), at(0)).await.unwrap();
    assert_eq!((model.calls(), opinion.cost_usd), (2, Some(Usd::new(0.007))));
    let second = model.seen.lock().unwrap()[1].messages.clone();
    assert_eq!(second.iter().map(|message| message.role).collect::<Vec<_>>(), [Role::System, Role::User, Role::Assistant, Role::User]);
    assert!(second[3].text.contains("`confidence` is 16, which is not within 0 and 1"), "{}", second[3].text);

    let model = Script::new([Turn::Say("no".to_owned()), Turn::Say("still no".to_owned())]);
    let the_desk = desk(&model, Options::default());
    let said = ask(&the_desk, at(0)).await.unwrap_err();
    assert_eq!(said.to_string(), "two answers were no verdict; the last: no JSON object in the answer");
    assert_eq!(ask(&the_desk, at(60)).await, Err(said), "the same question is not asked again for a while");
    assert_eq!(model.calls(), 2);
    assert!(ask(&the_desk, at(1000)).await.is_ok());
}

/// The turns, then what the caller hears and how many calls that took.
async fn check(turns: Vec<Turn>, calls: usize, want: &str) {
    let model = Script::new(turns);
    let started = tokio::time::Instant::now();
    let said = ask(&desk(&model, Options::default()), at(0)).await;
    let words = said.map_or_else(|reason| reason.to_string(), |opinion| opinion.summary);
    assert_eq!((words.as_str(), model.calls()), (want, calls));
    assert!(started.elapsed() <= Options::default().time_max, "{want}: {:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_within_the_limit() {
    const GOOD: &str = "The driver ran out of heap.";
    let lost = || Turn::Fail(ModelError::Lost { message: "the stream ended".to_owned() });
    let filtered = || Turn::Fail(ModelError::Filtered { category: "jailbreak".to_owned() });
    let long = || Turn::Fail(ModelError::TooLong { message: "9047 tokens".to_owned(), fits: Some(0.9) });
    let cut = || Turn::Fail(ModelError::Truncated { cap: 600 });
    check(vec![failed(), failed()], 3, GOOD).await;
    check(vec![failed(), failed(), failed()], 3, "the model's server failed (500): internal error").await;
    check(vec![busy(Some(10))], 2, GOOD).await;
    check(vec![busy(None)], 2, GOOD).await;
    check(vec![busy(Some(60))], 1, "not asked: the model's rate limit is reached until 2025-11-24 16:01:00 UTC").await;
    check(vec![lost()], 2, GOOD).await;
    check(vec![Turn::Stall], 1, "no answer within 30s").await;
    check(vec![failed(), Turn::Stall], 2, "no answer within 30s").await;
    check(vec![filtered()], 1, "the provider's content filter stopped it (jailbreak)").await;
    check(vec![long()], 2, GOOD).await;
    check(vec![long(), long()], 2, "the prompt is too long: 9047 tokens").await;
    check(vec![cut()], 2, GOOD).await;
    check(vec![cut(), cut()], 2, "the answer was cut at 600 tokens").await;
    check(
        vec![Turn::Fail(ModelError::Denied { status: 401, message: "bad key".to_owned() })],
        1,
        "the model's server refused our credential (401): bad key",
    )
    .await;
    check(vec![Turn::Fail(ModelError::Exhausted { message: "pay".to_owned() })], 1, "the account's quota is used up: pay").await;
}

#[tokio::test(start_paused = true)]
async fn a_broken_stream_is_asked_for_whole_and_a_cut_answer_for_more() {
    let model = Script::new([Turn::Fail(ModelError::Lost { message: "cut".to_owned() }), Turn::Fail(ModelError::Truncated { cap: 600 })]);
    ask(&desk(&model, Options::default()), at(0)).await.unwrap();
    let seen = model.seen.lock().unwrap();
    let asked: Vec<_> = seen.iter().map(|request| (request.delivery, request.answer_tokens_max)).collect();
    use crate::llm::Delivery::*;
    assert_eq!(asked, [(Streamed, 600), (Whole, 600), (Streamed, 1200)]);
}

#[tokio::test(start_paused = true)]
async fn no_model_no_call() {
    let without = Desk::new(None, support::redactor(), Options::default(), PriceTable::shipped());
    assert_eq!(ask(&without, at(0)).await, Err(NoOpinion::NotConfigured));
    assert_eq!(without.health(at(0)), Health::NotConfigured);
    let model = Script::new([]);
    assert_eq!(ask(&desk(&model, Options { ask: Ask::Never, ..Options::default() }), at(0)).await, Err(NoOpinion::Never));
    assert_eq!(model.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn five_hundred_runs_with_one_cause_cost_one_call() {
    let model = Script::new([]);
    let desk = Arc::new(desk(&model, Options::default()));
    let classification = support::classification();
    let asked = (0..500).map(|_| ask_about(&desk, &classification, at(0)));
    let said: Vec<Opinion> = futures_util::future::join_all(asked).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(model.calls(), 1);
    assert_eq!(said.iter().filter(|opinion| opinion.origin == OpinionOrigin::Cached).count(), 499);
    assert_eq!(said.iter().filter_map(|opinion| opinion.cost_usd).sum::<Usd>(), Usd::new(0.0035));
    assert!(said.iter().all(|opinion| opinion.summary == said[0].summary));
    ask(&desk, at(25 * 3600)).await.unwrap();
    assert_eq!(model.calls(), 2, "an old opinion is asked for anew");
}

fn decided(number: usize, word: Word, action: Option<Action>) -> Precedent {
    Precedent {
        at: at(number as i64),
        incident: IncidentId::new(&"acme-prod".into(), RunId(number as i64)),
        attempt: 1,
        fingerprint: support::classification().fingerprint,
        cause: Cause::Resource,
        rules_said: None,
        word,
        action,
        note: Some(format!("reason {number}")),
        outcome: [None, Some(Outcome::Mended), Some(Outcome::FailedAgain)][number % 3],
    }
}

/// Runs of one cause, one after the other. Each letter is what a person decides once that run's opinion is there: `a` approves, `n` and
/// `e` override with notify and escalate, `d` with notify and another cause, `i` ignores, `h` deals with it by hand, `.` leaves it; the next run's prompt has it in it.
/// `want` are the runs that are asked about, by number.
async fn check_decisions(decisions: &str, want: &[usize]) {
    let model = Script::new([]);
    let desk = desk(&model, Options::default());
    let (evidence, classification) = (support::evidence(), support::classification());
    let (mut alike, mut asked) = (Alike::default(), Vec::new());
    for (number, letter) in decisions.chars().enumerate() {
        let job = JobFacts { name: format!("job_{number}"), ..JobFacts::default() };
        let question = Question {
            evidence: &evidence,
            classification: &classification,
            job: &job,
            attempts: &[],
            alike: &alike,
            occasion: Occasion::Automatic,
        };
        let opinion = desk.opinion(&question, at(number as i64), &mut |_| ()).await.unwrap();
        if opinion.origin == OpinionOrigin::Asked {
            asked.push(number);
        }
        let precedent = match letter {
            'a' => decided(number, Word::Approved, Some(Action::Retry)),
            'n' => decided(number, Word::Overrode, Some(Action::Notify)),
            'e' => decided(number, Word::Overrode, Some(Action::Escalate)),
            'd' => Precedent {
                cause: Cause::Data,
                rules_said: Some(classification.cause),
                ..decided(number, Word::Overrode, Some(Action::Notify))
            },
            'i' => decided(number, Word::Ignored, Some(Action::Ignore)),
            'h' => decided(number, Word::Handled, None),
            _ => continue,
        };
        alike.of_job.insert(0, precedent.clone());
        alike.people.insert(0, precedent);
        (alike.mended, alike.failed_again) = (number as u32, number as u32 / 2);
    }
    assert_eq!((asked.as_slice(), model.calls()), (want, want.len()), "{decisions}");
}

#[tokio::test(start_paused = true)]
async fn who_approves_makes_no_call_and_who_decides_otherwise_makes_one() {
    check_decisions(&"a".repeat(500), &[0]).await;
    check_decisions(&format!("..n{}", ".".repeat(497)), &[0, 3]).await;
    check_decisions(&format!("aan{}", "n".repeat(100)), &[0, 3]).await;
    // Another decision is news; one that is shown again is none, and neither are approvals alone once the overrides are too long ago.
    check_decisions("ne..", &[0, 1, 2]).await;
    check_decisions("ih..", &[0, 1, 2]).await;
    check_decisions("nd..", &[0, 1, 2]).await;
    check_decisions("nnneeennnn..", &[0, 1, 4, 6]).await;
    check_decisions("naaan.", &[0, 1]).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_anew_has_what_people_decided_in_its_prompt() {
    let model = Script::new([]);
    let desk = desk(&model, Options::default());
    ask(&desk, at(0)).await.unwrap();
    let alike = Alike { people: vec![decided(1, Word::Overrode, Some(Action::Notify))], ..Alike::default() };
    let (evidence, classification, job) = (support::evidence(), support::classification(), JobFacts::default());
    let question = Question {
        evidence: &evidence,
        classification: &classification,
        job: &job,
        attempts: &[],
        alike: &alike,
        occasion: Occasion::Automatic,
    };
    desk.opinion(&question, at(2), &mut |_| ()).await.unwrap();
    let seen = model.seen.lock().unwrap();
    let told: Vec<bool> = seen.iter().map(|request| request.messages[1].text.contains("overrode the engine with notify")).collect();
    assert_eq!(told, [false, true]);
}

#[tokio::test(start_paused = true)]
async fn an_opinion_of_another_failure_is_not_taken_over() {
    let model = Script::new([]);
    let desk = desk(&model, Options::default());
    ask(&desk, at(0)).await.unwrap();
    // The same fingerprint over another text: whoever can forge the one shall not inherit the other's opinion.
    let text = crate::domain::evidence::FailureText { error: Some("java.lang.StackOverflowError".to_owned()), ..Default::default() };
    let (evidence, job, alike) = (support::evidence_of(text), JobFacts::default(), Alike::default());
    let classification = Classification { evidence: None, ..support::classification() };
    let question = Question {
        evidence: &evidence,
        classification: &classification,
        job: &job,
        attempts: &[],
        alike: &alike,
        occasion: Occasion::Automatic,
    };
    let opinion = desk.opinion(&question, at(1), &mut |_| ()).await.unwrap();
    assert_eq!((model.calls(), opinion.origin, opinion.grounded), (2, OpinionOrigin::Asked, false));
}

#[tokio::test(start_paused = true)]
async fn money_ends_before_the_day_does() {
    let model = Script::new([]);
    let limits = Limits { daily: Some(Usd::new(0.02)), hourly: None };
    let the_desk = desk(&model, Options { limits, ..Options::default() });
    let mut said = Vec::new();
    for number in 0..10 {
        said.push(ask_nr(&the_desk, number, at(0)).await);
    }
    let spent = the_desk.spent_today(at(0));
    assert!(spent <= Usd::new(0.02) && spent >= Usd::new(0.0035 * 2.0), "{spent}");
    assert_eq!(said[9].as_ref().unwrap_err().to_string(), "not asked: the daily budget of $0.02 is spent until 2025-11-25 00:00:00 UTC");
    let until = at(86_400 - 57_600);
    assert_eq!(the_desk.health(at(1)), Health::Spent { window: "daily", until }, "seen until midnight");
    assert!(matches!(the_desk.health(until), Health::Ok { .. }));
    let again = desk(&model, Options { limits, ..Options::default() });
    again.recall(serde_json::from_str(&serde_json::to_string(&the_desk.memory()).unwrap()).unwrap());
    assert!(matches!(ask_nr(&again, 77, at(1)).await, Err(NoOpinion::BudgetSpent { .. })), "a restart gives no money");
    assert_eq!(ask_nr(&again, 0, at(1)).await.unwrap().origin, OpinionOrigin::Cached, "what is known is free");
    assert!(ask_nr(&again, 77, at(86_400)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_price_that_is_not_known_is_said_and_reckoned_high() {
    struct Unnamed(Arc<Script>);
    #[async_trait::async_trait]
    impl Model for Unnamed {
        fn name(&self) -> &str {
            "our-deployment"
        }
        fn billing(&self) -> crate::llm::model::Billing {
            self.0.billing()
        }
        async fn ask(
            &self,
            request: &crate::llm::Request,
            progress: &mut crate::llm::Progress<'_>,
        ) -> Result<crate::llm::Answer, ModelError> {
            let answer = self.0.ask(request, progress).await?;
            Ok(crate::llm::Answer { model: Some("house-model".to_owned()), tokens: None, ..answer })
        }
    }
    let model: Arc<dyn Model> = Arc::new(Unnamed(Script::new([])));
    let desk = Desk::new(Some(model), support::redactor(), Options::default(), PriceTable::shipped());
    let opinion = ask(&desk, at(0)).await.unwrap();
    assert_eq!((opinion.cost_usd, opinion.tokens.counted), (None, Counted::Estimated));
    assert!(desk.spent_today(at(0)) > Usd::new(0.002), "{}", desk.spent_today(at(0)));
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_not_asked_about_again_and_again() {
    let model = Script::new((0..3).map(|_| failed()));
    let desk = desk(&model, Options::default());
    assert!(ask_nr(&desk, 1, at(0)).await.is_err());
    assert_eq!(model.calls(), 3);
    let said = ask_nr(&desk, 2, at(5)).await.unwrap_err();
    assert_eq!(
        said.to_string(),
        "not asked: the model keeps failing (the model's server failed (500): internal error); next try at 2025-11-24 16:00:31 UTC"
    );
    assert!(matches!(desk.health(at(5)), Health::Down { .. }));
    assert_eq!(model.calls(), 3, "nothing goes out while it is open");
    assert!(ask_nr(&desk, 2, at(40)).await.is_ok(), "the probe");
    assert!(matches!(desk.health(at(41)), Health::Ok { .. }));
    assert!(ask_nr(&desk, 3, at(41)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_probe_given_up_is_followed_by_another() {
    let model = Script::new((0..3).map(|_| failed()).chain([Turn::Stall]));
    let desk = desk(&model, Options::default());
    assert!(ask_nr(&desk, 1, at(0)).await.is_err());
    let probe = tokio::time::timeout(Duration::from_secs(1), ask_nr(&desk, 2, at(40))).await;
    assert!(probe.is_err() && model.calls() == 4);
    assert!(ask_nr(&desk, 3, at(42)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_waited_long_for_a_place_and_had_no_time_left_says_nothing_about_the_server() {
    // Each answer takes 20 of the 30 seconds: who waits for a place has 10 left.
    let late = || Turn::Late(Duration::from_secs(20), Box::new(say(|_| ())));
    let model = Script::new((0..6).map(|_| late()));
    let desk = desk(&model, Options { calls_in_flight_max: 3, ..Options::default() });
    let said = futures_util::future::join_all((0..6).map(|number| ask_nr(&desk, number, at(0)))).await;
    assert_eq!(said.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, true, false, false, false], "{said:?}");
    assert!(matches!(desk.health(at(31)), Health::Ok { .. }));
    assert!(ask_nr(&desk, 7, at(31)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_away_for_long_is_left_alone() {
    let away = |retry_after| Turn::Fail(ModelError::Busy { status: 503, message: "no healthy upstream".to_owned(), retry_after });
    let model = Script::new((0..9).map(|_| away(None)));
    let the_desk = desk(&model, Options::default());
    for (number, calls) in [(1, 3), (2, 3)] {
        assert!(ask_nr(&the_desk, number, at(number as i64 * 10)).await.is_err());
        assert_eq!(model.calls(), calls);
    }
    // One that says when to come back is believed.
    let model = Script::new((0..4).map(|_| away(Some(Duration::from_secs(2)))));
    let the_desk = desk(&model, Options::default());
    assert!(ask_nr(&the_desk, 1, at(0)).await.is_err());
    assert!(ask_nr(&the_desk, 2, at(100)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_limit_reached_anew_while_one_waits_is_kept_to() {
    // The second is told to wait until 5, which the third hears of; then the first, until 14, while the third waits.
    let model = Script::new([Turn::Late(Duration::from_secs(4), Box::new(busy(Some(10)))), busy(Some(5))]);
    let desk = desk(&model, Options::default());
    let started = tokio::time::Instant::now();
    let later = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        ask_nr(&desk, 2, at(1)).await
    };
    let said = tokio::join!(ask_nr(&desk, 0, at(0)), ask_nr(&desk, 1, at(0)), later);
    assert!(said.0.is_ok() && said.1.is_ok() && said.2.is_ok(), "{said:?}");
    let times: Vec<u64> = model.times.lock().unwrap().iter().map(|time| time.duration_since(started).as_secs()).collect();
    assert!(times.len() == 5 && times[2..].iter().all(|second| *second >= 14), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_question_given_up_leaves_nothing_locked() {
    let model = Script::new([Turn::Stall]);
    let desk = desk(&model, Options::default());
    let given_up = tokio::time::timeout(Duration::from_secs(1), ask(&desk, at(0))).await;
    assert!(given_up.is_err());
    assert!(desk.spent_today(at(1)) > Usd::ZERO, "it may have been billed");
    assert!(ask(&desk, at(1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn at_most_so_many_questions_at_once_and_none_waits_for_ever() {
    let model = Script::new((0..20).map(|_| Turn::Stall));
    let desk = desk(&model, Options { calls_in_flight_max: 2, ..Options::default() });
    let started = tokio::time::Instant::now();
    let said = futures_util::future::join_all((0..6).map(|number| ask_nr(&desk, number, at(0)))).await;
    assert!(said.iter().all(Result::is_err));
    assert_eq!((model.calls(), started.elapsed()), (2, Duration::from_secs(30)));
}

#[tokio::test(start_paused = true)]
async fn what_arrives_is_shown_clean() {
    let model = Script::new([Turn::Say("\u{1b}[2Jno \u{202e}json".to_owned())]);
    let desk = desk(&model, Options::default());
    let mut shown = Vec::new();
    let (evidence, job, alike, classification) = (support::evidence(), JobFacts::default(), Alike::default(), support::classification());
    let question = Question {
        evidence: &evidence,
        classification: &classification,
        job: &job,
        attempts: &[],
        alike: &alike,
        occasion: Occasion::Demanded,
    };
    desk.opinion(&question, at(0), &mut |piece| shown.push(piece.to_owned())).await.unwrap();
    assert_eq!((shown[0].as_str(), shown[1].as_str()), ("no json", ""), "an empty piece voids what came before");
    assert!(shown[2].starts_with('{'));
}
