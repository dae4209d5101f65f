# SPDX-License-Identifier: Apache-2.0
"""pvx_hosts - hosts of a network for a test: namespaces joined by veth pairs.

The process that calls enter() goes on as the first host, root of a user
namespace; hosts() makes more. No privileges are needed where the kernel lets
users make namespaces.
"""
import os
import subprocess
import sys

MARK = "PVX_IN_NAMESPACE"
UNSHARE = ["unshare", "--user", "--map-root-user", "--net", "--"]


def enter():
    """Run this program again inside of namespaces; returns there only. Where
    that cannot be, skip all of its tests."""
    if os.environ.get(MARK):
        ip("link", "set", "lo", "up")
        return
    probe = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True)
    if probe.returncode != 0:
        print("1..0 # SKIP no namespaces here:", probe.stderr.strip())
        sys.exit(0)
    os.environ[MARK] = "1"
    os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, *sys.argv])


def ip(*words, command=()):
    subprocess.run([*command, "ip", *words], check=True)


class Host:
    """A namespace with one link to the first host; `command` in front of a
    program runs it there."""

    def __init__(self, number):
        self.holder = subprocess.Popen(
            ["unshare", "--net", "--", "sh", "-c", "echo; exec sleep 86400"],
            stdout=subprocess.PIPE)
        self.holder.stdout.readline()  # it is in its namespace
        pid = str(self.holder.pid)
        self.command = ("nsenter", "--net", "-t", pid, "--")
        self.gateway = f"10.77.{number}.1"
        self.gateway6 = f"fd77:{number}::1"
        ip("link", "add", f"host{number}", "type", "veth",
           "peer", "name", "eth0", "netns", pid)
        ip("addr", "add", self.gateway + "/24", "dev", f"host{number}")
        ip("addr", "add", self.gateway6 + "/64", "dev", f"host{number}",
           "nodad")
        ip("link", "set", f"host{number}", "up")
        for words in (("addr", "add", f"10.77.{number}.2/24", "dev", "eth0"),
                      ("addr", "add", f"fd77:{number}::2/64", "dev", "eth0",
                       "nodad"),
                      ("link", "set", "eth0", "up")):
            ip(*words, command=self.command)

    def close(self):
        self.holder.kill()
        self.holder.wait()
