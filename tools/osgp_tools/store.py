"""What the concentrator must not lose or show: members, keys, and numbers that are used once.

An SQLite file of mode 0600 (`build/concentrator.db`); no key of it is ever shown.
"""

import os
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from osgp_tools.membership import Place, new_key
from osgp_tools.session import NUMBERS_USED

BLOCK = 256  # sequence numbers reserved on disk at a time, before the first of them is used
DOMAIN = b"OSG"  # the application domain of a new vault
SUBNET = 1
NODES = range(1, 127)  # 127 is the concentrator's own

_VAULT = """
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
"""


class StoreError(Exception):
    """The store cannot give what was asked of it."""


def open_database(path: Path, schema: str) -> sqlite3.Connection:
    """A database of this schema, made if there is none; readers do not block its writer.

    OSError: the file is none.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    base = sqlite3.connect(
        path, isolation_level=None
    )  # each statement is a transaction of its own
    base.row_factory = sqlite3.Row
    try:
        base.execute("PRAGMA journal_mode = WAL")
        base.executescript(schema)
    except sqlite3.DatabaseError as error:
        base.close()
        raise OSError(f"cannot use {path}: {error}") from error
    return base


@dataclass(frozen=True)
class Member:
    """A device that was commissioned. `key` is its OMAK and is not shown."""

    unique_id: bytes
    domain: bytes
    subnet: int
    node: int
    key: bytes = field(repr=False)


class Vault:
    """Members, their keys, and the numbers that may be used once."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(
            os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
        )  # the -wal and -shm files take its mode
        path.chmod(0o600)
        self._base = open_database(path, _VAULT)
        self._base.execute(
            "PRAGMA synchronous = FULL"
        )  # a reservation is on disk before it is used
        self._numbers: list[Numbers] = []
        if self._base.execute("SELECT 1 FROM network").fetchone() is None:
            self._base.execute("INSERT INTO network VALUES (?, ?, 0)", (DOMAIN, new_key()))

    def close(self) -> None:
        """Give back what was reserved and not used."""
        for numbers in self._numbers:
            numbers.release()
        self._base.close()

    def members(self) -> list[Member]:
        rows = self._base.execute("SELECT * FROM device ORDER BY subnet, node")
        return [self._member(row) for row in rows]

    def find(self, name: str) -> Member:
        """A member by unique id (12 hexadecimal digits) or subnet/node. Raises StoreError."""
        for member in self.members():
            if name.lower() in (member.unique_id.hex(), f"{member.subnet}/{member.node}"):
                return member
        raise StoreError(f"{name} is not a member of this concentrator's network")

    @staticmethod
    def _member(row: sqlite3.Row) -> Member:
        key = row["unicast_key"][:12]
        return Member(row["unique_id"], row["domain"], row["subnet"], row["node"], key)

    def new_place(self, unique_id: bytes) -> Place:
        """A place for a device: the one that it had, else the first free one; always a new key."""
        network = self._base.execute("SELECT * FROM network").fetchone()
        subnet, node = self._address(unique_id)
        return Place(
            domain=network["domain"],
            subnet=subnet,
            node=node,
            unicast_key=new_key(),
            broadcast_key=network["broadcast_key"],
            broadcast_base=network["broadcast"],
        )

    def _address(self, unique_id: bytes) -> tuple[int, int]:
        taken = set()
        for member in self.members():
            if member.unique_id == unique_id:
                return member.subnet, member.node
            taken.add(member.node)
        for node in NODES:
            if node not in taken:
                return SUBNET, node
        raise StoreError("the subnet is full")

    def admit(self, unique_id: bytes, place: Place) -> Member:
        """The device took its place: its key and its first number."""
        self._base.execute(
            "INSERT INTO device (unique_id, domain, subnet, node, mode, unicast_key, reserved)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (unique_id) DO UPDATE SET"
            " domain = excluded.domain, subnet = excluded.subnet, node = excluded.node,"
            " mode = excluded.mode, unicast_key = excluded.unicast_key,"
            " reserved = excluded.reserved",
            (
                unique_id,
                place.domain,
                place.subnet,
                place.node,
                place.mode,
                place.unicast_key,
                place.sequence,
            ),
        )
        return self.find(unique_id.hex())

    def numbers(self, unique_id: bytes) -> "Numbers":
        """The sequence numbers of a member. Ask once for each and keep it."""
        numbers = Numbers(self._base, unique_id)
        self._numbers.append(numbers)
        return numbers


class Numbers:
    """Sequence numbers of one device, each given out once, over crashes too.

    A block is on disk before the first of it is used. After a clean end the next number is the
    next one; after a crash it is the end of the block, and a device whose window of eight does not
    reach that far has to be commissioned again.
    """

    def __init__(self, base: sqlite3.Connection, unique_id: bytes):
        self._base = base
        self._id = unique_id
        row = base.execute("SELECT * FROM device WHERE unique_id = ?", (unique_id,)).fetchone()
        if row is None:
            raise StoreError(f"{unique_id.hex()} is not a member of this concentrator's network")
        self._key = row["unicast_key"]
        self._next = self._reserved = row["reserved"]
        self._psn = row["psn"]

    def take(self) -> int:
        if self._next >= self._reserved:
            self._reserve(self._next)
        self._next += 1
        return self._next - 1

    def raise_to(self, number: int) -> bool:
        if number < self._next:
            return False
        if number >= self._reserved:
            self._reserve(number)
        else:
            self._next = number
        return True

    def next_procedure(self) -> int:
        self._psn = self._psn + 1 if self._psn + 1 in NUMBERS_USED else NUMBERS_USED.start
        self._base.execute("UPDATE device SET psn = ? WHERE unique_id = ?", (self._psn, self._id))
        return self._psn

    def release(self) -> None:
        """A clean end: give back the rest of the block, unless another process went on."""
        self._base.execute(
            "UPDATE device SET reserved = ?"
            " WHERE unique_id = ? AND unicast_key = ? AND reserved = ?",
            (self._next, self._id, self._key, self._reserved),
        )

    def _reserve(self, first: int) -> None:
        """Go on at `first`, or above what another process has reserved; on disk at return."""
        self._base.execute("BEGIN IMMEDIATE")
        try:
            row = self._base.execute(
                "SELECT reserved FROM device WHERE unique_id = ? AND unicast_key = ?",
                (self._id, self._key),
            ).fetchone()
            if row is None:
                raise StoreError(f"{self._id.hex()} was commissioned again: its old key is void")
            first = max(first, row["reserved"])
            self._base.execute(
                "UPDATE device SET reserved = ? WHERE unique_id = ?", (first + BLOCK, self._id)
            )
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")
        self._next = first
        self._reserved = first + BLOCK
