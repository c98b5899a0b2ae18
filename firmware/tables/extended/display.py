"""Extended tables of the display: ET07, ET67, ET77.

The board has no display; these tables are kept for whoever shows values.
"""

from tables.dimensions import BT30_ITEMS
from tables.schema import (
    PROFILE,
    PROVISION,
    READ,
    Table,
    array,
    bit,
    bits,
    cited,
    stored,
    text,
    uint8,
    uint16,
)

ET07 = Table(
    "ET07",
    "LCD configuration",
    read=READ,
    write=PROVISION,
    source=stored(),
    origin=PROFILE,
    doc="The id code of each item of the primary list (BT33). The guides tell that six octets an "
    "item come first and the roll-over digit after them (MEP p.119).",
    fields=(
        cited(
            "profile",
            array(
                "items",
                BT30_ITEMS,
                (
                    text("code", 5, "H", "shown beside the value"),
                    uint8("points", "H", "decimal points of the code, bit 0 on the right"),
                ),
                by="BT30.4",
            ),
        ),
        cited(
            "MEP p.119",
            uint8("rollover_digit", "F", "digits of an energy register", default=9),
        ),
    ),
)

ET67 = Table(
    "ET67",
    "Display source id mapping",
    read=READ,
    write=PROVISION,
    source=stored(),
    origin=PROFILE,
    doc="As ET66 does for the load profile: an extended source id for each mapped display "
    "source. The guides name the table and that BT30 gives its size.",
    fields=(
        cited(
            "profile",
            array("sources", BT30_ITEMS, uint16("source", "H", "0: not mapped"), by="BT30.4"),
        ),
    ),
)

ET77 = Table(
    "ET77",
    "Secondary display list",
    read=READ,
    write=PROVISION,
    source=stored(),
    origin=PROFILE,
    doc="Laid out as BT33. ET54.79 tells how many sources there can be.",
    fields=(
        cited(
            "profile",
            bits(
                "times",
                bit("on", "H", "of an item, 6-15 s; 0: by the push button", width=4, default=6),
                bit("off", "F", width=4),
            ),
            bits("lists", bit("hold", "F", width=4), bit("default", "F", width=4, default=1)),
            uint8("items", "H", "that are shown; 0: no secondary list"),
            array("sources", BT30_ITEMS, uint16("source", "H"), by="BT30.4"),
        ),
    ),
)

TABLES = (ET07, ET67, ET77)
PROCEDURES = ()
