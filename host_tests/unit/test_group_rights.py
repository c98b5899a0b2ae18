"""What groups may be told to do: record by record, by the board's words."""

from osgp.group_rights import run
from support import noise, unhex
from tables.model import NO_RIGHT, NOT_POSSIBLE, OK

WORDS = ("relays", "levels", "tariff", "download", "supply")


def call(number, parameters):
    """A record that initiates a procedure."""
    bt07 = number.to_bytes(2, "little") + b"\xc8" + unhex(parameters)
    return b"\x40\x00\x07" + len(bt07).to_bytes(2, "big") + bt07


RECORDS = (
    (call(2050, "01 00"), "relays"),
    (call(2050, "02 01"), "relays"),
    (call(2050, "00 00"), "supply"),
    (call(2050, "00 01"), "supply"),
    (call(2050, ""), "supply"),  # too short: the procedure will say so
    (call(2070, "01 000000000000 0000"), "levels"),
    (call(2071, "00"), "supply"),
    (call(2084, "000000000000 0A00"), "supply"),
    (call(13, "000000000000"), "tariff"),
    (call(2056, "00100300"), "download"),
    (call(2057, "0000" + "00" * 56), "download"),
    (call(2058, "01 0000000000000000"), None),  # nobody switches a group
    (unhex("40 082F 0001 03"), "tariff"),  # ET47
    (unhex("4F 082F 000003 0001 03"), "tariff"),
    (unhex("40 182F 0001 03"), "tariff"),  # its pending table
    (unhex("30 0008"), ""),
    (unhex("3F 0008 000003 0001"), ""),
    (call(10, "07 1A0B150C0000 06"), None),  # the clock
    (call(9, "03"), None),
    (call(2068, "00"), None),  # a key
    (unhex("40 0035 0001 03"), None),
    (unhex("40 0804 0001 03"), None),
    (unhex("30 0017"), None),
    (unhex("4F 0007 000000 0005 0208C80100"), None),  # not by a full write
    (unhex("40 0007 0002 0208"), None),
    (unhex("99"), None),
    (unhex("30 00"), None),
    (b"", None),
)


def codes(may, *records):
    octets = b"\xee\xee\xee"
    for record in records:
        octets += len(record).to_bytes(2, "little") + record
    return list(run(may, octets + b"\1\0", 3, len(octets)))


def test_each_word():
    for record, word in RECORDS:
        for allowed in WORDS:
            wanted = OK if word in ("", allowed) else NO_RIGHT
            assert codes((allowed,), record) == [wanted], (record, allowed)
        assert codes((), record) == [OK if word == "" else NO_RIGHT]
        assert codes(WORDS, record) == [NO_RIGHT if word is None else OK]


def test_a_board_that_says_nothing():
    for record, word in RECORDS:
        allowed = word in ("", "relays", "levels", "tariff", "download")
        assert codes(None, record) == [OK if allowed else NO_RIGHT]


def test_one_procedure():
    relay = call(2050, "01 00")
    supply = call(2050, "00 00")
    read = unhex("30 0008")
    assert codes(None, relay, read, relay) == [OK, OK, NOT_POSSIBLE]
    assert codes(None, supply, relay, relay) == [NO_RIGHT, OK, NOT_POSSIBLE]
    assert codes(None, unhex("40 082F 0001 03"), relay) == [OK, OK]


def test_a_record_that_is_cut_short_ends_it():
    read = unhex("0300 30 0008")
    octets = read + unhex("0400 30 0008")
    assert list(run(None, octets, 0, len(octets))) == [OK]
    assert list(run(None, read + b"\1", 0, len(read) + 1)) == [OK]
    assert list(run(None, b"", 0, 0)) == []


def test_any_octets():
    octets = noise(20000, 5)
    for k in range(200):
        n = octets[k]
        piece = bytes(octets[90 * k : 90 * k + n % 90])
        for code in run(None, piece, 0, len(piece)):
            assert code in (OK, NO_RIGHT, NOT_POSSIBLE)
