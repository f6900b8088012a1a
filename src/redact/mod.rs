//! Text -> harmless text. Pure. May import: `domain`.
//! [`control`] takes out what a terminal obeys, [`secrets`] what nobody else may read. Start at `secrets::Redactor`.

pub mod control;
pub mod secrets;
