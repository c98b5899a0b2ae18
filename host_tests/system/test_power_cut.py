"""Power goes while the device works: what was answered is there, the rest is whole or absent.

Four devices each time, on flash files of their own, cut at moments of their own. A cut is
SIGKILL: it falls anywhere in what the device does, but not within a write to the flash file. Every
single flash operation, torn in every way, is in host_tests/faults.
"""

import os
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from desk import KEY, UID, Desk
from osgp.security.ccm import seal
from osgp_tools import flash
from osgp_tools.lpdu import Frame
from osgp_tools.membership import Place, aes, commissioning_key, desk_key
from osgp_tools.suites import Sealed

DOMAIN = bytes.fromhex("decade")
BT06, MEMBER = 6, "bytes(device.member.image)"
PIECE = 75  # octets of one write
CUTS = 3  # of each device
BLOCK = 256  # sequence numbers that a device reserves at a time
ONE_AT_A_TIME = threading.Lock()
PROCESSORS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
DEVICES = 4


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


def delays_ms(number: int, longest: float) -> list[float]:
    """From a request's last octet to the cut: spread evenly over all devices."""
    return [(k * DEVICES + number) * longest / (CUTS * DEVICES) for k in range(CUTS)]


def send_and_cut(desk: Desk, frame: Frame, after_ms: float) -> bool:
    """Power off so long after a frame, and on again. True: an answer had come before."""
    with ONE_AT_A_TIME:
        _apart(desk)
        desk.heard.clear()
        desk.send(frame)
        end = time.perf_counter() + after_ms / 1000
        while time.perf_counter() < end and not desk.heard:
            desk.turn(0.0001)
        answered = bool(desk.heard)
        desk.process.kill()
    cut(desk)
    return answered


def _apart(desk: Desk) -> None:
    """A processor each: on a common one the device, once woken, is done before we come to kill."""
    if len(PROCESSORS) > 1:
        os.sched_setaffinity(0, PROCESSORS[:1])  # of this thread, which ends with its scenario
        os.sched_setaffinity(desk.process.pid, PROCESSORS[1:])


def cut(desk: Desk) -> None:
    """Power off, a look at the settings from outside, and power on."""
    desk.stop()
    for name, file in flash.files(desk.flash).items():
        whole = zlib.crc32(file[:-4]) == int.from_bytes(file[-4:], "little")
        assert whole or not file, f"{name} is torn"  # empty: there never was a value
    desk.start()


def content(number: int) -> bytes:
    """Octets that tell which write they are of, in each place."""
    return bytes((number * 31 + k) & 0xFF for k in range(PIECE))


def write_until_cut(folder: Path, number: int) -> tuple[int, int]:
    """Writes under cuts. Returns how many of those under way were there, and were not."""
    there = absent = 0
    with Desk(folder) as desk:
        desk.commission()
        kept = 0
        for k, delay in enumerate(delays_ms(number, 2)):
            for _ in range(3):
                kept += 1
                data = content(kept)
                command = b"\x4f\0\x06\0\0\0" + len(data).to_bytes(2, "big") + data
                assert desk.command(command).code == 0
            before = expected(desk)
            data = content(kept + 1)
            command = b"\x4f\0\x06\0\0\0" + len(data).to_bytes(2, "big") + data
            sealed = Sealed(desk.key, 5, 9, desk.sequence, command)
            answered = send_and_cut(desk, desk.frame(sealed.apdu), delay)
            # A start costs the rest of a block at most; what was answered is behind us.
            assert before + answered <= expected(desk) <= before + 1 + BLOCK
            desk.sequence = expected(desk)
            found = desk.command(f"3F 0006 000000 {PIECE:04X}")
            assert found.code == 0  # a member as before, under the same key
            assert found.data in (content(kept), content(kept + 1)), f"torn by cut {k}"
            assert not answered or found.data == content(kept + 1)
            there += found.data == content(kept + 1)
            absent += found.data == content(kept)
            kept += found.data == content(kept + 1)
    return there, absent


def test_writes_are_whole_or_absent(tmp_path):
    outcomes = in_parallel(write_until_cut, tmp_path)
    assert all(sum(outcome) == CUTS for outcome in outcomes)


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
        for k, delay in enumerate(delays_ms(number, 2.5), start=20):
            new_key = bytes((k + number,)) * 16
            old = desk.console(MEMBER)
            least = expected(desk)
            message = commissioning_message(desk, k, new_key)
            answered = send_and_cut(desk, message, delay)
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
    return left


def test_commissioning_is_whole_or_absent(tmp_path):
    outcomes = in_parallel(commission_until_cut, tmp_path)
    assert all(len(outcome) == CUTS for outcome in outcomes)
