"""The installed command without the second that its imports take: in forks of a process that has made them.

`served` returns a program that stands for ``musicnet-build``. It hands its arguments, folder, environment and open
files to a server, and a fork of the server runs the installed script. So a command still has a process, a state, an
output and an exit code of its own; what was imported before are other people's packages, never ours. Tests of imports,
signals and environments run ``PROGRAM`` itself.
"""

import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("musicnet-build"))
CLIENT = """#!/bin/sh
exec '{python}' -SE '{client}' '{socket}' "$@"
"""
IMPORTED = [
    *("h5py", "librosa.core", "librosa.feature", "matplotlib.backends.backend_agg", "mir_eval.transcription"),
    *("numba.extending", "pretty_midi", "pydantic", "rich.progress", "scipy.io.wavfile", "scipy.ndimage"),
    *("scipy.optimize", "scipy.signal", "scipy.sparse", "scipy.stats", "soundfile", "soxr", "yaml"),
]


@functools.cache
def served() -> str:
    """Start the server of this process, with which it ends, and return the program that calls it."""
    folder = Path(tempfile.mkdtemp(prefix="musicnet-build-"))  # a socket's path has to be short
    program, place = folder / "musicnet-build", folder / "socket"
    client = Path(__file__).with_name("command_client.py")
    program.write_text(CLIENT.format(python=sys.executable, client=client, socket=place), encoding="utf-8")
    program.chmod(0o700)
    command = [sys.executable, "-P", __file__, str(place)]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    return str(program)


def serve(place: Path) -> None:
    """Fork for every caller until the process that started this one has ended, and its pipe with it."""
    with contextlib.redirect_stdout(sys.stderr):  # some libraries talk where the variable CI is set
        for name in IMPORTED:
            with contextlib.suppress(ImportError):  # then commands do without it, or say so
                importlib.import_module(name)
    gc.freeze()  # or each fork copies all of it when it ends
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those who answer are not waited for
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            caller, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                answer(caller)
                return
            caller.close()
    place.unlink()
    place.with_name("musicnet-build").unlink()
    place.parent.rmdir()


def answer(caller: socket.socket) -> None:
    """Run what is asked for in a fork; tell its exit code."""
    _, files, _, _ = socket.recv_fds(caller, 1, 3)
    arguments, folder, environment = json.load(caller.makefile())
    command = os.fork()
    if command == 0:
        caller.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = [PROGRAM, *arguments]
        runpy.run_path(PROGRAM, run_name="__main__")
    code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
    caller.sendall(str(code % 256).encode())
    os._exit(0)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
