"""What a concentrator remembers of updates, in the database beside its members.

How far a device is says the device (ET17). It cannot say of which image the packets are that it
has; that is kept here, so that half of another image is begun anew.
"""

from dataclasses import dataclass
from pathlib import Path

from osgp_tools.database import open_database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS download (
    unique_id   BLOB PRIMARY KEY,
    image       BLOB NOT NULL,   -- fingerprint of the one whose packets the device was given
    trial_seen  REAL             -- s since 1970: when it was first seen to run it on trial
);
CREATE TABLE IF NOT EXISTS update_group (
    unique_id   BLOB PRIMARY KEY -- who joined the group of updates, and has not left it yet
);
"""


@dataclass(frozen=True)
class Begun:
    """What one device was given last."""

    image: bytes
    trial_seen: float | None


class Downloads:
    """By unique id. One file with the vault's, each change on disk at return."""

    def __init__(self, path: Path):
        self._base = open_database(path, _SCHEMA)

    def close(self) -> None:
        self._base.close()

    def of(self, unique_id: bytes) -> Begun | None:
        row = self._base.execute(
            "SELECT * FROM download WHERE unique_id = ?", (unique_id,)
        ).fetchone()
        return Begun(row["image"], row["trial_seen"]) if row else None

    def begin(self, unique_id: bytes, image: bytes) -> None:
        """Its bank is erased, and packets of this image are going to come."""
        self._base.execute(
            "INSERT OR REPLACE INTO download (unique_id, image) VALUES (?, ?)", (unique_id, image)
        )

    def forget(self, unique_id: bytes) -> None:
        """What its bank holds from here on, nobody knows."""
        self._base.execute("DELETE FROM download WHERE unique_id = ?", (unique_id,))

    def forget_others(self, image: bytes) -> None:
        """Packets of this image go to a group: they may get into downloads of another one."""
        self._base.execute("DELETE FROM download WHERE image <> ?", (image,))

    def saw_trial(self, unique_id: bytes, image: bytes, moment: float) -> float:
        """The device runs the image on trial. Returns since when that is known."""
        begun = self.of(unique_id)
        if begun and begun.image == image and begun.trial_seen is not None:
            return begun.trial_seen
        self._base.execute(
            "INSERT OR REPLACE INTO download VALUES (?, ?, ?)", (unique_id, image, moment)
        )
        return moment

    # ---- the group of updates

    def joined(self, unique_id: bytes) -> bool:
        row = self._base.execute("SELECT 1 FROM update_group WHERE unique_id = ?", (unique_id,))
        return row.fetchone() is not None

    def join(self, unique_id: bytes) -> None:
        self._base.execute("INSERT OR IGNORE INTO update_group VALUES (?)", (unique_id,))

    def leave(self, unique_id: bytes) -> None:
        self._base.execute("DELETE FROM update_group WHERE unique_id = ?", (unique_id,))
