"""Parsing bytes that nobody vouches for: one narrow place where a library may fail in any way.

A DICOM toolkit given damaged bytes raises what happens to come up: lookups, conversions, recursion
without end, memory that a forged length asks for. Each parse is wrapped once, here, with the list
of exceptions that mutated files were seen to provoke; anything else is a fault of this program and
stays visible.
"""

from __future__ import annotations

import io
import logging
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

PARSE_ERRORS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What parsing damaged DICOM bytes raises, besides the toolkit's own (:func:`toolkit_errors`)."""
MAX_READS = 2_000_000
"""Reads of one header, whatever the file's size (assumed: an enhanced CT of 2,000 frames takes 400,000)."""


def toolkit_errors() -> tuple[type[Exception], ...]:
    """The DICOM toolkit's errors that derive from nothing but ``Exception``."""
    from pydicom.errors import BytesLengthException, InvalidDicomError  # noqa: PLC0415 - slow to load

    return (BytesLengthException, InvalidDicomError)


class DamagedBytes(Exception):  # noqa: N818 - a private signal between a parse and its caller
    """A parse failed; the text says how, without any content of the file."""


@contextmanager
def damage() -> Iterator[None]:
    """Turn whatever handling untrusted bytes raises into :class:`DamagedBytes`.

    Examples
    --------
    >>> with damage():
    ...     struct.unpack("<I", b"ab")
    Traceback (most recent call last):
    vertebro.io.untrusted.DamagedBytes: error
    """
    try:
        yield
    except PARSE_ERRORS as problem:
        raise DamagedBytes(type(problem).__name__) from problem


@contextmanager
def parsing() -> Iterator[None]:
    """Guard a call of the DICOM toolkit: :func:`damage`, its own errors, and silence.

    Warnings and log lines of the toolkit are silenced: what matters about an image becomes a
    finding, and they may quote values such as the patient's name.
    """
    log = logging.getLogger("pydicom")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(), damage():
            warnings.simplefilter("ignore")
            yield
    except toolkit_errors() as problem:
        raise DamagedBytes(type(problem).__name__) from problem
    finally:
        log.setLevel(level)


class BoundedStream(io.RawIOBase):
    """A seekable view of a stream that never asks it for more than there is, nor for ever.

    A forged length of 4 GB would otherwise make the reader set aside 4 GB before it notices, and a
    file of zeros would be taken apart into millions of empty elements.

    Parameters
    ----------
    source : binary file
        Seekable.
    size : int
        Number of bytes that the source holds.

    Examples
    --------
    >>> stream = BoundedStream(io.BytesIO(b"abc"), 3)
    >>> stream.read(2**40)
    b'abc'
    """

    def __init__(self, source: BinaryIO, size: int) -> None:
        super().__init__()
        self._source = source
        self._size = size
        self._at = source.tell()
        self._reads_left = min(MAX_READS, 50_000 + size // 256)

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to ``size`` bytes; all that is left if negative."""
        self._reads_left -= 1
        if self._reads_left < 0:
            raise DamagedBytes("a header of too many parts")
        left = max(0, self._size - self._at)
        content = self._source.read(left if size is None or size < 0 else min(size, left))
        self._at += len(content)
        return content

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move as any file does, within the source."""
        base = (0, self._at, self._size)[whence]
        self._at = self._source.seek(min(max(base + offset, 0), self._size))
        return self._at

    def tell(self) -> int:
        """Position in the source."""
        return self._at

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True
