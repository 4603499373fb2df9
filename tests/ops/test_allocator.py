"""Large blocks of memory are returned to the system.

The tests use a process of their own, as the setting stays.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Blocks of 20 MB, filled and freed one after another, each with a small block behind it that stays.
SCRIPT = """
import sys
from ops.allocator import return_large_blocks

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4

if sys.argv[1] == "set":
    return_large_blocks()
before, held = resident(), []
for size in (20_000_000, 15_000_000, 10_000_000):
    block = bytearray(b"x") * size
    held.append(bytearray(b"y") * 100_000)
    del block
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc has this setting")
def test_large_blocks_are_returned() -> None:
    """After blocks of megabytes were freed, little more than the allocated memory is resident."""
    command = [sys.executable, "-c", SCRIPT, "set"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 3000
