//! Work on the threads of the current pool.
//!
//! What is parallel is compiled once here, and calls what is to be done: the parts of an iterator that runs in parallel, compiled anew for
//! each of its uses, were a twentieth of the whole program.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

/// What `make` gives for every number below `count`, in their order; each is worked on by itself.
pub fn map<T: Send>(count: usize, make: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let made: Vec<Mutex<Option<T>>> = (0..count).map(|_| Mutex::new(None)).collect();
    each(count, &|number| {
        let value = make(number);
        *made[number].lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    });
    // Every number has been given: a panic in `make` would have come out of `each`.
    made.into_iter().filter_map(|made| made.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

/// Does `work` for every number below `count`.
pub fn each(count: usize, work: &(dyn Fn(usize) + Sync)) {
    (0..count).into_par_iter().with_max_len(1).for_each(work);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_in_parallel_comes_in_order() {
        assert_eq!(
            map(1000, |number| number * number),
            (0..1000).map(|number| number * number).collect::<Vec<_>>()
        );
        assert!(map(0, |number| number).is_empty());
    }
}
