"""Flash files of the desk board: made blank, with code banks in them, and looked into."""

from pathlib import Path

from littlefs import LittleFS

SIZE = 0x200000
SECTOR = 0x1000
BANKS = (0x0A0000, 0x0D2000)  # A and B
BANK_SIZE = 0x32000
DOWNLOAD = 0x2F000  # of a bank: what a download notes there
RAW = 0x104000  # counters and logs: firmware/tables/store.py
FILES = 0x150000  # littlefs, to the end: firmware/settings.py
_PAGE = 256

MARK = b"OSGP by cable 1\0"  # ends the first sector of a bank: firmware/bank_choice.py
_MARK_AT = SECTOR - len(MARK)


def create(path: Path, banks: dict[int, bytes]) -> None:
    """Make a flash file, blank but for the banks given (0: A, 1: B), as put there by cable."""
    content = bytearray(b"\xff" * SIZE)
    for k, bank in banks.items():
        put_bank(content, k, bank)
    path.write_bytes(content)


def put_bank(content: bytearray, k: int, bank: bytes) -> None:
    """Erase bank k of a flash's content and write `bank` into it, as a cable does."""
    content[BANKS[k] : BANKS[k] + BANK_SIZE] = whole_bank(bank)


def whole_bank(image: bytes) -> bytes:
    """What a cable writes for an image, up to the end of the bank. The mark says that it needs no
    signature; no download can write it."""
    if len(image) > BANK_SIZE:
        raise ValueError(f"{len(image)} octets do not fit a bank of {BANK_SIZE}")
    marked = image[:_MARK_AT] + MARK + image[SECTOR:] if image else b""
    return marked.ljust(BANK_SIZE, b"\xff")


def files(path: Path) -> dict[str, bytes]:
    """What the file system of a flash file holds, by path. LittleFSError: it is damaged."""
    content = path.read_bytes()[FILES:]
    if content == b"\xff" * len(content):
        return {}
    system = LittleFS(
        block_size=SECTOR, block_count=len(content) // SECTOR, prog_size=_PAGE, mount=False
    )
    system.context.buffer[:] = content
    system.mount()
    found = {}
    for folder, _, names in system.walk("/"):
        for name in names:
            where = f"{folder.rstrip('/')}/{name}"
            with system.open(where, "rb") as file:
                found[where] = file.read()
    return found
