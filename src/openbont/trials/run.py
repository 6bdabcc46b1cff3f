"""A trial from its design to its result, block by block."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from openbont.design import Design
from openbont.trials.people import BLOCK
from openbont.trials.readings import Block, run_block, treatments
from openbont.trials.result import TrialResult, moments

Tell = Callable[[float], None]
Blocks = Callable[[Design, int, Sequence[int]], Iterable[Block]]
"""Design, seed, numbers -> blocks in order: in this process, or on many machines."""


def run_trial(
    design: Design, seed: int = 1, tell: Tell = lambda done: None, blocks: Blocks | None = None
) -> TrialResult:
    """All runs of a trial; memory does not grow with the number of people.

    The same seed gives the same bytes however the blocks are shared out. Raises NoEvidence for a
    disorder without a model and where hardly anybody would enter, UnknownName for a structure,
    product or reading that it does not have.
    """
    numbers = range(-(-design.patients * design.replicates // BLOCK))
    total = None
    for done, block in enumerate((blocks or here)(design, seed, numbers), start=1):
        found = moments(design, block)
        total = found if total is None else total + found
        tell(done / len(numbers))
    assert total is not None
    return TrialResult(design, seed, total)


def here(design: Design, seed: int, numbers: Sequence[int]) -> Iterator[Block]:
    """Blocks in this process, as many at a time as there are cores."""
    treatments(design)
    yield from (run_block(design, seed, number) for number in numbers[:1])  # compiles alone
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        waiting = []
        for number in numbers[1:]:
            waiting.append(pool.submit(run_block, design, seed, number))
            if len(waiting) > 2 * (os.cpu_count() or 1):
                yield waiting.pop(0).result()
        yield from (one.result() for one in waiting)
