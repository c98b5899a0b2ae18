"""What the concentrator must not lose or show: members, keys, and numbers that are used once.

An SQLite file of mode 0600 (`build/concentrator.db`); no key of it is ever shown.
"""

import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import hexdigits

from osgp_tools.database import StoreError, migrate, open_database
from osgp_tools.membership import Place, new_key
from osgp_tools.sequence import Numbers
from osgp_tools.suites import KEY_LENGTH, LEGACY, Suite, suite

DOMAIN = b"OSG"  # the application domain of a new vault
SUBNETS = range(1, 256)
NODES = range(1, 127)  # 127 is the concentrator's own

# What each version of the file adds to the one before.
_STEPS = (
    """
CREATE TABLE IF NOT EXISTS network (
    domain        BLOB NOT NULL,
    broadcast_key BLOB NOT NULL,
    broadcast     INTEGER NOT NULL          -- the next broadcast number
);
CREATE TABLE IF NOT EXISTS device (
    unique_id   BLOB PRIMARY KEY,
    domain      BLOB NOT NULL,
    subnet      INTEGER NOT NULL,
    node        INTEGER NOT NULL,
    mode        INTEGER NOT NULL,
    unicast_key BLOB NOT NULL,
    reserved    INTEGER NOT NULL,           -- the first sequence number that was never given out
    psn         INTEGER NOT NULL DEFAULT 0, -- the procedure sequence number last used
    UNIQUE (subnet, node)
);
""",
    """
ALTER TABLE network ADD COLUMN next_broadcast_key BLOB;          -- while it is being changed
ALTER TABLE network ADD COLUMN generation INTEGER NOT NULL DEFAULT 0; -- of the broadcast key
ALTER TABLE device ADD COLUMN next_key BLOB;                     -- while it is being changed
ALTER TABLE device ADD COLUMN admissions INTEGER NOT NULL DEFAULT 1;
ALTER TABLE device ADD COLUMN generation INTEGER NOT NULL DEFAULT 0; -- of its broadcast key
""",
)


@dataclass(frozen=True)
class Member:
    """A device that was commissioned. Its keys are 12 octets in mode 0, else 16, and not shown.

    `next_key`: one that EP20 may have brought it; None: its key is not being changed.
    """

    unique_id: bytes
    domain: bytes
    subnet: int
    node: int
    key: bytes = field(repr=False)
    mode: int = LEGACY
    next_key: bytes | None = field(default=None, repr=False)

    def suite(self, key: bytes) -> Suite:
        """What seals for the device under one of its keys."""
        return suite(self.mode, key, self.unique_id, self.subnet, self.node)


@dataclass(frozen=True)
class Broadcast:
    """Broadcast keys, which are not shown, and a number that they carry once.

    Each mode has a key of its own: what is found out about that of mode 0 tells nothing of the
    other.
    """

    key: bytes = field(repr=False)
    number: int

    def of(self, mode: int) -> bytes:
        """The 16 octets that the members of a security mode are given."""
        return _of(mode, self.key)


def _of(mode: int, key: bytes) -> bytes:
    return key[:16] if mode == LEGACY else key[16:]


class Vault:
    """Members, their keys, and the numbers that may be used once.

    One concentrator, one vault. A copy of the file brings back numbers that were used since: a
    vault that was lost or restored commissions its devices again (profile 10).
    """

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(
            os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
        )  # the -wal and -shm files take its mode
        path.chmod(0o600)
        self._base = open_database(path)
        self._base.execute(
            "PRAGMA synchronous = FULL"
        )  # a reservation is on disk before it is used
        migrate(self._base, _STEPS)
        self._numbers: dict[bytes, Numbers] = {}
        self._promised: dict[bytes, tuple[int, int]] = {}  # addresses of those not yet admitted
        if self._base.execute("SELECT 1 FROM network").fetchone() is None:
            self._base.execute(
                "INSERT INTO network (domain, broadcast_key, broadcast) VALUES (?, ?, 0)",
                (DOMAIN, new_key() + new_key()),
            )
        self._base.execute(  # a store that was made before there was a mode 2
            "UPDATE network SET broadcast_key = CAST(broadcast_key || ? AS BLOB)"
            " WHERE length(broadcast_key) = 16",
            (new_key(),),
        )

    def close(self) -> None:
        """Give back what was reserved and not used."""
        for numbers in self._numbers.values():
            numbers.release()
        self._base.close()

    # ---- members

    def members(self) -> list[Member]:
        rows = self._base.execute("SELECT * FROM device ORDER BY subnet, node")
        return [self._member(row) for row in rows]

    def member(self, unique_id: bytes) -> Member | None:
        row = self._row(unique_id)
        return self._member(row) if row else None

    def find(self, name: str) -> Member:
        """A member by unique id (12 hexadecimal digits) or subnet/node. Raises StoreError."""
        subnet, slash, node = name.partition("/")
        row = None
        if slash and subnet.isdecimal() and node.isdecimal():
            row = self._base.execute(
                "SELECT * FROM device WHERE subnet = ? AND node = ?", (int(subnet), int(node))
            ).fetchone()
        elif len(name) == 12 and all(digit in hexdigits for digit in name):
            row = self._row(bytes.fromhex(name))
        if row is None:
            raise StoreError(f"{name} is not a member of this concentrator's network")
        return self._member(row)

    def _row(self, unique_id: bytes) -> sqlite3.Row | None:
        return self._base.execute(
            "SELECT * FROM device WHERE unique_id = ?", (unique_id,)
        ).fetchone()

    @staticmethod
    def _member(row: sqlite3.Row) -> Member:
        size = KEY_LENGTH[row["mode"]]
        next_key = row["next_key"] and row["next_key"][:size]
        where = row["unique_id"], row["domain"], row["subnet"], row["node"]
        return Member(*where, row["unicast_key"][:size], row["mode"], next_key)

    def new_place(self, unique_id: bytes, mode: int = LEGACY) -> Place:
        """A place for a device: the one that it had, else the first free one; always a new key."""
        network = self._network()
        subnet, node = self._address(unique_id)
        return Place(
            domain=network["domain"],
            subnet=subnet,
            node=node,
            unicast_key=new_key(),
            broadcast_key=_of(mode, network["next_broadcast_key"] or network["broadcast_key"]),
            broadcast_base=network["broadcast"],
            mode=mode,
        )

    def _network(self) -> sqlite3.Row:
        return self._base.execute("SELECT * FROM network").fetchone()

    def _address(self, unique_id: bytes) -> tuple[int, int]:
        row = self._row(unique_id)
        if row:
            return row["subnet"], row["node"]
        if unique_id not in self._promised:
            self._promised[unique_id] = self._free_address()
        return self._promised[unique_id]

    def _free_address(self) -> tuple[int, int]:
        """The first that nobody has, a subnet after the other: each takes 126 devices."""
        taken = {(row[0], row[1]) for row in self._base.execute("SELECT subnet, node FROM device")}
        taken.update(self._promised.values())
        for subnet in SUBNETS:
            for node in NODES:
                if (subnet, node) not in taken:
                    return subnet, node
        raise StoreError("every subnet is full")

    def admit(self, unique_id: bytes, place: Place) -> Member:
        """The device took its place: its key and its first number."""
        network = self._network()
        newest = _of(place.mode, network["next_broadcast_key"] or b"")
        generation = network["generation"] + (place.broadcast_key == newest)
        self._base.execute(
            "INSERT INTO device"
            " (unique_id, domain, subnet, node, mode, unicast_key, reserved, generation)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (unique_id) DO UPDATE SET"
            " domain = excluded.domain, subnet = excluded.subnet, node = excluded.node,"
            " mode = excluded.mode, unicast_key = excluded.unicast_key, next_key = NULL,"
            " reserved = excluded.reserved, admissions = admissions + 1,"
            " generation = excluded.generation",
            (
                unique_id,
                place.domain,
                place.subnet,
                place.node,
                place.mode,
                place.unicast_key,
                place.sequence,
                generation,
            ),
        )
        self._promised.pop(unique_id, None)
        return self._known(unique_id)

    def _known(self, unique_id: bytes) -> Member:
        return self.find(unique_id.hex())

    def numbers(self, unique_id: bytes) -> "Numbers":
        """The sequence numbers of a member: the same object for as long as it is not admitted
        again."""
        numbers = self._numbers.get(unique_id)
        if numbers is None or not numbers.valid():
            numbers = self._numbers[unique_id] = Numbers(self._base, unique_id)
        return numbers

    # ---- key changes (profile 13)

    def offer_key(self, unique_id: bytes) -> Member:
        """A new unicast key for a member, on disk beside the old one; the one that is offered
        already, if there is one."""
        self._base.execute(
            "UPDATE device SET next_key = ? WHERE unique_id = ? AND next_key IS NULL",
            (new_key(), unique_id),
        )
        return self._known(unique_id)

    def take_key(self, member: Member) -> None:
        """The member has proved that it has its new key: the old one is void."""
        self._base.execute(
            "UPDATE device SET unicast_key = next_key, next_key = NULL"
            " WHERE unique_id = ? AND substr(next_key, 1, ?) = ?",
            (member.unique_id, len(member.next_key or b""), member.next_key),
        )

    def offer_broadcast_key(self) -> Broadcast:
        """A new broadcast key, on disk beside the old one, and the first number B under it.

        No other one is made while a member does not have the newest, or an offered one has not
        been taken: who has joined since has only that.
        """
        if not self.without_broadcast_key():
            keys = new_key() + new_key()
            self._base.execute(
                "UPDATE network SET next_broadcast_key = ? WHERE next_broadcast_key IS NULL",
                (keys,),
            )
        network = self._network()
        key = network["next_broadcast_key"] or network["broadcast_key"]
        return Broadcast(key, network["broadcast"])

    def without_broadcast_key(self) -> list[Member]:
        """The members that do not have the newest broadcast key."""
        network = self._network()
        newest = network["generation"] + (network["next_broadcast_key"] is not None)
        rows = self._base.execute(
            "SELECT * FROM device WHERE generation < ? ORDER BY subnet, node", (newest,)
        )
        return [self._member(row) for row in rows]

    def give_broadcast_key(self, unique_id: bytes) -> None:
        """The member has taken the newest broadcast key."""
        self._base.execute(
            "UPDATE device SET generation = (SELECT generation + (next_broadcast_key IS NOT NULL)"
            " FROM network) WHERE unique_id = ?",
            (unique_id,),
        )

    def take_broadcast_key(self) -> None:
        """Broadcasts go under the new key from here on."""
        self._base.execute(
            "UPDATE network SET broadcast_key = next_broadcast_key, next_broadcast_key = NULL,"
            " generation = generation + 1 WHERE next_broadcast_key IS NOT NULL"
        )

    def broadcast_keys(self, mode: int) -> list[bytes]:
        """Of a mode, the one in use, and the one that is offered: to look at what was said."""
        network = self._network()
        both = network["broadcast_key"], network["next_broadcast_key"]
        return [_of(mode, key) for key in both if key]

    def broadcast(self) -> Broadcast:
        """The broadcast key with its next number, which is on disk as used at return."""
        return self.broadcasts(1)[0]

    def broadcasts(self, count: int) -> list[Broadcast]:
        """The same for the next `count` numbers, by one write of the disk.

        A crash uses them up: they are fewer than a device's window of 16 has.
        """
        row = self._base.execute(
            "UPDATE network SET broadcast = broadcast + ? RETURNING broadcast_key, broadcast - ?",
            (count, count),
        ).fetchall()[0]
        return [Broadcast(row[0], row[1] + k) for k in range(count)]

    def give_back(self, unused: Sequence[Broadcast]) -> None:
        """The last of the numbers that were taken are free, unless somebody took more since."""
        if unused:
            self._base.execute(
                "UPDATE network SET broadcast = ? WHERE broadcast = ?",
                (unused[0].number, unused[-1].number + 1),
            )
