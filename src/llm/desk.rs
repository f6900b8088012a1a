//! The one object that the agent calls: a question in, an opinion out, or the reason why there is none. Never later than its limit.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex as AsyncMutex, MutexGuard as AsyncMutexGuard, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::domain::Timestamp;
use crate::domain::classification::{Opinion, OpinionOrigin, Quote, Tokens};
use crate::domain::money::Usd;
use crate::redact::secrets::Redactor;

use super::ask::{self, Ask, Occasion};
use super::breaker::Breaker;
use super::budget::{Budget, Limits, Spent};
use super::cache::{self, Cache, Kept, Key};
use super::call::Bill;
use super::grounding;
use super::model::{Answer, Delivery, Message, Model, ModelError, Progress, Request, Role};
use super::pace::Gate;
use super::price::PriceTable;
use super::prompt::{self, EVIDENCE_BYTES_MAX, Prompt, Question};
use super::reason::NoOpinion;
use super::schema;
use super::verdict::{self, Verdict};

/// A verdict is about 150 tokens; one with long quotes 400.
const ANSWER_TOKENS_MAX: u32 = 600;
/// Tries of one question after faults that may pass.
const TRIES_MAX: u32 = 3;
/// First wait between tries; doubles.
const WAIT_FIRST: Duration = Duration::from_millis(500);
/// A wait may be longer by this share, never shorter: questions that failed together do not come back together.
const JITTER: f64 = 0.25;
/// How much of a refused answer is shown back to the model, in characters.
const SHOWN_BACK_MAX: usize = 1500;
/// A prompt that does not fit is made anew with this share, where the server does not say what fits.
const SHRINK: f64 = 0.5;
/// And with a little less than what it says: its tokens are not ours.
const SHRINK_SLACK: f64 = 0.8;

/// What the operator set.
#[derive(Clone, Debug)]
pub struct Options {
    pub ask: Ask,
    pub limits: Limits,
    /// From the question to the opinion, waits and retries included.
    pub time_max: Duration,
    /// How long an opinion is good for failures alike.
    pub cache_age_max: Duration,
    /// Questions in flight at once.
    pub calls_in_flight_max: usize,
    pub delivery: Delivery,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ask: Ask::default(),
            limits: Limits::default(),
            time_max: Duration::from_secs(30),
            cache_age_max: Duration::from_secs(24 * 3600),
            calls_in_flight_max: 4,
            delivery: Delivery::default(),
        }
    }
}

/// How the second opinion stands, for the console's header and for `degraded` / `recovered`.
#[derive(Clone, Debug, PartialEq)]
pub enum Health {
    NotConfigured,
    /// `None`: nothing was asked yet.
    Ok {
        latency: Option<Duration>,
    },
    Limited {
        until: Timestamp,
    },
    /// The last question was not asked for want of money.
    Spent {
        window: &'static str,
        until: Timestamp,
    },
    Down {
        reason: String,
        until: Timestamp,
    },
}

/// What is worth keeping over a restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    pub budget: Budget,
    pub breaker: Breaker,
    pub gate: Gate,
    pub cache: Vec<Kept>,
}

#[derive(Default)]
pub(super) struct State {
    pub budget: Budget,
    pub breaker: Breaker,
    pub gate: Gate,
    cache: Cache,
    /// The model's own name, once it has answered: prices go by it.
    pub answered_as: Option<String>,
    latency: Option<Duration>,
    /// The budget that the last question did not fit.
    pub refused: Option<Spent>,
}

/// Asks one model, within the operator's limits.
///
/// Guarantees: at most `calls_in_flight_max` questions at once; failures alike ask once; no reservation beyond the budget; no answer is
/// taken that is not a verdict; nothing is sent that was not redacted. Dropping the future ends the call; what it reserved counts as spent.
pub struct Desk {
    model: Option<Arc<dyn Model>>,
    redact: Arc<Redactor>,
    pub(super) options: Options,
    pub(super) prices: PriceTable,
    state: Mutex<State>,
    permits: Semaphore,
    /// One lock a question in flight: who asks the same waits for the first one's answer.
    flights: Mutex<HashMap<Key, Weak<AsyncMutex<()>>>>,
    accounting: AsyncMutex<()>,
}

/// The clock of one question: the caller's time, moved on by what has passed since.
#[derive(Clone, Copy)]
pub(super) struct Watch {
    now: Timestamp,
    started: Instant,
    pub deadline: Instant,
}

impl Watch {
    pub fn now(&self) -> Timestamp {
        self.now.checked_add(self.started.elapsed()).unwrap_or(self.now)
    }

    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

impl Desk {
    /// Without a model every question gets [`NoOpinion::NotConfigured`].
    pub fn new(model: Option<Arc<dyn Model>>, redact: Arc<Redactor>, options: Options, prices: PriceTable) -> Self {
        let permits = Semaphore::new(options.calls_in_flight_max.max(1));
        Self {
            model,
            redact,
            options,
            prices,
            state: Mutex::default(),
            permits,
            flights: Mutex::default(),
            accounting: AsyncMutex::default(),
        }
    }

    /// The prompt that [`Self::opinion`] would send.
    pub fn prompt(&self, question: &Question<'_>) -> Prompt {
        Prompt::build(question, &self.redact, EVIDENCE_BYTES_MAX)
    }

    /// An opinion, or why there is none, within `time_max`. `progress` gets the answer's text as it arrives, clean of control characters;
    /// an empty piece says that what came before is void and another try begins.
    pub async fn opinion(&self, question: &Question<'_>, now: Timestamp, progress: &mut Progress<'_>) -> Result<Opinion, NoOpinion> {
        let model = self.model.as_ref().ok_or(NoOpinion::NotConfigured)?;
        ask::wanted(self.options.ask, question.occasion, question.classification)?;
        let started = Instant::now();
        let watch = Watch { now, started, deadline: started + self.options.time_max };
        let key = self.key(question, model.as_ref());
        let flight = self.flight(&key);
        let slow = || NoOpinion::TooSlow { limit: self.options.time_max };
        let _flight = timeout_at(watch.deadline, flight.lock()).await.map_err(|_| slow())?;
        let prompt = self.prompt(question);
        if let Some(said) = self.remembered(&key, &prompt, watch)
            // Who asks by hand wants to know whether it works now.
            && (question.occasion == Occasion::Automatic || matches!(&said, Ok(opinion) if opinion.grounded))
        {
            return said;
        }
        let _permit = timeout_at(watch.deadline, self.permits.acquire()).await.map_err(|_| slow())?;
        let said = self.asked(model.as_ref(), question, prompt, watch, progress).await;
        let mut state = self.state();
        match &said {
            Ok(opinion) => {
                state.latency = Some(watch.started.elapsed());
                state.cache.put(key, watch.now(), Ok(opinion.clone()));
            }
            Err(reason) if reason.is_of_the_question() => state.cache.put(key, watch.now(), said.clone()),
            Err(_) => {}
        }
        said
    }

    pub fn health(&self, now: Timestamp) -> Health {
        if self.model.is_none() {
            return Health::NotConfigured;
        }
        let state = self.state();
        if let Some(open) = state.breaker.open() {
            return Health::Down { reason: open.reason, until: open.until };
        }
        if let Some(spent) = state.refused.filter(|spent| spent.until > now) {
            return Health::Spent { window: spent.window, until: spent.until };
        }
        match state.gate.closed_until(now) {
            Some(until) => Health::Limited { until },
            None => Health::Ok { latency: state.latency },
        }
    }

    /// Spent on opinions since midnight UTC; calls in flight count at their highest.
    pub fn spent_today(&self, now: Timestamp) -> Usd {
        self.state().budget.spent_today(now)
    }

    pub fn limits(&self) -> Limits {
        self.options.limits
    }

    /// For a store. [`Self::recall`] gives it back after a restart: without it the day's budget begins anew.
    pub fn memory(&self) -> Memory {
        let state = self.state();
        Memory { budget: state.budget, breaker: state.breaker.clone(), gate: state.gate.clone(), cache: state.cache.kept() }
    }

    pub fn recall(&self, memory: Memory) {
        let mut state = self.state();
        (state.budget, state.breaker, state.gate) = (memory.budget, memory.breaker, memory.gate);
        state.cache.restore(memory.cache);
    }

    /// Held while this desk's budget and the common account are told of each other: what is told twice counts twice.
    pub async fn accounting(&self) -> AsyncMutexGuard<'_, ()> {
        self.accounting.lock().await
    }

    pub fn budget(&self) -> Budget {
        self.state().budget
    }

    /// `account` is what all who share it have spent, this desk's budget as it was `before` with them.
    pub fn hear_account(&self, before: &Budget, account: &Budget) {
        self.state().budget.hear(before, account);
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, question: &Question<'_>, model: &dyn Model) -> Key {
        Key {
            fingerprint: question.classification.fingerprint.clone(),
            prompt: prompt::id(),
            model: model.name().to_owned(),
            people: cache::otherwise(&question.alike.people),
        }
    }

    fn flight(&self, key: &Key) -> Arc<AsyncMutex<()>> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(key).and_then(Weak::upgrade) {
            return flight;
        }
        flights.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::new(AsyncMutex::new(()));
        flights.insert(key.clone(), Arc::downgrade(&flight));
        flight
    }

    /// What was said of a failure alike, if it holds for this one too: an opinion whose quotes, numbers aside, are not in this evidence
    /// was of another failure, whatever the fingerprint says.
    fn remembered(&self, key: &Key, prompt: &Prompt, watch: Watch) -> Option<Result<Opinion, NoOpinion>> {
        let state = self.state();
        let said = state.cache.get(key, watch.now(), self.options.cache_age_max)?;
        let Ok(opinion) = said else { return Some(said.clone()) };
        if opinion.grounded && !opinion.quotes.iter().all(|quote| grounding::find_alike(&quote.text, &prompt.sent)) {
            return None;
        }
        let latency_ms = millis(watch.started.elapsed());
        Some(Ok(Opinion {
            origin: OpinionOrigin::Cached,
            cost_usd: Some(Usd::ZERO),
            tokens: Tokens::default(),
            latency_ms,
            ..opinion.clone()
        }))
    }

    /// The question, and once more with what was wrong with the answer.
    async fn asked(
        &self,
        model: &dyn Model,
        question: &Question<'_>,
        mut prompt: Prompt,
        watch: Watch,
        progress: &mut Progress<'_>,
    ) -> Result<Opinion, NoOpinion> {
        let mut bill = Bill::default();
        let mut shrunk = false;
        let mut cap = ANSWER_TOKENS_MAX;
        let mut correction: Option<(String, String)> = None;
        loop {
            let messages = with_correction(&prompt, correction.as_ref());
            let request = Request { messages, schema: &schema::VERDICT, answer_tokens_max: cap, delivery: self.options.delivery };
            let answer = match self.tries(model, request, watch, &mut bill, progress).await {
                Ok(answer) => answer,
                Err(NoOpinion::Model(ModelError::TooLong { fits, .. })) if !shrunk => {
                    shrunk = true;
                    let share = fits.map_or(SHRINK, |fits| fits * SHRINK_SLACK);
                    prompt = Prompt::build(question, &self.redact, (EVIDENCE_BYTES_MAX as f64 * share) as usize);
                    continue;
                }
                Err(NoOpinion::Model(ModelError::Truncated { .. })) if cap == ANSWER_TOKENS_MAX => {
                    cap *= 2;
                    progress("");
                    continue;
                }
                Err(reason) => return Err(reason),
            };
            match verdict::read(&answer.text) {
                Ok(verdict) => return Ok(self.opinion_of(verdict, &prompt, answer, model, bill, watch)),
                Err(fault) if correction.is_none() => {
                    let shown: String = answer.text.chars().take(SHOWN_BACK_MAX).collect();
                    correction = Some((shown, fault));
                    progress("");
                }
                Err(fault) => return Err(NoOpinion::Invalid { fault }),
            }
        }
    }

    fn opinion_of(&self, verdict: Verdict, prompt: &Prompt, answer: Answer, model: &dyn Model, bill: Bill, watch: Watch) -> Opinion {
        let quotes: Vec<Quote> =
            verdict.quotes.into_iter().map(|text| Quote { field: grounding::find(&text, &prompt.sent), text }).collect();
        Opinion {
            cause: verdict.cause,
            action: verdict.action,
            confidence: verdict.confidence,
            summary: verdict.summary,
            grounded: !quotes.is_empty() && quotes.iter().all(|quote| quote.field.is_some()),
            model: answer.model.unwrap_or_else(|| model.name().to_owned()),
            parameters: verdict.parameters,
            dropped: verdict.dropped,
            quotes,
            message: verdict.message,
            tokens: bill.tokens,
            cost_usd: (!bill.unpriced).then_some(bill.cost),
            latency_ms: millis(watch.started.elapsed()),
            prompt: prompt::id(),
            origin: OpinionOrigin::Asked,
        }
    }

    /// One request, again after faults that may pass, as long as there is time.
    async fn tries(
        &self,
        model: &dyn Model,
        mut request: Request,
        watch: Watch,
        bill: &mut Bill,
        progress: &mut Progress<'_>,
    ) -> Result<Answer, NoOpinion> {
        let mut tries = 0;
        loop {
            tries += 1;
            self.pass_gate(watch).await?;
            let error = match self.once(model, &request, watch, bill, progress).await? {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let wait = match &error {
                ModelError::Busy { retry_after: Some(wait), .. } => *wait,
                _ => WAIT_FIRST * 2u32.pow(tries - 1),
            };
            let wait = wait.mul_f64(1.0 + JITTER * jitter(&request, tries));
            let more = error.is_transient() && tries < TRIES_MAX && self.state().breaker.open().is_none();
            if !more {
                return Err(error.into());
            }
            if wait >= watch.left() {
                return Err(match self.state().gate.closed_until(watch.now()) {
                    Some(until) => NoOpinion::RateLimited { until },
                    None => error.into(),
                });
            }
            // A stream that broke is asked for whole: fewer ways to break.
            if matches!(error, ModelError::Lost { .. } | ModelError::Malformed { .. }) {
                request.delivery = Delivery::Whole;
            }
            progress("");
            tokio::time::sleep(wait).await;
        }
    }

    /// Waits where the server's limit passes in time; else says until when it holds. It may have been reached once more meanwhile.
    async fn pass_gate(&self, watch: Watch) -> Result<(), NoOpinion> {
        loop {
            let (wait, until) = {
                let state = self.state();
                let now = watch.now();
                (state.gate.wait(now), state.gate.closed_until(now))
            };
            match until {
                Some(until) if wait >= watch.left() => return Err(NoOpinion::RateLimited { until }),
                Some(_) => tokio::time::sleep(wait).await,
                None => return Ok(()),
            }
        }
    }
}

/// The prompt, and after an answer that was no verdict, that answer and what was wrong with it.
fn with_correction(prompt: &Prompt, correction: Option<&(String, String)>) -> Vec<Message> {
    let mut messages = prompt.messages();
    if let Some((answer, fault)) = correction {
        messages.push(Message { role: Role::Assistant, text: answer.clone() });
        let text = format!("That was refused: {fault}. Answer again with the one JSON object, its keys and words as asked.");
        messages.push(Message { role: Role::User, text });
    }
    messages
}

/// From 0 to 1: another one for each question and try, the same for the same.
fn jitter(request: &Request, tries: u32) -> f64 {
    let mut hasher = std::hash::DefaultHasher::new();
    request.messages.iter().for_each(|message| message.text.hash(&mut hasher));
    tries.hash(&mut hasher);
    f64::from((hasher.finish() >> 32) as u32) / f64::from(u32::MAX)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
