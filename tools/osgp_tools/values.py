"""Values of fields as text: what a command line takes and prints.

    integers        60, 0x3C                    text      as it is; \\x41 for what cannot be typed
    octets          hexadecimal                 BCD       digits
    dates and times 2026-01-31T12:00:00, 12:00:00, 2026-01-31; none: all octets are zero
    RDATE           month:3,offset:6,weekday:0,day:25; none
    sets            0,3,17; none                arrays    their values, with commas
    bits            a number, or each by its own name: flags.self_read=1

`parse(type, show(type, value)) == value` for every value.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tables import layout
from tables.datatypes import Bcd, Integer, Moment, Octets, Packed, Set, Text
from tables.schema import Array, Bit, Bits, Field, Record

CENTURY = 2000  # of the years in dates
_NONE = "none"
_DATE = re.compile(r"(\d{4})-(\d{1,3})-(\d{1,3})(?:[T ](\d{1,3}):(\d{1,3})(?::(\d{1,3}))?)?Z?")
_TIME = re.compile(r"(\d{1,3}):(\d{1,3}):(\d{1,3})")


@dataclass(frozen=True)
class Place:
    """What a path names in a record. `part`: one of the named bits of `item`."""

    path: str
    offset: int
    item: Any  # Field, Bits, Array or Record
    part: Bit | None = None

    @property
    def size(self) -> int:
        return self.item.size

    @property
    def whole(self) -> bool:
        """Does a value say all of its octets? Bits and arrays may be given in part."""
        return self.part is None and not isinstance(self.item, Array)

    @property
    def by_host(self) -> bool:
        """May a host set it? An array or a record: all that has a name in it."""
        if self.part:
            return self.part.by_host
        leaves = [one for path, _, one in layout.leaves(self.item) if one.name or not path]
        return bool(leaves) and all(one.by_host for one in leaves)


def find(record: Record, path: str) -> Place:
    """ValueError: there is nothing of this path."""
    item: Any = record
    offset = 0
    for name in path.split("."):
        step = _step(item, name)
        if step is None:
            raise ValueError(f"there is no {path}{_others(item)}")
        offset += step[0]
        if isinstance(step[1], Bit):
            return Place(path, offset, item, step[1])
        item = step[1]
    return Place(path, offset, item)


def _step(item: Any, name: str) -> tuple[int, Any] | None:
    """What has this name in `item`, and where."""
    if isinstance(item, Record):
        offset = 0
        for field in item.fields:
            if name and field.name == name:
                return offset, field
            offset += field.size
    elif isinstance(item, Array):
        if name.isdecimal() and int(name) < item.count:
            return int(name) * item.item.size, item.item
    elif isinstance(item, Bits):
        for part in item.parts:
            if name and part.name == name:
                return 0, part
    return None


def _others(item: Any) -> str:
    """What could have stood there instead, for a message."""
    if isinstance(item, Record):
        return ": " + ", ".join(field.name for field in item.fields if field.name)
    if isinstance(item, Array):
        return f": {item.name}.0 to {item.name}.{item.count - 1}"
    if isinstance(item, Bits):
        return ": " + ", ".join(f"{item.name}.{part.name}" for part in item.parts if part.name)
    return ""


def split(word: str) -> tuple[str, str]:
    """Name and value of name=value. ValueError."""
    name, equals, text = word.partition("=")
    if not (name and equals):
        raise ValueError(f"{word} is not name=value")
    return name, text


def put(place: Place, text: str, body: bytearray, start: int = 0) -> None:
    """Write the value into `body`, which is the record from `start` on. ValueError."""
    at = place.offset - start
    try:
        if place.part:
            value: Any = {place.part.name: int(text, 0)}
            now = place.item.read(body[at : at + place.size])
            layout.put(place.item, body, at, now | value)
        else:
            layout.put(place.item, body, at, _value(place.item, text))
    except ValueError as error:
        raise ValueError(f"{place.path}={text}: {error}") from None


def _value(item: Any, text: str) -> Any:
    if isinstance(item, Record):
        raise ValueError(f"it has parts{_others(item)}")
    if isinstance(item, Array):
        return [_value(item.item, one) for one in text.split(",") if one]
    if isinstance(item, Bits):
        packed = int(text, 0)
        if not 0 <= packed < 1 << 8 * item.size:
            raise ValueError(f"more than {8 * item.size} bits")
        return item.read(packed.to_bytes(item.size, "little"))
    return parse(item.type, text)


def shown(record: Record, body: bytes, start: int = 0) -> Iterator[str]:
    """A line `path = value unit` for each value that is wholly in `body`."""
    for path, place, field in layout.leaves(record):
        at = place - start
        if not path.rpartition(".")[2] or at < 0 or at + field.size > len(body):
            continue
        value = field.read(body[at : at + field.size])
        if isinstance(field, Bits):
            yield from (f"{path}.{name} = {bit}" for name, bit in value.items() if name)
        elif field.size:
            yield f"{path} = {show(field.type, value)} {field.unit}".rstrip()


def described(record: Record) -> str:
    """The names and types of a record's fields in one line: what must be given."""
    return ", ".join(_described(field) for field in record.fields if field.name) or "nothing"


def _described(field: Any) -> str:
    if isinstance(field, Bits):
        return ", ".join(f"{field.name}.{part.name}" for part in field.parts if part.name)
    if isinstance(field, Array):
        return f"{field.name} ({field.count} values)"
    return f"{field.name} ({field.type.name})" if isinstance(field, Field) else field.name


# ---- one value of a type


def show(kind: Any, value: Any) -> str:
    """The text of a value of a type of `tables.datatypes`."""
    if isinstance(kind, Octets):
        return value.hex()
    if isinstance(kind, Text):
        return value.encode("unicode_escape").decode("ascii")
    if isinstance(kind, Set):
        return ",".join(map(str, value)) or _NONE
    if isinstance(kind, Moment) and "year" not in kind.parts:
        return ":".join(f"{part:02}" for part in value)
    if isinstance(kind, Moment | Packed) and not any(value):
        return _NONE
    if isinstance(kind, Moment) or (isinstance(kind, Packed) and kind.parts[0][0] == "year"):
        return _show_date(value)
    if isinstance(kind, Packed):
        names = [name for name, _ in kind.layout(value[0])]
        return ",".join(f"{name}:{part}" for name, part in zip(names, value))
    return str(value)


def _show_date(value: Sequence[int]) -> str:
    year, month, day, *clock = value
    text = f"{CENTURY + year}-{month:02}-{day:02}"
    return text + ("T" + ":".join(f"{part:02}" for part in clock) if clock else "")


def parse(kind: Any, text: str) -> Any:
    """The value that the text is of. ValueError."""
    if isinstance(kind, Integer):
        return int(text, 0)
    if isinstance(kind, Octets):
        return bytes.fromhex(text)
    if isinstance(kind, Text):
        return text.encode("latin-1").decode("unicode_escape")
    if isinstance(kind, Bcd):
        return text.rjust(2 * kind.size, "0").upper()
    if isinstance(kind, Set):
        return _parse_set(kind, text)
    if isinstance(kind, Moment | Packed):
        return _parse_moment(kind, text)
    raise ValueError(f"no text for {kind.name}")


def _parse_set(kind: Set, text: str) -> tuple[int, ...]:
    numbers = () if text == _NONE else tuple(sorted({int(one) for one in text.split(",")}))
    if any(not 0 <= number < 8 * kind.size for number in numbers):
        raise ValueError(f"bits 0 to {8 * kind.size - 1}")
    return numbers


def _parse_moment(kind: Any, text: str) -> tuple[int, ...]:
    parts = [part if isinstance(part, str) else part[0] for part in kind.parts]
    if "year" not in parts and isinstance(kind, Moment):
        found = _TIME.fullmatch(text)
        wanted = "hh:mm:ss"
        numbers: Iterable[str | None] = found.groups() if found else ()
    elif text == _NONE:
        return kind.zero
    elif "year" in parts:
        found = _DATE.fullmatch(text)
        wanted = _show_date((26, 1, 31, 12, 0, 0)[: len(parts)]) + " or none"
        numbers = found.groups() if found else ()
    else:
        return _parse_parts(kind, text)
    values = tuple(int(number) for number in numbers if number is not None)
    if len(values) != len(parts):
        raise ValueError(f"it is {wanted}")
    if "year" in parts:
        values = (values[0] - CENTURY, *values[1:])
    return values


def _parse_parts(kind: Packed, text: str) -> tuple[int, ...]:
    """part:number,.. in the order of the parts."""
    given = [one.partition(":")[::2] for one in text.split(",")]
    values = tuple(int(number) if number.isdecimal() else -1 for _, number in given)
    names = [name for name, _ in kind.layout(values[0])]
    if [name for name, _ in given] != names or -1 in values:
        raise ValueError(f"it is {','.join(f'{name}:0' for name in names)} or none")
    return values
