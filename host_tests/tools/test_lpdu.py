"""LPDUs: every frame that lon.md quotes, both ways, and the round trip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osgp_tools import lpdu
from osgp_tools.lpdu import Frame, FrameError, crc16, decode

DOMAIN = bytes.fromhex("C0FFEE")
NODE = bytes.fromhex("040000112233")


def seal(text: str) -> bytes:
    """Octets without a CRC, with one."""
    plain = bytes.fromhex(text)
    return plain + crc16(plain).to_bytes(2, "big")


# What lon.md quotes with its CRC, and what it says about it.
WITH_CRC = {
    "query id, unconfigured": (
        "01100185000361009B05",
        Frame(lpdu.SPDU, 0, (1, 5), (0, 0), b"", b"\x61\x00", tid=3, delta_backlog=1),
    ),
    "the same without delta backlog": (
        "0010018500036100DCD6",
        Frame(lpdu.SPDU, 0, (1, 5), (0, 0), b"", b"\x61\x00", tid=3),
    ),
    "answer to query id": (
        "0018008001852321040000112233 9FFFFF0501840460 C9E9",
        Frame(
            lpdu.SPDU,
            lpdu.SUBNET_NODE,
            (0, 0),
            (1, 5),
            b"",
            b"\x21" + NODE + bytes.fromhex("9FFFFF0501840460"),
            lpdu.RESPONSE,
            3,
        ),
    ),
    "update domain by unique id": (
        "001C0185000400001122330C6300C0FFEE00000005890301 02030405AA B7CA",
        Frame(
            lpdu.SPDU,
            lpdu.UNIQUE_ID,
            (1, 5),
            (0, 0),
            b"",
            bytes.fromhex("6300C0FFEE0000000589030102030405AA"),
            tid=12,
            unique_id=NODE,
        ),
    ),
    "its answer": (
        "001800800185 2C23 B953",
        Frame(lpdu.SPDU, 2, (0, 0), (1, 5), b"", b"\x23", lpdu.RESPONSE, 12),
    ),
    "set state": (
        "001C018500040000112233 0D6C0304 3C66",
        Frame(lpdu.SPDU, 3, (1, 5), (0, 0), b"", b"\x6c\x03\x04", tid=13, unique_id=NODE),
    ),
    "its answer, too": (
        "001800800185 2D2C 7B8D",
        Frame(lpdu.SPDU, 2, (0, 0), (1, 5), b"", b"\x2c", lpdu.RESPONSE, 13),
    ),
    "online, acknowledged service": (
        "000A01850589C0FFEE046C01 5602",
        Frame(lpdu.TPDU, 2, (1, 5), (5, 9), DOMAIN, b"\x6c\x01", lpdu.ACKD, 4),
    ),
    "its acknowledgement": (
        "000A05890185C0FFEE24 566E",
        Frame(lpdu.TPDU, 2, (5, 9), (1, 5), DOMAIN, b"", lpdu.ACK, 4),
    ),
    "query status out of the captured start-up": (
        "001C0185000400001122330451 6977",
        Frame(lpdu.SPDU, 3, (1, 5), (0, 0), b"", b"\x51", tid=4, unique_id=NODE),
    ),
}

# What lon.md quotes without CRC.
WITHOUT_CRC = {
    "query status": (
        "001A01850589C0FFEE0751",
        Frame(lpdu.SPDU, 2, (1, 5), (5, 9), DOMAIN, b"\x51", tid=7),
    ),
    "its answer": (
        "001A05890185C0FFEE2731",
        Frame(lpdu.SPDU, 2, (5, 9), (1, 5), DOMAIN, b"\x31", lpdu.RESPONSE, 7),
    ),
    "acknowledgement of a group message": (
        "000A050901852A01C0FFEE21",
        Frame(lpdu.TPDU, 2, (5, 9), (1, 5), DOMAIN, b"", lpdu.ACK, 1, group=0x2A, member=1),
    ),
    "service pin": (
        "00300080007F0400001122339FFFFF0501840460",
        Frame(
            lpdu.APDU,
            lpdu.BROADCAST,
            body=b"\x7f" + NODE + bytes.fromhex("9FFFFF0501840460"),
        ),
    ),
    "agent to target": (
        "011A05890 78CC0FFEE0851".replace(" ", ""),
        Frame(lpdu.SPDU, 2, (5, 9), (7, 12), DOMAIN, b"\x51", tid=8, delta_backlog=1),
    ),
    "alternate path": (
        "411A0589018CC0FFEE084D110D3B",
        Frame(
            lpdu.SPDU,
            2,
            (5, 9),
            (1, 12),
            DOMAIN,
            bytes.fromhex("4D110D3B"),
            tid=8,
            alt_path=True,
            delta_backlog=1,
        ),
    ),
    "broadcast, unacknowledged": (
        "0032058900C0FFEE12EE",
        Frame(lpdu.APDU, 0, (5, 9), (0, 0), DOMAIN, b"\x12\xee"),
    ),
}


@pytest.mark.parametrize("name", WITH_CRC)
def test_frames_of_the_reference_with_crc(name):
    text, frame = WITH_CRC[name]
    octets = bytes.fromhex(text)
    assert frame.encode() == octets
    assert decode(octets) == frame


@pytest.mark.parametrize("name", WITHOUT_CRC)
def test_frames_of_the_reference_without_crc(name):
    text, frame = WITHOUT_CRC[name]
    assert frame.encode() == seal(text)
    assert decode(seal(text)) == frame


def test_crc_check_value():
    assert crc16(b"123456789") == 0xD64E
    assert crc16(bytes.fromhex("00000080018520")) == 0x2436


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("00000080018520", "shorter"),
        ("01100185000361009B04", "CRC"),
        (seal("0090018500036100").hex(), "version"),
        (seal("001C01850004").hex(), "cut short"),
        (seal("000301850102").hex(), "cut short"),
    ],
)
def test_what_is_no_frame(text, why):
    with pytest.raises(FrameError, match=why):
        decode(bytes.fromhex(text))


@st.composite
def frames(draw):
    pdu = draw(st.integers(0, 3))
    address = draw(st.integers(0, 3))
    parts = {
        "pdu": pdu,
        "address": address,
        "source": (draw(st.integers(0, 255)), draw(st.integers(0, 127))),
        "domain": draw(
            st.sampled_from([0, 1, 3, 6]).flatmap(lambda n: st.binary(min_size=n, max_size=n))
        ),
        "body": draw(st.binary(max_size=229)),
        "priority": draw(st.booleans()),
        "alt_path": draw(st.booleans()),
        "delta_backlog": draw(st.integers(0, 63)),
    }
    if address == lpdu.GROUP:
        parts["group"] = draw(st.integers(0, 255))
    elif address == lpdu.SUBNET_NODE:
        parts["destination"] = (draw(st.integers(0, 255)), draw(st.integers(0, 127)))
        if draw(st.booleans()):
            parts |= {"group": draw(st.integers(0, 255)), "member": draw(st.integers(0, 63))}
    else:
        parts["destination"] = (draw(st.integers(0, 255)), 0)
        if address == lpdu.UNIQUE_ID:
            parts["unique_id"] = draw(st.binary(min_size=6, max_size=6))
    if pdu == lpdu.AUTH:
        parts |= {"auth_format": draw(st.integers(0, 3)), "kind": draw(st.integers(0, 3))}
    elif pdu != lpdu.APDU:
        parts |= {"auth": draw(st.booleans()), "kind": draw(st.sampled_from([0, 1, 2, 4, 5]))}
        if parts["kind"] in (lpdu.REMINDER, lpdu.REM_MSG):
            parts["members"] = draw(st.binary(max_size=8))
    if pdu != lpdu.APDU:
        parts["tid"] = draw(st.integers(0, 15))
    return Frame(**parts)


@given(frames())
def test_round_trip(frame):
    octets = frame.encode()
    if len(octets) >= lpdu.SHORTEST:
        assert decode(octets) == frame


@given(st.binary(max_size=64))
def test_any_octets_decode_or_raise_frame_error(octets):
    """Also with a good CRC, or nearly all would fall at that."""
    for candidate in (octets, octets + crc16(octets).to_bytes(2, "big")):
        try:
            frame = decode(candidate)
        except FrameError:
            continue
        again = frame.encode()
        assert decode(again) == frame
