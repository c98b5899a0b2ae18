"""What the concentrator has read, for everybody: an SQLite file (`build/readings.db`)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from osgp_tools.client import Exchange
from osgp_tools.database import open_database
from osgp_tools.store import Member

_READINGS = """
CREATE TABLE IF NOT EXISTS device (
    unique_id    TEXT PRIMARY KEY,
    subnet       INTEGER NOT NULL,
    node         INTEGER NOT NULL,
    manufacturer TEXT,
    model        TEXT,
    hardware     TEXT,
    firmware     TEXT,
    serial       TEXT,                      -- the meter's own (BT01)
    identity     TEXT,                      -- BT05
    utility      TEXT,                      -- the utility's number for it (ET03)
    read_at      TEXT NOT NULL              -- all times: UTC, ISO 8601
);
CREATE TABLE IF NOT EXISTS register (
    unique_id TEXT NOT NULL REFERENCES device,
    read_at   TEXT NOT NULL,
    tier      INTEGER NOT NULL,             -- -1: the total
    quantity  TEXT NOT NULL,
    value     INTEGER NOT NULL,
    unit      TEXT NOT NULL,
    PRIMARY KEY (unique_id, read_at, tier, quantity)
);
CREATE TABLE IF NOT EXISTS instantaneous (
    unique_id TEXT NOT NULL REFERENCES device,
    read_at   TEXT NOT NULL,
    quantity  TEXT NOT NULL,
    value     INTEGER NOT NULL,
    unit      TEXT NOT NULL,
    PRIMARY KEY (unique_id, read_at, quantity)
);
CREATE TABLE IF NOT EXISTS interval (
    unique_id   TEXT NOT NULL REFERENCES device,
    ends_at     TEXT NOT NULL,
    quantity    TEXT NOT NULL,
    register    INTEGER NOT NULL,           -- at the interval's end
    consumption INTEGER NOT NULL,           -- within the interval
    status      INTEGER NOT NULL,
    unit        TEXT NOT NULL,
    PRIMARY KEY (unique_id, ends_at, quantity)
);
CREATE TABLE IF NOT EXISTS exchange (
    at             TEXT NOT NULL,
    target         TEXT NOT NULL,
    sent           INTEGER NOT NULL,        -- tries
    seconds        REAL NOT NULL,
    request_octets INTEGER NOT NULL,        -- of the LPDU, with its CRC
    answer_octets  INTEGER NOT NULL         -- 0: no answer
);
"""


def iso(moment: datetime) -> str:
    """UTC to the second, as it stands in the readings."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Readings:
    """The file; each method keeps one kind of reading."""

    def __init__(self, path: Path):
        self._base = open_database(path, _READINGS)
        self._base.execute("PRAGMA synchronous = NORMAL")  # a crash loses readings, not the file

    def close(self) -> None:
        self._base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._base.close()

    def device(self, member: Member, read_at: datetime, identity: dict[str, str]) -> None:
        columns = (
            "manufacturer",
            "model",
            "hardware",
            "firmware",
            "serial",
            "identity",
            "utility",
        )
        self._base.execute(
            "INSERT OR REPLACE INTO device VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (member.unique_id.hex(), member.subnet, member.node)
            + tuple(identity[column] for column in columns)
            + (iso(read_at),),
        )

    def registers(
        self, unique_id: bytes, read_at: datetime, rows: Iterable[tuple[int, str, int, str]]
    ) -> None:
        """`rows`: tier (-1 total), quantity, value, unit."""
        self._base.executemany(
            "INSERT OR REPLACE INTO register VALUES (?, ?, ?, ?, ?, ?)",
            [(unique_id.hex(), iso(read_at), *row) for row in rows],
        )

    def instantaneous(
        self, unique_id: bytes, read_at: datetime, rows: Iterable[tuple[str, int, str]]
    ) -> None:
        """`rows`: quantity, value, unit."""
        self._base.executemany(
            "INSERT OR REPLACE INTO instantaneous VALUES (?, ?, ?, ?, ?)",
            [(unique_id.hex(), iso(read_at), *row) for row in rows],
        )

    def intervals(
        self, unique_id: bytes, rows: Iterable[tuple[datetime, str, int, int, int, str]]
    ) -> None:
        """`rows`: end, quantity, register, consumption, status, unit."""
        self._base.execute("BEGIN")  # a day at a time, or a row would be a transaction
        self._base.executemany(
            "INSERT OR REPLACE INTO interval VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(unique_id.hex(), iso(row[0]), *row[1:]) for row in rows],
        )
        self._base.execute("COMMIT")

    def exchange(self, exchange: Exchange) -> None:
        self._base.execute(
            "INSERT INTO exchange VALUES (?, ?, ?, ?, ?, ?)",
            (
                iso(datetime.fromtimestamp(exchange.ended, UTC)),
                str(exchange.target),
                exchange.sent,
                round(exchange.seconds, 4),
                exchange.request_octets,
                exchange.answer_octets,
            ),
        )
