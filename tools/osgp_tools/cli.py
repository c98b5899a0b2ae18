"""The command `osgp`. Every error is one line; the exit code says whose it is (see `EPILOG`)."""

import asyncio
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from osgp_tools import access, deploy, uf2_drive
from osgp_tools.client import NoAnswerError
from osgp_tools.concentrator import ConcentratorError
from osgp_tools.decode import Decoder, explain_file, explain_hex
from osgp_tools.device import DeviceError, serve
from osgp_tools.discovery import DiscoveryError
from osgp_tools.image import Header, ImageError, build_bank
from osgp_tools.line import Line, LineError
from osgp_tools.line import serve as serve_line
from osgp_tools.line_server import Options
from osgp_tools.membership import CommissionError
from osgp_tools.pcap import CaptureError
from osgp_tools.port import LinkError
from osgp_tools.readout import ReadoutError
from osgp_tools.repl import BoardError
from osgp_tools.run import MainJobError, run
from osgp_tools.secured import Key
from osgp_tools.session import SessionError
from osgp_tools.store import StoreError

EPILOG = """Exit codes: 0 all went well; 1 a device refused, or what came is not as it must be;
2 the command was not understood; 3 no answer; 4 a port, a file or a process failed;
130 interrupted."""

DEVICE, USAGE, SILENCE, SYSTEM, INTERRUPTED = 1, 2, 3, 4, 130
CODES = {
    NoAnswerError: SILENCE,
    LinkError: SYSTEM,
    LineError: SYSTEM,
    DeviceError: SYSTEM,
    ImageError: SYSTEM,
    BoardError: SYSTEM,
    OSError: SYSTEM,
    SessionError: DEVICE,
    CommissionError: DEVICE,
    ConcentratorError: DEVICE,
    DiscoveryError: DEVICE,
    ReadoutError: DEVICE,
    MainJobError: DEVICE,
    StoreError: DEVICE,
    CaptureError: DEVICE,
    ValueError: USAGE,
}

app = typer.Typer(
    help="OSGP end devices, the power line between them, and a concentrator.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
image_app = typer.Typer(help="Code banks.", no_args_is_help=True)
app.add_typer(image_app, name="image")

LineOption = Annotated[
    str, typer.Option("--line", help="the transceiver: a terminal's path, pty:PATH or tcp:PORT")
]
DeviceOption = Annotated[
    str, typer.Option("--device", help="a member: its unique id, or subnet/node")
]
StoreOption = Annotated[Path, typer.Option("--store", help="the concentrator's members and keys")]
KeysOption = Annotated[
    Path | None,
    typer.Option("--keys", exists=True, help="installation keys (CSV); else the desk's rule"),
]
PcapOption = Annotated[
    Path | None, typer.Option("--pcap", help="write what is on the line, for tshark")
]
PortOption = Annotated[
    str, typer.Option("--port", help="a board's REPL: /dev/ttyACM0, socket://HOST:PORT, or auto")
]
BoardOption = Annotated[str, typer.Option("--board", help="a folder of boards/")]
STORE = Path("build/concentrator.db")


@app.command("run")
def run_command(
    speed: Annotated[float, typer.Option(min=0, help="1: real time; 0: as fast as it goes")] = 1.0,
    folder: Annotated[Path, typer.Option(help="where everything made goes to")] = Path("build"),
    pcap: PcapOption = None,
) -> None:
    """The main job: three devices, a line, a concentrator; is what was read true?"""
    try:
        code = run(folder, speed, pcap)
    except KeyboardInterrupt:
        print("main job: interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except tuple(CODES) as error:
        print(f"main job: FAILED, {error}")
        raise typer.Exit(_code(error)) from None
    raise typer.Exit(code)


@app.command("line")
def line_command(
    transceiver: Annotated[
        list[str], typer.Option(help="pty:PATH or tcp:PORT, and ,id=HEX if it must have one")
    ],
    speed: Annotated[float, typer.Option(min=0, help="1: real time; 0: no time on the air")] = 1.0,
    loss: Annotated[float, typer.Option(min=0, max=1, help="share of the frames lost")] = 0.0,
    seed: Annotated[int | None, typer.Option(help="of everything that is left to chance")] = None,
    pcap: PcapOption = None,
) -> None:
    """The simulated line alone, its transceivers offered to whoever comes."""
    options = Options(transceiver, speed, loss, seed, str(pcap) if pcap else None)
    raise typer.Exit(serve_line(options))


@app.command("device")
def device_command(
    plc: Annotated[str, typer.Option(help="its PLC UART: pty:PATH or tcp:PORT")],
    flash: Annotated[Path, typer.Option(help="its flash file; made if there is none")],
    source: Annotated[
        Path | None, typer.Option(exists=True, help="what it measures (osgp_tools.source)")
    ] = None,
) -> None:
    """One device, its PLC UART open to whoever comes."""
    _wait_for(serve(plc, flash, source))


@app.command("repl")
def repl_command(
    folder: Annotated[Path, typer.Option(help="for its flash file and terminal")] = Path("build"),
    port: Annotated[str, typer.Option(help="a board's REPL; else a device on the desk")] = "",
) -> None:
    """A MicroPython prompt inside a running device: on the desk, or a board's."""
    if port:
        deploy.talk(port)
        return
    folder.mkdir(parents=True, exist_ok=True)
    where = f"pty:{folder / 'repl.tty'}"
    with Line(["tcp:0", where]) as line:
        print(f"another transceiver of its line is at {line.names[0]}")
        _wait_for(serve(where, folder / "repl.flash", console=True))


@app.command("flash")
def flash_command(
    board: BoardOption = "rpi_pico",
    port: PortOption = "auto",
    drive: Annotated[
        Path | None, typer.Option(help="its drive, if it is in its boot loader")
    ] = None,
) -> None:
    """MicroPython as we build it onto a board. Tables, logs and banks stay as they are."""
    where = uf2_drive.flash(port, board, drive)
    print(f"copied to {where}; the board restarts")
    deploy.await_board(port)


@app.command("deploy")
def deploy_command(board: BoardOption = "rpi_pico", port: PortOption = "auto") -> None:
    """The firmware of this tree onto a board, into the bank that is not in use."""
    deploy.deploy(port, board)


@app.command("reset")
def reset_command(port: PortOption = "auto") -> None:
    """A hard reset of a board."""
    deploy.reset(port)


@app.command("logs")
def logs_command(port: PortOption = "auto") -> None:
    """The journal of a board: what ended its last runs."""
    print("\n".join(deploy.logs(port)) or "the journal is empty")


@app.command()
def discover(line: LineOption, pcap: PcapOption = None) -> None:
    """Find all devices on a line; their unique ids."""
    _wait_for(access.discover(line, pcap))


@app.command()
def commission(
    unique_id: Annotated[str, typer.Argument(help="12 hexadecimal digits")],
    line: LineOption,
    store: StoreOption = STORE,
    keys: KeysOption = None,
    pcap: PcapOption = None,
) -> None:
    """Make a device a member of the network, with new keys."""
    _wait_for(access.commission_one(line, access.unique_id(unique_id), store, keys, pcap))


@app.command()
def read(
    table: Annotated[str, typer.Argument(help="BT23, ET03, or its number")],
    line: LineOption,
    device: DeviceOption,
    offset: Annotated[int | None, typer.Option(min=0, help="the first octet")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="octets; else to the end")] = None,
    raw: Annotated[bool, typer.Option("--raw", help="octets only, in hexadecimal")] = False,
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """Read a table of a member, or a part of it."""
    part = access.Part(access.table_number(table), offset, count)
    _wait_for(access.read(line, device, part, raw, store, pcap))


@app.command()
def write(
    table: Annotated[str, typer.Argument(help="BT53, ET03, or its number")],
    data: Annotated[str, typer.Argument(help="octets in hexadecimal")],
    line: LineOption,
    device: DeviceOption,
    offset: Annotated[int | None, typer.Option(min=0, help="the first octet")] = None,
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """Write octets into a table of a member. What a host may not set stays as it is."""
    octets = bytes.fromhex(data)
    _wait_for(access.write(line, device, access.table_number(table), octets, offset, store, pcap))


@app.command()
def watch(
    line: LineOption,
    tables: Annotated[list[str] | None, typer.Argument(help="tables to look at")] = None,
    device: Annotated[str, typer.Option(help="the member whose tables and frames")] = "",
    every: Annotated[float, typer.Option(min=0.1, help="seconds between looks")] = 5.0,
    explain: Annotated[bool, typer.Option("--explain", help="frames in full")] = False,
    store: StoreOption = STORE,
    pcap: PcapOption = None,
) -> None:
    """Frames as they are heard; with tables, also what changes in them. Until Ctrl-C."""
    if tables and not device:
        raise ValueError("whose tables? name the --device")
    numbers = [access.table_number(table) for table in tables or ()]
    key = access.key_of(store, device) if device else None
    decoder = Decoder(Key(key) if key else None)

    def show(lpdu: bytes) -> None:
        node = decoder.frame(lpdu)
        stamp = time.strftime("%H:%M:%S ")
        print(f"{stamp}{node}" if explain else stamp + node.text, flush=True)

    _wait_for(access.watch(line, show, device, numbers, every, store, pcap))


@app.command()
def decode(
    what: Annotated[str, typer.Argument(help="a capture, or one frame in hexadecimal")],
    device: Annotated[str, typer.Option(help="the member whose key opens it")] = "",
    store: StoreOption = STORE,
) -> None:
    """Explain a captured frame, or a whole capture."""
    key = access.key_of(store, device) if device else None
    nodes = explain_file(what, key) if Path(what).exists() else [explain_hex(what, key)]
    console = Console()
    for node in nodes:
        if console.is_terminal:
            console.print(node)
        else:
            print(node)


@image_app.command("build")
def image_build(
    path: Annotated[Path, typer.Argument(help="the file to write")],
    version: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Compile the firmware of this tree to a code bank."""
    bank = build_bank(version)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bank)
    print(f"{path}: {len(bank):,} octets, version {version}")


@image_app.command("show")
def image_show(path: Annotated[Path, typer.Argument(exists=True)]) -> None:
    """What the header of a code bank says."""
    header = Header.decode(path.read_bytes())
    print(f"version {header.version}, for {header.family}, {header.length:,} octets")
    print(f"bytecode {header.mpy}, small ints of {header.small_int_bits} bits")
    print(f"SHA-256 {header.digest.hex()}")


def _wait_for(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _code(error: BaseException) -> int:
    """The most particular of `CODES` that fits."""
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


def main() -> None:
    """The entry point: commands, and what they raise as one line."""
    try:
        app()
    except tuple(CODES) as error:
        print(f"osgp: {error}", file=sys.stderr)
        sys.exit(_code(error))


if __name__ == "__main__":
    main()
