"""Somebody ends `osgp run` before it is done: how it ends, and that no process is left.

Stages are told from what it prints, so that a slow machine is interrupted at the same points.
"""

import signal

import pytest
from processes import InTerminal, Running, assert_none_left, marked, wait_for


def run_to(stage: str, run: Running) -> None:
    if stage == "line":
        wait_for(lambda: any("osgp_tools.line" in one for one in marked().values()), "the line")
    else:
        run.until(stage)


def assert_interrupted(run: Running, folder) -> None:
    run.interrupt()
    assert run.end() == 130, run.tail
    assert run.output.rstrip().endswith("main job: interrupted"), run.tail
    assert "Traceback" not in run.output
    assert_none_left()
    assert not list(folder.glob("run/*.tty"))


@pytest.mark.parametrize("stage", ["line", "member as"])
def test_ctrl_c_at_a_terminal(stage, tmp_path):
    with InTerminal("run", "--speed", 0, "--folder", tmp_path) as run:
        run_to(stage, run)
        assert_interrupted(run, tmp_path)


def test_sigint_to_the_process_group(tmp_path):
    """Without a terminal a line tells of each step, so of those that are over in a moment too."""
    with Running("run", "--speed", 0, "--folder", tmp_path) as run:
        run_to("load profile", run)
        assert_interrupted(run, tmp_path)


def test_sigterm(tmp_path):
    """What a service manager sends to the parent alone: the default, so no tidying up by it."""
    with Running("run", "--speed", 0, "--folder", tmp_path) as run:
        run_to("finding devices", run)
        run.process.terminate()
        assert run.end() == -signal.SIGTERM, run.tail
        assert "Traceback" not in run.output
        assert_none_left()


def test_sigkill_and_the_next_run(tmp_path):
    """Line and devices notice by themselves. What is left in the folder is in nobody's way."""
    for stage in ("line", "clock set"):
        with Running("run", "--speed", 0, "--folder", tmp_path) as run:
            run_to(stage, run)
            run.process.kill()
            assert run.process.wait() == -signal.SIGKILL
            assert_none_left()
    with Running("run", "--speed", 0, "--folder", tmp_path) as run:
        run_to("clock set", run)
        assert_interrupted(run, tmp_path)
