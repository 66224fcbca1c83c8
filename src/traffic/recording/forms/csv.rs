//! Tables of any columns: CSV, TSV, what spreadsheets and Grafana export, plain lists of timestamps.

use super::super::choose;
use super::super::reading::Reading;
use super::super::table;
use super::{Form, Likeness};
use crate::traffic::FileError;

const NAME: &str = "csv";
const DOC: &str = "a table";

pub(super) const FORM: Form = Form {
    name: NAME,
    doc: DOC,
    likeness: |head| Likeness::of(!head.is_json() && !head.text.trim_start().starts_with('<')),
    read: |file, head, wanted| {
        let wanted = &wanted.of_table();
        let (layout, sample) = table::sample(file, head)?;
        if sample.rows.is_empty() {
            return Err(FileError::whole(
                file.shown,
                "has no rows",
                "expected at least one row with an instant",
            ));
        }
        let mark = match layout.delimiter {
            b'\t' => ", separated by tabs",
            b';' => ", separated by semicolons",
            b'|' => ", separated by bars",
            _ => "",
        };
        let plan = choose::choose(&sample, file.shown, wanted)?;
        let reading = Reading::of(file.shown, NAME, format!("{DOC}{mark}"));
        table::read(file, layout, sample.columns(), plan, reading, wanted)
    },
};
