"""The transaction that is outstanding, and which answers it takes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from osgp_tools import ltep
from osgp_tools.exchange import Way
from osgp_tools.lpdu import Frame

BUSY = 0x80  # of the octet behind 4C: that repeater was at work for somebody else


def anything(apdu: bytes) -> bool:
    """Whatever comes."""
    return True


@dataclass
class Outstanding:
    """The outstanding transaction."""

    domain: bytes
    tid: int
    source: tuple[int, int] | None  # who must answer; None: anybody (unique id, broadcast)
    accept: Callable[[bytes], bool]  # of the APDU
    answers: asyncio.Queue = field(default_factory=asyncio.Queue)  # of LPDU and Frame

    async def answer(self, seconds: float) -> tuple[bytes, Frame] | None:
        """The next one, or None when none comes for so long."""
        try:
            async with asyncio.timeout(seconds):  # wait_for may lose a Ctrl-C, in 3.11
                return await self.answers.get()
        except TimeoutError:
            return None

    def takes(self, frame: Frame) -> bool:
        """Is this response its answer?"""
        if frame.tid != self.tid or frame.domain != self.domain:
            return False
        return (self.source is None or self.source == frame.source) and self.accept(frame.body)


def taken(accept: Callable[[bytes], bool], way: Way, service: int) -> Callable[[bytes], bool]:
    """What ends a transaction by this way."""
    if not way.hops:
        return accept
    served = bytes((ltep.REPEAT,))

    def ends(apdu: bytes) -> bool:
        if ltep.is_failure(apdu):
            return apdu[1] & ~BUSY < len(way.hops)
        return apdu == served if service != ltep.REQUEST else accept(apdu)

    return ends
