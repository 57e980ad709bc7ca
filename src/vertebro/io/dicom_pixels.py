"""The stored numbers of DICOM images: plain ones read here, compressed ones decoded in a child.

Decoders for compressed images are native code that hostile or damaged data can crash or stall, so
they run in one child process for each volume, with limits on memory and time
(:mod:`vertebro.io.dicom_decoder`). A frame that kills the child costs that frame, not this program.
"""

from __future__ import annotations

import json
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from vertebro.io.dicom_header import inflated
from vertebro.io.dicom_image import DEFLATED, NATIVE_SYNTAXES, DicomImage, PixelFormat, Plane
from vertebro.io.untrusted import DamagedBytes, damage

START_TIMEOUT_S = 60.0
"""Longest time for the child to load its decoders (assumed: 1 s on an idle machine)."""
FRAME_TIMEOUT_S = 5.0
"""Longest time for a frame, however small …"""
FRAME_TIMEOUT_S_PER_MEGAPIXEL = 10.0
"""… and for each megapixel of it (assumed: a JPEG 2000 frame of one takes 0.2 s on a slow machine)."""
MAX_COMPRESSED_BYTES = 2**28
"""Largest compressed pixel data read from one file (assumed: 1,000 frames of 250 kB)."""
MAX_DECODER_DEATHS = 2
"""Decoders that may die before a series is given up."""

_DECODER = Path(__file__).with_name("dicom_decoder.py")


class PixelReader:
    """Reads the stored numbers of planes; use it as a context, for it may hold a child process."""

    def __init__(self) -> None:
        self._decoder: subprocess.Popen[bytes] | None = None
        self._deaths = 0

    def __enter__(self) -> PixelReader:
        """Ready; the child is started only when a compressed image comes."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the child, if there is one."""
        self._stop()

    def stored_values(
        self, image: DicomImage, planes: Sequence[Plane]
    ) -> Iterator[tuple[Plane, NDArray[np.int32]]]:
        """Planes of one file with their stored numbers (before rescale), in the order given.

        Yields
        ------
        plane : Plane
        stored : (rows, columns) int32 array

        Raises
        ------
        DamagedBytes
            If the file has no, too few or undecodable pixels.
        """
        if image.pixels.transfer_syntax in NATIVE_SYNTAXES:
            yield from _native(image, planes)
        else:
            yield from self._compressed(image, planes)

    def _compressed(
        self, image: DicomImage, planes: Sequence[Plane]
    ) -> Iterator[tuple[Plane, NDArray[np.int32]]]:
        with _pixel_value(image) as (stream, _length, available):
            if available > MAX_COMPRESSED_BYTES:
                raise DamagedBytes("compressed pixel data of an absurd size")
            content = stream.read(available)
        for plane in planes:
            values = self._decode(image.pixels, content, plane.frame_index)
            content = b""  # the child keeps it
            yield plane, values

    def decoded(self, pixels: PixelFormat, content: bytes) -> Iterator[NDArray[np.int32]]:
        """Every frame of compressed pixel data that are already in memory.

        Raises
        ------
        DamagedBytes
            If a frame cannot be decoded, or there is more than any image has.
        """
        if len(content) > MAX_COMPRESSED_BYTES:
            raise DamagedBytes("compressed pixel data of an absurd size")
        for index in range(pixels.n_frames):
            yield self._decode(pixels, content, index)
            content = b""  # the child keeps it

    def _decode(self, pixels: PixelFormat, content: bytes, frame_index: int) -> NDArray[np.int32]:
        """One frame from the child; without ``content`` it is of the same file as before."""
        if self._deaths >= MAX_DECODER_DEATHS:
            raise DamagedBytes("compressed images that kill their decoder")
        child = self._started()
        request = json.dumps({**asdict(pixels), "frame": frame_index, "bytes": len(content)}).encode()
        megapixels = pixels.rows * pixels.columns / 1e6
        deadline = time.monotonic() + FRAME_TIMEOUT_S + FRAME_TIMEOUT_S_PER_MEGAPIXEL * megapixels
        try:
            sink = cast(IO[bytes], child.stdin)
            sink.write(struct.pack("<I", len(request)) + request + content)
            sink.flush()
            source = cast(IO[bytes], child.stdout)
            status, size = struct.unpack("<BI", _receive(source, 5, deadline))
            expected = pixels.rows * pixels.columns * 4
            if status == 0 and size != expected:
                raise DamagedBytes("a decoded frame of the wrong size")
            answer = _receive(source, min(size, expected), deadline)
        except (OSError, EOFError, TimeoutError, struct.error, DamagedBytes) as problem:
            self._deaths += 1
            self._stop()
            raise DamagedBytes("a frame that kills or stalls its decoder") from problem
        if status != 0:
            raise DamagedBytes(f"a frame that cannot be decoded ({answer.decode('ascii', 'replace')})")
        return np.frombuffer(answer, "<i4").reshape(pixels.rows, pixels.columns)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._decoder is None:
            self._decoder = subprocess.Popen(
                [sys.executable, "-P", str(_DECODER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            try:
                _receive(cast(IO[bytes], self._decoder.stdout), 1, time.monotonic() + START_TIMEOUT_S)
            except (OSError, EOFError, TimeoutError) as problem:
                self._deaths = MAX_DECODER_DEATHS
                self._stop()
                raise DamagedBytes("a decoder that does not start") from problem
        return self._decoder

    def _stop(self) -> None:
        child, self._decoder = self._decoder, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with _quiet():
                    pipe.close()
        child.wait()


@contextmanager
def _quiet() -> Iterator[None]:
    """Closing a pipe to a child that is gone may complain; nobody needs to hear it."""
    try:
        yield
    except OSError:
        return


def _receive(source: IO[bytes], count: int, deadline: float) -> bytes:
    """Exactly ``count`` bytes from the child before the deadline."""
    parts: list[bytes] = []
    descriptor = source.fileno()
    while count > 0:
        left = deadline - time.monotonic()
        if left <= 0.0 or not select.select([descriptor], [], [], left)[0]:
            raise TimeoutError
        part = cast("IO[bytes]", getattr(source, "raw", source)).read(min(count, 2**20))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


@contextmanager
def _pixel_value(image: DicomImage) -> Iterator[tuple[BinaryIO, int, int]]:
    """The stream at the value of the pixel data, its declared length and the bytes there are."""
    with damage(), image.file.open() as outer:
        stream, size = outer, image.file.size
        if image.pixels.transfer_syntax == DEFLATED:
            unpacked = inflated(outer, outer.read(2048))
            if unpacked is None:
                raise DamagedBytes("a deflated file that is not deflated")
            stream, size = unpacked, unpacked.seek(0, 2)
        stream.seek(image.pixel_offset)
        order = ">" if image.pixels.is_big_endian else "<"
        head = stream.read(8)
        if len(head) < 8 or struct.unpack(f"{order}HH", head[:4]) != (0x7FE0, 0x0010):
            raise DamagedBytes("no pixel data")
        if head[4:6] in (b"OB", b"OW", b"UN"):
            length = struct.unpack(f"{order}I", stream.read(4))[0]
        else:
            length = struct.unpack(f"{order}I", head[4:])[0]
        yield stream, length, max(0, size - stream.tell())


def _native(image: DicomImage, planes: Sequence[Plane]) -> Iterator[tuple[Plane, NDArray[np.int32]]]:
    """Planes whose numbers are stored plainly."""
    pixels = image.pixels
    with _pixel_value(image) as (stream, length, available):
        begin = stream.tell()
        for plane in planes:
            first = plane.frame_index * pixels.frame_bytes
            if first + pixels.frame_bytes > min(length, available):
                raise DamagedBytes("pixel data that break off")
            stream.seek(begin + first)
            content = stream.read(pixels.frame_bytes)
            if len(content) != pixels.frame_bytes:
                raise DamagedBytes("pixel data that break off")
            yield plane, _numbers(content, pixels)


def _numbers(content: bytes, pixels: PixelFormat) -> NDArray[np.int32]:
    """Stored numbers from plain bytes: byte order, unused bits and sign put right."""
    if pixels.is_big_endian and pixels.bits_allocated == 8:
        content = np.frombuffer(content[: len(content) // 2 * 2], ">u2").astype("<u2").tobytes()
    order = ">" if pixels.is_big_endian and pixels.bits_allocated > 8 else "<"
    size = pixels.bits_allocated // 8
    raw = np.frombuffer(content, f"{order}u{size}").reshape(pixels.rows, pixels.columns)
    unused_above = pixels.bits_allocated - pixels.high_bit - 1
    unused_below = pixels.high_bit + 1 - pixels.bits_stored
    if not pixels.is_signed and unused_above == 0 and unused_below == 0 and size < 4:
        return raw.astype(np.int32)
    wide = raw.astype(np.uint32) << np.uint32(32 - pixels.bits_allocated + unused_above)
    shift = 32 - pixels.bits_stored
    if pixels.is_signed:
        return wide.view(np.int32) >> np.int32(shift)
    return (wide >> np.uint32(shift)).astype(np.int32)
