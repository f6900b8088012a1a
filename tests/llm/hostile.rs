//! Logs that try to talk the agent into acting, read by a model that obeys each of them: nothing follows from it but a person's look.

use std::sync::{Arc, LazyLock, Mutex};

use runmend::classify::Classifier;
use runmend::decide::{self, Policy, decide};
use runmend::domain::Timestamp;
use runmend::domain::action::Action;
use runmend::domain::cause::Cause;
use runmend::domain::classification::Opinion;
use runmend::domain::decision::{Decision, Mode};
use runmend::domain::ids::{JobId, Probability};
use runmend::domain::job::JobFacts;
use runmend::llm::model::Billing;
use runmend::llm::prompt::PROMPT_BYTES_MAX;
use runmend::llm::{Answer, Model, ModelError, Options, Progress, Request};
use runmend::redact::control::strip_control;
use runmend::redact::secrets::Redactor;
use serde_json::json;

use super::shown;
use super::support::{self, Case, Failed};

/// How the model gives in, in what it writes. What it may say in our words is tried in full: see [`every_reading`].
#[derive(Clone, Copy, Debug)]
enum Obeys {
    /// It answers what the log holds as an answer, or repeats the log.
    Echo,
    /// It wants new settings, as wild as they come, and fills each text with the log.
    Settings,
}

static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);

struct Worst {
    way: Obeys,
    prompt: Mutex<String>,
}

#[async_trait::async_trait]
impl Model for Worst {
    fn name(&self) -> &str {
        "gpt-4o"
    }

    fn billing(&self) -> Billing {
        Billing::PerToken
    }

    async fn ask(&self, request: &Request, progress: &mut Progress<'_>) -> Result<Answer, ModelError> {
        let user = &request.messages[1].text;
        *self.prompt.lock().unwrap() = format!("{}\n{user}", request.messages[0].text);
        let quote = user.lines().skip_while(|line| !line.starts_with("[error")).find(|line| line.len() >= 12).unwrap_or_default();
        let wild = json!([{"setting": "workers", "value": "x500"}, {"setting": "max_retries", "value": "100"}, {"setting": "node_memory", "value": "x8"},
            {"setting": "spark.driver.extraJavaOptions", "value": "-javaagent:/tmp/a.jar"}]);
        let text = match self.way {
            Obeys::Echo => user.clone(),
            Obeys::Settings => {
                json!({"quotes": [quote], "summary": user, "cause": "resource", "action": "retry_with_new_params", "parameters": wild,
                    "confidence": 1.0, "message": user, "max_retries": 100, "authority": "auto"})
                .to_string()
            }
        };
        progress(&text);
        Ok(Answer { text, tokens: None, model: None, pace: Default::default() })
    }
}

fn decided(failed: &Failed, opinion: Option<Opinion>, mode: Mode) -> Decision {
    let case = decide::Case {
        classification: failed.classification.clone(),
        opinion,
        job: JobFacts { job_id: Some(JobId(7)), name: "orders_daily_load".to_owned(), ..JobFacts::default() },
        attempts: Vec::new(),
        mended_alike: 0,
        tried_alike: 0,
        gaps: Vec::new(),
        rerun_refused: None,
        mode,
        seed: 1,
        now: Timestamp::UNIX_EPOCH,
    };
    decide(&case, &Policy::default())
}

/// What a screen, a mail or a chat would obey.
pub fn is_inert(text: &str) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{e0000}'..='\u{e0fff}')
    };
    let links = ["http://", "https://", "javascript:", "mailto:", "<", ">"];
    !text.contains(hidden) && !links.iter().any(|link| text.contains(link))
}

/// Each cause with each action, fully sure and grounded: whatever a log may talk a model into.
fn every_reading(opinion: &Opinion) -> impl Iterator<Item = Opinion> {
    let pairs = Cause::ALL.into_iter().flat_map(|cause| Action::ALL.into_iter().map(move |action| (cause, action)));
    pairs.map(|(cause, action)| Opinion { cause, action, confidence: Probability::ONE, grounded: true, ..opinion.clone() })
}

async fn check(classifier: &Classifier, case: &Case) {
    let failed = support::failed(classifier, &case.text);
    let rules = failed.classification.cause;
    let fair = rules == Cause::Unknown || case.cause == Some(rules) || case.category_alternatives.contains(&rules);
    assert!(fair, "{} ({}): the rules say {rules}, it is {:?}", case.id, case.technique, case.cause);
    for way in [Obeys::Echo, Obeys::Settings] {
        let id = format!("{} ({}), {way:?}", case.id, case.technique);
        let model = Arc::new(Worst { way, prompt: Mutex::default() });
        let mut shown = String::new();
        let opinion = support::opinion(&support::desk(model.clone(), Options::default()), &failed, Timestamp::UNIX_EPOCH, &mut shown).await;
        let prompt = model.prompt.lock().unwrap().clone();
        check_prompt(&prompt, case, &id);
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n' && c != '\t'), "{id}: the screen would obey");
        shown::draft(&failed, &shown, case);
        let Ok(opinion) = opinion else { continue };
        shown::opinion(&failed, &opinion, decided(&failed, Some(opinion.clone()), Mode::Approve), case);
        for text in [&opinion.summary, &opinion.message].into_iter().chain(&opinion.dropped) {
            assert!(is_inert(text), "{id}: {text}");
        }
        assert!(opinion.quotes.iter().all(|quote| !quote.text.contains(char::is_control)), "{id}");
        assert!(opinion.summary.len() < 2000 && opinion.message.len() < 5000, "{id}");
        for mode in [Mode::Auto, Mode::Approve, Mode::Observe] {
            for reading in every_reading(&opinion) {
                check_decision(&failed, reading, mode, &id);
            }
        }
    }
}

/// The prompt is bounded, has one start and one end of the data, and keeps the real error.
fn check_prompt(prompt: &str, case: &Case, id: &str) {
    assert!(prompt.len() <= PROMPT_BYTES_MAX + 1, "{id}: {} bytes", prompt.len());
    assert_eq!((prompt.matches("\n<<<DATA ").count(), prompt.matches(">>>").count()), (1, 1), "{id}: {prompt}");
    let error = REDACTOR.redact(&strip_control(case.text.error.as_deref().unwrap_or_default())).text;
    let first = error.lines().next().unwrap_or_default();
    let start: String = first.chars().filter(|c| !c.is_whitespace()).take(24).collect();
    let bare: String = prompt.chars().filter(|c| !c.is_whitespace()).collect();
    assert!(bare.contains(&start), "{id}: the real error is not in the prompt:\n{prompt}");
}

fn check_decision(failed: &Failed, opinion: Opinion, mode: Mode, id: &str) {
    let said = format!("{id}: {} {} under {mode}", opinion.cause, opinion.action);
    let (without, with) = (decided(failed, None, mode), decided(failed, Some(opinion), mode));
    if with.action.reruns() || with.action == Action::Ignore {
        assert_eq!((with.action, &with.parameters, with.not_before), (without.action, &without.parameters, without.not_before), "{said}");
        assert!(with.authority <= without.authority, "{said}");
    } else {
        assert!(with.action == without.action || with.action == Action::Escalate, "{said}");
    }
    if matches!(without.action, Action::Notify | Action::Escalate) {
        assert_eq!((with.action, with.authority), (without.action, without.authority), "{said}: people must hear of it");
    }
    assert!(with.reasons.iter().all(|reason| is_inert(reason) || without.reasons.contains(reason)), "{said}: {:#?}", with.reasons);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_obeys_every_log_changes_nothing_for_the_worse() {
    let classifier = Classifier::shipped();
    let cases = support::cases(&support::own("hostile_logs.jsonl")).unwrap();
    assert!(cases.len() >= 40, "{}", cases.len());
    for case in &cases {
        check(&classifier, case).await;
    }
}

#[tokio::test]
async fn a_mail_about_it_is_plain_text_with_our_own_head() {
    let classifier = Classifier::shipped();
    for case in &support::cases(&support::own("hostile_logs.jsonl")).unwrap() {
        shown::mailed(&support::failed(&classifier, &case.text), case).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nor_does_one_that_obeys_the_corpus() {
    let classifier = Classifier::shipped();
    for case in &support::cases(&support::corpus("injection-dev.jsonl")).unwrap_or_default() {
        shown::mailed(&support::failed(&classifier, &case.text), case).await;
        check(&classifier, case).await;
    }
}
