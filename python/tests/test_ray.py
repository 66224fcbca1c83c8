"""A sweep and a recommendation on a Ray cluster of two nodes on this machine, one of which is killed."""

import subprocess
import sys
import threading
import time

import kneepoint
import pytest

ray = pytest.importorskip("ray", reason="Ray is not installed")
import kneepoint.ray  # noqa: E402

GRID = """
name = "grid"
[arrivals]
kind = "poisson"
rate = 40
[service]
time = { dist = "exponential", mean = "400ms" }
[autoscaler]
kind = "threshold"
metric = "utilization"
min = 4
max = 40
up = { above = 0.8 }
down = { below = 0.4 }
[cost]
per_instance_hour = 1
[slo]
latency = "2s"
percentile = 90
[run]
duration = "30m"
replications = 6
[sweep.parameters]
"autoscaler.up.above" = [0.6, 0.7, 0.8]
"""


@pytest.fixture
def cluster():
    from ray.cluster_utils import Cluster

    # The head keeps the books and computes nothing, so that every node that computes may be lost.
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes = [cluster.add_node(num_cpus=1, include_dashboard=False) for _ in range(2)]
    ray.init(address=cluster.address, log_to_driver=False)
    try:
        yield cluster, nodes
    finally:
        ray.shutdown()
        cluster.shutdown()


def killed_when(condition, cluster, node):
    """Kills a node as soon as ``condition`` says so."""

    def kill():
        while not condition():
            time.sleep(0.01)
        cluster.remove_node(node, allow_graceful=False)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def test_a_sweep_that_loses_a_node_is_that_of_one_machine_to_the_byte(cluster, tmp_path):
    cluster, nodes = cluster
    (tmp_path / "grid.toml").write_text(GRID)
    done = []
    killer = killed_when(lambda: len(done) >= 2, cluster, nodes[1])
    result = kneepoint.ray.sweep(
        tmp_path / "grid.toml", {"run.seed": 7}, chunks=6, progress=lambda runs, of: done.append((runs, of))
    )
    killer.join()
    assert done[-1] == (6, 6) and done == sorted(done)
    alone = kneepoint.sweep(tmp_path / "grid.toml", {"run.seed": 7})
    assert result.summary_json == alone.summary_json
    assert result.html == alone.html


def test_a_recommendation_that_loses_a_node_is_that_of_one_machine_to_the_byte(cluster):
    cluster, nodes = cluster
    began = time.monotonic()
    killer = killed_when(lambda: time.monotonic() - began > 2, cluster, nodes[0])
    result = kneepoint.ray.recommend(GRID, workers=2)
    killer.join()
    assert result.summary_json == kneepoint.recommend(GRID).summary_json


def test_files_go_along_and_an_error_has_its_place(cluster, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/monday.csv").write_text("at\n" + "".join(f"{second / 2}\n" for second in range(240)))
    text = GRID.replace('kind = "poisson"\nrate = 40', 'kind = "trace"\nfile = "data/monday.csv"')
    (tmp_path / "trace.toml").write_text(text.replace('"30m"', '"2m"'))
    result = kneepoint.ray.sweep(tmp_path / "trace.toml", {"autoscaler.min": 2})
    assert result.summary_json == kneepoint.sweep(tmp_path / "trace.toml", {"autoscaler.min": 2}).summary_json
    with pytest.raises(kneepoint.ScenarioError, match="unknown key `rte`") as caught:
        kneepoint.ray.sweep(GRID.replace("rate = 40", "rte = 40"))
    assert caught.value.line == 5


def test_the_program_that_the_command_writes_runs(cluster, tmp_path):
    import os

    program = os.environ.get("KNEEPOINT_PROGRAM")
    if not program:
        pytest.skip("KNEEPOINT_PROGRAM does not name the command")
    (tmp_path / "grid.toml").write_text(GRID)
    command = [program, "shard", "grid.toml", "--of", "4", "--for", "ray", "--cpus", "1", "--set", "run.duration=5m"]
    script = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    (tmp_path / "sweep.py").write_text(script)
    environment = os.environ | {"RAY_ADDRESS": cluster[0].address}
    done = subprocess.run(
        [sys.executable, "sweep.py"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "output/grid/summary.json").exists() and "knee" in done.stdout
