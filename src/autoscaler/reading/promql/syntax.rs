//! PromQL as a tree: the grammar of Prometheus' query language, without its evaluation.
//!
//! Written here rather than taken from a crate: the one that is maintained brings a parser generator, a calendar and some
//! forty crates along, for queries of a line or two. What this does not read, a user is asked about; it never guesses.

use super::tokens::{Token, tokens};

/// A query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    /// A number.
    Number(f64),
    /// A text in quotes.
    Text,
    /// Series of a metric by their labels; with a range, in seconds, their samples over it.
    Series { name: String, matchers: Vec<Matcher>, range: Option<f64> },
    /// The same as it was so many seconds ago.
    Offset { of: Box<Expr>, seconds: f64 },
    /// The values of a query over a range, in seconds.
    Subquery { of: Box<Expr>, range: f64 },
    /// A function.
    Call { name: String, arguments: Vec<Expr> },
    /// An aggregation over series: of all, or of those that share what `by` lists.
    Aggregate { name: String, of: Box<Expr>, grouping: Grouping },
    /// An operation on two sides.
    Binary { operator: String, bool: bool, left: Box<Expr>, right: Box<Expr> },
    /// A sign.
    Negative(Box<Expr>),
}

/// A condition on a label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Matcher {
    pub label: String,
    pub value: String,
}

/// How series are grouped.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Grouping {
    /// All together.
    All,
    /// By these labels.
    By(Vec<String>),
    /// By all but these.
    Without(Vec<String>),
}

const AGGREGATIONS: [&str; 13] = [
    "sum",
    "avg",
    "max",
    "min",
    "count",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "quantile",
    "count_values",
    "limitk",
];

/// Operators from the loosest on; those of one line bind alike.
const OPERATORS: [&[&str]; 6] = [
    &["or"],
    &["and", "unless"],
    &["==", "!=", "<=", ">=", "<", ">"],
    &["+", "-"],
    &["*", "/", "%", "atan2"],
    &["^"],
];

/// Deeper than any query that a person reads.
const DEEPEST: usize = 60;

impl Expr {
    /// Whether it is samples over a range rather than values at an instant.
    fn is_range(&self) -> bool {
        match self {
            Expr::Series { range, .. } => range.is_some(),
            Expr::Offset { of, .. } => of.is_range(),
            _ => false,
        }
    }
}

/// Reads a query.
///
/// # Errors
/// What is not understood, as a phrase.
pub(super) fn parse(text: &str) -> Result<Expr, String> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    let expr = parser.operation(0)?;
    match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(format!("`{}` is not expected there", token.text())),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    fn is(&self, text: &str) -> bool {
        self.peek().is_some_and(|token| match token {
            Token::Text(_) => false,
            // Key words are the same in any case of letters.
            Token::Word(word) => word.eq_ignore_ascii_case(text),
            token => token.text() == text,
        })
    }

    fn take(&mut self, text: &str) -> bool {
        let found = self.is(text);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, text: &str) -> Result<(), String> {
        match self.take(text) {
            true => Ok(()),
            false => Err(match self.peek() {
                Some(token) => format!("`{text}` is expected before `{}`", token.text()),
                // Of a list of arguments a comma is one way on, a bracket the other.
                None if text == "," => "`)` is missing at the end".to_owned(),
                None => format!("`{text}` is missing at the end"),
            }),
        }
    }

    fn operation(&mut self, level: usize) -> Result<Expr, String> {
        let Some(operators) = OPERATORS.get(level) else { return self.signed() };
        self.depth += 1;
        if self.depth > DEEPEST * OPERATORS.len() {
            return Err("it is nested too deeply".into());
        }
        let mut left = self.operation(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.is(operator)) {
            self.at += 1;
            let bool = self.take("bool");
            for word in ["on", "ignoring", "group_left", "group_right"] {
                if self.take(word) && self.is("(") {
                    self.labels()?;
                }
            }
            // Powers are taken from the right.
            let right = self.operation(if *operator == "^" { level } else { level + 1 })?;
            let (left_side, right) = (Box::new(left), Box::new(right));
            left = Expr::Binary { operator: (*operator).to_owned(), bool, left: left_side, right };
        }
        self.depth -= 1;
        Ok(left)
    }

    fn signed(&mut self) -> Result<Expr, String> {
        if self.take("-") {
            return Ok(match self.signed_inner()? {
                Expr::Number(number) => Expr::Number(-number),
                other => Expr::Negative(Box::new(other)),
            });
        }
        self.take("+");
        self.signed_inner()
    }

    fn signed_inner(&mut self) -> Result<Expr, String> {
        let mut expr = self.primary()?;
        loop {
            if self.take("[") {
                let range = self.duration()?;
                let is_subquery = self.take(":");
                if is_subquery && !self.is("]") {
                    self.duration()?;
                }
                self.expect("]")?;
                expr = match expr {
                    Expr::Series { name, matchers, range: None } if !is_subquery => {
                        Expr::Series { name, matchers, range: Some(range) }
                    }
                    of if is_subquery => Expr::Subquery { of: Box::new(of), range },
                    _ => return Err("a range is of a metric alone".into()),
                };
            } else if self.take("offset") {
                if !matches!(expr, Expr::Series { .. } | Expr::Subquery { .. }) {
                    return Err("`offset` follows a metric or its range, not what is made of them".into());
                }
                let is_later = self.take("-");
                let seconds = self.duration()? * if is_later { -1.0 } else { 1.0 };
                expr = Expr::Offset { of: Box::new(expr), seconds };
            } else {
                return Ok(expr);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, String> {
        let token = self.peek().ok_or("it ends where a value is expected")?;
        self.at += 1;
        match token {
            Token::Number(number, _) => Ok(Expr::Number(*number)),
            Token::Text(_) => Ok(Expr::Text),
            Token::Mark(mark) if mark == "(" => {
                let inner = self.operation(0)?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Mark(mark) if mark == "{" => {
                self.at -= 1;
                self.series(String::new())
            }
            Token::Word(word) => self.named(word),
            Token::Mark(mark) => Err(format!("`{mark}` is not expected there")),
        }
    }

    /// What begins with a word: an aggregation, a function or a metric.
    fn named(&mut self, word: &str) -> Result<Expr, String> {
        let folded = word.to_ascii_lowercase();
        let is_aggregated = self.is("(") || self.is("by") || self.is("without");
        if let Some(word) = AGGREGATIONS.iter().find(|name| **name == folded).filter(|_| is_aggregated) {
            let before = self.grouping()?;
            let mut arguments = self.arguments()?;
            let after = self.grouping()?;
            let of = Box::new(arguments.pop().ok_or_else(|| format!("`{word}` is of nothing"))?);
            if of.is_range() {
                return Err(format!(
                    "`{word}` takes values at an instant, not over a range: the query is not valid"
                ));
            }
            let grouping = if before == Grouping::All { after } else { before };
            return Ok(Expr::Aggregate { name: (*word).to_owned(), of, grouping });
        }
        match self.is("(") {
            true => Ok(Expr::Call { name: word.to_owned(), arguments: self.arguments()? }),
            false if word.eq_ignore_ascii_case("inf") => Ok(Expr::Number(f64::INFINITY)),
            false if word.eq_ignore_ascii_case("nan") => Ok(Expr::Number(f64::NAN)),
            false => self.series(word.to_owned()),
        }
    }

    fn grouping(&mut self) -> Result<Grouping, String> {
        if self.take("by") {
            return self.labels().map(Grouping::By);
        }
        match self.take("without") {
            true => self.labels().map(Grouping::Without),
            false => Ok(Grouping::All),
        }
    }

    fn labels(&mut self) -> Result<Vec<String>, String> {
        self.expect("(")?;
        let mut labels = Vec::new();
        while !self.take(")") {
            match self.peek() {
                Some(Token::Word(label)) => labels.push(label.clone()),
                _ => return Err("a label is expected".into()),
            }
            self.at += 1;
            if !self.is(")") {
                self.expect(",")?;
            }
        }
        Ok(labels)
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, String> {
        self.expect("(")?;
        let mut arguments = Vec::new();
        while !self.take(")") {
            arguments.push(self.operation(0)?);
            if !self.is(")") {
                self.expect(",")?;
            }
        }
        Ok(arguments)
    }

    fn series(&mut self, mut name: String) -> Result<Expr, String> {
        let mut matchers = Vec::new();
        if self.take("{") {
            while !self.take("}") {
                let label = match self.peek() {
                    Some(Token::Word(label) | Token::Text(label)) => label.clone(),
                    _ => return Err("a label is expected".into()),
                };
                self.at += 1;
                let is_name_alone = self.is(",") || self.is("}");
                if is_name_alone {
                    name = label;
                } else {
                    if !["=", "!=", "=~", "!~"].iter().any(|operator| self.take(operator)) {
                        return Err(format!("a condition on `{label}` is expected"));
                    }
                    let Some(Token::Text(value)) = self.peek() else {
                        return Err(format!("a text in quotes is expected for `{label}`"));
                    };
                    self.at += 1;
                    match label.as_str() {
                        "__name__" => name = value.clone(),
                        _ => matchers.push(Matcher { label, value: value.clone() }),
                    }
                }
                if !self.is("}") {
                    self.expect(",")?;
                }
            }
        }
        Ok(Expr::Series { name, matchers, range: None })
    }

    /// A time, in seconds.
    fn duration(&mut self) -> Result<f64, String> {
        match self.peek() {
            Some(Token::Number(seconds, _)) => {
                self.at += 1;
                Ok(*seconds)
            }
            _ => Err("a time such as 5m is expected".into()),
        }
    }
}
