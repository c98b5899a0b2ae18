"""The emulated Pico (tools/emulator) from Python: started, spoken to, and its power cut.

Times called `ms` are the device's own, counted from power-on; the emulator may be slower than the
wall, never faster than `speed` allows.
"""

import asyncio
import json
import shutil
import sys
from pathlib import Path
from typing import Any, Self

FOLDER = Path(__file__).resolve().parents[1] / "emulator"
HOST = "127.0.0.1"

_START = 20.0  # s
_ANSWER = 10.0  # s
_END = 5.0  # s
_ATTEMPTS = 3  # at a raw REPL
_NO_RAW_REPL = "could not enter raw repl"  # what mpremote prints then


class EmulatorError(Exception):
    """The emulator does not start, is gone, or did not do it in time."""


def missing() -> str:
    """Why no emulator can run here; empty if one can."""
    if not shutil.which("node"):
        return "node is not installed (18.3 or newer)"
    if not (FOLDER / "node_modules/rp2040js").is_dir():
        return f"rp2040js is not installed (npm ci --prefix {FOLDER})"
    return ""


class EmulatedPico:
    """One board. Power it on with `start()` as often as wanted: the flash file is the same board.

    uart0, uart1: "0" offers a free TCP port, "connect:PORT" connects to one, "off" leads nowhere.
    flash_times: "typical", "worst" or a seed. random: "os", "constant", "stuck" or a seed.
    tear: a seed; what the flash is busy with when the power goes is then torn, else untouched.
    """

    def __init__(
        self,
        bootrom: Path,
        flash: Path,
        *,
        speed: float = 1.0,
        uart0: str = "off",
        uart1: str = "off",
        flash_times: str = "typical",
        random: str = "os",
        tear: str | None = None,
    ) -> None:
        self.ports: dict[str, int | None] = {}  # repl, uart0, uart1
        self._arguments = {
            "bootrom": bootrom,
            "flash": flash,
            "speed": speed,
            "uart0": uart0,
            "uart1": uart1,
            "flash-times": flash_times,
            "random": random,
        }
        if tear is not None:
            self._arguments["tear"] = tear
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task | None = None
        self._turn = asyncio.Lock()  # one command at a time
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, image: Path | None = None) -> None:
        """Power on; with an image (UF2 or binary), that is loaded into the flash before.

        Raises EmulatorError.
        """
        if self._process:
            raise EmulatorError("the power is on already")
        arguments = {**self._arguments, **({"image": image} if image else {})}
        command = [f"--{name}={value}" for name, value in arguments.items()]
        self._answers, self._events = asyncio.Queue(), asyncio.Queue()
        self._process = await asyncio.create_subprocess_exec(
            "node",
            str(FOLDER / "board.mjs"),
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._reader = asyncio.create_task(self._read(self._process))
        ready = await self.event("ready")
        self.ports = {name: ready[name] for name in ("repl", "uart0", "uart1")}

    async def stop(self) -> None:
        """End the emulator; what the flash is busy with is lost like in a power cut."""
        await self._end(kill=False)

    async def kill(self) -> None:
        """The power goes, now."""
        await self._end(kill=True)

    async def cut_in_operation(self, count: int) -> None:
        """Order a power cut in the midst of the count-th erase or program from now."""
        await self.command("power-cut", operation=count)

    async def until_cut(self, patience: float = 60.0) -> float:
        """Wait until an ordered power cut has happened. Returns when, in ms."""
        event = await self.event("power-cut", patience)
        await self.kill()
        return event["ms"]

    async def event(self, name: str, patience: float = _START) -> dict[str, Any]:
        """The next event of this name ("reset": reason, ms). Raises EmulatorError."""
        try:
            async with asyncio.timeout(patience):
                while True:
                    event = await self._events.get()
                    if event["event"] == name:
                        return event
                    if event["event"] == "gone":
                        self._events.put_nowait(event)
                        raise EmulatorError("the emulator is gone")
        except TimeoutError:
            raise EmulatorError(f"no {name} within {patience} s") from None

    async def command(self, name: str, **arguments: object) -> dict[str, Any]:
        """A command of tools/emulator/README.md and its answer. Raises EmulatorError."""
        line = json.dumps({"cmd": name, **arguments}) + "\n"
        async with self._turn:
            if not self._process or not self._process.stdin:
                raise EmulatorError("the power is off")
            self._process.stdin.write(line.encode())
            try:
                answer = await asyncio.wait_for(self._answers.get(), _ANSWER)
            except TimeoutError:
                raise EmulatorError(f"no answer to {name}") from None
        if "error" in answer:
            raise EmulatorError(answer["error"])
        return answer

    async def time(self) -> float:
        """Device time since power-on, ms."""
        return (await self.command("time"))["ms"]

    async def stats(self, *, clear: bool = False) -> dict[str, Any]:
        """Counts and longest times since power-on; `clear` begins the longest times anew."""
        return await self.command("stats", clear=clear)

    async def bursts(self, uart: int) -> list[dict[str, Any]]:
        """What went over a UART since the last call: direction, start_ms, end_ms, count."""
        return (await self.command("bursts", uart=uart))["bursts"]

    async def mpremote(self, *arguments: str, patience: float = 30.0) -> str:
        """What `mpremote connect (this board) ...` prints. Raises EmulatorError.

        mpremote gives a board ten seconds to come to its raw REPL, which is short on a busy
        machine. Nothing has been asked of the board then, so it is tried again.
        """
        what = " ".join(arguments)
        for _ in range(_ATTEMPTS):
            code, output = await self._mpremote(arguments, patience)
            if _NO_RAW_REPL not in output:
                break
        if code:
            raise EmulatorError(f"mpremote {what}: {output}")
        return output

    async def _mpremote(self, arguments: tuple[str, ...], patience: float) -> tuple[int, str]:
        """Its exit status, and what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "mpremote",
            "connect",
            f"socket://{HOST}:{self.ports['repl']}",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await asyncio.wait_for(process.communicate(), patience)
        except TimeoutError:
            what = " ".join(arguments)
            raise EmulatorError(f"mpremote {what}: not done in {patience} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None
        return process.returncode, output.decode()

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        async for line in process.stdout:
            message = json.loads(line)
            queue = self._events if "event" in message else self._answers
            queue.put_nowait(message)
        self._answers.put_nowait({"error": "the emulator is gone"})
        self._events.put_nowait({"event": "gone"})

    async def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if not process:
            return
        if not kill and process.stdin:
            process.stdin.close()  # which ends it
            try:
                await asyncio.wait_for(process.wait(), _END)
            except TimeoutError:
                kill = True
        if kill and process.returncode is None:
            process.kill()
        await process.wait()
        if self._reader:
            await self._reader
