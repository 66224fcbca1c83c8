//! Tables of results by the Arrow C data interface, which pandas, Polars, DuckDB and others take without a copy.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, StructArray};
use arrow_schema::{DataType, Field, Fields};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use pyo3_arrow::ffi::{ArrayIterator, to_stream_pycapsule};

/// A table of results. Anything that takes Arrow takes it: `pyarrow.table(t)`, `polars.DataFrame(t)`, `t.to_pandas()`.
#[pyclass(frozen, module = "kneepoint")]
pub struct Table(StructArray);

impl Table {
    /// The table of a CSV text with a header. A column whose cells are all numbers, or all true or false, is one of
    /// these; an empty cell is null.
    pub fn of_csv(text: &str) -> PyResult<Table> {
        let wrong = |error: csv::Error| PyValueError::new_err(error.to_string());
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let names: Vec<String> = reader.headers().map_err(wrong)?.iter().map(str::to_owned).collect();
        let mut columns: Vec<Vec<String>> = vec![Vec::new(); names.len()];
        for record in reader.records() {
            for (column, cell) in columns.iter_mut().zip(record.map_err(wrong)?.iter()) {
                column.push(cell.to_owned());
            }
        }
        let rows = columns.first().map_or(0, Vec::len);
        let arrays: Vec<ArrayRef> = columns.iter().map(|cells| array(cells)).collect();
        let fields: Fields = names
            .iter()
            .zip(&arrays)
            .map(|(name, array)| Field::new(name, array.data_type().clone(), true))
            .collect();
        let table = StructArray::try_new_with_length(fields, arrays, None, rows);
        table.map(Table).map_err(|error| PyValueError::new_err(error.to_string()))
    }
}

/// A column by what its cells hold.
fn array(cells: &[String]) -> ArrayRef {
    fn parsed<T: std::str::FromStr>(cells: &[String]) -> Option<Vec<Option<T>>> {
        let filled = |cell: &String| !cell.is_empty();
        cells.iter().any(filled).then_some(())?;
        cells
            .iter()
            .map(|cell| if cell.is_empty() { Some(None) } else { cell.parse().ok().map(Some) })
            .collect()
    }
    if let Some(numbers) = parsed::<i64>(cells) {
        return Arc::new(Int64Array::from(numbers));
    }
    if let Some(numbers) = parsed::<f64>(cells) {
        return Arc::new(Float64Array::from(numbers));
    }
    if let Some(flags) = parsed::<bool>(cells) {
        return Arc::new(BooleanArray::from(flags));
    }
    let texts: StringArray = cells.iter().map(|cell| (!cell.is_empty()).then_some(cell.as_str())).collect();
    Arc::new(texts)
}

#[pymethods]
impl Table {
    /// Names of the columns.
    #[getter]
    fn column_names(&self) -> Vec<&str> {
        self.0.column_names()
    }

    /// Number of rows.
    #[getter]
    fn num_rows(&self) -> usize {
        arrow_array::Array::len(&self.0)
    }

    fn __len__(&self) -> usize {
        self.num_rows()
    }

    fn __repr__(&self) -> String {
        format!("Table({} rows: {})", self.num_rows(), self.column_names().join(", "))
    }

    /// The Arrow C stream of the table: the `PyCapsule` protocol.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let field = Arc::new(Field::new("", DataType::Struct(self.0.fields().clone()), false));
        let array: ArrayRef = Arc::new(self.0.clone());
        let reader = Box::new(ArrayIterator::new([Ok(array)], field));
        Ok(to_stream_pycapsule(py, reader, requested_schema)?)
    }

    /// The table as a `pyarrow.Table`, which must be installed.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("pyarrow")?.call_method1("table", (slf,))
    }

    /// The table as a `pandas.DataFrame`; needs pandas and pyarrow.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Table::to_arrow(slf)?.call_method0("to_pandas")
    }
}
