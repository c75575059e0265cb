#!/usr/bin/env bash
# nanonis_spm 1.0.9: the caller's socket time-out is replaced by 1000 s.
#
# The caller makes the socket, sets a time-out on it (here 2 s) and hands it to Nanonis().
# After the first answered command the time-out of that socket is 1000 s. A controller that
# falls silent then stops the measuring program for a quarter of an hour instead of 2 s.
#
# Seen:       time-out before Bias.Get: 2.0 s, after: 1000.0 s
# Expected:   2.0 s both times
# Way round:  set the time-out again after each command, or wait in a thread of your own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check nanonis_spm==1.0.9 numpy==2.4.6
cd "$folder"
venv/bin/python -I - <<'PY'
import socket
import struct
import sys
import threading
from importlib.metadata import version

from nanonis_spm import Nanonis

BIAS_V = 0.25  # exact in single precision


def answer_bias_get(listener):
    """Answer Bias.Get once: bias, error status 0, empty error text."""
    connection, _ = listener.accept()
    with connection:
        connection.recv(40, socket.MSG_WAITALL)
        body = struct.pack(">fIi", BIAS_V, 0, 0)
        connection.sendall(b"Bias.Get".ljust(32, b"\0") + struct.pack(">IHH", len(body), 0, 0) + body)


with socket.create_server(("127.0.0.1", 0)) as listener:
    controller = threading.Thread(target=answer_bias_get, args=(listener,))
    controller.start()
    with socket.create_connection(listener.getsockname()) as connection:
        connection.settimeout(2.0)
        before = connection.gettimeout()
        _error, _raw, values = Nanonis(connection).Bias_Get()
        after = connection.gettimeout()
    controller.join()

print(f"nanonis_spm {version('nanonis_spm')}: Bias.Get answered {values}")
print(f"time-out before: {before} s, after: {after} s")
if not (values == [BIAS_V] and after == 1000.0):
    sys.exit("CHANGED: the time-out is no longer replaced by 1000 s")
PY
