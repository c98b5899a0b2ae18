"""The command `osgp`. Every error is one line; the exit code says whose it is (see `EPILOG`)."""

import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from osgp_tools import (
    cli_access,
    cli_broadcast,
    cli_image,
    cli_meter,
    cli_network,
    cli_security,
    cli_simulation,
    cli_update,
    deploy,
    uf2_drive,
    update_key,
)
from osgp_tools.cli_access import INTERRUPTED, PcapOption, wait_for
from osgp_tools.client import NoAnswerError
from osgp_tools.concentrator import ConcentratorError
from osgp_tools.device import DeviceError
from osgp_tools.device_serving import serve, serve_ip
from osgp_tools.discovery import DiscoveryError
from osgp_tools.disturbances import Disturbance
from osgp_tools.image import ImageError
from osgp_tools.image_check import CheckError
from osgp_tools.line import Line, LineError
from osgp_tools.line import serve as serve_line
from osgp_tools.line_server import Options
from osgp_tools.membership import CommissionError
from osgp_tools.pcap import CaptureError
from osgp_tools.port import LinkError
from osgp_tools.profile_readout import ReadoutError
from osgp_tools.repl import BoardError
from osgp_tools.run import MainJobError, run
from osgp_tools.session import SessionError
from osgp_tools.signing import SigningError
from osgp_tools.source import Source
from osgp_tools.store import StoreError

EPILOG = """Exit codes: 0 all went well; 1 a device refused, or what came is not as it must be;
2 the command was not understood; 3 no answer; 4 a port, a file or a process failed;
130 interrupted."""

DEVICE, USAGE, SILENCE, SYSTEM = 1, 2, 3, 4
CODES = {
    NoAnswerError: SILENCE,
    LinkError: SYSTEM,
    LineError: SYSTEM,
    DeviceError: SYSTEM,
    ImageError: SYSTEM,
    SigningError: SYSTEM,
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
    CheckError: DEVICE,
    ValueError: USAGE,
}

app = typer.Typer(
    help="OSGP end devices, the power line between them, and a concentrator.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

PortOption = Annotated[
    str, typer.Option("--port", help="a board's REPL: /dev/ttyACM0, socket://HOST:PORT, or auto")
]
BoardOption = Annotated[str, typer.Option("--board", help="a folder of boards/")]
UpdateKeyOption = Annotated[
    Path | None,
    typer.Option("--update-key", help="a .pub of `osgp image keygen`: whose images it takes"),
]


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
    flash: Annotated[Path, typer.Option(help="its flash file; made if there is none")],
    plc: Annotated[str, typer.Option(help="its PLC UART: pty:PATH or tcp:PORT")] = "",
    ip: Annotated[
        str, typer.Option(help="no UART: CN/IP over UDP, HERE,MEMBER,...[,id=HEX] as [HOST:]PORT")
    ] = "",
    source: Annotated[
        Path | None, typer.Option(exists=True, help="what it measures (osgp_tools.source)")
    ] = None,
    key: UpdateKeyOption = None,
) -> None:
    """One device, its PLC UART open to whoever comes, or a member of a CN/IP channel."""
    if bool(plc) == bool(ip):
        raise ValueError("a device has --plc or --ip")
    if key:
        update_key.read(key)
    if ip:
        wait_for(serve_ip(ip, flash, source, update_key=key))
    else:
        wait_for(serve(plc, flash, source, update_key=key))


@app.command("source")
def source_command(
    path: Annotated[Path, typer.Argument(help="the file to write")],
    first: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="its first day, UTC")],
    days: Annotated[int, typer.Option(min=1)] = 30,
    annual: Annotated[float, typer.Option(min=0, help="consumption, kWh a year")] = 3500.0,
    feed_in: Annotated[float, typer.Option(min=0, help="peak power of solar cells, W")] = 0.0,
    phases: Annotated[int, typer.Option(help="1 or 3")] = 1,
    disturb: Annotated[
        list[str] | None, typer.Option(help='"START+DURATION KIND [LN] [VALUE]", in its time')
    ] = None,
) -> None:
    """A measured source, for `osgp device --source`: a household and what disturbs its line."""
    disturbances = tuple(Disturbance.parse(text) for text in disturb or ())
    house = Source.household(first.date(), days, annual, feed_in)
    replace(house, phases=phases, disturbances=disturbances).write(path)


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
        wait_for(serve(where, folder / "repl.flash", console=True))


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
def deploy_command(
    board: BoardOption = "rpi_pico", port: PortOption = "auto", key: UpdateKeyOption = None
) -> None:
    """The firmware of this tree onto a board, into the bank that is not in use."""
    deploy.deploy(port, board, update_key=update_key.read(key) if key else None)


@app.command("reset")
def reset_command(port: PortOption = "auto") -> None:
    """A hard reset of a board."""
    deploy.reset(port)


@app.command("logs")
def logs_command(port: PortOption = "auto") -> None:
    """The journal of a board: what ended its last runs."""
    print("\n".join(deploy.logs(port)) or "the journal is empty")


for command in (cli_network.discover, cli_network.topology):
    app.command()(command)
for command in (cli_access.commission, cli_access.read, cli_access.write):
    app.command()(command)
for command in (cli_meter.call, cli_meter.profile, cli_meter.transact):
    app.command()(command)
app.command("events")(cli_meter.show_events)
app.command()(cli_access.watch)
app.command()(cli_access.decode)
app.command()(cli_security.rekey)
app.command()(cli_simulation.simulate)
app.add_typer(cli_image.image_app, name="image")
app.add_typer(cli_broadcast.group_app, name="group")
app.command("broadcast")(cli_broadcast.broadcast_command)
app.command()(cli_update.update)


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
