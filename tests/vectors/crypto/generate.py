#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""generate - write generated.vec: answers that no standard publishes.

The inputs are fixed here, the answers come from compute.py. `--check` compares
with the file instead of writing it.
"""
import pathlib
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from compute import chained_iv, digest, encrypt, srtp_packet, tls_record

ORDER = ("name", "form", "cipher", "mac", "key", "mac-key", "iv", "aad",
         "plaintext", "aad-after", "ciphertext", "iv-after", "digest", "tag",
         "tag-bytes", "expect")


def pattern(length, start=0):
    """Bytes that repeat late and differ from one field to the next."""
    return bytes((start + 7 * i + i // 251) % 256 for i in range(length))


def crypt(name, cipher, key, iv, length):
    text = pattern(length, 3)
    v = {"name": name, "cipher": cipher, "key": key, "iv": iv,
         "plaintext": text, "ciphertext": encrypt(cipher, key, iv, text)}
    if iv:
        v["iv-after"] = chained_iv(cipher, key, iv, text, v["ciphertext"])
    return v


def crypts():
    for bits in (128, 192, 256):
        key, iv = pattern(bits // 8, 1), pattern(16, 2)
        for mode in ("ctr", "cfb", "ofb"):
            for length in (1, 15, 17, 100):
                yield crypt(f"{mode} {bits}, {length} bytes", "aes-" + mode,
                            key, iv, length)
        yield crypt(f"xts {bits}, 2 x {bits // 8}-byte key, 1040 bytes",
                    "aes-xts", pattern(bits // 4, 5), iv, 1040)
    yield crypt("xts 192, equal halves", "aes-xts", pattern(24, 5) * 2,
                pattern(16), 64)
    yield crypt("ctr, the counter wraps at 2^128", "aes-ctr", pattern(16, 1),
                b"\xff" * 15 + b"\xfe", 64)
    yield crypt("ctr, a carry over 2^64", "aes-ctr", pattern(32, 1),
                b"\x01" * 8 + b"\xff" * 8, 33)
    for key_bytes in (5, 56):
        yield crypt(f"blowfish, {key_bytes}-byte key", "blowfish-cbc",
                    pattern(key_bytes, 1), pattern(8), 64)
    yield crypt("3des, three equal keys", "3des-cbc", pattern(8, 1) * 3,
                pattern(8), 64)
    yield crypt("null", "null", b"", None, 100)


def hmacs():
    for mac in ("md5", "sha1", "ripemd160", "sha224", "sha256", "sha384",
                "sha512"):
        for key_bytes in (0, 64, 65, 128, 129, 512):
            v = {"name": f"hmac-{mac}, {key_bytes}-byte key",
                 "mac": "hmac-" + mac, "mac-key": pattern(key_bytes, 9),
                 "plaintext": pattern(77)}
            v["digest"] = digest(v["mac"], v["mac-key"], v["plaintext"])
            yield v


def both():
    """Cipher and mac in one session: the digest covers the plaintext."""
    for cipher, mac in (("aes-cbc", "hmac-sha1"), ("aes-ctr", "sha256"),
                        ("3des-cbc", "hmac-md5")):
        iv = pattern(8 if cipher[0] == "3" else 16, 2)
        v = crypt(f"{cipher} with {mac}", cipher, pattern(24, 1), iv, 96)
        v["mac"] = mac
        v["mac-key"] = pattern(20, 9) if mac[0] == "h" else b""
        v["digest"] = digest(mac, v["mac-key"], v["plaintext"])
        yield v


def ccms():
    for bits, length_bytes, tag_bytes in ((192, 2, 6), (256, 4, 10),
                                          (256, 8, 14), (192, 3, 16)):
        key, nonce = pattern(bits // 8, 1), pattern(15 - length_bytes, 2)
        text, aad = pattern(100, 3), pattern(33, 4)
        sealed = AESCCM(key, tag_bytes).encrypt(nonce, text, aad)
        yield {"name": f"ccm {bits}, L = {length_bytes}, {tag_bytes}-byte tag",
               "form": "aead", "cipher": "aes-ccm", "key": key,
               "iv": bytes([length_bytes - 1]) + nonce + bytes(length_bytes),
               "aad": aad, "plaintext": text, "ciphertext": sealed[:100],
               "tag": sealed[100:]}


def spoiled(v, field, at, why):
    data = bytearray(v[field])
    data[at] ^= 1
    return {**v, "name": v["name"] + ": " + why, field: bytes(data),
            "expect": "badmsg"}


def tls():
    for cipher, mac, length, tag_bytes in (
            ("aes-cbc", "hmac-sha1", 0, None),
            ("aes-cbc", "hmac-sha1", 100, None),
            ("aes-cbc", "hmac-sha1", 1000, None),
            ("aes-cbc", "hmac-sha1", 27, 10), ("aes-cbc", "hmac-sha1", 28, None),
            ("aes-cbc", "hmac-sha256", 300, None),
            ("aes-cbc", "hmac-sha384", 47, None),
            ("aes-cbc", "hmac-sha512", 500, None),
            ("3des-cbc", "hmac-md5", 50, None),
            ("camellia-cbc", "hmac-ripemd160", 33, None),
            ("aes-ctr", "hmac-sha256", 77, None),
            ("aes-cbc", None, 77, None)):
        v = {"name": f"tls, {cipher} with {mac}, {length} bytes",
             "form": "tls", "cipher": cipher,
             "key": pattern(24, 1), "iv": pattern(8 if cipher[0] == "3"
                                                  else 16, 2),
             "aad": pattern(13, 4), "plaintext": pattern(length, 3)}
        if mac:
            v["mac"], v["mac-key"] = mac, pattern(20, 9)
        if tag_bytes:
            v["tag-bytes"] = tag_bytes
        v["ciphertext"] = tls_record(v)
        yield v
        if mac:
            yield spoiled(v, "ciphertext", 0, "first byte wrong")
            yield spoiled(v, "ciphertext", -1, "last byte wrong")
            yield spoiled(v, "aad", 12, "other associated data")


def srtp():
    for cipher, mac, length, tag_bytes in (
            ("aes-ctr", "hmac-sha1", 1021, 20), ("aes-ctr", "hmac-sha1", 160,
                                                 10),
            ("aes-ctr", "hmac-sha256", 33, 4), ("null", "hmac-sha1", 64, 20)):
        v = {"name": f"srtp, {cipher} with {mac}, {length} bytes",
             "form": "srtp", "cipher": cipher, "mac": mac,
             "key": b"" if cipher == "null" else pattern(16, 1),
             "mac-key": pattern(20, 9),
             "iv": None if cipher == "null" else pattern(16, 2),
             "aad": pattern(12, 4), "aad-after": pattern(15, 5),
             "plaintext": pattern(length, 3)}
        v["ciphertext"], v["tag"] = srtp_packet(v, tag_bytes)
        yield v
        yield spoiled(v, "tag", 0, "tag wrong")
        yield spoiled(v, "aad", 0, "header wrong")
        yield spoiled(v, "ciphertext", 5, "payload wrong")


def text_of(vectors):
    lines = ["# SPDX-License-Identifier: Apache-2.0",
             "# Written by generate.py: no standard publishes these.", "",
             "source = generated by generate.py", ""]
    for v in vectors:
        for field in ORDER:
            value = v.get(field)
            if value is not None:
                value = value.hex() if isinstance(value, bytes) else value
                lines.append(f"{field} = {value}".rstrip())
        lines.append("")
    return "\n".join(lines)


def main():
    path = pathlib.Path(__file__).parent / "generated.vec"
    text = text_of([*crypts(), *hmacs(), *both(), *ccms(), *tls(), *srtp()])
    if sys.argv[1:] != ["--check"]:
        path.write_text(text)
    elif path.read_text() != text:
        sys.exit("generated.vec is not what generate.py writes")


main()
