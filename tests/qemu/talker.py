# SPDX-License-Identifier: Apache-2.0
"""talker - a person whose client runs in a guest, with its messages sealed by
the guest's device; the relay is on the host's loopback."""
import json
import pathlib
import time

from machine import HERE, Machine

NODE = "cryptodev:/dev/cryptodev0"
WAIT_S = 120
MACHINE_S = 900
ROOM = "/run/home/room"
HEARD = "/run/heard"


class Talker:
    def __init__(self, build, name, link, port):
        build = pathlib.Path(build).resolve()
        self.name, self.events = name, []
        self.machine = Machine(
            build, [HERE / "obey"], kernel=build / "qemu/kernel",
            module=build / "qemu/module/kernel", seconds=MACHINE_S,
            network=True)
        self.device = self.machine.devices[0]
        self.options = f"--room {ROOM} --server plain:10.0.2.2:{port}"
        try:
            self.machine.answer()
            self.machine.ask(f"paravox={build}/src/client/paravox")
            # By a file, since it is a secret.
            (self.machine.steering / "link").write_text(link)
            self.machine.ask(f"$paravox room join {ROOM} <$steering/link")
        except BaseException:
            self.close()
            raise

    def say(self, lines, crypto=NODE):
        self.feed("send", f"--nick {self.name} --crypto {crypto}", lines)

    def chat(self, lines):
        """The same typed into a chat, which ends with its input."""
        return self.feed("chat", f"--nick {self.name} --crypto {NODE}", lines)

    def feed(self, command, options, lines):
        path = self.machine.steering / "lines"
        path.write_text("".join(line + "\n" for line in lines))
        return self.machine.ask(f"$paravox {command} {self.options} {options} "
                                "<$steering/lines")

    def listen(self, crypto=NODE):
        self.machine.ask(f"$paravox tail --json {self.options} --crypto "
                         f"{crypto} >{HEARD} & tail=$!")
        self.wait(lambda: self.of("connected"), "is in the room")

    def stop_listening(self):
        self.machine.ask("kill $tail; wait $tail || :")

    def of(self, kind):
        lines = self.machine.ask(f"cat {HEARD}").split("\n")
        return [event for event in map(json.loads, filter(None, lines))
                if event["event"] == kind]

    def heard(self):
        return [event["body"] for event in self.of("message")]

    def wait(self, condition, what):
        end = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < end, f"{self.name} never {what}"
            time.sleep(0.2)

    def counted(self):
        """{algorithm: requests} of the device, those that had any."""
        rows = self.device.stats()["algorithms"]
        return {name: row["requests"] for name, row in rows.items()
                if row["requests"]}

    def close(self):
        self.machine.close()
