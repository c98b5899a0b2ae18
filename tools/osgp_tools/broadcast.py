"""Telling many devices something at once (`profile.md` 21, 22).

One message under one number goes out once from the concentrator and once from each agent. Nobody
answers it. Then each member is asked for the response in ET28; one that has none is told once more
by itself, with the same octets, so that it cannot do it twice. Before that its B is raised above
the number: a copy that comes late, or is replayed, finds the number used up.

    00 | 40 081B count(2) ET27 | number(4) | digest or tag(8)      subnet and node 0

    ET27, type 3: groups | 40 0007 .. BT07, the procedure | 30 0008, which brings its result
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from osgp_tools import entropy, ltep, procedures
from osgp_tools.client import Client, NoAnswerError
from osgp_tools.exchange import Effort, Target, Way
from osgp_tools.model import field
from osgp_tools.rekey import session_of
from osgp_tools.session import (
    BROADCAST_NUMBERS,
    FULL_READ,
    FULL_WRITE,
    PROCEDURE_INITIATE,
    PROCEDURE_RESPONSE,
    Code,
    Result,
    Session,
    SessionError,
)
from osgp_tools.store import Broadcast, Member, Vault
from osgp_tools.suites import (
    BROADCAST,
    EVERYBODY,
    KEY_LENGTH,
    LEGACY,
    NUMBER,
    TABLE_ACCESS,
    TAG,
    nonce,
    subkey,
    suite,
)
from osgp_tools.transactions import (
    DENIED,
    GROUPS,
    REQUEST,
    RESPONSE_TABLE,
    RESPONSES,
    Transaction,
)

ET04 = 2048 + 4
HEAD = 3  # octets of BT07 in front of the parameters
LARGEST = 84  # octets of ET27: with number and tag it goes through an agent (`lon.md` 3)
REPEATS = 2
REPEAT_TIMER = 0.256  # s from one sending to the next
SETTLED = 2.0  # s after which devices have carried out what they took
POLLS, PAUSE = 5, 1.0  # looks at a device that took it and has not carried it out


class BroadcastError(SessionError):
    """Somebody did not do what he was told."""


class Fate(StrEnum):
    """What became of it in one device."""

    BY_BROADCAST = "done by broadcast"
    ONE_BY_ONE = "done, told by itself"
    OUTSIDE = "in none of the groups"
    REFUSED = "refused"
    IN_DOUBT = "not known: power went meanwhile, or its number was the last procedure's"
    SILENT = "no answer"

    @property
    def good(self) -> bool:
        return self in (Fate.BY_BROADCAST, Fate.ONE_BY_ONE, Fate.OUTSIDE)


@dataclass(frozen=True)
class Told:
    """One device's part."""

    member: Member
    fate: Fate
    detail: str = ""

    def __str__(self) -> str:
        member = self.member
        where = f"{member.unique_id.hex()} ({member.subnet}/{member.node})"
        return f"{where}: {self.fate}" + (f", {self.detail}" if self.detail else "")


@dataclass(frozen=True)
class Order:
    """What the members of `groups` are to do: a procedure, once. BPnn is nn, EPnn 2048 + nn."""

    groups: tuple[int, ...]
    procedure: int
    parameters: bytes = b""

    def __post_init__(self):
        if not self.groups or not all(0 < group <= 0xFFFF for group in self.groups):
            raise ValueError("one group at least, of 0001 to FFFF")
        size = len(self.request(0, bytes(HEAD)))
        if size > LARGEST:
            raise ValueError(f"{size} octets are too many: {LARGEST} is the most")

    def request(self, transaction: int, head: bytes) -> bytes:
        """ET27. `head`: procedure and procedure sequence number, as BT07 and BT08 have them."""
        bt07 = head + self.parameters
        call = bytes((FULL_WRITE,)) + PROCEDURE_INITIATE.to_bytes(2, "big")
        look = bytes((FULL_READ,)) + PROCEDURE_RESPONSE.to_bytes(2, "big")
        messages = (call + len(bt07).to_bytes(2, "big") + bt07, look)
        return Transaction(GROUPS, transaction, messages, self.groups).encode()


@dataclass(frozen=True)
class Sent:
    """An order as it is on the line: under its number, which is never used again."""

    order: Order
    number: int
    transaction: int
    silent_agents: tuple[Way, ...] = ()

    @property
    def head(self) -> bytes:
        psn = BROADCAST_NUMBERS[self.number % len(BROADCAST_NUMBERS)]
        return self.order.procedure.to_bytes(2, "little") + bytes((psn,))

    @property
    def request(self) -> bytes:
        """ET27."""
        return self.order.request(self.transaction, self.head)

    @property
    def command(self) -> bytes:
        return write_of(self.request)


def write_of(request: bytes) -> bytes:
    """The write of a request to groups into ET27."""
    head = bytes((FULL_WRITE,)) + REQUEST.to_bytes(2, "big")
    return head + len(request).to_bytes(2, "big") + request


def sealed(mode: int, key: bytes, number: int, command: bytes) -> bytes:
    """The APDU with a command to everybody, for those of a security mode."""
    key = key[: KEY_LENGTH[mode]]
    if mode == LEGACY:
        return suite(mode, key, EVERYBODY, 0, 0).seal(number, command).apdu
    ccm = AESCCM(subkey(key, b"ENCB", EVERYBODY), tag_length=TAG)
    counted = number.to_bytes(NUMBER, "big")
    associated = bytes((0, 0, TABLE_ACCESS))
    text = ccm.encrypt(nonce(BROADCAST, EVERYBODY, counted), command, associated)
    return bytes((TABLE_ACCESS,)) + text[:-TAG] + counted + text[-TAG:]


def agents(client: Client, members: Iterable[Member]) -> list[Way]:
    """The agents behind which members are, by the best ways: each once."""
    found = []
    for member in members:
        target = Target(member.domain, member.subnet, member.node)
        way = next(iter(client.routes.ways(target)), None)
        if way and way.hops and way not in found:
            found.append(way)
    return found


async def tell(
    client: Client,
    vault: Vault,
    order: Order,
    by: Sequence[Way] | None = None,
    repeats: int = REPEATS,
) -> Sent:
    """Send an order once, and once through each of the agents `by`; None: as `agents` finds them.

    Its number is on disk as used before the first octet leaves. Members of both security modes are
    told under the same number, each under its own suite.
    """
    members = vault.members()
    if not members:
        raise BroadcastError("there is nobody to tell: nobody is a member")
    transaction = 1 + int.from_bytes(entropy.octets(4), "big") % 0xFFFF
    used = vault.broadcast()
    sent = Sent(order, used.number, transaction)
    ways = agents(client, members) if by is None else by
    silent = await send(client, members, used, sent.command, ways, repeats)
    await asyncio.sleep(SETTLED)
    return replace(sent, silent_agents=silent)


async def send(
    client: Client,
    members: Iterable[Member],
    used: Broadcast,
    command: bytes,
    by: Sequence[Way],
    repeats: int,
) -> tuple[Way, ...]:
    """A command to everybody under one number, once for each security mode of the members.

    Returns the agents that did not answer.
    """
    silent = {}
    for domain, mode in sorted({(member.domain, member.mode) for member in members}):
        apdu = sealed(mode, used.of(mode), used.number, command)
        await client.broadcast(domain, apdu, repeats, REPEAT_TIMER)
        for way in by:
            if not await _through(client, domain, apdu, way, repeats):
                silent[way] = None
    return tuple(silent)


async def _through(client: Client, domain: bytes, apdu: bytes, way: Way, repeats: int) -> bool:
    """Whether the agent says that it has sent it."""
    effort = Effort(repeats, REPEAT_TIMER)
    try:
        await client.transact(Target(domain), apdu, effort, way=way, service=ltep.UNACKD_RPT)
    except NoAnswerError:
        return False
    return True


async def finish(
    client: Client, vault: Vault, sent: Sent, members: Sequence[Member] | None = None
) -> AsyncIterator[Told]:
    """What became of an order in each member. Those it did not reach are told by themselves."""
    for member in vault.members() if members is None else members:
        session = session_of(client, vault, member)
        try:
            yield Told(member, *await _finish(session, sent))
        except NoAnswerError:
            yield Told(member, Fate.SILENT)
        except SessionError as error:
            yield Told(member, Fate.REFUSED, str(error))


async def _finish(session: Session, sent: Sent) -> tuple[Fate, str]:
    response = await _look(session, sent)
    if response is None and await _base(session) > sent.number:
        for _ in range(POLLS):  # it was taken
            await asyncio.sleep(PAUSE)
            response = await _look(session, sent)
            if response:
                break
    if response:
        return _judge(response, sent, Fate.BY_BROADCAST)
    at, size = field(ET04, "broadcast_base")
    if await _base(session) <= sent.number:
        await session.write(ET04, (sent.number + 1).to_bytes(size, "little"), at)
    await session.write(REQUEST, sent.request, 0)
    response = await _look(session, sent)
    if response is None:
        raise BroadcastError("ET28 has no response to it")
    return _judge(response, sent, Fate.ONE_BY_ONE)


async def _look(session: Session, sent: Sent) -> Transaction | None:
    """The response to an order, if there is one."""
    count = len(Transaction(RESPONSES, 0, (bytes(1), bytes(3 + 16))).encode())
    response = Transaction.decode(await session.read(RESPONSE_TABLE, 0, count))
    return response if response and response.number == sent.transaction else None


async def _base(session: Session) -> int:
    """The device's B (ET04.82)."""
    return int.from_bytes(await session.read(ET04, *field(ET04, "broadcast_base")), "little")


def _judge(response: Transaction, sent: Sent, fate: Fate) -> tuple[Fate, str]:
    """What a response says; `fate`: if it was done."""
    if response.type == DENIED:
        return Fate.OUTSIDE, ""
    if response.type != RESPONSES or len(response.messages) != 2:
        return Fate.REFUSED, "the response is not whole"
    code = Code(response.messages[0][0])
    bt08 = response.messages[1][3:]
    if code == Code.OPERATION_NOT_POSSIBLE:
        return Fate.IN_DOUBT, ""
    if code != Code.OK or bt08[:3] != sent.head:
        return Fate.REFUSED, str(code)
    result = bt08[3]
    if result in (Result.DONE, Result.ACCEPTED):
        return fate, ""
    return Fate.REFUSED, procedures.result_text(sent.order.procedure, result)
