"""The command `osgp` as a user starts it, and the processes that it leaves."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

OSGP = str(Path(sys.executable).with_name("osgp"))
MARK = "OSGP_TEST_MARK"  # in the environment of all that tests start, and inherited from there
PATIENCE = 90.0  # s; the machine is shared
ENDING = 15.0  # s that processes may take to notice that their parent has gone


def marked() -> dict[int, str]:
    """The processes with this module's mark, and their commands. Empty without /proc."""
    mark = f"{MARK}={os.environ[MARK]}".encode()
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (place / "environ").read_bytes().split(b"\0"):
                command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                found[int(place.name)] = command
        except OSError:
            continue  # it ended meanwhile, or is somebody else's
    return found


def wait_for(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """For what has no event: processes that are not our children."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, f"waited in vain for: {what}"
        time.sleep(0.02)


def assert_none_left() -> None:
    """No process with the mark, in a moment at the latest."""
    end = time.monotonic() + ENDING
    while (left := marked()) and time.monotonic() < end:
        time.sleep(0.02)
    assert not left, f"left behind: {left}"


def end_those_left() -> None:
    """So that a failed test does not disturb the next."""
    for pid in marked():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def connected(port: int) -> socket.socket:
    found = []

    def attempt():
        try:
            found.append(socket.create_connection(("127.0.0.1", port), timeout=10))
        except ConnectionRefusedError:
            return False
        return True

    wait_for(attempt, f"somebody at port {port}")
    return found[0]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def osgp(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [OSGP, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class Running:
    """A command that goes on: its output as it comes, and its end.

    Leaving the context kills it. It has a session of its own, so that a signal to its process
    group does not reach the tests.
    """

    command: tuple[object, ...] = (OSGP,)

    def __init__(self, *arguments: object):
        self.process = subprocess.Popen(
            [*self.command, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            bufsize=0,
        )
        assert self.process.stdout
        self._source = self.process.stdout.fileno()
        self.output = ""

    def until(self, text: str, patience: float = PATIENCE) -> str:
        """Read until its output has the text; returns all of the output."""
        end = time.monotonic() + patience
        while text not in self.output:
            assert time.monotonic() < end, f"no {text!r} in {self.tail!r}"
            if select.select([self._source], [], [], 1)[0]:
                piece = self._read()
                assert piece, f"ended without {text!r}: {self.tail!r}"
        return self.output

    def _read(self) -> bytes:
        try:
            piece = os.read(self._source, 65536)
        except OSError:  # a terminal whose other end went
            piece = b""
        self.output += piece.decode(errors="replace")
        return piece

    @property
    def tail(self) -> str:
        """The last of its output: what a failed test shows."""
        return self.output[-1500:]

    def end(self) -> int:
        """Its exit code, when it has ended by itself. The rest of its output is read."""
        end = time.monotonic() + PATIENCE
        while select.select([self._source], [], [], 1)[0] == [] or self._read():
            assert time.monotonic() < end, f"it does not end: {self.tail!r}"
        return self.process.wait(timeout=PATIENCE)

    def interrupt(self) -> None:
        """What a terminal does at Ctrl-C: SIGINT to the whole process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for end in (self.process.stdin, self.process.stdout):
            if end:
                end.close()


class InTerminal(Running):
    """The same in a terminal of its own, whose keyboard is ours."""

    def __init__(self, *arguments: object):
        self._keyboard, screen = os.openpty()
        # A session leader without a terminal gets the one that it opens.
        attach = 'terminal=$1; shift; exec "$@" <"$terminal" >"$terminal" 2>&1'
        self.process = subprocess.Popen(
            ["sh", "-c", attach, "sh", os.ttyname(screen), OSGP, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._screen: int | None = screen  # kept open until the command has opened it, too
        self._source = self._keyboard
        self.output = ""

    def type(self, text: str) -> None:
        os.write(self._keyboard, text.encode())

    def interrupt(self) -> None:
        self.type("\x03")

    def end(self) -> int:
        self._let_go()
        return super().end()

    def _let_go(self) -> None:
        if self._screen is not None:
            os.close(self._screen)
            self._screen = None

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._let_go()
        os.close(self._keyboard)
