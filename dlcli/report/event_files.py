"""TensorBoard's event files, written without TensorFlow: protocol buffers in TFRecords.

The messages are `Event` and `Summary` of TensorFlow's `event.proto` and `summary.proto`; field numbers below are
theirs. A record is its length, a checksum of that, the data and a checksum of them (`record_writer.h`).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from dlcli.runs import whole_files

FILE_NAME = "events.out.tfevents.dlcli"
"""TensorBoard reads files with `tfevents` in their name."""
_STRING = 7
_POLYNOMIAL = 0x82F63B78
_MASK = 0xA282EAD8


def write_events(folder: Path, began: float, events: Sequence[bytes]) -> Path:
    """Writes the event file of one TensorBoard run, in place of an older one.

    Args:
        folder: of the run; made if it is missing.
        began: seconds since 1970.
        events: as `scalars`, `text` and `settings` make them.

    Raises:
        DlcliError: it cannot be written.
    """
    path = folder / FILE_NAME
    with whole_files.writing(path):
        folder.mkdir(parents=True, exist_ok=True)
    first = _double(1, began) + _bytes(3, b"brain.Event:2")
    whole_files.write_bytes(path, b"".join(map(_record, (first, *events))))
    return path


def scalars(time: float, step: int, values: Mapping[str, float]) -> bytes:
    """Numbers by tag at one step; `time` in seconds since 1970."""
    return _event(time, step, [_text(1, tag) + _float(2, value) for tag, value in values.items()])


def text(time: float, tag: str, markdown: str) -> bytes:
    """A text, shown as Markdown."""
    tensor = _int(1, _STRING) + _bytes(2, b"") + _text(8, markdown)
    return _event(time, 0, [_text(1, tag) + _bytes(8, tensor) + _bytes(9, _plugin("text", b""))])


def settings(time: float, group: str, values: Mapping[str, str | float]) -> bytes:
    """What the run was made with, for the tab HPARAMS; `group` names the run there."""
    entries = (
        _bytes(1, _text(1, name) + _bytes(2, _text(3, value) if isinstance(value, str) else _double(2, value)))
        for name, value in values.items()
    )
    start = b"".join(entries) + _text(4, group) + _double(5, time)
    metadata = _plugin("hparams", _bytes(3, start))
    return _event(time, 0, [_text(1, "_hparams_/session_start_info") + _bytes(9, metadata)])


def _event(time: float, step: int, values: Sequence[bytes]) -> bytes:
    return _double(1, time) + _int(2, step) + _bytes(5, b"".join(_bytes(1, value) for value in values))


def _plugin(name: str, content: bytes) -> bytes:
    return _bytes(1, _text(1, name) + _bytes(2, content))


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _int(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode("utf-8", "replace"))


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    """The masked CRC-32C of TFRecords."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF)


@cache
def _table() -> tuple[int, ...]:
    found = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        found.append(value)
    return tuple(found)
