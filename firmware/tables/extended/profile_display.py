"""Extended tables of the load profile's display: ET62, and ET75, the log of its channels.

The layouts are those of meters with id codes of five characters (firmware 4.0 and higher).
"""

from tables.dimensions import BT21_DEMANDS, ET75_ENTRIES
from tables.schema import (
    MASTER,
    READ,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    stime,
    stored,
    text,
    uint8,
    uint16,
)

_CODE = 5  # characters of an id code
_CHANNELS = 16  # BT60.11


def _code(name, default, clause, points=0):
    """An id code of the display and its decimal points."""
    return cited(
        clause,
        text(f"{name}_code", _CODE, "H", "left to right", default=f"{default:5}"),
        uint8(f"{name}_points", "H", "decimal points, bit 0 on the right", default=points),
    )


def _channels(clauses):
    """How each channel is shown. `clauses`: of the code, of the data format."""
    return array(
        "channels",
        _CHANNELS,
        (
            _code("channel", "", clauses[0]),
            cited(
                clauses[1],
                bits(
                    "data_format",
                    bit("after_point", "H", "digits, 0-3", width=3),
                    bit("before_point", "H", "digits, 1-8; with the others 8 at most", width=4),
                    bit("no_leading_zeros", "H"),
                ),
            ),
        ),
        by="BT60.11",
        default=[
            {"channel_code": f"CH{k + 1:02} ", "data_format": {"before_point": 8}}
            for k in range(_CHANNELS)
        ],
    )


ET62 = Table(
    "ET62",
    "Load profile display configuration",
    read=READ,
    write=MASTER,
    source=stored(),
    doc="How the primary load profile and the list of power outages are shown. The board has no "
    "display; the table is kept for whoever shows values.",
    fields=(
        cited(
            "MEP p.168",
            bits(
                "flags",
                bit("local_time", "H", "else UTC"),
                bit("all_characters", "H", "of the status code, and no channel number"),
                bit("disabled", "H", "no load profile is shown"),
                filler(5),
            ),
        ),
        _code("list", "P01", "MEP p.169", points=4),
        _code("date", "DATE", "MEP p.169"),
        _code("time", "TIME", "MEP p.170"),
        _code("status", "STAT", "MEP p.170"),
        _channels(("MEP p.171", "MEP p.171")),
        _code("outage_list", "", "MEP p.172"),
        _code("outage_number", "NUM", "MEP p.172"),
    ),
)

ET75 = Table(
    "ET75",
    "Primary load profile channel change log",
    read=READ,
    write=None,
    source=stored("load profile"),
    doc="What the channels of the primary data set (ET55.110) were before EP11 or EP52 changed "
    "them, with how demand was formed and ET62 showed them then.",
    departs="Welmec 11.2 cannot be switched on (ET54.71.0 is 0), so nothing is refused when the "
    "log is full: the oldest entry goes. The guide's size of an entry, 143 (MEP p.109), is that "
    "of codes of four characters.",
    fields=(
        cited(
            "MEP p.178-179",
            bits(
                "flags",
                bit("order", "F", "0: older first"),
                bit("overflow", "M", "entries were overwritten before they were read"),
                bit("list_type", "F", "1: circular", default=1),
                bit("inhibit_overflow", "F"),
                filler(4),
            ),
        ),
        cited(
            "MEP p.179",
            uint8("valid_entries", "M"),
            uint8("last_entry", "F", "index of the newest"),
            uint16("last_sequence", "M", "of the newest; never reset"),
            uint8("unread_entries", "M"),
        ),
        array(
            "entries",
            ET75_ENTRIES,
            (
                cited(
                    "MEP p.179",
                    stime("time", "M", "UTC: end of the first interval after the change"),
                    array(
                        "sources",
                        _CHANNELS,
                        uint16("source", "M", "extended source id until then"),
                        by="BT60.11",
                    ),
                    array("demand_sources", BT21_DEMANDS, uint8("source", "M"), by="BT20.4"),
                    uint8("sub_interval", "M", unit="min"),
                    uint8("multiplier", "M"),
                ),
                _channels(("MEP p.180", "MEP p.180")),
            ),
            by="ET36.109",
        ),
    ),
)

TABLES = (ET62, ET75)
PROCEDURES = ()
