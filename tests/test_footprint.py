"""What a process holds; Linux alone tells it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.footprint import Footprint, of_children

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")


def test_this_process_holds_memory_threads_and_descriptors() -> None:
    own = Footprint.of()
    assert own.rss_mib > 1 and own.threads >= 1 and own.descriptors >= 1 and own.cpu_s > 0


def test_a_child_that_has_ended_is_none_though_nobody_has_asked_how_it_ended() -> None:
    before = len(of_children())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert len(of_children()) == before + 1
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is kept
        assert len(of_children()) == before
        with pytest.raises(OSError, match="has ended"):
            Footprint.of(child.pid)
