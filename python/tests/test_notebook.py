"""The notebook of the documentation runs from beginning to end."""

import os
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbclient is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")
pytest.importorskip("pandas")

CHECKOUT = Path(os.environ.get("KNEEPOINT_CHECKOUT", Path(__file__).resolve().parents[2]))
NOTEBOOK = CHECKOUT / "docs/notebook.ipynb"


def test_the_notebook_runs_and_shows_the_report(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "it is kept without outputs"
    client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("<iframe" in data.get("text/html", "") for data in shown)
    printed = [output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("did you mean `above`" in text for text in printed), printed
