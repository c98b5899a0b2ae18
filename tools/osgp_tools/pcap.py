"""Captures that tshark reads: each LPDU in CN/IP over UDP port 1628, in raw IP packets (`lon.md`
6).

    pcap record | IPv4 (20) | UDP (8) | CN/IP (20) | LPDU with L2 header and CRC

The IPv4 source is 10.0.x.y with x, y the number of the transceiver that sent, so that a display
filter can tell them apart.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

CNIP_PORT = 1628
_RAW_IP = 101  # linktype
_MAGIC = 0xA1B2C3D4  # time stamps in microseconds
_SNAP_LENGTH = 0xFFFF
_FILE_HEADER = struct.Struct("<IHHiIII")
_RECORD = struct.Struct("<IIII")
_IPV4 = struct.Struct(">BBHHHBBH4s4s")
_UDP = struct.Struct(">HHHH")
_CNIP = struct.Struct(">HBBBBHIII")  # length, version, type, ..., session, sequence, time stamp
_UDP_PROTOCOL = 17
_CNIP_VERSION = _CNIP_DATA = 1


class CaptureError(ValueError):
    """Not a capture as this project writes them."""


@dataclass(frozen=True)
class Captured:
    when: float  # seconds since 1970
    transceiver: int
    lpdu: bytes  # with its CRC


class Writer:
    """Appends frames to a new capture; what was written is complete after each, whatever ends the
    process.
    """

    def __init__(self, path: str | Path) -> None:
        self._file = Path(path).open("wb", buffering=0)  # noqa: SIM115  closed by close()
        self._sequence = 0
        self._file.write(_FILE_HEADER.pack(_MAGIC, 2, 4, 0, 0, _SNAP_LENGTH, _RAW_IP))

    def write(self, lpdu: bytes, when: float, transceiver: int = 0) -> None:
        """A frame that began `when` (seconds since 1970)."""
        packet = _packet(lpdu, transceiver, self._sequence)
        self._sequence = (self._sequence + 1) & 0xFFFF
        seconds, microseconds = divmod(round(when * 1_000_000), 1_000_000)
        self._file.write(_RECORD.pack(seconds, microseconds, len(packet), len(packet)) + packet)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def read(path: str | Path) -> Iterator[Captured]:
    """The frames of a capture. Raises CaptureError."""
    data = Path(path).read_bytes()
    if len(data) < _FILE_HEADER.size:
        raise CaptureError(f"{path}: no capture")
    magic, *_, link_type = _FILE_HEADER.unpack_from(data)
    if magic != _MAGIC or link_type != _RAW_IP:
        raise CaptureError(f"{path}: not a microsecond pcap of raw IP")
    at = _FILE_HEADER.size
    while at + _RECORD.size <= len(data):
        seconds, microseconds, length, _ = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        packet = data[at : at + length]
        at += length
        if len(packet) < length:
            break  # the writer was interrupted in its last record
        yield _unpack(path, packet, seconds + microseconds / 1_000_000)


def cnip(lpdu: bytes, sequence: int) -> bytes:
    """A CN/IP data packet with the LPDU, of session 0."""
    length = _CNIP.size + len(lpdu)
    return _CNIP.pack(length, _CNIP_VERSION, _CNIP_DATA, 0, 0, 0, 0, sequence, 0) + lpdu


def _packet(lpdu: bytes, transceiver: int, sequence: int) -> bytes:
    data = cnip(lpdu, sequence)
    udp = _UDP.pack(CNIP_PORT, CNIP_PORT, _UDP.size + len(data), 0)
    length = _IPV4.size + len(udp) + len(data)
    source = bytes((10, 0)) + (transceiver & 0xFFFF).to_bytes(2, "big")
    header = (0x45, 0, length, sequence, 0, 64, _UDP_PROTOCOL)
    checksum = _checksum(_IPV4.pack(*header, 0, source, b"\x0a\xff\xff\xff"))
    return _IPV4.pack(*header, checksum, source, b"\x0a\xff\xff\xff") + udp + data


def _checksum(header: bytes) -> int:
    total = sum(int.from_bytes(header[at : at + 2], "big") for at in range(0, len(header), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def _unpack(path: str | Path, packet: bytes, when: float) -> Captured:
    body = _IPV4.size + _UDP.size
    if len(packet) < body + _CNIP.size or packet[0] != 0x45 or packet[9] != _UDP_PROTOCOL:
        raise CaptureError(f"{path}: a packet that is not UDP over IPv4")
    source_port = int.from_bytes(packet[_IPV4.size : _IPV4.size + 2], "big")
    length, version, kind, *_ = _CNIP.unpack_from(packet, body)
    good = (source_port, version, kind) == (CNIP_PORT, _CNIP_VERSION, _CNIP_DATA)
    if not good or length != len(packet) - body:
        raise CaptureError(f"{path}: a packet that is not CN/IP data")
    transceiver = int.from_bytes(packet[14:16], "big")
    return Captured(when, transceiver, packet[body + _CNIP.size :])
