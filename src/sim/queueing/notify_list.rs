//! The instances to notify of what waits in a queue that all draw from.

use std::ops::Range;

/// Indices of instances that begin requests only at instants of their own and may respond to a notification: those that have begun
/// something since the last one, or had no room for the next request. An arrival costs a step for each of them, not for each instance.
#[derive(Debug, Clone, Default)]
pub struct NotifyList {
    /// In no order, each once.
    listed: Vec<usize>,
    is_listed: Vec<bool>,
    /// Those that are being called, each of which is off the list.
    called: Vec<usize>,
}

impl NotifyList {
    /// Starts anew with these instances, each of which may respond or not.
    pub fn rebuild(&mut self, may_respond: impl Iterator<Item = bool>) {
        self.listed.clear();
        self.called.clear();
        self.is_listed.clear();
        self.is_listed.extend(may_respond);
        self.listed.extend((0..self.is_listed.len()).filter(|index| self.is_listed[*index]));
    }

    /// Lists an instance if it `may_respond`. One that may not stays on the list until it is next taken off.
    #[inline]
    pub fn note(&mut self, index: usize, may_respond: bool) {
        if may_respond && !std::mem::replace(&mut self.is_listed[index], true) {
            self.listed.push(index);
        }
    }

    /// Takes those in `range` off the list, to be had by [`NotifyList::next_called`].
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
    fn those_that_may_respond_are_called_once_and_may_be_listed_again() {
        let mut notify_list = NotifyList::default();
        notify_list.rebuild([true, false, true, true].into_iter());
        notify_list.note(1, false);
        notify_list.note(0, true);
        let called = |notify_list: &mut NotifyList, range| {
            notify_list.call(range);
            let mut called: Vec<usize> = std::iter::from_fn(|| notify_list.next_called()).collect();
            called.sort_unstable();
            called
        };
        assert_eq!(called(&mut notify_list, 0..3), [0, 2]);
        notify_list.note(1, true);
        notify_list.note(2, true);
        assert_eq!(called(&mut notify_list, 0..4), [1, 2, 3]);
        assert!(called(&mut notify_list, 0..4).is_empty());
    }
}
