"""One device, composed out of its board's parts. No logic: who is made of whom, in the order in
which they need each other.

    flash, files -> store -> tables (model) <- meter (application)
    uart -> node (mip, npdu, transport) -> commissioning | envelope -> services -> model
"""

import time

from micropython import const

import journal
import ticks
from console import Console
from flash_time import FlashTime, TimedFlash, TimedSettings
from meter import profile, registers
from meter.application import Application
from osgp import kernels
from osgp.commissioning import CHALLENGE, COMMISSION, Commissioning
from osgp.envelope import CODE, Envelope
from osgp.lon.node import Node
from osgp.membership import Membership
from osgp.procedures import Procedures
from osgp.procedures.clock import SET_DATE_TIME, SetDateTime
from osgp.security.random import Random
from osgp.services import Services
from osgp.system import System
from scheduler import Scheduler
from tables.compiled import ARENA, MODEL
from tables.model import MASTER, Model
from tables.store import Counter, Gate, Ring

_SECTOR = const(4096)
_PLC_READ = const(84)  # data octets of one read and of one write on the power line (DECK)
_PLC_WRITE = const(75)

# The raw region: sectors of each ring, in this order from its start.
_SEQUENCE_SECTORS = const(2)
_REGISTER_SECTORS = const(8)
_PROFILE_SECTORS = const(12)
_SEQUENCE_SIZE = const(6)
_TEND_MS = const(50)


class Tending:
    """The part that erases ahead, in moments that nobody will miss."""

    def __init__(self, gate, rings):
        self._gate = gate
        self._rings = rings
        self._since = None

    def poll(self, now: int) -> int:
        for ring in self._rings:
            if ring.needs_tending:
                if self._since is None:
                    self._since = now
                if self._gate.open(now) or self._gate.overdue(self._since, now):
                    ring.tend()
                    self._since = None
                return ticks.add(now, _TEND_MS)
        return ticks.add(now, ticks.FAR)


class Device:
    """Everything that runs. `board`: see boards/unix/board.md for what a board gives."""

    def __init__(self, board):
        now = board.ticks_ms()
        self.board = board
        self.flash_time = FlashTime(board.ticks_us)
        self.flash = TimedFlash(board.flash, self.flash_time)
        self.settings = settings = TimedSettings(board.settings(), self.flash_time)
        self.gate = Gate(now)
        self.model = Model(MODEL, ARENA, settings)

        at = 0
        sequences = self._ring(at, _SEQUENCE_SECTORS, _SEQUENCE_SIZE)
        at += _SEQUENCE_SECTORS
        snapshots = self._ring(at, _REGISTER_SECTORS, registers.SIZE)
        at += _REGISTER_SECTORS
        intervals = self._ring(at, _PROFILE_SECTORS, profile.SIZE)

        self.member = Membership(settings)
        self.counter = Counter(sequences)
        self.counter.load(self.member.generation)
        self.node = Node(board.plc, self.member, self.gate, board.OPEN_NM, self.restart, now)
        self.services = Services(self.model, _PLC_READ, _PLC_WRITE)
        self.envelope = Envelope(self.member, self.counter, self.services, MASTER)
        random = Random(board.random, settings)
        self.commissioning = Commissioning(
            self.member,
            self.counter,
            board.aes,
            random.draw,
            self.node.mip.uid,
            board.installation_key,
        )
        self.system = System(
            self.model, self.node, self.member, self.counter, self.envelope, self.commissioning
        )
        self.application = Application(self.model, board.element(), snapshots, intervals)
        self.procedures = Procedures(self.model, settings)
        self.procedures.add(SET_DATE_TIME, SetDateTime(self.application))

        if random.repeats:
            print("device:", board.RANDOM_SOURCE, "repeats itself: nothing secured is answered")
        else:
            self.node.handlers[CODE] = self.envelope
            self.node.handlers[CHALLENGE] = self.commissioning
            self.node.handlers[COMMISSION] = self.commissioning
        self.node.always = (CHALLENGE, COMMISSION)
        self.member.on_change = self._member_changed
        self.commissioning.on_done = self._joined

        self.scheduler = Scheduler(
            board.ticks_ms, board.ticks_us, board.watchdog, self.gate, self.flash_time
        )
        self.scheduler.add(self.node, board.plc)
        self.scheduler.add(self.application)
        self.scheduler.add(Tending(self.gate, (sequences, snapshots, intervals)))
        if board.console:
            self.scheduler.add(Console(self, board.console), board.console)

    def _ring(self, sector: int, sectors: int, size: int) -> Ring:
        return Ring(self.flash, sector * _SECTOR, sectors, size, kernels)

    def _member_changed(self):
        self.node.refresh()
        self.envelope.rekey()

    def _joined(self):
        """A new member is configured and online in the same step (profile 15)."""
        self.node.management.online = True
        self.node.management.selected = False

    def restart(self):
        """Leave the scheduler; the board restarts."""
        self.scheduler.running = False

    def run(self):
        """Run until a restart is asked for."""
        self.scheduler.run()


def run(board):
    """What main.py calls: runs a device, then the board restarts. The journal says why."""
    started = time.time()
    if board.reset_cause == "watchdog":
        journal.note(board, "the watchdog ended the run before")
    board.watchdog.feed()  # the first feed starts it: making a device may hang, too
    try:
        Device(board).run()
    except Exception as error:
        journal.note_exception(board, error, time.time() - started)
    board.reset()
