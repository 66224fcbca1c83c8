"""What a notebook's user does: scenarios from files, texts and dicts; results as figures, tables and pages; errors; Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import kneepoint
import pytest

# The checkout, also where the tests lie apart from it.
ROOT = Path(os.environ.get("KNEEPOINT_CHECKOUT", Path(__file__).resolve().parents[2]))

POOL = {
    "name": "pool",
    "arrivals": {"kind": "poisson", "rate": 8},
    "service": {"time": {"dist": "exponential", "mean": "1s"}},
    "autoscaler": {"kind": "fixed", "instances": 10},
    "cost": {"per_instance_hour": 2},
    "slo": {"latency": "3s", "percentile": 95},
    "run": {"duration": "10m", "replications": 6},
}

TEXT = """
name = "pool"
[arrivals]
kind = "poisson"
rate = 8
[service]
time = { dist = "exponential", mean = "1s" }
[autoscaler]
kind = "fixed"
instances = 10
[cost]
per_instance_hour = 2
[slo]
latency = "3s"
percentile = 95
[run]
duration = "10m"
replications = 6
"""


def test_a_dict_a_text_and_a_file_are_the_same_scenario(tmp_path):
    file = tmp_path / "pool.toml"
    file.write_text(TEXT)
    summaries = {kneepoint.run(source).summary_json for source in (POOL, TEXT, file, str(file))}
    assert len(summaries) == 1


def test_figures_agree_with_theory():
    figures = kneepoint.run(POOL).figures
    # M/M/10 at 80 %: the mean latency is 1.205 s by Erlang's formula.
    latency = figures["latency.mean"]
    assert latency.replications == 6
    assert latency.low < 1.205 < latency.high
    assert figures["utilization"].mean == pytest.approx(0.8, abs=0.03)


def test_settings_change_a_scenario():
    scenario = kneepoint.Scenario(POOL, {"autoscaler.instances": 20})
    assert kneepoint.run(scenario).figures["mean_ready"].mean == 20
    assert kneepoint.run(scenario, {"autoscaler.instances": 12}).figures["mean_ready"].mean == 12
    assert kneepoint.run(scenario).figures["mean_ready"].mean == 20


def test_check_shows_what_was_read():
    checked = kneepoint.check(POOL)
    assert checked.points == 1 and checked.replications == 6
    assert any("instances" in line for line in checked.reading)


def test_sweep_gives_tables_to_arrow_and_pandas():
    result = kneepoint.sweep(POOL, {"sweep.parameters": {"autoscaler.instances": [9, 12, 15]}})
    assert result.complete and len(result.summary["points"]) == 3
    table = result.table("sweep")
    assert len(table) == 3
    arrow = pytest.importorskip("pyarrow")
    columns = arrow.table(table)
    assert columns.num_rows == 3 and columns.column_names == table.column_names
    pytest.importorskip("pandas")
    frame = table.to_pandas()
    name = next(name for name in frame.columns if name.endswith("autoscaler.instances"))
    assert list(frame[name]) == [9, 12, 15]
    assert frame["frontier"].dtype == bool
    polars = pytest.importorskip("polars")
    assert polars.DataFrame(table).height == 3
    with pytest.raises(KeyError, match="there are: "):
        result.table("nothing")


def test_compare_tells_settings_apart():
    more = kneepoint.Scenario(POOL, {"autoscaler.instances": 14, "name": "more"})
    result = kneepoint.compare(POOL, more)
    assert "more" in result.markdown
    assert result.figures["mean_ready"].mean == 10


def test_replay_asks_the_policy():
    policy = {
        "autoscaler": {
            "kind": "threshold", "metric": "concurrency", "max": 9, "up": {"above": 8}, "down": {"below": 2},
        }
    }
    rows = [{"time": 15, "ready": 2, "metric": 5}, {"time": 30, "ready": 2, "metric": 9}]
    decisions = kneepoint.replay(policy, rows)
    assert [decision["desired"] for decision in decisions] == [1, 2]
    assert decisions[1]["reason"]


def test_an_error_tells_its_place():
    with pytest.raises(kneepoint.ScenarioError, match="did you mean `rate`") as caught:
        kneepoint.check(TEXT.replace("rate = 8", "rte = 8"))
    assert (caught.value.file, caught.value.line) == ("scenario.toml", 5)
    with pytest.raises(kneepoint.ScenarioError):
        kneepoint.check("nowhere.toml")
    with pytest.raises(ValueError):
        kneepoint.check({"arrivals": {"rate": None}})


def test_the_page_and_the_notebook():
    result = kneepoint.run(POOL)
    assert result.html.startswith("<!DOCTYPE html>")
    assert "<iframe" in result._repr_html_() and "<svg" in next(iter(result.charts.values()))


def test_saved_files_are_those_of_the_command(tmp_path):
    program = os.environ.get("KNEEPOINT_PROGRAM")
    (tmp_path / "pool.toml").write_text(TEXT)
    result = kneepoint.run(tmp_path / "pool.toml")
    saved = {path.relative_to(tmp_path / "saved") for path in result.save(tmp_path / "saved")}
    assert Path("summary.json") in saved and Path("timeline.csv") in saved
    if not program:
        pytest.skip("KNEEPOINT_PROGRAM does not name the command")
    subprocess.run([program, "run", "pool.toml", "--out", "command", "-q"], cwd=tmp_path, check=True)
    for name in ("summary.json", "timeline.csv"):
        assert (tmp_path / "command" / name).read_bytes() == (tmp_path / "saved" / name).read_bytes(), name


def test_recommend_and_explain_answer_as_the_commands_do(tmp_path):
    program = os.environ.get("KNEEPOINT_PROGRAM")
    chosen = kneepoint.recommend(
        POOL, {"slo.latency": "4s", "slo.percentile": 90, "sweep.parameters": {"autoscaler.instances": [9, 12, 16]}}
    )
    recommendation = chosen.summary["recommendation"]
    assert chosen.complete and recommendation["ending"] in ("confirmed", "today_is_cheapest", "unconfirmed")
    assert "</html>" in chosen.html
    (tmp_path / "pool.toml").write_text(TEXT)
    why = kneepoint.explain(tmp_path / "pool.toml")
    assert why.summary["causes"] is not None and why.answer
    if not program:
        pytest.skip("KNEEPOINT_PROGRAM does not name the command")
    subprocess.run([program, "explain", "pool.toml", "--out", "command", "-q"], cwd=tmp_path, check=True)
    assert (tmp_path / "command" / "summary.json").read_text() == why.summary_json


def test_threads_do_not_change_a_byte():
    assert kneepoint.run(POOL, threads=1).summary_json == kneepoint.run(POOL, threads=2).summary_json


def test_progress_is_told_and_the_lock_is_free():
    told = []
    ticks = []
    done = threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.005)

    thread = threading.Thread(target=tick)
    thread.start()
    kneepoint.run(POOL, {"run.duration": "3h"}, progress=lambda runs, requests: told.append((runs, requests)))
    done.set()
    thread.join()
    assert told[-1][0] == 6 and told == sorted(told)
    assert len(ticks) > 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a terminal")
def test_ctrl_c_stops_the_work():
    # A process that a shell starts in the background is told to ignore interrupts, and Python goes by that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        kneepoint.run(POOL, {"run.duration": "30d", "run.replications": 400})
    signal.signal(signal.SIGINT, before)
    assert time.monotonic() - began < 30


def test_an_error_of_progress_stops_the_work_and_is_raised():
    def fail(runs, requests):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        kneepoint.run(POOL, {"run.duration": "30d"}, progress=fail)


def test_the_version_is_the_library_s():
    cargo = (ROOT / "Cargo.toml").read_text()
    assert f'version = "{kneepoint.__version__}"' in cargo


def test_the_shipped_quickstart_checks():
    assert kneepoint.check(ROOT / "scenarios/quickstart.toml").points > 1
    assert json.loads(kneepoint.run(ROOT / "scenarios/walkthrough.toml").summary_json)["schema_version"]
