"""The child process that decodes compressed DICOM frames: run as a script, never imported.

It says ``R`` when it is ready, then reads requests from standard input and answers on standard output until
its input ends. A request
is a 4-byte length, JSON of that length and the compressed pixel data of a file; where these are
left out the file before is meant. An answer is a status byte (0: fine), a 4-byte length, and the
frame as 32-bit integers in rows, or the name of what went wrong. Its memory is limited, so that a
frame which unpacks without end cannot harm the machine; the parent watches the time.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import warnings
from pathlib import Path

import numpy as np
from pydicom.pixels import get_decoder
from pydicom.uid import UID

MAX_FRAME_MEMORY_BYTES = 2**30
"""Address space granted above what the loaded libraries take; a frame of 1024 × 1024 needs 0.05 GB."""
MAX_CPU_S = 1800
"""Processor time of the child: a whole body of 2,000 JPEG 2000 slices takes about 200 s."""
FAILURES = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
"""What decoders raise on damaged frames; anything else ends the child, which the parent notices."""


def limit_resources() -> None:
    """Ask the system to end or refuse this process above its share."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    usage = Path("/proc/self/statm")
    taken = int(usage.read_text().split()[0]) * resource.getpagesize() if usage.exists() else 3 * 2**30
    wanted = ((resource.RLIMIT_AS, taken + MAX_FRAME_MEMORY_BYTES), (resource.RLIMIT_CPU, MAX_CPU_S))
    for kind, limit in (*wanted, (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        lowest = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (lowest, lowest))


def decode(request: dict[str, object], content: bytes) -> bytes:
    """One frame as little-endian 32-bit integers."""
    decoder = get_decoder(UID(str(request["transfer_syntax"])))
    frame, _ = decoder.as_array(
        content,
        index=request["frame"],
        raw=True,
        rows=request["rows"],
        columns=request["columns"],
        number_of_frames=request["n_frames"],
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        pixel_representation=int(bool(request["is_signed"])),
        bits_allocated=request["bits_allocated"],
        bits_stored=request["bits_stored"],
        pixel_keyword="PixelData",
    )
    if frame.shape != (request["rows"], request["columns"]):
        raise ValueError("size")
    return np.ascontiguousarray(frame.astype("<i4")).tobytes()


def serve() -> None:
    """Answer requests until the input ends."""
    source = sys.stdin.buffer
    content = b""
    with os.fdopen(os.dup(1), "wb") as sink:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a decoder that prints must not spoil the answers
        sink.write(b"R")
        sink.flush()
        while True:
            head = source.read(4)
            if len(head) < 4:
                return
            request = json.loads(source.read(struct.unpack("<I", head)[0]))
            if request["bytes"]:
                content = source.read(request["bytes"])
            try:
                status, answer = 0, decode(request, content)
            except FAILURES as problem:
                status, answer = 1, type(problem).__name__.encode()
            sink.write(struct.pack("<BI", status, len(answer)) + answer)
            sink.flush()


if __name__ == "__main__":
    limit_resources()
    warnings.simplefilter("ignore")
    serve()
