//! How files of traffic are named and what is said of them, for every command that reads some.

use std::path::PathBuf;

use crate::api::Error as Failure;
use crate::files::{Disk, NamedFile};
use crate::schema::Choice;
use crate::time::Span;
use crate::traffic::{
    Column, FileError, PrefixReuse, Quantity, Reading, Recorded, SeriesChoice, Unit, Wanted, form_names,
    prefix_reuse, read_recordings,
};
use crate::units::parse_span;

/// The files, and what they do not say themselves.
#[derive(Debug, clap::Args)]
pub(super) struct Files {
    /// The files; several are put together by their dates.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The form of the files, instead of the one that their content shows.
    #[arg(long, value_name = "FORM", value_parser = forms())]
    format: Option<String>,
    /// Column or key of the instants: its name, or its number from 1.
    #[arg(long, value_name = "COLUMN")]
    column: Option<String>,
    /// Unit of instants that are numbers.
    #[arg(long, value_name = "UNIT", value_parser = choices::<Unit>())]
    unit: Option<String>,
    /// One of several series by its name, or "sum".
    #[arg(long, value_name = "NAME")]
    series: Option<String>,
    /// What numbers per interval are: requests in it, or requests per second.
    #[arg(long, value_name = "WHAT", value_parser = choices::<Quantity>())]
    values: Option<String>,
    /// Length of an interval, for numbers without times: 1s, 1m.
    #[arg(long, value_name = "DURATION", value_parser = parse_span)]
    interval: Option<Span>,
    /// Column of the tokens of the prompt.
    #[arg(long, value_name = "COLUMN")]
    prompt_tokens: Option<String>,
    /// Column of the tokens of the answer.
    #[arg(long, value_name = "COLUMN")]
    output_tokens: Option<String>,
    /// Column of the time that a request took.
    #[arg(long, value_name = "COLUMN")]
    service_time: Option<String>,
    /// Unit of that time, where the column has none.
    #[arg(long, value_name = "UNIT", value_parser = choices::<Unit>())]
    service_unit: Option<String>,
    /// Refuse the first row that cannot be read, instead of skipping and counting it.
    #[arg(long)]
    strict: bool,
    /// Sort rows whatever their order, instead of refusing what is hours out of it.
    #[arg(long)]
    sort: bool,
}

fn forms() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(form_names().iter().map(|(name, _)| *name))
}

fn choices<T: Choice>() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(T::OPTIONS.iter().map(|(name, ..)| *name))
}

fn chosen<T: Choice + Copy>(name: Option<&String>) -> Option<T> {
    let name = name?;
    T::OPTIONS.iter().find(|(option, ..)| option == name).map(|(_, value, _)| *value)
}

fn column(text: Option<&String>) -> Option<Column> {
    text.map(|text| match text.parse::<usize>() {
        Ok(number) if number > 0 => Column::Number(number),
        _ => Column::Name(text.clone()),
    })
}

impl Files {
    /// What is said of the files.
    pub(super) fn wanted(&self) -> Wanted {
        Wanted {
            format: self.format.clone(),
            column: column(self.column.as_ref()),
            unit: chosen(self.unit.as_ref()),
            series: self.series.as_deref().map(SeriesChoice::of),
            values: chosen(self.values.as_ref()),
            interval: self.interval,
            prompt_tokens: column(self.prompt_tokens.as_ref()),
            output_tokens: column(self.output_tokens.as_ref()),
            service_time: column(self.service_time.as_ref()),
            service_unit: chosen(self.service_unit.as_ref()),
            strict: self.strict,
            strict_tables: false,
            sort: self.sort,
        }
    }

    /// The names of the files, as the user wrote them.
    pub(super) fn shown(&self) -> Vec<String> {
        self.files.iter().map(|path| path.display().to_string()).collect()
    }

    /// Their names without folders, for headlines.
    pub(super) fn names(&self) -> Vec<String> {
        let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
        self.files.iter().filter_map(name).collect()
    }

    /// What a prefix cache finds of the prompts of each file that names the blocks of its content, with its name.
    ///
    /// # Errors
    /// What is wrong with one.
    pub(super) fn prefix_reuse(&self) -> Result<Vec<(String, PrefixReuse)>, Failure> {
        let mut found = Vec::new();
        for (path, shown) in self.files.iter().zip(self.shown()) {
            let file = NamedFile { files: &Disk, path: path.clone(), shown: &shown };
            let reuse = prefix_reuse(&file).map_err(|error| refused(&error))?;
            found.extend(reuse.map(|reuse| (shown, reuse)));
        }
        Ok(found)
    }

    /// Reads them.
    ///
    /// # Errors
    /// What is wrong with one.
    pub(super) fn read(&self) -> Result<(Vec<Reading>, Recorded), Failure> {
        let shown = self.shown();
        let named = self.files.iter().zip(&shown);
        let files: Vec<NamedFile<'_>> =
            named.map(|(path, shown)| NamedFile { files: &Disk, path: path.clone(), shown }).collect();
        read_recordings(&files, &self.wanted()).map_err(|error| refused(&error))
    }
}

/// What is wrong with a file, as a message.
pub(super) fn refused(error: &FileError) -> Failure {
    Failure::bad_input(error.rendered())
}
