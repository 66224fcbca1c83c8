//! The instances that may begin something sooner for what waits in a queue that all draw from.

use std::ops::Range;

/// Indices of instances that take turns and are to hear of what waits: those that have begun something since they last did, or
/// had no room for the next in line. So an arrival costs a step for each of them, not for each instance.
#[derive(Debug, Clone, Default)]
pub struct Hearers {
    /// In no order, each once.
    listed: Vec<usize>,
    is_listed: Vec<bool>,
    /// Those that are being called, each of which is off the list.
    called: Vec<usize>,
}

impl Hearers {
    /// Starts anew with these instances, each of which `hears` or not.
    pub fn rebuild(&mut self, hears: impl Iterator<Item = bool>) {
        self.listed.clear();
        self.called.clear();
        self.is_listed.clear();
        self.is_listed.extend(hears);
        self.listed.extend((0..self.is_listed.len()).filter(|index| self.is_listed[*index]));
    }

    /// Lists an instance that `hears`. One that does not is left until it is called.
    #[inline]
    pub fn note(&mut self, index: usize, hears: bool) {
        if hears && !std::mem::replace(&mut self.is_listed[index], true) {
            self.listed.push(index);
        }
    }

    /// Takes those in `range` off the list, to be had by [`Hearers::next_called`].
    pub fn call(&mut self, range: Range<usize>) {
        let (is_listed, called) = (&mut self.is_listed, &mut self.called);
        self.listed.retain(|index| {
            let is_called = range.contains(index);
            if is_called {
                is_listed[*index] = false;
                called.push(*index);
            }
            !is_called
        });
    }

    /// One that is called and has not been had yet.
    pub fn next_called(&mut self) -> Option<usize> {
        self.called.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_hear_are_called_once_and_may_be_listed_again() {
        let mut hearers = Hearers::default();
        hearers.rebuild([true, false, true, true].into_iter());
        hearers.note(1, false);
        hearers.note(0, true);
        let called = |hearers: &mut Hearers, range| {
            hearers.call(range);
            let mut called: Vec<usize> = std::iter::from_fn(|| hearers.next_called()).collect();
            called.sort_unstable();
            called
        };
        assert_eq!(called(&mut hearers, 0..3), [0, 2]);
        hearers.note(1, true);
        hearers.note(2, true);
        assert_eq!(called(&mut hearers, 0..4), [1, 2, 3]);
        assert!(called(&mut hearers, 0..4).is_empty());
    }
}
