"""Deploying to our own VM: banks in flash, start-up and board frozen.

The bank that is not in use loses its header, takes the image and then the header: now it is
the one with the highest version. Power may go at any point: the other bank is whole.
"""

from collections.abc import Callable
from pathlib import Path

from osgp_tools.board_agent import Agent
from osgp_tools.deploy_folders import Done
from osgp_tools.flash import SECTOR
from osgp_tools.image import Header, ImageError, build_bank
from osgp_tools.repl import BoardError


def deploy(agent: Agent, firmware: Path, progress: Callable[[str], None]) -> Done:
    """Bring the firmware of a folder into a bank. Raises BoardError, ImageError."""
    banks = [_bank(agent, k) for k in (0, 1)]
    versions = {k: header.version for k, (header, whole) in enumerate(banks) if header and whole}
    active = max(versions, key=lambda k: versions[k], default=None)
    seen = [header.version for header, _ in banks if header]
    content = build_bank(1 + max(seen, default=0), firmware=firmware)
    wanted = Header.decode(content)
    running = banks[active][0] if active is not None else None
    if running and running.digest == wanted.digest:
        return Done(_name(active), running.version)
    if len(content) > agent.board.bank_size:
        raise ImageError(
            f"{len(content)} octets; a bank of this board has {agent.board.bank_size}"
        )
    target = 1 - active if active is not None else 0
    progress(f"{_name(target)}: {len(content):,} octets")
    agent.write_bank(target, content, SECTOR)
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


def _name(k: int | None) -> str:
    return f"bank {'AB'[k or 0]}"
