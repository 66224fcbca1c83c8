//! The words, numbers and marks of a query.

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name or a key word.
    Word(String),
    /// A number, or a time in seconds, and how it is written.
    Number(f64, String),
    /// A text in quotes.
    Text(String),
    /// Anything else.
    Mark(String),
}

impl Token {
    /// As it is written.
    pub fn text(&self) -> &str {
        match self {
            Token::Word(text) | Token::Number(_, text) | Token::Text(text) | Token::Mark(text) => text,
        }
    }
}

const MARKS: [&str; 22] = [
    "==", "!=", "<=", ">=", "=~", "!~", "=", "<", ">", "+", "-", "*", "/", "%", "^", "(", ")", "{", "}", "[",
    "]", ",",
];

/// Splits a query.
///
/// # Errors
/// A text that does not end, or a character of no use.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' | '`' => {
                let (value, length) = quoted(rest, first)?;
                tokens.push(Token::Text(value));
                length
            }
            '0'..='9' | '.' => {
                let (token, length) = number(rest)?;
                tokens.push(token);
                length
            }
            // A colon within brackets parts range and step; elsewhere it belongs to a name.
            ':' if matches!(tokens.last(), Some(Token::Number(..))) => {
                tokens.push(Token::Mark(":".into()));
                1
            }
            _ if first.is_alphabetic() || first == '_' || first == ':' => {
                let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
                let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                tokens.push(Token::Word(rest[..length].to_owned()));
                length
            }
            '$' => return Err(variable(rest)),
            _ => {
                let mark = MARKS.iter().find(|mark| rest.starts_with(**mark));
                let mark = mark.ok_or_else(|| format!("`{first}` is not expected there"))?;
                tokens.push(Token::Mark((*mark).to_owned()));
                mark.len()
            }
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// A variable of a dashboard, which nothing fills in where a scaler sends the query.
fn variable(rest: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '$' | '_' | '{' | '}' | ':');
    let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    format!("`{}` is a variable of a dashboard: write what it stands for", &rest[..length])
}

/// A text in quotes at the start of `rest`, and its bytes with the quotes.
fn quoted(rest: &str, quote: char) -> Result<(String, usize), String> {
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if escaped {
            value.push(c);
            escaped = false;
        } else if c == '\\' && quote != '`' {
            escaped = true;
        } else if c == quote {
            return Ok((value, at + c.len_utf8()));
        } else {
            value.push(c);
        }
    }
    Err("a text in quotes does not end".into())
}

/// A number or a time at the start of `rest`, and its bytes.
fn number(rest: &str) -> Result<(Token, usize), String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let mut length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    // The sign of an exponent.
    if rest[..length].ends_with(['e', 'E'])
        && !rest.starts_with("0x")
        && rest[length..].starts_with(['+', '-'])
    {
        let digits =
            rest[length + 1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - length - 1);
        length += 1 + digits;
    }
    let written = &rest[..length];
    let value = written.parse::<f64>().ok().or_else(|| time(written));
    let value = value.ok_or_else(|| format!("`{written}` is no number"))?;
    Ok((Token::Number(value, written.to_owned()), length))
}

/// A time such as `1h30m`, in seconds.
fn time(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 7] = [
        ("ms", 1e-3),
        ("s", 1.0),
        ("m", 60.0),
        ("h", 3600.0),
        ("d", 86_400.0),
        ("w", 604_800.0),
        ("y", 31_536_000.0),
    ];
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: f64 = rest[..digits].parse().ok()?;
        let (unit, factor) = UNITS.iter().find(|(unit, _)| rest[digits..].starts_with(unit))?;
        seconds += count * factor;
        rest = &rest[digits + unit.len()..];
    }
    Some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_times_and_texts_are_told_apart() {
        let found = tokens("sum(rate(vllm:a_total{x=~\"p\\\"q\"}[1m30s])) >= 1.5e+2 # all").unwrap();
        let texts: Vec<&str> = found.iter().map(Token::text).collect();
        let expected = [
            "sum",
            "(",
            "rate",
            "(",
            "vllm:a_total",
            "{",
            "x",
            "=~",
            "p\"q",
            "}",
            "[",
            "1m30s",
            "]",
            ")",
            ")",
            ">=",
            "1.5e+2",
        ];
        assert_eq!(texts, expected);
        assert_eq!(found[11], Token::Number(90.0, "1m30s".into()));
        assert_eq!(found[16], Token::Number(150.0, "1.5e+2".into()));
        for text in ["a \"b", "5x", "a ? b", "1..2"] {
            assert!(tokens(text).is_err(), "{text}");
        }
    }
}
