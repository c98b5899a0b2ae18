"""ET17: what a device says of its code banks and of a download (`profile.md` 24)."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from osgp_tools.model import field
from osgp_tools.session import READ_LIMIT, Session, SessionError

ET17 = 2048 + 17
_BITMAP, _BITMAP_OCTETS = field(ET17, "received")


class State(IntEnum):
    """What the bank that does not run is in; TRIAL: the one that runs is not confirmed."""

    NONE = 0
    ERASING = 1
    RECEIVING = 2
    COMPLETE = 3
    VERIFYING = 4
    VERIFIED = 5
    TRIAL = 6
    FAILED = 7


class Fault(IntEnum):
    """Why the last image was not taken, or did not stay."""

    NONE = 0
    NO_HEADER = 1
    OTHER_BOARD = 2
    OTHER_BYTECODE = 3
    LENGTH = 4
    DIGEST = 5
    UNSIGNED = 6
    SIGNATURE = 7
    COUNTER = 8
    FLASH = 9
    NO_KEY = 10
    TRIES = 11
    HOURS = 12
    DAMAGED = 13
    GIVEN_BACK = 14
    OTHER_IMAGE = 15
    CONFIRMED_DAMAGED = 16

    @property
    def text(self) -> str:
        return _FAULTS[self]

    @property
    def of_the_image(self) -> bool:
        """Sending the same octets again leads to the same."""
        return self in _OF_THE_IMAGE


_OF_THE_IMAGE = (
    Fault.NO_HEADER,
    Fault.OTHER_BOARD,
    Fault.OTHER_BYTECODE,
    Fault.LENGTH,
    Fault.UNSIGNED,
    Fault.SIGNATURE,
    Fault.COUNTER,
    Fault.NO_KEY,
)
_FAULTS = (
    "no fault",
    "there is no image in its bank",
    "the image is for another board",
    "the image's bytecode is not for its VM",
    "the image's length is wrong",
    "the image was damaged on its way, or in flash",
    "the image is not signed",
    "the signature is not good under its key",
    "the image's security counter is lower than the confirmed one",
    "its flash failed",
    "it has no key to check images with",
    "the trial's tries are used up, the old bank runs again",
    "the trial was not confirmed within 72 hours, the old bank runs again",
    "the trial's bank is damaged, the old bank runs again",
    "the trial was given back, the old bank runs again",
    "what is in its bank is another image",
    "the confirmed bank was damaged, the other one runs",
)


@dataclass(frozen=True)
class Status:
    """The fields of ET17 but for the bitmap. `version` and `security` are the running bank's."""

    state: State
    active: int  # bank: 0 A, 1 B
    length: int
    packets: int
    crc: int  # of the image in the other bank, 0 until that is complete
    version: int
    security: int
    fault: Fault

    @classmethod
    def decode(cls, octets: bytes) -> "Status":
        """ValueError: a state or a fault that nobody knows."""

        def number(name: str) -> int:
            at, size = field(ET17, name)
            return int.from_bytes(octets[at : at + size], "little")

        return cls(
            State(number("state")),
            number("active_bank"),
            number("image_length"),
            number("packets"),
            number("crc_32"),
            number("version"),
            number("security_counter"),
            Fault(number("last_error")),
        )

    @property
    def on_trial(self) -> bool:
        return self.state == State.TRIAL

    @property
    def other(self) -> int:
        return 1 - self.active

    @property
    def bank(self) -> str:
        return "AB"[self.active & 1]

    def __str__(self) -> str:
        text = f"bank {self.bank}, version {self.version}"
        if self.on_trial:
            return f"{text} on trial"
        if self.state == State.FAILED or self.fault:
            return f"{text}; {self.fault.text}"
        if self.state == State.NONE:
            return text
        return f"{text}; {self.state.name.lower()}, {self.packets} packets"


async def look(session: Session) -> Status:
    """A device's ET17, one read. SessionError: what came is not to be understood."""
    return (await ask(session, ()))[0]


async def ask(session: Session, among: Collection[int]) -> tuple[Status, set[int]]:
    """The same, and which of these packets the device does not have. Of the bitmap no more is
    read than tells it."""
    if among and max(among) >= 8 * _BITMAP_OCTETS:
        raise ValueError(f"ET17 has {8 * _BITMAP_OCTETS} packets")
    octets = bytearray(_BITMAP + _BITMAP_OCTETS)
    for first, count in spans(places(among)):
        octets[first : first + count] = await session.read(ET17, first, count)
    try:
        status = Status.decode(bytes(octets))
    except ValueError as error:
        raise SessionError(f"{session.target}: ET17 is {octets[:_BITMAP].hex()}") from error
    bitmap = octets[_BITMAP:]
    return status, {packet for packet in among if not bitmap[packet // 8] >> packet % 8 & 1}


def places(among: Iterable[int]) -> list[int]:
    """The octets of ET17 that tell of these packets, and those before the bitmap, ascending."""
    return sorted({*range(_BITMAP), *(_BITMAP + packet // 8 for packet in among)})


def spans(octets: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Ascending places as (first, count) of as few reads as the power line lets them take."""
    first = last = -1
    for octet in octets:
        if first >= 0 and octet - first >= READ_LIMIT:
            yield first, last - first + 1
            first = -1
        first, last = (octet if first < 0 else first), octet
    if first >= 0:
        yield first, last - first + 1
