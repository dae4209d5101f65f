#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# manual_options.py - whether a manual page has the options that a program has
"""PROGRAM PAGE: each option of --help, which is printed from the program's
table, stands in the page's OPTIONS with what it takes and its default, and the
page has no other."""

import re
import subprocess
import sys


def of_help(text):
    """Option -> (what it takes, default or None)."""
    found = {}
    entries = re.split(r"^  --", text, flags=re.M)[1:]
    for entry in entries:
        head, help_text = entry.split("\n", 1)
        name, _, metavar = head.partition("=")
        default = re.search(r"\(([^()]*)\)\s*$", help_text)
        found[name] = (metavar, default.group(1) if default else None)
    return found


def macros_text(words):
    """The text of an .It line: what mdoc's Ns, Oo, Oc and Ar do to it."""
    text = ""
    glue = True
    for word in words:
        if word in ("Fl", "Ar", "Oc", "Oo"):
            text += "[" if word == "Oo" else "]" if word == "Oc" else ""
            glue = glue or word == "Oc"
        elif word == "Ns":
            glue = True
        else:
            text += word if glue or word == "|" else " " + word
            glue = word == "|"
    return text


def of_page(text):
    """The same of the page; one entry may have two options, and defaults
    'A and B'."""
    section = re.search(r"^\.Sh OPTIONS\n(.*?)^\.Sh ", text, re.M | re.S)
    found = {}
    for entry in re.split(r"^\.It ", section.group(1), flags=re.M)[1:]:
        head, body = entry.split("\n", 1)
        default = re.search(r"^Default: ([^\n]*)", body, re.M)
        defaults = default.group(1).split(" and ") if default else [None]
        options = head.split(" , ")
        if len(defaults) != len(options):
            defaults = [default.group(1) if default else None] * len(options)
        for option, value in zip(options, defaults):
            name, _, metavar = macros_text(option.split()).partition("=")
            found[name.lstrip("-")] = (metavar, value)
    return found


def differences(program, page):
    for name in sorted(program.keys() | page.keys()):
        if name not in page:
            yield f"--{name}: not in the page"
        elif name not in program:
            yield f"--{name}: no such option"
        else:
            (metavar, default), (shown, told) = program[name], page[name]
            if metavar != shown:
                yield f"--{name}: takes {metavar!r}, in the page {shown!r}"
            if (default is None) != (told is None) or \
                    default and not re.match(re.escape(default) + r"\b",
                                             told or ""):
                yield f"--{name}: default {default!r}, in the page {told!r}"


def main(program, page):
    done = subprocess.run([program, "--help"], capture_output=True, text=True,
                          check=True)
    with open(page, encoding="utf-8") as file:
        text = file.read()
    has, tells = of_help(done.stdout), of_page(text)
    if not has or not tells:
        return "nothing to compare"
    # What finds no difference must be able to.
    for name in has:
        less = {key: value for key, value in tells.items() if key != name}
        assert list(differences(has, less)) != []
    return "\n".join(differences(has, tells)) or None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
