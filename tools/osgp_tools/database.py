"""SQLite files that outlive the program that made them: opened, and brought up to date."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path


class StoreError(Exception):
    """The store cannot give what was asked of it."""


def open_database(path: Path, schema: str = "") -> sqlite3.Connection:
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


def migrate(base: sqlite3.Connection, steps: Sequence[str]) -> None:
    """Bring a file up to the newest schema. OSError: it is newer than this program.

    `steps`: what each version adds to the one before; `user_version` says which the file has.
    """
    for version, step in enumerate(steps):
        base.execute("BEGIN IMMEDIATE")
        if _version(base) == version:  # another process may have been faster
            for statement in step.split(";"):
                base.execute(statement)
            base.execute(f"PRAGMA user_version = {version + 1}")
        base.execute("COMMIT")
    if _version(base) > len(steps):
        raise OSError(f"a store of version {_version(base)}; this program knows {len(steps)}")


def _version(base: sqlite3.Connection) -> int:
    return base.execute("PRAGMA user_version").fetchone()[0]
