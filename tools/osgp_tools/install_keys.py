"""Installation keys that we gave to boards: lines `NAME,KEY` in hexadecimal, only ever added to.

NAME is the transceiver's unique id once it is known (6 octets: what `InstallationKeys` looks for),
before that the board's own number. Of several lines with one name the last one holds.
"""

import csv
import os
import secrets
from pathlib import Path

LENGTH = 16  # octets of a key


class KeyFile:
    """The file at `path`, made when the first key comes. Nobody but its owner may read it."""

    def __init__(self, path: Path):
        self._path = path

    def of(self, name: bytes) -> bytes | None:
        """The key of a board or transceiver. ValueError: the file is not what it should be."""
        found = None
        if self._path.exists():
            with self._path.open(newline="") as file:
                for row in csv.reader(file):
                    if len(row) != 2:
                        raise ValueError(f"{self._path}: not NAME,KEY: {','.join(row)[:12]}")
                    if bytes.fromhex(row[0]) == name:
                        found = bytes.fromhex(row[1])
        return found

    def add(self, name: bytes, key: bytes) -> None:
        """Keep a key, unless it is there already. Returns when it is on the disk."""
        if self.of(name) == key:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{name.hex()},{key.hex()}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def new_key() -> bytes:
    """16 octets of the operating system's random source (`secrets`)."""
    return secrets.token_bytes(LENGTH)
