"""Line integrals through a voxel volume along the rays of an X-ray beam.

Method: Joseph's (1982) interpolation, in factored form. Along the voxel axis that a ray follows
most closely, the ray meets one point in every slice; the value there is bilinear in the slice. All
rays that share that axis are cast together through an *intermediate grid* parallel to the slices.
Seen from the focal spot a slice is then only scaled and shifted against the grid, so it is
interpolated first along its columns and then along its rows, each a run over contiguous memory. At
the end the grid is taken to the detector (cubic convolution) and multiplied by each ray's path
length between slices. Where two voxel axes nearly tie, the two castings are mixed, so that no seam
shows. The cost follows the voxels passed, not rays times steps; any angle costs about the same.

The NumPy reference (:mod:`vertebro.numerics.ray_casting_reference`) casts each ray by itself, with
no intermediate grid, and defines what the result should be.

Outside the volume, values are 0; the outermost voxels fade out over one voxel within a slice.

References
----------
.. [1] Joseph PM, An improved algorithm for reprojecting rays through pixel images, IEEE Trans Med
   Imaging 1982;1:192-196.
.. [2] Lacroute P, Levoy M, Fast volume rendering using a shear-warp factorization, SIGGRAPH 1994:
   the factorisation of a viewing transform into a shear of slices and a warp.
.. [3] Keys R, Cubic convolution interpolation, IEEE Trans ASSP 1981;29:1153-1160.
"""

from __future__ import annotations

import os
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import GeometryError
from vertebro.numerics.beams import Beam, ConeBeam, FanBeam
from vertebro.numerics.cone_faces import TIE_BAND, cone_faces
from vertebro.numerics.fan_casting import cast_fan
from vertebro.numerics.ray_casting_reference import cast_cone_plainly, cast_fan_plainly
from vertebro.numerics.ray_volume import RayVolume
from vertebro.numerics.slice_grid import BAND_ROWS, run_bands, sum_slices, threads
from vertebro.numerics.value_ramps import ValueRamps

GRID_DENSITY = 1.0
"""Intermediate grid points for each detector pixel along each axis."""


class Backend(StrEnum):
    """Which implementation casts the rays."""

    NUMPY = "numpy"
    """The slow, obvious reference: every ray by itself."""
    NUMBA = "numba"
    """Compiled, multi-threaded."""


def line_integrals(
    volume: RayVolume,
    beam: Beam,
    ramps: ValueRamps | None = None,
    *,
    backend: Backend = Backend.NUMBA,
    n_threads: int | None = None,
) -> NDArray[np.float32]:
    """Integrate the mapped voxel values along every ray.

    Parameters
    ----------
    volume : RayVolume
    beam : ConeBeam or FanBeam
    ramps : ValueRamps, optional
        Maps from voxel value to the integrated quantities; the positive value itself if left out.
    backend : Backend
    n_threads : int, optional
        Threads of the compiled caster; as many as the process may use if left out.

    Returns
    -------
    (m, rows, columns) float32 array
        Mapped value × mm.

    Raises
    ------
    GeometryError
        If the focal spot lies inside the volume (``rays.source_inside``), or a fan does not move
        along a voxel axis (``rays.fan_axis``).

    Examples
    --------
    >>> slab = RayVolume(np.ones((20, 10, 20), np.float32), np.diag([1.0, 2.0, 1.0, 1.0]))
    >>> beam = ConeBeam([10.0, -1000.0, 10.0], [10.0, 200.0, 10.0], [1.0, 0, 0], [0, 0, 1.0], (1, 1))
    >>> float(line_integrals(slab, beam)[0, 0, 0].round(3))
    20.0
    """
    maps = ValueRamps.identity() if ramps is None else ramps
    if isinstance(beam, FanBeam):
        if backend is Backend.NUMPY:
            return cast_fan_plainly(volume, beam, maps)
        return cast_fan(volume, beam, maps, n_threads or usable_threads())
    _require_source_outside(volume, beam)
    if backend is Backend.NUMPY:
        return cast_cone_plainly(volume, beam, maps, TIE_BAND)
    return _cast_cone(volume, beam, maps, n_threads or usable_threads())


def usable_threads() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _require_source_outside(volume: RayVolume, beam: ConeBeam) -> None:
    affine = volume.voxel_from_lps
    source = affine[:3, :3] @ beam.source_mm + affine[:3, 3]
    if np.all(source > -0.5) and np.all(source < np.array(volume.values.shape) - 0.5):
        raise GeometryError(
            "rays.source_inside",
            got="an X-ray source inside the CT volume",
            needed="a source outside it",
            remedy="Check the pose's isocentre and the source distance.",
            fields=("beam",),
        )


def _cast_cone(volume: RayVolume, beam: ConeBeam, ramps: ValueRamps, n_threads: int) -> NDArray[np.float32]:
    from vertebro.numerics import ray_casting_kernels as kernels  # noqa: PLC0415 - loads the compiler

    image = np.zeros((ramps.n_outputs, *beam.shape), dtype=np.float32)
    with threads(n_threads, image[0].size) as pool:
        for face in cone_faces(volume, beam, GRID_DENSITY):
            grid = sum_slices(volume, face.grid, ramps, pool)
            rays, frame = face.rays, face.frame

            def warp(
                first: int,
                grid: NDArray[np.float32] = grid,
                rays: NDArray[np.float64] = rays,
                frame: NDArray[np.float64] = frame,
            ) -> None:
                stop = min(first + BAND_ROWS, beam.shape[0])
                kernels.warp_band(grid, rays, frame, TIE_BAND, (first, stop), image)

            run_bands(pool, warp, beam.shape[0])
    return image
