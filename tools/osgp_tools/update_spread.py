"""How the packets of an image get to everybody: rounds of broadcasts, and the rest one by one.

A round sends what is known to be missing anywhere, each packet once. Nothing is sent that nobody
needs: so the packets take the time that the losses make of them, however many devices there are.
Before a round devices are asked what they miss, those first whose answer is oldest, and only for
packets that they may miss; no more of them than it takes to know most of what is missing, for the
others can be asked when less is. When there is so little left that single packets to single
devices take less time than a round, they are sent so, with answers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from osgp_tools import broadcast
from osgp_tools.airtime import limit_seconds
from osgp_tools.client import Client
from osgp_tools.exchange import Target, Way
from osgp_tools.update_device import DOUBT, Part, Stage
from osgp_tools.update_packets import Image, Loudspeaker, give
from osgp_tools.update_status import places, spans

ENOUGH = 0.8  # share of what may be missing that is known when a round begins
SETTLED = 1.5  # s until the last packets have left our transceiver and are in devices' flash
FEW = 8  # packets lost in a row by chance are fewer

# LPDUs with a domain of three octets and their CRC
_BROADCAST = 107
_WRITE = limit_seconds(90) + limit_seconds(26)
_LOOK = limit_seconds(40) + limit_seconds(110)

Each = Callable[[Iterable[Part], Callable[[Part], Awaitable[None]]], Awaitable[None]]


class Spread:
    """`once(parts, work)` does work for each part and deals with those that fail in it; `surely`
    tries those that do not answer again, and gives them up in the end.

    `told()` is called after each packet.
    """

    def __init__(
        self,
        image: Image,
        parts: Sequence[Part],
        client: Client,
        once: Each,
        surely: Each,
        told: Callable[[], None],
        speaker: Loudspeaker | None = None,
    ):
        self.image = image
        self.parts = parts
        self.client = client
        self.speaker = speaker
        self.rounds = 0
        self.given = 0  # packets by unicast
        self.left = 0  # of this round, or of `to`
        self.to: Part | None = None  # to whom packets go now; None: to all
        self._once = once
        self._surely = surely
        self._told = told
        self._sent: Sequence[int] = ()  # in the last round, ascending
        # How many packets had been said when a part was asked; -1: it never was.
        self._asked = {part: 0 if _is_fresh(part) else -1 for part in parts}

    def receiving(self) -> list[Part]:
        return [part for part in self.parts if part.stage == Stage.RECEIVING and not part.over]

    async def run(self) -> None:
        """Until everybody has everything, or nothing more can be done."""
        while await self._round():
            pass
        await self._surely(self.receiving(), self._one_by_one)

    # ---- by broadcast

    async def _round(self) -> bool:
        """One survey and one round. False: what is left is not worth a round."""
        if self.speaker is None:
            return False
        await self._survey()
        known = [part for part in self._listeners() if not self._is_stale(part)]
        wanted = sorted(set().union(*(part.needs for part in known)))
        if not wanted or self._one_by_one_is_cheaper(known, len(wanted)):
            return False
        self.rounds += 1
        self.left = len(wanted)
        by = broadcast.agents(self.client, [part.member for part in known])
        members = [part.member for part in self._listeners()]
        for packet in wanted:
            await self.speaker.say(self.image, packet, members, by)
            self.left -= 1
            self._told()
        await asyncio.sleep(SETTLED)
        self._sent = wanted
        return True

    def _listeners(self) -> list[Part]:
        return [part for part in self.receiving() if not part.deaf]

    def _is_stale(self, part: Part) -> bool:
        """Broadcasts went out since it was asked."""
        return self._asked[part] < (self.speaker.said if self.speaker else 0)

    async def _survey(self) -> None:
        """Ask until most of what may be missing is known."""
        tried: set[Part] = set()
        while True:
            listeners = self._listeners()
            possible = set().union(*(part.needs for part in listeners if not part.silent))
            fresh = [part for part in listeners if not self._is_stale(part)]
            known = set().union(*(part.needs for part in fresh))
            stale = [part for part in listeners if self._is_stale(part) and part not in tried]
            if not stale or len(known) >= ENOUGH * max(len(possible), 1):
                return
            oldest = min(stale, key=lambda part: (part.silent, self._asked[part]))
            tried.add(oldest)
            await self._once([oldest], self._ask)

    async def _ask(self, part: Part) -> None:
        """What it needs now. Who has missed all of the last packets is brought up to the number
        that comes next; who has got none at all is told by itself from here on."""
        assert self.speaker
        before = part.needs
        await part.survey()
        asked_before = self._asked[part]
        self._asked[part] = self.speaker.said
        sent = [packet for packet in self._sent if packet in before]
        if asked_before < 0 or len(sent) < FEW or part.stage != Stage.RECEIVING:
            return
        if part.needs.issuperset(sent[-DOUBT:]):
            await part.expect(self.speaker.next_number())
        missed = part.needs.issuperset(sent)
        part.deaf = part.deaf or (missed and part.missed)
        part.missed = missed

    def _one_by_one_is_cheaper(self, parts: Sequence[Part], packets: int) -> bool:
        """What is known to be missing: `packets` different ones."""
        if len(parts) < len(self._listeners()):
            return False
        again = self.client.statistics.again
        once = limit_seconds(_BROADCAST) * (1 + again / 2)  # there, without the way back
        members = [part.member for part in parts]
        ways = broadcast.agents(self.client, members)
        everywhere = once * (1 + sum(1 + len(way.hops) for way in ways))
        round_ = packets * everywhere * len({member.mode for member in members})
        single = 0.0
        for part in parts:
            hops = 1 + len(self._way(part).hops)
            single += len(part.needs) * (hops * _WRITE + again * self.client.writing.timer)
            reads = len(list(spans(places(part.needs))))
            round_ += reads * (hops * _LOOK + again * self.client.reading.timer)
        return single <= round_

    def _way(self, part: Part) -> Way:
        member = part.member
        target = Target(member.domain, member.subnet, member.node)
        return next(iter(self.client.routes.ways(target)), Way())

    # ---- by unicast

    async def _one_by_one(self, part: Part) -> None:
        """All that it needs, each packet with an answer, until it has it."""
        if self._is_stale(part):
            await part.survey()
        self._asked[part] = -1
        while part.stage == Stage.RECEIVING and part.needs:
            before = len(part.needs)
            self.left, self.to = before, part
            for packet in sorted(part.needs):
                await give(part.session, self.image, packet)
                self.given += 1
                self.left -= 1
                self._told()
            await part.survey()
            if part.stage == Stage.RECEIVING and len(part.needs) >= before:
                part.begin_anew("takes no packets")


def _is_fresh(part: Part) -> bool:
    """It has nothing yet: nobody need ask what it needs."""
    return part.status is not None and not part.status.packets
