"""What the tests of the MEP and M-Bus side share: a device without doors and hardware, whose power
can go before any setting is kept."""

import struct

import rare
from fakes import Settings
from meter.clock import Clock, day_number
from meter.waiting import Waiting
from meter_support import PowerCut
from tables.compiled import ARENA, MODEL
from tables.model import MASTER, OK, Model

ET13, ET14, ET15, ET16, ET19, ET20 = [2048 + k for k in (13, 14, 15, 16, 19, 20)]
ET31, ET34, ET36, ET50, ET51 = [2048 + k for k in (31, 34, 36, 50, 51)]
HOUR = 3600
DAY = day_number(26, 11, 22)
FORWARD = 5  # of BT23: where the tests look at its octets

MBUS = 7  # handles of the devices that `attach` installs
CLIENT = 1000


class Calendar:
    """One hour ahead of UTC, in season 3."""

    season = 3
    local_day = local_second = 0

    def at(self, day, second):
        self.local_day = day
        self.local_second = second + HOUR


class Application:
    def __init__(self):
        self.clock = Clock()
        self.calendar = Calendar()
        self.on_second = []


class Events:
    def __init__(self):
        self.posted = []

    def post(self, event, argument=0):
        self.posted.append((event, argument))


class Bench:
    """`left`: settings that are kept until the power goes; -1: it stays."""

    def __init__(self):
        self.settings = Settings()
        self.settings.on_replace = self._step
        self.left = -1
        self.now_ms = 1000
        self.start()

    def _step(self, name):
        if self.left == 0:
            raise PowerCut
        self.left -= 1

    def start(self):
        """A start on what was kept, with no valid clock."""
        self.model = Model(MODEL, ARENA, self.settings)
        self.model.user = 0xFFFE
        self.application = Application()
        self.events = Events()
        self.waiting = Waiting(self.model, self.settings, self.application, self.events)

    def call(self, family, number, text, response=None):
        """What the procedure EPnn gives for parameters in hex."""
        parameters = bytes.fromhex(text.replace(" ", ""))
        data = bytearray(12)
        module = "osgp.procedures." + family
        result, n = rare.run(module, 2048 + number, parameters, data, self, self.now_ms)
        return result if not n else (result, data[0])

    def clock_is(self, day, second):
        self.application.clock.set(day, second, self.now_ms)

    def pass_seconds(self, n):
        """So many polls of the application."""
        for _ in range(n):
            self.now_ms += 1000
            self.application.clock.update(self.now_ms)
            for function in self.application.on_second:
                function(self.now_ms)

    def attach(self):
        """An M-Bus device in slot 1 and the MEP client."""
        status = bytearray(self.model.load(ET14))
        status[5] = 0x12
        struct.pack_into("<HB", status, 6 + 36, MBUS, 1)
        struct.pack_into("<HB", status, 6 + 4 * 36, CLIENT, 3)
        self.model.patch(ET14, 0, status)
        self.model.patch(ET50, 30, b"\x07")

    def read(self, number, offset=0, n=-1):
        if n < 0:
            n = self.model.size(number) - offset
        out = bytearray(n)
        assert self.model.read(number, offset, n, out, 0, MASTER) == OK
        return bytes(out)

    def write(self, number, offset, data):
        return self.model.write(number, offset, data, 0, len(data), MASTER, self.now_ms)

    def requests(self):
        """(transaction, handle, type, result) of the entries of ET15 that are used."""
        body = self.read(ET15, 1, 30)
        entries = [struct.unpack_from("<HHBB", body, 6 * k) for k in range(5)]
        return [entry for entry in entries if entry[2]]

    def pointers(self):
        """(write, read) of ET15."""
        octet = self.read(ET15, 0, 1)[0]
        return octet & 15, octet >> 4

    def log(self):
        """(valid, last, sequence, unread) of ET31."""
        header = self.read(ET31, 0, 6)
        return header[1], header[2], header[3] | header[4] << 8, header[5]
