"""Exact lengths of rays in simple solids."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.numerics.beams import ConeBeam
from vertebro.numerics.ray_casting import Backend


def ray_directions(beam: ConeBeam) -> NDArray[np.float64]:
    """(rows, columns, 3): unit directions of a beam's rays."""
    rows, columns = beam.shape
    pixels = beam.pixel_mm(np.arange(rows)[:, None], np.arange(columns)[None, :])
    rays = pixels - beam.source_mm
    return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))


def tube_lengths_mm(
    beam: ConeBeam,
    start_mm: ArrayLike,
    end_mm: ArrayLike,
    diameters_mm: tuple[float, float],
    *,
    backend: Backend = Backend.NUMBA,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Length of every ray in a straight tube with flat ends.

    Parameters
    ----------
    beam : ConeBeam
    start_mm, end_mm : (3,) array_like
        Middles of the tube's ends.
    diameters_mm : (float, float)
        Outer, and inner (0 for a solid rod).
    backend : Backend

    Returns
    -------
    wall, whole : (rows, columns) float32 arrays, mm
        In the tube's wall, and in the tube with its bore.
    """
    start = np.asarray(start_mm, dtype=np.float64)
    axis = np.asarray(end_mm, dtype=np.float64) - start
    length = float(np.linalg.norm(axis))
    assert length > 0.0, "a tube has a length"
    axis = axis / length
    outer, inner = diameters_mm[0] / 2.0, diameters_mm[1] / 2.0
    if backend is Backend.NUMPY:
        rays = ray_directions(beam)
        whole = _cylinder(beam.source_mm - start, rays, axis, (length, outer))
        bore = _cylinder(beam.source_mm - start, rays, axis, (length, inner))
        return (whole - bore).astype(np.float32), whole.astype(np.float32)
    from vertebro.numerics import solid_kernels as kernels  # noqa: PLC0415 - loads the compiler

    wall_out, whole_out = np.empty(beam.shape, np.float32), np.empty(beam.shape, np.float32)
    steps = np.stack([beam.column_step_mm, beam.row_step_mm])
    source, corner = np.array(beam.source_mm), np.array(beam.first_pixel_mm)
    kernels.tube_lengths(source, corner, steps, start, axis, (length, outer, inner), wall_out, whole_out)
    return wall_out, whole_out


def _cylinder(
    offset: NDArray[np.float64],
    rays: NDArray[np.float64],
    axis: NDArray[np.float64],
    size: tuple[float, float],
) -> NDArray[np.float64]:
    """Chords in a solid cylinder: where the ray is inside its mantle and between its ends."""
    length, radius = size
    if radius <= 0.0:
        return np.zeros(rays.shape[:-1])
    along_ray, along_offset = rays @ axis, float(offset @ axis)
    across_offset = offset - along_offset * axis
    a = np.maximum(1.0 - along_ray**2, 1e-15)
    b = rays @ across_offset - along_ray * float(axis @ across_offset)
    root = b**2 - a * (float(across_offset @ across_offset) - radius**2)
    half = np.sqrt(np.maximum(root, 0.0)) / a
    slant = np.where(np.abs(along_ray) > 1e-12, along_ray, 1e-30)
    ends = (np.array([0.0, length]).reshape(2, *[1] * along_ray.ndim) - along_offset) / slant
    enter = np.maximum(-b / a - half, ends.min(axis=0))
    leave = np.minimum(-b / a + half, ends.max(axis=0))
    return np.asarray(np.where(root > 0.0, np.maximum(leave - enter, 0.0), 0.0))


def ellipsoid_lengths_mm(
    beam: ConeBeam, centre_mm: ArrayLike, semi_axes_mm: ArrayLike
) -> NDArray[np.float32]:
    """Length of every ray in a filled ellipsoid.

    Parameters
    ----------
    beam : ConeBeam
    centre_mm : (3,) array_like
    semi_axes_mm : (3, 3) array_like
        Rows are the semi-axes as vectors.

    Returns
    -------
    (rows, columns) float32 array, mm
    """
    unit_from_world = np.linalg.inv(np.asarray(semi_axes_mm, dtype=np.float64).T)
    rays = ray_directions(beam) @ unit_from_world.T
    offset = unit_from_world @ (beam.source_mm - np.asarray(centre_mm, dtype=np.float64))
    a = (rays**2).sum(-1)
    b = rays @ offset
    root = b**2 - a * (float(offset @ offset) - 1.0)
    return np.asarray(2.0 * np.sqrt(np.maximum(root, 0.0)) / a, dtype=np.float32)
