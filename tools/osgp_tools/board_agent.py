"""A board whose REPL we hold: what it is, its files, and its restarts.

`boards/agent.py` does the work on the board; these are its calls.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from osgp_tools.flash import DOWNLOAD
from osgp_tools.repl import BoardError, Repl

SOURCE = Path(__file__).resolve().parents[2] / "boards" / "agent.py"
_PIECE = 1024  # octets a message to the board
_SLOW = 120  # s: digests over everything, on a slow board


@dataclass(frozen=True)
class Board:
    """What a board says about itself."""

    family: str  # NAME of its board.py; empty: it has none
    service: str  # why it does not run the device; empty: it would
    has_service: bool  # whether it can be told not to
    bank_size: int  # octets of a bank in flash; 0: it has none
    mpy: int  # sys.implementation._mpy
    unique_id: bytes  # empty: it has none


def pieces(content: bytes) -> Iterator[str]:
    """The arguments that bring an octet string to the board."""
    for at in range(0, len(content), _PIECE):
        yield repr(base64.b64encode(content[at : at + _PIECE]).decode())


class Agent:
    """The board behind a `Repl`. Every method raises BoardError."""

    def __init__(self, repl: Repl):
        self.repl = repl
        self.board = self._look()

    def _look(self) -> Board:
        self.repl.run(SOURCE.read_text())
        family, service, has_service, bank_size, mpy, unique_id = self.repl.ask("look()", _SLOW)
        return Board(family, service, has_service, bank_size, mpy, bytes.fromhex(unique_id))

    def into_service(self) -> None:
        """Restart into service mode, where there is one: the device does not run there.

        Else its watchdog, which an rp2 cannot stop, would bite in the midst of what we do.
        """
        if self.board.service or not self.board.has_service:
            return
        self.repl.leave("import board\nboard.reset_to_service()\n")
        self.repl.open_again()
        self.board = self._look()
        if not self.board.service:
            raise BoardError(f"{self.repl.where}: the board does not stay in service mode")

    def restart(self) -> None:
        """A hard reset, out of service mode too. The port is closed."""
        self.repl.leave(
            "try:\n import board\nexcept Exception:\n import machine as board\nboard.reset()\n"
        )

    # ---- files

    def content(self, path: str) -> bytes:
        """The octets of a file; none: there is none."""
        return bytes.fromhex(self.repl.ask(f"content({path!r})"))

    def digest(self, path: str) -> tuple[int, bytes] | None:
        """Length and SHA-256 of a file; None: there is none."""
        found = self.repl.ask(f"digest({path!r})", _SLOW)
        return found and (found[0], bytes.fromhex(found[1]))

    def listing(self, folder: str) -> dict[str, tuple[int, bytes]]:
        """Length and SHA-256 of all files below a folder, by path."""
        found = self.repl.ask(f"listing({folder!r})", _SLOW)
        return {path: (size, bytes.fromhex(digest)) for path, size, digest in found}

    def write(self, path: str, content: bytes) -> None:
        """A file, and the folders above it. Until all is written, littlefs shows the old."""
        self.repl.run(f"w = Writing({path!r})")
        for piece in pieces(content):
            self.repl.run(f"w.add({piece})")
        self.repl.run("w.end()")

    def copy(self, source: str, path: str) -> None:
        """A file again, without taking it over the wire."""
        self.repl.run(f"copy({source!r}, {path!r})")

    def rename(self, old: str, new: str) -> None:
        """Give a file the name of another, which it replaces."""
        self.repl.run(f"os.rename({old!r}, {new!r})")

    def remove(self, path: str) -> None:
        """Remove a file, if it is there, and folders that are then empty."""
        self.repl.run(f"remove({path!r})")

    # ---- banks in flash

    def bank(self, k: int) -> tuple[bytes, bool]:
        """The header of bank k, and whether the image is the one that it tells of."""
        header, whole = self.repl.ask(f"bank({k})", _SLOW)
        return bytes.fromhex(header), whole

    def selected(self) -> tuple[int, bool]:
        """The confirmed bank (-1: there is none yet), and whether the other is on trial."""
        found = self.repl.ask("selected()")
        if found is None:
            raise BoardError(
                f"{self.repl.where}: its VM is older than this firmware: `osgp flash` first"
            )
        return found

    def write_bank(self, k: int, content: bytes, sector: int) -> None:
        """Bank k: without its header it is none, so that goes first and comes last. Of what is
        left from a download nothing stays."""
        self.repl.run(f"f = flashing({k})\nf.erase({DOWNLOAD})\nf.erase(0)")
        starts = list(range(0, len(content), sector))
        for start in starts[1:] + starts[:1]:
            if start:
                self.repl.run(f"f.erase({start})")
            for number, piece in enumerate(pieces(content[start : start + sector])):
                self.repl.run(f"f.program({start + number * _PIECE}, octets({piece}))")
