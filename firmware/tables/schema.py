"""What a table is made of: fields, records, arrays, access rights and where its body comes from.

A table is data: an ordered tuple with one line a field. The host decodes with it, the reference
page under docs/tables is printed from it, and `osgp_tools.model` compiles it into the blob that
the device serves from. Nothing here is loaded on the device.

Who may set a field (the guides' value control identifier, MEP p.42):
    F fixed | M the device | H the host | P fixed for a program id | HD, HI the host, directly or
    through the pending table | - reserved. "H/M" is both.
A host's write changes the octets of fields that a host may set; all others are kept silently and
the answer is still 00 (profile 6). The grain is the octet: an octet of bits is the host's when
one of its bits is.
"""

from tables import datatypes

ANYONE = 0  # no key (on the power line every message is secured all the same)
READ = 1  # RK on the optical port, MBK on the MEP port
PROVISION = 2  # PK
MASTER = 3  # MK on the optical port, MAK on the MEP port, every good message on the power line
NEVER = 255

FIXED = 0  # follows from the definitions
KEPT = 1  # in flash, with a body in RAM
LIVE = 2  # a body in RAM that the application keeps true
SERVED = 3  # no body: the application answers each read
STORED = 4  # in flash alone: read through one window that all stored tables share

# where a layout or a parameter list stands
GUIDE = "guide"
C12_19 = "C12.19"
PROFILE = "profile"

_WHO = ("F", "M", "H", "P", "H/M", "HD", "HI", "F/M", "-")
_HOST = ("H", "H/M", "HD")


class Source:
    """Where a body comes from: one of five kinds, and the part of the application behind it."""

    def __init__(self, kind, part=""):
        self.kind = kind
        self.part = part


def fixed():
    """The body follows from the definitions and cannot change while the program runs."""
    return Source(FIXED)


def kept(part=""):
    """The body is kept in flash. `part` of the application fills in the fields marked M."""
    return Source(KEPT, part)


def live(part):
    """The body lies in RAM and `part` of the application keeps it true."""
    return Source(LIVE, part)


def served(part):
    """There is no body: `part` of the application answers each read."""
    return Source(SERVED, part)


def stored(part=""):
    """The body is kept in flash and has none in RAM: for what is rarely read, which is most.

    `part` of the application fills in the fields marked M, by `Model.patch`.
    """
    return Source(STORED, part)


class Field:
    """One value. `closed` says why a host may not set it although the guide would let it."""

    def __init__(self, name, type_, who, doc="", default=None, unit="", closed="", clause=""):
        if who not in _WHO:
            raise ValueError(f"{name}: nobody is {who}")
        self.name = name
        self.type = type_
        self.size = type_.size
        self.who = who
        self.doc = doc
        self.default = type_.zero if default is None else default
        self.unit = unit
        self.closed = closed
        self.clause = clause

    @property
    def by_host(self):
        return self.who in _HOST and not self.closed

    def initial(self, tables):
        """The default; one that follows from all definitions is a function of them."""
        return self.default(tables) if callable(self.default) else self.default

    def write(self, value):
        return self.type.write(value)

    def read(self, octets):
        return self.type.read(octets)


class Bit:
    """One to sixteen bits of a `bits` field. Value: unsigned."""

    def __init__(self, name, width, who, doc, default, closed):
        if who not in _WHO:
            raise ValueError(f"{name}: nobody is {who}")
        self.name = name
        self.width = width
        self.who = who
        self.doc = doc
        self.default = default
        self.closed = closed
        self.shift = 0

    @property
    def by_host(self):
        return self.who in _HOST and not self.closed


class Bits:
    """Whole octets of named bits, lowest first; what is left over is filler. Value: dict."""

    def __init__(self, name, parts, size=1, clause=""):
        self.name = name
        self.parts = parts
        self.size = size
        self.clause = clause
        shift = 0
        for part in parts:
            part.shift = shift
            shift += part.width
        if shift > 8 * size:
            raise ValueError(f"{name}: {shift} bits in {size} octets")

    @property
    def by_host(self):
        return any(part.by_host for part in self.parts)

    def initial(self, tables):
        return {part.name: part.default for part in self.parts if part.name}

    def write(self, value):
        packed = 0
        for part in self.parts:
            number = value.get(part.name, part.default)
            if not 0 <= number < 1 << part.width:
                raise ValueError(f"{self.name}: {part.name} {number}")
            packed |= number << part.shift
        names = [part.name for part in self.parts]
        for name in value:
            if name not in names:
                raise ValueError(f"{self.name} has no bit {name}")
        return bytes([packed >> (8 * k) & 0xFF for k in range(self.size)])

    def read(self, octets):
        packed = 0
        for k in range(self.size):
            packed |= octets[k] << (8 * k)
        return {p.name: packed >> p.shift & ((1 << p.width) - 1) for p in self.parts if p.name}


class Record:
    """Fields one after the other. Value: dict."""

    def __init__(self, name, fields):
        self.name = name
        self.fields = flat(fields)
        self.size = sum([field.size for field in self.fields])
        names = [field.name for field in self.fields if field.name]
        if len(set(names)) != len(names):
            raise ValueError(f"{name}: a name twice in {names}")


class Array:
    """`count` times the same item. `by` names the field that gives the count. Value: list."""

    def __init__(self, name, count, item, by, default=()):
        self.name = name
        self.count = count
        self.item = item
        self.by = by
        self.default = default
        self.size = count * item.size
        if len(default) > count:
            raise ValueError(f"{name}: {len(default)} defaults for {count} items")


class Earlier:
    """A layout that a kept or stored table once had.

    `size`: its octets. `moved`: what became of them in the layout that came next, as runs
    (from, to, n); with `from` None, n octets that are 0 there. All other octets of the layout that
    came next have their defaults.
    """

    def __init__(self, size, *moved):
        self.size = size
        self.moved = moved


class Table:
    """A table of the model: "BTnn" is number nn, "ETnn" is 2048 + nn (OPT p.8).

    `read` and `write` are the least levels (write None: nobody). `pending`: it has a pending
    table, 4096 + its number. `departs` tells where and why this meter differs from the guides.
    `origin`: GUIDE, laid out in the OSGP Alliance's guides; C12_19, by the ANSI structure;
    PROFILE, by this project (docs/profile.md). `earlier`: the layouts before this one, oldest
    first; what a device has kept in one of them is carried over (osgp/migration.py). `version`:
    1, and one more for each of those.
    """

    def __init__(
        self,
        name,
        title,
        fields,
        read,
        write,
        source,
        doc="",
        departs="",
        pending=False,
        origin=GUIDE,
        earlier=(),
    ):
        self.name = name
        self.title = title
        self.number = int(name[2:]) + {"BT": 0, "ET": 2048}[name[:2]]
        self.record = Record(name, fields)
        self.size = self.record.size
        self.read = read
        self.write = NEVER if write is None else write
        self.source = source
        self.doc = doc
        self.departs = departs
        self.pending = pending
        self.origin = origin
        self.earlier = earlier
        self.version = 1 + len(earlier)


class Procedure:
    """A procedure of BT07: "BPnn" is number nn, "EPnn" is 2048 + nn (OPT p.8).

    `parameters`: the fields that must be there, `rest`: the name of octets of any number behind
    them. `response`: fields of BT08's data, at most 12 octets. `results`: what result codes beside
    those of all procedures mean, or what these mean here. The code is `run` of the rare module
    osgp/procedures/<family>.py. `level`: the least that may initiate it.
    """

    def __init__(
        self,
        name,
        title,
        family,
        parameters=(),
        rest="",
        response=(),
        results=None,
        doc="",
        clause="",
        level=MASTER,
        origin=GUIDE,
    ):
        self.name = name
        self.title = title
        self.number = int(name[2:]) + {"BP": 0, "EP": 2048}[name[:2]]
        self.family = family
        self.parameters = Record("parameters", parameters)
        self.rest = rest
        self.response = Record("response", response)
        self.results = results or {}
        self.doc = doc
        self.clause = clause
        self.level = level
        self.origin = origin


def flat(fields):
    """The fields of nested tuples, in order."""
    result = []
    for field in fields:
        if isinstance(field, tuple):
            result.extend(flat(field))
        else:
            result.append(field)
    return tuple(result)


def cited(clause, *fields) -> tuple:
    """Says of the fields that have no clause yet where they stand in a public document."""
    for field in flat(fields):
        if isinstance(field, Record):
            cited(clause, field.fields)
        elif isinstance(field, Array):
            cited(clause, field.item)
        elif not field.clause:
            field.clause = clause
    return fields


def _of(type_):
    """The constructor of fields of one type."""

    def field(name, who, doc="", **more):
        return Field(name, type_, who, doc, **more)

    return field


uint8 = _of(datatypes.UINT8)
int8 = _of(datatypes.INT8)
uint16 = _of(datatypes.UINT16)
uint32 = _of(datatypes.UINT32)
int16 = _of(datatypes.INT16)
int32 = _of(datatypes.INT32)
ni1 = _of(datatypes.NI_FMAT1)
ni2 = _of(datatypes.NI_FMAT2)
time = _of(datatypes.TIME)
date = _of(datatypes.DATE)
stime = _of(datatypes.STIME)
ltime = _of(datatypes.LTIME)
ansi_date = _of(datatypes.ANSI_DATE)
rdate = _of(datatypes.RDATE)


def text(name, size, who, doc="", **more):
    return Field(name, datatypes.Text(size), who, doc, **more)


def bcd(name, digits, who, doc="", **more):
    return Field(name, datatypes.Bcd(digits // 2), who, doc, **more)


def octets(name, size, who, doc="", **more):
    return Field(name, datatypes.Octets(size), who, doc, **more)


def set_(name, size, who, doc="", **more):
    return Field(name, datatypes.Set(size), who, doc, **more)


def reserved(size, doc="reserved", **more):
    """Octets that nobody sets and `decode` leaves out."""
    return Field("", datatypes.Octets(size), "-", doc, **more)


def bit(name, who, doc="", width=1, default=0, closed=""):
    return Bit(name, width, who, doc, default, closed)


def bits(name, *parts, **more):
    return Bits(name, parts, **more)


def filler(width):
    return Bit("", width, "-", "filler", 0, "")


def array(name, count, item, by, default=()):
    """`item` is one field (its own name does not matter) or a tuple of the fields of a record."""
    if isinstance(item, tuple):
        item = Record("", item)
    return Array(name, count, item, by, default)


def record(name, *fields):
    return Record(name, fields)


def when(condition, by, field):
    """The field if the meter has it (the guides' IF), else none of it. `by` is what tells."""
    return field if condition else Array(field.name, 0, field, by=by)
