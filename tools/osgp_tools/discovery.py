"""Finding devices: query id on the discovery domain, and service pins (`lon.md` 3, profile 18).

All devices are selected. Whoever answers is told to be quiet, which takes it out of the selection,
and this goes on until nobody answers: so answers that collide, or are lost, come later.
"""

from collections.abc import Callable

from osgp_tools.client import Client, NoAnswerError, Target

DISCOVERY = b"OSGP\0\0"  # the discovery domain (profile 18)
QUERY_ID, RESPOND_TO_QUERY = 0x61, 0x62
SELECTED = 1
IDENTITY = 0x21  # code of the answer to query id: unique id 6, program id 8
ANSWERS_WINDOW = 1.5  # s: a backlog of 15 is 256 slots of 3.6 ms, an answer takes 0.2 more
QUIET_ROUNDS = 2  # without an answer; one could be an answer that was lost
ROUNDS = 32


class DiscoveryError(Exception):
    """Devices answer although they were told to be quiet."""


class Discovery:
    """Make it early: service pins that are heard from then on count as answers."""

    def __init__(self, client: Client, window: float = ANSWERS_WINDOW):
        """window: seconds without an answer after which a query's answers are all there."""
        self.client = client
        self.window = window
        self.pins: set[bytes] = set()
        client.service_pin = lambda unique_id, program: self.pins.add(unique_id)

    async def find(self, found: Callable[[bytes], None] = lambda unique_id: None) -> list[bytes]:
        """The unique ids of all devices on the line, in order; `found` is told of each."""
        known: set[bytes] = set()
        await self.client.collect(DISCOVERY, bytes((RESPOND_TO_QUERY, 1)), self.window)
        quiet = 0
        for _ in range(ROUNDS):
            new = await self._query() | (self.pins - known)
            for unique_id in sorted(new):
                if await self._silence(unique_id) and unique_id not in known:
                    known.add(unique_id)
                    found(unique_id)
            quiet = 0 if new else quiet + 1
            if quiet == QUIET_ROUNDS:
                return sorted(known)
        raise DiscoveryError("devices answer query id although they were told to be quiet")

    async def _query(self) -> set[bytes]:
        query = bytes((QUERY_ID, SELECTED))
        answers = await self.client.collect(DISCOVERY, query, self.window)
        return {a.body[1:7] for a in answers if len(a.body) == 15 and a.body[0] == IDENTITY}

    async def _silence(self, unique_id: bytes) -> bool:
        """Told to be quiet, did it answer?"""
        target = Target(DISCOVERY, unique_id=unique_id)
        message = bytes((RESPOND_TO_QUERY, 0))
        try:
            await self.client.request(
                target, message, self.client.reading, lambda apdu: len(apdu) == 1
            )
        except NoAnswerError:
            self.pins.discard(unique_id)  # it may have gone; the next query will tell
            return False
        return True
