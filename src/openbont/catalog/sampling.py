"""Parameters as draws, and who a reading selects.

A reading picks a person out of a parent population: the latent behind "MAS 3" is what parents who
read 3 have. A trial's entry criterion is the same thing with a wider net, and takes its place.
Regression to the mean follows from the selection by itself and is counted nowhere else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from openbont.catalog.evidence import parameter
from openbont.errors import NoEvidence
from openbont.evidence import Parameter
from openbont.streams import stream

PARENTS = 50_000
"""Size of the parent population, the same for any number of draws."""


Net = Callable[[Float[np.ndarray, "parent"]], Bool[np.ndarray, "parent"]]
"""Which readings are taken."""


@dataclass(frozen=True)
class Span:
    """Readings from `low` to `high`, both included."""

    low: float = -np.inf
    high: float = np.inf

    def __call__(self, read: Float[np.ndarray, "parent"]) -> Bool[np.ndarray, "parent"]:
        """Which readings lie within."""
        return np.asarray((read >= self.low) & (read <= self.high))

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}"


class Sampler:
    """Draws of parameters from named streams; remembers which parameters were used.

    `entry` are criteria by scale and place, as `placed` names them. Where one of them concerns what
    a parent reads, the criteria select, not the patient's own readings.
    """

    def __init__(
        self, draws: int, seed: int | str, entry: Mapping[str, Span] | None = None
    ) -> None:
        self.draws, self.seed = draws, seed
        self.entry = dict(entry or {})
        self.used: dict[str, Parameter] = {}
        self.read: dict[str, Float[np.ndarray, draw]] = {}
        """What those who were enrolled read at entry, noise included, by scale and place."""

    def value(self, name: str) -> float:
        """The reference value of one parameter."""
        self.used[name] = parameter(name)
        return self.used[name].value

    def vary(self, name: str) -> Float[np.ndarray, "draw"]:
        """One value a draw: log-normal between patients, constant where nothing varies."""
        value, spread = self.value(name), self.used[name].between_patients
        if spread == 0:
            return np.full(self.draws, value)
        return value * np.exp(spread * self.normal(name))

    def several(self, names: list[str], shared: str = "") -> Float[np.ndarray, "draw name"]:
        """`vary` for several parameters; with `shared`, they rise and fall together."""
        if not shared:
            return np.stack([self.vary(name) for name in names], axis=1)
        common = self.normal(shared)
        values = [
            self.value(name) * np.exp(self.used[name].between_patients * common) for name in names
        ]
        return np.stack(values, axis=1)

    def normal(self, name: str, *shape: int) -> Float[np.ndarray, "draw ..."]:
        """Standard normal numbers of a named stream."""
        return stream(self.seed, name).standard_normal((self.draws, *shape))

    def generator(self, name: str) -> np.random.Generator:
        """A named stream itself."""
        return stream(self.seed, name)

    def enrol(
        self,
        name: str,
        parents: Float[np.ndarray, "parent kind"],
        read: Mapping[str, Float[np.ndarray, "parent"]],
        alike: Mapping[str, Net],
        said: str,
    ) -> Float[np.ndarray, "draw kind"]:
        """Parents who `read` as this patient does, or as the criteria of entry ask, one a draw.

        Raises NoEvidence when hardly any parent reads so: the population does not reach there.
        `alike` says which readings count as the patient's own, `said` these in words.
        """
        asked: dict[str, Net] = {at: net for at, net in self.entry.items() if at in read}
        if asked:
            said = " and ".join(f"{at} of {net}" for at, net in asked.items())
        nets = asked or alike
        chosen = np.flatnonzero(np.all([net(read[at]) for at, net in nets.items()], axis=0))
        if len(chosen) < 20:
            raise NoEvidence(_rare(said, read))
        picks = chosen[stream(self.seed, f"{name}/pick").integers(0, len(chosen), self.draws)]
        self.read |= {at: values[picks] for at, values in read.items()}
        return parents[picks]


def _rare(said: str, read: Mapping[str, Float[np.ndarray, "parent"]]) -> str:
    """Why nobody is selected, and what the population does read."""
    ranges = [
        f"{scale} {low:.3g} to {high:.3g}"
        for scale, values in read.items()
        for low, high in [np.quantile(values, (0.01, 0.99))]
    ]
    usual = f"98 in 100 read {', '.join(ranges)}"
    return f"findings: {said}: hardly anybody in the modelled population reads so; {usual}"


class Reference(Sampler):
    """Every parameter at its reference value: the typical muscle of the published checks."""

    def __init__(self) -> None:
        super().__init__(draws=1, seed=0)

    def normal(self, name: str, *shape: int) -> Float[np.ndarray, "draw ..."]:
        """Nobody differs from the middle."""
        return np.zeros((1, *shape))
