"""Finding devices through devices: ADD (`addp`), by a concentrator that need not know anybody.

It searches at a place, first its own, then each device that it has found, nearest first: the
device there asks whoever hears it. Those found over a good link are told so and answer no further
search; those found over a bad one are left to be found by somebody nearer. A place is done when
nobody new has answered there so often that nobody can be left; how often that is follows from how
many frames get lost, and is looked at again as long as more are found to. Clause: `profile.md` 19.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from osgp_tools import addp, clock, entropy
from osgp_tools.addp import Answer, DiscoveryFormatError, Heard, Query
from osgp_tools.client import Client
from osgp_tools.links import Link
from osgp_tools.lpdu import Frame
from osgp_tools.topology import HERE, Topology

QUIET, MOST_QUIET = 2, 40  # searches without anybody new: at our own place, and anywhere at most
# Probability with which a device may be left out at a place, by the neighbours which that one or
# the one before it is known to have, at the least: where there are more, others will find it, too.
MISSED = ((4, 0.1), (3, 0.01), (0, 0.001))
ENOUGH = 400.0  # frames of questions, after which it is known how many get lost
SUSPECTED = (18.5, 1.5)  # hops of questions crossed and not, before any were counted
GOOD_MARGIN = 9.0  # dB: of a hundred frames one is lost
MOST_EXPECTED = 512  # answers to one search
NOISE = 4  # searches that bring nobody new, after which broken frames are not a crowd's
FIRST_EXPECTED, FEW = 8, 1  # answers, before anybody has answered
MANY = 2  # were expected: that nobody answers does not count
CROWD = 4  # times as many are expected after too many have answered
SLOTS = range(2, 65)  # of one search; for more answers than these are good for, in shares
CROWDED = 0.4  # answers for each slot, from which on many more were lost to collisions
TRIES = 4  # of a question to one device
SLACK = 0.25  # s more than a query and its answers take
FAST = 0.1
EVERY_BIT = 0xFF  # mask of the smallest share: 1 in 256


@dataclass
class _Place:
    """Where it is searched. `expected`: answers to the next search there."""

    expected: int
    broken: int = 0  # searches in a row that brought nobody new, and many broken frames
    quiet: int = 0  # searches in a row without anybody new
    known: set[bytes] = field(default_factory=set)  # who answered there


class Search:
    """`unique_id`: of the transceiver of the client. `pace`: of the times that frames take on a
    power line; FAST where they take none."""

    def __init__(self, client: Client, topology: Topology, unique_id: bytes, pace: float = 1.0):
        self.client = client
        self.topology = topology
        self.unique_id = unique_id
        self.pace = pace
        self.queries = 0
        self._nonce = int.from_bytes(entropy.octets(2), "big")
        self._answers: asyncio.Queue[tuple[Answer, Heard | None]] = asyncio.Queue()
        self._silent: set[bytes] = set()  # devices that know that they were found
        self._found: dict[bytes, None] = {}  # in their order
        self._places: dict[bytes, _Place] = {}  # where to search
        # Hops of questions crossed and not, as far as can be told, by the copies of each frame.
        self._hops = [list(SUSPECTED), [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
        client.listeners[addp.IN] = self._hear

    async def everybody(
        self, found: Callable[[bytes], None] = lambda unique_id: None
    ) -> list[bytes]:
        """All devices, in the order in which they were found; `found` is told of each."""
        topology = self.topology
        last = topology.epoch or entropy.octets(1)[0] % 15
        topology.epoch = last % 15 + 1
        self._silent.clear()
        self._found = {}
        self._places = {HERE: _Place(FIRST_EXPECTED)}
        for node in topology.nodes():  # of an earlier search: they are looked for, and searched at
            self._places[node.unique_id] = _Place(FEW)
        while (place := self._next()) is not None:
            await self._search_at(place, found)
        return list(self._found)

    def _next(self) -> bytes | None:
        """The nearest place that is not done; of those, the one that is worst heard, for it hears
        the most others. Those that lose much come last: somebody may be nearer to them."""
        left = []
        for one, place in self._places.items():
            path = self.topology.path(one, anybody=True)
            if (path or one == HERE) and len(path) <= addp.LONGEST_PATH + 1:
                links = self._links(path)
                if place.quiet < self._patience(path):
                    last = links[-1].margin if links else 0.0
                    left.append((not _are_good(links), len(path), last, one))
        return min(left)[3] if left else None

    def _links(self, path: list[bytes]) -> list[Link]:
        links = [self.topology.link(a, b) for a, b in pairwise(path)]
        return [link for link in links if link]

    async def _search_at(self, place: bytes, found: Callable[[bytes], None]) -> None:
        """Once."""
        state = self._places[place]
        query = self._query(self._path(place), state.expected)
        damaged = self._damaged()
        answers = await self._gather(query, query.window)
        damaged = self._damaged() - damaged
        for answer, heard in answers:
            self._note(answer, query.path, heard)
        there = {answer.device for answer, _ in answers}
        found_before = set(self._found)
        for unique_id in sorted(there - found_before):
            self._found[unique_id] = None
            self._places.setdefault(unique_id, _Place(FEW))
            found(unique_id)
        fresh = there - state.known
        state.known |= there
        near = {one for one in fresh if _are_good(self._links([place, one]))}
        new = near | (fresh - found_before)
        collided = place == HERE and damaged > len(there) + 1 and state.broken < NOISE
        state.broken = 0 if new else state.broken + collided
        collided = collided and state.expected < MOST_EXPECTED
        if collided or (fresh and 1 < len(there) >= CROWDED * query.slots):
            state.expected = CROWD * state.expected
            state.quiet = 0
            await asyncio.sleep(query.window)  # until those are through who collided
            if query.slots < SLOTS.stop - 1:
                return  # with more room before any of them is silenced
        else:
            # Where many were expected, and nobody answers, they may all have collided.
            state.quiet = 0 if new else state.quiet + (bool(there) or state.expected <= MANY)
            state.expected = max(len(there), FEW)
        await self._silence(there, place)
        if place != HERE and sum(map(sum, self._hops)) < ENOUGH:
            path = self.topology.path(place, anybody=True)
            if state.quiet == self._patience(path):
                await self.ask(place)  # what gets lost on the way there? It may not be enough

    def _damaged(self) -> int:
        """Frames that came broken to our transceiver: where many answer at once, hardly any comes
        whole."""
        return getattr(self.client.link, "damaged", 0)

    async def _silence(self, devices: set[bytes], place: bytes) -> None:
        """Tell those over a good link that they were found."""
        for unique_id in sorted(devices - self._silent):
            links = self._links([place, unique_id])
            if _are_good(links) and await self.ask(unique_id, self.topology.epoch):
                self._silent.add(unique_id)

    def _patience(self, path: list[bytes]) -> int:
        """Searches without anybody new at the end of a path, after which nobody is left but with
        the probability that MISSED allows."""
        links = self._links(path)
        frames = 1 + self._copies(len(links) + 1)
        arrives = math.prod(1 - (1 - link.expected) ** frames for link in links)
        lost = 1 - arrives * (1 - self._loss() ** frames) ** (2 * len(links) + 2)
        crowd = max(self.topology.neighbours(one) for one in path[-2:]) if links else 0
        missed = next(share for least, share in MISSED if crowd >= least)
        needed = math.ceil(math.log(missed) / math.log(max(lost, missed)))
        return min(max(needed, 1 if links else QUIET), MOST_QUIET if _are_good(links) else QUIET)

    def _path(self, place: bytes) -> tuple[bytes, ...]:
        """The repeaters of a query to be asked at a place, that one included."""
        return tuple(self.topology.path(place, anybody=True)[1:])

    def _query(self, path: tuple[bytes, ...], expected: int) -> Query:
        slots = min(max(2 * expected, SLOTS.start), SLOTS.stop - 1)
        share = math.ceil(math.log2(max(2 * expected / slots, 1)))
        self._nonce = self._nonce + 1 & 0xFFFF
        again = self._copies(len(path) + 1)
        return Query(
            self.unique_id,
            path,
            copies=again,
            nonce=self._nonce,
            epoch=self.topology.epoch,
            mask=min((1 << share) - 1, EVERY_BIT),
            slots=slots,
            slot_length=math.ceil(addp.slot_length(len(path) + 1, again) * self.pace),
        )

    async def ask(self, unique_id: bytes, epoch: int = 0) -> bool:
        """A question to one device over the best path; True: it answered. The links learn."""
        path = self.topology.path(unique_id, anybody=True)
        for _ in range(TRIES if path else 0):
            self._nonce = self._nonce + 1 & 0xFFFF
            repeaters = tuple(path[1:-1])
            again = self._copies(len(path) - 1)
            query = Query(
                self.unique_id,
                repeaters,
                nonce=self._nonce,
                epoch=epoch,
                device=unique_id,
                copies=again,
            )
            answers = await self._gather(query, 0.0, most=1)
            if _are_good(self._links(path)):
                self._count(len(path) - 1, bool(answers), again)
            if answers:
                self._note(answers[0][0], repeaters, answers[0][1])
                return True
        return False

    def _copies(self, hops: int) -> int:
        return addp.copies(hops, self._loss())

    def _loss(self) -> float:
        """Of a frame: a hop is not crossed when all its copies are lost as well."""
        counted = [(again, *hops) for again, hops in enumerate(self._hops) if sum(hops)]
        each = sum(
            (lost + crossed) * (lost / (lost + crossed)) ** (1 / (again + 1))
            for again, crossed, lost in counted
        )
        return each / sum(crossed + lost for _, crossed, lost in counted)

    def _count(self, hops: int, answered: bool, again: int) -> None:
        """Of a question that was lost, half of the hops will have been crossed."""
        self._hops[again][0] += 2 * hops if answered else hops
        self._hops[again][1] += not answered

    async def one(self, unique_id: bytes) -> bool:
        """Find a device anew, wherever it is; True: it answered, and its links are new ones.

        Only its share of all devices answers. It is looked for where it was first, then ever
        further from there.
        """
        for place in self.topology.around(unique_id):
            path = self._path(place)
            if (place != HERE and not path) or len(path) > addp.LONGEST_PATH or unique_id in path:
                continue
            query = self._query(path, FEW)
            share = addp.mixed(unique_id, query.nonce) >> 8 & EVERY_BIT
            query = replace(query, mask=EVERY_BIT, value=share, epoch=0)
            for answer, heard in await self._gather(query, query.window):
                if answer.device == unique_id:
                    self.topology.forget_links(unique_id)
                    self._note(answer, path, heard)
                    return True
        return False

    # ---- the line

    async def _gather(
        self, query: Query, window: float, most: int = 0
    ) -> list[tuple[Answer, Heard | None]]:
        """Ask, and take what answers until nobody does any more; each device once."""
        self.queries += 1
        while not self._answers.empty():
            self._answers.get_nowait()
        answers: dict[bytes, tuple[Answer, Heard | None]] = {}
        for _ in range(query.copies + 1):
            await self.client.say(query.frame())
        travel = addp.travel(query) * self.pace + SLACK
        end = clock.monotonic() + window + travel
        try:
            while not most or len(answers) < most:
                async with asyncio.timeout(end - clock.monotonic()):
                    answer, heard = await self._answers.get()
                if answer.nonce == query.nonce and answer.came_by(query.path):
                    answers.setdefault(answer.device, (answer, heard))
                    end = max(end, clock.monotonic() + travel)  # others may be queuing behind it
        except TimeoutError:
            pass
        return list(answers.values())

    def _hear(self, frame: Frame) -> None:
        try:
            answer = addp.decode_answer(frame.body)
        except DiscoveryFormatError:
            return
        if frame.unique_id == self.unique_id and not answer.place:
            signal = getattr(self.client.link, "signal", None)
            heard = Heard(signal.status, signal.levels, signal.phase) if signal else None
            self._answers.put_nowait((answer, heard))

    def _note(self, answer: Answer, path: tuple[bytes, ...], heard: Heard | None) -> None:
        """What an answer that came back along a path tells of each of its links."""
        chain = (HERE, *path, answer.device)
        now = clock.wall()
        hearers = (heard, *answer.links)
        for (receiver, sender), how in zip(pairwise(chain), hearers, strict=True):
            self.topology.heard(sender, receiver, *_levels(how), now)
        self.topology.heard(chain[-2], answer.device, *_levels(answer.heard), now)
        node = self.topology.node(answer.device)
        node.program = answer.program or node.program
        before = 0 if chain[-2] == HERE else self.topology.node(chain[-2]).phase
        node.phase = None if before is None else (before - answer.heard.phase) % 6


def _are_good(links: list[Link]) -> bool:
    return all(link.margin >= GOOD_MARGIN for link in links)


def _levels(heard: Heard | None) -> tuple[float | None, float | None]:
    """Margin and strength, dB; nothing where the link tells nothing of it, as CN/IP."""
    if heard is None or not heard.measured:
        return None, None
    return heard.margin, heard.strength
