"""A Control on fakes: settings that stay, a model, a clock, registers and a contactor that checks
how it is used."""

import struct

from fakes import Settings
from meter.calendar import Calendar
from meter.clock import DAY, Clock, day_number, to_ltime
from meter.control import Control
from meter.registers import BLOCK, BT23_SIZE, FIRST
from osgp.procedures import control as procedures
from tables.compiled import ARENA, MODEL
from tables.model import MASTER, OK, Model

TODAY = day_number(26, 11, 22)  # a Sunday in winter: local time is UTC + 1 h
NOON = 12 * 3600
START = 2**30 - 70000  # the ticks wrap soon


class Cut(Exception):  # noqa: N818  not an error of the code under test
    """Power went."""


class Switch:
    """A contactor: latching, so it stays where it is over `Rig.start`. `slow`: it takes a second;
    `stuck`: it does not move."""

    def __init__(self):
        self.opened = False
        self.pressed = False
        self.load_voltage = False
        self.relays = [None, None]
        self.stuck = False
        self.slow = False
        self.told = None
        self.pulses = []
        self.on_pulse = None

    def disconnect(self, opened):
        assert opened in (True, False)
        if self.on_pulse:
            self.on_pulse(opened)
        self.pulses.append(opened)
        if not self.stuck:
            if self.slow:
                self.told = opened
            else:
                self.opened = opened

    def arrive(self):
        if self.told is not None:
            self.opened = self.told
            self.told = None

    def relay(self, k, closed):
        self.relays[k] = closed


class Registers:
    """Energy in mWh, in total and by four tiers, forward and reverse; Wh also as in BT23."""

    def __init__(self):
        self.errors = 0
        self.mwh = [0] * 10
        self.body = bytearray(BT23_SIZE)

    def use(self, mwh, tier=0, reverse=False):
        self.mwh[int(reverse)] += mwh
        if tier < 4:
            self.mwh[2 * tier + 2 + int(reverse)] += mwh
        self.show()

    def error(self):
        self.errors += 1

    def show(self):
        for k in range(10):
            place = FIRST + BLOCK * (k >> 1) + 4 * (k & 1)
            struct.pack_into("<I", self.body, place, self.value(k >> 1, k & 1))

    def value(self, block, k):
        return self.mwh[2 * block + k] // 1000 % 1000000000

    def fraction(self, block, k):
        return self.mwh[2 * block + k] % 1000


class Element:
    """What it measures is what `values` says, by index of BT28."""

    def __init__(self):
        self.values = {}

    def present(self, k):
        return self.values.get(k, 0)


class Tariff:
    def __init__(self):
        self.changes = 0

    def change(self):
        self.changes += 1


class Application:
    def __init__(self, model, registers):
        self.clock = Clock()
        self.calendar = Calendar(model.body(53), model.body(54), model.body(2052))
        self.registers = registers
        self.tariff = Tariff()
        self.behind = False
        self.on_second = []
        self.after_clock = []


class Events:
    """Those that were posted, as (event, argument), since `take`."""

    def __init__(self):
        self.posted = []
        self.lost = 0

    def post(self, event, argument=0):
        self.posted.append((event, argument))

    def take(self):
        posted = self.posted
        self.posted = []
        return posted


class Device:
    pass


class Rig:
    """Power comes with `start`; what is in flash, the contactor and the registers stay."""

    def __init__(self, day=TODAY, second=NOON, clock=True):
        self.settings = Settings()
        self.switch = Switch()
        self.registers = Registers()
        self.element = Element()
        self.events = Events()
        self.now = START
        self.day = day
        self.second = second
        self.start(clock)

    def start(self, clock=True):
        self.model = Model(MODEL, ARENA, self.settings)
        self.application = Application(self.model, self.registers)
        self.control = Control(
            self.model,
            self.settings,
            self.application,
            self.element,
            self.events,
            self.switch,
        )
        self.device = Device()
        self.device.control = self.control
        if clock:
            self.set_clock()
        self.poll()

    def set_clock(self, day=None, second=None):
        """Set the meter's clock; the true time is that from then on."""
        if day is not None:
            self.day = day
            self.second = second
        clock = self.application.clock
        old = (clock.day if clock.valid else -1, clock.second)
        clock.set(self.day, self.second, self.now)
        for function in self.application.after_clock:
            function(*old)

    def run(self, seconds=1, each=None):
        """Time passes, the meter is polled each second."""
        for _ in range(seconds):
            self.pass_time(1)
            self.switch.arrive()
            if each:
                each()
            self.poll()

    def pass_time(self, seconds):
        self.now = (self.now + 1000 * seconds) & 0x3FFFFFFF
        self.second += seconds
        self.day += self.second // DAY
        self.second %= DAY

    def poll(self):
        self.application.clock.update(self.now)
        for function in self.application.on_second:
            function(self.now)

    def write(self, number, offset, octets):
        code = self.model.write(number, offset, octets, 0, len(octets), MASTER, self.now)
        assert code == OK, code

    def read(self, number, offset, n):
        buf = bytearray(n)
        assert self.model.read(number, offset, n, buf, 0, MASTER) == OK
        return bytes(buf)

    def call(self, number, parameters=b""):
        """(result, data) of EPnn."""
        response = bytearray(12)
        result, n = procedures.run(2048 + number, parameters, response, self.device, self.now)
        return result, bytes(response[:n])

    @property
    def state(self):
        return self.read(2078, 25, 1)[0]

    def credit(self):
        """Wh in total, uWh beyond."""
        self.control.prepay.count()
        return self.control.prepay.total, self.control.prepay.part


def settings_body(**more):
    """An ET05: by name what is not 0. The rates are 1000."""
    body = bytearray(49)
    struct.pack_into("<4I", body, 8, *more.get("rates", (1000,) * 4))
    struct.pack_into("<II", body, 0, more.get("primary", 0), more.get("secondary", 0))
    body[24] = more.get("prepay", 0)
    body[25] = more.get("control", 0)
    times = (more.get("primary_time", 0), more.get("secondary_time", 0))
    struct.pack_into("<HHBH", body, 26, *times, more.get("source", 0), more.get("delay", 0))
    amounts = (more.get("exhausted", 0), more.get("warning", 0), more.get("negative", 0))
    struct.pack_into("<IIi", body, 33, *amounts)
    body[45:49] = bytes(more.get("relays", (0, 0, 0, 0)))
    return body


def ltime(day, second):
    octets = bytearray(6)
    to_ltime(day, second, octets, 0)
    return bytes(octets)


def changed(state, reason, more=0):
    """Event 66."""
    return (66, reason << 8 | more | state)


def rested(**more):
    """A device ten seconds after its start, so that the contactor may be operated."""
    rig = Rig(**more)
    rig.run(10)
    rig.events.take()
    return rig
