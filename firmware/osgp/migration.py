"""Rare: tables whose layout has changed are carried over at a start, before the model is made.

The value that keeps a table is "ET04" in its first layout and "ET04.2" in its second one, and a
pending table goes with its table. So each firmware has values of its own. Those of an older layout
stay as they are, for the old bank may come back, until EP08 erases it (`forget`). What the old
bank changes meanwhile is carried over at the next start of the new one: it is the younger.

    "moved"   {table 2 | version 1 | from version 1 | CRC-32 of what stood there 4} a table

Little-endian. From version 0: nothing stood there. Power may go at any moment: before a value is
written "moved" says that its table is under way, and a table that is under way is done again.
"""

import binascii

from micropython import const

from osgp.pending import HEADER
from tables.model import name_of

_NAME = "moved"
_RECORD = const(8)
_KEY = const(3)
_VERSION = const(2)
_NOTHING = b"\0\0\0\0\0"  # "from version" and CRC
_UNDER_WAY = b"\xff\0\0\0\0"
_FORGETTING = b"\xfe\0\0\0\0"
_ZEROS = const(0xFFFF)  # the source of a run of zeros
_RUN = const(6)
_ENTRY_SIZE = const(6)  # places in an entry of the model's directory
_ENTRY_DEFAULT = const(12)


def run(settings, migrations: bytes, model: bytes):
    """migrations, model: as in tables/compiled.py. What flash raises passes through; then what was
    kept is as it was, or under way."""
    notes = _load(settings)
    changed = []
    for table in _tables(migrations, model):
        key = _key(table.number, table.version)
        found = table.find(settings)
        if notes.get(key) not in (found, _FORGETTING):
            changed.append((table, key, found))
            notes[key] = _UNDER_WAY
    if not changed:
        return
    _save(settings, notes)
    for table, key, found in changed:
        if found != _NOTHING:
            table.carry_over(settings, found[0])
        notes[key] = found
    _save(settings, notes)


def forget(settings, migrations: bytes):
    """The other bank is erased: what is kept in layouts that are not ours goes.

    To be called when the other bank cannot be started any more, and again after a power cut.
    """
    notes = _load(settings)
    ours = [_key(table.number, table.version) for table in _tables(migrations, b"")]
    for key in ours:
        notes[key] = _FORGETTING
    if ours:
        _save(settings, notes)
    for key in notes:
        version = key[_VERSION]
        for other in range(1, version) if key in ours else (version,):
            for prefix in ("", "P"):
                settings.remove(prefix + name_of(_u16(key, 0), other))
    if notes:
        _save(settings, dict.fromkeys(ours, _NOTHING))


class _Table:
    """A table that had other layouts before."""

    def __init__(self, migrations, at, model):
        """migrations[at:]: see `osgp_tools.migrations`. Without a model nothing can be written."""
        entry = _u16(migrations, at + 2)
        self.number = _u16(migrations, at)
        self.version = 1 + migrations[at + 4]
        self.pending = migrations[at + 5]
        if model:
            default = _u16(model, entry + _ENTRY_DEFAULT)
            size = _u16(model, entry + _ENTRY_SIZE)
            self.body = model[default : default + size] if default else bytes(size)
        at += 6
        self.sizes = []  # of each older version, from the first one on
        self.runs = []  # and what of it is moved: migrations[a:b]
        for _ in range(1, self.version):
            first = at + 3
            end = first + _RUN * migrations[at + 2]
            self.sizes.append(_u16(migrations, at))
            self.runs.append((first, end))
            at = end
        self.end = at
        self._migrations = migrations

    def find(self, settings) -> bytes:
        """The newest of the older versions that is there, and the CRC-32 of what it holds."""
        for version in range(self.version - 1, 0, -1):
            crc = 0
            there = False
            for pending in range(1 + self.pending):
                octets = self._read(settings, pending, version)
                there = there or bool(octets)
                crc = binascii.crc32(len(octets).to_bytes(2, "little") + octets, crc)
            if there:
                return bytes((version,)) + crc.to_bytes(4, "little")
        return _NOTHING

    def carry_over(self, settings, version):
        """What an older version holds is written anew."""
        for pending in range(1 + self.pending):
            old = self._read(settings, pending, version)
            name = self._name(pending, self.version)
            if old:
                new = self._anew(old, HEADER if pending else 0, version)
                settings.replace(name, new, len(new))
            else:
                settings.remove(name)

    def _anew(self, old, header, version):
        new = bytearray(old[:header]) + self.body
        migrations = self._migrations
        a, end = self.runs[version - 1]
        for run in range(a, end, _RUN):
            source = _u16(migrations, run)
            target = header + _u16(migrations, run + 2)
            n = _u16(migrations, run + 4)
            octets = bytes(n) if source == _ZEROS else old[header + source : header + source + n]
            new[target : target + n] = octets
        return new

    def _name(self, pending, version):
        return ("P" if pending else "") + name_of(self.number, version)

    def _read(self, settings, pending, version):
        """The kept octets; none when there are none, or not as many as this layout has."""
        n = settings.window(self._name(pending, version))
        if n != (HEADER if pending else 0) + self.sizes[version - 1]:
            return b""
        octets = bytearray(n)
        settings.copy(0, octets, 0, n)
        return octets


def _tables(migrations, model):
    at = 0
    while at < len(migrations):
        table = _Table(migrations, at, model)
        yield table
        at = table.end


def _key(number, version):
    return bytes((number & 0xFF, number >> 8, version))


def _load(settings):
    """The notes: {what a record begins with: its rest}."""
    notes = {}
    record = bytearray(_RECORD)
    for at in range(0, settings.window(_NAME) - _RECORD + 1, _RECORD):
        settings.copy(at, record, 0, _RECORD)
        notes[bytes(record[:_KEY])] = bytes(record[_KEY:])
    return notes


def _save(settings, notes):
    """Make these the notes. Returns when it is safe."""
    value = b"".join([key + notes[key] for key in sorted(notes)])
    if value:
        settings.replace(_NAME, value, len(value))
    else:
        settings.remove(_NAME)


def _u16(octets, at):
    return octets[at] | octets[at + 1] << 8
