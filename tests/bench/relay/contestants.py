# SPDX-License-Identifier: Apache-2.0
"""contestants - the servers of the relay bench: how each is started, alone on
one CPU, with no persistence and no limit that the load would meet."""
import datetime
import functools
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CLIENTS = 15000


def pin(cpu, is_realtime=False):
    """For preexec_fn: on that CPU alone, where there is more than one; or also
    before everything else there, which takes privilege."""
    def on_cpu():
        os.sched_setaffinity(0, {cpu % os.cpu_count()})
        if is_realtime:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    return on_cpu


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def certificate(folder):
    """A certificate of the server's own and its key, P-256: their paths."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
            .public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .sign(key, hashes.SHA256()))
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").touch(mode=0o600)
    (folder / "key.pem").write_bytes(key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


@functools.lru_cache
def relay_options(build):
    """What this paravoxd can be told."""
    done = subprocess.run([build / "src/relay/paravoxd", "--help"],
                          capture_output=True, text=True, check=True)
    return set(re.findall(r"--([a-z-]+)", done.stdout))


def paravox(build, folder, port, options):
    shutil.rmtree(folder / "state", ignore_errors=True)
    command = [build / "src/relay/paravoxd", f"--listen=127.0.0.1:{port}",
               "--rate-messages=0", "--rate-bytes=0", "--log-level=error",
               f"--max-clients={CLIENTS}", f"--state={folder}/state"]
    for name in ("history", "tls"):
        if name not in options and f"no-{name}" in relay_options(build):
            command.append(f"--no-{name}")
    if "tls" in options:
        cert, key = certificate(folder)
        command += [f"--tls-cert={cert}", f"--tls-key={key}"]
    return command


def ceiling(build, folder, port, options):
    return [build / "tests/bench/relay/bench_ceiling", str(port)]


def nats(build, folder, port, options):
    config = folder / "nats.conf"
    text = (f"host: 127.0.0.1\nport: {port}\n"
            f"max_connections: {CLIENTS}\nmax_pending: 1GB\n")
    if "tls" in options:
        cert, key = certificate(folder)
        text += (f'tls {{ cert_file: "{cert}"\n key_file: "{key}"\n'
                 " timeout: 60 }\n")
    config.write_text(text)
    return ["nats-server", "-c", config]


def redis(build, folder, port, options):
    config = folder / "redis.conf"
    text = (f'bind 127.0.0.1\nsave ""\nappendonly no\ndir {folder}\n'
            f"maxclients {CLIENTS}\ntcp-backlog 4096\n"
            "client-output-buffer-limit pubsub 0 0 0\n"
            "client-output-buffer-limit normal 0 0 0\n")
    if "tls" in options:
        cert, key = certificate(folder)
        text += (f"port 0\ntls-port {port}\ntls-cert-file {cert}\n"
                 f"tls-key-file {key}\ntls-auth-clients no\n")
    else:
        text += f"port {port}\n"
    config.write_text(text)
    return ["redis-server", config]


def mosquitto(build, folder, port, options):
    config = folder / "mosquitto.conf"
    text = (f"listener {port} 127.0.0.1\nallow_anonymous true\n"
            "persistence false\nmax_queued_messages 0\nmax_queued_bytes 0\n"
            "set_tcp_nodelay true\nlog_type error\n")
    if "tls" in options:
        cert, key = certificate(folder)
        text += f"certfile {cert}\nkeyfile {key}\ntls_version tlsv1.3\n"
        text += "user root\n"  # who may read the key
    config.write_text(text)
    return ["mosquitto", "-c", config]


def ngircd(build, folder, port, options):
    config = folder / "ngircd.conf"
    config.write_text("[Global]\nName = bench.example\nInfo = bench\n"
                      "AdminInfo1 = bench\nListen = 127.0.0.1\n"
                      f"Ports = {port}\nMotdPhrase = bench\n"
                      "[Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\n"
                      "MaxJoins = 0\nMaxPenaltyTime = 0\n"
                      "PingTimeout = 3600\n"
                      "[Options]\nDNS = no\nIdent = no\nPAM = no\n")
    return ["ngircd", "-n", "-f", config]


def inspircd(build, folder, port, options):
    config = folder / "inspircd.conf"
    config.write_text(
        '<server name="bench.example" description="bench" network="bench">\n'
        '<admin name="bench" nick="bench" email="bench@bench.example">\n'
        f'<bind address="127.0.0.1" port="{port}" type="clients">\n'
        f'<pid file="{folder}/pid">\n'
        f'<path datadir="{folder}" logdir="{folder}" runtimedir="{folder}">\n'
        '<connect allow="*" timeout="60" pingfreq="3600" recvq="16M"\n'
        ' softsendq="1G" hardsendq="1G" commandrate="1000000000"\n'
        ' threshold="1000000000" fakelag="no" localmax="15000"\n'
        ' globalmax="15000" maxconnwarn="no" resolvehostnames="no"\n'
        ' useident="no" limit="15000">\n'
        '<performance softlimit="15000" somaxconn="4096" quietbursts="yes"\n'
        ' timeskipwarn="0">\n<security announceinvites="none">\n'
        f'<log method="file" type="* -USERINPUT -USEROUTPUT" level="sparse"'
        f' target="{folder}/inspircd.log">\n')
    return ["inspircd", "--nofork", "--runasroot", "--config", config]


class Contestant:
    """`options`: what the server does beside relaying. `members`: the largest
    room, `bytes`: the largest message that it takes. `rounds`: how many it
    takes part in; few when it takes long and is never the quickest."""

    def __init__(self, name, protocol, command, program=None, options=(),
                 members=10**6, size=10**6, why=None, rounds=1000):
        self.name = name
        self.protocol = protocol
        self.command = command
        self.program = program
        self.options = options
        self.members = members
        self.size = size
        self.why = why
        self.rounds = rounds

    def absence(self, build):
        """Why it cannot take part, or None."""
        if self.command is paravox and "tls" in self.options and \
                "tls-cert" not in relay_options(build):
            return "this paravoxd has no TLS"
        path = os.environ["PATH"] + ":/usr/sbin"
        if self.program and not shutil.which(self.program, path=path):
            return f"no {self.program}: see `tools/setup bench-relay`"
        return None

    def refusal(self, workload):
        """Why it cannot have that workload, or None."""
        if workload.clients > self.members or workload.size > self.size:
            return self.why
        return None


LINE = "a line of IRC has 512 bytes"
SLOW = "admits no 1,000 clients within a minute; " + LINE

CONTESTANTS = [
    Contestant("paravox", "paravox", paravox),
    Contestant("ceiling", "ceiling", ceiling),
    Contestant("redis", "redis", redis, "redis-server"),
    Contestant("nats", "nats", nats, "nats-server"),
    Contestant("mosquitto", "mqtt", mosquitto, "mosquitto", rounds=3),
    Contestant("ngircd", "irc", ngircd, "ngircd", members=500, size=400,
               why=SLOW, rounds=3),
    Contestant("inspircd", "irc", inspircd, "inspircd", size=400, why=LINE,
               rounds=3),
    Contestant("paravox+history", "paravox", paravox, options=("history",)),
    Contestant("paravox+tls", "paravox", paravox, options=("tls",)),
    Contestant("redis+tls", "redis", redis, "redis-server", options=("tls",)),
    Contestant("nats+tls", "nats", nats, "nats-server", options=("tls",)),
    Contestant("mosquitto+tls", "mqtt", mosquitto, "mosquitto",
               options=("tls",), rounds=3),
]


class Server:
    """A contestant that serves, until the `with` ends."""

    def __init__(self, contestant, build, folder, is_realtime=False):
        self.contestant = contestant
        self.port = free_port()
        self.folder = folder / contestant.name
        self.folder.mkdir(parents=True, exist_ok=True)
        command = contestant.command(pathlib.Path(build), self.folder,
                                     self.port, contestant.options)
        env = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}
        self.log = (self.folder / "log").open("w")
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=self.log, env=env,
            preexec_fn=pin(0, is_realtime))
        self.pid = self.process.pid

    def __enter__(self):
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        self.__exit__()
        raise RuntimeError(f"{self.contestant.name} does not serve:\n" +
                           (self.folder / "log").read_text()[-2000:])

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
