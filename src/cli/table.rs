//! Tables on the terminal.

use comfy_table::{CellAlignment, LineStyle, TableStyle};

use crate::report::html::Table;

/// A rule under the header and space between columns: all that aligned numbers need.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// `text` in bold, where the terminal can.
pub(super) fn bold(text: &str) -> String {
    format!("\x1b[1m{text}\x1b[0m")
}

/// Rows under the names of the columns; numbers to the right, words to the left.
pub(super) fn plain(table: &Table) -> String {
    let mut text = comfy_table::Table::new();
    text.load_style(STYLE).set_header(&table.columns).add_rows(&table.rows);
    for (index, column) in text.column_iter_mut().enumerate() {
        column.set_padding((if index == 0 { 0 } else { 1 }, 1));
        let right = table.is_numeric(index);
        column.set_cell_alignment(if right { CellAlignment::Right } else { CellAlignment::Left });
    }
    text.trim_fmt()
}
