"""Flash files of the desk board: made blank, with code banks in them, and looked into."""

from pathlib import Path

from littlefs import LittleFS

SIZE = 0x200000
SECTOR = 0x1000
BANKS = (0x0A0000, 0x0D2000)  # A and B
BANK_SIZE = 0x32000
RAW = 0x104000  # counters and logs: firmware/tables/store.py
FILES = 0x150000  # littlefs, to the end: firmware/settings.py
_PAGE = 256


def create(path: Path, banks: dict[int, bytes]) -> None:
    """Make a flash file, blank but for the banks given (0: A, 1: B)."""
    content = bytearray(b"\xff" * SIZE)
    for k, bank in banks.items():
        put_bank(content, k, bank)
    path.write_bytes(content)


def put_bank(content: bytearray, k: int, bank: bytes) -> None:
    """Erase bank k of a flash's content and write `bank` into it."""
    if len(bank) > BANK_SIZE:
        raise ValueError(f"{len(bank)} octets do not fit a bank of {BANK_SIZE}")
    content[BANKS[k] : BANKS[k] + BANK_SIZE] = bank.ljust(BANK_SIZE, b"\xff")


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
