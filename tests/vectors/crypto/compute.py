# SPDX-License-Identifier: Apache-2.0
"""compute - every algorithm and form of the vectors, without Paravox.

XTS, the TLS and SRTP forms and chained IVs are built here from the block
cipher and hashlib; the modes are those of python3-cryptography.
"""
import hashlib
import hmac
import warnings

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

warnings.simplefilter("ignore")


def gf_double(tweak):
    number = int.from_bytes(tweak, "little") << 1
    if number >> 128:
        number = (number & (1 << 128) - 1) ^ 0x87
    return number.to_bytes(16, "little")


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def aes_ecb(key, block):
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def xts(key, iv, text):
    half = len(key) // 2
    tweak, out = aes_ecb(key[half:], iv), b""
    for at in range(0, len(text), 16):
        out += xor(aes_ecb(key[:half], xor(text[at:at + 16], tweak)), tweak)
        tweak = gf_double(tweak)
    return out


MODES = {"cbc": modes.CBC, "ctr": modes.CTR, "cfb": modes.CFB,
         "ofb": modes.OFB, "ecb": lambda iv: modes.ECB()}
CIPHERS = {"aes": algorithms.AES, "des": algorithms.TripleDES,
           "3des": algorithms.TripleDES, "blowfish": algorithms.Blowfish,
           "camellia": algorithms.Camellia}


def encrypt(cipher, key, iv, text):
    """One operation of a cipher that is no AEAD."""
    if cipher == "null":
        return text
    if cipher == "aes-xts":
        return xts(key, iv, text)
    name, mode = cipher.split("-")
    e = Cipher(CIPHERS[name](key), MODES[mode](iv)).encryptor()
    return e.update(text) + e.finalize()


def chained_iv(cipher, key, iv, text, sealed):
    """What the next operation begins with, by what each mode is."""
    mode = cipher.split("-")[-1]
    whole = len(sealed) - len(sealed) % len(iv)
    if mode == "ctr":
        number = int.from_bytes(iv, "big") + -(-len(text) // 16)
        return (number % (1 << 128)).to_bytes(16, "big")
    if mode in ("cbc", "cfb"):
        return sealed[whole - len(iv):whole] if whole else iv
    if mode == "ofb":
        for _ in range(-(-len(text) // 16)):
            iv = aes_ecb(key, iv)
    return iv


def digest(mac, key, text):
    if mac.startswith("hmac-"):
        return hmac.new(key, text, mac[5:]).digest()
    return hashlib.new(mac, text).digest()


def tls_record(v):
    """What the TLS form makes of a vector's plaintext: its ciphertext."""
    tag = b""
    if "mac" in v:
        tag = digest(v["mac"], v["mac-key"], v["aad"] + v["plaintext"])
        tag = tag[:int(v.get("tag-bytes", len(tag)))]
    record = v["plaintext"] + tag
    if v["cipher"] not in ("aes-ctr", "null"):
        block = len(v["iv"])
        padding = block - len(record) % block
        record += bytes([padding - 1]) * padding
    return encrypt(v["cipher"], v["key"], v["iv"], record)


def srtp_packet(v, tag_bytes):
    """The SRTP form: the payload's ciphertext, and the packet's tag."""
    sealed = encrypt(v["cipher"], v.get("key"), v.get("iv"), v["plaintext"])
    packet = v["aad"] + sealed + v["aad-after"]
    return sealed, digest(v["mac"], v["mac-key"], packet)[:tag_bytes]
