//! One call to the model: its money set aside and settled, its mark left on breaker and gate.

use tokio::time::timeout_at;

use crate::domain::classification::{Counted, Tokens};
use crate::domain::money::Usd;
use crate::redact::control::strip_control;

use super::breaker::Pass;
use super::budget::Reserved;
use super::desk::{Desk, Watch};
use super::model::{Answer, Billed, Billing, Model, ModelError, Progress, Request};
use super::price::Price;
use super::prompt;
use super::reason::NoOpinion;

/// What one opinion has used so far.
#[derive(Default)]
pub struct Bill {
    pub tokens: Tokens,
    pub cost: Usd,
    /// A call whose price is not known.
    pub unpriced: bool,
}

/// A call between its reservation and its end. Dropped unfinished, the reservation stays spent and the breaker's probe is given back.
struct Call<'a> {
    desk: &'a Desk,
    reserved: Option<Reserved>,
    pass: Pass,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if self.reserved.take().is_some() {
            self.desk.state().breaker.withdrawn(self.pass);
        }
    }
}

impl Desk {
    /// One call, with its money and its mark on breaker and gate. The outer error ends the question; the inner one may pass.
    pub(super) async fn once(
        &self,
        model: &dyn Model,
        request: &Request,
        watch: Watch,
        bill: &mut Bill,
        progress: &mut Progress<'_>,
    ) -> Result<Result<Answer, ModelError>, NoOpinion> {
        let slow = NoOpinion::TooSlow { limit: self.options.time_max };
        if watch.left().is_zero() {
            return Err(slow);
        }
        let input: u64 = request.messages.iter().map(|message| prompt::tokens(&message.text) + 4).sum();
        let most = Tokens { input, cached: 0, output: u64::from(request.answer_tokens_max), counted: Counted::Estimated };
        let mut call = self.begin(model, &most, watch)?;
        let mut clean = |piece: &str| {
            let piece = strip_control(piece);
            if !piece.is_empty() {
                progress(&piece);
            }
        };
        // Of a call that began late for want of a place, or at a closed gate, silence says nothing.
        let patient = watch.left() * 2 >= self.options.time_max;
        let answered = timeout_at(watch.deadline, model.ask(request, &mut clean)).await;
        let (reserved, pass) = (call.reserved.take(), call.pass);
        let used = used(&answered, &most);
        self.settle(model, reserved, &answered, used, bill);
        let mut state = self.state();
        let now = watch.now();
        match answered {
            Err(_) => {
                if patient {
                    state.breaker.failed(pass, now, &slow.to_string());
                } else {
                    state.breaker.withdrawn(pass);
                }
                Err(slow)
            }
            Ok(Ok(answer)) => {
                state.breaker.succeeded();
                state.gate.note(now, &answer.pace, most.input + most.output);
                Ok(Ok(answer))
            }
            Ok(Err(error)) => {
                match &error {
                    ModelError::Busy { status, retry_after, .. } => {
                        // A server that cannot say when it is back may not come back.
                        if *status >= 500 && retry_after.is_none() {
                            state.breaker.failed(pass, now, &error.to_string());
                        } else {
                            state.breaker.withdrawn(pass);
                        }
                        state.gate.refused(now, *retry_after);
                    }
                    error if error.is_outage() => state.breaker.failed(pass, now, &error.to_string()),
                    // It answered, if not what we wanted.
                    _ => state.breaker.succeeded(),
                }
                Ok(Err(error))
            }
        }
    }

    /// Sets the money for a call aside and passes the breaker.
    fn begin(&self, model: &dyn Model, most: &Tokens, watch: Watch) -> Result<Call<'_>, NoOpinion> {
        let mut state = self.state();
        let now = watch.now();
        let price = self.price(model, state.answered_as.as_deref()).unwrap_or_else(|| self.prices.dearest());
        let reserved = state.budget.reserve(now, &self.options.limits, price.of(most));
        state.refused = reserved.as_ref().err().copied();
        let reserved = reserved.map_err(|spent| NoOpinion::BudgetSpent { window: spent.window, limit: spent.limit, until: spent.until })?;
        match state.breaker.enter(now) {
            Ok(pass) => Ok(Call { desk: self, reserved: Some(reserved), pass }),
            Err(open) => {
                state.budget.settle(reserved, Usd::ZERO);
                Err(NoOpinion::Down { reason: open.reason, until: open.until })
            }
        }
    }

    /// Counts what the call used, at the price of the model that answered.
    fn settle(&self, model: &dyn Model, reserved: Option<Reserved>, answered: &Answered, used: Tokens, bill: &mut Bill) {
        let mut state = self.state();
        if let Ok(Ok(Answer { model: Some(name), .. })) = answered {
            state.answered_as = Some(name.clone());
        }
        let price = self.price(model, state.answered_as.as_deref());
        if let Some(reserved) = reserved {
            state.budget.settle(reserved, price.unwrap_or_else(|| self.prices.dearest()).of(&used));
        }
        bill.tokens += used;
        match price {
            Some(price) => bill.cost += price.of(&used),
            None => bill.unpriced = true,
        }
    }

    /// By the model's own name where it is known, else by the configured one.
    fn price(&self, model: &dyn Model, answered_as: Option<&str>) -> Option<Price> {
        if model.billing() == Billing::Free {
            return Some(Price::FREE);
        }
        let own = answered_as.and_then(|name| self.prices.get(name));
        own.or_else(|| self.prices.get(model.name()))
    }
}

/// What came of a call; the outer error is the limit's end.
type Answered = Result<Result<Answer, ModelError>, tokio::time::error::Elapsed>;

/// By the provider's count; else by what may have been billed, at its highest.
fn used(answered: &Answered, most: &Tokens) -> Tokens {
    match answered {
        Ok(Ok(answer)) => answer.tokens.unwrap_or_else(|| Tokens { output: prompt::tokens(&answer.text), ..*most }),
        Ok(Err(error)) => match error.billed() {
            Billed::Nothing => Tokens::default(),
            Billed::Question => Tokens { output: 0, ..*most },
            Billed::QuestionAndAnswer => *most,
        },
        Err(_) => *most,
    }
}
