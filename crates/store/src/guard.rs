//! Work of a library that may panic on bytes that are not ours: its panic is an answer, not the end of a run.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Does the work; `None` if it panicked.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    let outer = GUARDED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work)).ok();
    GUARDED.set(outer);
    done
}

/// From now on a panic that is caught here and becomes an error is not printed as well. For the start of a program.
pub fn quiet_guarded_panics() {
    let print = take_hook();
    set_hook(Box::new(move |info| {
        if !GUARDED.get() {
            print(info);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn a_panic_is_an_answer() {
        assert_eq!(guarded(|| 1), Some(1));
        assert_eq!(guarded(|| if std::hint::black_box(true) { panic!("no") } else { 1 }), None);
        assert_eq!(guarded(|| guarded(|| 2)), Some(Some(2)));
    }
}
