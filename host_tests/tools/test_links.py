"""Nothing above the link knows which one it is: one session, over MIP and over CN/IP, octet by
octet. And what is on the network is CN/IP to tshark, too.
"""

import pytest
from ip_rig import OURS, IpRig, data_packet

import rig as rigs
from osgp_tools import lpdu, pcap, tshark
from osgp_tools.addp import Query
from osgp_tools.lpdu import Frame
from rig import ACK, UID, Member, Rig, StillElement

AES, LEGACY = 2, 0


class MipRig(Rig):
    """The rig with a chip that lives: it acknowledges what the link asks it by itself."""

    def answers(self, octets):
        frames = super().answers(octets)
        while not self.node.link.ready:
            self.feed(ACK)
            frames += super().answers(b"")
        return frames


def taped(kind):
    """A rig that writes down what went in and came out: (ms before, LPDU in or None, LPDUs
    out)."""

    class Taped(kind):
        def __init__(self, element):
            self.tape = []
            super().__init__(element)

        def exchange(self, octets):
            return self._note(0, octets, super().exchange(octets))

        def rest(self, ms):
            """Time passes; the frames that leave at its end."""
            self.advance(ms)
            return self._note(ms, None, self.answers(b""))

        def _note(self, ms, octets, frames):
            self.tape.append((ms, octets, [frame.encode() for frame in frames]))
            return frames

    return Taped


def dialogue(member: Member) -> None:
    """Everything that a node is asked for: management, secured tables, procedures, repeating,
    discovery, services of layer 4, and frames that are nobody's."""
    rig = member.rig
    to_all = {"address": lpdu.BROADCAST, "destination": (0, 0)}

    def hear(apdu, **changes):
        return rig.exchange(member.frame(apdu, **changes).encode())

    assert hear(b"\x61\x00", **to_all) == []
    assert len(rig.exchange(member.by_id(b"\x51").encode())) == 1
    assert len(rig.exchange(member.by_id(b"\x62\x01").encode())) == 1
    assert len(hear(b"\x61\x01", **to_all)) == 1
    assert member.command("3000 01").data[:3] == b"OED"
    assert member.body(28, 40)
    assert member.command("40000700 0D 0A000A07 1A011F0C0000 06 0000").code == 0
    assert member.command("3000 08").data[:3] == b"\x0a\x00\x0a"
    again = member.frame(member.sealed(bytes.fromhex("300001")).apdu).encode()
    assert rig.exchange(again) == rig.exchange(again) != []
    rig.rest(9000)
    (stale,) = rig.exchange(again)
    assert stale.body[:2] in (b"\x00\x0c", b"\x00\x0b")
    assert len(hear(b"\x00\x30\x00\x01" + bytes(12))) == 1  # no digest that holds
    for kind in (lpdu.ACKD, lpdu.UNACKD_RPT):
        hear(b"\x6c\x01", pdu=lpdu.TPDU, kind=kind)
    hear(b"\x51", priority=True, alt_path=True, delta_backlog=3)
    hear(b"\x51", auth=True)
    hear(b"\x51", domain=b"", **to_all)
    hear(b"\x51", destination=(5, 10))
    hear(b"\x51", domain=b"\x07")
    hear(b"\x12\x34", pdu=lpdu.TPDU, address=lpdu.GROUP, group=9, kind=lpdu.ACKD)
    (asked,) = hear(bytes.fromhex("4D002C3B070C51"))  # as an agent, for 7/12
    assert (asked.destination, asked.body) == ((7, 12), b"\x51")
    later = [frame.body for _ in range(20) for frame in rig.rest(400)]
    assert b"\x51" in later and b"\x4c\x00" in later  # tries, then word of its failure
    query = Query(b"\x04\0\0\0\0\1", nonce=6, slots=4, slot_length=16)
    assert rig.exchange(query.frame().encode()) == []
    assert [frame.body[0] for _ in range(8) for frame in rig.rest(250)] == [0x4A]
    damaged = bytearray(member.frame(b"\x51").encode())
    damaged[7] ^= 4
    assert rig.exchange(bytes(damaged)) == []
    for octets in (b"", b"\x00", damaged[:7], member.frame(bytes(200)).encode()):
        rig.exchange(bytes(octets))
    assert member.command("3000 01").data[:3] == b"OED"


def outcome(rig):
    """What is left behind: kept settings, counters of layers 3 and 4."""
    node = rig.node
    counters = (node.frames, node.answers, node.unhandled, node.npdu.crc_errors)
    counters += (node.npdu.not_ours, node.npdu.malformed, node.transport.received)
    return rig.board._settings.files, counters


@pytest.mark.parametrize("mode", [LEGACY, AES])
@pytest.mark.parametrize(("first", "second"), [(MipRig, IpRig), (IpRig, MipRig)])
def test_the_same_session_over_both(monkeypatch, first, second, mode):
    monkeypatch.setattr(rigs, "Rig", taped(first))
    member = Member(mode=mode)
    dialogue(member)
    recorded = member.rig
    assert sum(octets is not None for _, octets, _ in recorded.tape) >= 30
    assert sum(len(out) for *_, out in recorded.tape) > 20
    replayed = taped(second)(StillElement())
    for waited, octets, _ in recorded.tape:
        replayed.rest(waited) if octets is None else replayed.exchange(octets)
    for k, (was, now) in enumerate(zip(recorded.tape, replayed.tape, strict=True)):
        assert was == now, f"exchange {k}"
    assert outcome(recorded) == outcome(replayed)


def test_a_device_on_a_channel_has_no_mains():
    link = IpRig(StillElement()).node.link
    assert (link.phase, link.ssi1, link.ssi2, link.mains_hz) == (0, 0, 0, 0)


@pytest.mark.skipif(not tshark.installed(), reason="tshark is not installed")
def test_tshark_reads_what_is_on_the_network(tmp_path):
    """A capture has our datagram in place of its own packet, which has the same length."""
    device = IpRig(StillElement())
    request = Frame(address=lpdu.UNIQUE_ID, source=(1, 5), unique_id=UID, tid=4, body=b"\x51")
    device.board.plc.coming.append(data_packet(request.encode(), b"\0\0\0\1", 1))
    device.node.readable(device.board.now)
    device.poll()
    (datagram,) = device.board.plc.gone
    path = tmp_path / "ip.pcap"
    with pcap.Writer(path) as capture:
        capture.write(datagram[20:], 1_700_000_000)
    octets = path.read_bytes()
    path.write_bytes(octets[: -len(datagram)] + datagram)
    assert tshark.disagreements(path) == []
    names = ("cnip.len", "cnip.ver", "cnip.type", "cnip.protocol", "cnip.sessid", "cnip.seqno")
    (seen,) = tshark.fields(path, *names)
    values = [int(seen[name], 0) for name in names]
    assert values == [len(datagram), 1, 1, 0, int.from_bytes(OURS, "big"), 2]
