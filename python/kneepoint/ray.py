"""Sweeps and recommendations on a Ray cluster, to the byte those of one machine.

Needs ``pip install "kneepoint[ray]"`` here, and ``kneepoint`` of the same version on the workers.

>>> import kneepoint.ray  # doctest: +SKIP
>>> result = kneepoint.ray.sweep("scenarios/quickstart.toml", progress=True)  # doctest: +SKIP
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any

from . import Progress, Result, Scenario, Source, _Bar, _kneepoint

__all__ = ["recommend", "sweep"]

#: Chunks for each processor of the cluster, where their number is not given: few enough to cost little, enough to even out.
CHUNKS_PER_CPU = 4

#: Seconds between two looks at what other workers of a recommendation have.
LOOK = 0.05


def sweep(
    scenario: Source,
    settings: Mapping[str, Any] | None = None,
    *,
    chunks: int | None = None,
    threads: int = 1,
    retries: int = 3,
    progress: Progress = False,
) -> Result:
    """Sweeps a scenario on the Ray cluster that this process is connected to, else on one that it starts on this machine.

    The runs are divided into chunks, which free workers take one after the other. Those of a worker or node that is lost are
    simulated by another. The scenario and the files it names are read here once, and each node fetches them once.

    :param chunks: into how many parts; 4 for each processor of the cluster if ``None``, at most as many as there is work for.
    :param threads: processors of each chunk.
    :param retries: how often a chunk is begun again after its worker was lost; -1 for without end.
    :param progress: ``True`` for a bar, or a function of the chunks done and of their number.
    :raises ScenarioError: what is wrong with the scenario.
    """
    ray = _ray()
    prepared = Scenario(scenario, settings)
    bundle = _bundle(prepared)
    most = _kneepoint.shards_max(_opened(bundle))
    if chunks is None:
        chunks = CHUNKS_PER_CPU * int(ray.cluster_resources().get("CPU", 1)) // threads
    of = max(1, min(chunks, most))
    simulate = ray.remote(_simulate).options(num_cpus=threads, max_retries=retries)
    shared = ray.put(bundle)
    tasks = [simulate.remote(shared, index, of, threads) for index in range(of)]
    parts: list[bytes] = []
    with _told("sweep", " chunks", progress) as tell:
        for part in _as_done(ray, tasks):
            parts.append(part)
            tell(len(parts), of)
    return Result(_kneepoint.merge_shards(prepared._inner(), parts, None, None))


def recommend(
    scenario: Source,
    settings: Mapping[str, Any] | None = None,
    *,
    workers: int | None = None,
    requests: float | None = None,
    threads: int = 1,
    retries: int = 3,
) -> Result:
    """Finds the cheapest settings that keep the SLO, as :func:`kneepoint.recommend` does, on the workers of a Ray cluster.

    Every worker does the whole search, but simulates its share of each round first and takes from the others what they have;
    what a lost worker owes, the others simulate. The first to come to the answer ends the work.

    :param workers: how many; as many as the cluster has processors for if ``None``.
    :param requests: about how many requests to simulate at most.
    :param threads: processors of each worker.
    :param retries: how often a worker is begun again after it was lost.
    """
    ray = _ray()
    prepared = Scenario(scenario, settings)
    bundle = _bundle(prepared)
    of = workers or max(1, int(ray.cluster_resources().get("CPU", 1)) // threads)
    # Beside this process, which is lost with its node anyhow.
    here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
        node_id=ray.get_runtime_context().get_node_id(), soft=True
    )
    board = ray.remote(_Board).options(num_cpus=0, scheduling_strategy=here).remote()
    work = ray.remote(_recommend).options(num_cpus=threads, max_retries=retries)
    shared = ray.put(bundle)
    tasks = [work.remote(shared, requests, index, of, board, threads) for index in range(of)]
    try:
        with contextlib.closing(_as_done(ray, tasks)) as done:
            next(done)
        entries: list[bytes] = []
        # Without the board, what it had is simulated here.
        with contextlib.suppress(ray.exceptions.RayError):
            entries = ray.get(board.entries.remote())
    finally:
        ray.kill(board)
    # All that was simulated is there: this only goes through it.
    taken = iter([entries])
    return Result(
        _kneepoint.recommend_shared(
            prepared._inner(), requests, 0, 1, lambda entry: None, lambda: next(taken, []), None
        )
    )


def _ray() -> Any:
    try:
        import ray
        import ray.util.scheduling_strategies
    except ImportError as error:
        raise ImportError('Ray is not installed: pip install "kneepoint[ray]"') from error
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    return ray


#: The path of a scenario, the files it takes, and settings by path.
_Bundle = tuple[str, list[tuple[str, bytes]], list[tuple[str, str]]]


def _bundle(scenario: Scenario) -> _Bundle:
    settings = list(scenario._settings.items())
    path, files = _kneepoint.bundle(scenario._path, scenario._text, settings)
    return path, files, settings


def _opened(bundle: _Bundle) -> _kneepoint.Scenario:
    path, files, settings = bundle
    inner = _kneepoint.Scenario(path, None, files)
    for key, value in settings:
        inner.set(key, value)
    return inner


def _simulate(bundle: _Bundle, index: int, of: int, threads: int) -> bytes:
    return _kneepoint.simulate_shard(_opened(bundle), index, of, threads)


class _Board:
    """Where workers of a recommendation put what they have simulated."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, bytes]] = []

    def put(self, worker: int, entries: list[bytes]) -> None:
        self._entries.extend((worker, entry) for entry in entries)

    def take(self, worker: int, read: int) -> tuple[int, list[bytes]]:
        """The entries of others behind the first ``read``, and how many there are of all."""
        return len(self._entries), [entry for by, entry in self._entries[read:] if by != worker]

    def entries(self) -> list[bytes]:
        return [entry for _, entry in self._entries]


def _recommend(
    bundle: _Bundle, requests: float | None, index: int, of: int, board: Any, threads: int
) -> None:
    import ray

    read, looked = 0, 0.0
    puts = []

    def put(entry: bytes) -> None:
        puts.append(board.put.remote(index, [bytes(entry)]))
        del puts[:-100]

    def take() -> list[bytes]:
        nonlocal read, looked
        now = time.monotonic()
        if now - looked < LOOK:
            return []
        looked = now
        # A worker that is begun again has its own to find, too.
        worker = index if read else -1
        entries: list[bytes]
        read, entries = ray.get(board.take.remote(worker, read))
        return entries

    _kneepoint.recommend_shared(_opened(bundle), requests, index, of, put, take, threads)
    # What the board has lost, others simulate.
    with contextlib.suppress(ray.exceptions.RayError):
        ray.get(puts)


def _as_done(ray: Any, tasks: list[Any]) -> Generator[Any, None, None]:
    """The results as they come. An error, or whoever stops asking, ends all the others."""
    waiting = list(tasks)
    try:
        while waiting:
            # Looks up now and then, so that Ctrl-C is heard.
            done, waiting = ray.wait(waiting, timeout=0.2)
            for task in done:
                yield ray.get(task)
    except ray.exceptions.RayTaskError as error:
        raise (error.cause or error) from None
    finally:
        for task in waiting:
            ray.cancel(task, force=True)


@contextlib.contextmanager
def _told(kind: str, unit: str, progress: Progress) -> Iterator[Any]:
    if progress is True:
        with _Bar(kind, unit, "in all") as bar:
            yield bar
    else:
        yield progress or (lambda done, of: None)
