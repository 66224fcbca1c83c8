//! The compiled part of the Python package: scenarios in, results out. What a Python user sees is in `kneepoint/__init__.py`.

mod bundle;
mod table;
mod work;

use pyo3::prelude::*;

/// The native half of `kneepoint`.
#[pymodule]
mod _kneepoint {
    #[pymodule_export]
    use crate::bundle::bundle;
    #[pymodule_export]
    use crate::scenario_error::ScenarioError;
    #[pymodule_export]
    use crate::table::Table;
    #[pymodule_export]
    use crate::work::{
        Result, Scenario, check, merge_shards, recommend_shared, replay, shards_max, simulate_shard, toml,
        toml_value, work,
    };

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}

/// The error of everything that a user can get wrong, and its place.
mod scenario_error {
    use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
    use pyo3::prelude::*;

    pyo3::create_exception!(
        kneepoint,
        ScenarioError,
        PyValueError,
        "A scenario, or a file that it names, is wrong. `file`, `line` and `column` tell the place, where there is one."
    );

    /// A Python error for one of the library.
    pub fn raised(py: Python<'_>, error: &kneepoint::Error) -> PyErr {
        if error.kind() == kneepoint::error::ErrorKind::Cancelled {
            return PyKeyboardInterrupt::new_err(error.to_string());
        }
        let raised = ScenarioError::new_err(error.to_string());
        let value = raised.value(py);
        let place = error.location();
        let set = value
            .setattr("file", place.map(|place| place.file.as_str()))
            .and_then(|()| value.setattr("line", place.map(|place| place.line)))
            .and_then(|()| value.setattr("column", place.map(|place| place.column)));
        match set {
            Ok(()) => raised,
            Err(error) => error,
        }
    }
}
