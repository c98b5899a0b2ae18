"""Prints the reference pages of the tables, which are docs/tables in the repository."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tables import layout, schema
from tables.schema import Array, Bits, Field, Record, Table

_LEVELS = {
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
}
_ORIGINS = (
    ("MEP", "the MEP guide (OSGP Alliance, 2022)"),
    ("OPT", "the optical port guide (OSGP Alliance, 2021)"),
    ("C12.19", "ANSI C12.19, through open implementations (`osgp.md` 3.1)"),
    ("profile", "this project"),
)
_INDICES = "ijkl"
_HEAD = (
    "| Offset | Name | Type | Set by | Default | Meaning | Source |",
    "|---|---|---|---|---|---|---|",
)


def pages(tables: tuple[Table, ...]) -> dict[str, str]:
    """The text of each page by its file name: an index and a page a table."""
    ordered = sorted(tables, key=lambda one: one.number)
    texts = {f"{one.name}.md": _page(one, tables) for one in ordered}
    texts["README.md"] = _index(ordered)
    return texts


def write(tables: tuple[Table, ...], folder: Path) -> dict[str, str]:
    """Writes the pages into a folder, which is made. Returns them."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = pages(tables)
    for name, text in texts.items():
        (folder / name).write_text(text)
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
        f"- Read: {_LEVELS[one.read]}",
        f"- Write: {_LEVELS[one.write]}",
        f"- Body: {body}",
    ]
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
    lines += ["", *_HEAD, *_rows(one.record, _Place(0), "", layout.default_body(one, tables))]
    return "\n".join(lines) + "\n"


def _run(run: tuple[int, int]) -> str:
    first, length = run
    return f"{first}" if length == 1 else f"{first}-{first + length - 1}"


class _Place:
    """An offset with a stride for each array around it: 17 + 977i + 10j."""

    def __init__(self, offset: int, strides: tuple[int, ...] = ()):
        self.offset = offset
        self.strides = strides

    def __str__(self) -> str:
        parts = [str(self.offset)] if self.offset or not self.strides else []
        for stride, index in zip(self.strides, _INDICES):
            parts.append(index if stride == 1 else f"{stride}{index}")
        return " + ".join(parts)

    def after(self, size: int) -> "_Place":
        return _Place(self.offset + size, self.strides)

    def within(self, array: Array) -> "_Place":
        return _Place(self.offset, (*self.strides, array.item.size))


def _rows(item, place: _Place, name: str, body: bytes) -> Iterator[str]:
    if isinstance(item, Record):
        for inner in item.fields:
            path = ".".join(part for part in (name, inner.name) if part)
            yield from _rows(inner, place, path, body)
            place = place.after(inner.size)
    elif isinstance(item, Array):
        yield from _array_rows(item, place, name, body)
    elif isinstance(item, Bits):
        yield from _bit_rows(item, place, name)
    else:
        yield _field_row(item, place, name, body)


def _array_rows(item: Array, place: _Place, name: str, body: bytes) -> Iterator[str]:
    if not item.count:
        yield f"| {place} | **{name}** | none | | | not in this meter ({item.by}) | |"
        return
    if item.count == 1:
        yield from _rows(item.item, place, f"{name}[0]", body)
        return
    index = _INDICES[len(place.strides)]
    size = f"{item.count} x {item.item.size} octets"
    yield f"| {place} | **{name}** | {size} | | | {index} = 0..{item.count - 1}, by {item.by} | |"
    yield from _rows(item.item, place.within(item), f"{name}[{index}]", body)


def _field_row(item: Field, place: _Place, name: str, body: bytes) -> str:
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


def _bit_rows(item: Bits, place: _Place, name: str) -> Iterator[str]:
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
        "Printed from `firmware/tables` by `python -m osgp_tools.model --docs docs/tables`; the "
        "device serves the same definitions. Do not edit.",
        "",
        "| Table | Number | Title | Octets | Read | Write | Body |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| [{one.name}]({one.name}.md) | {one.number} | {one.title} | {one.size} "
        f"| {_LEVELS[one.read]} | {_LEVELS[one.write]} | {_KINDS[one.source.kind]} |"
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
        "## Where the facts come from",
        "",
        *_origins(ordered),
        "",
        "## Where this meter differs from the guides",
        "",
        *[f"- [{one.name}]({one.name}.md): {one.departs}" for one in ordered if one.departs],
    ]
    return "\n".join(lines) + "\n"


def _origins(ordered: list[Table]) -> Iterator[str]:
    """How many fields (a set of bits is one, an array's fields count once) are from where."""
    fields: Counter[str] = Counter()
    found: dict[str, set[str]] = {}
    for one in ordered:
        for item in definitions_of(one.record):
            title = origin(item.clause)
            fields[title] += 1
            found.setdefault(title, set()).add(one.name)
    yield f"{len(ordered)} tables, {sum(fields.values())} fields (an array's fields count once):"
    yield ""
    for _, title in _ORIGINS:
        if fields[title]:
            yield f"- {fields[title]} from {title}: {', '.join(sorted(found[title]))}"
