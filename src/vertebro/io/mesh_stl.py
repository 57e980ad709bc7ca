"""Surfaces, of masks and others, as binary STL files, in LPS millimetres.

STL knows no units and no frame; other programs show it in the frame they assume. The header says what
it is. Surfaces are closed: a mask that touches the edge of its grid is closed there.

References
----------
.. [1] Lewiner et al., Efficient implementation of marching cubes' cases with topological guarantees,
   J Graph Tools 2003;8:1 (as in scikit-image).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import marching_cubes

from vertebro.errors import InputError
from vertebro.geometry import apply_affine
from vertebro.imaging import VolumeGeometry

_HEADER = b"vertebro surface, binary STL, DICOM LPS, millimetres"


def surface_of(
    mask: NDArray[np.bool_], geometry: VolumeGeometry, *, smoothing_mm: float = 0.0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Closed surface of a mask, normals outwards.

    Parameters
    ----------
    mask : (i, j, k) bool array
    geometry : VolumeGeometry
    smoothing_mm : float
        Standard deviation of a Gaussian that rounds the voxels' steps; 0 keeps every voxel. Parts
        thinner than about twice this vanish.

    Returns
    -------
    vertices_lps_mm : (n, 3) float32 array
    faces : (m, 3) int array
        Vertex indices, counter-clockwise seen from outside.

    Raises
    ------
    InputError
        If the mask is empty, or nothing of it is left after smoothing (``stl.empty``).

    Examples
    --------
    >>> grid = VolumeGeometry.from_spacing((3, 3, 3), (1.0, 1.0, 1.0))
    >>> one = np.zeros((3, 3, 3), bool)
    >>> one[1, 1, 1] = True
    >>> vertices, faces = surface_of(one, grid)
    >>> len(vertices), len(faces)
    (6, 8)
    """
    if not mask.any():
        raise _empty()
    sigma = smoothing_mm / np.array(geometry.spacing_mm)
    margin = np.ceil(4 * sigma).astype(int) + 1
    start, stop = np.zeros(3, int), np.zeros(3, int)
    for axis in range(3):
        hit = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        start[axis], stop[axis] = hit[0], hit[-1] + 1
    box = tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
    field = np.pad(mask[box].astype(np.float32), [(int(m), int(m)) for m in margin])
    if smoothing_mm > 0.0:
        field = ndimage.gaussian_filter(field, sigma, truncate=4.0, mode="constant")
    if field.max() <= 0.5:
        raise _empty()
    vertices, faces, _, _ = marching_cubes(field, level=0.5, allow_degenerate=False)
    points = apply_affine(geometry.lps_from_voxel, vertices + start - margin)
    faces = faces.astype(np.int64)
    if _signed_volume(points, faces) < 0.0:
        faces = faces[:, ::-1]
    return points.astype(np.float32), faces


def write_stl(
    path: str | Path, mask: NDArray[np.bool_], geometry: VolumeGeometry, *, smoothing_mm: float = 0.0
) -> None:
    """Write the closed surface of a mask as binary STL.

    Parameters
    ----------
    path : path
        The file; replaced if there is one.
    mask, geometry, smoothing_mm : as for :func:`surface_of`

    Raises
    ------
    InputError
        If the mask is empty (``stl.empty``) or the file cannot be written (``stl.not_writable``).

    Examples
    --------
    >>> import tempfile
    >>> grid = VolumeGeometry.from_spacing((3, 3, 3), (1.0, 1.0, 1.0))
    >>> file = Path(tempfile.mkdtemp()) / "cube.stl"
    >>> write_stl(file, np.ones((3, 3, 3), bool), grid)
    >>> (file.stat().st_size - 84) % 50
    0
    """
    write_stl_mesh(path, *surface_of(mask, geometry, smoothing_mm=smoothing_mm))


def write_stl_mesh(
    path: str | Path, vertices_lps_mm: NDArray[np.floating[Any]], faces: NDArray[np.int64]
) -> None:
    """Write triangles as binary STL.

    Parameters
    ----------
    path : path
        The file; replaced if there is one.
    vertices_lps_mm : (n, 3) float array
    faces : (m, 3) int array
        Vertex indices, counter-clockwise seen from outside.

    Raises
    ------
    InputError
        If the file cannot be written (``stl.not_writable``).
    """
    corners = vertices_lps_mm[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 0.0)
    layout = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    records = np.zeros(len(faces), layout)
    records["normal"], records["corners"] = normals, corners
    content = _HEADER.ljust(80, b" ") + np.uint32(len(faces)).astype("<u4").tobytes() + records.tobytes()
    try:
        Path(path).write_bytes(content)
    except OSError as problem:
        raise InputError(
            "stl.not_writable",
            got=f"{Path(path).name!r}, which cannot be written ({problem.strerror})",
            needed="a place that can be written",
            remedy="Choose another place, or free some space.",
            fields=("path",),
        ) from problem


def _empty() -> InputError:
    return InputError(
        "stl.empty",
        got="a mask without a surface",
        needed="at least one voxel that survives the smoothing",
        remedy="Check the level's label, or smooth less.",
        fields=("mask",),
    )


def _signed_volume(points: NDArray[np.float64], faces: NDArray[np.int64]) -> float:
    """Volume enclosed; negative where normals point inwards."""
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    return float(np.einsum("ij,ij->i", a - points[0], np.cross(b - points[0], c - points[0])).sum() / 6.0)
