"""Transactions from the host's side: the guide's sample, files, and a device that takes them."""

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig_line import session

from osgp_tools import model, transactions
from osgp_tools.transactions import REQUESTS, RESPONSES, Transaction, TransactionError
from rig import Member

# The guide's example of ET52 and ET53 (osgp.md 1.4), which have the layout of ET27 and ET28.
SAMPLE = """
read ET11 0 10
read BT20 0 10
read BT21 0 10
read ET04 55 1
read ET14 0 12
read ET15 0 31
"""
REQUEST = bytes.fromhex(
    "4300000100 08003F080B000000000A 08003F0014000000000A 08003F0015000000000A"
    "08003F08040000370001 08003F080E000000000C 08003F080F000000001F 0100"
)
RESPONSE = bytes.fromhex(
    "6F00010100 0D0000000A05422405060502 0103F9 0D0000000A3F0EFD0F08100104081A"
    "0D0000000A3F0E0C0F08000104081A 040000000104 0F0000000C000000000011010001042F00"
    "220000001F 00420001000201 4500010002 01480001000201 0300F80302 014B0001000201 0100"
)


def test_the_guides_request_and_response():
    lines = transactions.parse(SAMPLE)
    request = Transaction(REQUESTS, 1, tuple(line.command for line in lines))
    assert request.encode() == REQUEST
    assert Transaction.decode(REQUEST) == request
    response = Transaction.decode(RESPONSE)
    assert (response.type, response.number) == (RESPONSES, 1)
    assert response.encode() == RESPONSE
    answers = list(transactions.answers(lines, response))
    assert [answer.code for answer in answers] == [0] * 6
    assert [len(answer.data) for answer in answers] == [10, 10, 10, 1, 12, 31]
    assert answers[1].data == bytes.fromhex("3F0EFD0F08100104081A")
    assert str(answers[3]) == "read ET04 55 1: 00 ok, 1 octets"


def test_lines_of_a_file():
    lines = transactions.parse(
        "# all of it\nread BT01\n\nwrite BT06 48656C6C6F   # from the first\nwrite 2051 30 00FF\n"
    )
    assert [line.command.hex() for line in lines] == [
        "300001",
        "400006000548656c6c6f",
        "4f080300001e000200ff",
    ]
    assert [line.reads for line in lines] == [True, False, False]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "no line"),
        ("# nothing", "no line"),
        ("read BT01\nerase BT01", "line 2: erase BT01 is no read"),
        ("read", "line 1: read is no read"),
        ("read BT01 3", "line 1: read BT01 3: read TABLE"),
        ("read XX01", "line 1: XX01 is no table"),
        ("read BT01 a 3", "line 1: invalid literal"),
        ("read BT01 -1 3", "line 1: "),
        ("read BT01 16777216 3", "line 1: "),
        ("write BT01 0", "line 1: non-hexadecimal"),
    ],
)
def test_files_that_are_none(text, error):
    with pytest.raises(ValueError, match=re.escape(error)):
        transactions.parse(text)


@given(
    st.integers(0, 4),
    st.integers(0, 0xFFFF),
    st.lists(st.binary(max_size=30), max_size=6),
    st.lists(st.integers(0, 0xFFFF), max_size=4),
    st.binary(max_size=5),
)
def test_what_is_encoded_is_decoded(kind, number, messages, groups, rest):
    one = Transaction(kind, number, tuple(messages), tuple(groups) if kind == 3 else ())
    assert Transaction.decode(one.encode() + rest) == one


@given(st.binary(max_size=60))
def test_any_octets_are_a_transaction_or_none(octets):
    one = Transaction.decode(octets)
    assert one is None or one.number == int.from_bytes(octets[3:5], "little")


def test_a_device_carries_it_out():
    host = session(Member())
    lines = transactions.parse(
        "write BT06 20 4142434445\nread BT06 18 9\nread BT01\nread BT99\nwrite BT53 4 7800\n"
    )

    async def work():
        answers = await transactions.run(host, lines)
        return answers, await host.read(53, 0, 6)

    answers, offset = asyncio.run(work())
    assert [answer.code for answer in answers] == [0, 0, 0, 5, 0]
    assert answers[1].data == b"\0\0ABCDE\0\0"
    assert answers[2].data[:4] == b"OED "
    assert model.decode(53, offset)["zone_offset"] == 120
    assert str(answers[3]) == "read BT99: 05 inappropriate action"


def test_the_next_one_has_the_next_number():
    host = session(Member())

    async def work():
        for zone in (60, 120, 60):
            hexadecimal = zone.to_bytes(2, "little").hex()
            await transactions.run(host, transactions.parse(f"write BT53 4 {hexadecimal}"))
            assert model.decode(53, await host.read(53, 0, 6))["zone_offset"] == zone
        return await host.read(transactions.RESPONSE_TABLE, 0, 5)

    assert asyncio.run(work())[3:5] == b"\x03\x00"


def test_more_than_fits_into_the_request():
    host = session(Member())
    lines = transactions.parse(f"write BT54 0 {'00' * 760}")
    with pytest.raises(ValueError, match="768 is the most"):
        asyncio.run(transactions.run(host, lines))


def test_more_than_fits_into_the_response():
    """What did not fit is told: a partial response."""
    host = session(Member())
    lines = transactions.parse("read BT54\nread BT54\n")
    with pytest.raises(TransactionError, match="partial responses"):
        asyncio.run(transactions.run(host, lines))
