"""The key that signs images, and the numbers of its one-time keys, each of which is used once.

An LMS key (RFC 8554) is a tree of one-time keys: who sees two signatures by the same one can forge
a third. The number of the next one stands in the file of the key, and once more in a record of it
in the user's state directory. Under a lock both are raised and brought to the disk, the file
first, before a signature is made. So a kill loses a number at most, and a file with a number below
the record's is an older copy, which is refused. The record tells nothing secret.

What cannot be told: an older copy of the file and of the record, both brought back. Such a backup
is good only while nothing has been signed since. NIST SP 800-208 asks for a hardware module for
this reason; this is none.
"""

import fcntl
import json
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyhsslms import pyhsslms as lms

from osgp_tools import entropy
from osgp_tools.image import SIGNATURE
from osgp_tools.image_check import CheckError, check, signed_with, verify

# By the height of the tree. 20 would be known to devices; the library makes its 2 ** 20 one-time
# keys, and for each signature once more, in hours.
KINDS = {5: lms.lms_sha256_m32_h5, 10: lms.lms_sha256_m32_h10, 15: lms.lms_sha256_m32_h15}
_HEIGHTS = {kind: height for height, kind in KINDS.items()}
_OTS = lms.lmots_sha256_n32_w4

# As pyhsslms keeps a key of one level: levels, mark, length; LMS and LM-OTS type, seed, I, number.
_FILE = struct.Struct(">I4sI4s4s32s16sI")
_LEVELS = 1
_MARK = b"\x11" * 4
_LENGTH = _FILE.size - 12


class SigningError(Exception):
    """The key is not there, is used up, or must not be used."""


@dataclass(frozen=True)
class Key:
    """The private key, which is not shown, and the number of its next one-time key."""

    height: int
    identifier: bytes  # I
    number: int
    seed: bytes = field(repr=False)

    def encode(self) -> bytes:
        return _FILE.pack(
            _LEVELS,
            _MARK,
            _LENGTH,
            KINDS[self.height],
            _OTS,
            self.seed,
            self.identifier,
            self.number,
        )

    @classmethod
    def read(cls, path: Path) -> "Key":
        """Raises SigningError, OSError."""
        content = path.read_bytes()
        if len(content) != _FILE.size:
            raise SigningError(f"{path} is no signing key")
        levels, mark, length, kind, ots, seed, identifier, number = _FILE.unpack(content)
        known = (levels, mark, length, ots) == (_LEVELS, _MARK, _LENGTH, _OTS)
        if not known or kind not in _HEIGHTS:
            raise SigningError(f"{path} is no signing key")
        return cls(_HEIGHTS[kind], identifier, number, seed)

    def tree(self) -> lms.HssPrivateKey:
        """Makes all one-time keys; at a height of 10 that takes 2 s."""
        root = lms.LmsPrivateKey(KINDS[self.height], _OTS, self.seed, self.identifier, self.number)
        return lms.HssPrivateKey(_LEVELS, KINDS[self.height], _OTS, prvs=[root])


def make(path: Path, height: int = 10) -> bytes:
    """A new key: its file, the public key beside it (.pub), the record. Returns the public key.

    Raises SigningError: there is one already; a key is never overwritten.
    """
    path = path.resolve()
    for file in (path, path.with_suffix(".pub")):
        if file.exists():
            raise SigningError(f"{file} is there already; keys are not overwritten")
    key = Key(height, entropy.octets(lms.LenI), 0, entropy.octets(32))
    public = key.tree().publicKey().serialize()
    path.parent.mkdir(parents=True, exist_ok=True)
    with _record(key.identifier) as record:
        record.write(0, public)
    _create(path.with_suffix(".pub"), public, 0o644)
    _create(path, key.encode(), 0o600)
    return public


def sign(image: bytes, path: Path) -> bytes:
    """The image, signed; as it is, if the key has signed it before. Uses up a one-time key.

    Raises CheckError: it is no whole image. SigningError, OSError: nothing was signed.
    """
    check(image)
    path = path.resolve()
    key = Key.read(path)
    with _record(key.identifier) as record:
        public = record.public()
    if _is_good(image, public):
        return image
    tree = _reserve(path, key).tree()
    if tree.publicKey().serialize() != public:
        raise SigningError(f"{path} is damaged: it does not give its public key")
    signed = signed_with(image, tree.sign(image[:SIGNATURE]))
    verify(signed, public)
    return signed


def _is_good(image: bytes, public: bytes) -> bool:
    try:
        verify(image, public)
    except CheckError:
        return False
    return True


def _reserve(path: Path, known: Key) -> Key:
    """The key with a number that nobody else gets. On return that is so on the disk."""
    with _record(known.identifier) as record:
        key = Key.read(path)
        if key.identifier != known.identifier:
            raise SigningError(f"{path} has become another key")
        used = record.next()
        if key.number < used:
            raise SigningError(
                f"{path} is an older copy: its next one-time key is number {key.number}, and "
                f"{used - 1} has been used. A signature by it would give the key away"
            )
        if key.number >= 1 << key.height:
            raise SigningError(f"{path} is used up: it has signed {key.number} times")
        _replace(path, replace(key, number=key.number + 1).encode())
        record.write(key.number + 1, record.public())
    return key


class _Record:
    """What the user's state directory knows of a key: {"next": number, "public": hexadecimal}."""

    def __init__(self, path: Path):
        self.path = path

    def next(self) -> int:
        return self._read()[0]

    def public(self) -> bytes:
        return self._read()[1]

    def _read(self) -> tuple[int, bytes]:
        try:
            content = json.loads(self.path.read_bytes())
            number, public = int(content["next"]), bytes.fromhex(content["public"])
        except FileNotFoundError:
            raise SigningError(
                f"there is no record of this key here: if it has moved, {self.path} has to come "
                "along, and to be left nowhere else"
            ) from None
        except (ValueError, TypeError, KeyError):
            raise SigningError(f"{self.path} is damaged") from None
        return number, public

    def write(self, number: int, public: bytes) -> None:
        _replace(self.path, json.dumps({"next": number, "public": public.hex()}).encode())


@contextmanager
def _record(identifier: bytes) -> Iterator[_Record]:
    """The record of a key. Nobody else has it meanwhile, by another copy of the key either."""
    folder = records()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / f"{identifier.hex()}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield _Record(folder / f"{identifier.hex()}.json")
    finally:
        os.close(lock)


def records() -> Path:
    """The folder of the records, by the XDG base directory specification."""
    base = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not base.is_absolute():
        base = Path.home() / ".local" / "state"
    return base / "osgp" / "signing"


def _create(path: Path, content: bytes, mode: int) -> None:
    """A new file, on the disk on return. FileExistsError."""
    _write(path, content, os.O_EXCL, mode)
    _sync_folder(path.parent)


def _replace(path: Path, content: bytes) -> None:
    """Another content, at once or not at all, mode 0600; on the disk on return."""
    beside = path.with_name(path.name + ".new")
    _write(beside, content, os.O_TRUNC, 0o600)
    os.rename(beside, path)
    _sync_folder(path.parent)


def _write(path: Path, content: bytes, how: int, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | how, mode)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
