"""`osgp deploy` to a board with MicroPython as it comes, which stock_board.py plays."""

import random
import threading
from pathlib import Path

import pytest
import stub_firmware
from stock_board import UNIQUE_ID, StockBoard
from test_deploy_root import START
from test_image import board_names

from osgp_tools import board_agent, deploy, deploy_folders, folder_bank
from osgp_tools.membership import InstallationKeys
from osgp_tools.repl import BoardError, Prompt, Repl

# A board of the stub's: service mode is a file.
BOARD = """
import machine, os
def is_there(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False
service = "asked for" if is_there("/service") else ""
def reset_to_service():
    open("/service", "w").close()
    machine.reset()
def reset():
    if service:
        os.remove("/service")
    machine.reset()
class watchdog:
    @staticmethod
    def feed():
        pass
"""
# The stub's device: a console, which knows its state and the id of its transceiver.
DEVICE = """
import sys
from application.state import STATE

class Link:
    uid = bytes.fromhex("040000112233")

class Node:
    link = Link

class Device:
    node = Node

def run(board):
    while True:
        sys.stdout.write(">>> ")
        line = b""
        while not line.endswith(b"\\r"):
            line += sys.stdin.buffer.read(1)
        if len(line) > 1:
            print(repr(eval(line, {"device": Device, "STATE": STATE})))
"""


@pytest.fixture
def boards(tmp_path, monkeypatch) -> Path:
    """A folder of boards with one in it: the stub."""
    folder = tmp_path / "boards"
    (folder / "stub").mkdir(parents=True)
    names = "".join(f"{name} = None\n" for name in board_names())
    stock = f"{names}from stub import *\nNAME = 'stub'\ndef bank(_): pass\n"
    (folder / "stub" / "stock.py").write_text(stock)
    (folder / "stub" / "board.py").write_text(BOARD)
    monkeypatch.setattr(deploy_folders, "BOARDS", folder)
    return folder


@pytest.fixture
def board(tmp_path, boards):
    with StockBoard(tmp_path) as board:
        yield board


@pytest.fixture
def firmware(tmp_path) -> Path:
    folder = stub_firmware.write(tmp_path / "firmware", "first")
    (folder / "device.py").write_text(DEVICE)
    (folder / "application" / "more.py").write_text("MORE = 1\n")
    return folder


@pytest.fixture
def deployed(board, firmware, tmp_path):
    """Deploys, and says what was sent."""

    def run():
        return deploy.deploy(board.where, "stub", tmp_path / "keys.csv", firmware)

    return run


def state(board) -> str:
    """What runs there, by its own word."""
    with Prompt(wait_for(board)) as prompt:
        return prompt.ask("STATE").strip("'")


def wait_for(board) -> str:
    """The port, when the board has restarted."""
    while not Path(board.where).exists():
        pass
    return board.where


def change(firmware: Path, text: str) -> None:
    (firmware / "application" / "state.py").write_text(f"STATE = {text!r}\n")


BANK = {"device.mpy", "application/__init__.mpy", "application/state.mpy", "application/more.mpy"}
ROOT = START | {"/board.py", "/stub.py"}


def test_to_an_empty_board(board, deployed):
    done = deployed()
    assert (done.where, done.version) == ("/bank_a", 1)
    assert set(done.sent) == {f"/bank_a/{name}" for name in BANK} | ROOT
    assert state(board) == "first"


def test_all_was_there(board, deployed):
    deployed()
    before = board.files()
    done = deployed()
    assert (done.where, done.version, done.sent, done.removed) == ("/bank_a", 1, [], [])
    assert state(board) == "first"
    assert board.files() == before


def test_one_file_was_changed(board, deployed, firmware):
    deployed()
    change(firmware, "second")
    done = deployed()
    assert (done.where, done.version) == ("/bank_b", 2)
    assert done.sent == ["/bank_b/application/state.mpy"]
    assert state(board) == "second"
    change(firmware, "third")
    done = deployed()
    assert (done.where, done.version) == ("/bank_a", 3)
    assert done.sent == ["/bank_a/application/state.mpy"]
    assert state(board) == "third"


def test_stale_files_are_removed(board, deployed, firmware):
    deployed()
    (firmware / "application" / "more.py").unlink()
    deployed()
    change(firmware, "third")
    done = deployed()
    assert done.removed == ["/bank_a/application/more.mpy"]
    assert not [path for path in board.files() if "more" in path]
    assert state(board) == "third"


FOREIGN = {
    "/settings/bt53": b"a table",
    "/settings/journal0": b"a journal",
    "/raw/3": b"a ring",
    "/notes.txt": b"somebody's",
    "/lib/other.py": b"X = 1\n",
}


def put(board, files: dict[str, bytes]) -> None:
    with Repl(wait_for(board)) as link:
        agent = board_agent.Agent(link)
        for path, content in files.items():
            agent.write(path, content)


def test_what_others_wrote_stays(board, deployed, firmware):
    put(board, FOREIGN)
    deployed()
    change(firmware, "second")
    (firmware / "application" / "more.py").unlink()
    deployed()
    assert FOREIGN.items() <= board.files().items()


def test_somebody_elses_board_is_kept_and_named(board, deployed, boards, capsys):
    ours = (boards / "stub" / "stock.py").read_bytes()
    put(board, {"/board.py": ours + b"# other pins\n", "/main.py": b"print('mine')\n"})
    done = deployed()
    assert done.kept == ["/board.py"]
    assert "/board.py was kept" in capsys.readouterr().out
    assert board.files()["/board.py"].endswith(b"# other pins\n")
    assert state(board) == "first"  # main.py is deploy's
    assert deployed().kept == ["/board.py"]


def test_a_file_too_many_in_a_bank_is_named_before_anything_is_touched(board, deployed, firmware):
    deployed()
    put(board, {"/bank_b/device.py": b"a newer one, somebody thinks\n"})
    before = board.files()
    change(firmware, "second")
    with pytest.raises(BoardError, match=r"/bank_b has files .* device\.py"):
        deployed()
    after = board.files()
    assert after.pop("/service") == b""
    assert after == before


# ---- the power goes


class Interrupted:
    """A deployed board in service mode, about to be given a second firmware and board.py."""

    def __init__(self, board: StockBoard, deployed, firmware: Path, boards: Path):
        deployed()
        put(board, {"/service": b""})
        board.stop()
        self.board = board
        self._before = board.flash.read_bytes()
        self._files = board.files()
        change(firmware, "second")
        (firmware / "application" / "more.py").unlink()
        (firmware / "application" / "new.py").write_text("NEW = 1\n")
        self.modules = folder_bank.modules(firmware)
        stub = boards / "stub" / "board.py"
        stub.write_text(BOARD + "# of the second deploy\n")
        self.root = deploy_folders.root_files("stub", 0)

    def deploy(self) -> None:
        with Repl(self.board.where) as link:
            agent = board_agent.Agent(link)
            deploy_folders.Folders(agent, lambda _: None).deploy(self.modules, self.root)

    def operations(self) -> int:
        """Of the flash, in a deploy that nobody interrupts."""
        self.board.flash.write_bytes(self._before)
        self.board.start()
        self.deploy()
        with Repl(self.board.where) as link:
            count = link.ask("__import__('flash').operations")
        self.board.stop()
        return count

    def cut_in(self, operation: int) -> str:
        """The power goes in the midst of an operation. What the board then starts."""
        self.board.flash.write_bytes(self._before)
        self.board.start(cut=operation)
        with pytest.raises(BoardError):
            self.deploy()
        self.board.off()
        self.board.start()
        started = self.started()
        self.whole_or_old()
        return started

    def started(self) -> str:
        """What boot.py chose. In service mode main.py does not run it."""
        with Repl(self.board.where) as link:
            link.run("from application.state import STATE; import device")
            return link.ask("STATE")

    def whole_or_old(self) -> None:
        files = self.board.files()
        for path, content in self.root.items():
            assert files[path] in (content, self._files[path]), path


def test_power_cuts(board, deployed, firmware, boards):
    """In each flash operation of a deploy: the old bank starts, or the new one, whole."""
    interrupted = Interrupted(board, deployed, firmware, boards)
    states = []
    for operation in range(1, interrupted.operations() + 1):
        states.append(interrupted.cut_in(operation))
        if operation % 6 == 0:
            interrupted.deploy()
            assert not [path for path in board.files() if path.endswith(".new")]
        board.stop()
    assert states == sorted(states)
    assert set(states) == {"first", "second"}
    board.start()


# ---- what boot.py makes of a folder


def bank_after(board, path: str, content: bytes) -> tuple[str, bool]:
    """What runs when a file of bank B has another content, and whether boot.py has said why."""
    put(board, {path: content})
    board.stop()
    board.start()
    with Repl(board.where) as link:
        said = link.run("execfile('/boot.py', {})")
        return said, link.ask("__import__('sys').path[0]")


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        ("application/state.mpy", b"damaged", "is damaged"),
        ("application/state.py", b"STATE = 'somebody'", "is damaged"),
        ("header", b"OSGP", "has no header that is known"),
        ("header", b"x" * 76, "has no header that is known"),
    ],
)
def test_a_bank_that_is_not_whole_is_named_and_the_other_taken(
    board, deployed, firmware, path, content, reason
):
    deployed()
    change(firmware, "second")
    deployed()
    said, path = bank_after(board, f"/bank_b/{path}", content)
    assert f"boot: bank /bank_b {reason}" in said
    assert path == "/bank_a"


def test_installation_keys(board, deployed, tmp_path):
    """Kept before the board has one, and under its transceiver's name when that is known."""
    deployed()
    key = board.files()[deploy.KEY]
    file = tmp_path / "keys.csv"
    assert len(set(key)) > 8
    assert file.read_text() == f"{UNIQUE_ID.hex()},{key.hex()}\n040000112233,{key.hex()}\n"
    assert file.stat().st_mode & 0o077 == 0
    assert InstallationKeys(file).of(bytes.fromhex("040000112233")) == key
    file.unlink()
    deployed()
    assert file.read_text() == f"{UNIQUE_ID.hex()},{key.hex()}\n040000112233,{key.hex()}\n"


def test_the_key_of_updates(board, tmp_path, firmware):
    """It is given once, and stays."""
    for key in (bytes(range(60)), None):
        deploy.deploy(wait_for(board), "stub", tmp_path / "keys.csv", firmware, key)
        assert board.files()[deploy.UPDATE_KEY] == bytes(range(60))


# ---- what is wrong is said in one line


def test_nobody_is_there(boards, tmp_path):
    with pytest.raises(BoardError, match="failed to access"):
        deploy.deploy(str(tmp_path / "nowhere"), "stub", tmp_path / "keys.csv")


def test_a_board_without_files_for_micropython_as_it_comes(board, boards, tmp_path, firmware):
    with pytest.raises(BoardError, match="is supported on stub; not on 'other'"):
        deploy.deploy(board.where, "other", tmp_path / "keys.csv", firmware)


def test_a_full_file_system_keeps_the_old_bank(board, deployed, firmware):
    deployed()
    put(board, {"/ballast": bytes(700_000)})
    (firmware / "application" / "large.py").write_text(
        f"X = {random.Random(1).randbytes(300_000)!r}\n"
    )
    change(firmware, "second")
    with pytest.raises(BoardError, match="OSError"):
        deployed()
    board.stop()
    board.start()
    with Repl(board.where) as link:
        link.run("from application.state import STATE")
        assert link.ask("STATE") == "first"


def test_code_that_raises_and_code_that_does_not_end(board):
    with Repl(board.where) as link:
        with pytest.raises(BoardError, match="ZeroDivisionError"):
            link.run("1 / 0")
        with pytest.raises(BoardError, match="not done in 1 s"):
            link.run("while True: pass", patience=1)


def test_reset(board, deployed):
    deployed()
    starts = board.starts
    deploy.reset(wait_for(board))
    assert state(board) == "first"
    assert board.starts == starts + 1


def test_a_board_that_is_flashed_is_awaited(board):
    threading.Timer(0.5, lambda: Path(f"{board.where}.later").symlink_to(board.where)).start()
    deploy.await_board(f"{board.where}.later")


def test_a_terminal_of_lines(board, deployed, monkeypatch, capsys):
    lines = iter(("STATE", "None", "device.node.link.uid"))
    monkeypatch.setattr("builtins.input", lambda _: next(lines, None) or end())
    deployed()
    capsys.readouterr()
    deploy.talk(wait_for(board))
    assert capsys.readouterr().out.splitlines()[0] == "'first'"


def end():
    raise EOFError
