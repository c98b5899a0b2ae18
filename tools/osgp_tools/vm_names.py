"""The names of the application, for the VM to know beforehand: python -m osgp_tools.vm_names FILE

MicroPython keeps each name that a module uses once, on the heap and for good, some 20 octets each,
unless the VM has it in its own flash already. A bank uses well over a thousand. FILE becomes a
module that does nothing but name them all: frozen into the VM (boards/BOARD/manifest.py) it puts
them into flash. Nobody imports it. A later bank may use other names; those are on the heap then.
"""

import keyword
import sys
from pathlib import Path

from osgp_tools.image import FIRMWARE, compile_module, sources

_STATIC = 1  # of a name's length: it is one that every VM has


def names(mpy: bytes) -> set[str]:
    """The names in a compiled module.

    A .mpy is: M, version, flags, bits | number of names | number of objects | names {length and
    static flag, octets, 0} ...; numbers are in groups of seven bits, highest first.
    """
    at = 4

    def number() -> int:
        nonlocal at
        value = 0
        while True:
            octet = mpy[at]
            at += 1
            value = value << 7 | octet & 0x7F
            if octet < 0x80:
                return value

    count = number()
    number()
    found = set()
    for _ in range(count):
        length = number()
        if not length & _STATIC:
            found.add(mpy[at : at + (length >> 1)].decode())
            at += (length >> 1) + 1
    return found


def source_text(firmware: Path = FIRMWARE) -> str:
    """A module that uses each name of the firmware's modules once."""
    found: set[str] = set()
    for name in sources(firmware):
        found |= names(compile_module(firmware, name))
    plain = sorted(n for n in found if n.isidentifier() and not keyword.iskeyword(n))
    dotted = sorted(n for n in found if "." in n and all(p.isidentifier() for p in n.split(".")))
    lines = ['"""Names for the VM to have in flash: written by osgp_tools.vm_names."""', ""]
    lines += [f"import {name}" for name in dotted]
    return "\n".join([*lines, *plain, ""])


def main(arguments: list[str]) -> int:
    path = Path(arguments[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    text = source_text()
    if not path.exists() or path.read_text() != text:  # an unchanged file is not built again
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
