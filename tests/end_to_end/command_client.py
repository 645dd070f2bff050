"""Has a command run by the server of `command_server` whose socket is named, as if by this process."""

import json
import os
import socket
import sys

place, *arguments = sys.argv[1:]
with socket.socket(socket.AF_UNIX) as server:
    server.connect(place)
    socket.send_fds(server, [b"."], [0, 1, 2])
    server.sendall(json.dumps([arguments, os.getcwd(), dict(os.environ)]).encode())  # noqa: PTH109 (pathlib takes its time)
    server.shutdown(socket.SHUT_WR)
    sys.exit(int(server.makefile().read()))
