"""Prints the reference pages of the tables: docs/tables in the repository (`reference.py`)."""

from collections import Counter
from collections.abc import Iterator

from tables import layout, schema
from tables.dimensions import BT00_BASIC_TABLES, BT00_EXTENDED_TABLES
from tables.schema import Array, Bits, Field, Record, Table

LEVELS = {
    schema.ANYONE: "anyone",
    schema.READ: "RK, MBK and above",
    schema.PROVISION: "PK and above",
    schema.MASTER: "MK, MAK",
    schema.NEVER: "nobody",
}
_KINDS = {
    schema.FIXED: "follows from the definitions",
    schema.KEPT: "kept in flash",
    schema.LIVE: "in RAM",
    schema.SERVED: "answered read by read",
    schema.STORED: "in flash alone",
}
# where a layout or a parameter list stands
ORIGINS = {
    schema.GUIDE: "laid out in the OSGP Alliance's guides",
    schema.C12_19: "by ANSI C12.19, which OSGP builds on",
    schema.PROFILE: "by this project, where no public document lays it out",
}
_ORIGINS = (
    ("MEP", "the MEP guide (OSGP Alliance, 2022)"),
    ("OPT", "the optical port guide (OSGP Alliance, 2021)"),
    ("ECH", "Echelon's ANSI meter user's guide (79010-02)"),
    ("C12.19", "ANSI C12.19, through open implementations (`osgp.md` 3.1)"),
    ("profile", "this project"),
)
# of a field that does not say: its table's; in a table of the guides each field says its page
_UNSAID = {schema.C12_19: "C12.19", schema.PROFILE: "profile"}
# what a public document names, without anything from which a layout would follow
_ONLY_NAMED = (
    ("ET48", "ten entries (ET11.23), and that demand was configured (ET42.10)"),
    ("ET92", "P2P communication"),
    ("ET93", "P2P communication"),
    ("ET94", "P2P communication"),
    ("ET95", "P2P communication, the SIM's number (ET90.19)"),
    ("ET96", "P2P communication"),
    ("ET98", "P2P communication, a modem's replies (ET90)"),
    ("ET124", "the security log"),
)
BASIC, EXTENDED = 41, 68  # tables that OSGP counts (ESNA's slides)
_INDICES = "ijkl"
HEAD = (
    "| Offset | Name | Type | Set by | Default | Meaning | Source |",
    "|---|---|---|---|---|---|---|",
)


def pages(tables: tuple[Table, ...]) -> dict[str, str]:
    """The text of each page by its file name: an index and a page a table."""
    ordered = sorted(tables, key=lambda one: one.number)
    texts = {f"{one.name}.md": _page(one, tables) for one in ordered}
    texts["README.md"] = _index(ordered)
    return texts


def origin(clause: str) -> str:
    """Which of the sources a clause is of. Raises ValueError for one that is of none."""
    for start, title in _ORIGINS:
        if clause.startswith(start):
            return title
    raise ValueError(f"no such source: {clause!r}")


def definitions_of(item: Record | Array | Field | Bits) -> Iterator[Field | Bits]:
    """The fields that this meter has, reserved octets left out; an array's fields count once."""
    if isinstance(item, Record):
        for inner in item.fields:
            yield from definitions_of(inner)
    elif isinstance(item, Array):
        if item.count:
            yield from definitions_of(item.item)
    elif item.name and item.size:
        yield item


def _page(one: Table, tables: tuple[Table, ...]) -> str:
    body = _KINDS[one.source.kind]
    if one.source.part:
        body += f", filled in by: {one.source.part}"
    lines = [
        f"# {one.name} {one.title}",
        "",
        f"Table {one.number} (0x{one.number:04X}), {one.size} octets.",
        "",
        f"- Read: {LEVELS[one.read]}",
        f"- Write: {LEVELS[one.write]}",
        f"- Body: {body}",
    ]
    if one.version > 1:
        sizes = [str(earlier.size) for earlier in one.earlier]
        lines.append(
            f"- Layout: version {one.version}; earlier ones had {', '.join(sizes)} octets"
        )
    runs = layout.host_runs(one)
    if runs:
        lines.append(f"- Octets that a host may set: {', '.join(map(_run, runs))}")
    if one.doc:
        lines += ["", one.doc]
    if one.departs:
        lines += ["", f"**Differs from the guides.** {one.departs}"]
    closed = [
        item for item in definitions_of(one.record) if isinstance(item, Field) and item.closed
    ]
    if closed and one.write != schema.NEVER:
        lines += ["", "Fields that the guides leave to the host and this meter does not:", ""]
        lines += [f"- `{item.name}`: {item.closed}" for item in closed]
    lines += ["", *HEAD, *rows(one.record, Place(0), "", layout.default_body(one, tables))]
    return "\n".join(lines) + "\n"


def _run(run: tuple[int, int]) -> str:
    first, length = run
    return f"{first}" if length == 1 else f"{first}-{first + length - 1}"


class Place:
    """An offset with a stride for each array around it: 17 + 977i + 10j."""

    def __init__(self, offset: int, strides: tuple[int, ...] = ()):
        self.offset = offset
        self.strides = strides

    def __str__(self) -> str:
        parts = [str(self.offset)] if self.offset or not self.strides else []
        for stride, index in zip(self.strides, _INDICES):
            parts.append(index if stride == 1 else f"{stride}{index}")
        return " + ".join(parts)

    def after(self, size: int) -> "Place":
        return Place(self.offset + size, self.strides)

    def within(self, array: Array) -> "Place":
        return Place(self.offset, (*self.strides, array.item.size))


def rows(item, place: Place, name: str, body: bytes) -> Iterator[str]:
    """A row of `HEAD` for each field of `item`, which begins at `place`; body: of the defaults."""
    if isinstance(item, Record):
        for inner in item.fields:
            path = ".".join(part for part in (name, inner.name) if part)
            yield from rows(inner, place, path, body)
            place = place.after(inner.size)
    elif isinstance(item, Array):
        yield from _array_rows(item, place, name, body)
    elif isinstance(item, Bits):
        yield from _bit_rows(item, place, name)
    else:
        yield _field_row(item, place, name, body)


def _array_rows(item: Array, place: Place, name: str, body: bytes) -> Iterator[str]:
    if not item.count:
        yield f"| {place} | **{name}** | none | | | not in this meter ({item.by}) | |"
        return
    if item.count == 1:
        yield from rows(item.item, place, f"{name}[0]", body)
        return
    index = _INDICES[len(place.strides)]
    size = f"{item.count} x {item.item.size} octets"
    yield f"| {place} | **{name}** | {size} | | | {index} = 0..{item.count - 1}, by {item.by} | |"
    yield from rows(item.item, place.within(item), f"{name}[{index}]", body)


def _field_row(item: Field, place: Place, name: str, body: bytes) -> str:
    meaning = " ".join(part for part in (item.doc, f"({item.unit})" if item.unit else "") if part)
    default = ""
    if not place.strides and item.who != "-":
        value = item.read(body[place.offset : place.offset + item.size])
        if value != item.type.zero:
            default = _shown(value)
    shown = f"`{name}`" if item.name else ""
    who = "" if item.who == "-" else f"M ({item.who} in the guide)" if item.closed else item.who
    kind = item.type.name
    return f"| {place} | {shown} | {kind} | {who} | {default} | {meaning} | {item.clause} |"


def _bit_rows(item: Bits, place: Place, name: str) -> Iterator[str]:
    yield f"| {place} | `{name}` | {8 * item.size} bits | | | | {item.clause} |"
    for part in item.parts:
        if not part.name:
            continue
        last = part.shift + part.width - 1
        where = f"bit {part.shift}" if part.width == 1 else f"bits {part.shift}-{last}"
        default = part.default or ""
        yield f"| | `.{part.name}` | {where} | {part.who} | {default} | {part.doc} | |"


def _shown(value) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _index(ordered: list[Table]) -> str:
    lines = [
        "# Tables of this meter",
        "",
        "Printed from `firmware/tables` by `make docs`; the device serves the same definitions. "
        "Do not edit.",
        "",
        "| Table | Number | Title | Octets | Read | Write | Body |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| [{one.name}]({one.name}.md) | {one.number} | {one.title} | {one.size} "
        f"| {LEVELS[one.read]} | {LEVELS[one.write]} | {_KINDS[one.source.kind]} |"
        for one in ordered
    ]
    lines += [
        "",
        "Numbers are stored least significant octet first. **Set by**: F fixed, M the meter, H "
        "the host, P fixed for a program id, HD or HI the host directly or through a pending "
        "table. What a host writes over the fields of others is dropped and the write still "
        "answered with 00 (profile 6). On the power line every message is secured and has the "
        "level of MK.",
        "",
        "## How many there are",
        "",
        *_count(ordered),
        "",
        "## Where the facts come from",
        "",
        *_origins(ordered),
        "",
        "## Where this meter differs from the guides",
        "",
        *[f"- [{one.name}]({one.name}.md): {one.departs}" for one in ordered if one.departs],
    ]
    return "\n".join(lines) + "\n"


def _count(ordered: list[Table]) -> Iterator[str]:
    """How many tables there are by where their layout stands, and which are not there."""
    basic = {one.number for one in ordered if one.name.startswith("BT")}
    extended = {one.number - 2048 for one in ordered if one.name.startswith("ET")}
    yield (
        f"OSGP counts {BASIC} basic and {EXTENDED} extended tables (ESNA); which numbers they "
        f"have is not public. This meter has {len(basic)} basic and {len(extended)} extended "
        "ones. Some of these may not be the standard's, for ANSI C12.19 has more:"
    )
    yield ""
    yield from by_origin(ordered)
    named = [one for one in _ONLY_NAMED if int(one[0][2:]) not in extended]
    extended.update(int(name[2:]) for name, _ in named)
    yield ""
    yield "Absent, because a public document names them and no more:"
    yield ""
    yield from (f"- {name}: {what}" for name, what in named)
    yield ""
    yield (
        "Absent, because no public document on OSGP names them (ANSI C12.19 has more basic tables "
        "than OSGP took over): "
        f"{missing('BT', basic, 8 * BT00_BASIC_TABLES)}; "
        f"{missing('ET', extended, 8 * BT00_EXTENDED_TABLES)}. What the standard has and this "
        "meter has not is among these."
    )


def by_origin(ordered) -> Iterator[str]:
    """How many of some tables or procedures are laid out where, and which."""
    for one, title in ORIGINS.items():
        names = [item.name for item in ordered if item.origin == one]
        yield f"- {len(names)} {title}: {', '.join(names) or 'none'}"


def missing(prefix: str, there: set[int], end: int) -> str:
    """The numbers below `end` that are not there, as "BT09, BT17-BT19"."""
    parts = []
    first = None
    for number in range(end + 1):
        gone = number < end and number not in there
        if gone and first is None:
            first = number
        elif not gone and first is not None:
            last = number - 1
            name = f"{prefix}{first:02}"
            parts.append(name if first == last else f"{name}-{prefix}{last:02}")
            first = None
    return ", ".join(parts)


def _origins(ordered: list[Table]) -> Iterator[str]:
    """How many fields (a set of bits is one, an array's fields count once) are from where."""
    fields: Counter[str] = Counter()
    found: dict[str, set[str]] = {}
    for one in ordered:
        for item in definitions_of(one.record):
            title = origin(item.clause or _UNSAID.get(one.origin, ""))
            fields[title] += 1
            found.setdefault(title, set()).add(one.name)
    yield f"{len(ordered)} tables, {sum(fields.values())} fields (an array's fields count once):"
    yield ""
    for _, title in _ORIGINS:
        if fields[title]:
            yield f"- {fields[title]} from {title}: {', '.join(sorted(found[title]))}"
