use std::path::Path;

use super::*;
use crate::files::{Disk, Memory, NamedFile};

fn file<'a>(folder: &Path, shown: &'a str) -> NamedFile<'a> {
    NamedFile { files: &Disk, path: folder.join(shown), shown }
}

fn timestamps(folder: &Path, column: Column) -> Result<Trace, FileError> {
    let columns = TraceColumns::timestamps(column, Unit::Seconds, false);
    read_trace(&file(folder, "t.csv"), &columns)
}

fn shown(error: &FileError) -> String {
    let help = error.help.as_ref().map(|line| format!(" | {line}")).unwrap_or_default();
    format!("{} | {}{help}", error.message, error.label)
}

fn folder_with(content: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), content).unwrap();
    folder
}

const ROW: &str = "expected a number or a date and time";

#[test]
fn a_broken_trace_is_refused_with_its_file_line_column_and_what_was_expected() {
    let first = Column::Number(1);
    let named = |name: &str| Column::Name(name.into());
    let cases: Vec<(&[u8], Column, String)> = vec![
        (b"", first.clone(), "`t.csv` is empty | expected a CSV file".into()),
        (b"\n\r\n\n", first.clone(), "`t.csv` has no rows | expected at least one row with a number or a date and time".into()),
        (b"when\n", first.clone(), "`t.csv` has no rows | expected at least one row with a number or a date and time".into()),
        (b"when\n1\nsoon\n", first.clone(), format!("`t.csv`, line 3, column `when` is `soon` | {ROW}")),
        (b"when,n\r\n1,a\r\n2,b\r\n,c\r\n", first.clone(), format!("`t.csv`, line 4, column `when` is empty | {ROW}")),
        (b"1,a\n\n2;b\n", first.clone(), format!("`t.csv`, line 3, column 1 is `2;b` | {ROW}")),
        (b"\xef\xbb\xbfwhen\n\n1\n\nx\n", first.clone(), format!("`t.csv`, line 5, column `when` is `x` | {ROW}")),
        (b"n,when\na,1\nb\n", named("when"), format!("`t.csv`, line 3, column `when` is empty | {ROW}")),
        (b"when\nNaN\n", first.clone(), format!("`t.csv`, line 2, column `when` is `NaN` | {ROW}")),
        (b"when\n2023-02-30 10:00:00\n", first.clone(), format!("`t.csv`, line 2, column `when` is `2023-02-30 10:00:00` | {ROW}")),
        (
            b"when\r\n5\r\n7\r\n6\r\n",
            first.clone(),
            "`t.csv`, line 4, column `when`: `6` comes before the row above it | expected ascending order | \
             set `sort = true` to have the rows sorted"
                .into(),
        ),
        (
            b"TIMESTAMP,n\n1,2\n",
            named("TIMESTMP"),
            "`t.csv` has no column `TIMESTMP` | expected a column among `TIMESTAMP`, `n` | did you mean `TIMESTAMP`?".into(),
        ),
        (b"when,n\n1,2\n", Column::Number(3), "`t.csv`, line 1 has 2 columns | expected a column 3".into()),
        (
            b"1,2\n3,4\n",
            named("when"),
            "`t.csv` has no header line | expected a header that names the column `when` | give the column by its number, from 1".into(),
        ),
        (b"when\n1\n\xff\xfe\n", first.clone(), "`t.csv`, line 3 is not UTF-8 text | expected a CSV file in UTF-8".into()),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
            first.clone(),
            "`t.csv` is a Git LFS pointer, not the data itself | expected a CSV file | fetch the data with `git lfs pull`".into(),
        ),
        (
            b"\x1f\x8b\x08\x00\x00",
            first.clone(),
            "`t.csv` cannot be read: its gzip stream is cut off before its end | expected a readable file".into(),
        ),
        (
            b"PK\x03\x04\x14",
            first.clone(),
            "`t.csv` is packed with zip | expected the unpacked CSV file | unpack it first: unzip t.csv".into(),
        ),
        (
            b"when\n0\n9e12\n",
            first.clone(),
            "`t.csv` spans more than 100 years | expected timestamps of one trace | \
             check the unit of the timestamps: `unit` is \"s\", \"ms\", \"us\" or \"ns\""
                .into(),
        ),
        (
            b"when\nthis is a very long line of plain text that nobody wants to read whole\n",
            first,
            format!("`t.csv`, line 2, column `when` is `this is a very long line… (70 characters)` | {ROW}"),
        ),
    ];
    for (content, column, expected) in cases {
        let folder = folder_with(content);
        let error = timestamps(folder.path(), column).expect_err(&String::from_utf8_lossy(content));
        assert_eq!(shown(&error), expected);
    }
}

#[test]
fn a_file_that_is_not_there_names_the_one_that_is_like_it() {
    let folder = folder_with(b"1\n");
    let read = |name: &str| shown(&read_counts(&file(folder.path(), name), &Column::Number(1)).unwrap_err());
    let missing = "does not exist | expected a file, relative to the scenario's folder";
    assert_eq!(read("tt.csv"), format!("`tt.csv` {missing} | did you mean `t.csv`, in the same folder?"));
    assert_eq!(read("zzzzzz.json"), format!("`zzzzzz.json` {missing}"));
    assert_eq!(read("no/t.csv"), format!("`no/t.csv` {missing} | its folder does not exist either"));
    assert_eq!(read("."), "`.` is a folder | expected a CSV file");
}

#[test]
fn a_count_is_a_number_of_zero_or_more() {
    for (content, line, found) in
        [("requests\n5\n-1\n", 3, "-1"), ("5\nmany\n", 2, "many"), ("5\n1e300\n", 2, "1e300")]
    {
        let folder = folder_with(content.as_bytes());
        let error = read_counts(&file(folder.path(), "t.csv"), &Column::Number(1)).unwrap_err();
        let column = if line == 3 { "`requests`" } else { "1" };
        let expected =
            format!("`t.csv`, line {line}, column {column} is `{found}` | expected a count of 0 or more");
        assert_eq!(shown(&error), expected);
    }
}

#[test]
fn line_ends_a_byte_order_mark_and_a_missing_last_end_change_nothing() {
    for content in [
        "when,n\n1,a\n2.5,b\n",
        "when,n\r\n1,a\r\n2.5,b",
        "\u{feff}when,n\n1,a\n\n2.5,b",
        "1\n2.5",
        "\"1\"\n 2.5 \n",
    ] {
        let folder = folder_with(content.as_bytes());
        let trace = timestamps(folder.path(), Column::Number(1)).unwrap();
        assert_eq!(trace.instants.to_vec(), [0, 1_500_000_000], "{content:?}");
    }
}

#[test]
fn rows_are_sorted_when_asked() {
    let folder = folder_with(b"3\n1\n2\n");
    let columns = TraceColumns::timestamps(Column::Number(1), Unit::Milliseconds, true);
    let trace = read_trace(&file(folder.path(), "t.csv"), &columns).unwrap();
    assert_eq!(trace.instants.to_vec(), [0, 1_000_000, 2_000_000]);
}

#[test]
fn a_file_in_memory_is_read_and_its_messages_are_those_of_the_disk() {
    let mut files = Memory::default();
    files.insert("t.csv", "when\r\n\r\n1\r\n2\r\n\r\nx\r\n");
    files.insert("good.csv", "1\n2\n");
    let read = |shown: &str| {
        read_counts(&NamedFile { files: &files, path: shown.into(), shown }, &Column::Number(1))
    };
    assert_eq!(read("good.csv"), Ok(vec![1.0, 2.0]));
    assert_eq!(
        shown(&read("t.csv").unwrap_err()),
        "`t.csv`, line 6, column `when` is `x` | expected a count of 0 or more"
    );
    assert_eq!(
        shown(&read("god.csv").unwrap_err()),
        "`god.csv` does not exist | expected a file, relative to the scenario's folder | \
         did you mean `good.csv`, in the same folder?"
    );
}

#[test]
fn a_name_of_the_file_that_a_message_repeats_is_on_one_line() {
    let folder = folder_with(b"when\x15\n1\n");
    let error = read_counts(&file(folder.path(), "t.csv"), &Column::Name("when".into())).unwrap_err();
    let expected =
        "`t.csv` has no column `when` | expected a column among `when\\u{15}` | did you mean `when\\u{15}`?";
    assert_eq!(shown(&error), expected);
}
