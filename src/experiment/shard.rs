//! A share of a sweep's runs, for one machine of several.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// Most shards of one sweep.
pub const MOST_SHARDS: u32 = 1_000_000;

/// Which share: written `2/8`, counted from 1, or `1:8`, counted from 0 as job arrays of Kubernetes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// From 0.
    index: u32,
    of: u32,
}

impl Shard {
    /// Every shard of a sweep that is divided into `of`.
    pub fn all(of: u32) -> impl Iterator<Item = Shard> {
        (0..of).map(move |index| Shard { index, of })
    }

    /// The one at `index`, counted from 0, of `of`; `None` if there is none.
    pub fn new(index: u32, of: u32) -> Option<Shard> {
        (index < of && of <= MOST_SHARDS).then_some(Shard { index, of })
    }

    /// Its number, counted from 0.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Into how many the sweep is divided.
    pub fn of(self) -> u32 {
        self.of
    }

    /// The name of its file.
    pub fn file_name(self) -> String {
        format!("shard-{}-of-{}.records", self.index + 1, self.of)
    }

    /// Its part of `count` things in a row: the parts of all shards follow one another, and differ by at most one.
    pub fn part(self, count: u64) -> Range<u64> {
        let begin = |index: u32| {
            u64::try_from(u128::from(count) * u128::from(index) / u128::from(self.of)).unwrap_or(count)
        };
        begin(self.index)..begin(self.index + 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let wrong = || {
            format!(
                "expected I/N, as in 2/8: one of N shards (at most {MOST_SHARDS}), counted from 1; or 1:8, counted from 0"
            )
        };
        let ((index, of), first) = match text.split_once('/') {
            Some(parts) => (parts, 1),
            None => (text.split_once(':').ok_or_else(wrong)?, 0),
        };
        let (index, of): (u32, u32) = (index.parse().map_err(|_| wrong())?, of.parse().map_err(|_| wrong())?);
        let index = index.checked_sub(first).ok_or_else(wrong)?;
        if index >= of || of > MOST_SHARDS {
            return Err(wrong());
        }
        Ok(Shard { index, of })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_written_as_it_is_read() {
        let shard: Shard = "2/8".parse().unwrap();
        assert_eq!(
            (shard.to_string(), shard.file_name()),
            ("2/8".to_owned(), "shard-2-of-8.records".to_owned())
        );
        assert_eq!("1:8".parse(), Ok(shard));
        for wrong in ["", "8:8", "1:", "2", "0/8", "9/8", "-1/8", "1/0", "1/1000001", "a/b", "1/2/3"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
