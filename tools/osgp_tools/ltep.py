"""Directed repeating (LTEP, APDU 4D) as its source sees it: a message along a path of repeaters.

    4D | header | address of each hop still to come | retries and timer between them
       | SICB | retries and timer of the agent | key delta | address of the target | target's APDU

The node to which the message is sent takes the first address off and sends the rest on. Without an
address it is the agent: it sends the target's APDU itself. Source: `lon.md` 3; `profile.md` 20.

    path = [Hop(5, 9), Hop(5, 12)]
    first, apdu = wrap(path, node(8, 13), request, schedule(len(path)))
    answer = unwrap(await client.request(Target(domain, first.subnet, first.node), apdu, ...))

Written apart from the firmware's `osgp/lon/repeater.py`, so that each can prove the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, sqrt

from osgp_tools.airtime import limit_seconds

REPEAT = 0x4D  # the message; also: the target was served, and there is no answer of its own
FAILED = 0x4C
MOST_HOPS = 15  # that follow the first; 16 in all (profile 20)
LARGEST = 160  # octets of an APDU that devices take (profile 20)
COMMON = 114  # octets that every OSGP device takes

ACKD, UNACKD_RPT, UNACKD, REQUEST = range(4)  # service between agent and target
NORMAL, ZERO_CROSS, ALTERNATE_KEY, ATTENUATED = range(4)  # how the agent sends
STANDARD_KEY, OMA_KEY = range(2)
_KEY_OCTETS = {STANDARD_KEY: 6, OMA_KEY: 12}

# address of the target, bits 7-5 of the SICB
GROUP_AND_SIZE, SUBNET_NODE, SUBNET_UNIQUE_ID, BROADCAST = range(4)
GROUP, NODE_OF_SOURCE, UNIQUE_ID, NODE_OF_OWN = range(4, 8)
TARGET_OCTETS = (2, 2, 7, 2, 1, 1, 6, 1)

# header
_BY_DESTINATION, _LONG_TIMER, _ALL_AGENTS, _BY_SOURCE, _COUNT = 0x80, 0x40, 0x20, 0x10, 0x0F
_BUSY = 0x80  # with the count of a failure

HEADERS = 19  # octets of an LPDU that are no APDU: two node addresses, a domain of 6, header, CRC
_MARGIN = 1.15  # of a timer over the round trip for which it waits
_LONGEST_TIMER = 15  # code; 3072 ms: what a lost frame costs on a long path
_MOST_RETRIES = 15
_LOSS = 0.2  # of frames, for which times are made


class RepeatingError(Exception):
    """The message came to nothing. `left`: how many hops were still to come for the repeater that
    heard nobody; `index`: its place in the path, if the path's length was given. `busy`: it was
    repeating for somebody else, and did not try (by profile 20)."""

    def __init__(self, octet: int, hops: int = 0):
        self.left = left = octet & _COUNT
        self.busy = bool(octet & _BUSY)
        self.index = hops - 1 - left if hops else None
        reached = "the target" if left == 0 else "the next repeater"
        what = "a repeater was busy" if self.busy else f"{reached} did not answer"
        super().__init__(f"with {left} hops to come, {what}")


@dataclass(frozen=True)
class Hop:
    """One repeater. In a message with a uniform subnet `subnet` is 0."""

    subnet: int
    node: int
    alt_path: bool = False  # reach it by the second carrier

    def __str__(self) -> str:
        return f"{self.subnet}/{self.node}{'*' if self.alt_path else ''}"


@dataclass(frozen=True)
class Timing:
    """Retries after the first try, and the timer code (0..31; 16 and above: the long timer)."""

    retries: int
    code: int

    @property
    def seconds(self) -> float:
        return timer_seconds(self.code)

    @property
    def window(self) -> float:
        """Seconds from the first try until the last has gone unanswered."""
        return (self.retries + 1) * self.seconds

    def octet(self) -> int:
        return self.retries << 4 | self.code & 0x0F


def timer_seconds(code: int) -> float:
    """16 ms, 24, 32, 48 ...: each second code doubles the time."""
    return ((2 + (code & 1)) << (code >> 1) + 3) / 1000


def timer_code(seconds: float) -> int:
    """The shortest timer that is not shorter."""
    return next(code for code in range(32) if timer_seconds(code) >= seconds or code == 31)


def last_wait(code: int, left: int) -> float:
    """Seconds that a repeater waits longer after its last try; `left`: hops that follow the one
    it sends to. So the failure of the last is heard before those before it give up."""
    if code >= 10:
        return 0.512 * left
    return 0.256 * left if code >= 8 else 0.256


AGENT_READS = Timing(3, 13)  # 4 x 1536 ms: within the target's receive timer (profile 18a)
AGENT_WRITES = Timing(2, 14)  # 3 x 2048 ms


@dataclass(frozen=True)
class Schedule:
    """How long everybody on a path tries. `source`: for whoever sends to the first hop."""

    source: Timing
    between: Timing | None
    agent: Timing
    patience: float  # s: the source's wait for the answer after its last try


def schedule(
    hops: int, octets: int = COMMON, agent: Timing = AGENT_READS, loss: float = _LOSS
) -> Schedule:
    """Times for a path of so many hops (the agent is one) and APDUs of so many octets, `loss` of
    whose frames are lost.

    A timer covers the round trip of what lies behind it, as far as that is not too long to wait
    for a lost frame: then it is shorter, and the repetitions that it causes are passed over by
    those who have the message already. There are enough retries for all that gets lost behind.
    """
    if not 1 <= hops <= MOST_HOPS + 1:
        raise ValueError(f"{hops} hops: 1 to {MOST_HOPS + 1}")
    hop = 2 * limit_seconds(octets + HEADERS)
    whole = hop * hops + max(hop, agent.seconds)  # from the source; the target's work included
    code = min(timer_code(_MARGIN * whole), _LONGEST_TIMER)
    timer = timer_seconds(code)
    lost = 2 * (hops + 1) * loss / (1 - loss)
    needed = hop * hops + agent.window + (lost + sqrt(lost)) * timer
    between = Timing(min(ceil(needed / timer) - 1, _MOST_RETRIES), code)
    return Schedule(between, between if hops > 1 else None, agent, timer + last_wait(code, hops))


@dataclass(frozen=True)
class Address:
    """Where the agent sends the target's APDU: SICB type and the octets of that type."""

    kind: int
    octets: bytes

    def __post_init__(self):
        if len(self.octets) != TARGET_OCTETS[self.kind]:
            raise ValueError(f"target type {self.kind} has {TARGET_OCTETS[self.kind]} octets")


def node(subnet: int, number: int) -> Address:
    return Address(SUBNET_NODE, bytes((subnet, number)))


def device(unique_id: bytes, subnet: int | None = None) -> Address:
    if subnet is None:
        return Address(UNIQUE_ID, unique_id)
    return Address(SUBNET_UNIQUE_ID, bytes((subnet,)) + unique_id)


def everybody(subnet: int = 0, backlog: int = 15) -> Address:
    return Address(BROADCAST, bytes((subnet, backlog)))


def group(number: int, size: int | None = None) -> Address:
    """`size` for a service that members acknowledge."""
    if size is None:
        return Address(GROUP, bytes((number,)))
    return Address(GROUP_AND_SIZE, bytes((number, size)))


@dataclass(frozen=True)
class Message:
    """One LTEP message, as the node to which it is sent reads it."""

    target: Address
    apdu: bytes
    agent: Timing = AGENT_READS
    hops: tuple[Hop, ...] = ()  # that follow that node
    between: Timing | None = None  # with hops only
    service: int = REQUEST
    mode: int = NORMAL
    alt_path: bool = False  # between agent and target
    key_delta: bytes = b""  # 6 or 12 octets, with ALTERNATE_KEY
    by_destination: bool = False  # every hop is in the subnet of the node before it
    by_source: bool = False  # every hop is in the subnet of who sent to the node before it
    all_agents: bool = False
    long_timer: bool = False

    def encode(self) -> bytes:
        """The APDU. Raises ValueError when devices could not take it."""
        out = bytearray((REPEAT, self._header()))
        uniform = self.by_destination or self.by_source
        for hop in self.hops:
            out += bytes((() if uniform else (hop.subnet,)))
            out.append(hop.alt_path << 7 | hop.node)
        if self.hops:
            if self.between is None:
                raise ValueError("hops, and no timing between them")
            out.append(self.between.octet())
        out.append(self.target.kind << 5 | self.alt_path << 4 | self.service << 2 | self.mode)
        out.append(self.agent.octet())
        out += self._key() + self.target.octets + self.apdu
        if len(out) > LARGEST:
            raise ValueError(f"{len(out)} octets: a device takes {LARGEST}")
        return bytes(out)

    def _header(self) -> int:
        if len(self.hops) > MOST_HOPS:
            raise ValueError(f"{len(self.hops)} further hops: {MOST_HOPS} at most")
        if self.agent.code > 15:
            raise ValueError("the long timer is for repeaters")
        long_timer = self.long_timer or (self.between is not None and self.between.code > 15)
        return (
            _BY_DESTINATION * self.by_destination
            | _LONG_TIMER * long_timer
            | _ALL_AGENTS * self.all_agents
            | _BY_SOURCE * self.by_source
            | len(self.hops)
        )

    def _key(self) -> bytes:
        if self.mode != ALTERNATE_KEY:
            return b""
        kind = {6: STANDARD_KEY, 12: OMA_KEY}.get(len(self.key_delta))
        if kind is None:
            raise ValueError("a key delta has 6 or 12 octets")
        return bytes((kind,)) + self.key_delta

    def passed_on(self) -> tuple[Hop, "Message"]:
        """What a repeater makes of it: the hop it sends to, and the message it sends."""
        rest = self.hops[1:]
        return self.hops[0], replace(self, hops=rest, between=self.between if rest else None)


def decode(apdu: bytes) -> Message:
    """A message out of its APDU. Raises ValueError."""
    try:
        return _decode(apdu)
    except IndexError:
        raise ValueError("cut short") from None


def _decode(apdu: bytes) -> Message:
    if apdu[0] != REPEAT:
        raise ValueError(f"code {apdu[0]:02X} is not {REPEAT:02X}")
    header, at = apdu[1], 2
    count, uniform = header & _COUNT, bool(header & (_BY_DESTINATION | _BY_SOURCE))
    hops = []
    for _ in range(count):
        subnet = 0 if uniform else apdu[at]
        at += not uniform
        hops.append(Hop(subnet, apdu[at] & 0x7F, bool(apdu[at] & 0x80)))
        at += 1
    between = None
    if count:
        between = _timing(apdu[at], bool(header & _LONG_TIMER))
        at += 1
    sicb, agent = apdu[at], _timing(apdu[at + 1])
    at += 2
    key = b""
    if sicb & 3 == ALTERNATE_KEY:
        key = _piece(apdu, at + 1, _KEY_OCTETS[OMA_KEY if apdu[at] & 3 == OMA_KEY else 0])
        at += 1 + len(key)
    octets = _piece(apdu, at, TARGET_OCTETS[sicb >> 5])
    return Message(
        Address(sicb >> 5, octets),
        apdu[at + len(octets) :],
        agent,
        tuple(hops),
        between,
        service=sicb >> 2 & 3,
        mode=sicb & 3,
        alt_path=bool(sicb & 0x10),
        key_delta=key,
        by_destination=bool(header & _BY_DESTINATION),
        by_source=bool(header & _BY_SOURCE),
        all_agents=bool(header & _ALL_AGENTS),
        long_timer=bool(header & _LONG_TIMER),
    )


def _timing(octet: int, long_timer: bool = False) -> Timing:
    return Timing(octet >> 4, octet & 0x0F | long_timer << 4)


def _piece(apdu: bytes, at: int, count: int) -> bytes:
    if at + count > len(apdu):
        raise IndexError
    return apdu[at : at + count]


def wrap(
    path: Sequence[Hop], target: Address, apdu: bytes, times: Schedule, **options
) -> tuple[Hop, bytes]:
    """The first hop, to which to send, and the APDU to send it.

    `path`: every repeater on the way, the agent last. `options`: as of Message (service, mode,
    alt_path, key_delta, all_agents). A path in one subnet is sent in the short form.
    """
    if not path:
        raise ValueError("a path has one hop at least: the agent")
    hops = tuple(path[1:])
    message = Message(
        target,
        apdu,
        times.agent,
        hops,
        times.between if hops else None,
        by_destination=bool(hops) and all(hop.subnet == path[0].subnet for hop in hops),
        **options,
    )
    return path[0], message.encode()


def room(path: Sequence[Hop], target: Address, limit: int = COMMON) -> int:
    """Octets that are left for the target's APDU in a message of `limit` octets."""
    return limit - len(wrap(path, target, b"", schedule(len(path)))[1])


def unwrap(answer: bytes, hops: int = 0) -> bytes:
    """The target's answer; empty when it was served without one. Raises RepeatingError, whose
    `index` needs the number of hops of the path."""
    if answer[:1] == bytes((FAILED,)) and len(answer) == 2:
        raise RepeatingError(answer[1], hops)
    return b"" if answer == bytes((REPEAT,)) else answer


def is_failure(answer: bytes) -> bool:
    return len(answer) == 2 and answer[0] == FAILED
