# SPDX-License-Identifier: Apache-2.0
"""paravox crypto: what is here, whether it is right, how fast it is."""
import json
import os
import subprocess
import tempfile

import pvx_tap

PARAVOX = os.environ["PARAVOX"]
EMULATOR = {"LD_PRELOAD": os.environ["PVX_EMULATOR"],
            "ASAN_OPTIONS": "verify_asan_link_order=0"}
ALGORITHMS = 27


def crypto(*arguments, **env):
    return subprocess.run([PARAVOX, "crypto", *arguments], text=True,
                          env={**os.environ, **env}, timeout=60,
                          stdin=subprocess.DEVNULL, capture_output=True)


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_list_names_every_provider_or_says_why_not():
    done = crypto("list", "--json", **EMULATOR)
    assert done.returncode == 0, done.stderr
    rows = {row["provider"]: row for row in lines(done)}
    assert list(rows) == ["openssl", "cryptodev", "afalg"]
    for name in ("openssl", "cryptodev"):
        assert rows[name]["here"] and len(rows[name]["algorithms"]) \
            == ALGORITHMS
    assert rows["afalg"]["here"] or rows["afalg"]["reason"]
    text = crypto("list", **EMULATOR).stdout
    for name in ("openssl", "cryptodev", "afalg", "aes-ctr", "hmac-sha256"):
        assert name in text


def test_an_absent_provider_that_was_named_is_a_failure():
    for command in ("list", "test", "speed"):
        done = crypto(command, "--provider", "cryptodev:/no/such/node")
        assert done.returncode == 1, done
        assert "/no/such/node: No such file" in done.stderr, done.stderr
        done = crypto(command, "--provider", "abacus")
        assert done.returncode == 2, done
        assert "openssl" in done.stderr and "afalg" in done.stderr


def test_the_reason_cannot_act_on_the_terminal():
    done = crypto("list", "--provider", "cryptodev:/\033[2J")
    assert done.returncode == 1
    assert "\033" not in done.stdout + done.stderr
    done = crypto("list", "--json", "--provider", 'cryptodev:/"\\\n')
    assert not lines(done)[0]["here"]


def test_test_finds_all_right():
    done = crypto("test", "--json", **EMULATOR)
    assert done.returncode == 0, done.stdout
    rows = {row["provider"]: row for row in lines(done)}
    assert rows["openssl"]["known"] == ALGORITHMS
    assert rows["cryptodev"]["known"] == ALGORITHMS
    assert rows["cryptodev"]["agreed"] == ALGORITHMS
    assert rows["cryptodev"]["wrong"] == 0


def test_test_finds_a_broken_device():
    done = crypto("test", "--json", "--provider", "cryptodev",
                  PVX_EMULATOR_FAIL="CIOCAUTHCRYPT 0 EINVAL", **EMULATOR)
    assert done.returncode == 1
    rows = lines(done)
    wrong = {row["algorithm"] for row in rows if "algorithm" in row}
    assert wrong == {"aes-gcm", "aes-ccm"}, rows
    assert rows[-1]["wrong"] == 4
    text = crypto("test", PVX_EMULATOR_FAIL="CIOCAUTHCRYPT 0 EINVAL",
                  **EMULATOR)
    assert text.returncode == 1 and "WRONG" in text.stdout, text.stdout


def test_speed_measures_each_size_against_openssl():
    done = crypto("speed", "--json", "--provider", "cryptodev", **EMULATOR)
    assert done.returncode == 0, done.stderr
    rows = lines(done)
    assert {row["bytes"] for row in rows} >= {16, 1024, 1 << 20}
    assert {row["algorithm"] for row in rows} >= {"aes-ctr", "hmac-sha256"}
    for row in rows:
        assert row["ops_per_s"] > 0
        assert abs(row["mb_per_s"] - row["ops_per_s"] * row["bytes"] / 1e6) \
            < 0.01 + row["mb_per_s"] / 100
        assert (row["of_openssl"] == 1) == (row["provider"] == "openssl")


def test_bars_are_of_the_locale():
    plain = crypto("speed", "--provider", "openssl", LC_ALL="C").stdout
    assert plain.isascii() and "##" in plain
    drawn = crypto("speed", "--provider", "openssl", LC_ALL="C.UTF-8").stdout
    assert "\u2588\u2588" in drawn and "##" not in drawn


def test_a_device_that_goes_away_fails_the_run():
    with tempfile.NamedTemporaryFile() as gone:
        # There from the start: the node cannot be opened at all.
        done = crypto("test", "--provider", "cryptodev",
                      PVX_EMULATOR_GONE=gone.name, **EMULATOR)
        assert done.returncode == 1 and "No such file" in done.stderr
    done = crypto("speed", "--provider", "cryptodev",
                  PVX_EMULATOR_FAIL="CIOCCRYPT 100 ENODEV", **EMULATOR)
    assert done.returncode == 1, done.stdout
    assert "/dev/crypto is gone" in done.stderr, done.stderr


if __name__ == "__main__":
    pvx_tap.main(globals())
