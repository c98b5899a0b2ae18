"""Decade 0: procedures (ANSI C12.19 tables 7 and 8)."""

from tables.dimensions import BT00_PARAMETER_LENGTH, BT00_RESPONSE_LENGTH
from tables.schema import NEVER, READ, Table, bit, bits, cited, filler, live, octets, served, uint8

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

TABLES = (BT07, BT08)
