# SPDX-License-Identifier: Apache-2.0
"""pvx_namespace - a network or file system of a test's own, without
privileges where the kernel lets users make namespaces."""
import os
import subprocess
import sys

import pvx_tap

MARK = "PVX_IN_NAMESPACE"


def unshare(kind):
    """What stands in front of a command that shall have a namespace of this
    kind ("net", "mount"), and be root of it."""
    return ("unshare", "--user", "--map-root-user", "--" + kind)


def is_inside():
    return MARK in os.environ


def enter(kind, *probe):
    """Run this program again in such a namespace, if the probing command
    succeeds there. Returns inside; or outside, with why not."""
    if is_inside():
        return None
    tried = subprocess.run([*unshare(kind), *probe], capture_output=True,
                           text=True)
    if tried.returncode:
        return tried.stderr.strip()
    os.environ[MARK] = kind
    os.execvp("unshare", [*unshare(kind), sys.executable, *sys.argv])


def need():
    """The test is skipped outside."""
    if not is_inside():
        raise pvx_tap.Skip("no namespaces of users' own here")
