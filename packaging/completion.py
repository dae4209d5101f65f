#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# completion.py - completion of bash, zsh and fish, from what --help says
"""SHELL PROGRAM NAME: print the completion of NAME for SHELL. The program's
--help is printed from its table of options, so nothing is said twice."""
import re
import subprocess
import sys


def help_of(program, *words):
    done = subprocess.run([program, *words, "--help"], capture_output=True,
                          text=True, check=True)
    return done.stdout


def options_of(text):
    """(name, what it takes or None, first line of its help) of each option,
    whichever way the program prints them."""
    for name, metavar, rest in re.findall(
            r"^  --([\w-]+)(?:[= ](\S*[A-Z|]\S*))?[ \t]*\n?[ \t]*(.*)$",
            text, re.M):
        yield name, metavar or None, re.sub(r"[\"'`$\\\[\]:]", "", rest)


def commands_of(text):
    """(words, help) of each line below "commands:"."""
    parts = text.split("\ncommands:\n")
    for line in parts[1].splitlines() if len(parts) > 1 else ():
        found = re.match(r"  ([a-z]+(?: [a-z]+)?)(?: [A-Z\[]\S*)? {2,}(\S.*)",
                         line)
        if not found:
            if not line.startswith("   "):
                break
            continue
        yield found.group(1), re.sub(r"[\"'`$\\\[\]:]", "", found.group(2))


def value_kind(metavar):
    """("words", list), "file", "folder" or None."""
    if metavar is None:
        return None
    if re.search(r"FILE|PATH", metavar):
        return "file"
    if metavar == "DIR":
        return "folder"
    words = metavar.split("|")
    if len(words) > 1 and all(re.fullmatch(r"[a-z]+", w) for w in words):
        return words
    return None


def tree_of(program):
    """Words of the command -> its options; "" is the program itself."""
    top = help_of(program)
    tree = {"": (list(options_of(top)), "")}
    # Either a list of commands, or words of the usage.
    usage = top.split("\n\n")[0]
    words_of_usage = re.findall(r"\|\s+([a-z]+) ", usage)
    for words, text in list(commands_of(top)) + [
            (word, "") for word in words_of_usage]:
        own = help_of(program, *words.split())
        about = own.split("\n\n")[1].splitlines()[0].rstrip(".")
        tree[words] = (list(options_of(own)), text or about)
        if words in words_of_usage:
            for word, more in commands_of(own):
                tree[f"{words} {word}"] = ([], more)
    return tree


def next_words(tree, before):
    """What can stand behind the words `before`."""
    depth = len(before.split())
    return sorted({words.split()[depth] for words in tree
                   if words.startswith(before + " " if before else "")
                   and len(words.split()) > depth})


def contexts(tree):
    """Each place in a command line where something can be completed."""
    found = set(tree)
    for words in tree:
        parts = words.split()
        found.update(" ".join(parts[:n]) for n in range(len(parts)))
    return sorted(found)


def bash(name, tree):
    out = [f"# bash completion of {name}", f"_{name}()", "{",
           "\tlocal cur prev words cword split",
           "\t_init_completion -s || return",
           "\tlocal at= i known=0",
           "\tfor ((i = 1; i < cword; i++)); do",
           "\t\tcase \"${at:+$at }${words[i]}\" in",
           "\t\t" + "|".join(f"\"{c}\"" for c in contexts(tree) if c)
           + ") at=\"${at:+$at }${words[i]}\" ;;",
           "\t\tesac", "\tdone", "\tcase $prev in"]
    values = {}
    for options, _ in tree.values():
        for option, metavar, _ in options:
            if metavar:
                values[option] = value_kind(metavar)
    for option, kind in sorted(values.items()):
        action = {"file": "_filedir", "folder": "_filedir -d"}.get(
            kind if isinstance(kind, str) else "",
            f"COMPREPLY=($(compgen -W \"{' '.join(kind)}\" -- \"$cur\"))"
            if isinstance(kind, list) else ":")
        out.append(f"\t--{option}) {action}; return ;;")
    out += ["\tesac", "\t$split && return", "\tcase $at in"]
    for context in contexts(tree):
        options = tree.get(context, ([], ""))[0]
        words = next_words(tree, context) + [
            f"--{o}{'=' if m else ''}" for o, m, _ in options]
        files = "; _filedir" if context and not next_words(tree, context) \
            and not context.startswith("ctl") else ""
        out.append(f"\t\"{context}\") COMPREPLY=($(compgen -W "
                   f"\"{' '.join(words)}\" -- \"$cur\")){files} ;;")
    out += ["\tesac", "\t[[ ${COMPREPLY-} == *= ]] && compopt -o nospace",
            "} &&", f"\tcomplete -F _{name} {name}", ""]
    return "\n".join(out)


def fish(name, tree):
    out = [f"# fish completion of {name}", f"complete -c {name} -f"]
    for context in contexts(tree):
        seen = "; and ".join(f"__fish_seen_subcommand_from {w}"
                             for w in context.split())
        following = next_words(tree, context)
        none = "".join(f"; and not __fish_seen_subcommand_from {w}"
                       for w in following)
        when = seen or "true"
        for word in following:
            text = tree.get(f"{context} {word}".strip(), ([], ""))[1]
            out.append(f"complete -c {name} -n \"{when}{none}\" -a {word}"
                       f" -d \"{text}\"")
        if not context:
            when = "__fish_use_subcommand"
        for option, metavar, text in tree.get(context, ([], ""))[0]:
            kind = value_kind(metavar)
            value = "" if metavar is None else " -x" if kind is None else (
                " -x -a \"" + " ".join(kind) + "\"" if isinstance(kind, list)
                else " -r -F")
            out.append(f"complete -c {name} -n \"{when}\" -l {option}{value}"
                       f" -d \"{text}\"")
        if context and not following and not context.startswith("ctl"):
            out.append(f"complete -c {name} -n \"{when}\" -F")
    return "\n".join(out) + "\n"


def zsh_option(option, metavar, text):
    kind = value_kind(metavar)
    if metavar is None:
        return f"'--{option}[{text}]'"
    action = "_files -/" if kind == "folder" else "_files" if kind == "file" \
        else f"({' '.join(kind)})" if isinstance(kind, list) else ""
    return f"'*--{option}=[{text}]:value:{action}'"


def zsh(name, tree):
    out = [f"#compdef {name}", f"# zsh completion of {name}", "",
           "local at= word",
           "for word in ${words[2,CURRENT-1]}; do",
           "\tcase \"${at:+$at }$word\" in",
           "\t" + "|".join(f"\"{c}\"" for c in contexts(tree) if c)
           + ") at=\"${at:+$at }$word\" ;;",
           "\tesac", "done", "case $at in"]
    for context in contexts(tree):
        options = tree.get(context, ([], ""))[0]
        following = next_words(tree, context)
        specs = [zsh_option(*o) for o in options]
        if following:
            described = " ".join(
                f"'{w}:{tree.get(f'{context} {w}'.strip(), ([], ''))[1]}'"
                for w in following)
            out += [f"\"{context}\")", f"\tlocal -a commands=({described})",
                    "\t[[ $PREFIX == -* ]] || "
                    "_describe command commands"]
        else:
            out.append(f"\"{context}\")")
            if context and not context.startswith("ctl"):
                specs.append("'*:file:_files'")
        out.append("\t_arguments " + " \\\n\t\t".join(specs) if specs
                   else "\t:")
        out.append("\t;;")
    return "\n".join(out + ["esac", ""])


def main():
    shell, program, name = sys.argv[1:]
    tree = tree_of(program)
    print({"bash": bash, "fish": fish, "zsh": zsh}[shell](name, tree), end="")


main()
