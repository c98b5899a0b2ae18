"""A board's REPL, in two ways, each call bounded in time.

`Repl` stops what runs and executes code (mpremote's raw REPL, without a soft reset). `Prompt`
types a line at what shows a prompt: a device (`firmware/console.py`), which runs on, or the REPL.
"""

import ast
import contextlib
import io
import secrets
import time
from typing import Any, Self

import serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport
from serial.tools import list_ports

PATIENCE = 10  # s for one call
RESTART = 30.0  # s for a board to come back; worst flash times and USB included
_RETRY = 0.3  # s
_GOES = 1  # s in which a board that was told to restart has done so
_PROMPT = ">>> "
_LONGEST_LINE = 200  # octets that the device's console takes
_PIECE = 32  # octets a board takes without us waiting for its echo


class BoardError(Exception):
    """The board does not answer, refused, or is not what the command needs."""


def port(where: str) -> str:
    """A port's path as it was given; of `auto`, the one board that there is. Raises BoardError."""
    if where != "auto":
        return where
    found = [p.device for p in list_ports.comports() if p.vid is not None]
    if len(found) != 1:
        names = ", ".join(found) or "none"
        raise BoardError(f"which port? name it with --port (USB serial ports here: {names})")
    return found[0]


class Repl:
    """`with Repl(where) as board:` a path, or `socket://HOST:PORT`. What runs there is stopped."""

    def __init__(self, where: str, patience: int = PATIENCE):
        self.where = where
        self._patience = patience
        self._transport: SerialTransport | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self) -> None:
        """Connect and stop what runs. BoardError: nobody there, or no MicroPython."""
        with self._bounded("connecting"):
            transport = SerialTransport(self.where, timeout=self._patience)
            self._transport = transport
            serial_port: Any = transport.serial
            serial_port.write_timeout = self._patience
            with contextlib.redirect_stdout(io.StringIO()):  # it prints what it did not expect
                transport.enter_raw_repl(soft_reset=False, timeout_overall=self._patience)

    def open_again(self, patience: float = RESTART) -> None:
        """Connect to a board that is restarting."""
        end = time.monotonic() + patience
        while True:
            self.close()
            time.sleep(_RETRY)
            try:
                self.open()
            except BoardError:
                if time.monotonic() > end:
                    raise
            else:
                return

    def close(self) -> None:
        """Let go of the port; the board stays where it is."""
        transport, self._transport = self._transport, None
        if transport:
            with contextlib.suppress(OSError, serial.SerialException):
                transport.close()

    def run(self, code: str, patience: int | None = None) -> str:
        """Execute code; what it prints. BoardError: it raised (the last line of the traceback)."""
        patience = patience or self._patience
        with self._bounded("executing"):
            transport = self._connected()
            transport.exec_raw_no_follow(code)
            printed = transport.read_until(1, b"\x04", patience, timeout_overall=patience)
            raised = transport.read_until(1, b"\x04", patience, timeout_overall=patience)
            if not (printed.endswith(b"\x04") and raised.endswith(b"\x04")):
                raise TransportError(f"not done in {patience} s")
            if raised != b"\x04":
                raise TransportExecError(1, raised[:-1].decode(errors="replace"))
        return printed[:-1].decode(errors="replace")

    def ask(self, expression: str, patience: int | None = None):
        """The value of an expression of plain literals."""
        printed = self.run(f"print(repr({expression}))", patience)
        try:
            return ast.literal_eval(printed.strip())
        except (SyntaxError, ValueError):
            raise BoardError(f"{self.where}: {expression} gave {printed.strip()!r}") from None

    def leave(self, code: str) -> None:
        """Execute code from which the board does not come back, and close. BoardError: it did."""
        heard = b""
        with contextlib.suppress(TransportError, OSError):  # it may be gone before it says so
            transport = self._connected()
            transport.exec_raw_no_follow(code)
            heard = transport.read_until(1, b"\x04>", _GOES, timeout_overall=_GOES)
        self.close()
        if heard.endswith(b"\x04>"):
            lines = heard[:-2].decode(errors="replace").strip().splitlines()
            raise BoardError(f"{self.where}: it did not restart: {lines[-1] if lines else ''}")

    def end(self) -> None:
        """Give the board its friendly REPL back, and close."""
        with self._bounded("leaving"):
            self._connected().exit_raw_repl()
        self.close()

    def _connected(self) -> SerialTransport:
        if not self._transport:
            raise BoardError(f"{self.where}: not connected")
        return self._transport

    @contextlib.contextmanager
    def _bounded(self, doing: str):
        """Whatever mpremote and pyserial raise, as one BoardError of one line."""
        try:
            yield
        except TransportExecError as error:
            lines = error.error_output.strip().splitlines()
            raise BoardError(f"{self.where}: {lines[-1] if lines else 'no reason'}") from error
        except (TransportError, OSError) as error:  # SerialException is an OSError
            raise BoardError(f"{self.where}: {doing}: {error}") from error


class Prompt:
    """`with Prompt(where) as prompt: prompt.ask("1 + 1")`, beside a device that runs on."""

    def __init__(self, where: str, patience: float = PATIENCE):
        """Raises BoardError."""
        self._where = where
        self._patience = patience
        try:
            self._serial = serial.serial_for_url(
                where, baudrate=115200, timeout=0.05, write_timeout=patience
            )
        except (OSError, ValueError) as error:
            raise BoardError(f"{where}: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._serial.close()

    def ask(self, line: str) -> str:
        """What the board prints for a line of Python. BoardError: no prompt, or a long line."""
        octets = line.encode()
        if len(octets) > _LONGEST_LINE or b"\n" in octets:
            raise BoardError(f"one line of {_LONGEST_LINE} octets at most")
        nonce = repr(secrets.token_hex(4))
        try:
            self._serial.write(f"\r{nonce}\r".encode())
            self._until(f"{nonce}\n{_PROMPT}")  # so what was typed before has been answered
            for at in range(0, len(octets), _PIECE):
                self._serial.write(octets[at : at + _PIECE])
            self._serial.write(b"\r")
            said = self._until(_PROMPT)
        except OSError as error:
            raise BoardError(f"{self._where}: {error}") from error
        return said.removesuffix(_PROMPT).removeprefix(line).strip("\n")

    def _until(self, ending: str) -> str:
        """What comes up to an ending after which nothing comes any more."""
        end = time.monotonic() + self._patience
        heard = b""
        while time.monotonic() < end:
            piece = self._serial.read(256)
            heard += piece
            said = heard.decode(errors="replace").replace("\r\n", "\n")
            if not piece and said.endswith(ending):
                return said
        raise BoardError(f"{self._where}: no prompt within {self._patience:g} s")
