"""What stands behind `osgp deploy`, `osgp reset`, `osgp logs` and `osgp repl --port`."""

import contextlib
import readline  # noqa: F401  gives input() a history
import time
from pathlib import Path

from osgp_tools import deploy_flash, folder_bank
from osgp_tools.board_agent import Agent
from osgp_tools.deploy_folders import Done, Folders, root_files
from osgp_tools.image import FIRMWARE
from osgp_tools.install_keys import LENGTH, KeyFile, new_key
from osgp_tools.repl import RESTART, BoardError, Prompt, Repl, port

KEY = "/installation.key"
UPDATE_KEY = "/update.pub"
KEYS = Path("build/install-keys.csv")
_TRANSCEIVER = 30.0  # s for the device to start and its transceiver to answer
_AGAIN = 0.3  # s
_ANSWER = 2.0  # s for a line, from a device that may be restarting
_UNKNOWN = "00" * 6
_ENTRIES = 4  # of the journal (firmware/journal.py)
_AROUND = (1, 4)  # octets around a setting's value: version, CRC


def deploy(
    where: str,
    family: str,
    keys: Path = KEYS,
    firmware: Path = FIRMWARE,
    update_key: bytes | None = None,
) -> Done:
    """Bring the firmware of a folder onto a board, and an installation key if it has none.

    family: which board it is, for one that does not know. update_key: under which it takes images
    from then on; None: as it is. Raises BoardError, ImageError, OSError.
    """
    where = port(where)
    with Repl(where) as repl:
        agent = Agent(repl)
        agent.into_service()
        board = agent.board
        if board.bank_size:
            done = deploy_flash.deploy(agent, firmware, print)
        else:
            modules = folder_bank.modules(firmware)
            root = root_files(board.family or family, board.mpy)
            done = Folders(agent, print).deploy(modules, root)
        key = give_key(agent, KeyFile(keys))
        if update_key:
            agent.write(UPDATE_KEY, update_key)
        agent.restart()
    _report(done)
    name_key(where, KeyFile(keys), key)
    return done


def give_key(agent: Agent, keys: KeyFile) -> bytes:
    """The board's installation key, a new one if it has none; kept in the file first."""
    key = agent.content(KEY)
    fresh = len(key) != LENGTH
    if fresh:
        key = new_key()
    if agent.board.unique_id:
        keys.add(agent.board.unique_id, key)
    if fresh:
        agent.write(KEY, key)
    return key


def name_key(where: str, keys: KeyFile, key: bytes) -> None:
    """Wait for the device to run and to know its transceiver, whose id is the name of its key."""
    unique_id = transceiver(where)
    if unique_id:
        keys.add(bytes.fromhex(unique_id), key)
        print(f"it runs, at transceiver {unique_id}; its installation key is in the file")
    else:
        print("no transceiver answers it yet; deploy again when one does, for the name of its key")


def transceiver(where: str, patience: float = _TRANSCEIVER) -> str:
    """The unique id of a running device's transceiver; empty: not within the time."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with contextlib.suppress(BoardError), Prompt(where, patience=_ANSWER) as prompt:
            said = prompt.ask("device.node.link.uid.hex()").strip("'")
            if len(said) == len(_UNKNOWN) and said != _UNKNOWN:
                return bytes.fromhex(said).hex()
        time.sleep(_AGAIN)
    return ""


def await_board(where: str) -> None:
    """Wait until the board that was flashed answers. BoardError: it does not."""
    end = time.monotonic() + RESTART
    while True:
        try:
            with Repl(port(where)) as repl:
                repl.end()
        except BoardError:
            if time.monotonic() > end:
                raise
            time.sleep(_AGAIN)
        else:
            return


def reset(where: str) -> None:
    """A hard reset. Raises BoardError."""
    with Repl(port(where)) as repl:
        Agent(repl).restart()


def logs(where: str) -> list[str]:
    """The entries of a device's journal, the oldest first. It runs on. Raises BoardError."""
    with Prompt(port(where)) as prompt:
        entries = [_entry(prompt, k) for k in range(_ENTRIES)]
    return [text for _, text in sorted(filter(None, entries))]


def _entry(prompt: Prompt, k: int) -> tuple[int, str] | None:
    """(number, text) of a place in the journal; None: it was never used, or is damaged."""
    said = prompt.ask(f"open('/settings/journal{k}','rb').read().hex()").strip("'")
    try:
        value = bytes.fromhex(said)[_AROUND[0] : -_AROUND[1]]
        number, _, text = value.decode().partition(" ")
        return int(number), text
    except ValueError:  # a traceback: no such file
        return None


def talk(where: str) -> None:
    """Lines to a running device or to the REPL, and what they give, until Ctrl-D or Ctrl-C."""
    with Prompt(port(where)) as prompt, contextlib.suppress(EOFError, KeyboardInterrupt):
        while True:
            said = prompt.ask(input(">>> "))
            if said:
                print(said)


def _report(done: Done) -> None:
    if done.sent or done.removed:
        print(
            f"{done.where}, version {done.version}: "
            f"{len(done.sent)} sent, {len(done.removed)} removed"
        )
    else:
        print(f"{done.where}, version {done.version}: all was there")
    for path in done.kept:
        print(f"{path} was kept: somebody else wrote it")
