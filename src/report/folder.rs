//! The output folder: every file whole or not at all.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use super::chart::in_reports;
use super::render::{DATA_FORMATS, PICTURE_FORMATS};
use crate::sorting::Sorting as _;

/// Datasets that Kneepoint writes into a folder, and into the folder of each variant, besides the charts.
const DATASETS: [&str; 7] =
    ["backtest", "causes", "comparison", "decisions", "replications", "sweep", "timeline"];

/// Other files that it writes there.
const PAGES: [&str; 3] = ["recommendation.json", "report.html", "summary.json"];

/// What temporary names begin with.
const TEMPORARY: &str = ".kneepoint-";

/// Marks a folder that an earlier command has written into: it is taken away first and put into its place last, so where it
/// is, all other files are of the same run.
const MARK: &str = "summary.json";

/// Marks a folder whose files are being replaced. It stays where the process was killed meanwhile.
const INCOMPLETE: &str = "INCOMPLETE.txt";

/// What that file says.
const INCOMPLETE_TEXT: &str = "A command was stopped while it put its files into this folder: they may be of two runs. \
                               Run it again.\n";

/// Something about the output folder that did not work.
#[derive(Debug)]
pub struct OutputError {
    path: PathBuf,
    what: &'static str,
    why: io::Error,
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} `{}`: {}", self.what, self.path.display(), self.why)
    }
}

impl std::error::Error for OutputError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.why)
    }
}

/// Files on their way into a folder: written under temporary names beside their places, renamed together at the end.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    staged: Vec<(NamedTempFile, PathBuf)>,
}

impl Folder {
    /// Opens `path`, making it if need be, and makes sure that files can be written there.
    ///
    /// # Errors
    /// It cannot be made or written to.
    pub fn open(path: &Path) -> Result<Folder, OutputError> {
        let folder = Folder { path: path.to_owned(), staged: Vec::new() };
        folder.temporary(path)?;
        Ok(folder)
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins the file `name`, which may lie in a folder of its own; it is written through what is returned, and appears
    /// with [`Folder::commit`] if it is given to [`Folder::add`] before.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn begin(&self, name: &str) -> Result<Staged, OutputError> {
        let place = self.path.join(name);
        let file = self.temporary(place.parent().unwrap_or(&self.path))?;
        Ok(Staged { file: BufWriter::new(file), place })
    }

    /// Takes a file that was begun, wholly written.
    ///
    /// # Errors
    /// The last of it cannot be written.
    pub fn add(&mut self, staged: Staged) -> Result<(), OutputError> {
        let Staged { file, place } = staged;
        let file = file.into_inner().map_err(|error| failed(&place, &error.into_error()))?;
        self.staged.push((file, place));
        Ok(())
    }

    /// Writes the file `name`, which may lie in a folder of its own, as `write` says; it appears with [`Folder::commit`].
    ///
    /// # Errors
    /// It cannot be written, for want of room for example; what was there under that name stays.
    pub fn stage(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), OutputError> {
        let mut staged = self.begin(name)?;
        write(&mut staged.file).map_err(|why| staged.failed(why))?;
        self.add(staged)
    }

    /// Puts all files in their places, and removes those that an earlier command left and this one has not written. Killed
    /// at any instant, it leaves no `summary.json` beside files of another run.
    ///
    /// # Errors
    /// One of them cannot be renamed or removed; the rest of those staged is thrown away, and the folder stays marked as
    /// incomplete.
    pub fn commit(mut self) -> Result<(), OutputError> {
        let (incomplete, mark) = (self.path.join(INCOMPLETE), self.path.join(MARK));
        let stale = self.stale();
        self.stage(INCOMPLETE, |out| out.write_all(INCOMPLETE_TEXT.as_bytes()))?;
        // The mark of incompleteness before all others, `summary.json` after them.
        let last = |place: &Path| (place == mark, place != incomplete);
        let mut staged = std::mem::take(&mut self.staged);
        staged.sort_once_by_key(|(_, place)| last(place));
        let mut staged = staged.into_iter();
        let persist = |(file, place): (NamedTempFile, PathBuf)| {
            file.persist(&place).map(drop).map_err(|error| OutputError {
                path: place,
                what: "write",
                why: error.error,
            })
        };
        staged.next().map_or(Ok(()), persist)?;
        for path in std::iter::once(mark.clone()).filter(|mark| mark.is_file()).chain(stale) {
            remove_outdated(path)?;
        }
        staged.try_for_each(persist)?;
        remove_outdated(incomplete)
    }

    /// Removes what a process that was killed has left under temporary names. Only for one that is alone in the folder.
    pub fn remove_temporary(&self) {
        let files = |folder: &Path| {
            std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
        };
        let variants =
            files(&self.path.join("variants")).flat_map(|folder| files(&folder).collect::<Vec<_>>());
        for path in files(&self.path).chain(variants) {
            let name = path.file_name().map(|name| name.to_string_lossy());
            if name.is_some_and(|name| name.starts_with(TEMPORARY)) {
                // One that stays is in nobody's way.
                let _ = std::fs::remove_file(&path);
            }
        }
    }

    /// Files of an earlier command that are not staged: none but where a command has written before.
    fn stale(&self) -> Vec<PathBuf> {
        if ![MARK, INCOMPLETE].iter().any(|mark| self.path.join(mark).is_file()) {
            return Vec::new();
        }
        let variants = std::fs::read_dir(self.path.join("variants")).into_iter().flatten().flatten();
        let folders = std::iter::once(self.path.clone()).chain(variants.map(|entry| entry.path()));
        let names = written_names();
        let known = folders.flat_map(|folder| names.iter().map(move |name| folder.join(name)));
        let known = known.filter(|path| {
            path.file_name().is_none_or(|name| name != MARK) || path.parent() != Some(&self.path)
        });
        known.filter(|path| path.is_file() && !self.staged.iter().any(|(_, place)| place == path)).collect()
    }

    fn temporary(&self, folder: &Path) -> Result<NamedTempFile, OutputError> {
        let failed = |why| OutputError { path: folder.to_owned(), what: "write into", why };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let mut builder = Builder::new();
        builder.prefix(TEMPORARY);
        // A temporary file is private by default; a result is a file like any other.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        builder.tempfile_in(folder).map_err(|why| OutputError {
            path: folder.to_owned(),
            what: "write into",
            // The random name within says nothing.
            why: io::Error::from(why.kind()),
        })
    }
}

/// Removes a file that is not of this run.
fn remove_outdated(path: PathBuf) -> Result<(), OutputError> {
    std::fs::remove_file(&path).map_err(|why| OutputError { path, what: "remove the outdated", why })
}

/// The names of all files that Kneepoint writes into a folder.
fn written_names() -> BTreeSet<String> {
    let pictures = std::iter::once("svg").chain(PICTURE_FORMATS.iter().map(|format| format.extension));
    let charts =
        pictures.flat_map(|extension| in_reports().map(move |chart| format!("{}.{extension}", chart.name)));
    let data = DATA_FORMATS.iter().map(|format| format.extension);
    let datasets = data.flat_map(|extension| DATASETS.map(|name| format!("{name}.{extension}")));
    charts.chain(datasets).chain(PAGES.map(str::to_owned)).collect()
}

/// A file that is being written under a temporary name.
#[derive(Debug)]
pub struct Staged {
    /// Where to write.
    pub file: BufWriter<NamedTempFile>,
    place: PathBuf,
}

impl Staged {
    /// The error of not being able to write it.
    pub fn failed(&self, why: io::Error) -> OutputError {
        failed(&self.place, &why)
    }
}

/// The error of not being able to write `place`. What the error itself says names the temporary file: it is left out.
fn failed(place: &Path, why: &io::Error) -> OutputError {
    OutputError { path: place.to_owned(), what: "write", why: io::Error::from(why.kind()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_appears_before_the_commit_and_everything_after() {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = Folder::open(&dir.path().join("a/b")).unwrap();
        folder.stage("one.txt", |out| out.write_all(b"1")).unwrap();
        folder.stage("deep/two.txt", |out| out.write_all(b"2")).unwrap();
        let path = folder.path().to_owned();
        assert!(!path.join("one.txt").exists());
        folder.commit().unwrap();
        assert_eq!(std::fs::read(path.join("one.txt")).unwrap(), b"1");
        assert_eq!(std::fs::read(path.join("deep/two.txt")).unwrap(), b"2");
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn what_an_earlier_command_left_goes_and_what_is_not_ours_stays() {
        let dir = tempfile::tempdir().unwrap();
        // Two kinds of report have a comparison.
        let names =
            ["summary.json", "comparison.svg", "notes.txt", "variants/1-a/timeline.csv", "variants/1-a/mine"];
        let write = |names: &[&str]| {
            let mut folder = Folder::open(dir.path()).unwrap();
            names.iter().for_each(|name| folder.stage(name, |out| out.write_all(b"1")).unwrap());
            folder.commit().unwrap();
        };
        let there = || names.map(|name| dir.path().join(name).exists());
        write(&names[1..]);
        write(&["report.html"]);
        assert_eq!(there(), [false, true, true, true, true], "no command has written a summary here");
        write(&names);
        write(&["summary.json"]);
        assert_eq!(there(), [true, false, true, false, true]);
    }

    #[test]
    fn a_commit_cut_short_leaves_no_summary_beside_files_of_another_run() {
        let dir = tempfile::tempdir().unwrap();
        let there = |name: &str| dir.path().join(name).exists();
        let write = |names: &[&str], text: &[u8]| {
            let mut folder = Folder::open(dir.path()).unwrap();
            names.iter().for_each(|name| folder.stage(name, |out| out.write_all(text)).unwrap());
            folder.commit()
        };
        let names = ["report.html", "summary.json", "sweep.csv"];
        write(&names, b"old").unwrap();
        // A folder stands where a file has to go: it cannot be replaced.
        std::fs::remove_file(dir.path().join("sweep.csv")).unwrap();
        std::fs::create_dir_all(dir.path().join("sweep.csv/in the way")).unwrap();
        assert!(write(&names, b"new").is_err());
        assert_eq!(std::fs::read(dir.path().join("report.html")).unwrap(), b"new");
        assert!(there(INCOMPLETE) && !there("summary.json"));
        std::fs::remove_dir_all(dir.path().join("sweep.csv")).unwrap();
        write(&["summary.json"], b"newer").unwrap();
        assert!(there("summary.json") && !there(INCOMPLETE) && !there("report.html"));
    }

    #[test]
    fn a_failed_file_leaves_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("one.txt"), b"old").unwrap();
        let mut folder = Folder::open(dir.path()).unwrap();
        let full = |out: &mut dyn Write| {
            out.write_all(b"half")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        };
        let error = folder.stage("one.txt", full).unwrap_err().to_string();
        assert!(error.contains("one.txt") && error.contains("storage"), "{error}");
        drop(folder);
        assert_eq!(std::fs::read(dir.path().join("one.txt")).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
