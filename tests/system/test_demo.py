# SPDX-License-Identifier: Apache-2.0
"""tools/demo shows what it says, lets one talk, and leaves nothing behind."""
import fcntl
import os
import pathlib
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time

import pvx_tap

DEMO = pathlib.Path(__file__).resolve().parents[2] / "tools/demo"
BUILD = pathlib.Path(os.environ["PARAVOX"]).parents[2]


def processes_below(folder):
    """Who still has this folder in its command line."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if folder in (entry / "cmdline").read_bytes():
                found.append(entry.name)
        except OSError:
            pass
    return found


def run(*arguments, **options):
    return subprocess.run([sys.executable, DEMO, *arguments],
                          stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60, text=True, **options)


def test_without_a_terminal_it_shows_all_and_ends():
    done = run(str(BUILD))
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("Alice typed", "what the relay saw", "Bob read",
                  "was handed all 4 frames and read none",
                  "Carol has read the lines, once",
                  "is as it should be"):
        assert words in done.stdout, done.stdout


def test_it_fails_when_something_is_off():
    # A client that shows another word than what was said.
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder, "src")
        (copy / "client").mkdir(parents=True)
        (copy / "relay").mkdir()
        os.symlink(os.environ["PARAVOXD"], copy / "relay/paravoxd")
        script = copy / "client/paravox"
        script.write_text(
            "#!/bin/sh\n"
            f"case $1 in tail) '{os.environ['PARAVOX']}' \"$@\" |"
            " sed -u s/stone/brick/;;\n"
            f"*) exec '{os.environ['PARAVOX']}' \"$@\";; esac\n")
        script.chmod(0o755)
        done = run(folder)
        assert done.returncode == 1, done.stdout
        assert "NOT as it should be: Bob read" in done.stderr, done.stderr


def talk_and_leave(folder, leave):
    """Run the demo on a terminal, say something, leave with that key."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", TMPDIR=folder)
        os.execv(sys.executable, [sys.executable, str(DEMO), str(BUILD)])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 90, 0, 0))
    output, has_said = b"", False
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if not select.select([fd], [], [], 0.1)[0]:
            continue
        try:
            output += os.read(fd, 65536)
        except OSError:
            break
        if b"connected" in output and not has_said:
            has_said = True
            os.write(fd, b"hi bob\r")
        if b"Bob: I read: hi bob" in output and leave:
            os.write(fd, leave)
            leave = b""
    assert not leave, output[-2000:].decode()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, output
    os.close(fd)
    return output


def test_on_a_terminal_the_user_talks_and_everything_stops():
    for key in (b"\x04", b"\x03"):
        with tempfile.TemporaryDirectory() as folder:
            output = talk_and_leave(folder, key)
            assert os.listdir(folder) == []
            assert processes_below(folder.encode()) == []
        port = re.search(rb"A relay on 127.0.0.1:(\d+)", output).group(1)
        with open("/proc/net/tcp") as table:
            assert f":{int(port):04X} 00000000:0000" not in table.read()


if __name__ == "__main__":
    pvx_tap.main(globals())
