"""Captures: back again, and what tshark makes of every frame of one (the traps of lon.md 6
minded).
"""

import pytest

from osgp_tools import lpdu, pcap, tshark
from osgp_tools.airtime import SECOND
from osgp_tools.channel import Channel
from osgp_tools.lpdu import Frame

DOMAIN = bytes.fromhex("C0FFEE")
NODE = bytes.fromhex("040000112233")

# One of each kind that this project puts on the line, and the rest of 14908 that a stack must
# know.
FRAMES = [
    Frame(lpdu.SPDU, lpdu.BROADCAST, (1, 5), (0, 0), b"", b"\x61\x00", tid=3, delta_backlog=1),
    Frame(lpdu.SPDU, 2, (0, 0), (1, 5), b"", b"\x21" + NODE + bytes(8), lpdu.RESPONSE, 3),
    Frame(lpdu.SPDU, 3, (1, 5), (0, 0), b"", b"\x51", tid=4, unique_id=NODE, priority=True),
    Frame(lpdu.TPDU, 2, (1, 5), (5, 9), DOMAIN, b"\x6c\x01", lpdu.ACKD, 4, alt_path=True),
    Frame(lpdu.TPDU, 2, (5, 9), (1, 5), DOMAIN, b"", lpdu.ACK, 4),
    Frame(lpdu.SPDU, 2, (1, 5), (5, 9), DOMAIN, b"\x6d\x01\x00\x00\x06", tid=9, auth=True),
    Frame(lpdu.SPDU, 2, (1, 1), (1, 7), DOMAIN * 2, bytes.fromhex("003F0040000000") + bytes(14)),
    Frame(lpdu.TPDU, 0, (1, 1), (0, 0), b"\x07", bytes(20), lpdu.UNACKD_RPT, 2),
    Frame(lpdu.TPDU, lpdu.GROUP, (1, 1), group=9, domain=DOMAIN, body=b"\x00\x30", kind=lpdu.ACKD),
    Frame(lpdu.TPDU, 2, (5, 9), (1, 5), DOMAIN, b"", lpdu.ACK, 1, group=0x2A, member=1),
    Frame(
        lpdu.TPDU,
        lpdu.GROUP,
        group=9,
        domain=DOMAIN,
        members=b"\x05",
        kind=lpdu.REM_MSG,
        body=b"\x12",
    ),
    Frame(lpdu.APDU, 0, body=b"\x7f" + NODE + bytes(8)),
    Frame(lpdu.APDU, 0, (5, 9), (0, 0), DOMAIN, b"\x45\x01" + NODE),
    Frame(lpdu.AUTH, 2, (5, 9), (1, 5), DOMAIN, bytes(8), lpdu.CHALLENGE, 9, auth_format=2),
    Frame(lpdu.SPDU, 2, (1, 5), (5, 9), DOMAIN, bytes.fromhex("4D002C3B070C51"), tid=8),
]


def test_frames_come_back(tmp_path):
    path = tmp_path / "line.pcap"
    with pcap.Writer(path) as capture:
        for number, frame in enumerate(FRAMES):
            capture.write(frame.encode(), 1_700_000_000.25 + number, number)
    back = list(pcap.read(path))
    assert [captured.lpdu for captured in back] == [frame.encode() for frame in FRAMES]
    assert [captured.transceiver for captured in back] == list(range(len(FRAMES)))
    assert back[1].when == 1_700_000_001.25


def test_a_capture_cut_in_its_last_record_is_read_up_to_there(tmp_path):
    path = tmp_path / "line.pcap"
    with pcap.Writer(path) as capture:
        for frame in FRAMES[:3]:
            capture.write(frame.encode(), 0)
    path.write_bytes(path.read_bytes()[:-5])
    assert len(list(pcap.read(path))) == 2


@pytest.mark.parametrize("octets", [b"", b"no capture at all, but long enough"])
def test_what_is_no_capture(tmp_path, octets):
    path = tmp_path / "other"
    path.write_bytes(octets)
    with pytest.raises(pcap.CaptureError):
        list(pcap.read(path))


needs_tshark = pytest.mark.skipif(
    not tshark.installed(), reason="tshark is not installed (Debian package tshark)"
)


@needs_tshark
def test_tshark_says_the_same_of_every_frame(tmp_path):
    path = tmp_path / "line.pcap"
    with pcap.Writer(path) as capture:
        for frame in FRAMES:
            capture.write(frame.encode(), 0)
    assert tshark.disagreements(path) == []


@needs_tshark
def test_a_difference_is_seen(tmp_path, monkeypatch):
    path = tmp_path / "line.pcap"
    with pcap.Writer(path) as capture:
        capture.write(FRAMES[0].encode(), 0)
    wrong = FRAMES[0].with_(tid=4, domain=DOMAIN)
    monkeypatch.setattr(tshark, "decode", lambda _octets: wrong)
    assert [line.split(" is ")[0] for line in tshark.disagreements(path)] == [
        "frame 1: lon.domain",
        "frame 1: lon.trans_no",
        "frame 1: data.data",
    ]


@needs_tshark
def test_tshark_decodes_a_whole_run_of_the_line(tmp_path):
    path = tmp_path / "line.pcap"
    channel = Channel(seed=2)
    stations = [channel.attach() for _ in range(4)]
    with pcap.Writer(path) as capture:
        channel.tap = lambda when, sender, octets: capture.write(
            octets, when / SECOND, sender.index
        )
        for turn in range(120):
            frame = FRAMES[turn % len(FRAMES)]
            stations[turn % 4].send(frame.encode(), turn * SECOND // 4)
        channel.advance(300 * SECOND)
    assert tshark.disagreements(path) == []
    shown = tshark.fields(path, "ip.src")
    assert len(shown) == channel.statistics.frames == 120
    for packet, captured in zip(shown, pcap.read(path), strict=True):
        assert packet["ip.src"] == f"10.0.0.{captured.transceiver}"
