#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""check - compute every vector again, without Paravox, and compare. TAP."""
import pathlib
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

import vectors
from compute import chained_iv, digest, encrypt, srtp_packet, tls_record


def check_crypt(v):
    if "cipher" in v:
        sealed = encrypt(v["cipher"], v.get("key", b""), v.get("iv"),
                         v["plaintext"])
        assert sealed == v["ciphertext"]
        if "iv-after" in v:
            assert v["iv-after"] == chained_iv(
                v["cipher"], v["key"], v["iv"], v["plaintext"], sealed)
    if "mac" in v:
        whole = digest(v["mac"], v.get("mac-key", b""), v["plaintext"])
        assert whole[:len(v["digest"])] == v["digest"]


def gcm_open(v):
    tag = v["tag"]
    d = Cipher(algorithms.AES(v["key"]),
               modes.GCM(v["iv"], tag, min_tag_length=4)).decryptor()
    d.authenticate_additional_data(v["aad"])
    return d.update(v["ciphertext"]) + d.finalize()


def ccm_open(v):
    nonce = v["iv"][1:15 - v["iv"][0]]
    sealed = v["ciphertext"] + v["tag"]
    return AESCCM(v["key"], len(v["tag"])).decrypt(nonce, sealed, v["aad"])


def check_aead(v):
    try:
        text = (gcm_open if v["cipher"] == "aes-gcm" else ccm_open)(v)
    except InvalidTag:
        assert v.get("expect") == "badmsg", "tag is wrong"
        return
    assert v.get("expect") is None, "tag is right"
    assert text == v["plaintext"]


def check_tls(v):
    assert (tls_record(v) == v["ciphertext"]) == ("expect" not in v)


def check_srtp(v):
    right = srtp_packet(v, len(v["tag"])) == (v["ciphertext"], v["tag"])
    assert right == ("expect" not in v)


FORMS = {"crypt": check_crypt, "aead": check_aead, "tls": check_tls,
         "srtp": check_srtp}


def main():
    folder = pathlib.Path(__file__).parent
    number, failed = 0, 0
    for path in sorted(folder.glob("*.vec")):
        for v in vectors.read(path):
            number += 1
            try:
                assert v["source"], "no source"
                FORMS[v.get("form", "crypt")](v)
                verdict = "ok"
            except AssertionError as error:
                verdict, failed = "not ok", failed + 1
                print("#", error)
            print(f"{verdict} {number} - {path.name}: {v['name']}")
    print(f"1..{number}")
    return 1 if failed or number == 0 else 0


sys.exit(main())
