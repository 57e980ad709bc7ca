"""The column's own curve and frames, and the CT straightened along it.

Everything after the canal works beside a curve through the middles of the bodies: ``u`` to the
patient's right, ``v`` to anterior, ``s`` along the curve to cranial, millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import make_smoothing_spline

from vertebro.segmentation.working_grid import WorkingImage

RIGHT_LPS = np.array([-1.0, 0.0, 0.0])


@dataclass(frozen=True, eq=False, slots=True)
class Curve:
    """A smooth curve with a frame at every millimetre."""

    points_lps_mm: NDArray[np.float64]
    """(n, 3), 1 mm apart, from caudal to cranial."""
    right: NDArray[np.float64]
    """(n, 3) unit vectors."""
    anterior: NDArray[np.float64]
    along: NDArray[np.float64]
    """(n, 3) unit tangents, to cranial."""

    def __len__(self) -> int:
        """Number of millimetres."""
        return len(self.points_lps_mm)

    def at(
        self, u_mm: NDArray[np.float64], v_mm: NDArray[np.float64], s_mm: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """World positions of curve coordinates (broadcast together); beyond the ends it runs straight."""
        position = np.clip(s_mm, 0.0, len(self) - 1.0)
        low = np.minimum(position.astype(int), len(self) - 2)
        share = (position - low)[..., None]
        beyond = (s_mm - position)[..., None]

        def between(rows: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(rows[low] * (1.0 - share) + rows[low + 1] * share)

        return np.asarray(
            between(self.points_lps_mm)
            + np.asarray(u_mm)[..., None] * between(self.right)
            + np.asarray(v_mm)[..., None] * between(self.anterior)
            + beyond * between(self.along)
        )


@dataclass(frozen=True, eq=False, slots=True)
class Straightened:
    """The CT along a curve: ``hu[u, v, s]``."""

    hu: NDArray[np.float32]
    u_mm: NDArray[np.float64]
    v_mm: NDArray[np.float64]
    s_mm: NDArray[np.float64]

    def image(
        self,
        array: NDArray[np.float32],
        u: NDArray[np.float64],
        v: NDArray[np.float64],
        s: NDArray[np.float64],
    ) -> NDArray[np.float32]:
        """Linear samples of an array on this grid at curve coordinates; the edge's value beyond."""
        index = np.stack(
            [
                (u - self.u_mm[0]) / (self.u_mm[1] - self.u_mm[0]),
                (v - self.v_mm[0]) / (self.v_mm[1] - self.v_mm[0]),
                (s - self.s_mm[0]) / (self.s_mm[1] - self.s_mm[0]),
            ]
        )
        values = ndimage.map_coordinates(array, index.reshape(3, -1), order=1, mode="nearest")
        return np.asarray(values.reshape(index.shape[1:]), dtype=np.float32)


def smooth_curve(
    points_lps_mm: NDArray[np.float64], stiffness: float, anterior_lps: NDArray[np.float64] | None = None
) -> Curve:
    """A smooth curve through ordered points, resampled at 1 mm.

    Parameters
    ----------
    points_lps_mm : (n, 3) float array
        At least five, from caudal to cranial.
    stiffness : float
        Weight of the squared second derivative against the squared distances, mm³.
    anterior_lps : (n, 3) float array, optional
        Rough forward directions at the points; straight forward without.
    """
    steps = np.linalg.norm(np.diff(points_lps_mm, axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(np.maximum(steps, 1e-3))])
    splines = [make_smoothing_spline(length, points_lps_mm[:, axis], lam=stiffness) for axis in range(3)]
    fine = np.arange(0.0, length[-1] + 1e-9, 0.25)
    raw = np.stack([spline(fine) for spline in splines], axis=1)
    travelled = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(raw, axis=0), axis=1))])
    wanted = np.arange(0.0, travelled[-1], 1.0)
    points = np.stack([np.interp(wanted, travelled, raw[:, axis]) for axis in range(3)], axis=1)
    along = np.gradient(points, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    if anterior_lps is None:
        forward = np.broadcast_to(np.array([0.0, -1.0, 0.0]), points.shape)
    else:
        source = np.interp(wanted, travelled, fine)
        forward = np.stack([np.interp(source, length, anterior_lps[:, axis]) for axis in range(3)], axis=1)
    anterior = forward - np.sum(forward * along, axis=1, keepdims=True) * along
    anterior /= np.linalg.norm(anterior, axis=1, keepdims=True)
    right = np.cross(anterior, along)
    return Curve(points, right, anterior, along)


def straighten(
    image: WorkingImage, curve: Curve, u_mm: NDArray[np.float64], v_mm: NDArray[np.float64], step_mm: float
) -> Straightened:
    """Sample the CT on a grid along a curve."""
    s_mm = np.arange(0.0, len(curve) - 1.0 + 1e-9, step_mm)
    grid = curve.at(u_mm[:, None, None], v_mm[None, :, None], np.broadcast_to(s_mm, (1, 1, len(s_mm))))
    return Straightened(image.sample(grid), u_mm, v_mm, s_mm)
