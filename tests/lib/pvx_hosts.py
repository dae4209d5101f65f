# SPDX-License-Identifier: Apache-2.0
"""pvx_hosts - hosts of a network for a test: namespaces joined by veth pairs.

The process that calls enter() goes on as the first host, root of a user
namespace; hosts() makes more. No privileges are needed where the kernel lets
users make namespaces.
"""
import subprocess
import sys

import pvx_namespace


def enter():
    """Run this program again inside of namespaces; returns there only. Where
    that cannot be, skip all of its tests."""
    why_not = pvx_namespace.enter("net", "true")
    if why_not is not None:
        print("1..0 # SKIP no namespaces here:", why_not)
        sys.exit(0)
    ip("link", "set", "lo", "up")


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
