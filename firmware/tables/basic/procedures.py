"""Decade 0: pending tables and procedures (ANSI C12.19 tables 4, 7 and 8)."""

from tables.dimensions import (
    BT00_BASIC_TABLES,
    BT00_EXTENDED_TABLES,
    BT00_PARAMETER_LENGTH,
    BT00_PENDING,
    BT00_RESPONSE_LENGTH,
)
from tables.schema import (
    NEVER,
    READ,
    Procedure,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    live,
    octets,
    served,
    set_,
    stime,
    uint8,
)


def _pendable(extended):
    """The tables with a pending table, as bits of the set of basic or of extended ones."""
    return lambda tables: tuple(
        [
            table.number & 2047
            for table in tables
            if table.pending and table.number // 2048 == extended
        ]
    )


BT07 = Table(
    "BT07",
    "Procedure initiate",
    read=NEVER,
    write=READ,
    source=served("procedures"),
    doc="Write number, sequence number and parameters to run a procedure; the answer is BT08. "
    "A write is as long as the procedure's parameters ask. It cannot be read back, because "
    "parameters may be keys. Procedures check the caller's level themselves.",
    fields=(
        cited(
            "MEP p.52",
            bits(
                "procedure",
                bit("number", "H", "bits 0-10, bit 11: extended", width=12),
                bit("response_handling", "P", "0: answer in BT08", width=4),
                size=2,
            ),
            uint8("sequence_number", "H", "10-254 on the power line (profile 7)"),
        ),
        cited("MEP p.197", octets("parameters", BT00_PARAMETER_LENGTH, "H")),
    ),
)

BT08 = Table(
    "BT08",
    "Procedure response",
    read=READ,
    write=None,
    source=live("procedures"),
    doc="Results: 0 done, 1 accepted and not complete, 2 bad parameter, 3 conflicts with the "
    "setup, 4 timing, 5 no authorization, 6 no such procedure; others are the procedure's own.",
    fields=(
        cited(
            "MEP p.52",
            bits("procedure", bit("number", "M", width=12), filler(4), size=2),
            uint8("sequence_number", "M", "as initiated"),
        ),
        cited("MEP p.53", uint8("result", "M")),
        cited("MEP p.197", octets("data", BT00_RESPONSE_LENGTH, "M")),
    ),
)

_PED = octets(
    "ped", 6, "H", "pending event description: event code and flags, storage 5 (OPT p.10)"
)

PROCEDURES = (
    Procedure(
        "BP12",
        "Activate all pending tables",
        family="pending",
        clause="OPT p.12",
    ),
    Procedure(
        "BP13",
        "Activate specific pending tables",
        family="pending",
        parameters=(_PED,),
        results={1: "no pending table has this description"},
        doc="Activates every pending table that was written with this description.",
        clause="OPT p.12",
    ),
    Procedure(
        "BP14",
        "Clear all pending tables",
        family="pending",
        doc="They are not pending any more; what was written stays in them.",
        clause="OPT p.12",
    ),
    Procedure(
        "BP15",
        "Clear specific pending tables",
        family="pending",
        parameters=(_PED,),
        results={1: "no pending table has this description"},
        doc="They are not pending any more; what was written stays in them.",
        clause="OPT p.12",
    ),
)

BT04 = Table(
    "BT04",
    "Pending status",
    read=READ,
    write=None,
    source=live("pending"),
    doc="Which tables have a pending table, and what is going to be activated.",
    fields=(
        cited(
            "OPT p.11",
            set_(
                "basic_pending",
                BT00_BASIC_TABLES,
                "M",
                "basic tables with a pending table",
                default=_pendable(0),
            ),
            set_(
                "extended_pending",
                BT00_EXTENDED_TABLES,
                "M",
                "extended tables with one",
                default=_pendable(1),
            ),
            stime("last_activation", "M", "UTC"),
            uint8("pending_activations", "M", "entries that are still pending"),
            array(
                "activations",
                BT00_PENDING,
                (
                    bits(
                        "event",
                        bit(
                            "code",
                            "M",
                            "0 at a moment, 1 after a time, 2 by BP12 or BP13 alone",
                            width=4,
                        ),
                        bit("self_read", "M", "is made before"),
                        bit("demand_reset", "M", "is made before"),
                        filler(2),
                    ),
                    octets(
                        "storage",
                        5,
                        "M",
                        "code 0: STIME in UTC; code 1: weeks, days, hours, minutes, seconds",
                    ),
                    bits(
                        "table",
                        bit("number", "M", "without 4096; extended tables from 2048", width=12),
                        bit("pending", "M"),
                        filler(3),
                        size=2,
                    ),
                ),
                by="BT00.18",
            ),
        ),
    ),
)

TABLES = (BT04, BT07, BT08)
