"""Damaged files of every format are read or refused: no traceback, no hang, no crash, no memory without end."""

import subprocess
import sys
from pathlib import Path

BENCH_FUZZ = Path(__file__).parents[1] / "benchmarks" / "bench_fuzz.py"


def test_damaged_files_are_read_or_refused_in_one_sentence() -> None:
    command = [sys.executable, str(BENCH_FUZZ), "--cases", "340", "--seed", "1", "--workers", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("340 cases")
