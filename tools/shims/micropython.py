"""What the firmware imports from MicroPython's own module, for CPython: the host tools use the
firmware's code."""


def const(value):
    """The value: MicroPython's compiler folds it, CPython passes it through."""
    return value
