"""One device, composed out of its board's parts. No logic: who is made of whom, in the order in
which they need each other.

    flash, files -> store -> tables (model) <- meter (application)
    link (mip on a UART) -> node (npdu, transport) -> commissioning | envelope -> services -> model
"""

import gc
import time

from micropython import const

import journal
import rare
import ticks
from console import Console
from flash_time import FlashTime, TimedFlash, TimedSettings
from meter import daily, registers
from meter.application import Application
from meter.control import Control
from meter.delta_alerts import DeltaAlerts
from meter.outages import Outages
from meter.profiles import SECTORS, Profiles
from meter.quality import Quality
from meter.switch import Remembering
from meter.waiting import Waiting
from osgp import event_log, kernels
from osgp.broadcast import Broadcast
from osgp.commissioning import CHALLENGE, COMMISSION, Commissioning
from osgp.envelope import CODE, Envelope
from osgp.events import Events
from osgp.lon import discovery, repeater
from osgp.lon.mip import Mip
from osgp.lon.node import TO_ALL, Node
from osgp.lon.npdu import BROADCAST, SUBNET_NODE, UNIQUE_ID
from osgp.membership import Membership
from osgp.pending import Pending
from osgp.procedures import Procedures
from osgp.security.random import Random
from osgp.services import Services
from osgp.status import Status
from osgp.system import System
from osgp.transactions import Transactions
from scheduler import Scheduler
from tables.compiled import ARENA, FAMILIES, MIGRATIONS, MODEL, PROCEDURES
from tables.model import MASTER, Model
from tables.store import Counter, Gate, Ring

_SECTOR = const(4096)
_PLC_READ = const(84)  # data octets of one read and of one write on the power line (DECK)
_PLC_WRITE = const(75)
_TRANSACTION = const(768)  # and of one inside a transaction (ET11.7)
_ET27 = const(2075)  # transactions; their responses are in the tables after these
_ET52 = const(2100)
_ET17 = const(2065)

# The raw region: first sector and sectors of each ring. Load profile set k (0 is set 1) has
# SECTORS[k] of meter/profiles.py.
_SEQUENCES = const((0, 2))
_SNAPSHOTS = const((2, 8))
_PROFILE = const(10)
_HISTORY = const((22, 3))
_ALTERNATE = const((25, 3))
_DAYS = const((34, 3))
_MORE_PROFILES = const(46)
_SEQUENCE_SIZE = const(6)
_PENDING = const(3)  # reason of a demand reset (MEP p.111)
_TEND_MS = const(50)
_START_GARBAGE = const(4096)  # so that what lives long lies close together


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
        self.download = None  # osgp.download.Download, while there is one
        self.trial = None  # osgp.trial.Trial, while this bank is not confirmed
        self.last_error = 0  # of ET17: how a trial ended
        self.gate = Gate(now)
        self._make_model(board)
        self._make_line(board, now)
        self._make_meter(board, now)
        self._make_doors()
        self._tell_each_other()
        self.scheduler = Scheduler(
            board.ticks_ms, board.ticks_us, board.watchdog, self.gate, self.flash_time
        )
        self.scheduler.add(self.node, board.plc)
        self.scheduler.add(self.application)
        self.scheduler.add(self.events)
        self.scheduler.add(Tending(self.gate, self.rings))
        if board.console:
            self.scheduler.add(Console(self, board.console), board.console)

    def _make_model(self, board):
        """What is kept, the tables, and the events that everybody posts to."""
        self.flash_time = FlashTime(board.ticks_us)
        self.flash = TimedFlash(board.flash, self.flash_time)
        self.settings = TimedSettings(board.settings(), self.flash_time)
        self.rings = []
        if MIGRATIONS:
            rare.run("osgp.migration", self.settings, MIGRATIONS, MODEL)
        self.model = Model(MODEL, ARENA, self.settings)
        history = self._ring(_HISTORY, event_log.SIZE)
        alternate = self._ring(_ALTERNATE, event_log.SIZE)
        self.events = Events(self.model, self.settings, history, alternate)

    def _make_line(self, board, now):
        """The power line, and what is secured on it."""
        self.member = Membership(self.settings)
        self.counter = Counter(self._ring(_SEQUENCES, _SEQUENCE_SIZE))
        self.counter.load(self.member.generation)
        make_link = getattr(board, "link", None)
        link = make_link(now) if make_link else Mip(board.plc)
        random = Random(board.random, self.settings)
        draw = None if random.repeats else random.draw
        self.node = Node(link, self.member, self.gate, board.OPEN_NM, self.restart, now, draw)
        self.services = Services(self.model, _PLC_READ, _PLC_WRITE)
        self.envelope = Envelope(
            self.member, self.counter, self.services, MASTER, board.aes, link.uid
        )
        self.commissioning = Commissioning(
            self.member,
            self.counter,
            board.aes,
            random.draw,
            link.uid,
            board.installation_key,
        )
        self.trusted = not random.repeats
        if random.repeats:
            print("device:", board.RANDOM_SOURCE, "repeats itself: nothing secured is answered")
        else:
            self.node.handlers[CODE] = self.envelope
            self.node.handlers[CHALLENGE] = self.commissioning
            self.node.handlers[COMMISSION] = self.commissioning
        for code in (CHALLENGE, COMMISSION):
            self.node.always[code] = 1 << UNIQUE_ID
        # Before the meter: what a host writes to ET04 is obeyed before anybody reads ET04, which
        # fills it with what is.
        self.system = System(
            self.model, self.node, self.member, self.counter, self.envelope, self.commissioning
        )
        self._make_repeating()

    def _make_repeating(self):
        """What is sent for others, in every node state (profile 16)."""
        node = self.node
        found = discovery.Discovery(node, self.model, self.envelope)
        node.senders += (found,)
        node.handlers[discovery.OUT] = node.handlers[discovery.IN] = found
        node.always[discovery.OUT] = 1 << BROADCAST | 1 << UNIQUE_ID
        node.always[discovery.IN] = 1 << UNIQUE_ID
        node.handlers[repeater.CODE] = repeater.Repeater(
            self.member, node.npdu, node.transport, node.outgoing
        )
        node.always[repeater.CODE] = 1 << SUBNET_NODE | 1 << UNIQUE_ID

    def _make_meter(self, board, now):
        """The application, and what follows it."""
        model, settings, events = self.model, self.settings, self.events
        rings = (self._ring(_SNAPSHOTS, registers.SIZE), self._ring(_DAYS, daily.SIZE))
        profiles = Profiles(model, settings, self._profile_ring, self.rings, events)
        self.profiles = profiles.sets
        element = board.element()
        self.application = Application(model, element, profiles, rings, settings, events)
        self.self_reads = self.application.self_reads
        Outages(model, self.application, now, board.reset_cause == "power on")
        self.quality = Quality(model, self.application, element, events, now)
        DeltaAlerts(model, self.application)
        switch = getattr(board, "switch", None) or Remembering()
        self.control = Control(model, settings, self.application, element, events, switch)
        self.waiting = Waiting(model, settings, self.application, events)

    def _make_doors(self):
        """What a host works on beside plain tables."""
        model, settings = self.model, self.settings
        Status(model, self.envelope, self.application.calendar, self.trusted)
        self.procedures = Procedures(PROCEDURES, FAMILIES, model, settings, self)
        self.pending = Pending(
            model.pendable(), model, settings, self.application, self._before_activation
        )
        whole = Services(model, _TRANSACTION, _TRANSACTION)
        may = getattr(self.board, "BROADCAST_MAY", None)
        self.transactions = [
            Transactions(request, request + 1, model, settings, whole, self.groups, may)
            for request in (_ET27, _ET52)
        ]
        model.reader(_ET17, self._read_download)
        self.broadcast = Broadcast(self)
        self.node.handlers[TO_ALL] = self.broadcast

    def _tell_each_other(self):
        """Who is told by whom, where the one is made after the other."""
        events = self.events
        events.application = self.application
        events.doors = (self.envelope,)
        self.envelope.house = self
        self.model.on_written = events.written
        self.procedures.on_initiated = events.initiated
        self.pending.on_event = events.activated
        self.application.on_clock.append(events.clock_set)
        self.application.on_clock.append(self.pending.clock_changed)
        self.application.on_step.append(self.pending.step)
        self.application.on_second.append(self.broadcast.second)
        self.control.messages = self.envelope
        self.member.on_change = self._member_changed
        self.commissioning.on_done = self._joined

    def _ring(self, place, size: int) -> Ring:
        """place: first sector and number of sectors."""
        ring = Ring(self.flash, place[0] * _SECTOR, place[1], size, kernels)
        self.rings.append(ring)
        return ring

    def _profile_ring(self, k: int, size: int) -> Ring:
        """A ring on the flash of load profile set k. Its owner enters it into `rings`."""
        first = _MORE_PROFILES + SECTORS[k] * (k - 1) if k else _PROFILE
        return Ring(self.flash, first * _SECTOR, SECTORS[k], size, kernels)

    def groups(self):
        """The group ids of this device (EP27)."""
        return rare.run("osgp.groups", self.model)

    def _read_download(self, offset: int, n: int, buf, o: int):
        """ET17."""
        rare.run("osgp.download_status", self, offset, n, buf, o)

    def _before_activation(self, self_read: bool, demand_reset: bool):
        """What a pending table's description asks for before it is activated."""
        if self_read:
            rare.run("meter.self_read", self.application)
        if demand_reset:
            rare.run("meter.demand_reset", self.application, _PENDING)

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

    def start(self):
        """What a start has to make up for: a trial or a download that goes on, a transaction that
        was cut short, what happened meanwhile, what has changed."""
        begun = rare.run("osgp.bank_start", self)
        for transactions in self.transactions:
            transactions.resume(self.board.ticks_ms())
        rare.run("osgp.start", self, begun)
        if self.member.keyed:
            rare.run("osgp.key_use", self.envelope)
        rare.run("osgp.interface", self)

    def run(self):
        """Run until a restart is asked for."""
        self.start()
        gc.collect()
        gc.threshold(-1)  # from here on the scheduler says when
        self.scheduler.run()


def run(board):
    """What main.py calls: runs a device, then the board restarts. The journal says why."""
    started = time.time()
    if board.reset_cause == "watchdog":
        journal.note(board, "the watchdog ended the run before")
    board.watchdog.feed()  # the first feed starts it: making a device may hang, too
    gc.threshold(_START_GARBAGE)
    try:
        Device(board).run()
        rare.load("banks").close_run(board)
    except Exception as error:
        journal.note_exception(board, error, time.time() - started)
    board.reset()
