//! How many bytes were looked at, counted in tests alone: that a hostile text costs no more than a long one is shown by a count, which is
//! the same on every machine.

#[cfg(test)]
thread_local! {
    static LOOKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Said by each step that goes over a stretch of text.
#[inline]
pub fn looked(bytes: usize) {
    #[cfg(test)]
    LOOKED.set(LOOKED.get() + bytes);
    #[cfg(not(test))]
    let _ = bytes;
}

/// The bytes looked at while `work` was done.
#[cfg(test)]
pub fn of<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = LOOKED.get();
    let done = work();
    (LOOKED.get() - before, done)
}
