"""One device of a simulated network: the firmware's `Device` and a transceiver on the channel.

A part is polled when it asked to be, the node after each frame, too. Only the application is left
asleep for longer than the second it asks for: see `_asleep`.
"""

import functools
from collections.abc import Callable
from datetime import datetime, timedelta

import device as firmware
import rare
import ticks
from osgp.envelope import CODE as TABLE_ACCESS
from osgp.lon.node import TO_ALL
from osgp_tools.channel import Channel
from osgp_tools.link_budget import Signal
from osgp_tools.lpdu import SUBNET_NODE, UNIQUE_ID
from osgp_tools.simulation import banks
from osgp_tools.simulation.board import TICKS, Board, Keeping
from osgp_tools.simulation.link import MILLISECOND, LpduLink
from osgp_tools.simulation.loop import BEGAN
from osgp_tools.source import EPOCH

QUARTER_HOUR = 900  # s: the longest sleep of an application


class _Part:
    """A part of the firmware in the heap."""

    def __init__(self, part) -> None:
        self.part = part
        self.order = 0  # the wake-up that counts; an older one in the heap is void


class _Guest(_Part):
    """One that the firmware made on its way, for a download or a trial: it comes and goes."""

    def __init__(self, slot) -> None:
        super().__init__(slot.part)
        self.slot = slot
        self.due = -1  # tick for which it is in the heap


class _Waking:
    """A handler of messages that work on tables: the application is woken before."""

    def __init__(self, handler, wake: Callable[[], None]) -> None:
        self._handler = handler
        self._wake = wake

    def request(self, buf, a: int, end: int, out, o: int, now: int) -> int:
        self._wake()
        return self._handler.request(buf, a, end, out, o, now)


class SimulatedDevice:
    """Made without power. `device` is the firmware's `Device` while there is power."""

    def __init__(
        self, channel: Channel, place: int, unique_id: bytes, phase: int, source: bytes, seed: int
    ) -> None:
        """`place`: its number in the topology. `source`: as of `Board`."""
        self.place = place
        self.unique_id = unique_id
        self.keeping = Keeping()
        self.device: firmware.Device | None = None
        self.link: LpduLink | None = None
        self.filtered = True  # frames that are for others go no further than the transceiver
        self.sleeps = True  # the application, between moments at which something changes
        self._channel = channel
        self.station = channel.attach(self._frame, self._error, self._sent, phase=phase)
        self._source = source
        self._seed = seed
        self._parts: list[_Part] = []
        self._slow: _Part | None = None  # the application
        self._guests: dict[object, _Guest] = {}  # by slot
        self._board: Board | None = None
        self._bank = ""  # where the bank that runs is mounted; empty: it runs from none

    def __str__(self) -> str:
        return f"device {self.place} ({self.unique_id.hex()})"

    # ---- power

    def power(self, cause: str = "power on") -> None:
        """Start the firmware on what it has kept."""
        link = self.link = LpduLink(self.unique_id, self._channel, self.station)
        board = Board(
            self.unique_id,
            self.keeping,
            self._milliseconds,
            lambda now: link,
            self._source,
            self._seed,
        )
        board.reset_cause = cause
        self._board = board
        self._bank = banks.boot(board, self.keeping)
        device = self.device = firmware.Device(board)
        self._parts = [_Part(slot.part) for slot in device.scheduler.slots]
        device.start()  # which may have guests
        (self._slow,) = [one for one in self._parts if one.part is device.application]
        handlers = device.node.handlers
        for code in (TABLE_ACCESS, TO_ALL):
            if code in handlers:
                handlers[code] = _Waking(handlers[code], self.wake)
        for part in self._parts:
            self._poll(part)
        self._see_guests()

    def cut(self) -> None:
        """Without power nothing is left but flash and settings."""
        self.station.cancel()
        for part in [*self._parts, *self._guests.values()]:
            part.order += 1
        self._parts = []
        self._guests = {}
        self.device = self.link = self._slow = None

    # ---- time

    def set_clock(self, began: datetime = BEGAN) -> None:
        """As BP10 does it, to the right time, for work without a concentrator. `began`: the time
        of day at the channel's 0."""
        assert self.device
        now = began + timedelta(microseconds=self._channel.now // 1000)
        day = (now.date() - EPOCH).days
        second = now.hour * 3600 + now.minute * 60 + now.second
        self.device.application.set_clock(day, second, 0, self._milliseconds() & TICKS)
        self.wake_soon()

    def _milliseconds(self) -> int:
        return self._channel.now // MILLISECOND

    def _poll(self, part: _Part) -> None:
        """Let a part do what is due, and enter into the heap when it is due again."""
        banks.run_from(self._bank)
        now = self._milliseconds()
        tick = now & TICKS
        left = ticks.diff(part.part.poll(tick), tick)
        if part is self._slow and self.sleeps:
            left = self._asleep(left)
        self._wake_at(part, (now + max(left, 1)) * MILLISECOND)  # a slice takes 1 ms at least

    def _wake_at(self, part: _Part, moment: int) -> None:
        part.order += 1
        order = part.order

        def wake() -> None:
            if part.order == order:
                if isinstance(part, _Guest):
                    self._serve(part)
                else:
                    self._poll(part)
                if part is self._slow:
                    self._poll_others()
                self._see_guests()
                self._restart_if_asked()

        self._channel.call_at(moment, wake)

    def _serve(self, guest: _Guest) -> None:
        """As the scheduler would. Those that are asleep here would have been polled meanwhile."""
        assert self.device
        banks.run_from(self._bank)
        tick = self._milliseconds() & TICKS
        for slot in self.device.scheduler.slots:
            slot.beat = tick
        left = ticks.diff(guest.part.poll(tick), tick)
        guest.slot.due = ticks.add(tick, min(max(left, 1), 1000))

    def _see_guests(self) -> None:
        """Who has come, who has gone, and who is due at another time than he was."""
        if self.device is None:
            return
        slots = self.device.scheduler.slots[len(self._parts) :]
        for gone in set(self._guests) - set(slots):
            self._guests.pop(gone).order += 1
        for slot in slots:
            guest = self._guests.setdefault(slot, _Guest(slot))
            if guest.due != slot.due:
                guest.due = slot.due
                now = self._milliseconds()
                left = ticks.diff(slot.due, now & TICKS)
                self._wake_at(guest, (now + max(left, 0)) * MILLISECOND)

    def _poll_others(self) -> None:
        """What was done may have made something due: on a board all are polled each second."""
        for part in self._parts:
            if part is not self._slow:
                self._poll(part)

    def _asleep(self, left: int) -> int:
        """Milliseconds for which the application need not be polled; `left`: what it asks for.

        It counts energy in steps that end where something changes, whether it is polled then or
        later: so the polls in between may be left out. It is polled at the end of each such step,
        before its tables are asked, and each second while something moves.
        """
        assert self.device
        device = self.device
        application, control, waiting = device.application, device.control, device.waiting
        moving = control.moving or control.wait or waiting.again or waiting.open
        if left <= 0 or application.behind or moving:
            return left
        seconds = QUARTER_HOUR
        if application.clock.valid:
            seconds = min(application.profiles.left, application.tariff.left, QUARTER_HOUR)
            if waiting.day == application.clock.day:
                seconds = min(seconds, waiting.second - application.clock.second)
        if control.left > 0:
            seconds = min(seconds, control.left)
        return left + 1000 * max(seconds - 1, 0)

    def wake(self) -> None:
        """Bring the application up to now, if it sleeps, and let it look again in a second: its
        tables are about to be asked, or written."""
        device = self.device
        assert device
        if device.application.behind:
            return  # it is making up for a past, in its own time
        tick = self._milliseconds() & TICKS
        device.application.poll(tick)
        while device.application.behind:
            device.application.poll(tick)
        self.wake_soon()

    def wake_soon(self) -> None:
        """A second after something that it may want to see the application looks."""
        assert self._slow
        self._wake_at(self._slow, self._channel.now + 1000 * MILLISECOND)

    def _restart_if_asked(self) -> None:
        if self.device and not self.device.scheduler.running:
            assert self._board
            banks.close(self._board)
            self.cut()
            self.power("reset")

    # ---- the transceiver

    def _is_concerned(self, lpdu: bytes) -> bool:
        """May a frame be for this device? The firmware would find the same, in ten times the
        time."""
        assert self.device
        form = lpdu[1] >> 2 & 3
        if form == SUBNET_NODE:
            to = (lpdu[4], lpdu[5] & 0x7F)
            one, other = self.device.member.domains
            return to in ((one.subnet, one.node), (other.subnet, other.node))
        return form != UNIQUE_ID or lpdu[5:11] == self.unique_id

    def _frame(self, lpdu: bytes, signal: Signal) -> None:
        device = self.device
        if device is None or (self.filtered and not self._is_concerned(lpdu)):
            return
        assert self.link
        banks.run_from(self._bank)
        self.link.frames.append((lpdu, signal))
        device.node.readable(self._milliseconds() & TICKS)
        self._poll(self._parts[0])
        self._see_guests()
        self._restart_if_asked()

    def _error(self) -> None:
        if self.link:
            self.link.crc_errors += 1

    def _sent(self) -> None:
        if self.device is None or self.link is None:
            return
        self.link.waiting = max(self.link.waiting - 1, 0)
        self.device.node.readable(self._milliseconds() & TICKS)  # the answer has left
        self._poll(self._parts[0])


_load = rare.load
_load_once = functools.cache(_load)


def keep_rare_modules() -> None:
    """Load what is rare once for all devices and not once for each use.

    A rare module holds nothing between two runs (no module of the firmware does), so what it does
    is the same; and a Pico's few free kilobytes, for which it is let go of, are no matter here.
    """
    rare.load = _load_once


def let_rare_modules_go() -> None:
    """As on a board again: for whoever tests just that in the same process."""
    rare.load = _load
