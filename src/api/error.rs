//! The one error type of the crate.

use std::fmt;

use crate::document::shown::{PHRASE, shown};
use crate::document::{LineColumn, Span, excerpt};
use crate::experiment::RunError;
use crate::scenario::ScenarioError;

/// What went wrong, with a message that a user can act on.
///
/// One opaque type for everything that can fail: a caller most often shows the message, sometimes tells the
/// [kinds](Error::kind) apart, and sometimes marks the [place](Error::location) in an editor. More can be added to it
/// without breaking anyone.
///
/// ```
/// use kneepoint::Scenario;
/// use kneepoint::error::ErrorKind;
///
/// let mut scenario = Scenario::load("scenarios/quickstart.toml")?;
/// scenario.set("arrivals.kind", "poison")?;
/// let error = scenario.points().unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::BadInput);
///
/// let error = Scenario::parse("[arrivals]\nrate = 1 2\n").unwrap_err();
/// let place = error.location().unwrap();
/// assert_eq!((place.file.as_str(), place.line), ("scenario.toml", 2));
/// # Ok::<(), kneepoint::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: ErrorKind,
    location: Option<Location>,
    message: Message,
}

#[derive(Debug, Clone)]
enum Message {
    /// With the lines of the file that it is about, which are coloured on a terminal.
    Scenario(ScenarioError),
    Text(String),
}

/// What kind of thing went wrong.
///
/// ```
/// use kneepoint::Scenario;
/// use kneepoint::error::ErrorKind;
///
/// assert_eq!(Scenario::load("no-such-file.toml").unwrap_err().kind(), ErrorKind::BadInput);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A scenario, a file that it names, or an argument is wrong: exit status 2 of the command.
    BadInput,
    /// The work could not be done: exit status 1 of the command.
    CouldNot,
    /// The work was cancelled before anything of it had finished.
    Cancelled,
}

/// A place in a file.
///
/// ```
/// let error = kneepoint::Scenario::parse("[arrivals]\nkind = \"poisson\"\nrate = 8 9").unwrap_err();
/// assert_eq!(error.location().map(|place| place.line), Some(3));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Location {
    /// The file, as it was named.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// The character within the line, from 1.
    pub column: usize,
}

impl Error {
    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The place that is wrong; `None` where it is a whole file, or none.
    pub fn location(&self) -> Option<&Location> {
        self.0.location.as_ref()
    }

    /// The message with the lines of the file that it is about, with the colours of a terminal. [`Display`](fmt::Display)
    /// gives it without.
    pub fn in_colour(&self) -> String {
        self.render(true)
    }

    fn render(&self, colour: bool) -> String {
        match &self.0.message {
            Message::Scenario(error) => error.render(colour),
            Message::Text(text) => text.clone(),
        }
    }

    pub(crate) fn bad_input(message: impl fmt::Display) -> Error {
        Error::new(ErrorKind::BadInput, message.to_string())
    }

    pub(crate) fn could_not(message: impl fmt::Display) -> Error {
        Error::new(ErrorKind::CouldNot, format!("error: {message}"))
    }

    pub(crate) fn cancelled(before: &str) -> Error {
        Error::new(ErrorKind::Cancelled, format!("error: stopped before {before}"))
    }

    /// The runs of what is called `name`, where there are several, came to nothing.
    pub(crate) fn of_run(error: &RunError, name: Option<&str>) -> Error {
        let name = name.map_or_else(String::new, |name| format!("{name}: "));
        Error::could_not(format!("{name}{error}"))
    }

    /// What is wrong with a line of a file.
    pub(crate) fn at_line(file: &str, line: usize, message: &str) -> Error {
        let (message, path) = (shown(message, PHRASE), shown(file, PHRASE));
        let mut error = Error::bad_input(format!("error: {message}\n  --> {path}:{line}"));
        error.0.location = Some(Location { file: file.to_owned(), line, column: 1 });
        error
    }

    /// What is wrong with a cell of a file, or with a part of a line, whose text is shown.
    pub(crate) fn at_place(place: &Span, message: &str, label: &str) -> Error {
        let mut error = Error::bad_input(excerpt::rendered(message, place, label, None));
        let LineColumn { line, column } = place.line_column();
        error.0.location = Some(Location { file: place.source.name().to_owned(), line, column });
        error
    }

    fn new(kind: ErrorKind, message: String) -> Error {
        Error(Box::new(Inner { kind, location: None, message: Message::Text(message) }))
    }
}

impl From<ScenarioError> for Error {
    fn from(error: ScenarioError) -> Error {
        let location = error.location().map(|(file, line, column)| Location { file, line, column });
        Error(Box::new(Inner { kind: ErrorKind::BadInput, location, message: Message::Scenario(error) }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Error {}
