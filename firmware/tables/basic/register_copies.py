"""Decade 2: copies of the registers, taken when a season ends, at a demand reset, on a date."""

from tables.basic.registers import register_copy, register_data
from tables.dimensions import BT21_DEMANDS, BT21_SELF_READS
from tables.schema import (
    READ,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    served,
    stime,
    stored,
    uint8,
    uint16,
    when,
)


def captured(clause):
    """When a copy of the registers was taken."""
    return cited(
        clause,
        stime("captured", "M", "local time (BT55)"),
        uint8("season", "M", "that the copy stands for"),
    )


BT24 = Table(
    "BT24",
    "Previous season",
    read=READ,
    write=None,
    source=stored("tariff"),
    doc="The registers at the last change of season, without the count of demand resets; all "
    "zero before the first one and after EP64.",
    departs="The guides let MAK write it on some meters; this is one of those where it is "
    "read-only.",
    fields=(captured("MEP p.212"), register_data()),
)

BT25 = Table(
    "BT25",
    "Previous demand reset",
    read=READ,
    write=None,
    source=served("demand resets"),
    doc="The registers before the last demand reset: those of the newest entry of ET41.",
    fields=(captured("MEP p.212"), register_copy("MEP p.212")),
)


def list_header(clause, unread):
    """Octets 0 to 5 of BT26 and ET41."""
    return cited(
        clause,
        bits(
            "flags",
            bit("descending", "F", "0: entry n is older than entry n + 1"),
            bit("overflow", "M", "an entry was overwritten before it was read"),
            bit("circular", "F", default=1),
            bit("inhibit_overflow", "F"),
            filler(4),
        ),
        uint8("valid", "M", "entries with data"),
        uint8("last", "M", "index of the newest entry"),
        uint16("sequence", "M", "of the newest entry; never reset"),
        uint8("unread", "H/M", "entries", closed=unread),
    )


BT26 = Table(
    "BT26",
    "Self reads",
    read=READ,
    write=None,
    source=served("self reads"),
    doc="Copies of BT23, taken on the dates that BT54 marks, at the local time of ET04.65 and "
    ".66, and by BP09. A ring: entry n of all stands at index n modulo 12.",
    fields=(
        list_header("MEP p.213", "BP05 marks entries as read"),
        array(
            "entries",
            BT21_SELF_READS,
            (
                cited("MEP p.214", when(BT21_DEMANDS, "BT21.4", uint16("bidn", "M", "ET42.8"))),
                captured("MEP p.214"),
                register_copy("MEP p.214"),
            ),
            by="BT21.2",
        ),
    ),
)

TABLES = (BT24, BT25, BT26)
