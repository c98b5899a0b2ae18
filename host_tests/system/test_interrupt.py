"""Somebody ends `osgp run` before it is done: how it ends, and that no process is left.

Stages are told from what it prints, so that a slow machine is interrupted at the same points.
"""

import os
import signal

import pytest
from processes import InTerminal, Running, assert_none_left, marked, wait_for

STAGES = ["start", "line", "finding devices", "clock set", "load profile"]


def run_to(stage: str, run: Running) -> None:
    if stage == "start":
        wait_for(marked, "the process")
    elif stage == "line":
        wait_for(
            lambda: any("osgp_tools.line" in command for command in marked().values()), "the line"
        )
    else:
        run.until(stage)


@pytest.mark.parametrize("stage", STAGES[1:])
def test_ctrl_c(stage, tmp_path):
    with InTerminal("run", "--speed", 0, "--folder", tmp_path) as run:
        run_to(stage, run)
        run.interrupt()
        assert run.end() == 130, run.output
        assert run.output.rstrip().endswith("main job: interrupted")
        assert "Traceback" not in run.output
        assert_none_left()
    assert not list(tmp_path.glob("run/*.tty"))


@pytest.mark.parametrize("stage", STAGES[2:4])
def test_sigterm(stage, tmp_path):
    """What a service manager sends. It is no interactive end: the shell's code for it is enough."""
    with Running("run", "--speed", 0, "--folder", tmp_path) as run:
        run_to(stage, run)
        run.process.terminate()
        assert run.end() in (-signal.SIGTERM, 128 + signal.SIGTERM), run.output
        assert "Traceback" not in run.output
        assert_none_left()


@pytest.mark.parametrize("stage", [STAGES[1], STAGES[3]])
def test_sigkill_of_the_parent(stage, tmp_path):
    """Nobody can tidy up: line and devices have to notice by themselves."""
    with Running("run", "--speed", 0, "--folder", tmp_path) as run:
        run_to(stage, run)
        os.kill(run.process.pid, signal.SIGKILL)
        assert run.process.wait() == -signal.SIGKILL
        assert_none_left()


def test_a_run_after_an_interrupted_one(tmp_path):
    """What a killed run left in its folder is in nobody's way."""
    with Running("run", "--speed", 0, "--folder", tmp_path) as run:
        run.until("member as")
        run.process.kill()
    assert_none_left()
    with Running("run", "--speed", 0, "--folder", tmp_path) as run:
        assert run.end() == 0, run.output
    assert "main job: ok" in run.output
