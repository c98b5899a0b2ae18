"""Deploying to our own VM: banks in flash, start-up and board frozen.

The bank that is not confirmed loses its header, takes the image and then, with the header, the
mark of a cable: that one runs from the next start on, and a trial is over. Power may go at any
point: without the mark nothing has changed but the spare bank.
"""

from collections.abc import Callable
from pathlib import Path

from osgp_tools import flash
from osgp_tools.board_agent import Agent
from osgp_tools.deploy_folders import Done
from osgp_tools.image import Header, ImageError, build_bank
from osgp_tools.repl import BoardError


def deploy(agent: Agent, firmware: Path, progress: Callable[[str], None]) -> Done:
    """Bring the firmware of a folder into a bank. Raises BoardError, ImageError."""
    if agent.board.bank_size != flash.BANK_SIZE:
        raise BoardError(f"banks of {agent.board.bank_size} octets, not {flash.BANK_SIZE}")
    confirmed, trial = agent.selected()
    banks = [_bank(agent, k) for k in (0, 1)]
    content = build_bank(
        1 + max((header.version for header, _ in banks if header), default=0), firmware=firmware
    )
    wanted = Header.decode(content)
    running, whole = banks[confirmed] if confirmed >= 0 else (None, False)
    if running and whole and not trial and running.digest == wanted.digest:
        return Done(_name(confirmed), running.version)
    target = 1 - confirmed if confirmed >= 0 else 0
    progress(f"{_name(target)}: {len(content):,} octets")
    agent.write_bank(target, flash.whole_bank(content)[: len(content)], flash.SECTOR)
    header, whole = agent.bank(target)
    if not whole or header != wanted.encode():
        raise BoardError(f"{_name(target)} is not what was written to it")
    return Done(_name(target), wanted.version, sent=[_name(target)])


def _bank(agent: Agent, k: int) -> tuple[Header | None, bool]:
    encoded, whole = agent.bank(k)
    try:
        return Header.decode(encoded), whole
    except ImageError:
        return None, False


def _name(k: int) -> str:
    return f"bank {'AB'[k]}"
