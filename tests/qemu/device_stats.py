# SPDX-License-Identifier: Apache-2.0
"""device_stats - what a vhost-user-cryptodev counts, from its --stats-socket."""
import json
import socket

ANSWER_S = 60


def ask(path):
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(ANSWER_S)
        link.connect(path)
        link.sendall(b"json\n")
        return json.load(link.makefile())
