"""The model as the device serves it: reads and writes of tables, by number, as compiled.

The definitions (`tables/basic`, `tables/extended`) stay on the host; the build compiles them into
one `bytes` (compiled.py), which costs no heap. All bodies that live in RAM share one arena, made
at start; those that do not are read out of flash, through one window that they share. Flags: bit
0, there is a pending table; from bit 1 on, the version of its layout less 1. Little-endian; an
entry of the directory:

    number 2 | kind 1 | read level 1 | write level 1 | flags 1 | size 4 | place in the arena 2
    default or fixed body 2 (0: all zero) | runs 2
    runs (what a host may write): n 1 | n x {offset 2, length 2; FFFF: to the end}
"""

from micropython import const

from osgp.kernels import copy, fill

# Response codes that a table gives (osgp.md 1.1)
OK = const(0x00)
NO_RIGHT = const(0x03)  # insufficient security clearance
NOT_POSSIBLE = const(0x04)  # operation not possible
NO_TABLE = const(0x05)  # inappropriate action: "table operation not possible"

# levels of access; a request carries one, a definition asks for one
ANYONE = const(0)
READ = const(1)
PROVISION = const(2)
MASTER = const(3)

# who is served, as the user id of BT74 tells it (MEP p.243)
NOBODY = const(0xFFFF)
POWER_LINE = const(0xFFFE)

_FIXED = const(0)  # served out of the compiled definitions
_KEPT = const(1)  # in the arena and in the store
_LIVE = const(2)  # in the arena, brought up to date by the application
_READER = const(3)  # too large for RAM: asked of a reader
_STORED = const(4)  # in the store alone, or as compiled while nothing was stored

_PENDING = const(4096)  # a pending table's number is this and its table's
_MAY_BE_PENDING = const(1)  # flags of an entry

_ENTRY = const(16)
_TO_END = const(0xFFFF)


def name_of(number: int, version: int) -> str:
    """The name of the value that keeps a table: BT54, ET04; in its second layout ET04.2."""
    name = "BT%02d" % number if number < 2048 else "ET%02d" % (number - 2048)
    return name if version == 1 else "%s.%d" % (name, version)


class Model:
    """The tables of one device."""

    def __init__(self, blob: bytes, arena: int, settings):
        """`blob` and `arena` (octets of RAM) as compiled.

        `settings` keeps: see `settings.Settings`.
        """
        self._blob = blob
        self._count = blob[0] | blob[1] << 8
        self._settings = settings
        self._arena = bytearray(arena)
        self._before = {}
        self._readers = {}
        self._writers = {}
        self._checkers = {}
        self._subscribers = {}
        self._sizes = {}  # of served tables whose size changes
        self._stored = 0  # the stored table whose name was made last
        self._stored_name = ""
        self.pending: ... = None  # osgp.pending.Pending, or there are no pending tables
        self.on_written: ... = None  # f(number): a host's write is safe
        self.user = NOBODY  # for whom a write is being carried out
        for k in range(self._count):
            entry = 2 + k * _ENTRY
            if blob[entry + 2] in (_KEPT, _LIVE):
                self._restore(entry)

    def _restore(self, entry):
        """A body at start: what was kept, else its default.

        A kept body of another length is not this table's.
        """
        body = self._view(entry)
        data = self._u16(entry + 12)
        size = len(body)
        if data:
            copy(body, 0, self._blob, data, data + size)
        if self._blob[entry + 2] == _KEPT:
            settings = self._settings
            if settings.window(self.name(self._u16(entry))) == size:
                settings.copy(0, self._arena, self._u16(entry + 10), size)

    def _u16(self, at) -> int:
        blob = self._blob
        return blob[at] | blob[at + 1] << 8

    def name(self, number: int) -> str:
        """Of the settings value of a kept or stored table."""
        return name_of(number, 1 + (self._blob[self._find(number) + 5] >> 1))

    def _view(self, entry):
        ram = self._u16(entry + 10)
        return memoryview(self._arena)[ram : ram + self._u16(entry + 6)]

    def _find(self, number: int) -> int:
        """Where the table's entry is in the blob, or that of the table that a pending one is for;
        -1: there is no such table."""
        if number >= _PENDING:
            entry = self._find(number - _PENDING) if self.pending and number < 2 * _PENDING else -1
            return entry if entry >= 0 and self._blob[entry + 5] & _MAY_BE_PENDING else -1
        low = 0
        high = self._count - 1
        while low <= high:
            middle = low + high >> 1
            entry = 2 + middle * _ENTRY
            found = self._u16(entry)
            if found == number:
                return entry
            if found < number:
                low = middle + 1
            else:
                high = middle - 1
        return -1

    def _size(self, entry) -> int:
        changed = self._sizes.get(self._u16(entry))
        if changed is not None:
            return changed
        return self._u16(entry + 6) | self._u16(entry + 8) << 16

    def size(self, number: int) -> int:
        """Octets of the table, of a pending one with its description; -1: there is no such."""
        entry = self._find(number)
        if entry < 0:
            return -1
        return self._size(entry) if number < _PENDING else self.pending.size(number - _PENDING)

    def _in_window(self, entry) -> bool:
        """Whether a stored table was ever kept: then it is in the window."""
        number = self._u16(entry)
        if number != self._stored:
            self._stored_name = self.name(number)
            self._stored = number
        return self._settings.window(self._stored_name) == self._size(entry)

    # ---- the application's side

    def body(self, number: int):
        """The RAM body, to be kept true. Ask once: each call allocates a memoryview."""
        return self._view(self._find(number))

    def before_read(self, number: int, function):
        """`function()` brings the RAM body up to date just before a read of it."""
        self._before[number] = function

    def reader(self, number: int, function):
        """`function(offset, n, buf, o)` fills buf[o:o+n] with the table from `offset`.

        All that is asked for lies within the table.
        """
        self._readers[number] = function

    def checker(self, number: int, function):
        """`function(image)` judges the whole body as it would become.

        What it returns is the answer when it is not OK, and nothing is changed then.
        """
        self._checkers[number] = function

    def writer(self, number: int, function):
        """`function(offset, buf, a, n, level, now)` takes writes in the store's place.

        It returns the response code.
        """
        self._writers[number] = function

    def subscribe(self, number: int, function):
        """`function()` is told after a write by a host is safe; those who came first are told
        first."""
        self._subscribers[number] = self._subscribers.get(number, ()) + (function,)

    def keep(self, number: int):
        """Save a kept body that the application has changed. Returns when it is safe."""
        entry = self._find(number)
        self._settings.replace(self.name(number), self._view(entry), self._size(entry))

    def load(self, number: int) -> bytearray:
        """A copy of the table as it is. Not for one that is served."""
        entry = self._find(number)
        body = bytearray(self._size(entry))
        self._fetch(entry, 0, len(body), body, 0)
        return body

    def patch(self, number: int, offset: int, octets):
        """The application changes octets of a kept or stored table. Returns when it is safe.

        What flash raises passes through, and nothing was changed.
        """
        entry = self._find(number)
        body = self.load(number)
        body[offset : offset + len(octets)] = octets
        self._save(entry, body)

    def resize(self, number: int, size: int):
        """A served table has this many octets from now on."""
        self._sizes[number] = size

    def pendable(self):
        """The numbers of the tables that have a pending table."""
        found = []
        for k in range(self._count):
            entry = 2 + k * _ENTRY
            if self._blob[entry + 5] & _MAY_BE_PENDING:
                found.append(self._u16(entry))
        return tuple(found)

    def activate(self, number: int, image) -> int:
        """The whole body becomes this, where a host may write; a checker may still refuse it.

        For a pending table, whose write was not held against it. Returns a response code; OK is
        returned when it is safe.
        """
        entry = self._find(number)
        return self._take(entry, 0, image, 0, len(image))

    # ---- the doors' side, by way of osgp/services.py alone

    def read(self, number: int, offset: int, n: int, buf, o: int, level: int) -> int:
        """Fill buf[o:o+n] with the table from `offset`; what lies beyond its end reads as 0.

        Of a pending table the first six octets are its description, and `offset` counts behind
        them. Returns a response code; with another than OK, buf is as it was.
        """
        entry = self._find(number)
        if entry < 0:
            return NO_TABLE
        if level < self._blob[entry + 3]:
            return NO_RIGHT
        if number >= _PENDING:
            return self.pending.read(number - _PENDING, offset, n, buf, o)
        inside = self._size(entry) - offset
        inside = 0 if inside < 0 else n if inside > n else inside
        if inside:
            self._fetch(entry, offset, inside, buf, o)
        fill(buf, o + inside, o + n, 0)
        return OK

    def _fetch(self, entry, offset, n, buf, o):
        number = self._u16(entry)
        before = self._before.get(number)
        if before:
            before()
        kind = self._blob[entry + 2]
        if kind == _READER:
            self._readers[number](offset, n, buf, o)
        elif kind == _FIXED:
            self._fetch_compiled(entry, offset, n, buf, o)
        elif kind != _STORED:
            offset += self._u16(entry + 10)
            copy(buf, o, self._arena, offset, offset + n)
        elif self._in_window(entry):
            self._settings.copy(offset, buf, o, n)
        else:
            self._fetch_compiled(entry, offset, n, buf, o)

    def _fetch_compiled(self, entry, offset, n, buf, o):
        """The body that the definitions give."""
        data = self._u16(entry + 12)
        if data:
            copy(buf, o, self._blob, data + offset, data + offset + n)
        else:
            fill(buf, o, o + n, 0)

    def write(self, number: int, offset: int, buf, a: int, n: int, level: int, now: int) -> int:
        """Write buf[a:a+n] at `offset`; what lies beyond the end, or is not a host's, is ignored.

        Returns a response code; OK is returned when it is safe.
        """
        entry = self._find(number)
        if entry < 0:
            return NO_TABLE
        if level < self._blob[entry + 4]:
            return NO_RIGHT
        if number >= _PENDING:
            return self.pending.write(number - _PENDING, offset, buf, a, n)
        writer = self._writers.get(number)
        if writer:
            return writer(offset, buf, a, n, level, now)
        if self._blob[entry + 2] not in (_KEPT, _STORED):
            return NOT_POSSIBLE
        code = self._take(entry, offset, buf, a, n)
        if code == OK and self.on_written:
            self.on_written(number)
        return code

    def _take(self, entry, offset, buf, a, n) -> int:
        """Lay what a host may set into the table, save it, and tell the subscribers."""
        number = self._u16(entry)
        image = self.load(number)
        if self._merge(entry, image, offset, buf, a, n):
            checker = self._checkers.get(number)
            code = checker(image) if checker else OK
            if code != OK:
                return code
            self._save(entry, image)
        for function in self._subscribers.get(number, ()):
            function()
        return OK

    def _merge(self, entry, image, offset, buf, a, n) -> bool:
        """Lay what a host may set into the image; was anything changed?"""
        changed = False
        size = len(image)
        at = self._u16(entry + 14)
        for k in range(self._blob[at]):
            start = self._u16(at + 1 + 4 * k)
            length = self._u16(at + 3 + 4 * k)
            stop = size if length == _TO_END else start + length
            for i in range(max(start, offset), min(stop, offset + n)):
                if image[i] != buf[a + i - offset]:
                    image[i] = buf[a + i - offset]
                    changed = True
        return changed

    def _save(self, entry, image):
        self._settings.replace(self.name(self._u16(entry)), image, len(image))
        if self._blob[entry + 2] == _KEPT:
            self._view(entry)[:] = image
