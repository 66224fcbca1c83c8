//! The first rows of a file as columns of cells, whatever its layout.

/// The first rows of a file.
#[derive(Debug, Default)]
pub(super) struct Sample {
    /// Names of the columns; empty if the file has none.
    pub names: Vec<String>,
    /// Cells of the first rows, each as long as there are columns.
    pub rows: Vec<Vec<String>>,
    /// Whether numbers are written with a comma.
    pub decimal_comma: bool,
}

impl Sample {
    pub(super) fn columns(&self) -> usize {
        self.names.len().max(self.rows.first().map_or(0, Vec::len))
    }

    /// The name of a column as it is; empty without one.
    pub(super) fn name(&self, at: usize) -> &str {
        self.names.get(at).map_or("", String::as_str)
    }

    /// A column as a message shows it.
    pub(super) fn shown(&self, at: usize) -> String {
        match self.name(at) {
            "" => format!("column {}", at + 1),
            name => format!("column `{}`", crate::traffic::table::clip(name)),
        }
    }

    /// The cells of a column that hold something.
    pub(super) fn cells(&self, at: usize) -> impl Iterator<Item = &str> {
        self.rows
            .iter()
            .filter_map(move |row| row.get(at))
            .map(|cell| cell.trim())
            .filter(|cell| !cell.is_empty())
    }

    /// The share of the cells of a column, of those that hold something, that `is_one`; 0 if none does.
    pub(super) fn share(&self, at: usize, is_one: impl Fn(&str) -> bool) -> f64 {
        let (mut all, mut found) = (0_u32, 0_u32);
        for cell in self.cells(at) {
            all += 1;
            found += u32::from(is_one(cell));
        }
        if all == 0 { 0.0 } else { f64::from(found) / f64::from(all) }
    }
}
