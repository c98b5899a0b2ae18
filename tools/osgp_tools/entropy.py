"""Random octets for keys and challenges: the operating system's.

Only in a simulated network, where nothing is secret and two runs have to be the same, does the
event loop give seeded ones in their place (`simulation/loop.py`).
"""

import asyncio
import secrets


def octets(count: int) -> bytes:
    """`count` octets that nobody can guess, or, in a simulation, that everybody can."""
    try:
        of_loop = getattr(asyncio.get_running_loop(), "octets", None)
    except RuntimeError:  # outside of a loop
        of_loop = None
    return of_loop(count) if of_loop else secrets.token_bytes(count)
