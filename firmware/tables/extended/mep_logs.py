"""Extended decades 1-4, 7: one-time reads and recurring reads, what waits and what was read
(OSGP ET19, ET20, ET31, ET32, ET45, ET74).

The guides lay out ET31, ET45 and ET74. Of ET19 and ET20 they give the purpose, the number of
entries and the octets of one (OPT p.40-41), of ET32 the number and the octets (MEP p.108).
"""

from tables.basic.registers import BT23
from tables.dimensions import (
    BT21_DEMANDS,
    ET11_DATA_SIZE,
    ET11_MBUS_READS,
    ET11_METER_READS,
    ET31_ENTRIES,
    ET32_ENTRIES,
    ET45_ENTRIES,
    ET74_ENTRIES,
)
from tables.schema import (
    PROFILE,
    READ,
    Procedure,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    fixed,
    ltime,
    octets,
    record,
    reserved,
    served,
    stime,
    stored,
    uint8,
    uint16,
    when,
)


def _queue(name, title, entries, by, doc):
    """ET19 and ET20 have one layout."""
    return Table(
        name,
        title,
        read=READ,
        write=None,
        source=stored("one-time reads"),
        doc=doc,
        departs="The guides give the number of entries and their octets only (OPT p.41); what "
        "stands in them is this project's.",
        origin=PROFILE,
        fields=(
            array(
                "queue",
                entries,
                cited(
                    "profile",
                    uint16("transaction", "M"),
                    uint16("handle", "M", "of the device; 0: the meter"),
                    uint8("type", "M", "0 no entry, 2 billing read"),
                    uint8("result", "M", "0 open, 1 done, 2 no response, 3 failed"),
                    ltime("due", "M", "UTC; all zero: at once"),
                    uint16("sequence", "M", "of the log: at the request, then of its entry"),
                    reserved(3),
                ),
                by=by,
            ),
        ),
    )


ET19 = _queue(
    "ET19",
    "Meter one-time-read queue",
    ET11_METER_READS,
    "ET11.14",
    "Reads of BT23 that EP24 asked for. When its time comes, each becomes an entry of ET31.",
)
ET20 = _queue(
    "ET20",
    "M-Bus one-time-read queue",
    ET11_MBUS_READS,
    "ET11.15",
    "Reads of M-Bus devices that EP24 asked for. Without an answer in the time of ET51.3 they get "
    "result 2.",
)


def _header(clause, count, circular, last="M", unread=""):
    """The header of a log. count: the type of its numbers. last: who sets the newest's index."""
    return cited(
        clause,
        bits(
            "flags",
            bit("descending", "F", "0: n is older than n + 1"),
            bit("overflow", "M", "old entries were written over"),
            bit("circular", "F", default=circular),
            bit("inhibit", "F"),
            filler(4),
        ),
        count("valid_entries", "M"),
        count("last_entry", last, "index of the newest"),
        uint16("last_sequence", "M", "number of the newest; never reset"),
        count("unread_entries", "H/M", unread, closed="EP26 counts them down"),
    )


ET31 = Table(
    "ET31",
    "Meter one-time-read log",
    read=READ,
    write=None,
    source=served("one-time reads"),
    doc="BT23 as it was at the moments that EP24 asked for. EP26 counts unread entries down.",
    departs="The guide counts its entries by BT21.2 here and by ET36 there; it is ET36.",
    fields=(
        _header("MEP p.104-105", uint8, 1),
        array(
            "entries",
            ET31_ENTRIES,
            (
                cited(
                    "MEP p.105",
                    when(BT21_DEMANDS, "BT21.4", uint16("bidn", "M", "of ET42, at that time")),
                    stime("time", "M", "local time"),
                    uint8("season", "M"),
                ),
                record("registers", *BT23.record.fields),
            ),
            by="ET36",
        ),
    ),
)


def _recurring(number_clause):
    """The entry of ET45 (MEP p.120-121), which is that of ET74 but for its second field."""
    return (
        cited(
            number_clause,
            uint16("length", "M", "octets in use behind this field"),
            bits(
                "identifier",
                bit("number", "M", width=11),
                bit("namespace", "M", "0 manufacturer, 1 DLMS, 2 OSGP", width=5),
                size=2,
            ),
            uint16("handle", "M"),
            uint8("execution", "M", "0 normal, 2 after a power failure"),
            uint8("result", "M", "4 success"),
            octets("data", ET11_DATA_SIZE, "M", "as an entry of ET16"),
        ),
    )


_NONE = (
    "It has no entries: the latest read of each device stands in ET16. A list without entries is "
    "not circular (MEP p.120)."
)

ET32 = Table(
    "ET32",
    "M-Bus one-time-read log",
    read=READ,
    write=None,
    source=fixed(),
    doc="What M-Bus devices answered to the requests of ET20. The guide gives 525 octets an "
    "entry, 509 of them data (MEP p.108): the entry of ET45.",
    departs="Nothing is attached yet, so it is empty.",
    origin=PROFILE,
    fields=(
        _header("profile", uint8, 1),
        array("entries", ET32_ENTRIES, _recurring("profile"), by="ET36"),
    ),
)

ET45 = Table(
    "ET45",
    "MEP recurring read log",
    read=READ,
    write=None,
    source=fixed(),
    doc="Scheduled reads of MEP and M-Bus devices.",
    departs=_NONE,
    fields=(
        _header("MEP p.119-120", uint8, 0, last="F"),
        array("entries", ET45_ENTRIES, _recurring("MEP p.120-121"), by="ET36"),
    ),
)

ET74 = Table(
    "ET74",
    "MEP recurring read extended log",
    read=READ,
    write=None,
    source=fixed(),
    doc="Where entries of ET45 wait for room in it.",
    departs=_NONE,
    fields=(
        _header("MEP p.176-177", uint16, 0, last="F", unread="not moved to ET45 yet"),
        array("entries", ET74_ENTRIES, _recurring("MEP p.177"), by="ET54"),
    ),
)

PROCEDURES = (
    Procedure(
        "EP24",
        "Post one-time-read request",
        family="reads",
        parameters=cited(
            "profile",
            uint16("transaction", "H"),
            uint16("handle", "H", "0: the meter, else an M-Bus device"),
            ltime("due", "H", "UTC; all zero, or past: at once"),
        ),
        response=cited("profile", uint8("index", "M", "of the entry in ET19 or ET20")),
        results={2: "not a date", 3: "no installed device is meant", 7: "the queue is full"},
        doc="The name is public (osgp.md 4), the parameters are this project's.",
        clause="profile",
        origin=PROFILE,
    ),
)

TABLES = (ET19, ET20, ET31, ET32, ET45, ET74)
