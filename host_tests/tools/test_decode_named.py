"""`osgp decode` and what stands in the data by name: procedures, pending tables, transactions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osgp_tools.decode_table import explain_answer, explain_request, parse_command
from osgp_tools.explanation import Node

SEQUENCE = "00000009"
TAG = bytes(8)


def request(command: str) -> str:
    """What is shown of a command; `command` without its sequence number."""
    node = Node("request")
    explain_request(node, b"\0" + TAG, bytes.fromhex(command + SEQUENCE))
    return str(node)


def answer(command: str, octets: str) -> str:
    """What is shown of the answer to a command."""
    node = Node("answer")
    asked = parse_command(bytes.fromhex(command + SEQUENCE))
    explain_answer(node, b"\0" + TAG, bytes.fromhex(octets), asked)
    return str(node)


def holds(shown: str, *lines: str) -> bool:
    """All of them, each a line of what is shown, in order."""
    found = [line.strip() for line in shown.splitlines()]
    places = [found.index(line) for line in lines]
    return places == sorted(places)


def test_a_procedure_and_its_parameters():
    """The guide's example: remove the device with handle 03F8 (MEP p.53)."""
    shown = request("40 0007 0006 1108 07 00F803")
    assert holds(shown, "EP17 Remove MEP device, number 7", "action = 0", "handle = 1016")


def test_parameters_without_names():
    assert "parameters 00, of a wrong length" in request("40 0007 0004 1108 07 00")
    assert "parameters none, of a wrong length" in request("40 0007 0003 1108 07")
    assert holds(request("40 0007 0005 6308 07 0102"), "EP99, number 7", "parameters 0102")
    assert "data 1108" in request("40 0007 0002 1108")  # too short for a procedure


def test_results_and_responses():
    read = "3F 0008 000000 0010"
    shown = answer(read, "00 0010 0A00 0B 00 1A011F0C0000 1A011F0C0001")
    assert holds(
        shown,
        "BP10 Set date and time, number 11: 0 done",
        "before = 2026-01-31T12:00:00",
        "after = 2026-01-31T12:00:01",
    )
    shown = answer(read, "00 0010 0F00 0B 01" + "00" * 12)
    assert "BP15 Clear specific pending tables, number 11: 1 no pending table has this" in shown
    shown = answer(read, "00 0010 0A00 0B 02" + "00" * 12)
    assert "number 11: 2 bad parameter" in shown and "before" not in shown
    assert "EP99, number 11: 77 unknown result" in answer(read, "00 0010 6308 0B 4D" + "00" * 12)
    assert "data 636363" in answer(read, "00 0010 6308 0B 00 636363" + "00" * 9)


def test_pending_tables():
    """OPT p.9: 4 octets at offset 3 are count 10, offset 3."""
    write = "4F 1035 000003 0009 30 1A031D0100 3C 7800"
    shown = request(write)
    assert holds(
        shown,
        "partial write of pending BT53 Time offset, 9 octets from 3",
        "pending: at 2026-03-29T01:00 UTC, after a self read and a demand reset",
        "data 3C7800",
        "dst_amount: 60",
        "zone_offset: 120",
    )
    shown = answer("3F 1036 000000 0006", "00 0006 000000000000")
    assert "pending: nothing pending" in shown
    assert "pending BT99" in request("30 1063")
    assert "data 0102" in answer("3F 1035 000000 0002", "00 0002 0102")  # too short for a PED


def test_transactions():
    shown = request(
        "4F 081B 000000 001C 1D00 00 0700 0800 3F0035 000000 0006 0900 40 0006 0004 616263640700"
    )
    assert "data 1D00" in shown and "transaction" not in shown  # its size is wrong
    shown = request(
        "4F 081B 000000 001C 1C00 00 0700 0800 3F0035 000000 0006 0900 40 0006 0004 616263640700"
    )
    assert holds(
        shown,
        "transaction 7: requests, 2 messages",
        "partial read of BT53 Time offset, 6 octets from 0",
        "full write of BT06 Utility information, 4 octets",
    )
    shown = answer(
        "3F 081C 000000 0017", "00 0017 1600 02 0700 0900 00 0006 0200003C3C00 0100 05 0000 0700"
    )
    assert "transaction" not in shown
    shown = answer(
        "3F 081C 000000 0017", "00 0017 1700 02 0700 0900 00 0006 0200003C3C00 0100 05 0000 0700"
    )
    assert holds(
        shown,
        "transaction 7: partial responses, 3 messages",
        "00 ok, 6 octets",
        "05 inappropriate action",
        "no answer",
    )


def test_a_broadcast_transaction_names_its_groups():
    shown = request("40 081B 000E 0E00 03 0100 02 01FF FFFF 0000 0100")
    assert holds(shown, "transaction 1: group broadcast, 1 messages", "groups FF01, FFFF")


@pytest.mark.parametrize("table", ["0007", "0008", "081B", "081C", "1035", "1007", "1FFF"])
@given(octets=st.binary(max_size=40))
def test_any_octets_are_explained(table, octets):
    size = len(octets).to_bytes(2, "big").hex()
    assert request(f"40 {table} {size} {octets.hex()}")
    assert answer(f"3F {table} 000000 {size}", f"00 {size} {octets.hex()}")
