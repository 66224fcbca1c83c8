//! What a report says in sentences, as data.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::experiment::SloVerdict;
use crate::stats::Estimate;

/// One thing that a report says: which, with which numbers, and in words.
///
/// The identifier and the facts are for programs, and stay when the words change. The words are made in
/// [`sentences`](super::sentences), and nowhere else.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statement {
    /// Which statement it is: `sweep.knee`.
    pub id: &'static str,
    /// What it rests on, by name; figures by the name of the figure.
    #[serde(skip_serializing_if = "Facts::is_empty")]
    pub facts: Facts,
    /// The sentence.
    pub text: String,
}

impl Statement {
    /// A statement without facts.
    pub fn plain(id: &'static str, text: impl Into<String>) -> Statement {
        Statement { id, facts: Facts::default(), text: text.into() }
    }

    /// The same statement with one fact more.
    #[must_use]
    pub fn with(mut self, name: &'static str, fact: impl Into<Fact>) -> Statement {
        self.facts.0.push((name, fact.into()));
        self
    }
}

/// What a statement rests on, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts(Vec<(&'static str, Fact)>);

impl Facts {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fact called `name`.
    #[cfg(feature = "internals")]
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, fact)| fact)
    }
}

impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(name, fact)| map.serialize_entry(name, fact))?;
        map.end()
    }
}

/// Something that a statement rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Fact {
    /// A figure with its interval.
    Estimate(Estimate),
    /// A number.
    Number(f64),
    /// A number of things.
    Count(u64),
    /// True or false.
    Flag(bool),
    /// A name.
    Name(String),
}

impl From<Estimate> for Fact {
    fn from(estimate: Estimate) -> Fact {
        Fact::Estimate(estimate)
    }
}

impl From<f64> for Fact {
    fn from(number: f64) -> Fact {
        Fact::Number(number)
    }
}

impl From<usize> for Fact {
    fn from(count: usize) -> Fact {
        Fact::Count(count as u64)
    }
}

impl From<u32> for Fact {
    fn from(count: u32) -> Fact {
        Fact::Count(count.into())
    }
}

impl From<bool> for Fact {
    fn from(flag: bool) -> Fact {
        Fact::Flag(flag)
    }
}

impl From<&str> for Fact {
    fn from(name: &str) -> Fact {
        Fact::Name(name.to_owned())
    }
}

/// Whether what was promised is kept, in one sentence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PromiseVerdict {
    /// Whether it is.
    pub kept: SloVerdict,
    /// The sentence, with what it rests on.
    #[serde(flatten)]
    pub statement: Statement,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_data_with_its_words() {
        let statement =
            Statement::plain("sweep.knee", "The knee.").with("point", 3_usize).with("name", "spot");
        let json = serde_json::to_value(&statement).unwrap();
        let expected = serde_json::json!({
            "id": "sweep.knee", "facts": { "point": 3, "name": "spot" }, "text": "The knee."
        });
        assert_eq!(json, expected);
        assert_eq!(
            serde_json::to_value(Statement::plain("a", "b")).unwrap(),
            serde_json::json!({"id": "a", "text": "b"})
        );
        assert_eq!(statement.facts.get("point"), Some(&Fact::Count(3)));
    }
}
