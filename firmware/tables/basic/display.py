"""Decade 3: the display (ANSI C12.19 decade 3). The board has none; the list is kept."""

from tables.dimensions import BT30_ITEMS, BT30_SOURCES
from tables.schema import (
    PROVISION,
    READ,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    fixed,
    stored,
    uint8,
    uint16,
)

BT30 = Table(
    "BT30",
    "Dimension display",
    read=READ,
    write=None,
    source=fixed(),
    fields=(
        cited(
            "MEP p.220",
            bits(
                "times",
                bit("on", "F", default=1),
                bit("off", "F"),
                bit("hold", "P"),
                filler(5),
            ),
            uint16("sources", "P", "values that can be shown", default=BT30_SOURCES),
            uint8("source_width", "F", "octets of a source id", default=2),
            uint16("primary_items", "P", default=BT30_ITEMS),
        ),
        cited(
            "MEP p.221",
            uint8("primary_lists", "P", default=1),
            uint16("secondary_items", "P"),
            uint8("secondary_lists", "P"),
        ),
    ),
)

BT33 = Table(
    "BT33",
    "Primary display list",
    read=READ,
    write=PROVISION,
    source=stored(),
    doc="What is shown, in this order. 2000 hex and 2001 hex are the first two of the guides' "
    "default list, 0 the energy taken.",
    fields=(
        cited(
            "MEP p.221-222",
            bits(
                "times",
                bit("on", "H", "of an item, 6-15 s; 0: by the push button", width=4, default=6),
                bit("off", "F", width=4),
            ),
        ),
        cited(
            "MEP p.222",
            bits("lists", bit("hold", "P", width=4), bit("default", "F", width=4, default=1)),
            uint8("items", "H", "that are shown", default=3),
            array(
                "sources",
                BT30_ITEMS,
                uint16("source", "H", "high and low octet of a source id"),
                by="BT30.4",
                default=(0x2000, 0x2001, 0x0000),
            ),
        ),
    ),
)

TABLES = (BT30, BT33)
PROCEDURES = ()
