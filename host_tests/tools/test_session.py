"""Secured table access in mode 0, and becoming a member (profile 1-7, 14-16; osgp.md 2.4)."""

import asyncio

import pytest
from fake_line import DISCOVERY, FakeDevice, FakeLine, PlainNumbers
from hypothesis import given
from hypothesis import strategies as st

from osgp_tools.client import Client, Effort, NoAnswerError, Target
from osgp_tools.membership import (
    CommissionError,
    InstallationKeys,
    Place,
    aes,
    commission,
    desk_key,
    new_key,
)
from osgp_tools.session import (
    OfflineError,
    RefusedError,
    Result,
    SequenceLostError,
    Session,
)
from osgp_tools.suites import Answer, Code, Legacy, Sealed

KEY = bytes(range(1, 13))
BT03 = bytes.fromhex("00209800 31C3000800 00000000")


FAST = Effort(1, 0.02)


def run(scenario, first=1, expected=1):
    """Run a scenario(session, device, line)."""

    async def main():
        line = FakeLine()
        tables = {3: BT03, 7: b"", 8: bytes(16), 64: bytes(k % 251 for k in range(400))}
        device = FakeDevice(1, tables)
        device.join(1, 5, KEY, expected)
        line.devices.append(device)
        client = Client(line, silence=0, reading=FAST, writing=FAST)
        session = Session(client, Target(b"OSG", 1, 5), Legacy(KEY, 1, 5), PlainNumbers(first))
        return await scenario(session, device, line)

    return asyncio.run(main())


# ---- the octets


def test_published_digest_vector():
    """Request and answer of the published example, key DF x 12: the answer's digest is the vector.

    Its 28 octets are one of 11 longer than the answer that they hold, so it is checked on the
    accumulator, before the exact length is.
    """
    key = b"\xdf" * 12
    sealed = Sealed(key, 2, 2, 0x7F30EA6D, b"\x30\x00\x03")
    answer = bytes.fromhex("00000D 0020980031C30008000000000011")
    assert sealed._holds(bytearray(answer), bytes.fromhex("DBE5CDE507B1CB3D"))
    assert not sealed._holds(bytearray(answer), bytes.fromhex("DBE5CDE507B1CB3C"))


def test_a_request_on_the_line():
    """Code, cipher over command and sequence number, digest of the clear text (profile 1, 3)."""
    from osgp.security.digest import oma_digest

    sealed = Sealed(KEY, 1, 5, 7, b"\x30\x00\x03")
    plain = b"\x30\x00\x03\x00\x00\x00\x07"
    assert len(sealed.apdu) == 16 and sealed.apdu[0] == 0
    assert sealed.apdu[-8:] == oma_digest(KEY, b"\x01\x05\x00" + plain)
    assert sealed.apdu[1:-8] != plain


@given(st.binary(min_size=1, max_size=75), st.integers(0, 2**32 - 1), st.binary(max_size=84))
def test_what_is_sealed_is_understood_by_the_other_side_and_its_answer_by_us(data, number, body):
    device = FakeDevice(1, {9: body})
    device.join(3, 4, KEY, number)
    command = b"\x4f\x00\x09\x00\x00\x00" + len(data).to_bytes(2, "big") + data
    sealed = Sealed(KEY, 3, 4, number, command)
    assert sealed.open(device.secured(sealed.apdu)) == Answer(Code.OK)
    device.expected = number
    read = Sealed(KEY, 3, 4, number, b"\x30\x00\x09")
    assert read.open(device.secured(read.apdu)) == Answer(Code.OK, bytes(device.tables[9]))


@given(st.data())
def test_no_changed_answer_is_taken(data):
    device = FakeDevice(1, {9: b"body"})
    device.join(3, 4, KEY, 1)
    sealed = Sealed(KEY, 3, 4, 1, b"\x30\x00\x09")
    whole = device.secured(sealed.apdu)
    answer = bytearray(whole)
    at = data.draw(st.integers(0, len(answer) - 1))
    answer[at] ^= data.draw(st.integers(1, 255))
    assert sealed.open(bytes(answer)) is None
    cut = data.draw(st.integers(0, len(answer) - 1))
    assert sealed.open(whole[:cut]) is None


@given(st.binary(max_size=120))
def test_any_octets_are_an_answer_or_none(octets):
    sealed = Sealed(KEY, 1, 5, 1, b"\x30\x00\x03")
    assert sealed.open(octets) in (None, Answer(Code.DIGEST_ERROR))


def test_zeros_appended_to_an_answer_are_noticed():
    """The digest does not notice them (osgp.md 2.1); the length does."""
    device = FakeDevice(1, {9: b""})
    device.join(3, 4, KEY, 1)
    device.serve = lambda command: b"\x00\x00\x02\x01"  # says two octets, has one
    sealed = Sealed(KEY, 3, 4, 1, b"\x30\x00\x09")
    assert sealed.open(device.secured(sealed.apdu)) is None


# ---- tables


def test_full_read():
    async def scenario(session, device, line):
        return await session.read(3)

    assert run(scenario) == BT03


def test_a_long_read_is_split_at_84_octets():
    async def scenario(session, device, line):
        return await session.read(64, 10, 200), device.executed

    body, executed = run(scenario)
    assert body == bytes(k % 251 for k in range(10, 210))
    assert [c[3:] for c in executed] == [
        bytes((0, 0, 10, 0, 84)),
        bytes((0, 0, 94, 0, 84)),
        bytes((0, 0, 178, 0, 32)),
    ]


def test_a_long_write_is_split_at_75_octets():
    async def scenario(session, device, line):
        await session.write(64, b"\xaa" * 160, 7)
        with pytest.raises(ValueError, match="too many"):
            await session.write(64, bytes(76))
        return bytes(device.tables[64]), [len(c) - 8 for c in device.executed]

    body, sizes = run(scenario)
    assert body[7:167] == b"\xaa" * 160 and body[6] == 6 and body[167] == 167
    assert sizes == [75, 75, 10]


@pytest.mark.parametrize("code", [c for c in Code if c not in (Code.OK, Code.UNKNOWN, 0x0B, 0x0C)])
def test_every_response_code_has_its_name(code):
    async def scenario(session, device, line):
        device.codes[3] = code
        with pytest.raises(RefusedError, match=str(code)) as refused:
            await session.read(3)
        return refused.value.code

    assert run(scenario) is code


def test_an_unknown_response_code_is_unknown():
    async def scenario(session, device, line):
        device.codes[3] = 0x77
        with pytest.raises(RefusedError) as refused:
            await session.read(3)
        return refused.value.code

    assert run(scenario) is Code.UNKNOWN


def test_a_wrong_key_is_a_digest_error():
    async def scenario(session, device, line):
        device.key = bytes(12)
        with pytest.raises(RefusedError) as refused:
            await session.read(3)
        return refused.value.code, device.executed

    assert run(scenario) == (Code.DIGEST_ERROR, [])


def test_a_soft_offline_node_is_told_apart():
    async def scenario(session, device, line):
        device.offline = True
        with pytest.raises(OfflineError):
            await session.read(3)

    run(scenario)


# ---- sequence numbers


def test_numbers_count_up_by_one():
    async def scenario(session, device, line):
        for _ in range(3):
            await session.read(3)
        return device.expected

    assert run(scenario, first=40, expected=40) == 43


def test_a_device_ahead_is_followed_once():
    async def scenario(session, device, line):
        body = await session.read(3)
        return body, device.expected, len(device.executed)

    assert run(scenario, first=5, expected=5000) == (BT03, 5001, 1)


def test_a_device_behind_its_window_is_not_followed_down():
    async def scenario(session, device, line):
        with pytest.raises(SequenceLostError, match="expects sequence number 5: commission"):
            await session.read(3)
        return device.executed

    assert run(scenario, first=300, expected=5) == []


def test_numbers_lost_on_the_way_are_within_the_window():
    async def scenario(session, device, line):
        line.faults = lambda frame, down: []
        for _ in range(7):
            with pytest.raises(NoAnswerError):
                await session.read(3)
        line.faults = lambda frame, down: [frame]
        return await session.read(3)

    assert run(scenario) == BT03


def test_a_second_transaction_carries_the_same_octets():
    async def scenario(session, device, line):
        fate = iter([False] * 2 + [True] * 2)  # the first transaction passes in silence
        line.faults = lambda frame, down: [frame] if next(fate) else []
        await session.read(3)
        return line.down

    sent = run(scenario)
    assert len({frame.body for frame in sent}) == 1
    assert len({frame.tid for frame in sent}) == 2


def test_a_forged_answer_does_not_end_an_exchange():
    async def scenario(session, device, line):
        def forge(frame, down):
            return [frame] if down else [frame.with_(body=b"\x00\x00" + bytes(8)), frame]

        line.faults = forge
        return await session.read(3)

    assert run(scenario) == BT03


# ---- procedures


def test_a_procedure_returns_its_result_and_data():
    async def scenario(session, device, line):
        device.bp10 = lambda parameters: (0, parameters + b"\x09")
        first = await session.procedure(10, b"\x07\x01")
        second = await session.procedure(2068)
        return (
            first.result,
            first.data,
            second.result,
            [c[5:] for c in device.executed if c[0] == 0x40],
        )

    result, data, unknown, written = run(scenario)
    assert (result, data) == (0, b"\x07\x01\x09".ljust(12, b"\0"))
    assert unknown == Result.UNKNOWN_PROCEDURE
    assert written == [b"\x0a\x00\x0a\x07\x01", b"\x14\x08\x0b"]


def test_a_procedure_whose_answer_was_lost_runs_once():
    """The repeated octets draw 0C, the request under a new number 04; BT08 has the result."""
    runs = []

    async def scenario(session, device, line):
        def once(parameters):
            runs.append(parameters)
            return 0, b"done"

        device.bp10 = once
        answers = iter([False] * 2 + [True] * 20)  # both answers of the first transaction are lost
        line.faults = lambda frame, down: [frame] if down or next(answers) else []
        outcome = await session.procedure(10, b"\x01")
        return outcome.result, outcome.data

    assert run(scenario) == (0, b"done".ljust(12, b"\0"))
    assert runs == [b"\x01"]


# ---- becoming a member


def place(**changes):
    parts = {"domain": b"OSG", "subnet": 1, "node": 9, "broadcast_key": bytes(16)}
    return Place(**(parts | {"unicast_key": new_key(), "sequence": 77} | changes))


def test_commissioning_gives_place_and_keys():
    async def scenario(session, device, line):
        target = Target(DISCOVERY, unique_id=device.unique_id)
        given = place()
        await commission(session.client, target, desk_key(device.unique_id), given)
        assert (device.domain, device.subnet, device.node) == (b"OSG", 1, 9)
        assert device.key == given.unicast_key[:12] and device.expected == 77
        suite = Legacy(device.key, 1, 9)
        session = Session(session.client, Target(b"OSG", 1, 9), suite, PlainNumbers(77))
        with pytest.raises(CommissionError, match="result 1"):  # the same key again
            await commission(session.client, target, desk_key(device.unique_id), given)
        return await session.read(3)

    assert run(scenario) == BT03


def test_a_wrong_installation_key_draws_no_answer():
    async def scenario(session, device, line):
        target = Target(DISCOVERY, unique_id=device.unique_id)
        with pytest.raises(NoAnswerError):
            await commission(session.client, target, bytes(16), place())
        return device.key

    assert run(scenario) == KEY


def test_the_commissioning_text_lies_as_the_profile_says():
    text = place(unicast_key=b"U" * 16, broadcast_key=b"B" * 16, broadcast_base=5).encode()
    assert text == (
        bytes((0, 3)) + b"OSG\0\0\0" + bytes((1, 9)) + b"U" * 16 + b"B" * 16
        + bytes((0, 0, 0, 77)) + bytes((0, 0, 0, 5)) + bytes((0, 16))
    )  # fmt: skip
    assert len(text) == 52


def test_both_halves_agree_on_the_key():
    from osgp.commission import derive
    from osgp.security.ccm import cmac
    from osgp_tools.membership import commissioning_key

    parts = (bytes(range(16)), b"unique", b"challeng", b"response")
    assert derive(cmac, aes, *parts) == commissioning_key(*parts)


def test_installation_keys_come_from_a_file_or_the_desk_s_rule(tmp_path):
    path = tmp_path / "install-keys.csv"
    path.write_text("040000000001,000102030405060708090a0b0c0d0e0f\n")
    keys = InstallationKeys(path)
    assert keys.of(bytes.fromhex("040000000001")) == bytes(range(16))
    assert keys.of(bytes(6)) == desk_key(bytes(6)) != desk_key(b"\x01" + bytes(5))


def test_keys_are_not_shown():
    assert "4242" not in repr(place(unicast_key=b"\x42" * 16)) and "BBB" not in repr(
        place(unicast_key=b"B" * 16)
    )
