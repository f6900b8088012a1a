//! Against a real small model.
