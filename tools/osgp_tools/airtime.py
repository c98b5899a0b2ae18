"""Times of the line, all of them computed from public figures (`profile.md` 34 and 35, `lon.md` 4,
transceiver id 222).

Every share of the channel that this project states is a share of `limit_seconds`, and nothing
else. Times are integers in nanoseconds where the model computes with them, seconds where people
read them.
"""

from collections.abc import Iterable

from osgp_tools.mip_local import COMM_PARAMETERS

SECOND = 1_000_000_000
BITS_PER_SECOND = 3_240
PREAMBLE_BITS = 35
BITS_PER_OCTET = 11  # 8 of them data: 2,356 bit/s, the deck's 2.36 kbit/s
CRC_OCTETS = 2

_CYCLE = 1_200  # ns: a Neuron at 5 MHz, the clock code 04 of the parameters
_PACKET_CYCLE, _BETA2_CONTROL, _PAD_AFTER_TX, _PAD_AFTER_RX = COMM_PARAMETERS[3:7]


def _pad(code: int) -> int:
    return 41 * code if code < 128 else 145 * (code - 128)


W_BASE = 16  # slots of a window without backlog
BACKLOG_CAP = 63
BETA2 = (40 + 20 * _BETA2_CONTROL) * _CYCLE  # 3.648 ms
BETA1_AFTER_RX = BETA2 + (_pad(_PAD_AFTER_RX) + 602) * _CYCLE  # 8.011 ms
BETA1_AFTER_TX = BETA2 + (_pad(_PAD_AFTER_TX) + 624) * _CYCLE  # 8.825 ms
PACKET_CYCLE = 1_794 * _PACKET_CYCLE * _CYCLE  # 127.0 ms

# A carrier is heard this long after it began. That is what a slot is for: two in one slot collide,
# two in neighbouring slots never do, whether they count from the end of a frame they sent or of
# one they heard.
CARRIER_DETECT = BETA2 - (BETA1_AFTER_TX - BETA1_AFTER_RX)

MEAN_ACCESS = (
    BETA1_AFTER_RX + BETA2 * (W_BASE - 1) // 2
)  # 35.4 ms: the frame was ready when the line fell idle


def air_time(lpdu_length: int) -> int:
    """Nanoseconds on the line of an LPDU of so many octets, CRC included."""
    bits = PREAMBLE_BITS + BITS_PER_OCTET * lpdu_length
    return bits * SECOND // BITS_PER_SECOND


def limit_seconds(lpdu_length: int) -> float:
    """What one frame costs at least: its air time and the mean access time, no device time, no
    loss (profile 35).
    """
    return (air_time(lpdu_length) + MEAN_ACCESS) / SECOND


def share(lpdu_lengths: Iterable[int], measured_seconds: float) -> float:
    """How near the channel's limit an exchange of these frames came: 1.0 is the limit."""
    return sum(map(limit_seconds, lpdu_lengths)) / measured_seconds


def raw_figures() -> dict[str, float]:
    """What a share is made of, for whoever reads a report."""
    return {
        "bits_per_second": BITS_PER_SECOND,
        "bits_per_octet": BITS_PER_OCTET,
        "preamble_bits": PREAMBLE_BITS,
        "crc_octets": CRC_OCTETS,
        "beta1_ms": BETA1_AFTER_RX / 1e6,
        "beta2_ms": BETA2 / 1e6,
        "mean_access_ms": MEAN_ACCESS / 1e6,
        "net_bits_per_second": BITS_PER_SECOND * 8 / BITS_PER_OCTET,
    }
