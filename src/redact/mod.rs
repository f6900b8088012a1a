//! Text -> harmless text. Pure. May import: `domain`.
//! [`control`] takes out what a terminal obeys, [`prose`] what a mail or chat would, [`secrets`] what nobody else may read. Start at `secrets::Redactor`.

pub mod control;
pub mod prose;
pub mod secrets;
