//! The difference of two texts as a unified diff.

use std::fmt::Write as _;

/// Lines shown around a change.
const CONTEXT: usize = 3;

/// What a line is.
#[derive(Clone, Copy, PartialEq)]
enum Line<'a> {
    Same(&'a str),
    Removed(&'a str),
    Added(&'a str),
}

/// The unified diff from `old` to `new`, with their names; empty if they are the same.
pub fn unified(names: (&str, &str), old: &str, new: &str) -> String {
    let lines = lines(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    let changed = |line: &Line<'_>| !matches!(line, Line::Same(_));
    if !lines.iter().any(changed) {
        return String::new();
    }
    let mut text = format!("--- {}\n+++ {}\n", names.0, names.1);
    let mut at = 0;
    while let Some(first) = (at..lines.len()).find(|index| changed(&lines[*index])) {
        let from = first.saturating_sub(CONTEXT).max(at);
        // A hunk ends where more lines are the same than two contexts show.
        let mut to = first;
        while let Some(next) = (to..lines.len()).find(|index| changed(&lines[*index])) {
            if next > to + 2 * CONTEXT {
                break;
            }
            to = next + 1;
        }
        let to = (to + CONTEXT).min(lines.len());
        push_hunk(&mut text, &lines, from, to);
        at = to;
    }
    text
}

fn push_hunk(text: &mut String, lines: &[Line<'_>], from: usize, to: usize) {
    let count =
        |lines: &[Line<'_>], other: fn(&Line<'_>) -> bool| lines.iter().filter(|line| !other(line)).count();
    let added = |line: &Line<'_>| matches!(line, Line::Added(_));
    let removed = |line: &Line<'_>| matches!(line, Line::Removed(_));
    let (before, hunk) = (&lines[..from], &lines[from..to]);
    let _ = writeln!(
        text,
        "@@ -{},{} +{},{} @@",
        count(before, added) + 1,
        count(hunk, added),
        count(before, removed) + 1,
        count(hunk, removed)
    );
    for line in hunk {
        let (sign, line) = match line {
            Line::Same(line) => (' ', line),
            Line::Removed(line) => ('-', line),
            Line::Added(line) => ('+', line),
        };
        let _ = writeln!(text, "{sign}{line}");
    }
}

/// The lines of both, by a longest common subsequence of what lies between their common ends.
fn lines<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let tail = old[head..].iter().rev().zip(new[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    // Too much to compare line by line: all of it is shown as replaced.
    const MOST: usize = 4_000_000;
    let mut between = Vec::new();
    if a.len().saturating_mul(b.len()) > MOST {
        between.extend(a.iter().map(|line| Line::Removed(line)));
        between.extend(b.iter().map(|line| Line::Added(line)));
    } else {
        let mut longest = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
        for i in (0..a.len()).rev() {
            for j in (0..b.len()).rev() {
                longest[i][j] = match a[i] == b[j] {
                    true => longest[i + 1][j + 1] + 1,
                    false => longest[i + 1][j].max(longest[i][j + 1]),
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < a.len() || j < b.len() {
            if i < a.len() && j < b.len() && a[i] == b[j] {
                between.push(Line::Same(a[i]));
                (i, j) = (i + 1, j + 1);
            } else if i < a.len() && (j == b.len() || longest[i + 1][j] >= longest[i][j + 1]) {
                between.push(Line::Removed(a[i]));
                i += 1;
            } else {
                between.push(Line::Added(b[j]));
                j += 1;
            }
        }
    }
    let same = |lines: &[&'a str]| lines.iter().map(|line| Line::Same(line)).collect::<Vec<_>>();
    [same(&old[..head]), between, same(&old[old.len() - tail..])].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_shown_with_three_lines_around_it_and_hunks_apart() {
        let old: Vec<String> = (1..=30).map(|line| line.to_string()).collect();
        let mut new = old.clone();
        new[4] = "five".into();
        new.insert(25, "more".into());
        let text = unified(("a", "b"), &old.join("\n"), &new.join("\n"));
        let expected = "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n\
                        @@ -23,6 +23,7 @@\n 23\n 24\n 25\n+more\n 26\n 27\n 28\n";
        assert_eq!(text, expected);
        assert_eq!(unified(("a", "b"), "1\n2", "1\n2"), "");
    }

    #[test]
    fn what_a_diff_says_is_what_was_done() {
        // Applied by hand: what is same or added is the new text, what is same or removed the old one.
        for (old, new) in [("a\nb\nc", "b\nc\nd"), ("", "a"), ("a\na\nb", "a\nb\nb"), ("x", "")] {
            let (a, b): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
            let all = lines(&a, &b);
            let of = |keep: fn(&Line<'_>) -> bool| -> Vec<&str> {
                let kept = all.iter().filter(|line| keep(line));
                kept.map(|line| match line {
                    Line::Same(l) | Line::Removed(l) | Line::Added(l) => *l,
                })
                .collect()
            };
            assert_eq!(of(|line| !matches!(line, Line::Added(_))), a);
            assert_eq!(of(|line| !matches!(line, Line::Removed(_))), b);
        }
    }
}
