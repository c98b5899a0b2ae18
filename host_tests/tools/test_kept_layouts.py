"""What devices in the field have kept, and a later firmware has to find: the layouts of the tables
that are kept, the records of the rings, the places of the rings.

kept_layouts.txt has a line for each such table: name, version, octets, CRC-32 of its fields.
"""

import binascii
from pathlib import Path

import device
from meter import daily, profile_setup, registers
from osgp import event_log
from tables import definitions, layout
from tables.schema import KEPT, STORED, Bits, Table

KNOWN = Path(__file__).with_name("kept_layouts.txt")


def fields(table: Table) -> str:
    """Path, place, octets and type of each value; of bits, what each of them is."""
    lines = []
    for path, offset, item in layout.leaves(table.record):
        if isinstance(item, Bits):
            kind = " ".join(f"{part.name}:{part.shift}+{part.width}" for part in item.parts)
        else:
            kind = item.type.name
        lines.append(f"{path} {offset} {item.size} {kind}")
    return "\n".join(lines)


def line(table: Table) -> str:
    crc = binascii.crc32(fields(table).encode())
    return f"{table.name} {table.version} {table.size} {crc:08x}"


def test_a_layout_that_changes_gets_a_version():
    """A line that differs: the table needs an `Earlier` with what became of its octets
    (tables/schema.py), unless a field has but another name. Then the line is renewed."""
    tables = [one for one in definitions.TABLES if one.source.kind in (KEPT, STORED)]
    found = sorted(line(one) for one in tables)
    assert found == KNOWN.read_text().splitlines()


def test_the_line_tells_any_change():
    from tables.schema import READ, cited, kept, uint8, uint16

    def of(*items, **more):
        return line(Table("BT06", "T", cited("MEP p.1", *items), READ, READ, kept(), **more))

    lines = {
        of(uint8("a", "H"), uint8("b", "H")),
        of(uint8("b", "H"), uint8("a", "H")),
        of(uint16("a", "H")),
        of(uint8("a", "H")),
    }
    assert len(lines) == 4


def test_the_records_of_rings_keep_their_size():
    """A ring of other records is empty. A new value goes into octets that are 0 as yet, or into a
    ring or a setting of its own."""
    sizes = (registers.SIZE, daily.SIZE, event_log.SIZE, device._SEQUENCE_SIZE)
    assert sizes == (260, 34, 16, 6)
    assert [profile_setup.record_size(channels) for channels in (1, 2, 3, 4)] == [15, 20, 24, 29]


def test_rings_keep_their_places():
    places = (device._SEQUENCES, device._SNAPSHOTS, device._HISTORY, device._ALTERNATE)
    assert places == ((0, 2), (2, 8), (22, 3), (25, 3))
    assert (device._PROFILE, device._DAYS, device._MORE_PROFILES) == (10, (34, 3), 46)
    assert tuple(device.SECTORS) == (12, 10, 10, 10)
