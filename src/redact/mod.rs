//! Text -> text without secrets. Pure. May import: `domain`.
//! The control-sequence filter stands here too: both make hostile text harmless before it goes anywhere.

pub mod control;
