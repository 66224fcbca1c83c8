//! Numbers of JSON with all their digits.

use std::borrow::Cow;

/// The text with those numbers quoted that would lose digits as floats: times since 1970 with more than six decimals of a second.
/// As text they keep their nanoseconds.
pub(super) fn exact(text: &[u8]) -> Cow<'_, [u8]> {
    const WHOLE: usize = 9;
    const EXACT: usize = 15;
    let mut out: Vec<u8> = Vec::new();
    let (mut copied, mut at) = (0, 0);
    while at < text.len() {
        match text[at] {
            b'"' => {
                at += 1;
                while at < text.len() && text[at] != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'0'..=b'9' => {
                let digits =
                    |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                let whole = digits(at);
                let point = text.get(at + whole) == Some(&b'.');
                let fraction = if point { digits(at + whole + 1) } else { 0 };
                let end = at + whole + usize::from(point) + fraction;
                let goes_on = matches!(text.get(end), Some(b'e' | b'E' | b'+' | b'-' | b'.'));
                let is_signed = at > 0 && matches!(text[at - 1], b'-' | b'+' | b'e' | b'E');
                if whole >= WHOLE && fraction > 0 && whole + fraction > EXACT && !goes_on && !is_signed {
                    out.extend_from_slice(&text[copied..at]);
                    out.push(b'"');
                    out.extend_from_slice(&text[at..end]);
                    out.push(b'"');
                    copied = end;
                }
                at = end.max(at + 1);
            }
            _ => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.extend_from_slice(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_nanoseconds_are_quoted_and_nothing_else_is() {
        let quoted = |text: &str| String::from_utf8(exact(text.as_bytes()).into_owned()).unwrap();
        assert_eq!(
            quoted("{\"ts\": 1767603600.123456789, \"n\": [1767603600.1234567]}"),
            "{\"ts\": \"1767603600.123456789\", \"n\": [\"1767603600.1234567\"]}"
        );
        for text in [
            "{\"ts\": 1767603600.123}",
            "{\"ts\": 1767603600123456789}",
            "{\"took\": 12.345678901234567}",
            "{\"a\": \"1767603600.123456789\"}",
            "{\"a\": \"\\\"1767603600.123456789\"}",
            "-1767603600.123456789",
            "1767603600.123456789e3",
            "\"open 1767603600.123456789",
            "\"\\",
            "",
        ] {
            assert_eq!(quoted(text), text);
        }
    }
}
