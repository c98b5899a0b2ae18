"""What goes into a Pico's flash: VM, code banks, files; as one image, or as UF2 for its USB drive.

usage: python -m osgp_tools.pico_image build/rpi_pico [--version N]

Takes firmware.bin there (tools/build-firmware.sh) and leaves

    firmware.uf2  the VM alone: the device keeps its banks and its data
    bank.uf2      the application of this tree into bank A
    device.uf2    both: what a new device needs
    flash.bin     the whole chip as a new device has it, for the emulator

The map is `osgp_tools.flash`'s: the board was given the desk's.
"""

import argparse
import struct
import sys
from pathlib import Path

from littlefs import LittleFS

from osgp_tools import flash
from osgp_tools.image import ImageError, build_bank

FLASH_START = 0x10000000  # where the chip sees its flash
PAGE = 256  # payload of a UF2 block, and what flash programs at a time

# UF2 blocks (github.com/microsoft/uf2): header, payload, padding to 476 octets, end mark
_HEADER = struct.Struct("<8I")
_MAGICS = (0x0A324655, 0x9E5D5157)
_END = 0x0AB16F30
_FAMILY_GIVEN = 0x2000
_RP2040 = 0xE48BFF56
_DATA = 476

Part = tuple[int, bytes]  # address in flash, content


def uf2(parts: list[Part]) -> bytes:
    """A UF2 of these parts, each at the start of a sector. What lies between stays as it is.

    The boot ROM erases a sector when its first block comes, so a part is filled up to its last
    sector's end.
    """
    pages = []
    for address, content in parts:
        if address % flash.SECTOR:
            raise ValueError(f"{address:#x} is not the start of a sector")
        whole = content.ljust(-(-len(content) // flash.SECTOR) * flash.SECTOR, b"\xff")
        pages += [(address + at, whole[at : at + PAGE]) for at in range(0, len(whole), PAGE)]
    return b"".join(
        _HEADER.pack(
            *_MAGICS, _FAMILY_GIVEN, FLASH_START + address, PAGE, number, len(pages), _RP2040
        )
        + page.ljust(_DATA, b"\0")
        + _END.to_bytes(4, "little")
        for number, (address, page) in enumerate(pages)
    )


def parts(vm: bytes | None, banks: dict[int, bytes]) -> list[Part]:
    """Where VM and banks (0: A, 1: B) go. ImageError: the VM is too long for its place."""
    if vm is not None and len(vm) > flash.BANKS[0]:
        raise ImageError(f"a VM of {len(vm)} octets; there is room for {flash.BANKS[0]}")
    found = [] if vm is None else [(0, vm)]
    return found + [(flash.BANKS[k], flash.whole_bank(bank)) for k, bank in sorted(banks.items())]


def flash_image(
    vm: bytes, banks: dict[int, bytes], files: dict[str, bytes] | None = None
) -> bytes:
    """The whole chip. Raw region blank; the file system too, unless there are files for it."""
    content = bytearray(b"\xff" * flash.SIZE)
    for address, part in parts(vm, banks):
        content[address : address + len(part)] = part
    if files:
        content[flash.FILES :] = file_system(files)
    return bytes(content)


def file_system(files: dict[str, bytes]) -> bytes:
    """A littlefs with these files, by their paths from /, as _boot.py would have made it."""
    system = LittleFS(
        block_size=flash.SECTOR,
        block_count=(flash.SIZE - flash.FILES) // flash.SECTOR,
        prog_size=PAGE,
    )
    for path, content in files.items():
        system.makedirs(str(Path(path).parent), exist_ok=True)
        with system.open(path, "wb") as file:
            file.write(content)
    return bytes(system.context.buffer)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="UF2s and a flash image for a Raspberry Pi Pico")
    parser.add_argument("folder", type=Path, help="has firmware.bin, takes the rest")
    parser.add_argument("--version", type=int, default=1, help="of the bank")
    options = parser.parse_args()
    try:
        vm = (options.folder / "firmware.bin").read_bytes()
        banks = {0: build_bank(options.version)}
        made = {
            "firmware.uf2": uf2(parts(vm, {})),
            "bank.uf2": uf2(parts(None, banks)),
            "device.uf2": uf2(parts(vm, banks)),
            "flash.bin": flash_image(vm, banks),
        }
    except (ImageError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    for name, content in made.items():
        (options.folder / name).write_bytes(content)
    print(f"VM {len(vm)} octets of {flash.BANKS[0]}, bank {len(banks[0])} of {flash.BANK_SIZE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
