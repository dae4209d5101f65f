#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# completion.py - whether the completion of a shell knows what a program takes
"""PROGRAM FILE...: FILEs are the completions of PROGRAM for bash, zsh, fish."""
import pathlib
import re
import subprocess
import sys

import pvx_tap

# What bash-completion does for its users, as far as ours needs it.
STUB = """
_init_completion() { words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD
cur=${words[cword]}; prev=${words[cword-1]}; split=false; }
_filedir() { COMPREPLY+=(A_FILE); }
compopt() { :; }
"""
LINE = """
. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
"_$1"; printf '%s\\n' "${COMPREPLY[@]}"
"""
PROGRAM, *FILES = sys.argv[1:]
del sys.argv[1:]
NAME = pathlib.Path(PROGRAM).name
BASH = next(f for f in FILES if pathlib.Path(f).name == NAME)


def help_of(*words):
    return subprocess.run([PROGRAM, *words, "--help"], capture_output=True,
                          text=True, check=True, timeout=60).stdout


def options_of(text):
    return re.findall(r"^  --([\w-]+)", text, re.M)


def complete(*words):
    done = subprocess.run(["bash", "-c", STUB + LINE, "bash", BASH, NAME,
                           *words], capture_output=True, text=True,
                          timeout=60)
    assert not done.stderr, done.stderr
    return done.stdout.split()


def places():
    """Words of each command, and what its --help names."""
    commands = re.findall(r"^  ([a-z]+(?: [a-z]+)?) {2,}", help_of(), re.M)
    found = [[], *(c.split() for c in commands)]
    usage = help_of().split("\n\n")[0]
    found += [[word] for word in re.findall(r"\|\s+([a-z]+) ", usage)]
    return [(words, options_of(help_of(*words))) for words in found]


def test_bash_offers_every_option_where_it_is_taken():
    count = 0
    assert len(places()) >= 3
    for words, options in places():
        offered = complete(*words, "--")
        for option in options:
            count += 1
            assert f"--{option}" in offered or f"--{option}=" in offered, (
                words, option, offered)
    assert count >= 10


def test_bash_offers_no_option_where_it_is_not_taken():
    for words, options in places():
        offered = {o.strip("-=") for o in complete(*words, "--")
                   if o.startswith("--")}
        assert offered == set(options), (words, offered)


def test_bash_offers_commands_by_their_first_letters():
    for words, _ in places():
        for n, word in enumerate(words):
            assert word in complete(*words[:n], word[:2]), words


def test_every_shell_knows_every_option():
    options = {o for _, found in places() for o in found}
    for path in FILES:
        text = pathlib.Path(path).read_text()
        for option in options:
            assert re.search(rf"(--|-l ){option}\b", text), (path, option)


if __name__ == "__main__":
    pvx_tap.main(globals())
