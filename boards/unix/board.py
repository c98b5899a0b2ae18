"""The desk board: a flash file, a UART that our parent opened or a UDP socket, the kernel's clock
and random.

What each name is for stands in board.md; boot.py asks for all of them.
"""

import io
import os
import socket
import time

import cryptolib
from micropython import const

_SECTOR = const(4096)
_ERASED = b"\xff" * 64
_BANK_SIZE = const(0x32000)
_BANKS = const((0x0A0000, 0x0D2000))
_RAW = const(0x104000)  # counters and logs
_TICKS = const(0x3FFFFFFF)
_GET_FILENO = const(10)  # what select.poll asks a stream for
_ECB = const(1)
_MOST = const(4096)
_RESET = const(75)  # exit status: start me again

NAME = "unix"
INSECURE = True  # installation keys follow from public text
OPEN_NM = False  # network management by anybody, for tests with foreign stacks
RANDOM_SOURCE = "os.urandom"
reset_cause = os.getenv("OSGP_RESET_CAUSE") or "power on"


class Ended(BaseException):
    """The process ends: nothing that a bank did, so nothing that main.py catches."""

    def __init__(self, status: int):
        super().__init__(status)
        self.status = status


class Flash:
    """A part of the flash file, as `tables.store` wants the raw region."""

    unit = 16  # octets

    def __init__(self, file, start: int):
        """start: where the part begins."""
        self._file = file
        self._start = start

    def read(self, address: int, buf):
        """Fills buf from an address on."""
        self._file.seek(self._start + address)
        self._file.readinto(buf)

    def program(self, address: int, buf):
        """Writes buf to erased octets, or once more what is there."""
        self._file.seek(self._start + address)
        self._file.write(buf)

    def erase(self, address: int):
        """Sets the sector that begins at an address to FF."""
        self._file.seek(self._start + address)
        for _ in range(_SECTOR // len(_ERASED)):
            self._file.write(_ERASED)


class Input(io.IOBase):
    """A descriptor to read from. When it ends (Ctrl-D on a terminal), so do we."""

    def __init__(self, descriptor: int):
        self._descriptor = descriptor
        self._file = open(descriptor, "r+b")  # noqa: SIM115  as long as the device lives

    def readinto(self, buf):
        """Reads what is there. Returns the number of octets, None: there are none."""
        n = self._file.readinto(buf)
        if n == 0:
            raise Ended(0)
        return n

    def ioctl(self, request, _):
        return self._descriptor if request == _GET_FILENO else -1


class Uart(Input):
    """The UART to the PLC transceiver: a non-blocking descriptor.

    A chip's UART never ends. This one ends with its peer, and then so do we.
    """

    def any(self) -> int:
        """How many octets may be asked for without waiting: here, as many as one likes."""
        return _MOST

    def readinto(self, buf, n: int = _MOST):
        """Reads what is there, at most n octets. Returns their number, None: there are none."""
        try:
            n = self._file.readinto(buf, n)
        except OSError:
            n = 0
        if n == 0:
            plc_gone()
        return n

    def write(self, buf, n: int) -> int:
        """Writes buf[:n], or as much as is taken at once. Returns how much that was."""
        try:
            return self._file.write(buf, n) or 0
        except OSError:
            return plc_gone()


class Udp(io.IOBase):
    """A member of a CN/IP channel, as `osgp.lon.cnip` wants it: who is sent to is a list."""

    def __init__(self, text: str):
        here, *others = text.split(",")
        self.unique_id = bytes.fromhex(others.pop().split("=")[1])
        self._others = [_address(other) for other in others]
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(_address(here))

    def readinto(self, buf):
        """Reads the next datagram, as much of it as fits. Returns its octets, None: there is
        none."""
        try:
            datagram = self._socket.recv(len(buf))  # readinto would go on to the next datagram
        except OSError:
            return None
        n = len(datagram)
        buf[:n] = datagram
        return n

    def write(self, buf, n: int) -> int:
        """Sends buf[:n] to every other member. Returns n, 0 if one could not be sent it."""
        sent = n
        for other in self._others:
            try:
                self._socket.sendto(memoryview(buf)[:n], other)
            except OSError:
                sent = 0
        return sent

    def ioctl(self, request, _):
        return self._socket.fileno() if request == _GET_FILENO else -1


def _address(text):
    host, port = text.split(":")
    return socket.getaddrinfo(host, int(port))[0][-1]


class Watchdog:
    """A process that hangs is ended and started again by its parent, who is told that it lives on
    the descriptor OSGP_WATCHDOG. One whose parent has gone ends, too: a UART tells of that, for a
    socket there is the descriptor OSGP_LIFE."""

    def __init__(self, parent, life):
        """Both: descriptors, or None."""
        self._parent = open(int(parent), "wb") if parent else None  # noqa: SIM115
        self._life = open(int(life), "rb") if life else None  # noqa: SIM115
        self._octet = bytearray(1)
        self._fed = None  # second in which the parent was told

    def feed(self):
        if self._life and self._life.readinto(self._octet) == 0:
            plc_gone()
        second = ticks_ms() // 1000
        if self._parent and second != self._fed:
            self._fed = second
            try:
                self._parent.write(b"\0")
            except OSError:
                plc_gone()


def _open_plc(where):
    kind, _, rest = (where or "").partition(":")
    if kind == "fd":
        return Uart(int(rest))
    if kind == "ip":
        return Udp(rest)
    raise ValueError("OSGP_PLC is neither fd:N nor ip:...: %r" % where)


def _room(size: int):
    """A buffer beside the heap, as a flash mapped into memory is; without ffi, in the heap."""
    try:
        import ffi
        import uctypes
    except ImportError:
        return bytearray(size)
    return uctypes.bytearray_at(ffi.open(None).func("p", "malloc", "I")(size), size)


def _read_nothing(offset: int, buf):
    """The header of a measured source of no days: a house in which nothing is used."""
    buf[:] = b"OSGPMEAS\x01\x01\0\0\0\0"


def bank(k: int):
    """Code bank k (0: A, 1: B) as a buffer of its whole size, to be mounted in place."""
    buf = _room(_BANK_SIZE)
    _file.seek(_BANKS[k])
    _file.readinto(buf)
    return buf


def bank_flash(k: int) -> Flash:
    """Code bank k as the raw region is: address 0 is its first octet."""
    return Flash(_file, _BANKS[k])


def update_key():
    """The key under which images are signed, out of the file that OSGP_UPDATE_KEY names, or
    None."""
    try:
        with open(os.getenv("OSGP_UPDATE_KEY") or "", "rb") as file:
            return file.read()
    except OSError:
        return None


def settings():
    """The settings, in a folder of the file system that the VM mounted."""
    from settings import Settings

    return Settings("/flash/settings")


def element():
    """What measures: a simulated element on the source that OSGP_SOURCE names."""
    from meter.element import SimulatedElement

    path = os.getenv("OSGP_SOURCE")
    if not path:
        return SimulatedElement(_read_nothing)
    source = open(path, "rb")  # noqa: SIM115  as long as the device lives

    def read(offset, buf):
        source.seek(offset)
        source.readinto(buf)

    return SimulatedElement(read)


def installation_key(uid: bytes) -> bytes:
    """The desk rule: CMAC("OSGP-DESK-TEST-0", uid). Anybody can work it out."""
    from osgp.security.ccm import cmac

    return cmac(aes(b"OSGP-DESK-TEST-0"), uid)


def aes(key: bytes):
    """The function encrypt(block) -> 16 octets, or encrypt(block, out), under a key of 16."""
    return cryptolib.aes(key, _ECB).encrypt


def random(n: int) -> bytes:
    """n octets from RANDOM_SOURCE."""
    return os.urandom(n)


def ticks_ms() -> int:
    """Milliseconds, 0 to 2**30 - 1."""
    return time.ticks_ms() & _TICKS  # pyright: ignore[reportOperatorIssue]


def ticks_us() -> int:
    """Microseconds, 0 to 2**30 - 1."""
    return time.ticks_us() & _TICKS  # pyright: ignore[reportOperatorIssue]


def reset():
    """Restarts the device. Whoever started the process does it: MicroPython cannot."""
    raise Ended(_RESET)


def plc_gone():
    """The other end of the UART is closed: the process ends, so that none is left behind."""
    raise Ended(0)


_file = open(os.getenv("OSGP_FLASH") or "", "r+b")  # noqa: SIM115  as long as the device lives
flash = Flash(_file, _RAW)
plc = _open_plc(os.getenv("OSGP_PLC"))
console = Input(0) if os.getenv("OSGP_CONSOLE") else None
watchdog = Watchdog(os.getenv("OSGP_WATCHDOG"), os.getenv("OSGP_LIFE"))
if isinstance(plc, Udp):

    def link(now: int):
        """The link on `plc`."""
        from osgp.lon.cnip import CnIp

        return CnIp(plc, plc.unique_id, random(4))
