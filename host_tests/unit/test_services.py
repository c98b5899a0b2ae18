"""The four commands and what is answered when they are wrong."""

from fakes import Blob, Settings
from osgp.services import Services, command_length
from support import unhex
from tables.model import MASTER, READ, Model

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

IDENTITY = 3  # 13 octets, fixed
NAME = 5  # 100 octets, kept, all a host's
SECRET = 2048 + 4  # reads and writes need the master key
LONG = 64  # 70000 octets, of a reader

READ_LIMIT = 84
WRITE_LIMIT = 75
BODY = bytes(range(0x41, 0x4E))


def services(settings=None):
    made = Blob()
    made.add(IDENTITY, 0, 13, body=BODY)
    made.add(NAME, 1, 100, write=READ, runs=((0, 0xFFFF),))
    made.add(LONG, 3, 70000)
    made.add(SECRET, 1, 4, read=MASTER, write=MASTER, runs=((0, 4),))
    model = Model(made.build(), made.arena, settings or Settings())

    def ramp(offset, n, buf, o):
        for k in range(n):
            buf[o + k] = (offset + k) & 0xFF

    model.reader(LONG, ramp)
    return Services(model, READ_LIMIT, WRITE_LIMIT)


def run(door, command, level=MASTER):
    """The response to a command of its exact length. Around it nothing may be touched."""
    assert command_length(command, 0, len(command)) in (-1, len(command))
    out = bytearray(b"\xee" * 120)
    end = door.run(b"\xee\xee" + command, 2, len(command) + 2, out, 3, level, 0)
    assert out[:3] == b"\xee\xee\xee"
    return bytes(out[3:end])


def test_full_read():
    door = services()
    assert run(door, unhex("30 0003")) == unhex("00 000D") + BODY
    assert (door.reads, door.refused) == (1, 0)


def test_partial_read():
    door = services()
    assert run(door, unhex("3F 0003 000002 0003")) == unhex("00 0003 434445")
    assert run(door, unhex("3F 0003 00000C 0003")) == unhex("00 0003 4D0000")
    assert run(door, unhex("3F 0003 FFFFFF 0002")) == unhex("00 0002 0000")
    assert run(door, unhex("3F 0003 000000 0000")) == unhex("00 0000")
    assert run(door, unhex("3F 0040 01116E 0003")) == unhex("00 0003 6E6F00")  # the last two
    assert door.reads == 5


def test_writes():
    settings = Settings()
    door = services(settings)
    assert run(door, unhex("40 0005 0003 616263")) == b"\x00"
    assert run(door, unhex("4F 0005 000002 0002 7879")) == b"\x00"
    assert settings.kept["BT05"] == b"abxy" + bytes(96)
    assert run(door, unhex("3F 0005 000000 0005")) == unhex("00 0005 6162787900")
    assert run(door, unhex("40 0804 0005 0102030405")) == b"\x00"  # one octet more than the table
    assert settings.kept["ET04"] == b"\x01\x02\x03\x04"
    assert run(door, unhex("4F 0005 000063 0002 7A7A")) == b"\x00"
    assert settings.kept["BT05"] == b"abxy" + bytes(95) + b"z"
    assert run(door, unhex("40 0005 0000")) == b"\x00"
    assert (door.writes, door.refused) == (5, 0)


def test_limits():
    door = services()
    for n, code in ((READ_LIMIT, 0), (READ_LIMIT + 1, 4), (0xFFFF, 4)):
        answer = run(door, unhex("3F 0005 000000") + bytes((n >> 8, n & 0xFF)))
        assert answer[0] == code
        assert len(answer) == (3 + n if code == 0 else 1)
    for command in ("40 0005", "4F 0005 000000"):
        for n, code in ((WRITE_LIMIT, 0), (WRITE_LIMIT + 1, 4)):
            assert run(door, unhex(command) + bytes((0, n)) + bytes(n)) == bytes((code,))
    assert run(door, unhex("30 0005")) == b"\x04"  # 100 octets do not go into one answer
    assert run(door, unhex("30 0040")) == b"\x04"
    assert door.refused == 6


def test_absent_table():
    door = services()
    for number in ("0000", "0004", "1003", "FFFF"):
        assert run(door, unhex("30" + number)) == b"\x05"
        assert run(door, unhex("3F" + number + "0000000001")) == b"\x05"
        assert run(door, unhex("40" + number + "000100")) == b"\x05"
        assert run(door, unhex("4F" + number + "000000000100")) == b"\x05"
    assert door.refused == 16


def test_no_right():
    settings = Settings()
    door = services(settings)
    assert run(door, unhex("30 0804"), READ) == b"\x03"
    assert run(door, unhex("3F 0804 000000 0001"), READ) == b"\x03"
    assert run(door, unhex("40 0804 0001 01"), READ) == b"\x03"
    assert run(door, unhex("4F 0804 000000 0001 01"), READ) == b"\x03"
    assert run(door, unhex("40 0003 0001 01")) == b"\x03"  # nobody writes it
    assert run(door, unhex("40 0005 0001 01"), 0) == b"\x03"
    assert not settings.kept
    assert (door.reads, door.refused) == (0, 6)


def test_unknown_commands():
    door = services()
    known = (0x30, 0x3F, 0x40, 0x4F)
    for command in range(256):
        if command not in known:
            for rest in ("", "0003", "0003 000000 0001 00"):
                assert run(door, bytes((command,)) + unhex(rest)) == b"\x02"
    assert door.refused == 3 * 252


def test_exact_lengths():
    cases = (
        ("30 0003", 3),
        ("30", 3),
        ("3F 0003 000000 0001", 8),
        ("3F", 8),
        ("40 0003 0005 00", 10),
        ("40 0003 FFFF", 5 + 0xFFFF),
        ("40 0003 00", 0),
        ("40", 0),
        ("4F 0003 000000 0005", 13),
        ("4F 0003 000000 00", 0),
        ("4F", 0),
        ("31 0003", -1),
        ("00", -1),
    )
    for text, length in cases:
        command = unhex(text)
        assert command_length(command, 0, len(command)) == length, text
        # what lies around the command does not matter
        assert command_length(b"\x40" + command + b"\xff" * 8, 1, 1 + len(command)) == length


if given:

    def check_any(command, level):
        out = bytearray(3 + READ_LIMIT)
        length = command_length(command, 0, len(command))
        if length in (-1, len(command)):
            end = services().run(command, 0, len(command), out, 0, level, 0)
            assert out[0] in (0, 2, 3, 4, 5)
            assert end == 1 or (out[0] == 0 and end == 3 + (out[1] << 8 | out[2]))

    @given(st.binary(min_size=1, max_size=96), st.integers(0, 3))
    def test_any_octets_are_answered(command, level):
        check_any(command, level)

    @given(
        st.sampled_from((0x30, 0x3F, 0x40, 0x4F)),
        st.sampled_from((0, IDENTITY, NAME, LONG, SECRET)),
        st.integers(0, 0xFFFFFF),
        st.integers(0, 90),
        st.integers(0, 3),
    )
    def test_any_command_is_answered(command, number, offset, n, level):
        text = bytes((command,)) + number.to_bytes(2, "big")
        if command & 0x0F:
            text += offset.to_bytes(3, "big")
        if command != 0x30:
            text += n.to_bytes(2, "big")
        check_any(text + (bytes(n) if command & 0x40 else b""), level)
