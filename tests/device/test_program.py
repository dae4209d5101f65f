#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_program - the command line of vhost-user-cryptodev, as TAP."""
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

PROGRAM = sys.argv[1]


def run(*options):
    return subprocess.run([PROGRAM, *options], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=20)


def serve(*options, **more):
    return subprocess.Popen([PROGRAM, *options], stderr=subprocess.PIPE,
                            text=True, **more)


def wait_for(path):
    for _ in range(500):
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
                return
        except OSError:
            time.sleep(0.01)
    raise AssertionError(f"nobody listens on {path}")


def wait_until_refused(path):
    """A worker that was being made has the supervisor's descriptors for a
    moment, and outlives it for another."""
    for _ in range(500):
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(path)
            except ConnectionRefusedError:
                return
        time.sleep(0.01)
    raise AssertionError(f"somebody still listens on {path}")


def end(process, number=signal.SIGTERM):
    process.send_signal(number)
    status = process.wait(20)
    process.stderr.close()
    return status


def test_capabilities_are_json_with_a_type(_):
    done = run("--print-capabilities")
    assert done.returncode == 0
    assert json.loads(done.stdout)["type"] == "crypto"


def test_wrong_usage_is_status_2(folder):
    path = f"--socket-path={folder}/s"
    for options in ((), (path, "--fd=3"), (path, "--queues=0"),
                    (path, "--queues=65"), (path, "--queues=x"),
                    (path, "--max-request-bytes=4095"), (path, "--frob"),
                    (path, "--throttle-ops=-1"), (path, "--queues"),
                    (path, "--sandbox=maybe"), (path, "--version=2"), ("stray",)):
        done = run(*options)
        assert done.returncode == 2, options
        assert "vhost-user-cryptodev: " in done.stderr


def test_a_provider_that_is_not_there_ends_it(folder):
    done = run(f"--socket-path={folder}/s",
               f"--provider=cryptodev:{folder}/none")
    assert done.returncode == 1
    assert f"cryptodev:{folder}/none" in done.stderr
    assert not os.path.exists(f"{folder}/s")


def test_each_signal_ends_it_and_removes_the_socket(folder):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # The folder is ours, so whoever removes it must be us.
        process = serve(f"--socket-path={folder}/s", "--user=root")
        wait_for(f"{folder}/s")
        assert stat.S_ISSOCK(os.stat(f"{folder}/s").st_mode)
        assert end(process, number) == 0
        assert not os.path.exists(f"{folder}/s")


def test_a_stale_socket_is_replaced_and_a_live_one_is_not(folder):
    process = serve(f"--socket-path={folder}/s")
    wait_for(f"{folder}/s")
    assert run(f"--socket-path={folder}/s").returncode == 1
    wait_for(f"{folder}/s")
    end(process, signal.SIGKILL)
    assert os.path.exists(f"{folder}/s")
    wait_until_refused(f"{folder}/s")
    process = serve(f"--socket-path={folder}/s")
    wait_for(f"{folder}/s")
    assert end(process) == 0


def test_another_kind_of_file_is_left_alone(folder):
    with open(f"{folder}/file", "w", encoding="ascii") as file:
        file.write("precious")
    assert run(f"--socket-path={folder}/file").returncode == 1
    with open(f"{folder}/file", encoding="ascii") as file:
        assert file.read() == "precious"


def test_a_connected_descriptor_is_served_until_it_ends(_):
    ours, its = socket.socketpair()
    process = serve(f"--fd={its.fileno()}", pass_fds=[its.fileno()])
    its.close()
    ours.sendall(b"\x01\0\0\0\x01\0\0\0\0\0\0\0")  # GET_FEATURES
    answer = ours.recv(64)
    assert len(answer) == 20 and answer[4] == 5
    assert process.poll() is None
    ours.close()
    assert process.wait(20) == 0
    process.stderr.close()


def test_a_listening_descriptor_is_served_again_and_again(folder):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/l")
        listener.listen(1)
        process = serve(f"--fd={listener.fileno()}",
                        pass_fds=[listener.fileno()])
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{folder}/l")
            client.sendall(b"\x01\0\0\0\x01\0\0\0\0\0\0\0")
            assert len(client.recv(64)) == 20
    assert end(process) == 0


def test_a_front_end_may_go_at_any_byte(folder):
    message = (b"\x02\0\0\0\x01\0\0\0\x08\0\0\0"  # SET_FEATURES
               b"\0\0\0\0\x01\0\0\0" b"\x01\0\0\0")
    process = serve(f"--socket-path={folder}/s")
    wait_for(f"{folder}/s")
    for sent in range(len(message) + 1):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{folder}/s")
            client.sendall(message[:sent])
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{folder}/s")
        client.sendall(b"\x01\0\0\0\x01\0\0\0\0\0\0\0")
        assert len(client.recv(64)) == 20
    assert end(process) == 0


def test_a_second_front_end_waits_for_the_first_to_go(folder):
    question = b"\x01\0\0\0\x01\0\0\0\0\0\0\0"  # GET_FEATURES
    process = serve(f"--socket-path={folder}/s")
    wait_for(f"{folder}/s")
    first = socket.socket(socket.AF_UNIX)
    second = socket.socket(socket.AF_UNIX)
    first.connect(f"{folder}/s")
    first.sendall(question)
    assert len(first.recv(64)) == 20
    second.connect(f"{folder}/s")
    second.sendall(question)
    second.settimeout(0.2)
    try:
        second.recv(64)
        raise AssertionError("two at a time")
    except TimeoutError:
        pass
    first.close()
    second.settimeout(10)
    assert len(second.recv(64)) == 20
    second.close()
    assert end(process) == 0


def main():
    tests = [(name, test) for name, test in sorted(globals().items())
             if name.startswith("test_")]
    failures = 0
    print(f"1..{len(tests)}")
    for number, (name, test) in enumerate(tests, 1):
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(folder)
                print("ok", number, "-", name)
            except Exception as error:  # pylint: disable=broad-except
                failures += 1
                print("not ok", number, "-", name)
                print("#", type(error).__name__, error)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
