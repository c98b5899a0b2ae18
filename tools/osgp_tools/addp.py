"""Discovery through devices that nobody has commissioned: codes 45 (out) and 4A (in), ADD/ATM.

By this project's profile, `profile.md` 19. Unacknowledged messages on the discovery domain. 45
goes by unique id to the repeater whose turn it is; where none is left, a search goes to everybody,
a question to the device that is asked. 4A goes by unique id to the repeater before, and at last
to the concentrator.

    45 | sub-code 1 | epoch 4 bits, copies 2, condition 2 | concentrator's id 6 | path 1 | nonce 2
       | search: hash mask 1, value 1, slots 1, slot length 1 (16 ms)
         ask: id of the device 6
       | ids of the path, 6 each
    4A | sub-code 1 | flags 1 | device's id 6 | path 1 | nonce 2 | concentrator's id 6
       | status 1, levels 1, phase 1 | subnet 1, node 1
       | program id 8, if the flags say so
       | ids of the path, 6 each

copies: how often each frame is sent again by whoever sends it; so also bits 5-4 of an answer's
flags. A repeater passes each message on once, so a lost frame costs no new query.

path = number of ids << 4 | place. Outwards place is how many have passed it on; inwards it is how
many have yet to. So no repeater needs to remember anything, and the length never changes. An id
that has passed an answer on is of no more use there: its repeater writes over it how it heard the
answer: status, levels, phase, and the last three octets of its id.

Written apart from the firmware's
`osgp/lon/discovery.py`, so that each can prove the other.
"""

from dataclasses import dataclass, replace

from osgp_tools.airtime import limit_seconds
from osgp_tools.link_budget import decibels
from osgp_tools.lpdu import APDU, BROADCAST, UNIQUE_ID, Frame

OUT, IN = 0x45, 0x4A
SEARCH, ASK = 1, 2
ALL, UNCOMMISSIONED, OUT_OF_COMMUNICATION = range(3)  # who answers a search
DOMAIN = b"OSGP\0\0"  # the discovery domain (profile 18)
LONGEST_PATH = 15  # repeaters; 16 hops with the one to the device
COMMON = 114  # octets of an APDU; the program id is left out where it does not fit
SLOT_UNIT = 0.016  # s
HEADERS = 22  # octets of an LPDU to a unique id on the discovery domain, CRC included

_COMMISSIONED, _COMMUNICATING, _PROGRAM = 0x01, 0x02, 0x04
_ID = 6


class DiscoveryFormatError(ValueError):
    """These octets are no discovery message."""


def mixed(unique_id: bytes, nonce: int) -> int:
    """16 bits that say when, and whether, a device answers a search.

    FNV-like over nonce and id, then one more step, so that every bit hangs on every octet: with a
    linear hash those that fall together once would do so each time.
    """
    h = 0x811C
    for octet in nonce.to_bytes(2, "big") + unique_id:
        h = (h ^ octet) * 0x0193 & 0xFFFF
        h ^= h >> 7
    h = h * 0x2D2B & 0xFFFF
    return h ^ h >> 8


@dataclass(frozen=True)
class Heard:
    """How a frame was heard, as a chip tells it (`link_budget.Signal`): status, |08 when it came
    on the second carrier; margin nibble << 4 | strength nibble; phase."""

    status: int = 0
    levels: int = 0  # 0, with a status of 0: the link measures nothing
    phase: int = 0

    @property
    def measured(self) -> bool:
        return bool(self.status or self.levels)

    @property
    def margin(self) -> int:
        """dB."""
        return decibels(self.levels)[0]

    @property
    def strength(self) -> int:
        """dB."""
        return decibels(self.levels)[1]


@dataclass(frozen=True)
class Query:
    """A 45. A search for whoever hears it, or (`device` given) a question to one device.

    `epoch` 1..15: a search passes over devices that were asked in this epoch; a question notes it.
    0: neither. `mask`, `value`: only devices whose hash and mask is value answer a search, each
    after one of `slots` slots of `slot_length` x 16 ms.
    """

    concentrator: bytes
    path: tuple[bytes, ...] = ()
    place: int = 0
    nonce: int = 0
    condition: int = ALL
    epoch: int = 0
    mask: int = 0
    value: int = 0
    slots: int = 1
    slot_length: int = 0
    device: bytes = b""
    copies: int = 0  # 0..3: how often every frame is sent again

    @property
    def sub_code(self) -> int:
        return ASK if self.device else SEARCH

    @property
    def addressee(self) -> bytes:
        """The unique id to which this goes now; empty: everybody."""
        return self.path[self.place] if self.place < len(self.path) else self.device

    @property
    def window(self) -> float:
        """Seconds in which devices begin to answer."""
        return self.slots * self.slot_length * SLOT_UNIT

    def encode(self) -> bytes:
        octet = self.epoch << 4 | self.copies << 2 | self.condition
        out = bytes((OUT, self.sub_code, octet)) + self.concentrator
        out += _path(self.path, self.place) + self.nonce.to_bytes(2, "big")
        out += self.device or bytes((self.mask, self.value, self.slots, self.slot_length))
        return out + b"".join(self.path)

    def frame(self, source: tuple[int, int] = (0, 0)) -> Frame:
        return _frame(self.addressee, source, self.encode())

    def passed_on(self) -> "Query":
        """What the repeater whose turn it is makes of it."""
        return replace(self, place=self.place + 1)

    def matches(self, unique_id: bytes) -> bool:
        """Is this device in the share that a search asks for?"""
        return mixed(unique_id, self.nonce) >> 8 & self.mask == self.value

    def slot(self, unique_id: bytes) -> int:
        return (mixed(unique_id, self.nonce) & 0xFF) * self.slots >> 8


@dataclass(frozen=True)
class Answer:
    """A 4A. `heard`: how the device heard the query. `path`: ids, or what repeaters wrote over
    them; `place`: how many have yet to pass it on."""

    device: bytes
    concentrator: bytes
    nonce: int
    heard: Heard = Heard()
    sub_code: int = SEARCH
    commissioned: bool = False
    communicating: bool = False
    subnet: int = 0
    node: int = 0
    program: bytes = b""  # 8 octets; empty: left out
    path: tuple[bytes, ...] = ()
    place: int = 0
    copies: int = 0

    @property
    def hops(self) -> int:
        return len(self.path) + 1

    @property
    def addressee(self) -> bytes:
        return self.path[self.place - 1] if self.place else self.concentrator

    @property
    def links(self) -> tuple[Heard, ...]:
        """How each repeater heard the answer from the one behind it, nearest first. Of an answer
        that has come all the way."""
        return tuple(Heard(*piece[:3]) for piece in self.path)

    def came_by(self, path: tuple[bytes, ...]) -> bool:
        """Did it come back along this path?"""
        return len(path) == len(self.path) and all(
            piece[3:] == unique_id[3:] for piece, unique_id in zip(self.path, path, strict=True)
        )

    def encode(self) -> bytes:
        flags = _COMMISSIONED * self.commissioned | _COMMUNICATING * self.communicating
        flags |= _PROGRAM * bool(self.program) | self.copies << 4
        out = bytes((IN, self.sub_code, flags)) + self.device
        out += _path(self.path, self.place) + self.nonce.to_bytes(2, "big") + self.concentrator
        out += bytes((self.heard.status, self.heard.levels, self.heard.phase))
        return out + bytes((self.subnet, self.node)) + self.program + b"".join(self.path)

    def frame(self) -> Frame:
        return _frame(self.addressee, (0, 0), self.encode())

    def passed_on(self, heard: Heard) -> "Answer":
        """What the repeater whose turn it is makes of it, who heard it so."""
        index = self.place - 1
        written = bytes((heard.status, heard.levels, heard.phase)) + self.path[index][3:]
        path = self.path[:index] + (written,) + self.path[index + 1 :]
        return replace(self, path=path, place=index)


def answer_to(query: Query, unique_id: bytes, heard: Heard, **known) -> Answer:
    """What a device answers. `known`: commissioned, communicating, subnet, node, program."""
    answer = Answer(
        unique_id,
        query.concentrator,
        query.nonce,
        heard,
        query.sub_code,
        path=query.path,
        place=len(query.path),
        copies=query.copies,
        **known,
    )
    return answer if len(answer.encode()) <= COMMON else replace(answer, program=b"")


def copies(hops: int, loss: float) -> int:
    """How often to send each frame again where so many of them are lost: what takes the fewest
    frames until a query has come there and its answer back."""

    def frames(again: int) -> float:
        arrives = (1 - min(loss, 0.99) ** (again + 1)) ** (2 * hops)
        return (again + 1) / arrives

    return min(range(4), key=frames)


def slot_length(hops: int, again: int = 0) -> int:
    """Units of a slot in which an answer, and its copies, get out of the way of the next: over two
    hops. 255 at most."""
    octets = HEADERS + min(31 + _ID * (hops - 1), COMMON)
    seconds = limit_seconds(octets) * min(hops, 2) + again * _copy_seconds(octets)
    return min(-int(-seconds // SLOT_UNIT), 0xFF)


def travel(query: Query) -> float:
    """Seconds that a query takes to get to the end of its path, and the last answer back."""
    hops = len(query.path) + 1
    octets = HEADERS + 31 + _ID * len(query.path)
    return 2 * hops * (limit_seconds(octets) + query.copies * _copy_seconds(octets))


def _copy_seconds(octets: int) -> float:
    """From the begin of a frame to that of its copy (devices wait 60 ms and 4 for each octet)."""
    return 0.06 + 0.004 * octets


def _path(path: tuple[bytes, ...], place: int) -> bytes:
    if len(path) > LONGEST_PATH:
        raise ValueError(f"{len(path)} repeaters: {LONGEST_PATH} at most")
    return bytes((len(path) << 4 | place,))


def _frame(addressee: bytes, source: tuple[int, int], body: bytes) -> Frame:
    address = UNIQUE_ID if addressee else BROADCAST
    return Frame(
        pdu=APDU, address=address, source=source, unique_id=addressee, domain=DOMAIN, body=body
    )


def decode_query(apdu: bytes) -> Query:
    """Raises DiscoveryFormatError."""
    head = 16 if apdu[1:2] == bytes((SEARCH,)) else 18
    path, place = _decode_path(apdu, OUT, head)
    common = Query(
        apdu[3:9],
        path,
        place,
        int.from_bytes(apdu[10:12], "big"),
        condition=apdu[2] & 3,
        epoch=apdu[2] >> 4,
        copies=apdu[2] >> 2 & 3,
    )
    if apdu[1] == ASK:
        return replace(common, device=apdu[12:18])
    mask, value, slots, length = apdu[12:16]
    return replace(common, mask=mask, value=value, slots=slots, slot_length=length)


def decode_answer(apdu: bytes) -> Answer:
    """Raises DiscoveryFormatError."""
    flags = apdu[2] if len(apdu) > 2 else 0
    head = 31 if flags & _PROGRAM else 23
    path, place = _decode_path(apdu, IN, head)
    return Answer(
        device=apdu[3:9],
        concentrator=apdu[12:18],
        nonce=int.from_bytes(apdu[10:12], "big"),
        heard=Heard(*apdu[18:21]),
        sub_code=apdu[1],
        commissioned=bool(flags & _COMMISSIONED),
        communicating=bool(flags & _COMMUNICATING),
        subnet=apdu[21],
        node=apdu[22],
        program=apdu[23:head],
        path=path,
        place=place,
        copies=flags >> 4 & 3,
    )


def _decode_path(apdu: bytes, code: int, head: int) -> tuple[tuple[bytes, ...], int]:
    if len(apdu) < head or apdu[0] != code or apdu[1] not in (SEARCH, ASK):
        raise DiscoveryFormatError("no discovery message")
    count, place = apdu[9] >> 4, apdu[9] & 0x0F
    if len(apdu) != head + _ID * count or place > count:
        raise DiscoveryFormatError(f"{len(apdu)} octets with a path of {count}, place {place}")
    return tuple(apdu[head + _ID * k : head + _ID * (k + 1)] for k in range(count)), place
