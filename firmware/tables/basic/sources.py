"""Decade 1: sources of data (ANSI C12.19 decade 1)."""

from tables.schema import PROVISION, READ, Table, bit, bits, cited, filler, kept, ni1

BT15 = Table(
    "BT15",
    "Constants",
    read=READ,
    write=PROVISION,
    source=kept(),
    doc="The ratios of current and voltage transformers. They scale the present values 18-21 of "
    "BT28 when they are applied, never the registers.",
    fields=(
        cited(
            "MEP p.200",
            ni1("multiplier", "H", default=1),
            ni1("offset", "H"),
            bits("control", bit("applied", "H", "1: the ratios are applied"), filler(7)),
            ni1("ct_ratio", "H", default=1),
            ni1("vt_ratio", "H", default=1),
        ),
    ),
)

TABLES = (BT15,)
