"""Reads thousands of damaged data files: whatever they hold, there is a table or a problem, in time.

    python benchmarks/fuzz_files.py [--files 1000] [--seed 0] [FILE ...]

Without files it damages those of the folder DLCLI_DATA, and .npz files made here. It ends with exit
code 1 if a file led to a traceback, took more than 2 seconds, or drove memory over 1 GB.
"""

from __future__ import annotations

import argparse
import gzip
import io
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlcli.data import kinds, target
from dlcli.data.hashes import row_hashes
from dlcli.data.sources.files import source_for
from dlcli.data.target_section import Target
from dlcli.problems import DlcliError

SECONDS_ALLOWED = 2.0
BYTES_ALLOWED = 10**9
LARGEST_SEED_BYTES = 300_000
"""Larger files are cut: the damage matters, not the size."""
_TOKENS = (
    b'"', b'""', b"'", b",", b";", b"\t", b"|", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xc2\x85",
    b"nan", b"inf", b"1e999", b"-", b"#", b"\x1f", b"\x1e", b"99999999999999999999", b",,,,,,,,", b" " * 100, b'"' * 99,
    b"\n" * 200,
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """What one file led to.

    Attributes:
        outcome: "table", the code of a problem, or what went wrong.
        wrong: whether that must not happen.
        seconds: processor time that it took.
    """

    outcome: str
    wrong: bool
    seconds: float


def damaged(content: bytes, generator: np.random.Generator) -> bytes:
    """The content after one to three random changes."""
    changed = bytearray(content)
    for _ in range(int(generator.integers(1, 4))):
        place = int(generator.integers(0, len(changed) + 1))
        length = int(generator.integers(1, 2 + len(changed) // 10))
        match int(generator.integers(0, 8)):
            case 0 | 7 if changed:
                changed[place % len(changed)] ^= 1 << int(generator.integers(0, 7))
            case 1:
                changed[place:place] = _TOKENS[int(generator.integers(0, len(_TOKENS)))]
            case 2:
                del changed[place : place + length]
            case 3:
                changed[place:place] = changed[place : place + length]
            case 4:
                del changed[place:]
            case 5:
                changed[place:place] = bytes(generator.integers(9, 127, int(generator.integers(1, 40))).tolist())
            case _:
                lines = changed.split(b"\n")
                generator.shuffle(lines)
                changed = bytearray(b"\n".join(lines))
    return bytes(changed)


def attempt(path: Path) -> Result:
    """Reads a file as training and prediction would."""
    started = time.process_time()
    outcome, wrong = "table", False
    try:
        found = source_for(str(path)).read()
        names, rows = tuple(found.samples), np.arange(found.samples.rows)
        row_hashes(found.samples)
        target.resolve(Target(column=names[-1:]), found, None, "drop")
        kinds.convert(found.samples, kinds.infer(found.samples, names, rows, {}))
    except DlcliError as error:
        outcome = error.problems[0].code
        wrong = not all(problem.message for problem in error.problems)
    except BaseException as error:
        outcome, wrong = f"{type(error).__name__}: {error}", True
    seconds = time.process_time() - started
    return Result(
        outcome if seconds < SECONDS_ALLOWED else f"slow ({outcome})", wrong or seconds > SECONDS_ALLOWED, seconds
    )


def seeds(folder: Path | None, generator: np.random.Generator) -> list[tuple[str, bytes]]:
    """Files to damage, by ending: real tables if there are any, and arrays made here."""
    made = io.BytesIO()
    np.savez(
        made,
        x=generator.integers(0, 256, (20, 8, 8), dtype=np.uint8),
        y=generator.integers(0, 3, 20),
        names=np.array(["a", "b"] * 10),
    )
    packed = io.BytesIO()
    np.savez_compressed(packed, x=generator.normal(size=(30, 5)), y=generator.normal(size=30))
    found = [(".npz", made.getvalue()), (".npz", packed.getvalue())]
    rows = b"".join(b'%d,"name, %d",%.3f,%s\n' % (i, i, i / 7, b"yes" if i % 3 else b"no") for i in range(200))
    found += [(".csv", b"id,name,x,y\n" + rows), (".csv.gz", gzip.compress(b"id,name,x,y\n" + rows))]
    for path in sorted(folder.rglob("*")) if folder else ():
        if path.suffix in (".csv", ".data", ".txt") or path.name == "SMSSpamCollection":
            found.append((".csv", path.read_bytes()[:LARGEST_SEED_BYTES]))
    return found


def extremes() -> list[tuple[str, bytes]]:
    """Files that are extreme rather than damaged."""
    return [
        (".csv", b""),
        (".csv", b"\n" * 10**6),
        (".csv", b'"' * (10**6 + 1)),
        (".csv", b"," * 20_000 + b"\n" + b"," * 20_000),
        (".csv", b"a\n" + b"x" * 10**7),
        (".csv", b"a,b\n" + b"1,2\n" * 200_000),
        (".csv", b"a b\n" + b" " * 10**6 + b"1 2\n"),
        (".csv", bytes(range(256)) * 100),
        (".csv.gz", gzip.compress(b"")),
        (".npz", b""),
    ]


def run(files: Sequence[tuple[str, bytes]], count: int, generator: np.random.Generator, folder: Path) -> list[Result]:
    """Reads `count` damaged copies of files, and the extremes."""
    results = []
    damages = (
        (ending, damaged(content, generator)) for ending, content in (_pick(files, generator) for _ in range(count))
    )
    for number, (ending, content) in enumerate((*extremes(), *damages)):
        path = folder / f"{number}{ending}"
        path.write_bytes(content)
        results.append(attempt(path))
        if results[-1].wrong:
            sys.stderr.write(f"{path}: {results[-1].outcome} after {results[-1].seconds:.1f} s\n")
        else:
            path.unlink()
    return results


def _pick(files: Sequence[tuple[str, bytes]], generator: np.random.Generator) -> tuple[str, bytes]:
    return files[int(generator.integers(0, len(files)))]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--files", dest="count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    generator = np.random.default_rng(options.seed)
    place = os.environ.get("DLCLI_DATA")
    files = [("".join(path.suffixes), path.read_bytes()) for path in options.files]
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    results = run(files or seeds(Path(place) if place else None, generator), options.count, generator, folder)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    for outcome, number in Counter(result.outcome for result in results).most_common():
        sys.stdout.write(f"{number:6,}  {outcome}\n")
    slowest = max(result.seconds for result in results)
    sys.stdout.write(f"slowest {slowest:.2f} s, memory {most / 1e6:.0f} MB, wrong files are left in {folder}\n")
    return int(any(result.wrong for result in results) or most > BYTES_ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
