//! A formula as a tree: its types, and its value.

/// A part of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Number(f64),
    /// True or false as it is written.
    Truth(bool),
    /// The value of a name, by its position among those of the formula.
    Name(usize),
    /// The item that a condition of a list is about: `#`.
    Item,
    List(Vec<Expr>),
    Negative(Box<Expr>),
    Not(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// Condition, value where it holds, value where not.
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
    Call(Function, Box<Expr>),
    /// How many items of a list meet a condition.
    Count(Box<Expr>, Box<Expr>),
}

/// An operation on two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    Unequal,
    And,
    Or,
    /// The left side unless it is nil: in a simulation it never is.
    Else,
}

/// A function of one value or of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Max,
    Min,
    Sum,
    Mean,
    Median,
    Abs,
    Ceil,
    Floor,
    Round,
    /// `float`: the value as it is.
    Same,
    /// `int`: without what follows the point.
    Whole,
}

/// What a part comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Number,
    Truth,
    List,
}

impl Expr {
    /// What it comes to, where `#` is of type `item`.
    ///
    /// # Errors
    /// A part of it is of another type than what is made of it, as a phrase.
    pub fn kind(&self, item: Option<Type>) -> Result<Type, String> {
        let is = |part: &Expr, wanted: Type, what: &str| match part.kind(item)? {
            found if found == wanted => Ok(()),
            Type::Number => Err(format!("{what} is a number, not {}", wanted.words())),
            Type::Truth => Err(format!("{what} is true or false, not {}", wanted.words())),
            Type::List => Err(format!("{what} is a list, not {}", wanted.words())),
        };
        match self {
            Expr::Number(_) | Expr::Name(_) => Ok(Type::Number),
            Expr::Truth(_) => Ok(Type::Truth),
            Expr::Item => {
                item.ok_or_else(|| "`#` stands for an item within the braces of `count` alone".into())
            }
            Expr::List(items) => {
                items.iter().try_for_each(|part| is(part, Type::Number, "an item of a list"))?;
                Ok(Type::List)
            }
            Expr::Negative(of) => is(of, Type::Number, "what follows `-`").map(|()| Type::Number),
            Expr::Not(of) => is(of, Type::Truth, "what follows `!`").map(|()| Type::Truth),
            Expr::Binary(operator, left, right) => {
                let (sides, result) = operator.types();
                let what = format!("a side of `{}`", operator.text());
                is(left, sides, &what)?;
                is(right, sides, &what)?;
                Ok(result)
            }
            Expr::Choice(condition, yes, no) => {
                is(condition, Type::Truth, "the condition before `?`")?;
                let kind = yes.kind(item)?;
                is(no, kind, "what follows `:`")?;
                Ok(kind)
            }
            Expr::Call(function, of) => {
                let takes = if function.is_of_list() { Type::List } else { Type::Number };
                if let Expr::List(items) = &**of
                    && items.is_empty()
                {
                    return Err(format!("`{}` is of nothing", function.name()));
                }
                is(of, takes, &format!("what `{}` takes", function.name())).map(|()| Type::Number)
            }
            Expr::Count(list, condition) => {
                is(list, Type::List, "what `count` takes")?;
                match condition.kind(Some(Type::Number))? {
                    Type::Truth => Ok(Type::Number),
                    _ => Err("the condition of `count` is not true or false".into()),
                }
            }
        }
    }

    /// Its value; of what is true or false 1 or 0. `names` has nothing for a name that is nil.
    ///
    /// # Errors
    /// It is nil, or something is made of a nil.
    pub fn number(&self, names: &[Option<f64>], item: f64) -> Result<f64, NoNumber> {
        let truth = |truth: bool| Ok(f64::from(u8::from(truth)));
        let of = |part: &Expr| part.number(names, item).map_err(|_| NoNumber::OfNil);
        match self {
            Expr::Number(number) => Ok(*number),
            Expr::Truth(is) => truth(*is),
            Expr::Name(index) => names.get(*index).copied().flatten().ok_or(NoNumber::Nil),
            Expr::Item => Ok(item),
            // No list stands where a number is taken: the types are checked.
            Expr::List(_) => Ok(f64::NAN),
            Expr::Negative(part) => Ok(-of(part)?),
            Expr::Not(part) => truth(of(part)? == 0.0),
            Expr::Binary(Operator::Else, left, right) => match left.number(names, item) {
                Err(NoNumber::Nil) => right.number(names, item),
                found => found,
            },
            Expr::Binary(operator, left, right) => {
                let left = of(left)?;
                let right = || of(right);
                match operator {
                    Operator::Add => Ok(left + right()?),
                    Operator::Subtract => Ok(left - right()?),
                    Operator::Multiply => Ok(left * right()?),
                    Operator::Divide => Ok(left / right()?),
                    Operator::Power => Ok(left.powf(right()?)),
                    Operator::Less => truth(left < right()?),
                    Operator::LessOrEqual => truth(left <= right()?),
                    Operator::Greater => truth(left > right()?),
                    Operator::GreaterOrEqual => truth(left >= right()?),
                    Operator::Equal => truth(left == right()?),
                    Operator::Unequal => truth(left != right()?),
                    Operator::And => truth(left != 0.0 && right()? != 0.0),
                    Operator::Or => truth(left != 0.0 || right()? != 0.0),
                    Operator::Else => Ok(left),
                }
            }
            Expr::Choice(condition, yes, no) => match of(condition)? != 0.0 {
                true => yes.number(names, item),
                false => no.number(names, item),
            },
            Expr::Call(function, part) => Ok(function.of(part.numbers(names, item)?)),
            Expr::Count(list, condition) => {
                let mut count = 0.0;
                for item in list.numbers(names, item)? {
                    let meets = condition.number(names, item).map_err(|_| NoNumber::OfNil)? != 0.0;
                    count += f64::from(u8::from(meets));
                }
                Ok(count)
            }
        }
    }

    /// The items of a list; of a number that one alone.
    fn numbers(&self, names: &[Option<f64>], item: f64) -> Result<Vec<f64>, NoNumber> {
        let of = |part: &Expr| part.number(names, item).map_err(|_| NoNumber::OfNil);
        match self {
            Expr::List(items) => items.iter().map(of).collect(),
            Expr::Choice(condition, yes, no) => match of(condition)? != 0.0 {
                true => yes.numbers(names, item),
                false => no.numbers(names, item),
            },
            other => Ok(vec![of(other)?]),
        }
    }
}

/// Why a formula comes to no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoNumber {
    /// It is nil, as a name that it ends with is.
    Nil,
    /// It makes something of a nil, which is an error.
    OfNil,
}

impl Operator {
    /// What both sides are, and what it comes to.
    fn types(self) -> (Type, Type) {
        match self {
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Power
            | Operator::Else => (Type::Number, Type::Number),
            Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual
            | Operator::Equal
            | Operator::Unequal => (Type::Number, Type::Truth),
            Operator::And | Operator::Or => (Type::Truth, Type::Truth),
        }
    }

    fn text(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Power => "**",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::Equal => "==",
            Operator::Unequal => "!=",
            Operator::And => "&&",
            Operator::Or => "||",
            Operator::Else => "??",
        }
    }
}

impl Function {
    /// Every function by its name.
    pub const ALL: [(&'static str, Function); 11] = [
        ("max", Function::Max),
        ("min", Function::Min),
        ("sum", Function::Sum),
        ("mean", Function::Mean),
        ("median", Function::Median),
        ("abs", Function::Abs),
        ("ceil", Function::Ceil),
        ("floor", Function::Floor),
        ("round", Function::Round),
        ("float", Function::Same),
        ("int", Function::Whole),
    ];

    fn name(self) -> &'static str {
        Function::ALL.iter().find(|(_, function)| *function == self).map_or("", |(name, _)| name)
    }

    /// Whether it takes a list rather than one value.
    pub fn is_of_list(self) -> bool {
        matches!(self, Function::Max | Function::Min | Function::Sum | Function::Mean | Function::Median)
    }

    fn of(self, mut numbers: Vec<f64>) -> f64 {
        let first = numbers.first().copied().unwrap_or(f64::NAN);
        match self {
            Function::Max => numbers.into_iter().fold(f64::NEG_INFINITY, f64::max),
            Function::Min => numbers.into_iter().fold(f64::INFINITY, f64::min),
            Function::Sum => numbers.iter().sum(),
            Function::Mean => numbers.iter().sum::<f64>() / numbers.len() as f64,
            Function::Median => {
                numbers.sort_by(f64::total_cmp);
                let half = numbers.len() / 2;
                match (numbers.get(half), numbers.len() % 2) {
                    (Some(middle), 1) => *middle,
                    (Some(above), _) => f64::midpoint(numbers[half - 1], *above),
                    (None, _) => f64::NAN,
                }
            }
            Function::Abs => first.abs(),
            Function::Ceil => first.ceil(),
            Function::Floor => first.floor(),
            Function::Round => first.round(),
            Function::Same => first,
            Function::Whole => first.trunc(),
        }
    }
}

impl Type {
    fn words(self) -> &'static str {
        match self {
            Type::Number => "a number",
            Type::Truth => "true or false",
            Type::List => "a list",
        }
    }
}
