"""Mutates the shipped configs and checks each mutant in one process.

python benchmarks/fuzz_configs.py [COUNT] [SEED]

Every mutant must read or fail with a DlcliError, within 2 seconds, and memory must stay below 1 GB.
"""

from __future__ import annotations

import os
import random
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dlcli.config.document import load
from dlcli.problems import ConfigError, DlcliError
from dlcli.terminal.excerpts import draw

CONFIGS = Path(__file__).parents[1] / "configs"
MAX_SECONDS = 2.0
MAX_BYTES = 1 << 30
_TOKEN = re.compile(r"\w+|\s+|.", re.DOTALL)
_ODD = (
    "", "~", "null", "none", "default", "true", "no", "0", "-1", "1e400", "1/0", ".nan", "-.inf", "0x", "9" * 400,
    "''", '"', "'", "[", "]", "{", "}", "[]", "{}", ":", ": ", "- ", "? ", "|", ">", "&a", "*a", "!x", "!!int", "<<",
    "%", "@", "#", "---", "...", "\t", "\n", "\r", "\u2028", "\0", "\ufeff", "\x1b[31m", "数据", "🧪", "a" * 300,
    "dense", "dense: 16", "extends", "extends: .", "extends: wine.yaml", "${HOME}", "${NOPE}", "~/x", "custom",
    "columns", "object: a.py:B", "split",
)  # fmt: skip


def mutants(sources: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Mutants of config texts: of bytes, of tokens, of lines, and of the tree."""
    generator = random.Random(seed)
    ways = (_bytes, _tokens, _tokens, _lines, _tree, _tree)
    for _ in range(count):
        text = generator.choice(sources)
        for _ in range(generator.choice((1, 1, 1, 2, 4, 8))):
            text = generator.choice(ways)(text, generator)
        yield text


def hostile() -> Iterator[bytes]:
    """Texts made to take long or much."""
    for opening in ("[", "{", "- ", "? ", "[{a: ", "{a: [", "a: [", "!x ", "&a ", "'", '"', "#", "a\n", "|\n", "*a, "):
        yield (opening * (1 << 20))[: 1 << 20].encode()
    yield b"a: [" + b"a," * ((1 << 19) - 4) + b"]"
    yield b"".join(b"k%d: 1\n" % number for number in range(80_000))
    yield b"data: {" + b"".join(b"k%d: 1, " % number for number in range(80_000)) + b"}"
    yield b"data: {" + b"k: 1, " * 150_000 + b"}"
    yield b"architecture: [" + b"dens: 16, " * 90_000 + b"]"
    yield b"architecture: [" + b"dense: 16, " * 20_000 + b"]\ndata: {source: {builtin: wine}}"
    for width, depth in ((10, 9), (9, 60), (2, 60), (1, 60)):
        rows = [b"a0: &a0 [" + b"x, " * width + b"]"]
        rows += [b"a%d: &a%d [%s]" % (n, n, b", ".join([b"*a%d" % (n - 1)] * width)) for n in range(1, depth)]
        yield b"\n".join(rows)
    yield b"architecture: &a [*a, *a]\ndata: &b {source: *b}"
    yield b"\xff\xfe" + "data: 1".encode("utf-16-le")
    yield b"x" * (3 << 20)


def _bytes(text: bytes, generator: random.Random) -> bytes:
    at = generator.randrange(len(text) + 1)
    return generator.choice(
        (
            text[:at] + bytes([generator.randrange(256)]) + text[at + 1 :],
            text[:at] + text[at + generator.randrange(1, 20) :],
            text[:at] + text[max(0, at - generator.randrange(1, 200)) :],
            text[:at],
        )
    )


def _tokens(text: bytes, generator: random.Random) -> bytes:
    tokens = _TOKEN.findall(text.decode("utf-8", "replace")) or [""]
    at, other = generator.randrange(len(tokens)), generator.randrange(len(tokens))
    way = generator.randrange(5)
    if way == 0:
        tokens[at] = generator.choice(_ODD)
    elif way == 1:
        tokens.insert(at, generator.choice(_ODD))
    elif way == 2:
        tokens[at], tokens[other] = tokens[other], tokens[at]
    elif way == 3:
        del tokens[at]
    else:
        letters = list(tokens[at]) or [" "]
        generator.shuffle(letters)
        tokens[at] = "".join(letters)
    return "".join(tokens).encode("utf-8", "replace")


def _lines(text: bytes, generator: random.Random) -> bytes:
    lines = text.split(b"\n")
    at, other = generator.randrange(len(lines)), generator.randrange(len(lines))
    way = generator.randrange(4)
    if way == 0:
        lines[at], lines[other] = lines[other], lines[at]
    elif way == 1:
        lines.insert(other, lines[at])
    elif way == 2:
        lines[at] = b" " * generator.randrange(6) + lines[at].lstrip()
    else:
        del lines[at]
    return b"\n".join(lines)


def _tree(text: bytes, generator: random.Random) -> bytes:
    """Moves, doubles, drops or replaces a branch."""
    try:
        tree = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return text
    branches = [branch for branch in _branches(tree) if branch[0]]
    if not branches:
        return text
    container, key = generator.choice(branches)
    _, source_key = generator.choice(branches)
    way = generator.randrange(4)
    if way == 0:
        container[key] = generator.choice(
            (None, True, 0, -1, 1e308, "", "x", "none", "default", [], {}, [[]], {"x": {}})
        )
    elif way == 1:
        del container[key]
    elif way == 2:
        other, other_key = generator.choice(branches)
        container[key] = other[other_key]
    elif isinstance(container, dict):
        container[str(source_key)] = container.pop(key)
    try:
        return yaml.safe_dump(tree, default_flow_style=generator.choice((None, True, False)), sort_keys=False).encode()
    except (yaml.YAMLError, RecursionError):
        return text


def _branches(tree: object, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    if depth > 20:
        return
    if isinstance(tree, dict):
        for key in list(tree):
            yield tree, key
            yield from _branches(tree[key], depth + 1)
    elif isinstance(tree, list):
        for key in range(len(tree)):
            yield tree, key
            yield from _branches(tree[key], depth + 1)


def check(text: bytes, file: Path) -> tuple[str, float]:
    """Checks one text as `dlcli check` would; returns what came of it and the CPU seconds that it took.

    Raises:
        RuntimeError: it took too long or too much memory, or failed in another way than it should.
    """
    file.write_bytes(text)
    start = time.process_time()
    result = _outcome(file)
    seconds = time.process_time() - start
    used = _most_memory()
    if seconds > MAX_SECONDS or used > MAX_BYTES or not result:
        message = f"{result}, {seconds:.1f} s, {used:,} bytes: {text[:300]!r}"
        raise RuntimeError(message)
    return result, seconds


def _most_memory() -> int:
    """The most bytes that this process has held."""
    try:  # `ru_maxrss` is never less than what the parent process held
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024
    except OSError:  # not Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _outcome(file: Path) -> str:
    """The code of the first problem, all of them drawn; `ok` if there is none; empty if the exit code is wrong."""
    try:
        load(file)
    except DlcliError as error:
        for problem in error.problems:
            draw(problem)
        return error.problems[0].code if error.exit_code == ConfigError.exit_code else ""
    return "ok"


def run(count: int, seed: int = 0) -> tuple[Counter[str], float]:
    """Checks the hostile texts and `count` mutants; returns how often each result came and the longest time."""
    sources = [path.read_bytes() for path in sorted(CONFIGS.glob("*.yaml"))]
    results: Counter[str] = Counter()
    longest = 0.0
    os.environ.setdefault("DLCLI_DATA", "/data")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "mutant.yaml"
        for text in (*hostile(), *mutants(sources, count, seed)):
            try:
                result, seconds = check(text, file)
            except Exception:
                Path("failed.yaml").write_bytes(text)
                raise
            results[result] += 1
            longest = max(longest, seconds)
        results[_outcome(Path(folder))] += 1
    return results, longest


if __name__ == "__main__":
    arguments = [int(word) for word in sys.argv[1:]]
    counted, slowest = run(*(arguments or [10_000]))
    for code, times in counted.most_common():
        sys.stdout.write(f"{times:6} {code}\n")
    sys.stdout.write(f"slowest: {slowest:.2f} s\n")
