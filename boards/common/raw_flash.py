"""Flash that the port gives as a block device, as `tables.store` wants the raw region: that one,
and the code banks."""

from kernels import copy, fill
from micropython import const

_SECTOR = const(4096)
_EXTENDED = const(1)  # ioctl 1: the extended block protocol, in which a write erases nothing
_ERASE = const(6)


class RawFlash:
    """Reads, programs and erases. Allocates nothing.

    What a port answers differs: an error is raised (esp32, rp2) or returned (stm32).
    """

    unit = 16  # octets

    def __init__(self, device, page: int = 0, start: int = 0):
        """device: blocks of 4096 octets. start: the octet of it that is our first, of a block.

        page: the port programs whole pages of so many octets. 0: it takes any number at any place.
        """
        self._device = device
        self._start = start
        # In RAM: on some chips nothing can be read from flash while it is written.
        self._page = bytearray(page)
        device.ioctl(1, _EXTENDED)

    def read(self, address: int, buf):
        """Fills buf from an address on."""
        address += self._start
        _check(self._device.readblocks(address // _SECTOR, buf, address % _SECTOR))

    def program(self, address: int, buf):
        """Writes buf to erased octets, or once more what is there."""
        address += self._start
        if not self._page:
            _check(self._device.writeblocks(address // _SECTOR, buf, address % _SECTOR))
            return
        # FF leaves an octet as it is, so a record goes into a page of FF, which may be programmed
        # again around it.
        page = self._page
        size = len(page)
        done = 0
        while done < len(buf):
            start = (address + done) % size
            n = min(size - start, len(buf) - done)
            fill(page, 0, size, 0xFF)
            copy(page, start, buf, done, done + n)
            at = address + done - start
            _check(self._device.writeblocks(at // _SECTOR, page, at % _SECTOR))
            done += n

    def erase(self, address: int):
        """Sets the sector that begins at an address to FF."""
        _check(self._device.ioctl(_ERASE, (self._start + address) // _SECTOR))


def _check(result):
    if result:
        raise OSError(-result)
