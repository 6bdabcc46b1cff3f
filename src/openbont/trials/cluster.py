"""Blocks of a trial on many processes or machines, through dask.

A block depends on the design, the seed and its own number alone, so a worker that dies loses
nothing: its blocks are computed again elsewhere. Workers take OPENBONT_CACHE and the settings of
jax from their environment.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from distributed import Client, Future, KilledWorker, LocalCluster

from openbont.design import Design
from openbont.errors import BadInput, OpenBoNTError
from openbont.trials.readings import Block, run_block, treatments
from openbont.trials.run import Blocks

AHEAD = 2
"""Tasks in flight for each thread of a worker: enough to keep it busy, few enough to hold."""
WAIT_S = 60.0
"""How long a scheduler may take to answer, and to have its first worker."""


def clustered(workers: int = 1, scheduler: str = "", chunk: int = 1) -> Blocks:
    """Blocks on `workers` processes of this machine, or on those of the scheduler at an address.

    `chunk` blocks travel together. Results are the same for any number of workers and any chunk.
    """

    def run(design: Design, seed: int, numbers: Sequence[int]) -> Iterator[Block]:
        treatments(design)  # names are checked here, fields solved once where workers share a cache
        parts = [numbers[at : at + chunk] for at in range(0, len(numbers), chunk)]
        with _client(min(workers, len(parts)), scheduler) as client:
            yield from _in_order(client, design, seed, parts)

    return run


def _in_order(
    client: Client, design: Design, seed: int, parts: Sequence[Sequence[int]]
) -> Iterator[Block]:
    """Results in the order of `parts`, few at a time; each is let go once it was handed on."""
    flying: deque[Future[list[Block]]] = deque()
    for part in parts:
        flying.append(client.submit(_run, design, seed, list(part), pure=False))
        if len(flying) >= AHEAD * sum(client.nthreads().values()):
            yield from _landed(flying.popleft())
    while flying:
        yield from _landed(flying.popleft())


def _landed(task: Future[list[Block]]) -> list[Block]:
    try:
        return task.result()
    except KilledWorker as error:
        raise OpenBoNTError(
            f"workers died again and again on the same blocks, perhaps out of memory: {error}"
        ) from error


def _run(design: Design, seed: int, numbers: Sequence[int]) -> list[Block]:
    return [run_block(design, seed, number) for number in numbers]


@contextmanager
def _client(workers: int, scheduler: str) -> Iterator[Client]:
    """A connection; processes of our own are started fresh, as jax does not survive a fork."""
    with ExitStack() as stack:
        if not scheduler:
            scheduler = stack.enter_context(
                LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    memory_limit=None,
                )
            ).scheduler_address
        yield stack.enter_context(_connected(scheduler))


def _connected(scheduler: str) -> Client:
    try:
        client = Client(scheduler, timeout=WAIT_S)
        client.wait_for_workers(1, timeout=WAIT_S)
    except (OSError, ValueError) as error:
        raise BadInput(
            scheduler,
            f"no scheduler with a worker answers ({error})",
            "start one with `dask scheduler`, and workers with `dask worker ADDRESS`",
        ) from error
    return client
