"""Power goes while the device works: what was answered is there, what was not is whole or absent.

Two devices each time, on flash files of their own, cut at moments of their own. A cut is SIGKILL,
so it falls anywhere in the Python of the device but not within a write to the flash file: every
single flash operation, torn in every way, is in host_tests/faults.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from desk import KEY, UID, Desk

from osgp.security.ccm import seal
from osgp_tools.membership import Place, aes, commissioning_key, desk_key
from osgp_tools.session import Sealed

DOMAIN = bytes.fromhex("decade")
BT06, MEMBER = 6, "bytes(device.member.image)"
PIECE = 75  # octets of one write
DELAYS_MS = (0, 0.2, 0.5, 1, 2, 4)  # from a request's last octet to the cut
DEVICES = 2


def in_parallel(scenario, tmp_path: Path) -> list:
    """scenario(folder, number) for each device at once; what they return."""
    folders = [tmp_path / str(number) for number in range(DEVICES)]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor() as pool:
        return list(pool.map(scenario, folders, range(DEVICES)))


def expected(desk: Desk) -> int:
    """The sequence number that the device expects."""
    return int(desk.console("device.counter.hi << 16 | device.counter.lo"))


def cut(desk: Desk, after_ms: float) -> bool:
    """Power off so long after now, and on again. True: an answer had come before."""
    desk.heard.clear()
    end = desk.now() + after_ms
    while desk.now() < end and not desk.heard:
        desk.turn(0.0002)
    answered = bool(desk.heard)
    desk.stop()
    desk.start()
    return answered


def content(number: int) -> bytes:
    """Octets that tell which write they are of, in each place."""
    return bytes((number * 31 + k) & 0xFF for k in range(PIECE))


def write_until_cut(folder: Path, number: int) -> tuple[int, int]:
    """Writes under cuts. Returns how many of those under way were there, and were not."""
    there = absent = 0
    with Desk(folder) as desk:
        desk.commission()
        kept = 0
        for k, delay in enumerate(DELAYS_MS):
            for _ in range(3):
                kept += 1
                data = content(kept)
                command = b"\x4f\0\x06\0\0\0" + len(data).to_bytes(2, "big") + data
                assert desk.command(command).code == 0
            before = expected(desk)
            data = content(kept + 1)
            command = b"\x4f\0\x06\0\0\0" + len(data).to_bytes(2, "big") + data
            sealed = Sealed(desk.key, 5, 9, desk.sequence, command)
            desk.send(desk.frame(sealed.apdu))
            answered = cut(desk, delay * (1 + number / 2))
            assert expected(desk) >= before, "the sequence number went back"
            if answered:
                assert expected(desk) > before
            desk.sequence = expected(desk)
            found = desk.command(f"3F 0006 000000 {PIECE:04X}")
            assert found.code == 0  # a member as before, under the same key
            assert found.data in (content(kept), content(kept + 1)), f"torn by cut {k}"
            assert not answered or found.data == content(kept + 1)
            there += found.data == content(kept + 1)
            absent += found.data == content(kept)
            kept += found.data == content(kept + 1)
            assert desk.console("device.settings.bad") == "0"
    return there, absent


def test_writes_are_whole_or_absent(tmp_path):
    outcomes = in_parallel(write_until_cut, tmp_path)
    assert all(sum(outcome) == len(DELAYS_MS) for outcome in outcomes)


def commissioning_message(desk: Desk, node: int, key: bytes):
    """The frame that makes the device node `node` under a key; its challenge is done."""
    ours = os.urandom(8)
    theirs = desk.exchange(desk.by_id(b"\x47\x01" + ours)).body[2:]
    encrypt = aes(commissioning_key(desk_key(UID), UID, ours, theirs))
    bound = b"\x46\x01" + UID + ours
    place = Place(DOMAIN, 5, node, key, key[::-1], sequence=1000 * node)
    return desk.by_id(b"\x46\x01" + ours + seal(encrypt, bytes(13), bound, place.encode(), 8))


def commission_until_cut(folder: Path, number: int) -> list[str]:
    """Commissions under cuts. Returns what each left: "old" or "new"."""
    left = []
    with Desk(folder) as desk:
        desk.commission()
        domain, node, key = bytes.fromhex("c0ffee"), 9, KEY
        for k, delay in enumerate(DELAYS_MS, start=20):
            new_key = bytes((k + number,)) * 16
            old = desk.console(MEMBER)
            least = expected(desk)
            desk.send(commissioning_message(desk, k, new_key))
            answered = cut(desk, delay * (1 + number / 2))
            if desk.console(MEMBER) == old:
                assert not answered, "it said yes, and forgot"
                assert expected(desk) >= least
                left.append("old")
            else:
                domain, node, key = DOMAIN, k, new_key
                assert expected(desk) >= 1000 * k
                left.append("new")
            sealed = Sealed(key[:12], 5, node, expected(desk), b"\x30\0\x05")
            frame = desk.frame(sealed.apdu, domain=domain, destination=(5, node))
            answer = sealed.open(desk.exchange(frame).body)
            assert answer is not None and answer.code == 0, f"neither old nor new: {left}"
            assert desk.console("device.settings.bad") == "0"
    return left


def test_commissioning_is_whole_or_absent(tmp_path):
    outcomes = in_parallel(commission_until_cut, tmp_path)
    assert all(len(outcome) == len(DELAYS_MS) for outcome in outcomes)


@pytest.mark.parametrize("times", [3])
def test_many_starts_use_up_no_more_than_their_share(tmp_path, times):
    """A start costs at most one block of 256 sequence numbers, and no setting."""

    def live(folder, _):
        with Desk(folder) as desk:
            desk.commission()
            number, image = expected(desk), desk.console(MEMBER)
            for _ in range(times):
                cut(desk, 0)
                assert number <= expected(desk) <= number + 256
                number = expected(desk)
                assert desk.console(MEMBER) == image

    in_parallel(live, tmp_path)
