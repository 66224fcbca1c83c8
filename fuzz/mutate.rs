//! Damaged copies of texts that are right, as they come from editors, exports and cut connections, and worse.

/// Random numbers of one input: SplitMix64, so that an input is known by its number.
pub struct Draw(u64);

impl Draw {
    /// The numbers of input `number` of a target under a seed.
    pub fn of(seed: u64, target: u64, number: u64) -> Draw {
        let mut draw = Draw(seed ^ target.rotate_left(48) ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        draw.next();
        draw
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `below`, or 0.
    pub fn below(&mut self, below: usize) -> usize {
        (self.next() % below.max(1) as u64) as usize
    }
}

/// What takes the place of a word, or is put beside it.
const NASTY: &[&str] = &[
    "",
    "0",
    "-0",
    "-1",
    "1",
    "2",
    "0.1",
    "1e308",
    "-1e-308",
    "1e400",
    "5e-324",
    "nan",
    "NaN",
    "inf",
    "-Infinity",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "99999999999999999999999999999999999999999",
    "0x7f",
    "1_000",
    "1,5",
    "true",
    "null",
    "~",
    "\"\"",
    "\"0s\"",
    "\"1ns\"",
    "36500d",
    "-5m",
    "1h 30m",
    "1.4285714285714286s",
    "500m",
    "8Ei",
    "[]",
    "{}",
    "[[]]",
    "\"",
    "'",
    "=",
    ":",
    ",",
    ";",
    "\t",
    "[",
    "}",
    "#",
    "&a",
    "*a",
    "!!binary",
    "---",
    "|",
    "\\u0000",
    "\0",
    "\u{1b}[31m",
    "\u{202e}",
    "\u{feff}",
    "\u{2028}",
    "漢字",
    "é",
    "🚀",
    "1970-01-01",
    "2026-02-30T25:61:61Z",
    "9999-12-31T23:59:59.999999999+23:59",
    "1763596800",
    "1763596800000",
    "*/0",
    "60",
    "mon-sun",
    "a.b",
    "../x",
    "\r\n",
    "\n",
    "\n\n",
];

/// A copy of one of `seeds` with one to four things done to it, of at most `longest` bytes.
pub fn mutated(seeds: &[Vec<u8>], words: &[Vec<u8>], longest: usize, draw: &mut Draw) -> Vec<u8> {
    let mut text = seeds.get(draw.below(seeds.len())).cloned().unwrap_or_default();
    for _ in 0..=draw.below(4) {
        once(&mut text, seeds, words, draw);
        text.truncate(longest);
    }
    text
}

fn once(text: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[Vec<u8>], draw: &mut Draw) {
    let at = draw.below(text.len() + 1);
    let end = (at + draw.below(40)).min(text.len());
    match draw.below(14) {
        0 => {
            if let Some(byte) = text.get_mut(at) {
                *byte ^= 1 << draw.below(8);
            }
        }
        1 => text.insert(at, draw.next() as u8),
        2 => drop(text.drain(at..end)),
        3 => {
            let piece = text[at..end].to_vec();
            let times = 1 + draw.below(3);
            drop(text.splice(at..at, piece.repeat(times)));
        }
        // The start of one text and the end of another.
        4 => {
            let other = &seeds[draw.below(seeds.len())];
            let from = draw.below(other.len() + 1);
            text.truncate(at);
            text.extend_from_slice(&other[from..]);
        }
        // Two words change places.
        5 => {
            let (one, two) = (word_at(text, at), word_at(text, draw.below(text.len() + 1)));
            let (first, second) = if one.start <= two.start { (one, two) } else { (two, one) };
            if first.end <= second.start {
                let (a, b) = (text[first.clone()].to_vec(), text[second.clone()].to_vec());
                drop(text.splice(second, a));
                drop(text.splice(first, b));
            }
        }
        // Nesting that is deep, or a line that is long.
        6 => {
            let piece: &[u8] =
                [b"[".as_slice(), b"{", b"- ", b"a.", b"(", b"x", b"9", b"{\"a\":", b"[[", b"  "]
                    [draw.below(10)];
            drop(text.splice(at..at, piece.repeat(1 + draw.below(200))));
        }
        // A line comes again, or is gone.
        7 | 8 => {
            let start = text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |found| found + 1);
            let stop =
                text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |found| at + found + 1);
            let line = text[start..stop].to_vec();
            match draw.below(2) {
                0 => drop(text.drain(start..stop)),
                _ => drop(text.splice(start..start, line)),
            }
        }
        9 => text.truncate(at),
        10 if !words.is_empty() => {
            let word = word_at(text, at);
            let other = words[draw.below(words.len())].clone();
            drop(text.splice(word, other));
        }
        _ => {
            let word = word_at(text, at);
            let nasty = NASTY[draw.below(NASTY.len())].as_bytes().to_vec();
            drop(text.splice(word, nasty));
        }
    }
}

/// The word around a place; empty between words.
fn word_at(text: &[u8], at: usize) -> std::ops::Range<usize> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'+');
    let start = text[..at].iter().rposition(|byte| !is_word(byte)).map_or(0, |found| found + 1);
    let end = text[at..].iter().position(|byte| !is_word(byte)).map_or(text.len(), |found| at + found);
    start..end
}

/// The words of all texts, each once.
pub fn words(seeds: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'+');
    let all = seeds.iter().flat_map(|seed| seed.split(|byte| !is_word(byte)));
    let mut words: Vec<Vec<u8>> = all.filter(|word| !word.is_empty()).map(<[u8]>::to_vec).collect();
    words.sort_unstable();
    words.dedup();
    words
}
