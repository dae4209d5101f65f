# SPDX-License-Identifier: Apache-2.0
"""vectors - read the known-answer files (README.md has the format)."""
import re

TEXT_FIELDS = {"source", "name", "form", "cipher", "mac", "tag-bytes",
               "expect"}
BYTE_FIELDS = {"key", "mac-key", "iv", "iv-after", "aad", "plaintext",
               "aad-after", "ciphertext", "digest", "tag"}


def value_bytes(text):
    """Hexadecimal digits or a quoted text, perhaps repeated: V * N."""
    found = re.fullmatch(r'("[^"]*"|[0-9a-f]*)(?: \* (\d+))?', text)
    if not found:
        raise ValueError("neither hexadecimal nor text: " + text)
    unit = found.group(1)
    data = (unit[1:-1].encode("ascii") if unit.startswith('"')
            else bytes.fromhex(unit))
    return data * int(found.group(2) or 1)


def read(path):
    """The vectors of a file as dictionaries; absent fields are absent."""
    source, vector, vectors = None, {}, []
    with open(path, encoding="ascii") as lines:
        for line in [*lines, ""]:
            line = line.strip()
            if line.startswith("#"):
                continue
            if not line:
                if vector:
                    vectors.append({"source": source, **vector})
                vector = {}
                continue
            field, equals, value = line.partition("=")
            field, value = field.strip(), value.strip()
            if not equals or field not in TEXT_FIELDS | BYTE_FIELDS:
                raise ValueError(f"{path}: {line}")
            if field == "source":
                source = value
            elif field in vector:
                raise ValueError(f"{path}: {field} twice")
            else:
                vector[field] = (value if field in TEXT_FIELDS
                                 else value_bytes(value))
    return vectors
