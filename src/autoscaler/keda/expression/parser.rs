//! The grammar of a formula.

use std::ops::Range;

use super::tree::{Expr, Function, Operator};

/// Deeper than any formula that a person reads.
const DEEPEST: usize = 50;

/// Operators from the loosest on; those of one line bind alike.
const LEVELS: [&[(&str, Operator)]; 5] = [
    &[("||", Operator::Or), ("or", Operator::Or)],
    &[("&&", Operator::And), ("and", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::Unequal),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide)],
];

/// The names that a formula uses, each with its place in the text.
pub(super) type Names = Vec<(String, Range<usize>)>;

/// Reads a formula.
///
/// # Errors
/// What is not understood, as a phrase.
pub(super) fn parse(text: &str) -> Result<(Expr, Names), String> {
    let mut parser = Parser { text, at: 0, depth: 0, names: Vec::new() };
    parser.space();
    let root = parser.choice()?;
    match parser.rest() {
        "" => Ok((root, parser.names)),
        _ => Err(parser.unexpected()),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    names: Vec<(String, Range<usize>)>,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, mark: &str) -> bool {
        let is_word = mark.starts_with(char::is_alphabetic);
        let found = match self.rest().strip_prefix(mark) {
            Some(rest) => !is_word || !rest.starts_with(is_part),
            None => false,
        };
        // A power is no product.
        if !found || (mark == "*" && self.rest().starts_with("**")) {
            return false;
        }
        self.at += mark.len();
        self.space();
        true
    }

    fn expect(&mut self, mark: &str) -> Result<(), String> {
        if self.take(mark) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// What stands next, as the end of a message.
    fn unexpected(&self) -> String {
        let end = self.rest().find(char::is_whitespace).unwrap_or(self.rest().len());
        match &self.rest()[..end] {
            "" => "the formula ends where a value is expected".into(),
            word => format!("`{word}` is not simulated in a formula"),
        }
    }

    fn choice(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("the formula is nested too deeply".into());
        }
        let condition = self.operation(0)?;
        let chosen = match self.take("?") {
            true => {
                let yes = self.choice()?;
                self.expect(":")?;
                Expr::Choice(Box::new(condition), Box::new(yes), Box::new(self.choice()?))
            }
            false => condition,
        };
        self.depth -= 1;
        Ok(chosen)
    }

    fn operation(&mut self, level: usize) -> Result<Expr, String> {
        let Some(operators) = LEVELS.get(level) else { return self.signed() };
        let mut left = self.operation(level + 1)?;
        while let Some((_, operator)) = operators.iter().find(|(mark, _)| self.take(mark)) {
            let right = self.operation(level + 1)?;
            left = Expr::Binary(*operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("the formula is nested too deeply".into());
        }
        let signed = if self.take("-") {
            Expr::Negative(Box::new(self.signed()?))
        } else if self.take("+") {
            self.signed()?
        } else if (self.rest().starts_with('!') && self.take("!")) || self.take("not") {
            Expr::Not(Box::new(self.signed()?))
        } else {
            let mut base = self.value()?;
            // Nothing binds tighter.
            while self.take("??") {
                base = Expr::Binary(Operator::Else, Box::new(base), Box::new(self.value()?));
            }
            match self.take("**") || self.take("^") {
                true => Expr::Binary(Operator::Power, Box::new(base), Box::new(self.signed()?)),
                false => base,
            }
        };
        self.depth -= 1;
        Ok(signed)
    }

    fn value(&mut self) -> Result<Expr, String> {
        if self.take("(") {
            let inner = self.choice()?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.take("[") {
            return self.items("]").map(Expr::List);
        }
        if self.take("#") {
            return Ok(Expr::Item);
        }
        let start = self.at;
        if self.rest().starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return self.number();
        }
        let end = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
        let word = &self.rest()[..end];
        if word.is_empty() {
            return Err(self.unexpected());
        }
        self.at += end;
        self.space();
        match word {
            "true" => return Ok(Expr::Truth(true)),
            "false" => return Ok(Expr::Truth(false)),
            "nil" | "let" | "if" | "in" => return Err(format!("`{word}` is not simulated in a formula")),
            _ => {}
        }
        if !self.rest().starts_with('(') {
            self.names.push((word.to_owned(), start..start + word.len()));
            return Ok(Expr::Name(self.names.len() - 1));
        }
        self.call(word)
    }

    fn call(&mut self, name: &str) -> Result<Expr, String> {
        self.expect("(")?;
        if name == "count" {
            let list = self.choice()?;
            self.expect(",")?;
            let braces = self.take("{");
            let condition = self.choice()?;
            if braces {
                self.expect("}")?;
            }
            self.expect(")")?;
            return Ok(Expr::Count(Box::new(list), Box::new(condition)));
        }
        let found = Function::ALL.iter().find(|(known, _)| *known == name);
        let (_, function) = found.ok_or_else(|| format!("`{name}` is not simulated in a formula"))?;
        let mut arguments = self.items(")")?;
        let alone = if arguments.len() == 1 { arguments.pop() } else { None };
        let of = match alone {
            Some(list @ Expr::List(_)) => list,
            Some(one) if function.is_of_list() => Expr::List(vec![one]),
            Some(one) => one,
            None if function.is_of_list() => Expr::List(arguments),
            None => return Err(format!("`{name}` takes one value")),
        };
        Ok(Expr::Call(*function, Box::new(of)))
    }

    /// Values with commas between them up to `end`.
    fn items(&mut self, end: &str) -> Result<Vec<Expr>, String> {
        let mut items = Vec::new();
        while !self.take(end) {
            items.push(self.choice()?);
            if !self.rest().starts_with(end) {
                self.expect(",")?;
            }
        }
        Ok(items)
    }

    fn number(&mut self) -> Result<Expr, String> {
        let is_digit = |c: char| c.is_ascii_digit() || matches!(c, '.' | '_');
        let mut length = self.rest().find(|c| !is_digit(c)).unwrap_or(self.rest().len());
        let tail = &self.rest()[length..];
        if tail.starts_with(['e', 'E']) {
            let sign = usize::from(tail[1..].starts_with(['+', '-']));
            let digits =
                tail[1 + sign..].find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len() - 1 - sign);
            length += if digits > 0 { 1 + sign + digits } else { 0 };
        }
        let written = &self.rest()[..length];
        let number = written.replace('_', "").parse().map_err(|_| format!("`{written}` is no number"))?;
        self.at += length;
        self.space();
        Ok(Expr::Number(number))
    }
}

/// Whether a name may hold it.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}
