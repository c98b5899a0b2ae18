"""One device's part in an update: what is asked of it, in the order in which that goes.

    judge (`update_judge`) -> begin, erased -> packets -> switch -> started -> confirm

Each may be repeated, and each begins with what the device says of itself (ET17). What can be done
again raises SessionError or NoAnswerError; what cannot sets `refusal`.
"""

import asyncio
from dataclasses import dataclass, field
from enum import IntEnum

from osgp_tools import clock, groups, model, procedures
from osgp_tools.client import NoAnswerError
from osgp_tools.session import RefusedError, Result, Session, SessionError
from osgp_tools.store import Member
from osgp_tools.update_packets import Image
from osgp_tools.update_status import Fault, State, Status, ask, look
from osgp_tools.update_store import Downloads

EP08, EP10 = 2048 + 8, 2048 + 10
ET04 = 2048 + 4
TRIAL = 600.0  # s that every part must have been alive before a trial is confirmed
RESTART = 8.0  # s from the result of EP10 until the restart, and a bit
START = 120.0  # s within which a device must have come back
ERASING = 300.0  # s within which a bank must be erased
SUMMING = 5  # looks at a device that works out the sum of what is complete
LOOK_PAUSE = 2.0  # s between looks at something that takes its time
DOUBT = 8  # broadcast numbers behind which a device is raised to ours; its window has 16


class Stage(IntEnum):
    """How far a device is."""

    UNKNOWN = 0
    EMPTY = 1  # its bank has to be erased first
    RECEIVING = 2
    COMPLETE = 3
    TRIAL = 4
    CONFIRMED = 5


STAGES = (
    "not asked yet",
    "has none of it",
    "has a part of it",
    "has all of it",
    "runs it on trial",
    "runs it",
)


class UpdateError(SessionError):
    """Not everybody runs the image."""


@dataclass(eq=False)
class Part:
    """`needs`: packets that it did not have when it was last asked."""

    member: Member
    session: Session
    image: Image
    kept: Downloads
    stage: Stage = Stage.UNKNOWN
    status: Status | None = None
    needs: set[int] = field(default_factory=set)
    refusal: str = ""  # why nothing more is tried
    silent: bool = False  # when it was last asked
    missed: bool = False  # all of the last round of broadcasts
    deaf: bool = False  # broadcasts bring it nothing
    again: bool = False  # its bank was erased for a second time: there is no third
    goal: int = 0  # the bank to which it was switched
    trial_seen: float = 0.0  # wall clock

    @property
    def over(self) -> bool:
        """Nothing more can be done for it now."""
        return bool(self.refusal) or self.stage == Stage.CONFIRMED

    @property
    def there(self) -> int:
        """Packets that it has."""
        if self.stage < Stage.RECEIVING:
            return 0
        return (
            self.image.packets - len(self.needs)
            if self.stage == Stage.RECEIVING
            else (self.image.packets)
        )

    def __str__(self) -> str:
        member = self.member
        return f"{member.unique_id.hex()} ({member.subnet}/{member.node})"

    @property
    def text(self) -> str:
        """How far it is, in words."""
        if self.refusal:
            return self.refusal
        if self.stage == Stage.RECEIVING:
            return f"has {self.there} of {self.image.packets} packets"
        return STAGES[self.stage]

    async def look(self) -> Status:
        """Its ET17; of a download that has only just become complete with its sum."""
        for _ in range(SUMMING):
            status = self.status = await look(self.session)
            if status.state != State.COMPLETE or status.crc:
                break
            await asyncio.sleep(LOOK_PAUSE)
        return status

    async def _result(
        self, number: int, parameters: bytes, waiting: tuple[int, ...] = (Result.ACCEPTED,)
    ) -> int:
        """Of a procedure. SessionError: BT08 tells of other ones all the time."""
        initiated = await self.session.initiate(number, parameters)
        try:
            return (await self.session.outcome(initiated, waiting)).result
        except RefusedError:
            raise
        except SessionError as error:
            raise SessionError("somebody else runs procedures in it meanwhile") from error

    async def runs_it(self, status: Status) -> bool:
        """EP10 for the bank that runs, and is confirmed, says whether it is that image."""
        return await self._switch_to(status.active) == Result.DONE

    def on_trial(self) -> None:
        self.stage = Stage.TRIAL
        self.trial_seen = self.kept.saw_trial(
            self.member.unique_id, self.image.fingerprint, clock.wall()
        )

    # ---- what has to be so for broadcasts to be taken

    @property
    def joined(self) -> bool:
        """It is in a group for the time of the update, perhaps since an earlier run."""
        return self.kept.joined(self.member.unique_id)

    async def join(self, group: int) -> None:
        if group in await groups.read(self.session):
            return
        self.kept.join(self.member.unique_id)
        await groups.change(self.session, groups.ADD, group)

    async def leave(self, group: int) -> None:
        if group in await groups.read(self.session):
            await groups.change(self.session, groups.REMOVE, group)
        self.kept.leave(self.member.unique_id)

    async def expect(self, number: int) -> None:
        """Let it take broadcasts from this number on; it may have missed more than its window."""
        at, size = model.field(ET04, "broadcast_base")
        base = int.from_bytes(await self.session.read(ET04, at, size), "little")
        if base > number:
            self.deaf = True  # it heard higher ones than we ever gave out
        elif number - base >= DOUBT:
            await self.session.write(ET04, number.to_bytes(size, "little"), at)

    # ---- the download

    async def begin(self) -> None:
        """Have its bank erased (EP08)."""
        self.kept.forget(self.member.unique_id)
        length = len(self.image.octets).to_bytes(4, "little")
        result = await self._result(EP08, length, waiting=())
        if result in (Result.DONE, Result.ACCEPTED):
            return
        status = await self.look()
        if status.on_trial:
            self.refusal = f"runs version {status.version} on trial: that comes first"
        elif status.fault == Fault.NO_KEY or result != Result.CONFLICT:
            self.refusal = status.fault.text if status.fault else _told(EP08, result)
        else:
            self.refusal = "takes no images: it has no second bank, or no key to check them with"

    async def erased(self) -> None:
        """Wait until it takes packets."""
        until = clock.monotonic() + ERASING
        while clock.monotonic() < until:
            status = await self.look()
            if status.state == State.RECEIVING and status.length == len(self.image.octets):
                self.kept.begin(self.member.unique_id, self.image.fingerprint)
                self.stage = Stage.RECEIVING
                self.needs = set(range(self.image.packets))
                return
            if status.state != State.ERASING:
                raise SessionError(f"{self}: its bank is not erased: {status}")
            await asyncio.sleep(LOOK_PAUSE)
        raise SessionError(f"{self}: its bank is not erased after {ERASING:.0f} s")

    async def survey(self) -> None:
        """Ask which packets it needs; COMPLETE when it has all, and they are the image's."""
        status, needs = await ask(self.session, self.needs)
        ours = status.length == len(self.image.octets)
        if ours and status.state == State.RECEIVING and needs:
            self.needs = needs
            return
        status = await self.look()  # it may have become complete this moment
        ours = status.length == len(self.image.octets)
        if ours and status.crc == self.image.crc:
            self.needs.clear()
            self.stage = Stage.COMPLETE
        elif status.state not in (State.ERASING, State.RECEIVING) or not ours:
            self.begin_anew(f"somebody else's download is in it: {status}")

    def begin_anew(self, why: str) -> None:
        """What is in its bank is not the image. Once; the second time somebody wants it so."""
        self.kept.forget(self.member.unique_id)
        self.needs.clear()
        if self.again:
            self.refusal = why
        else:
            self.again = True
            self.stage = Stage.EMPTY

    # ---- the switch

    async def _switch_to(self, bank: int) -> int:
        """EP10: its result, waited for while the device verifies."""
        return await self._result(EP10, bytes((bank,)) + self.image.id)

    async def switch(self) -> None:
        """Have the other bank verified and started on trial; it restarts a few seconds later.

        In a trial of another image, and when this is the one before it: give the trial back.
        """
        before = await self.look()
        self.goal = before.other
        if before.state in (State.VERIFYING, State.VERIFIED):
            return  # somebody was faster, or it was us
        result = await self._switch_to(self.goal)
        if result in (Result.DONE, Result.ACCEPTED):
            return
        status = await self.look()
        if status.on_trial and not before.on_trial:
            return
        why = status.fault.text if status.fault else _told(EP10, result)
        if result == Result.TIMING or (status.fault and not status.fault.of_the_image):
            self.begin_anew(why)
        else:
            self.refusal = why

    async def started(self) -> None:
        """Wait until it runs the other bank, on trial or confirmed. A restart answers nothing."""
        until = clock.monotonic() + START
        while True:
            try:
                status = await self.look()
            except NoAnswerError:
                if clock.monotonic() >= until:
                    raise
            else:
                if status.active == self.goal and status.state != State.VERIFIED:
                    if status.on_trial:
                        self.on_trial()
                    else:
                        self.stage = Stage.CONFIRMED
                    return
                if status.state == State.FAILED:
                    self.refusal = status.fault.text
                    return
                if clock.monotonic() >= until:
                    raise SessionError(f"{self} does not restart: {status}")
            await asyncio.sleep(LOOK_PAUSE)

    # ---- the trial

    async def confirm(self) -> bool:
        """The second EP10. False: the device says that it is too early."""
        status = await self.look()
        if not status.on_trial:
            same = (status.version, status.security) == self.image.version
            if same and await self.runs_it(status):
                self.stage = Stage.CONFIRMED
            else:
                self.refusal = status.fault.text if status.fault else f"runs it no more: {status}"
            return True
        result = await self._switch_to(status.active)
        if result == Result.TIMING:
            return False
        if result == Result.DONE:
            self.stage = Stage.CONFIRMED
        else:
            self.refusal = f"runs another image of the same version: {_told(EP10, result)}"
        return True


def _told(procedure: int, result: int) -> str:
    return f"{procedures.name(procedure)}: {procedures.result_text(procedure, result)}"
