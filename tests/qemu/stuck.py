# SPDX-License-Identifier: Apache-2.0
"""stuck - what a machine was doing when its time was over: the guest's tasks,
told by its kernel on the console (SysRq by a break on the serial line), and the
threads of the programs behind its devices, by gdb."""
import os
import pathlib
import subprocess
import time

GDB_S = 60
TELLS_S = 60
QUIET_S = 3
KEYS = "9wlt"  # tell all; blocked tasks, the CPUs, all tasks


def has_told(console):
    """Wait until nothing more comes."""
    end = time.monotonic() + TELLS_S
    size, since = -1, time.monotonic()
    while time.monotonic() < end and time.monotonic() < since + QUIET_S:
        time.sleep(0.1)
        if console.stat().st_size != size:
            size, since = console.stat().st_size, time.monotonic()


def ask_kernel(qmp, keys, console):
    """`keys`: where the serial line takes its input from."""
    for key in KEYS:
        qmp.call("chardev-send-break", id="console")
        os.write(keys, key.encode())
        time.sleep(0.5)
    has_told(console)


def threads_of(pid):
    name = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    try:
        done = subprocess.run(
            ["gdb", "-batch", "-nx", "-p", str(pid), "-ex",
             "thread apply all backtrace"], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=GDB_S)
        said = [line for line in done.stdout.splitlines()
                if line.startswith(("#", "Thread", "ptrace"))]
    except (OSError, subprocess.TimeoutExpired) as what:
        said = [str(what)]
    return [f"{name} {pid}: {line}" for line in said]
