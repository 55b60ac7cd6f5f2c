"""Opens a file, plain or as .gz or .zst, and stops where more comes out of it than the limits allow."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING, Protocol

from tsodata.errors import ImportRefusedError
from tsodata.reading.kinds import is_packed

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import WriteableBuffer

    from tsodata.reading.limits import Limits

BLOCK_BYTES = 1 << 20


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class _Unpacked(io.RawIOBase):
    """The bytes that come out of a compressed file, counted."""

    def __init__(self, path: Path, source: _Source, limits: Limits) -> None:
        self._path, self._source, self._limits = path, source, limits
        self._n_packed = max(path.stat().st_size, 1)
        self._n_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._source.read(len(view))
        view[: len(data)] = data
        self._n_bytes += len(data)
        self._check()
        return len(data)

    def _check(self) -> None:
        limits = self._limits
        if self._n_bytes > limits.unpacked_bytes:
            raise ImportRefusedError(
                f"{self._path}: unpacks to more than {limits.unpacked_bytes} bytes; unpack it yourself, and split it"
            )
        if self._n_bytes > max(limits.ratio_from_bytes, limits.unpacking_ratio * self._n_packed):
            raise ImportRefusedError(
                f"{self._path}: unpacks to more than {limits.unpacking_ratio} times its size, as a zip bomb does; "
                "where it is sound, unpack it yourself"
            )

    def close(self) -> None:
        if not self.closed:
            self._source.close()
        super().close()


def open_bytes(path: Path, limits: Limits) -> io.BufferedReader:
    """Open a file for reading; what is compressed is unpacked as it is read.

    Raises:
        ImportRefusedError: while it is read, where it unpacks to more than the limits allow.
    """
    if not is_packed(path):
        return path.open("rb")
    if path.suffix.lower() == ".gz":
        return io.BufferedReader(_Unpacked(path, gzip.open(path, "rb"), limits), BLOCK_BYTES)
    import pyarrow as pa

    return io.BufferedReader(_Unpacked(path, pa.input_stream(str(path), compression="zstd"), limits), BLOCK_BYTES)


def held(path: Path, file: io.BufferedReader, limits: Limits) -> io.BytesIO:
    """Return the whole of a file, in memory.

    Raises:
        ImportRefusedError: it is larger than `limits.held_bytes`.
    """
    data = file.read(limits.held_bytes + 1)
    if len(data) > limits.held_bytes:
        raise ImportRefusedError(
            f"{path}: more than {limits.held_bytes} bytes, too many for a file that is read as a whole; split it"
        )
    return io.BytesIO(data)
