"""Signing that is killed between any two of its file operations, and signing by many at once."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyhsslms.pyhsslms as lms
import pytest
from signing_support import HEIGHT, number_of, small_image, spend

from osgp_tools import signing
from osgp_tools.image_check import verify

OPERATIONS = ("open", "write", "fsync", "rename", "close")


@pytest.fixture
def key(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    signing.make(tmp_path / "update-key.prv", HEIGHT)
    return tmp_path / "update-key.prv"


class Watched:
    """`os` for osgp_tools.signing, and the one-time signature: calls `before(operation, path)`
    before each."""

    def __init__(self, before):
        self.before = before
        self.paths = {}
        self.sign = lms.LmotsPrivateKey.sign

    def __getattr__(self, name):
        function = getattr(os, name)
        if name not in OPERATIONS:
            return function

        def watched(where, *arguments):
            path = self.paths.get(where, where)
            self.before(name, Path(path))
            done = function(where, *arguments)
            if name == "open":
                self.paths[done] = where
            return done

        return watched

    def install(self, patch):
        def sign(one_time_key, message):
            self.before("sign", Path())
            return self.sign(one_time_key, message)

        patch.setattr(signing, "os", self)
        patch.setattr(lms.LmotsPrivateKey, "sign", sign)


def in_a_process(work) -> int:
    """Fork, work, be gone without cleaning up. Returns what waitpid says."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:  # nothing of a test may go on in this process
            os._exit(1)
    return os.waitpid(child, 0)[1]


def killed_at(k: int, key: Path, out: Path, image: bytes) -> bool:
    """Sign in a process that is killed before its k-th operation. Returns whether it was."""
    done = [0]

    def before(name, _):
        if name == "sign":  # from here on the number is known to whoever watches
            out.write_text(str(signing.Key.read(key).number - 1))
        if done[0] == k:
            os.kill(os.getpid(), signal.SIGKILL)
        done[0] += 1

    def work():
        Watched(before).install(pytest.MonkeyPatch())
        signing.sign(image, key)

    status = in_a_process(work)
    assert status in (0, signal.SIGKILL)
    return status == signal.SIGKILL


def record() -> int:
    (path,) = signing.records().glob("*.json")
    return json.loads(path.read_bytes())["next"]


def test_killed_at_any_operation(key, tmp_path):
    """A number that may have left is not used again, and the key goes on signing."""
    used = []
    k = 0
    out = tmp_path / "number"
    while killed_at(k, key, out, small_image(100 + k)):
        if out.exists():
            used.append(int(out.read_text()))
            out.unlink()
        assert max(used, default=-1) < record() <= signing.Key.read(key).number
        if k % 3 == 0:  # not after each: two kills may follow each other
            used += spend(key, 1)
        k += 1
    used.append(int(out.read_text()))
    assert k > 15
    assert len(set(used)) == len(used)
    assert spend(key, 1)[0] > max(used)


def test_both_are_on_the_disk_before_a_signature_is_made(key, monkeypatch):
    """As far as order tells: content, fsync, rename, fsync of the folder; file, then record."""
    trace = []
    Watched(lambda name, path: trace.append((name, path))).install(monkeypatch)
    signing.sign(small_image(), key)
    (of_record,) = signing.records().glob("*.json")
    steps = []
    for path in (key, of_record):
        beside = path.with_name(path.name + ".new")
        steps += [("write", beside), ("fsync", beside), ("rename", beside), ("fsync", path.parent)]
    kept = [step for step in trace if step[0] in ("write", "fsync", "rename", "sign")]
    assert kept == [*steps, ("sign", Path())]


def test_killed_while_a_key_is_made(tmp_path, monkeypatch):
    """There is no key, or one that signs, or a file that is none and is not taken for one."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    k = 0
    whole = 0
    status = 1
    while status:
        path = tmp_path / str(k) / "update-key.prv"
        done = [0]

        def before(*_, done=done, k=k):
            if done[0] == k:
                os.kill(os.getpid(), signal.SIGKILL)
            done[0] += 1

        def work(path=path, before=before):
            Watched(before).install(pytest.MonkeyPatch())
            signing.make(path, HEIGHT)

        status = in_a_process(work)
        assert status in (0, signal.SIGKILL)
        try:
            signed = signing.sign(small_image(), path)
        except (signing.SigningError, FileNotFoundError):
            assert not path.exists() or path.stat().st_size == 0
        else:
            verify(signed, path.with_suffix(".pub").read_bytes())
            whole += 1
        k += 1
    assert k > 15
    assert 1 <= whole < k


def test_four_processes_at_once(key, tmp_path):
    """Each number once, and none lost."""
    children = []
    for who in range(4):
        child = os.fork()
        if child == 0:
            try:
                numbers = [
                    number_of(signing.sign(small_image(10 * who + n), key)) for n in range(7)
                ]
                (tmp_path / f"{who}.json").write_text(json.dumps(numbers))
                os._exit(0)
            except BaseException:
                os._exit(1)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    numbers = [json.loads((tmp_path / f"{who}.json").read_text()) for who in range(4)]
    assert all(own == sorted(own) for own in numbers)
    assert sorted(number for own in numbers for number in own) == list(range(28))


def test_two_commands_at_once(key, tmp_path):
    """`osgp image sign`, two images by one key."""
    files = [tmp_path / f"{k}.img" for k in range(2)]
    commands = []
    for k, file in enumerate(files):
        file.write_bytes(small_image(k))
        command = (sys.executable, "-m", "osgp_tools.cli", "image", "sign", file, "--key", key)
        commands.append(subprocess.Popen(command, stdout=subprocess.PIPE))
    assert [command.wait(60) for command in commands] == [0, 0]
    assert {number_of(file.read_bytes()) for file in files} == {0, 1}
    for command in commands:
        assert command.stdout
        command.stdout.close()
