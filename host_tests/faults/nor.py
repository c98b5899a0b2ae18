"""NOR flash that remembers each operation, so that one can be done again by half.

For the lives of powercut_life.py and device_life.py, under MicroPython.
"""

SECTOR = 4096
PAGE = 256
WAYS = ("before", "front", "back", "bits")  # in which power goes, see `Nor.do`


def blank(sectors):
    return b"\xff" * (sectors * SECTOR)


class Nor:
    """NOR flash: programs only hit erased octets, or littlefs or a ring has made a mistake."""

    def __init__(self, data):
        """data: what is in it, which is copied."""
        self.data = bytearray(data)
        self.operations = []  # (address, octets of a page programmed; None: a sector erased)

    def read(self, address, buf):
        buf[:] = self.data[address : address + len(buf)]

    def program(self, address, buf):
        n = len(buf)
        if self.data[address : address + n] != b"\xff" * n:
            raise AssertionError("programmed over %d" % address)
        self.data[address : address + n] = buf
        for place in range(0, n, PAGE):  # a chip programs page after page
            self.operations.append((address + place, bytes(buf[place : place + PAGE])))

    def erase(self, address):
        self.operations.append((address, None))
        self.data[address : address + SECTOR] = b"\xff" * SECTOR

    def do(self, operation, way):
        """Repeats a recorded operation, wholly (way None) or as far as power reached."""
        address, new = operation
        new = new or b"\xff" * SECTOR
        half = len(new) // 2
        end = address + len(new)
        if way is None:
            self.data[address:end] = new
        elif way == "front":
            self.data[address : address + half] = new[:half]
        elif way == "back":
            self.data[address + half : end] = new[half:]
        elif way == "bits":
            for i in range(len(new)):
                self.data[address + i] |= new[i] & 0x5A  # of an erase: some bits are back
                self.data[address + i] &= new[i] | 0xA5  # of a program: some bits are still set


class Raw:
    """Sectors of the flash as a ring wants them."""

    def __init__(self, nor, sector, unit):
        """sector: the first one. unit: the smallest number of octets that is programmed."""
        self.unit = unit
        self._nor = nor
        self._base = sector * SECTOR

    def read(self, address, buf):
        self._nor.read(self._base + address, buf)

    def program(self, address, buf):
        self._nor.program(self._base + address, buf)

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


def sweep(life, check, first, last):
    """Power goes in each of the operations first to last of `life.nor`, in each way there is, and
    `check(life, flash, k)` looks at what is left after operation k. Returns how many cuts."""
    cuts = 0
    flash = Nor(life.start)
    for k in range(min(last, len(life.nor.operations))):
        for way in WAYS if k >= first else ():
            after = Nor(flash.data)
            after.do(life.nor.operations[k], way)
            try:
                check(life, after, k)
            except Exception:
                print("power cut", way, "in operation", k)
                raise
            cuts += 1
        flash.do(life.nor.operations[k], None)
    return cuts
