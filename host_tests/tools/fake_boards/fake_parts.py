"""What the fake ports have in common: flash that behaves as flash, and notes of what was done.

Runs under MicroPython. A call that the real port would refuse raises ValueError here.
"""

SECTOR = 4096


class Reset(Exception):  # noqa: N818  not an error
    """machine.reset() was called."""


class Flash:
    """NOR flash: a program clears bits (FF leaves an octet as it is), an erase sets them."""

    def __init__(self, size: int, page: int = 1):
        """page: the port programs whole ones."""
        self.octets = bytearray(b"\xff" * size)
        self.page = page
        self.erased = []


class Device:
    """A part of a flash as a block device, of which we use the extended protocol only."""

    fails = 0  # what a port answers that returns its errors

    def __init__(self, flash: Flash, start: int, size: int):
        if start % SECTOR or size % SECTOR or size <= 0 or start + size > len(flash.octets):
            raise ValueError("flash from %x, %x octets" % (start, size))
        self._flash = flash
        self._start = start
        self._size = size
        self._extended = False

    def _place(self, block, offset, n):
        if not 0 <= offset < SECTOR or block * SECTOR + offset + n > self._size:
            raise ValueError("octets outside of the device")
        return self._start + block * SECTOR + offset

    def readblocks(self, block, buf, offset=None):
        if offset is None:
            raise ValueError("the simple protocol has blocks of another size on some ports")
        a = self._place(block, offset, len(buf))
        buf[:] = self._flash.octets[a : a + len(buf)]
        return self.fails

    def writeblocks(self, block, buf, offset=None):
        if offset is None:
            raise ValueError("the simple protocol erases")
        a = self._place(block, offset, len(buf))
        if a % self._flash.page or len(buf) % self._flash.page:
            raise ValueError("not whole pages")
        octets = self._flash.octets
        for k in range(len(buf)):
            if buf[k] != 0xFF and buf[k] & ~octets[a + k] & 0xFF:
                raise ValueError("a program sets no bits")
            octets[a + k] &= buf[k]
        return self.fails

    def ioctl(self, operation, argument):
        if operation == 1:
            self._extended = argument == 1
        elif operation == 4:
            return self._size // SECTOR
        elif operation == 5:
            return SECTOR
        elif operation == 6:
            if not self._extended:
                raise ValueError("erase before the extended protocol was asked for")
            a = self._place(argument, 0, SECTOR)
            self._flash.octets[a : a + SECTOR] = b"\xff" * SECTOR
            self._flash.erased.append(a)
            return self.fails
        return 0


class Rom(bytearray):
    """What vfs.rom_ioctl gives: octets where they lie, and a block device that changes them."""

    def readblocks(self, block, buf, offset=None):
        return self.device.readblocks(block, buf, offset)

    def writeblocks(self, block, buf, offset=None):
        return self.device.writeblocks(block, buf, offset)

    def ioctl(self, operation, argument):
        return self.device.ioctl(operation, argument)


def rom(size: int, page: int = 1) -> Rom:
    """page: as of Flash."""
    flash = Flash(0, page)
    flash.octets = Rom(b"\xff" * size)
    flash.octets.device = Device(flash, 0, size)
    return flash.octets


class Pin:
    IN = 0
    OUT = 1
    PULL_UP = 1
    known = ()
    low = ()  # pins that somebody connects to ground
    used = {}

    def __init__(self, name, mode=-1, pull=-1, value=None):
        if name not in self.known:
            raise ValueError("no pin %r" % name)
        self.name = name
        self.used[name] = (mode, pull, value)

    def value(self):
        mode, pull, _ = self.used[self.name]
        if mode != self.IN or pull != self.PULL_UP:
            raise ValueError("an input without a pull-up says nothing")
        return 0 if self.name in self.low else 1


class Memory:
    """machine.mem32, where only some addresses are to be touched."""

    def __init__(self, words):
        self.words = words

    def __getitem__(self, address):
        return self.words[address]

    def __setitem__(self, address, value):
        if address not in self.words:
            raise ValueError("address %x is not one of ours" % address)
        self.words[address] = value


class Watchdog:
    started = []

    def __init__(self, timeout):
        if not 1000 <= timeout <= 8388:
            raise ValueError("watchdog of %d ms" % timeout)
        self.fed = 0
        self.started.append(self)

    def feed(self):
        self.fed += 1


class Uart:
    """A UART that is fed by `incoming`; what it was made with stands in `made`."""

    made = []

    def _open(self, number, baud, options):
        if options.get("timeout") != 0 or options.get("timeout_char") != 0:
            raise ValueError("a read is to return what there is")
        self.incoming = b""
        self.sent = b""
        self.made.append((number, baud, options))

    def write(self, buf, n):
        self.sent += bytes(buf[:n])
        return n


def reset():
    raise Reset
