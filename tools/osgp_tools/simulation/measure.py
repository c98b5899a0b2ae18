"""What a piece of work cost: time on the line, frames, how many of them were sent again, and how
near it came to the channel's limit.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from osgp_tools.airtime import SECOND, limit_seconds
from osgp_tools.simulation.network import Network

RECEIVE_TIMER = int(8.192 * SECOND)  # for so long a device knows a repetition (profile 18a)


@dataclass
class Figures:
    """Of one piece of work. `share` (profile 35): what its frames would have taken at least, each
    of them sent once, of the time that it did take."""

    name: str
    wanted: int = 0  # devices
    done: int = 0
    seconds: float = 0.0  # on the line
    frames: int = 0
    repeated: int = 0  # frames that the same sender had sent within 8.2 s, octet by octet
    collisions: int = 0  # frames that met another one at somebody who heard both
    lost: int = 0  # receptions, to noise and to what the run loses on purpose
    necessary: float = 0.0  # s
    computed: float = field(default=0.0, compare=False)  # s of this computer's processor

    @property
    def share(self) -> float:
        return self.necessary / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict:
        return asdict(self) | {"share": self.share}


class Watch:
    """Hears every frame of a network."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._sent: dict[tuple[int, bytes], int] = {}  # when a sender last sent these octets
        self._frames = self._repeated = 0
        self._necessary = 0.0
        network.listeners.append(self._hear)

    @contextmanager
    def of(self, name: str, wanted: int) -> Iterator[Figures]:
        """The figures of what is done inside; its `done` is for the one who does it."""
        channel = self._network.channel
        figures = Figures(name, wanted)
        self._frames = self._repeated = 0
        self._necessary = 0.0
        before = channel.statistics
        collisions, lost = before.collisions, before.losses
        began, computed = channel.now, time.process_time()
        yield figures
        figures.seconds = (channel.now - began) / SECOND
        figures.frames, figures.repeated = self._frames, self._repeated
        figures.necessary = self._necessary
        figures.collisions = channel.statistics.collisions - collisions
        figures.lost = channel.statistics.losses - lost
        figures.computed = time.process_time() - computed

    def _hear(self, when: int, place: int, lpdu: bytes) -> None:
        self._frames += 1
        octets = (place, lpdu[1:-2])  # what a retry changes stands before, and after: the check
        before = self._sent.get(octets)
        self._sent[octets] = when
        if before is not None and when - before < RECEIVE_TIMER:
            self._repeated += 1
        else:
            self._necessary += limit_seconds(len(lpdu))
        if len(self._sent) > 100_000:
            self._sent = {key: at for key, at in self._sent.items() if when - at < RECEIVE_TIMER}
