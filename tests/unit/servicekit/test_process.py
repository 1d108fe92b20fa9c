"""Limits of a service's process."""

import subprocess
import sys

LOWERED = """
import resource
from servicekit.process import allow_open_files

_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
allow_open_files()
print(resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard))
"""


def test_process_may_open_as_many_files_as_the_machine_allows() -> None:
    result = subprocess.run([sys.executable, "-c", LOWERED], capture_output=True, text=True, check=True)
    assert result.stdout == "True\n"
