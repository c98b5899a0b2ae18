"""The model on the host: the tables by number, bodies to values and back, and the compiler.

`python -m osgp_tools.model` compiles the definitions to firmware/tables/compiled.py, `--check`
exits 1 when that file is stale, `--docs docs` writes the reference pages.
"""

import argparse
import sys
from pathlib import Path

from osgp_tools import reference
from osgp_tools.migrations import compile_migrations
from tables import definitions, layout
from tables.schema import FIXED, SERVED, STORED, Procedure, Table

TABLES: dict[int, Table] = {table.number: table for table in definitions.TABLES}

COMPILED = Path(__file__).parents[2] / "firmware" / "tables" / "compiled.py"

LARGEST_STORED = 1018  # what settings.Settings keeps in one value, less a pending event
_ENTRY = 16
_WHOLE = 65535


def table(number: int) -> Table:
    """The definition of a table. Raises KeyError when this meter does not have it."""
    try:
        return TABLES[number]
    except KeyError:
        raise KeyError(f"no table {number}") from None


def decode(number: int, body: bytes, offset: int = 0) -> dict:
    """The values of `body`, which is the table from `offset` on, by name.

    Records are dicts, arrays lists, dates tuples of their parts (the year without century), sets
    tuples of bit numbers. What is not wholly in `body` is left out, in an array None.
    """
    values = layout.get(table(number).record, 0, bytes(body), offset)
    return values if isinstance(values, dict) else {}


def encode(number: int, values: dict, base: bytes | None = None) -> bytes:
    """A whole body: `values` (as `decode` gives them, any part) over `base` or the defaults.

    Raises ValueError for a name that the table does not have or a value that does not fit.
    """
    definition = table(number)
    if base is None:
        base = layout.default_body(definition, definitions.TABLES)
    if len(base) != definition.size:
        raise ValueError(f"{definition.name} has {definition.size} octets, not {len(base)}")
    body = bytearray(base)
    layout.put(definition.record, body, 0, values)
    return bytes(body)


def field(number: int, name: str) -> tuple[int, int]:
    """(offset, size) of a field, a record or an array by its path: "tiers.1.summations"."""
    return layout.place(table(number), name)


def default(number: int) -> bytes:
    """The body with which a new device starts."""
    return layout.default_body(table(number), definitions.TABLES)


class _Data:
    """The part of the blob behind the entries; equal pieces are stored once."""

    def __init__(self, start: int):
        self.start = start
        self.octets = b""

    def place(self, piece: bytes) -> int:
        found = self.octets.find(piece)
        if found < 0:
            found = len(self.octets)
            self.octets += piece
        return self.start + found


def compile_model(tables: tuple[Table, ...] = definitions.TABLES) -> tuple[bytes, int]:
    """(blob, arena): what the device serves from, and the octets of RAM its bodies take.

    The blob, little-endian: u16 count; an entry a table, sorted by number: number u16, kind u8,
    read level u8, write level u8, flags u8, size u32, place in the arena u16 (kept and live),
    default body u16 (0: all zero), host runs u16; then the bodies and the runs: u8 n,
    n x {offset u16, length u16}, length 65535 up to the end. Flags: bit 0, it has a pending table;
    from bit 1 on, the version of its layout less 1.
    """
    ordered = sorted(tables, key=lambda one: one.number)
    if len({one.number for one in ordered}) != len(ordered):
        raise ValueError("two tables with one number")
    data = _Data(2 + _ENTRY * len(ordered))
    entries = b""
    arena = 0
    for one in ordered:
        kind = one.source.kind
        in_ram = kind not in (FIXED, SERVED, STORED)
        if kind == STORED and one.size > LARGEST_STORED:
            raise ValueError(f"{one.name}: {one.size} octets are too many for a stored table")
        body = b"" if kind == SERVED else layout.default_body(one, tables)
        fields = (
            (one.number, 2),
            (kind, 1),
            (one.read, 1),
            (one.write, 1),
            (one.pending | one.version - 1 << 1, 1),
            (one.size, 4),
            (arena if in_ram else 0, 2),
            (data.place(body) if any(body) else 0, 2),
            (data.place(_runs(one)), 2),
        )
        entries += b"".join(number.to_bytes(size, "little") for number, size in fields)
        if in_ram:
            arena += one.size
    return len(ordered).to_bytes(2, "little") + entries + data.octets, arena


def _runs(one: Table) -> bytes:
    runs = layout.host_runs(one)
    octets = bytes([len(runs)])
    for offset, length in runs:
        if offset + length == one.size:
            length = _WHOLE
        octets += offset.to_bytes(2, "little") + length.to_bytes(2, "little")
    return octets


def compile_procedures(
    procedures: tuple[Procedure, ...] = definitions.PROCEDURES,
) -> tuple[bytes, tuple[str, ...]]:
    """(blob, families): which rare module has which procedure.

    The blob: {number u16, index into families u8, level u8, octets of parameters u8, of any number
    behind them u8 (0 or 1)} a procedure, sorted by number.
    """
    families = tuple(sorted({one.family for one in procedures}))
    ordered = sorted(procedures, key=lambda one: one.number)
    if len({one.number for one in ordered}) != len(ordered):
        raise ValueError("two procedures with one number")
    blob = b""
    for one in ordered:
        blob += one.number.to_bytes(2, "little")
        blob += bytes((families.index(one.family), one.level, one.parameters.size, bool(one.rest)))
    return blob, families


def source_text() -> str:
    """The text of compiled.py."""
    blob, arena = compile_model()
    procedures, families = compile_procedures()
    names = [one.name for one in sorted(definitions.TABLES, key=lambda one: one.number)]
    lines = [
        '"""The model as one constant, which costs no heap: see `osgp_tools.model.compile_model`.',
        "",
        "Written by `python -m osgp_tools.model` from the definitions; do not edit.",
        '"""',
        "",
        f"ARENA = {arena}",
        f"FAMILIES = {_names(families)}",
        f"LAYOUT = {layout_number()}",
        *_migrations(compile_migrations(definitions.TABLES)),
        "PROCEDURES = (",
        *[f"    {_literal(procedures[k : k + 18])}" for k in range(0, len(procedures), 18)],
        ")",
        "MODEL = (",
        f"    {_literal(blob[:2])}",
    ]
    for k, name in enumerate(names):
        entry = blob[2 + k * _ENTRY : 2 + (k + 1) * _ENTRY]
        lines.append(f"    {_literal(entry)}  # {name}")
    rest = blob[2 + len(names) * _ENTRY :]
    lines += [f"    {_literal(rest[k : k + 22])}" for k in range(0, len(rest), 22)]
    return "\n".join([*lines, ")", ""])


def layout_number(tables: tuple[Table, ...] = definitions.TABLES) -> int:
    """0 to 63: another one when a kept table has another layout than in the firmware before."""
    return sum(one.version - 1 for one in tables) % 64


def _migrations(octets: bytes) -> list[str]:
    if not octets:
        return ['MIGRATIONS = b""']
    lines = [f"    {_literal(octets[k : k + 22])}" for k in range(0, len(octets), 22)]
    return ["MIGRATIONS = (", *lines, ")"]


def _names(names: tuple[str, ...]) -> str:
    """A tuple as the formatter would write it."""
    line = "(" + ", ".join(f'"{name}"' for name in names) + ("," if len(names) == 1 else "") + ")"
    if len("FAMILIES = " + line) <= 99:
        return line
    return "(\n" + "".join(f'    "{name}",\n' for name in names) + ")"


def _literal(octets: bytes) -> str:
    return 'b"' + "".join(f"\\x{octet:02x}" for octet in octets) + '"'


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="osgp_tools.model", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the blob is fresh")
    parser.add_argument("--docs", type=Path, metavar="FOLDER", help="write the reference pages")
    chosen = parser.parse_args(arguments)
    if chosen.docs:
        pages = reference.write(chosen.docs)
        print(f"{len(pages)} pages in {chosen.docs}")
        return 0
    text = source_text()
    if chosen.check:
        fresh = COMPILED.exists() and COMPILED.read_text() == text
        print(
            f"{COMPILED.name} is {'fresh' if fresh else 'stale: run python -m osgp_tools.model'}"
        )
        return 0 if fresh else 1
    COMPILED.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
