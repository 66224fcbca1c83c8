//! What is wrong with a scenario, and where.

use super::Place;

/// One thing wrong with a scenario: where, what, and what would be right.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The place in the file (or the override) that is wrong.
    pub place: Place,
    /// What is wrong, as one phrase without a full stop: "unknown key `intervall` in `[autoscaler]`".
    pub message: String,
    /// Short label under the place itself: "expected a duration such as \"90s\"".
    pub label: String,
    /// Further help, such as the nearest valid name; one line each.
    pub help: Vec<String>,
}

impl Problem {
    /// A problem at `place`; see the fields for the form of `message` and `label`.
    pub fn new(place: &Place, message: impl Into<String>, label: impl Into<String>) -> Self {
        Problem { place: place.clone(), message: message.into(), label: label.into(), help: Vec::new() }
    }

    /// The same problem with a line of help added.
    #[must_use]
    pub fn help(mut self, line: impl Into<String>) -> Self {
        self.help.push(line.into());
        self
    }
}

/// The candidate most like `word`, if one is like enough to be what was meant (Damerau–Levenshtein distance of at
/// most a third of the longer word's length).
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut names = Vec::new();
    candidates.into_iter().for_each(|candidate| names.push(candidate));
    nearest_of(word, &names)
}

/// Compiled once, whatever the candidates come from.
fn nearest_of<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    // Comparing takes the product of both lengths, and no name is that long.
    const LONGEST: usize = 200;
    let word = if word.len() > LONGEST { "" } else { word };
    let folded = word.to_lowercase().replace('-', "_");
    candidates
        .iter()
        .map(|candidate| {
            let like = candidate.to_lowercase().replace('-', "_");
            (strsim::damerau_levenshtein(&folded, &like), *candidate)
        })
        .filter(|_| !word.is_empty())
        .filter(|(distance, candidate)| *distance * 3 <= folded.chars().count().max(candidate.len()).max(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_finds_the_name_and_nonsense_finds_none() {
        let names = ["interval", "window", "scrape_interval"];
        assert_eq!(nearest("intervall", names), Some("interval"));
        assert_eq!(nearest("Scrape-Interval", names), Some("scrape_interval"));
        assert_eq!(nearest("maxReplicas", ["minReplicaCount", "maxReplicaCount"]), Some("maxReplicaCount"));
        assert_eq!(nearest("zzzzzz", names), None);
    }
}
