"""What a line has carried, in octets and in time, and which part of it was payload."""

from dataclasses import dataclass

from osgp_tools import airtime
from osgp_tools.lpdu import APDU, DOMAIN_LENGTHS, SUBNET_NODE

_ADDRESS_LENGTHS = (3, 3, 4, 9)  # octets of the address formats; 2b, an answer to a group, has 6


def header_length(lpdu: bytes) -> int:
    """Octets before the APDU: L2 and network header, addresses, domain, transport or session
    header.
    """
    if len(lpdu) < 4:
        return len(lpdu)
    header = lpdu[1]
    address_format = header >> 2 & 3
    addresses = _ADDRESS_LENGTHS[address_format]
    if address_format == SUBNET_NODE and not lpdu[3] & 0x80:
        addresses = 6
    session = header >> 4 & 3 != APDU
    return 2 + addresses + DOMAIN_LENGTHS[header & 3] + session


@dataclass
class Statistics:
    frames: int = 0
    octets: int = 0  # of LPDUs, CRC included
    header_octets: int = 0
    air_ns: int = 0
    access_ns: int = 0  # from ready and idle to the first bit
    collisions: int = 0  # frames that met another one at a station that heard both
    destroyed: int = 0  # receptions that this cost
    losses: int = 0  # receptions lost to noise
    deaf: int = 0  # receptions missed because the station was sending
    receptions: int = 0  # good ones

    def frame(self, lpdu: bytes, air: int, access: int) -> None:
        self.frames += 1
        self.octets += len(lpdu)
        self.header_octets += header_length(lpdu)
        self.air_ns += air
        self.access_ns += access

    def report(self, elapsed_ns: int) -> dict[str, float]:
        """Everything in one flat dict: counts, seconds, and what the overhead consists of."""
        crc_octets = airtime.CRC_OCTETS * self.frames
        octet_s = airtime.BITS_PER_OCTET / airtime.BITS_PER_SECOND
        return {
            "seconds": elapsed_ns / airtime.SECOND,
            "frames": self.frames,
            "octets": self.octets,
            "collisions": self.collisions,
            "destroyed": self.destroyed,
            "losses": self.losses,
            "deaf": self.deaf,
            "receptions": self.receptions,
            "air_s": self.air_ns / airtime.SECOND,
            "access_s": self.access_ns / airtime.SECOND,
            "preamble_s": self.frames * airtime.PREAMBLE_BITS / airtime.BITS_PER_SECOND,
            "header_s": self.header_octets * octet_s,
            "crc_s": crc_octets * octet_s,
            "apdu_s": (self.octets - self.header_octets - crc_octets) * octet_s,
        } | airtime.raw_figures()
