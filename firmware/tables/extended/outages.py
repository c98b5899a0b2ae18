"""Power outages (OSGP ET10, ET81). What ET09 tells about them stands in quality.py."""

from tables.dimensions import ET04_OUTAGES, ET81_ENTRIES
from tables.schema import (
    PROFILE,
    READ,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    ltime,
    stored,
    uint8,
    uint16,
    uint32,
)

ET10 = Table(
    "ET10",
    "Power outages",
    read=READ,
    write=None,
    source=stored("outages"),
    origin=PROFILE,
    doc="All outages, long and short, counted since the first start; the newest come first. The "
    "guides give its name, and the number of its records as ET04.53 (MEP p.58).",
    fields=(
        cited(
            "profile: ET10",
            uint32("outages", "M", "long and short ones"),
            uint32("short", "M", "shorter than ET09.0"),
            array(
                "records",
                ET04_OUTAGES,
                (ltime("power_off", "M", "UTC"), uint32("duration", "M", unit="s")),
                by="ET04.53",
            ),
        ),
    ),
)

ET81 = Table(
    "ET81",
    "Power outage log",
    read=READ,
    write=None,
    source=stored("outages"),
    doc="A ring of outages, long and short, in local time.",
    fields=(
        cited(
            "MEP p.185",
            bits(
                "flags",
                bit("order", "F", "0: entry N is older than N + 1"),
                bit("overflow", "M", "old entries were overwritten"),
                bit("circular", "F", default=1),
                bit("inhibit", "F", "0: new entries overwrite old ones"),
                filler(4),
            ),
        ),
        cited(
            "MEP p.186",
            uint8("valid", "M"),
            uint8("last", "M", "element of the newest entry"),
            uint16("sequence", "M", "of the newest entry; the first has 1"),
            uint8("unread", "M", "EP26 takes away from it"),
            array(
                "entries",
                ET81_ENTRIES,
                (ltime("start", "M", "local"), ltime("end", "M", "local")),
                by="ET36.103",
            ),
        ),
    ),
)

TABLES = (ET10, ET81)
