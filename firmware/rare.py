"""Code that is rarely needed: imported, run once, and let go of.

A function that is loaded takes some 90 octets of the heap for good (boards.md I). A module whose
docstring begins with "Rare:" is loaded by this one alone, and is garbage when nobody holds it any
more. It imports nothing but what is loaded anyway: that would stay. What is frozen beside boot.py
(`banks`, `signature`) is loaded in the same way.
"""

import sys


def load(name: str):
    """The module, which the next one to ask for it does not find, unless it is held."""
    if name in sys.modules:
        return sys.modules[name]
    module = __import__(name, None, None, ("run",))
    del sys.modules[name]
    if "." in name:
        package, leaf = name.rsplit(".", 1)
        delattr(sys.modules[package], leaf)
    return module


def hold(name: str):
    """It stays, for the time in which it is not rare, until `let_go`."""
    sys.modules[name] = load(name)


def let_go(name: str):
    """It is rare again, if it was not."""
    sys.modules.pop(name, None)


def run(name: str, *arguments):
    """What `run(*arguments)` of the module returns. What it raises passes through."""
    return load(name).run(*arguments)
