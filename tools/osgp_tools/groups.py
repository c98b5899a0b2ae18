"""The groups of one device (EP27): read, joined, left.

A group id is written as four hexadecimal digits. FF as one of its octets stands for all, in a
broadcast only; 0000 is none.
"""

from collections.abc import Sequence

from osgp_tools import procedures
from osgp_tools.model import field
from osgp_tools.session import Session

EP27, ET97 = 2048 + 27, 2048 + 97
REMOVE, ADD = 0, 1
_RELAYS, _EACH = 2, 5  # ids in ET97


def parse(text: str) -> int:
    """A group id. ValueError."""
    if len(text) != 4:
        raise ValueError(f"{text} is no group: four hexadecimal digits")
    return int(text, 16)


def parse_list(text: str) -> tuple[int, ...]:
    """Group ids with commas between."""
    return tuple(parse(one) for one in text.split(","))


def shown(groups: Sequence[int]) -> str:
    return " ".join(f"{group:04X}" for group in groups) or "no groups"


async def read(session: Session) -> list[int]:
    """The groups that a device belongs to, ascending."""
    places = [
        field(ET97, f"relays.{relay}.groups.{k}") for relay in range(_RELAYS) for k in range(_EACH)
    ]
    first, last = min(places), max(places)
    octets = await session.read(ET97, first[0], last[0] + last[1] - first[0])
    ids = [
        int.from_bytes(octets[at - first[0] : at - first[0] + size], "little")
        for at, size in places
    ]
    return sorted(one for one in ids if one)


async def change(session: Session, action: int, group: int) -> None:
    """ADD or REMOVE. Raises ProcedureError: an eleventh, or one that it is not in."""
    called = await procedures.call(session, EP27, bytes((action,)) + group.to_bytes(2, "little"))
    if not called.done:
        raise procedures.ProcedureError(f"{session.target}: {called}")
