"""Rare modules are there while they work, and no longer."""

import sys

import rare

NAME = "osgp.pending_shift"


class Nothing:
    """Pending tables, of which there are none: the module has nothing to do."""

    numbers = ()


def test_a_module_is_let_go_of():
    import osgp

    rare.let_go(NAME)  # another test's
    for _ in range(2):
        assert rare.run(NAME, Nothing(), 0, 0) is None
        assert NAME not in sys.modules
        assert not hasattr(osgp, "pending_shift")


def test_what_is_frozen_beside_boot():
    sys.modules.pop("banks", None)  # another test's
    assert rare.load("banks").HEADER == 76
    assert "banks" not in sys.modules


def test_a_module_that_is_held_goes_on_working():
    module = rare.load(NAME)
    assert NAME not in sys.modules
    assert module.run(Nothing(), 1, 1) is None
    assert rare.load(NAME) is not module


def test_what_is_held_for_a_time():
    rare.hold(NAME)
    module = rare.load(NAME)
    assert rare.load(NAME) is module
    for _ in range(2):
        rare.let_go(NAME)
        assert NAME not in sys.modules
    assert rare.load(NAME) is not module


def test_what_it_raises_passes_through():
    try:
        rare.run(NAME, None, 0, 0)
        raise AssertionError("nothing was raised")
    except AttributeError:
        pass
    assert NAME not in sys.modules
    try:
        rare.run("osgp.no_such_module")
        raise AssertionError("nothing was raised")
    except ImportError:
        pass
