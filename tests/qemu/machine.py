# SPDX-License-Identifier: Apache-2.0
"""machine - a QEMU guest whose root is the host's file system, with devices of
vhost-user-cryptodev outside.

How it works: the guest runs a script, whose output is its second serial port;
the first is the console of its kernel. It steers the machine by files in a
folder that both see (tests/guest/claims), named after one of ORDERS. QEMU and
the devices are children in groups of their own, ended by close(), and QEMU's
life has an end anyway (`seconds`), before which `stuck` says what it did.
"""
import atexit
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import device_stats
import ending
import stuck

HERE = pathlib.Path(__file__).resolve().parent
START_S = 60
QMP_S = 120
LATE_QMP_S = 20
UNPLUG_S = 120
VIRTIO_ID = 30
RING_ENTRIES = 1024
CONFIG_BYTES = 64
PR_SET_PDEATHSIG = 1
# The host's loopback is 10.0.2.2 there.
NETWORK = ("-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0")


class Trouble(Exception):
    """The machine is not as it should be."""


def with_parent():
    """In a child: not to outlive this process."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Trouble(f"{what}: not in {seconds} s")
        time.sleep(0.02)


def is_served(path):
    with socket.socket(socket.AF_UNIX) as link:
        return link.connect_ex(path) == 0


def end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


class Device:
    """A vhost-user-cryptodev of a machine, or another program with a socket
    for one front end after another."""

    def __init__(self, build, folder, number, program, options):
        self.program = str(program or
                           build / "src/device/vhost-user-cryptodev")
        self.number = number
        self.socket = str(folder / f"device{number}")
        self.stats_socket = str(folder / f"stats{number}")
        # Ours is ready when the last of its sockets is.
        self.ready_socket = self.socket if program else self.stats_socket
        self.log = open(folder / f"device{number}.log", "ab")
        self.options = options
        self.kills = 0
        self.deaths_before = 0  # of workers of processes that were killed
        self.process = None

    def start(self):
        with ending.holds():
            self.process = subprocess.Popen(
                [self.program, f"--socket-path={self.socket}",
                 f"--stats-socket={self.stats_socket}", "--log-level=warning",
                 *self.options], stdin=subprocess.DEVNULL, stderr=self.log,
                start_new_session=True, preexec_fn=with_parent)
        wait_for(self.is_up, START_S, "the device listens")

    def is_up(self):
        if self.process.poll() is not None:
            raise Trouble("the device ended: " + self.log_text())
        return is_served(self.ready_socket)

    def workers(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in pathlib.Path(path).read_text().split()]

    def signal_workers(self, number):
        for pid in self.workers():
            try:
                os.kill(pid, number)
                self.kills += number == signal.SIGKILL
            except ProcessLookupError:
                pass

    def stop_workers(self):
        """Each thread stops when it runs next: until then it may answer."""
        self.signal_workers(signal.SIGSTOP)
        wait_for(lambda: set(self.thread_states()) <= {"T"}, START_S,
                 "the workers stand still")

    def thread_states(self):
        for pid in self.workers():
            for path in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
                yield path.read_text().rpartition(")")[2].split()[0]

    def log_text(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def deaths(self):
        """Of workers; by its statistics, for the log leaves lines out when there
        are many."""
        if self.process.poll() is None and os.path.exists(self.stats_socket):
            return self.deaths_before + self.stats()["worker_deaths"]
        return self.deaths_before

    def dies_by_kills_alone(self):
        """A kill that meets a worker on its way out is no death."""
        log = self.log_text()
        return self.deaths() <= self.kills and \
            log.count("worker died") == log.count("worker died (signal 9)")

    def kill(self):
        self.deaths_before = self.deaths()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for path in self.socket, self.stats_socket:
            if os.path.exists(path):
                os.unlink(path)

    def stats(self):
        return device_stats.ask(self.stats_socket)

    def threads(self):
        """What they do, as text."""
        if self.process.poll() is not None:
            return [f"{self.program}: status {self.process.returncode}"]
        return [line for pid in (self.process.pid, *self.workers())
                for line in stuck.threads_of(pid)]

    def close(self):
        if self.process:
            if self.process.poll() is None:
                self.signal_workers(signal.SIGCONT)
            end(self.process)
        self.log.close()


class Qmp:
    """QEMU's control socket."""

    def __init__(self, path, seconds=QMP_S):
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(seconds)
        self.link.connect(path)
        self.lines = self.link.makefile()
        self.events = []
        self.receive()
        self.call("qmp_capabilities")

    def receive(self):
        line = self.lines.readline()
        if not line:
            raise Trouble("QEMU closed its control socket")
        answer = json.loads(line)
        if "event" in answer:
            self.events.append(answer)
        return answer

    def call(self, command, **arguments):
        text = json.dumps({"execute": command, "arguments": arguments})
        self.link.sendall(text.encode())
        while True:
            answer = self.receive()
            if "error" in answer:
                raise Trouble(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def wait_event(self, name, seconds, **data):
        end_at = time.monotonic() + seconds
        while True:
            for event in self.events:
                if event["event"] == name and data.items() <= \
                        event.get("data", {}).items():
                    self.events.remove(event)
                    return
            if time.monotonic() > end_at:
                raise Trouble(f"no {name} in {seconds} s")
            self.receive()


class Machine:
    def __init__(self, build, scripts, *, kernel, module, seconds, devices=1,
                 memory_mib=512, variables=(), program=None, options=(),
                 more=(), network=False, terminal=False):
        self.build = pathlib.Path(build).resolve()
        self.devices = []
        self.troubles = []
        self.stuck = []
        self.qemu = self.qmp = self.keys = None
        self.watchdog = self.steerer = None
        self.is_over = threading.Event()
        self.is_late = self.is_closed = False
        self.seconds = seconds
        with ending.holds():
            self.folder = pathlib.Path(tempfile.mkdtemp(prefix="paravox-vm-"))
            atexit.register(self.close)
        self.steering = self.folder / "steering"
        self.console = self.folder / "console"
        try:
            self.steering.mkdir()
            for number in range(devices):
                device = Device(self.build, self.folder, number, program,
                                options)
                self.devices.append(device)
                device.start()
            more = [*more, *(NETWORK if network else ())]
            self.start(scripts, pathlib.Path(kernel), module, memory_mib,
                       variables, more, terminal)
        except BaseException as what:
            if self.qemu and isinstance(what, Trouble):
                what = Trouble(f"{what}; QEMU: {self.qemu_end()}: "
                               f"{self.error_text()}")
            self.close()
            raise what

    def start(self, scripts, kernel, module, memory_mib, variables, more,
              terminal):
        words = ["console=ttyS0", "quiet", "loglevel=4", "panic=-1",
                 "oops=panic", "sysrq_always_enabled", f"here={HERE}",
                 f"build={self.build}",
                 "test=" + ",".join(map(str, scripts)),
                 f"module={pathlib.Path(module).resolve()}",
                 *variables]
        control = str(self.folder / "qmp")
        # Opened here first, so that QEMU need not wait for who writes.
        keys = self.folder / "keys"
        os.mkfifo(keys)
        self.keys = os.open(keys, os.O_RDWR | os.O_CLOEXEC)
        command = [
            str(self.build / "qemu/emulator/qemu"),
            "-machine", "pc,accel=tcg,memory-backend=memory", "-cpu", "max",
            "-smp", "2", "-m", f"{memory_mib}M", "-object",
            f"memory-backend-memfd,id=memory,size={memory_mib}M,share=on",
            "-nodefaults", "-no-user-config", "-display", "none",
            "-action", "reboot=shutdown",
            "-kernel", str(kernel / "vmlinuz"),
            "-initrd", str(kernel / "initrd"), "-append", " ".join(words),
            "-chardev", f"file,id=console,path={self.console},"
            f"input-path={keys}", "-serial", "chardev:console",
            "-serial", "mon:stdio" if terminal else "stdio",
            "-qmp", f"unix:{control},server=on,wait=off",
            "-qmp", f"unix:{self.late_control()},server=on,wait=off",
            *self.shared("root", "/", ",readonly=on,multidevs=remap"),
            *self.shared("steering", self.steering, ""), *more]
        for device in self.devices:
            command += ["-chardev", f"socket,id=chardev{device.number},"
                        f"path={device.socket}", "-device",
                        ",".join(f"{key}={value}" for key, value
                                 in self.device_of(device).items())]
        streams = {} if terminal else {"stdin": subprocess.PIPE,
                                       "stdout": subprocess.PIPE}
        self.errors = open(self.folder / "errors", "w+b")
        with ending.holds():
            self.qemu = subprocess.Popen(
                command, **streams, stderr=self.errors, text=True,
                errors="replace", preexec_fn=with_parent,
                start_new_session=not terminal)
        wait_for(lambda: self.is_ended() or self.has_qmp(control), START_S,
                 "QEMU starts")
        if not self.qmp:
            raise Trouble("QEMU ended")
        self.watchdog = threading.Timer(self.seconds, self.give_up)
        self.watchdog.daemon = True
        self.watchdog.start()
        self.steerer = threading.Thread(target=self.steer, daemon=True)
        self.steerer.start()

    @staticmethod
    def shared(tag, folder, options):
        return ["-fsdev", f"local,id={tag},path={folder},security_model=none"
                + options,
                "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]

    @staticmethod
    def device_of(device):
        return {"driver": "vhost-user-test-device-pci",
                "id": f"device{device.number}",
                "chardev": f"chardev{device.number}",
                "virtio-id": VIRTIO_ID, "num_vqs": 2,
                "vq_size": RING_ENTRIES, "config_size": CONFIG_BYTES}

    def has_qmp(self, path):
        try:
            self.qmp = Qmp(path)
        except (FileNotFoundError, ConnectionRefusedError):
            pass
        return bool(self.qmp)

    def is_ended(self):
        return self.qemu.poll() is not None

    def qemu_end(self):
        """How QEMU ended, for people."""
        code = self.qemu.poll()
        if code is None:
            return "it runs"
        what = signal.Signals(-code).name if code < 0 else f"status {code}"
        return what + (" by the rig" if self.is_late else "")

    def late_control(self):
        """Of nobody but give_up(): the other may wait for an answer."""
        return str(self.folder / "qmp-late")

    def give_up(self):
        """Its time is over: ask what all do, then end it."""
        self.is_late = True
        try:
            stuck.ask_kernel(Qmp(self.late_control(), LATE_QMP_S), self.keys,
                             self.console)
        except (Trouble, OSError, ValueError) as what:
            self.stuck.append(f"the guest's kernel could not be asked: {what}")
        for device in self.devices:
            try:
                self.stuck += device.threads()
            except OSError as what:
                self.stuck.append(f"device {device.number}: {what}")
        self.qemu.kill()

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip()

    # What the guest may order; the argument is the number of the device.

    def unplug(self, device):
        self.qmp.call("device_del", id=f"device{device.number}")
        self.qmp.wait_event("DEVICE_DELETED", UNPLUG_S,
                            device=f"device{device.number}")

    def plug(self, device):
        self.qmp.call("device_add", **self.device_of(device))

    def renew(self, device):
        """A new process behind it, whose old one was killed."""
        chardev = f"chardev{device.number}"
        self.qmp.call("chardev-remove", id=chardev)
        device.start()
        self.qmp.call("chardev-add", id=chardev, backend={
            "type": "socket", "data": {"server": False, "addr": {
                "type": "unix", "data": {"path": device.socket}}}})

    def pause(self, device):
        self.qmp.call("stop")
        time.sleep(0.5)
        self.qmp.call("cont")

    def tell_stats(self, device):
        (self.steering / "stats").write_text(json.dumps(device.stats()))

    def let_reboot(self, device):
        self.qmp.call("set-action", reboot="reset")

    def stay_off(self, device):
        self.qmp.call("set-action", reboot="shutdown")

    ORDERS = {
        "kill-worker": lambda self, device:
            device.signal_workers(signal.SIGKILL),
        "stop-worker": lambda self, device: device.stop_workers(),
        "continue-worker": lambda self, device:
            device.signal_workers(signal.SIGCONT),
        "kill-device": lambda self, device: device.kill(),
        "renew": renew, "unplug": unplug, "plug": plug, "pause": pause,
        "tell-stats": tell_stats,
        "let-reboot": let_reboot, "stay-off": stay_off,
    }

    def steer(self):
        """Files are named ORDER.DEVICE.NUMBER; an empty one is still being
        opened by the guest, which does that in more steps than one."""
        while not self.is_over.wait(0.03):
            for path in sorted(self.steering.iterdir()):
                order, _, numbers = path.name.partition(".")
                if order not in self.ORDERS or not path.stat().st_size:
                    continue
                number = int(numbers.split(".")[0])
                try:
                    self.ORDERS[order](self, self.devices[number])
                except (Trouble, OSError, ValueError) as trouble:
                    if not self.is_ended():
                        self.troubles.append(f"{path.name}: {trouble}")
                path.unlink()

    def lines(self):
        """What the script says, until the machine is off."""
        for line in self.qemu.stdout:
            yield line.rstrip("\r\n")
        self.qemu.wait()

    def answer(self):
        """What `obey` in the guest printed for a line, and the status."""
        said = []
        for line in self.qemu.stdout:
            line = line.rstrip("\r\n")
            if line.startswith("guest: done "):
                return "\n".join(said), int(line.split()[-1])
            said.append(line)
        raise Trouble("the guest ended: " + "\n".join(said))

    def ask(self, command):
        """Have `obey` run a line of shell; its output, or Trouble."""
        self.qemu.stdin.write(command + "\n")
        self.qemu.stdin.flush()
        said, status = self.answer()
        if status:
            raise Trouble(f"in the guest: {command}: status {status}: {said}")
        return said

    def close(self):
        """Also when it was begun before and cut short."""
        if self.is_closed:
            return
        self.is_over.set()
        if self.qemu:
            if self.watchdog:
                self.watchdog.cancel()
            end(self.qemu)
            if self.steerer:
                self.steerer.join(QMP_S)
            self.errors.close()
        for device in self.devices:
            device.close()
        if self.keys is not None:
            os.close(self.keys)
            self.keys = None
        shutil.rmtree(self.folder, ignore_errors=True)
        self.is_closed = True
        atexit.unregister(self.close)
