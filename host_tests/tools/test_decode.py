"""`osgp decode`: frames, the UART and captures explained; digest and cipher with the key."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from osgp.kernels import digest, digest_pad, rc4
from osgp_tools import lpdu, pcap
from osgp_tools.broadcast import sealed
from osgp_tools.decode import Decoder, explain_file, explain_hex
from osgp_tools.decode_table import Command, parse_command
from osgp_tools.lpdu import Frame
from osgp_tools.secured import AesKey, Omak, keys
from osgp_tools.suites import AesPsk, Sealed, cmac, subkey

OMAK = bytes(range(1, 13))
AES_KEY = bytes(range(1, 17))
DOMAIN = bytes.fromhex("C0FFEE")
NODE = bytes.fromhex("040000112233")
DEVICE = (2, 2)
READ_BT03 = bytes.fromhex("300003")


def text(given, key=None):
    return str(explain_hex(given, key))


# -- plain frames


def test_query_id_and_its_crc():
    shown = text("01 10 01 85 00 03 61 00 9B05")
    for line in (
        "1/5 > all  query id",
        "L2 header: backlog +1",
        "SPDU: request, transaction 3",
        "APDU 61 query id",
        "who is unconfigured",
        "CRC 9B05, good",
    ):
        assert line in shown


def test_a_crc_that_is_missing_is_told():
    assert "CRC missing or wrong, 9B05 were to follow" in text("0110018500036100")


def test_octets_that_are_no_frame():
    assert text("00") == "no frame (1 octets: shorter than any frame): 00"
    with pytest.raises(ValueError, match="hexadecimal"):
        explain_hex("frame")


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        ("00300080007F0400001122339FFFFF0501840460", "unique id 040000112233"),
        ("001C0185000400001122330D6C0304", "set state configured, online"),
        ("000A01850589C0FFEE046C01", "online"),
        ("000A05890185C0FFEE24", "TPDU: ack, transaction 4"),
        ("000A050901852A01C0FFEE21", "answers a message to group 42 as member 1"),
        ("001A01850589C0FFEE036D01000006", "read-only area: 6 octets from 0"),
        ("001C0185000400001122330C6300C0FFEE00000005890301 02030405AA", "domain C0FFEE, 5/9"),
        ("00320589 00 C0FFEE 4501020400001122330A", "data 0102040000112233"),
    ],
)
def test_messages(octets, said):
    assert said in text(octets)


def test_keys_are_not_shown():
    assert "0102030405AA" not in text("001C0185000400001122330C6300C0FFEE0000000589030102030405AA")


def test_repeating_is_taken_apart():
    """The examples of lon.md, LTEP."""
    head = "011A01850589C0FFEE05"
    shown = text(head + "4D002C3B070C51")
    assert "to the target: request, normal" in shown
    assert "subnet and node 070C" in shown
    assert "51 query status" in shown
    shown = text(head + "4D01070C3B2C3B080D51")
    assert "hop 1: subnet 7, node 12" in shown
    assert "between repeaters: 3 retries, timer 768 ms" in shown
    shown = text(head + "4D820C8D3B2C3B080D51")
    assert "hop 1: subnet own, node 12" in shown
    assert "hop 2: subnet own, node 13, second carrier" in shown
    shown = text(head + "4D00CC3B0400AABBCCDD6100")
    assert "unique id 0400AABBCCDD" in shown
    shown = text(head + "4D00681B000012EE")
    assert "unacknowledged" in shown
    assert "broadcast: subnet and backlog 0000" in shown


def ask(decoder, body, answer, **more):
    """The explanation of an answer whose request came before it."""
    request = Frame(body=body, source=(1, 5), destination=(5, 9), tid=7, domain=DOMAIN, **more)
    back = Frame(
        body=answer,
        source=(5, 9),
        destination=(1, 5),
        tid=7,
        domain=DOMAIN,
        kind=lpdu.RESPONSE,
    )
    decoder.frame(request.encode())
    return str(decoder.frame(back.encode()))


def test_answers_are_known_by_their_requests():
    status = bytes.fromhex("31 0001 0000 0000 0000 0000 01 04 01 00 1E")
    shown = ask(Decoder(), b"\x51", status)
    assert "answer to 51 query status" in shown
    assert "transmission errors 1" in shown
    assert "state configured, online" in shown
    assert "refused" in ask(Decoder(), b"\x63" + bytes(16), b"\x03")
    assert "done" in ask(Decoder(), b"\x63" + bytes(16), b"\x23")
    assert "unique id 0102" in ask(Decoder(), b"\x61\x00", b"\x21\x01\x02" + bytes(12))
    registers = bytes.fromhex("34 040004 5AFF 0000")
    assert "first carrier: margin 9 dB, strength -24 dB" in ask(Decoder(), b"\x54", registers)
    assert "node offline" in ask(Decoder(), b"\x00\x30", b"\x3f")
    assert "nonce 0101" in ask(Decoder(), b"\x47\x01" + bytes(8), b"\x47\x01" + b"\x01" * 8)


def test_an_answer_whose_request_was_not_seen():
    shown = text("001A05890185C0FFEE2731")
    assert "answer to a request that was not seen" in shown


# -- the UART


def test_the_uart():
    shown = text("7E62011F 101A001C0185000400001122330451697795")
    assert "CpMsg, sequence 3" in shown
    assert "NI command 1A from the line" in shown
    assert "1/5 > 040000112233  query status" in shown
    shown = text("7E06E09C 7E52012F05E01EA001005C 7E100072")
    assert "CpNiCmdShort, sequence 0" in shown
    assert "NI command E0 status" in shown
    assert "CpNull, sequence 0, acknowledges" in shown


# -- table access


def test_the_published_message_in_clear():
    """osgp.md 2.4, first row: full read of BT03, digest of the request by the key of twelve DF."""
    key = Omak(bytes((0xDF,)) * 12)
    head = bytes.fromhex("00 30 0003 7F30EA6D")
    sealed = Sealed(bytes((0xDF,)) * 12, 2, 2, 0x7F30EA6D, READ_BT03)
    opened = key.request(DEVICE, head + sealed.apdu[-8:])
    assert opened
    assert not opened.encrypted
    assert opened.text == head[1:]


def sealed_read(sequence=9, command=READ_BT03, address=lpdu.SUBNET_NODE):
    sealed = Sealed(OMAK, *DEVICE, sequence, command)
    more = {"destination": DEVICE} if address != lpdu.UNIQUE_ID else {"unique_id": NODE}
    return sealed, Frame(
        body=sealed.apdu, source=(1, 127), address=address, tid=3, domain=DOMAIN, **more
    )


def answer(sealed, body):
    """The device's answer to a sealed request: `body` from the response code on."""
    key = Omak(OMAK)
    request = key.request(DEVICE, sealed.apdu)
    begun, position, cipher = request.state
    accumulator = bytearray(begun)
    position = digest(accumulator, OMAK, position, b"\0" + body, 0, 1 + len(body))
    digest_pad(accumulator, OMAK, position)
    secret = bytearray(body)
    rc4(bytearray(cipher), secret, 0, len(secret))
    return Frame(
        body=b"\0" + secret + accumulator,
        source=DEVICE,
        destination=(1, 127),
        tid=3,
        domain=DOMAIN,
        kind=lpdu.RESPONSE,
    )


def test_with_the_key_a_read_and_its_answer_are_opened():
    sealed, request = sealed_read()
    reply = answer(sealed, bytes.fromhex("00 000D 00 2098 00 31C30008000000000000")[:16])
    decoder = Decoder(Omak(OMAK))
    shown = str(decoder.frame(request.encode()))
    assert "digest holds, encrypted" in shown
    assert "full read of BT03" in shown
    assert "sequence number 9" in shown
    shown = str(decoder.frame(reply.encode()))
    assert "digest holds, encrypted" in shown
    assert "00 ok, 13 octets" in shown
    assert "ok: full read of BT03" in shown


def aes_frames(command=READ_BT03):
    """A request of mode 2, and the device's answer: one octet, 05."""
    suite = AesPsk(AES_KEY, NODE, *DEVICE)
    sealed = suite.seal(9, command)
    request = Frame(body=sealed.apdu, source=(1, 127), destination=DEVICE, tid=3, domain=DOMAIN)
    number = sealed.apdu[-12:-8]
    body = b"\0" + suite.encrypt(1, number, b"\x05")
    reply = Frame(
        body=body, source=DEVICE, destination=(1, 127), tid=3, domain=DOMAIN, kind=lpdu.RESPONSE
    )
    return request, reply


def test_mode_2_is_opened_with_key_and_unique_id():
    request, reply = aes_frames()
    decoder = Decoder(AesKey(AES_KEY, NODE))
    shown = str(decoder.frame(request.encode()))
    assert "digest holds, encrypted" in shown
    assert "full read of BT03" in shown and "sequence number 9" in shown
    assert "05 inappropriate action" in str(decoder.frame(reply.encode()))
    for wrong in (AesKey(AES_KEY, bytes(6)), AesKey(bytes(16), NODE)):
        assert "does not hold" in str(Decoder(wrong).frame(request.encode()))
    assert "01" not in repr(AesKey(AES_KEY, NODE))


def test_refusals_of_mode_2_prove_themselves():
    request, reply = aes_frames()
    told = b"\0\x0c" + bytes((0, 0, 0, 7))
    mac = cmac(subkey(AES_KEY, b"MACU", NODE), told + request.body)[:8]
    decoder = Decoder(AesKey(AES_KEY, NODE))
    decoder.frame(request.encode())
    shown = str(decoder.frame(reply.with_(body=told + mac).encode()))
    assert "digest holds, in clear" in shown and "7" in shown
    decoder.frame(request.encode())
    shown = str(decoder.frame(reply.with_(body=told + bytes(8)).encode()))
    assert "digest does not hold" in shown


@pytest.mark.parametrize("mode", [0, 2])
def test_a_broadcast_is_opened_with_the_broadcast_key(mode):
    """A member's keys: the key that fits is found."""
    apdu = sealed(mode, AES_KEY, 5, bytes.fromhex("40081B0003 030000"))
    frame = Frame(
        pdu=lpdu.TPDU,
        kind=lpdu.UNACKD_RPT,
        address=lpdu.BROADCAST,
        source=(1, 127),
        destination=(0, 0),
        domain=DOMAIN,
        body=apdu,
    )
    ring = keys(mode, NODE, [bytes(16)], [bytes(16), AES_KEY])
    shown = str(Decoder(ring).frame(frame.encode()))
    assert "digest holds, encrypted" in shown and "full write of ET27" in shown
    assert "does not hold" in str(Decoder(keys(mode, NODE, [bytes(16)], [])).frame(frame.encode()))
    assert "01" not in repr(ring)


def test_a_device_addressed_by_unique_id_is_opened_when_it_has_answered():
    sealed, request = sealed_read(address=lpdu.UNIQUE_ID)
    decoder = Decoder(Omak(OMAK))
    assert "digest does not hold" in str(decoder.frame(request.encode()))
    reply = answer(sealed, bytes.fromhex("03"))
    assert "03 insufficient security clearance" in str(decoder.frame(reply.encode()))
    assert "digest holds" in str(decoder.frame(request.encode()))


def test_without_or_with_a_wrong_key_nothing_is_claimed():
    _, request = sealed_read()
    octets = request.encode().hex()
    assert "encrypted, or no command" in text(octets)
    assert "digest" in text(octets)
    assert "digest does not hold under this key" in text(octets, Omak(bytes(12)))
    with pytest.raises(ValueError, match="12 octets"):
        Omak(bytes(11))
    assert "01" not in repr(Omak(OMAK))


def test_errors_in_clear():
    decoder = Decoder(Omak(OMAK))
    sealed, request = sealed_read()
    decoder.frame(request.encode())
    reply = answer(sealed, b"\x03").with_(body=bytes.fromhex("000B"))
    assert "0B digest error" in str(decoder.frame(reply.encode()))
    assert "0C sequence number error, expected 17" in ask(
        Decoder(), sealed.apdu, bytes.fromhex("00 0C 00000011") + bytes(8)
    )


def test_a_procedure_is_named():
    """The guide's example, EP17 (MEP p.53); see test_decode_named.py."""
    _, request = sealed_read(command=bytes.fromhex("40 0007 0006 1108 07 00F803"))
    shown = text(request.encode().hex(), Omak(OMAK))
    assert "full write of BT07" in shown
    assert "EP17 " in shown and "handle = 1016" in shown


def test_fields_of_an_answer():
    decoder = Decoder(Omak(OMAK))
    sealed, request = sealed_read(command=bytes.fromhex("3F 0034 000000 0006"))
    decoder.frame(request.encode())
    reply = answer(sealed, bytes.fromhex("00 0006 180B150C1E05"))
    shown = str(decoder.frame(reply.encode()))
    assert "BT52" in shown
    assert "clock" in shown


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        ("30 0003 00000001", Command(0x30, 3, 0, 0, b"", 1)),
        ("3F 0840 000102 0054 00000002", Command(0x3F, 0x840, 258, 84, b"", 2)),
        ("40 0007 0002 AABB 00000003", Command(0x40, 7, 0, 2, b"\xaa\xbb", 3)),
        ("4F 0007 000001 0001 AA FFFFFFFF", Command(0x4F, 7, 1, 1, b"\xaa", 0xFFFFFFFF)),
        ("30 0003 0000000100", None),
        ("40 0007 0002 AA 00000003", None),
        ("31 0003 00000001", None),
        ("4F", None),
    ],
)
def test_commands(command, meant):
    assert parse_command(bytes.fromhex(command)) == meant


# -- captures and anything


def test_a_capture_is_explained_in_order(tmp_path):
    path = tmp_path / "line.pcap"
    sealed, request = sealed_read()
    with pcap.Writer(path) as capture:
        capture.write(request.encode(), 1_700_000_000, 0)
        capture.write(answer(sealed, bytes.fromhex("00 0001 05")).encode(), 1_700_000_001, 1)
    first, second = explain_file(path, Omak(OMAK))
    assert first.text.startswith("1  22:13:20.000000 #0  1/127 > 2/2  full read of BT03")
    assert second.text.startswith("2  22:13:21.000000 #1  2/2 > 1/127  ok: full read of BT03")


def test_rich_prints_a_tree():
    console = Console(width=100)
    with console.capture() as printed:
        console.print(explain_hex("0110018500036100 9B05"))
    assert "└── CRC 9B05, good" in printed.get()


KINDS = st.sampled_from([0x00, *range(0x45, 0x50), *range(0x50, 0x80)])


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(KINDS, st.binary(max_size=40), st.booleans(), st.integers(0, 3)), max_size=6
    )
)
def test_any_body_is_explained(messages):
    decoder = Decoder(Omak(OMAK))
    for code, data, is_answer, pdu in messages:
        frame = Frame(
            pdu=pdu,
            body=bytes((code,)) + data,
            kind=lpdu.RESPONSE if is_answer else lpdu.REQUEST,
            domain=DOMAIN,
        )
        assert str(decoder.frame(frame.encode()))


@given(st.binary(max_size=60))
def test_any_octets_are_explained(octets):
    assert text(octets.hex())
    assert text((b"\x7e" + octets).hex())
    assert text((octets + lpdu.crc16(octets).to_bytes(2, "big")).hex())
