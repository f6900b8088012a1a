//! What the poller finds, what it costs, and what it does not lose: against a workspace with a script ([`world`]), over a real ledger.
//! May import: what `intake` may.

mod finds;
mod history;
mod loses_nothing;
mod world;
