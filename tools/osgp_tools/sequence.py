"""The numbers that a key may use once, kept over crashes (`profile.md` 10)."""

import sqlite3

from osgp_tools.database import StoreError
from osgp_tools.session import NUMBERS_USED

# Sequence numbers reserved on disk at a time, before the first of them is used. A crash skips so
# many at most, and a device's window (expected .. expected + 7) reaches over them and a few lost.
BLOCK = 4
_LAST = 0xFFFFFFFF  # a number that no message carries


class Numbers:
    """Sequence numbers of one device, each given out once, over crashes too.

    A block is on disk before the first of it is used. After a clean end the next number is the
    next one, after a crash the end of the block. A device whose window does not reach that far,
    since messages were lost too, has to be commissioned again.
    """

    def __init__(self, base: sqlite3.Connection, unique_id: bytes):
        self._base = base
        self._id = unique_id
        row = base.execute("SELECT * FROM device WHERE unique_id = ?", (unique_id,)).fetchone()
        if row is None:
            raise StoreError(f"{unique_id.hex()} is not a member of this concentrator's network")
        self._admission = row["admissions"]
        self._next = self._reserved = row["reserved"]
        self._psn = row["psn"]

    def valid(self) -> bool:
        """The device was not commissioned again: a new key's numbers begin anew."""
        return self._row() is not None

    def take(self) -> int:
        if self._next >= self._reserved:
            self._reserve(self._next)
        if self._next >= _LAST:
            raise StoreError(f"the numbers of {self._id.hex()} are used up: commission it again")
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
            " WHERE unique_id = ? AND admissions = ? AND reserved = ?",
            (self._next, self._id, self._admission, self._reserved),
        )

    def _row(self) -> sqlite3.Row | None:
        return self._base.execute(
            "SELECT reserved FROM device WHERE unique_id = ? AND admissions = ?",
            (self._id, self._admission),
        ).fetchone()

    def _reserve(self, first: int) -> None:
        """Go on at `first`, or above what another process has reserved; on disk at return."""
        self._base.execute("BEGIN IMMEDIATE")
        try:
            row = self._row()
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
