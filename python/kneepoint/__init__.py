"""Capacity planning for auto-scaled inference endpoints.

A scenario is a path to a TOML file (``pathlib.Path``, or a text that ends in ``.toml``), a TOML text, or a dict.

>>> import kneepoint
>>> scenario = {
...     "arrivals": {"kind": "poisson", "rate": 8},
...     "service": {"time": "1s"},
...     "autoscaler": {"kind": "fixed", "instances": 10},
...     "run": {"duration": "1m", "replications": 5},
... }
>>> result = kneepoint.run(scenario)
>>> round(result.figures["utilization"].mean, 1)
0.8
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Union

from . import _kneepoint
from ._kneepoint import ScenarioError, Table, __version__

__all__ = [
    "Checked",
    "Estimate",
    "Result",
    "Scenario",
    "ScenarioError",
    "Table",
    "__version__",
    "check",
    "compare",
    "explain",
    "recommend",
    "replay",
    "run",
    "sweep",
]

Source = Union[str, os.PathLike[str], Mapping[str, Any], "Scenario"]
Progress = Union[bool, Callable[[int, int], None]]


class Estimate(NamedTuple):
    """A figure: its mean, and the 95 % confidence interval over the replications. ``None`` where there is none."""

    mean: float | None
    low: float | None
    high: float | None
    replications: int


class Checked(NamedTuple):
    """What there is to know of a scenario before it is run."""

    points: int
    variants: list[str]
    replications: int
    requests: float
    warnings: list[str]
    reading: list[str]


class Scenario:
    """A scenario to be changed and run.

    :param source: a path, a TOML text, a dict, or another scenario, which is copied.
    :param settings: values by path, as in ``{"autoscaler.up.above": 0.7}``.
    :raises ScenarioError: if the source is no TOML, or a path leads nowhere. What else is wrong shows when it is used.
    """

    _path: str | None
    _text: str | None
    _settings: dict[str, str]

    def __init__(self, source: Source, settings: Mapping[str, Any] | None = None):
        if isinstance(source, Scenario):
            self._path, self._text = source._path, source._text
            self._settings = dict(source._settings)
        elif isinstance(source, Mapping):
            self._path, self._text = None, _kneepoint.toml(json.dumps(source))
            self._settings = {}
        else:
            name = os.fspath(source)
            is_path = not isinstance(source, str) or ("\n" not in name and name.endswith(".toml"))
            self._path, self._text = (name, None) if is_path else (None, name)
            self._settings = {}
        for path, value in (settings or {}).items():
            self.set(path, value)
        self._inner()

    def set(self, path: str, value: Any) -> Scenario:
        """Sets the key at ``path``, and returns the scenario."""
        self._settings[path] = value if isinstance(value, str) else _kneepoint.toml_value(json.dumps(value))
        return self

    def _inner(self) -> _kneepoint.Scenario:
        inner = _kneepoint.Scenario(self._path, self._text)
        for path, value in self._settings.items():
            inner.set(path, value)
        return inner

    @property
    def name(self) -> str:
        """Its name: what it writes itself, else that of its file."""
        return self._inner().name()

    def __repr__(self) -> str:
        return f"Scenario({self._path or 'text'!r}, {self._settings!r})"


class Result:
    """What a run, a sweep or a comparison comes to. Shows itself as the report in a notebook."""

    def __init__(self, inner: _kneepoint.Result):
        self._inner = inner
        self._summary: dict[str, Any] | None = None

    @property
    def answer(self) -> list[str]:
        """The answer, in sentences."""
        return self._inner.answer()

    @property
    def summary_json(self) -> str:
        """The bytes of ``summary.json``, as the command writes it."""
        return self._inner.summary_json()

    @property
    def summary(self) -> dict[str, Any]:
        """Every figure with its interval, and all that ``summary.json`` has."""
        if self._summary is None:
            self._summary = json.loads(self.summary_json)
        return self._summary

    @property
    def figures(self) -> dict[str, Estimate]:
        """Figures of the scenario itself by name; of a comparison, those of the first."""
        return {
            name: Estimate(mean, low, high, replications)
            for name, mean, low, high, replications in self._inner.figures()
        }

    @property
    def complete(self) -> bool:
        """Whether all of the work was done."""
        return self._inner.complete()

    @property
    def markdown(self) -> str:
        """Verdict, answer and tables, short."""
        return self._inner.markdown()

    @property
    def html(self) -> str:
        """The page: one file that needs nothing else."""
        return self._inner.html()

    @property
    def charts(self) -> dict[str, str]:
        """Every chart by name, as SVG."""
        return dict(self._inner.charts())

    @property
    def tables(self) -> list[str]:
        """Names of the tables: what the command writes as CSV files."""
        return self._inner.tables()

    def table(self, name: str | None = None) -> Table:
        """A table by name, the first if none is given: anything that takes Arrow takes it, as in ``polars.DataFrame(t)``."""
        names = self.tables
        if name is None:
            name = names[0]
        if name not in names:
            raise KeyError(f"there is no table {name!r}; there are: {', '.join(names)}")
        return self._inner.table(name)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Writes ``summary.json``, ``report.html``, tables and charts into a folder; returns their paths."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        files = {"summary.json": self.summary_json, "report.html": self.html}
        files |= {f"{name}.csv": text for name, text in self._inner.csv_files()}
        files |= {f"{name}.svg": text for name, text in self.charts.items()}
        written = []
        for name, text in files.items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
            written.append(path)
        return written

    def __repr__(self) -> str:
        return "\n".join(self.answer) or self.markdown

    def _repr_markdown_(self) -> str:
        return self.markdown

    def _repr_html_(self) -> str:
        from html import escape

        # A frame of its own: the page brings its style and script, which are not the notebook's.
        page = escape(self.html, quote=True)
        return f'<iframe srcdoc="{page}" style="width:100%;height:720px;border:0" title="Kneepoint report"></iframe>'


def check(scenario: Source, settings: Mapping[str, Any] | None = None) -> Checked:
    """Checks a scenario without running it: every key, unit and value, the variants, the points of the sweep."""
    return Checked(*_kneepoint.check(Scenario(scenario, settings)._inner()))


def run(
    scenario: Source,
    settings: Mapping[str, Any] | None = None,
    *,
    threads: int | None = None,
    progress: Progress = False,
) -> Result:
    """Simulates a scenario and its variants.

    :param threads: number of threads, all cores if ``None``. Results do not depend on it.
    :param progress: ``True`` for a bar (with ``tqdm``, else a line), or a function of the runs and requests done.
    """
    return _work("run", [Scenario(scenario, settings)], threads, progress)


def sweep(
    scenario: Source,
    settings: Mapping[str, Any] | None = None,
    *,
    threads: int | None = None,
    progress: Progress = False,
) -> Result:
    """Simulates the settings that a scenario sweeps: the frontier of cost versus latency, its knee, the cheapest that keeps the SLO."""
    return _work("sweep", [Scenario(scenario, settings)], threads, progress)


def compare(
    *scenarios: Source,
    threads: int | None = None,
    progress: Progress = False,
) -> Result:
    """Compares several scenarios, or one with its variants: differences with intervals, on common random numbers."""
    return _work("compare", [Scenario(each) for each in scenarios], threads, progress)


def recommend(
    scenario: Source,
    settings: Mapping[str, Any] | None = None,
    *,
    requests: float | None = None,
    threads: int | None = None,
    progress: Progress = False,
) -> Result:
    """Finds the cheapest settings that keep the SLO under every condition, among those of ``[sweep.parameters]``, else among the
    natural ones of the autoscaler.

    :param requests: about how many requests to simulate at most. With the same number the answer is the same on any machine.
    :return: the recommendation is ``result.summary["recommendation"]``.
    """
    return _work("recommend", [Scenario(scenario, settings)], threads, progress, requests)


def explain(
    scenario: Source,
    settings: Mapping[str, Any] | None = None,
    *,
    threads: int | None = None,
    progress: Progress = False,
) -> Result:
    """Why a scenario is slow when it is slow, and why it costs what it costs: counterfactuals on the same random numbers."""
    return _work("explain", [Scenario(scenario, settings)], threads, progress)


def replay(
    policy: Source,
    observations: str | os.PathLike[str] | Iterable[Mapping[str, Any]],
    settings: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Puts recorded observations through a policy: its decision at each row, and why.

    :param observations: a path to a CSV or JSON Lines file, or rows as dicts.
    """
    if isinstance(observations, (str, os.PathLike)):
        path = Path(observations)
        name, text = str(path), path.read_text(encoding="utf-8")
        form = "csv" if path.suffix.lower() == ".csv" else "json"
    else:
        name, form = "observations", "json"
        text = "".join(json.dumps(row) + "\n" for row in observations)
    lines = _kneepoint.replay(Scenario(policy, settings)._inner(), name, text, form)
    return [json.loads(line) for line in lines]


def _work(
    kind: str,
    scenarios: Sequence[Scenario],
    threads: int | None,
    progress: Progress,
    requests: float | None = None,
) -> Result:
    inner = [each._inner() for each in scenarios]
    if progress is True:
        with _Bar(kind) as bar:
            return Result(_kneepoint.work(kind, inner, threads, bar, requests))
    return Result(_kneepoint.work(kind, inner, threads, progress or None, requests))


class _Bar:
    """Shows how many runs are done: a bar of tqdm where it is installed, else one line on standard error."""

    def __init__(self, kind: str, unit: str = " runs", further: str = "requests"):
        try:
            from tqdm.auto import tqdm  # type: ignore[import-untyped, unused-ignore]
        except ImportError:
            self._bar = None
        else:
            self._bar = tqdm(desc=kind, unit=unit)
        self._kind, self._unit, self._further, self._told = kind, unit, further, 0

    def __call__(self, runs: int, requests: int) -> None:
        if self._bar is not None:
            self._bar.update(runs - self._told)
        elif runs != self._told:
            import sys

            line = f"{self._kind}: {runs}{self._unit}, {requests:,} {self._further}"
            print(f"\r{line}", end="", file=sys.stderr, flush=True)
        self._told = runs

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._told:
            import sys

            print(file=sys.stderr)
