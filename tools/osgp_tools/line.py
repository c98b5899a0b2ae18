"""`osgp line`: the simulated power line, its transceivers offered as pseudo terminals or TCP
ports.

`serve` is the process of a line; `Line` is such a process from outside, for runs and tests:

    with Line(["pty:/tmp/device", "tcp:0"], seed=1) as line:
        line.names                      # where the transceivers are
        line.ask("reset", transceiver=0)
        line.ask("statistics")
    line.final                          # statistics at the end
"""

import argparse
import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from osgp_tools.line_server import LineServer, Options

_STOP_SECONDS = 5


def serve(options: Options, control: bool = False) -> int:
    """Runs a line until SIGINT or SIGTERM. Returns the exit code.

    Prints one line of JSON when everything is offered and one with the statistics at the end; with
    `control` it answers each line of JSON on standard input (`LineServer.obey`) with one, and ends
    with that input, too.
    """
    try:
        return asyncio.run(_serve(options, control))
    except (OSError, ValueError) as error:
        print(f"osgp line: {error}", file=sys.stderr)
        return 2


async def _serve(options: Options, control: bool) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with LineServer(options) as server:
        _say({"transceivers": [transceiver.endpoint.name for transceiver in server.transceivers]})
        if control:
            listener = asyncio.create_task(_obey(server))
            listener.add_done_callback(lambda _: stop.set())
        await stop.wait()
        _say(server.statistics())
    return 0


async def _obey(server: LineServer) -> None:
    """Commands until standard input ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            _say(server.obey(json.loads(line)))
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            _say({"error": repr(error)})


def _say(answer: dict) -> None:
    print(json.dumps(answer), flush=True)


class LineError(Exception):
    """The line's process did not start, refused a command, or has ended."""


class Line:
    """A line in a process of its own. It ends when it is told to, or with this process."""

    def __init__(
        self,
        transceivers: Sequence[str],
        *,
        speed: float = 1.0,
        loss: float = 0.0,
        seed: int | None = None,
        pcap: str | Path | None = None,
    ) -> None:
        arguments = [*transceivers, "--control", f"--speed={speed}", f"--loss={loss}"]
        if seed is not None:
            arguments.append(f"--seed={seed}")
        if pcap is not None:
            arguments.append(f"--pcap={pcap}")
        # A session of its own: Ctrl-C goes to the process that started it, and that one stops it.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "osgp_tools.line", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.final: dict = {}
        self.names: list[str] = self._answer()["transceivers"]

    def ask(self, do: str, **fields: int) -> dict:
        """Gives a command (`LineServer.obey`) and returns the answer. Raises LineError."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do} | fields) + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError) as error:
            raise LineError("the line has ended") from error
        answer = self._answer()
        if "error" in answer:
            raise LineError(answer["error"])
        return answer

    def _answer(self) -> dict:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.communicate()
            raise LineError(f"the line has ended, exit code {self._process.returncode}")
        return json.loads(line)

    def stop(self) -> dict:
        """Ends the process. Returns the statistics, at the second call again.

        Raises LineError when it had ended in another way before.
        """
        if self._process.returncode is None:
            try:
                rest, _ = self._process.communicate(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                rest, _ = self._process.communicate()
            if self._process.returncode:
                raise LineError(f"the line died, exit code {self._process.returncode}")
            self.final = json.loads(rest)
        return self.final

    def __enter__(self) -> "Line":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def main() -> int:
    parser = argparse.ArgumentParser(prog="osgp line", description="A simulated power line.")
    parser.add_argument("transceivers", nargs="+", metavar="pty:PATH|tcp:PORT[,id=HEX]")
    parser.add_argument("--speed", type=float, default=1.0, help="1 real time, 0 no air time")
    parser.add_argument("--loss", type=float, default=0.0, help="share of frames lost")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--pcap", metavar="FILE")
    parser.add_argument("--control", action="store_true", help="commands on standard input")
    given = vars(parser.parse_args())
    control = given.pop("control")
    return serve(Options(**given), control)


if __name__ == "__main__":
    sys.exit(main())
