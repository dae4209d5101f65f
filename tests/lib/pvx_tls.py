# SPDX-License-Identifier: Apache-2.0
"""pvx_tls - TLS 1.3 over a socket for a test, with what ssl.SSLSocket lacks:
the exporter of RFC 9266, and an end in one direction only.

    sock = TlsSocket(socket.create_connection(address))     # a client
    sock = TlsSocket(listener.accept()[0], "cert.pem")      # a server
    sock.exporter                                           # 32 bytes

The exporter is computed here from the secret of SSLKEYLOGFILE, not by
OpenSSL's function that the programs call.
"""
import hashlib
import hmac
import os
import socket
import ssl
import subprocess
import tempfile

LABEL = b"EXPORTER-Channel-Binding"  # RFC 9266, section 2


def expand_label(hash_name, secret, label, context, size):
    """HKDF-Expand-Label of RFC 8446, section 7.1."""
    full = b"tls13 " + label
    info = (size.to_bytes(2, "big") + bytes([len(full)]) + full +
            bytes([len(context)]) + context)
    out, block, count = b"", b"", 0
    while len(out) < size:
        count += 1
        block = hmac.digest(secret, block + info + bytes([count]), hash_name)
        out += block
    return out[:size]


def exporter_of(hash_name, exporter_secret):
    """RFC 8446, section 7.5, with no context."""
    nothing = hashlib.new(hash_name, b"").digest()
    derived = expand_label(hash_name, exporter_secret, LABEL, nothing,
                           len(nothing))
    return expand_label(hash_name, derived, b"exporter", nothing, 32)


def fingerprint_of(der):
    """As the programs print it: of the certificate's public key."""
    key = subprocess.run(
        ["openssl", "x509", "-inform", "der", "-noout", "-pubkey"],
        input=der, capture_output=True, check=True).stdout
    key = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"],
                         input=key, capture_output=True, check=True).stdout
    return "sha256:" + hashlib.sha256(key).hexdigest()


def make_certificate(path, kind="ed25519"):
    """A key and a certificate of its own at `path`, not made by our code."""
    options = {"ed25519": ["ed25519"], "rsa": ["rsa:2048"],
               "p256": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]}[kind]
    subprocess.run(["openssl", "req", "-x509", "-newkey", *options, "-nodes",
                    "-keyout", str(path) + ".key", "-out", str(path),
                    "-days", "30", "-subj", "/CN=test"],
                   capture_output=True, check=True)
    with open(path, "ab") as pem, open(str(path) + ".key", "rb") as key:
        os.fchmod(pem.fileno(), 0o600)
        pem.write(key.read())
    return str(path)


class TlsSocket:
    def __init__(self, sock, certificate=None, alpn=("paravox",),
                 version=ssl.TLSVersion.TLSv1_3):
        """A server when there is a certificate. Shakes hands at once."""
        self.sock = sock
        self.opened = b""  # and not yet asked for
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if certificate
                                 else ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = min(version, ssl.TLSVersion.TLSv1_3)
        context.maximum_version = version
        if alpn:
            context.set_alpn_protocols(list(alpn))
        if certificate:
            context.load_cert_chain(certificate)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        with tempfile.NamedTemporaryFile("r") as log:
            context.keylog_filename = log.name
            self.object = context.wrap_bio(self.incoming, self.outgoing,
                                           server_side=bool(certificate))
            try:
                self._run(self.object.do_handshake)
            except (ssl.SSLError, OSError, EOFError):
                self.sock.close()
                raise
            secrets = dict((line.split()[0], line.split()[2]) for line in log)
        self.hash_name = ("sha384" if "SHA384" in self.object.cipher()[0]
                          else "sha256")
        if "EXPORTER_SECRET" in secrets:
            self.exporter = exporter_of(
                self.hash_name, bytes.fromhex(secrets["EXPORTER_SECRET"]))

    def _flush(self):
        data = self.outgoing.read()
        if data:
            self.sock.sendall(data)

    def _run(self, step, *arguments, most=1 << 16):
        """A step of the SSLObject, fed from the socket as it asks, with so
        many bytes at a time."""
        while True:
            try:
                result = step(*arguments)
                self._flush()
                return result
            except ssl.SSLWantReadError:
                self._flush()
                data = self.sock.recv(most)
                if not data:
                    raise EOFError("the stream ends") from None
                self.incoming.write(data)
            except ssl.SSLError:
                self._flush()
                raise

    def recv(self, size):
        """Opens all that it took from the socket: select() tells the rest."""
        if not self.opened:
            try:
                self.opened = self._run(self.object.read, 1 << 14, most=size)
                while more := self.object.read(1 << 14):
                    self.opened += more
            except (ssl.SSLZeroReturnError, ssl.SSLWantReadError, EOFError):
                pass
        data, self.opened = self.opened[:size], self.opened[size:]
        return data

    def sendall(self, data):
        self.object.write(data)
        self._flush()

    def send(self, data):
        self.sendall(data)
        return len(data)

    def shutdown(self, how):
        """SHUT_WR as TLS has it: close_notify, and reading goes on."""
        assert how == socket.SHUT_WR
        try:
            self.object.unwrap()
        except ssl.SSLWantReadError:
            pass
        self._flush()
        self.sock.shutdown(how)

    def certificate(self):
        return self.object.getpeercert(binary_form=True)

    def __getattr__(self, name):  # settimeout, setsockopt, close ...
        return getattr(self.sock, name)
