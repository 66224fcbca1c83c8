//! Text of others in messages: what is echoed of it, and how.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Characters that a phrase of a message keeps at most.
pub const PHRASE: usize = 400;

/// Words one of which stands as a key in every file that Kneepoint reads as a document.
const KEYS: [&str; 16] = [
    "arrivals",
    "service",
    "autoscaler",
    "instances",
    "dispatch",
    "client",
    "metrics",
    "sweep",
    "variant",
    "slo",
    "run",
    "kind",
    "apiVersion",
    "spec",
    "applications",
    "deployments",
];

/// Parts of the keys of an autoscaler's manifest, in lower case.
const PARTS: [&str; 5] = ["replica", "scal", "capacity", "policy", "threshold"];

/// Whether a character changes how others are shown: a control character, or one that sets the direction of text.
pub fn controls_display(c: char) -> bool {
    let sets_direction =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || sets_direction
}

/// The text on one line and of at most `longest` characters: what changes how others are shown is written as in a Rust
/// string, what is too long is cut, and said to be.
pub fn shown(text: &str, longest: usize) -> Cow<'_, str> {
    let cut = text.char_indices().nth(longest).map(|(end, _)| end);
    let head = &text[..cut.unwrap_or(text.len())];
    if cut.is_none() && !head.chars().any(controls_display) {
        return Cow::Borrowed(text);
    }
    let mut line = String::with_capacity(head.len());
    for c in head.chars() {
        match c {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push(' '),
            c if controls_display(c) => {
                // Writing into a text cannot fail.
                let _ = write!(line, "\\u{{{:x}}}", u32::from(c));
            }
            c => line.push(c),
        }
    }
    if cut.is_some() {
        let _ = write!(line, "… ({} characters)", text.chars().count());
    }
    Cow::Owned(line)
}

/// Whether `text` is that of a scenario or a manifest, with whatever mistakes: it has one of their keys. Nothing is echoed
/// of what is not, which may be anything: a private key, a file of passwords.
pub fn is_ours(text: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let is_table = rest[..start].ends_with('[');
        rest = &rest[start..];
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let is_key =
            is_table || after.trim_start_matches(['"', '\'', ' ', '\t']).starts_with([':', '=', ']', '.']);
        let folded = || word.to_lowercase();
        if is_key && (KEYS.contains(&word) || PARTS.iter().any(|part| folded().contains(part))) {
            return true;
        }
        rest = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_change_how_others_are_shown_are_told_from_letters_of_any_script() {
        assert!("\0\u{1b}\n\t\u{9b}\u{202e}\u{2066}\u{200f}\u{2028}".chars().all(controls_display));
        assert!(!"a é ß 日本 עברית – „x“ 🚀 \u{200d}".chars().any(controls_display));
    }

    #[test]
    fn what_is_echoed_stays_on_one_line_and_short() {
        assert_eq!(shown("`rate` is 5", 20), "`rate` is 5");
        assert_eq!(shown("x\r\n\u{1b}[31m\0\u{202e}y", 40), "x\\r\\n\\u{1b}[31m\\u{0}\\u{202e}y");
        assert_eq!(shown(&"ö".repeat(50_000), 3), "ööö… (50000 characters)");
    }

    #[test]
    fn a_file_of_another_kind_has_none_of_our_keys() {
        let ours = [
            "[arrivals\nrate = 1",
            "kind: HorizontalPodAutoscaler",
            "{\"PolicyName\": 1}",
            "autoscaler.up = {",
            "  - min_replicas : 3",
        ];
        let others = [
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n-----END-----",
            "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin",
            "API_TOKEN=abc\nDB_PASSWORD = hunter2",
            "ghp_run",
            "",
        ];
        assert!(ours.iter().all(|text| is_ours(text)));
        assert!(!others.iter().any(|text| is_ours(text)));
    }
}
