"""Rare: ET17, how far a download is and which of its packets are there (`profile.md` 24)."""

import struct

from micropython import const

import rare
from osgp.kernels import copy, fill

_TRIAL = const(6)  # states, beside those of a download
_FAILED = const(7)

_HEAD = const(17)  # octets in front of the bitmap
_FLAGS = const(0x2F010)  # of the bank: an octet a packet, 00 it is there
_BITS = (1, 2, 4, 8, 16, 32, 64, 128)


def run(device, offset: int, n: int, buf, o: int):
    """Fill buf[o:o+n] with ET17 from `offset`."""
    fill(buf, o, o + n, 0)
    if offset < _HEAD:
        head = _head(device)
        copy(buf, o, head, offset, min(offset + n, _HEAD))
    download = device.download
    if download and download.received:
        first = max(offset - _HEAD, 0)
        last = min(offset + n - _HEAD, (download.packets + 7) // 8)
        if first < last:
            _show(download, first, last, buf, o + first + _HEAD - offset)


def _head(device):
    board = device.board
    banks = rare.load("banks")
    active = banks.active()
    bank_flash = getattr(board, "bank_flash", None)
    fields = None
    if active >= 0 and bank_flash:
        octets = bytearray(banks.HEADER)
        flash = bank_flash(active)
        if flash:
            flash.read(0, octets)
            fields = banks.header(octets)
    state = _FAILED if device.last_error else _TRIAL if device.trial else 0
    length = packets = crc = 0
    download = device.download
    if download:
        state = download.state
        length = download.length
        packets = download.received
        crc = download.crc
    version = fields[1] & 0xFFFF if fields else 0
    security = fields[2] & 0xFFFF if fields else 0
    active = max(active, 0)
    return struct.pack(
        "<BBIHIHHB", state, active, length, packets, crc, version, security, device.last_error
    )


def _show(download, first, last, buf, o):
    """The octets first:last of the bitmap go to buf[o:]. Mostly all or none of eight are there."""
    flags = bytearray(8)
    for k in range(first, last):
        download.flash.read(_FLAGS + 8 * k, flags)
        bits = 0
        for i in range(8):
            if not flags[i]:
                bits |= _BITS[i]
        buf[o + k - first] = bits
