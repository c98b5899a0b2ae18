"""NOR flash that remembers each operation, so that one can be done again by half.

For the lives in this folder, under MicroPython.
"""

SECTOR = 4096
PAGE = 256
WAYS = ("before", "front", "back", "bits")  # in which power goes, see `Nor.do`


def blank(sectors):
    return b"\xff" * (sectors * SECTOR)


class Nor:
    """NOR flash: a program clears bits and sets none, an erase sets those of a sector."""

    def __init__(self, data):
        """data: what is in it, which is copied."""
        self.data = bytearray(data)
        self.operations = []  # (address, octets of a page programmed; None: a sector erased)

    def read(self, address, buf):
        buf[:] = self.data[address : address + len(buf)]

    def program(self, address, buf, again=False):
        """again: whether what is not erased may be hit. littlefs and a ring that do so have made
        a mistake."""
        n = len(buf)
        if not again and self.data[address : address + n] != b"\xff" * n:
            raise AssertionError("programmed over %d" % address)
        self._clear(address, buf)
        for place in range(0, n, PAGE):  # a chip programs page after page
            self.operations.append((address + place, bytes(buf[place : place + PAGE])))

    def erase(self, address):
        self.operations.append((address, None))
        self.data[address : address + SECTOR] = b"\xff" * SECTOR

    def do(self, operation, way):
        """Repeats a recorded operation, wholly (way None) or as far as power reached."""
        address, new = operation
        first, end = 0, SECTOR if new is None else len(new)
        if way == "before":
            return
        if way == "front":
            end //= 2
        elif way == "back":
            first = end // 2
        if new is not None:
            buf = new[first:end]
            if way == "bits":
                buf = bytes([octet | 0xA5 for octet in buf])  # some bits are still set
            self._clear(address + first, buf)
        elif way == "bits":
            for place in range(address, address + end):
                self.data[place] |= 0x5A  # some bits are back
        else:
            self.data[address + first : address + end] = b"\xff" * (end - first)

    def _clear(self, address, buf):
        data = self.data
        n = len(buf)
        if data[address : address + n] == b"\xff" * n:
            data[address : address + n] = buf
            return
        for k in range(n):
            data[address + k] &= buf[k]


class Raw:
    """Sectors of the flash as a board gives them."""

    def __init__(self, nor, sector, unit, again=()):
        """sector: the first one. unit: the smallest number of octets that is programmed. again:
        those of these sectors, counted from the first, of which octets may be programmed again."""
        self.unit = unit
        self._nor = nor
        self._base = sector * SECTOR
        self._again = again

    def read(self, address, buf):
        self._nor.read(self._base + address, buf)

    def program(self, address, buf):
        self._nor.program(self._base + address, buf, address // SECTOR in self._again)

    def erase(self, address):
        self._nor.erase(self._base + address)


class Blocks:
    """Sectors of the flash as littlefs wants them."""

    def __init__(self, nor, sector, count):
        self._nor = nor
        self._base = sector * SECTOR
        self._count = count

    def readblocks(self, block, buf, offset=0):
        self._nor.read(self._base + block * SECTOR + offset, buf)

    def writeblocks(self, block, buf, offset=0):
        self._nor.program(self._base + block * SECTOR + offset, buf)

    def ioctl(self, operation, block):
        if operation == 4:
            return self._count
        if operation == 5:
            return SECTOR
        if operation == 6:
            self._nor.erase(self._base + block * SECTOR)
        return 0


def sweep(life, check, chosen):
    """Power goes in each of the chosen operations of `life.nor`, in each way there is, and
    `check(life, flash, k)` looks at what is left after operation k. Returns how many cuts."""
    cuts = 0
    flash = Nor(life.start)
    after = Nor(life.start)
    for k, operation in enumerate(life.nor.operations):
        for way in WAYS if k in chosen else ():
            after.data[:] = flash.data
            after.operations = []
            after.do(operation, way)
            try:
                check(life, after, k)
            except Exception:
                show("power cut", way, "in operation", k)
                raise
            cuts += 1
        flash.do(operation, None)
    return cuts


show = print  # a life may have what the device prints say nothing
