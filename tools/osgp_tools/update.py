"""A whole line gets another firmware (`profile.md` 23 to 27): the concentrator's side.

    ask everybody -> erase -> packets (`update_spread`) -> EP10 -> trial -> EP10 again

How far a device is says the device, at each step: so all of it may be interrupted anywhere, and
begun again. Devices that fail are left behind, and told of at the end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from osgp_tools import clock
from osgp_tools.client import Client, NoAnswerError
from osgp_tools.rekey import session_of
from osgp_tools.session import SessionError
from osgp_tools.store import Member, Vault
from osgp_tools.update_device import RESTART, TRIAL, Part, Stage
from osgp_tools.update_judge import judge, judge_back
from osgp_tools.update_packets import Image, Loudspeaker
from osgp_tools.update_spread import Spread
from osgp_tools.update_store import Downloads

GROUP = 0x5550  # "UP": what devices join for the time of an update
TRIES, PAUSE = 4, 20.0  # of devices that do not answer, and s between
CONFIRM_PAUSE = 60.0  # s after a device has said that it is too early
PATIENCE = 3600.0  # s for which a trial is asked again after its ten minutes
NO_ANSWER = "no answer"
DOWNLOADS = 2  # the second for those in whom it was damaged


@dataclass(frozen=True)
class Plan:
    """How it is done. `group`: one that devices are in; None: they join GROUP for the time."""

    by_broadcast: bool = True
    group: int | None = None
    confirm: bool = True
    back: bool = False  # to what the other bank holds: nothing is downloaded


class Listener:
    """Whom an update tells of its progress. This one hears nothing."""

    def phase(self, text: str) -> None:
        """Everybody does this now."""

    def part(self, part: Part) -> None:
        """Something was asked of this device, or done to it."""

    def packet(self, spread: Spread) -> None:
        """A packet went out."""


class Update:
    """Of these members to this image. `parts`: how far each is; the figures are of this run."""

    def __init__(
        self,
        client: Client,
        vault: Vault,
        kept: Downloads,
        image: Image,
        members: Sequence[Member],
        plan: Plan,
        listener: Listener | None = None,
    ):
        self.image = image
        self.plan = plan
        self.rounds = 0  # of broadcasts
        self.said = 0  # packets by broadcast
        self.given = 0  # packets to one device, with an answer
        self.parts = [
            Part(member, session_of(client, vault, member), image, kept) for member in members
        ]
        self._on_trial: list[Part] = []  # before this run
        self._client = client
        self._vault = vault
        self._kept = kept
        self.listener = listener or Listener()

    async def run(self) -> None:
        """All of it, as far as devices go along."""
        for _ in range(DOWNLOADS):
            await self.download()
            await self._switch()
        if self.plan.confirm:
            await self._confirm()

    async def download(self) -> None:
        """Until everybody has all of it."""
        unknown = self.at(Stage.UNKNOWN)
        if unknown:
            self.listener.phase("asking")
            await self._surely(unknown, judge_back if self.plan.back else judge)
            self._on_trial = self.at(Stage.TRIAL)
        await self._download()
        await self._leave()

    def at(self, *stages: Stage) -> list[Part]:
        """The parts at these stages with which one can go on."""
        return [part for part in self.parts if part.stage in stages and not part.over]

    # ---- its pieces

    async def _download(self) -> None:
        parts = self.at(Stage.EMPTY, Stage.RECEIVING)
        if not parts:
            return
        if not self.plan.by_broadcast:
            await self._erase(parts)
            await self._spread(parts, None)
            return
        group = self.plan.group or GROUP
        speaker = Loudspeaker(self._client, self._vault, group)
        self._kept.forget_others(self.image.fingerprint)
        try:
            self.listener.phase("preparing for broadcasts")
            await self._surely(parts, partial(self._prepare, speaker))
            await self._erase(parts)
            await self._spread(parts, speaker)
        finally:
            speaker.close()

    async def _leave(self) -> None:
        """Whoever joined GROUP, in this run or in one that was interrupted."""
        joined = [part for part in self.parts if part.joined and not part.silent]
        if joined:
            self.listener.phase("leaving the group")
            await self._once(joined, lambda part: part.leave(GROUP))

    async def _prepare(self, speaker: Loudspeaker, part: Part) -> None:
        if self.plan.group is None:
            await part.join(speaker.group)
        await part.expect(speaker.next_number())

    async def _erase(self, parts: Sequence[Part]) -> None:
        """All at once: each does it by itself."""
        empty = [part for part in parts if part.stage == Stage.EMPTY and not part.over]
        self.listener.phase("erasing")
        await self._surely(empty, Part.begin)
        await self._surely(empty, Part.erased)

    async def _spread(self, parts: Sequence[Part], speaker: Loudspeaker | None) -> None:
        receiving = [part for part in parts if part.stage == Stage.RECEIVING and not part.over]
        self.listener.phase("sending packets")
        spread = Spread(
            self.image,
            receiving,
            self._client,
            self._once,
            self._surely,
            lambda: self.listener.packet(spread),
            speaker,
        )
        try:
            await spread.run()
        finally:
            self.rounds += spread.rounds
            self.given += spread.given
            self.said += speaker.said if speaker else 0

    async def _switch(self) -> None:
        parts = self.at(Stage.COMPLETE)
        if not parts:
            return
        self.listener.phase("switching banks")
        await self._surely(parts, Part.switch)
        switched = [part for part in parts if part.stage == Stage.COMPLETE and not part.over]
        if switched:
            await asyncio.sleep(RESTART)
            await self._surely(switched, Part.started)

    async def _confirm(self) -> None:
        """Each when its ten minutes are over, and at once if it was on trial before this run; a
        device that says that it is too early is asked again."""
        now = clock.wall()
        due = {
            part: now if part in self._on_trial else part.trial_seen + TRIAL
            for part in self.at(Stage.TRIAL)
        }
        if not due:
            return
        self.listener.phase("on trial for ten minutes")
        until = max(*due.values(), clock.wall()) + PATIENCE
        while due and clock.wall() < until:
            part = min(due, key=due.__getitem__)
            await asyncio.sleep(max(due[part] - clock.wall(), 0))
            await self._once([part], self._confirm_one)
            if part.over or part.stage == Stage.CONFIRMED:
                del due[part]
            else:
                due[part] = max(part.trial_seen + TRIAL, clock.wall() + CONFIRM_PAUSE)

    @staticmethod
    async def _confirm_one(part: Part) -> None:
        await part.confirm()

    # ---- how

    async def _once(self, parts: Iterable[Part], work: Callable[[Part], Awaitable[None]]) -> None:
        """The same for each. Who does not answer is `silent`, who refuses has a `refusal`."""
        for part in parts:
            try:
                await work(part)
                part.silent = False
            except NoAnswerError:
                part.silent = True
            except SessionError as error:
                part.silent = False
                part.refusal = str(error)
            self.listener.part(part)

    async def _surely(
        self, parts: Iterable[Part], work: Callable[[Part], Awaitable[None]]
    ) -> None:
        """The same; those that do not answer have another turn after all others, and are given up
        after some of them."""
        left = [part for part in parts if not part.over]
        for attempt in range(TRIES):
            if attempt and left:
                await asyncio.sleep(PAUSE)
            await self._once(left, work)
            left = [part for part in left if part.silent]
        for part in left:
            part.refusal = NO_ANSWER
            self.listener.part(part)
