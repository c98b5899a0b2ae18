"""What the tests of power quality share: a meter around the part under test, and its line."""

import ticks
from fakes import Settings
from meter.clock import Clock, day_number, to_ltime
from meter.quality import Quality
from tables.compiled import ARENA, MODEL
from tables.model import MASTER, OK, Model

ET04 = 2048 + 4
ET09 = 2048 + 9
ET10 = 2048 + 10
ET71 = 2048 + 71
ET81 = 2048 + 81
TODAY = day_number(26, 11, 21)
NOON = 12 * 3600

# ET09, by the guide's own arithmetic (MEP p.68-77): from B the outages are over, A = B + 357
B = 18 * 10
A = B + 357


class Events:
    """Keeps what was posted."""

    def __init__(self):
        self.posted = []
        self.alarms = []

    def alarm(self, place):
        self.alarms.append(place)

    def post(self, event, argument=0):
        self.posted.append((event, argument))

    def take(self):
        posted = self.posted
        self.posted = []
        return posted


class Calendar:
    """Local time is UTC + 1 h."""

    def at(self, day, second):
        second += 3600
        self.local_day = day + second // 86400
        self.local_second = second % 86400


class Registers:
    def __init__(self, day=-1, second=0):
        self.day = day
        self.second = second
        self.outages = []

    def outage(self, seconds):
        self.outages.append(seconds)


class Application:
    """As much of `meter/application.py` as quality needs."""

    def __init__(self, registers=None):
        self.behind = False
        self.clock = Clock()
        self.calendar = Calendar()
        self.events = Events()
        self.registers = registers or Registers()
        self.on_second = []
        self.after_clock = []
        self.sources = {}

    def source(self, number):
        return self.sources.get(number)

    def set_clock(self, day, second, now):
        self.clock.set(day, second, now)
        for function in self.after_clock:
            function(-1, 0)

    def poll(self, now):
        self.clock.update(now)
        for function in self.on_second:
            function(now)


class Line:
    """An element: what stands in `values` by number of BT28."""

    def __init__(self, phases=3):
        self.phases = phases
        self.distortion = [0] * 9
        self.rotation = 0 if phases == 3 else 2
        self.inverted = 0
        self.tampers = 0
        self.values = {11: 50000}
        for phase in range(phases):
            self.values[4 + phase] = 400
            self.values[7 + phase] = 230000

    def present(self, k):
        return self.values.get(k, 0)


def model(settings=None):
    return Model(MODEL, ARENA, settings or Settings())


def write(a_model, number, offset, octets):
    assert a_model.write(number, offset, bytes(octets), 0, len(octets), MASTER, 0) == OK


def read(a_model, number):
    body = bytearray(a_model.size(number))
    assert a_model.read(number, 0, len(body), body, 0, MASTER) == OK
    return body


def u16(body, o):
    return body[o] | body[o + 1] << 8


def u32(body, o):
    return u16(body, o) | u16(body, o + 2) << 16


START = 2**30 - 30000  # the ticks wrap soon


class Rig:
    """A meter whose clock is set; each second one look at the line."""

    def __init__(self, line=None, settings=None, **thresholds):
        self.line = line or Line()
        self.settings = settings or Settings()
        self.now = START
        self.events = Events()
        self.start()
        self.set(**thresholds)

    def start(self):
        self.model = model(self.settings)
        self.application = Application()
        self.quality = Quality(self.model, self.application, self.line, self.events, self.now)
        self.application.set_clock(TODAY, NOON, self.now)
        self.pass_seconds(3)  # the hold time
        self.events.take()

    def set(self, long=0, minutes=0, sag=10, surge=10, over=0, seconds=0, early=0, sag2=255):
        head = bytes((long & 0xFF, long >> 8, minutes, sag, surge, over))
        write(self.model, ET09, 0, head)
        write(self.model, ET09, B + 143, (seconds,))
        write(self.model, ET09, A + 120, (0, 0, sag2))
        write(self.model, ET09, A + 161, (early,))

    def pass_seconds(self, n=1):
        for _ in range(n):
            self.now = ticks.add(self.now, 1000)
            self.application.poll(self.now)

    def voltage(self, phase, volts, seconds):
        """The phase has this voltage for some seconds. Returns the events of that time."""
        before = self.line.values[7 + phase]
        self.line.values[7 + phase] = int(volts * 1000)
        self.pass_seconds(seconds)
        self.line.values[7 + phase] = before
        return self.events.take()

    def et09(self):
        return read(self.model, ET09)


def ltime(second):
    buf = bytearray(6)
    to_ltime(TODAY, NOON + second, buf, 0)
    return buf
