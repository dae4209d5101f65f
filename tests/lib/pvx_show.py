# SPDX-License-Identifier: Apache-2.0
"""pvx_show - show people what was typed, what the relay saw, what was read."""
import textwrap
import unicodedata

SEND, DELIVER = 5, 6
HEADER_BYTES = 96  # of an envelope; the ciphertext follows its length
WIDTHS = 22, 23, 22


def envelopes(data, kind):
    """The envelopes in one direction's bytes of a connection."""
    found, at = [], 0
    while at + 5 <= len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        if data[at + 4] == kind:
            found.append(bytes(data[at + 5:at + 4 + size]))
        at += 4 + size
    return found


def table(heads, rows):
    line = "  +" + "+".join("-" * (w + 2) for w in WIDTHS) + "+"
    print(line)
    for row in [heads, *rows]:
        cells = [[piece for text in cell.split("\n")
                  for piece in textwrap.wrap(text, width) or [""]]
                 for cell, width in zip(row, WIDTHS)]
        for i in range(max(map(len, cells))):
            print("  |" + "|".join(
                " " + pad(cell[i] if i < len(cell) else "", width) + " "
                for cell, width in zip(cells, WIDTHS)) + "|")
        print(line)


def pad(text, width):
    """ljust() by columns: East Asian characters and emoji take two."""
    columns = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1
                  for c in text)
    return text + " " * (width - columns)


def hexadecimal(envelope):
    cipher = envelope[HEADER_BYTES + 4:HEADER_BYTES + 4 + 24]
    rows = [cipher[i:i + 8].hex(" ") for i in range(0, 24, 8)]
    return "\n".join(rows) + f"\n... {len(envelope)} bytes in all"
