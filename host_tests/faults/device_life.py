"""A life of a whole device, and what is left of it when power goes at any flash operation.

usage: micropython device_life.py STEPS FIRST LAST    (powercut.py does that)
       micropython device_life.py wear DAYS           (`make wear`)

What runs is the firmware's own `Device` on real littlefs and rings in simulated NOR flash, without
a line: a host configures tables, writes pending tables, transacts and calls procedures, and time
goes on, so that intervals, events and self reads are logged and the logs go round. Each flash
operation is recorded. Then the flash is built up again operation by operation, and at each from
FIRST up to LAST power goes in four ways: before it, with only its front half done, only its back
half, only some of its bits. After each of them the device starts and must have

- every answered write, and no unanswered one by half,
- of a transaction all that it wrote, or nothing,
- energy to the watt-second: the registers' moment and its energy belong together,
- events and intervals without a gap, and numbers that never went back,

and must go on living.

`wear` lets a device alone for some days, with the writes that a concentrator makes in them (its
clock is set once a day, a table is written), and counts what that costs the flash.
"""

import io
import struct
import sys

import vfs
from nor import PAGE, SECTOR, WAYS, Blocks, Nor, Raw, blank

import ticks
from device import Device
from meter.clock import day_number, to_ltime
from meter.element import SimulatedElement
from settings import Settings
from tables.model import MASTER, OK

RAW_SECTORS = 0x4C
FILE_SECTORS = 96
SECTORS = RAW_SECTORS + FILE_SECTORS
UNIT = 16  # octets of a program of a ring, as on the boards
FIRST_DAY = day_number(26, 10, 20)  # some days before daylight saving ends
START = FIRST_DAY + 3
DAYS = 400
UID = b"\x04\x00\x00\x11\x22\x33"

BT04, BT06, BT07, BT08, BT23, BT26, BT53, BT74 = 4, 6, 7, 8, 23, 26, 53, 74
ET03, ET27 = 2048 + 3, 2048 + 27
PENDING = 4096
TABLES = (BT06, BT53, ET03)  # that are followed octet by octet
STAMPED = (BT06, ET03)  # that transactions write together
PIECES = ((BT06, 20, 30), (BT06, 150, 5), (ET03, 8, 9), (BT53, 3, 1))  # a host writes: at, octets
KINDS = (
    ("pass_time",) * 12
    + ("configure", "configure", "schedule", "transact", "raise_event", "restart")
    + ("read_self", "reset_demand")
)
SUMS = [0]  # mWh before each quarter hour


class Uart(io.IOBase):
    """Nobody is at the line."""

    def any(self):
        return 0

    def readinto(self, buf, n=0):
        return None

    def write(self, buf, n=0):
        return n

    def ioctl(self, request, argument):
        return 0


class Watchdog:
    def feed(self):
        pass


def energy(quarter):
    """mWh of a quarter hour: different ones, from 10 Wh up."""
    return 10000 + quarter * 7919 % 200000


def source(offset, buf):
    """A measured source, made up where it is read."""
    header = struct.pack("<8sBBHH", b"OSGPMEAS", 1, 1, FIRST_DAY, DAYS)
    if offset < len(header):
        buf[:] = header[offset : offset + len(buf)]
        return
    quarter, inside = divmod(offset - len(header), 3)
    assert inside == 0 and len(buf) == 3
    buf[:] = energy(quarter).to_bytes(3, "little")


class Board:
    """What boards/unix/board.md says a board gives."""

    NAME = "life"
    RANDOM_SOURCE = "a count, another one at each start"
    OPEN_NM = False
    reset_cause = "power on"
    console = None

    def __init__(self, nor):
        self.now = 1000
        self.flash = Raw(nor, 0, UNIT)
        self.plc = Uart()
        self.watchdog = Watchdog()
        self._count = len(nor.operations) & 0xFF

    def settings(self):
        return Settings("/flash/settings")

    def element(self):
        return SimulatedElement(source)

    def ticks_ms(self):
        return self.now

    def ticks_us(self):
        return self.now * 1000 & 0x3FFFFFFF

    def random(self, n):
        self._count += 1
        return bytes([self._count + k & 0xFF for k in range(n)])

    def aes(self, key):
        raise AssertionError("nothing is sealed in this life")

    def installation_key(self, uid):
        return None

    def reset(self):
        raise AssertionError("nobody asked for a restart")


class Running:
    """A device that has started on a flash."""

    def __init__(self, nor):
        vfs.mount(vfs.VfsLfs2(Blocks(nor, RAW_SECTORS, FILE_SECTORS), progsize=PAGE), "/flash")
        self.board = Board(nor)
        self.device = Device(self.board)
        self.device.start()
        self.out = bytearray(1100)

    def off(self):
        vfs.umount("/flash")

    def read(self, number, offset=0, n=None):
        model = self.device.model
        n = model.size(number) if n is None else n
        assert model.read(number, offset, n, self.out, 0, MASTER) == OK, number
        return bytes(self.out[:n])

    def write(self, number, octets, offset=0):
        return self.device.model.write(
            number, offset, octets, 0, len(octets), MASTER, self.board.now
        )

    def call(self, number, parameters=b""):
        """Run a procedure and return its result code."""
        psn = self.read(BT08, 2, 1)[0]
        psn = 10 + psn % 240 if psn != 255 else 10
        code = self.write(BT07, struct.pack("<HB", number, psn) + parameters)
        assert code == OK
        return self.read(BT08, 3, 1)[0]

    def set_clock(self, day, second):
        moment = bytearray(6)
        to_ltime(day, second, moment, 0)
        return self.call(10, b"\x03" + moment + b"\x00")

    def live(self, seconds):
        """Time goes on, and everything that is due is done."""
        application = self.device.application
        while seconds:
            step = min(seconds, 30)
            seconds -= step
            self.board.now = now = ticks.add(self.board.now, 1000 * step)
            application.poll(now)
            while application.behind:
                application.poll(now)
            for ring in self.device.rings:
                ring.tend()
            self.device.events.poll(now)

    def moment(self):
        """(day, second) up to which energy is counted."""
        registers = self.device.application.registers
        return registers.day, registers.second

    def clock(self):
        clock = self.device.application.clock
        clock.update(self.board.now)
        return clock.day, clock.second


class Known:
    """What somebody outside knows to be kept."""

    def __init__(self):
        self.tables = {}  # number: body
        self.events = -1  # sequence number of the newest event
        self.reads = 0  # self reads
        self.moment = None  # of the energy that was seen last
        self.clock = None

    def take(self, change):
        self.tables.update(change.tables)
        self.events = change.events
        self.reads = change.reads
        self.moment = change.moment
        self.clock = change.clock


class Change:
    """What one step has changed, from its first flash operation to the one after its last."""

    def __init__(self, kind):
        self.kind = kind
        self.tables = {}
        self.begin = self.end = self.events = self.reads = 0
        self.moment = self.clock = None


def number(octets, at, n):
    return int.from_bytes(octets[at : at + n], "little")


def last_event(running):
    return number(running.read(BT74, 5, 4), 0, 4)


def self_reads(running):
    return number(running.read(BT26, 3, 2), 0, 2)


class Life:
    """Steps that follow from a seed, and the flash operations of each."""

    def __init__(self, seed):
        self._state = seed
        self.nor = Nor(blank(SECTORS))
        vfs.VfsLfs2.mkfs(Blocks(self.nor, RAW_SECTORS, FILE_SECTORS), progsize=PAGE)
        self.changes = []
        self.known = Known()
        self.transactions = 0
        self.running = Running(self.nor)
        self.running.set_clock(START, 600)
        self.running.live(1)
        for table in TABLES:
            self.known.tables[table] = self.running.read(table)
        self.first = dict(self.known.tables)
        self.start = bytes(self.nor.data)
        self.nor.operations = []

    def draw(self, n):
        self._state = self._state * 1103515245 + 12345 & 0x7FFFFFFF
        return (self._state >> 12) % n

    def live(self, steps):
        """Take steps, and note what each has changed."""
        for _ in range(steps):
            kind = KINDS[self.draw(len(KINDS))]
            change = Change(kind)
            change.begin = len(self.nor.operations)
            getattr(self, kind)(change)
            for table in TABLES:
                found = self.running.read(table)
                if kind == "pass_time" or table in change.tables:
                    expected = change.tables.get(table, found)
                else:
                    expected = self.known.tables[table]
                assert found == expected, (kind, table)
                change.tables[table] = found
            change.events = last_event(self.running)
            change.reads = self_reads(self.running)
            change.moment = self.running.moment()
            change.clock = self.running.clock()
            change.end = len(self.nor.operations)
            self.changes.append(change)
            self.known.take(change)

    def pass_time(self, change):
        self.running.live(1 + self.draw(1800))

    def configure(self, change):
        """A host writes a piece of a table."""
        table, at, n = PIECES[self.draw(len(PIECES))]
        octets = bytes([self.draw(48)] * n)
        body = self.known.tables[table]
        change.tables[table] = body[:at] + octets + body[at + n :]
        assert self.running.write(table, octets, at) == OK

    def schedule(self, change):
        """A pending table is written, for some minutes later."""
        ped = bytes((1 | self.draw(4) << 4, 0, 0, 0, self.draw(40), self.draw(60)))
        body = bytes((self.draw(24), 0, 0, self.draw(120))) + b"\x3c\x00"
        assert self.running.write(PENDING + BT53, ped + body) == OK

    def transact(self, change):
        """One transaction writes the same stamp into two tables."""
        self.transactions += 1
        stamp = self.transactions.to_bytes(4, "little")
        records = b""
        for table in STAMPED:
            command = b"\x4f" + table.to_bytes(2, "big") + b"\0\0\0\0\4" + stamp
            records += len(command).to_bytes(2, "little") + command
            change.tables[table] = stamp + self.known.tables[table][4:]
        body = b"\0" + stamp[:2] + records + stamp[:2]
        whole = (len(body) + 2).to_bytes(2, "little") + body
        half = self.draw(len(whole) - 1) + 1
        assert self.running.write(ET27, whole[:half]) == OK
        assert self.running.write(ET27, whole[half:], half) == OK

    def read_self(self, change):
        assert self.running.call(9, b"\x02") == 0

    def reset_demand(self, change):
        assert self.running.call(9, b"\x01") == 0

    def raise_event(self, change):
        self.running.device.events.post(46 + self.draw(3), self.draw(1000))

    def restart(self, change):
        clock = self.running.clock()
        self.running.off()
        self.running = Running(self.nor)
        self.running.set_clock(*clock)
        self.running.live(1)


def energy_until(day, second):
    """mWh that the source gives up to a moment."""
    quarters, inside = divmod((day - FIRST_DAY) * 86400 + second, 900)
    while len(SUMS) <= quarters:
        SUMS.append(SUMS[-1] + energy(len(SUMS) - 1))
    whole = energy(quarters)
    return SUMS[quarters] + whole // 900 * inside + whole % 900 * inside // 900


def check(running, known, change):
    """All that was answered is there; of what was under way all or nothing."""
    change = change or Change("nothing")
    for table in TABLES:
        found = running.read(table)
        assert found in (known.tables[table], change.tables.get(table)), table
    stamps = [running.read(table, 0, 4) for table in STAMPED]
    assert stamps[0] == stamps[1], "half of a transaction"
    day, second = running.moment()
    wh = number(running.read(BT23, 1, 4), 0, 4)
    assert wh == energy_until(day, second) // 1000, "energy and its moment"
    if known.moment and known.clock:
        behind = (known.moment[0] - day) * 86400 + known.moment[1] - second
        assert behind <= 90 or change.kind == "restart", "energy of %d s is gone" % behind
    header = running.read(BT74, 0, 11)
    valid, newest, sequence = number(header, 1, 2), number(header, 3, 2), number(header, 5, 4)
    assert sequence >= known.events, "events are gone"
    expected = sequence
    for k in range(valid):
        place = (newest - k) % 100
        entry = running.read(BT74, 11 + 14 * place, 14)
        if number(entry, 10, 2) & 0x0FFF:  # else a torn one, which has no number
            assert number(entry, 6, 2) == expected & 0xFFFF, "events out of order"
            expected -= 1
    assert self_reads(running) >= known.reads, "self reads are gone"


def go_on(running, known):
    """The device lives after the cut: time, a write, an event, a transaction."""
    day, second = known.clock
    running.set_clock(day, second)
    running.live(1)
    running.live(2000)
    found = running.read(BT06)
    assert running.write(BT06, b"after", 60) == OK
    assert running.read(BT06) == found[:60] + b"after" + found[65:]
    before = last_event(running)
    running.device.events.post(47, 1)
    assert last_event(running) >= before
    assert running.moment() == running.clock()
    status = running.read(BT04, 35, 1)
    assert status == b"\0" or due_later(running), "a pending table was forgotten"


def due_later(running):
    """Whether what is pending is due after now."""
    pending = running.device.pending
    return pending._day > running.clock()[0] or (
        pending._day == running.clock()[0] and pending._second > running.clock()[1]
    )


def survive(flash, known, change):
    """A start after a cut, some life, and one more start."""
    running = Running(flash)
    check(running, known, change)
    go_on(running, known)
    later = Known()
    for table in TABLES:
        later.tables[table] = running.read(table)
    later.events = last_event(running)
    later.reads = self_reads(running)
    running.off()
    running = Running(flash)
    check(running, later, None)
    running.off()


def sweep(life, first, last):
    """Cuts power at the operations from first up to last. Returns the number of cuts."""
    cuts = 0
    flash = Nor(life.start)
    known = Known()
    known.tables = dict(life.first)
    at = 0
    for k in range(min(last, len(life.nor.operations))):
        while at < len(life.changes) and life.changes[at].end <= k:
            known.take(life.changes[at])
            at += 1
        change = life.changes[at] if at < len(life.changes) else None
        for way in WAYS if k >= first and known.clock else ():
            after = Nor(flash.data)
            after.do(life.nor.operations[k], way)
            try:
                survive(after, known, change)
            except Exception:
                print("power cut", way, "in operation", k, "during", change and change.kind)
                raise
            cuts += 1
        flash.do(life.nor.operations[k], None)
    return cuts


REGIONS = (  # sectors from, to (device.py)
    ("sequence numbers", 0, 2),
    ("register snapshots", 2, 10),
    ("load profile, set 1", 10, 22),
    ("event log", 22, 25),
    ("daily consumption", 34, 37),
    ("settings (littlefs)", RAW_SECTORS, SECTORS),
)
ENDURANCE = 100000  # erases that NOR flash is specified for


def wear(days):
    """Live, and print what a day costs each region and how long it lasts."""
    life = Life(seed=1)
    running = life.running
    for day in range(days):
        running.live(86400)
        running.set_clock(*running.clock())
        assert running.write(BT06, bytes((day & 0xFF,)) * 60, 40) == OK
    print("%-22s %8s %14s %12s" % ("region", "sectors", "pages a day", "years"))
    for name, first, end in REGIONS:
        inside = [
            (address // SECTOR, new)
            for address, new in life.nor.operations
            if first <= address // SECTOR < end
        ]
        erases = {}
        for sector, new in inside:
            if new is None:
                erases[sector] = erases.get(sector, 0) + 1
        pages = len(inside) - sum(erases.values())
        # A ring and littlefs go round: over the years every sector of a region is as worn.
        average = sum(erases.values()) / (end - first) / days
        years = "%12.0f" % (ENDURANCE / average / 365) if average else "   no erase"
        print("%-22s %8d %14.1f %12s" % (name, end - first, pages / days, years))


def main(steps, first, last):
    life = Life(seed=1)
    life.live(steps)
    life.running.off()
    cuts = sweep(life, first, last)
    print(len(life.nor.operations), "operations", cuts, "cuts")


if __name__ == "__main__":
    if sys.argv[1] == "wear":
        wear(int(sys.argv[2]))
    else:
        main(*[int(word) for word in sys.argv[1:]])
