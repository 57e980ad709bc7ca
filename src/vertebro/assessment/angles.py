"""Angles between endplates, seen in the sagittal plane of the patient's spine.

Wedge angle: the two endplates of one body, in that body's sagittal plane, positive where the front is
lower. Kyphosis across a level: upper endplate of the level above against lower endplate of the level
below. Cobb angle: the same between any two chosen levels. Positive is kyphotic throughout.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vertebro.assessment.heights import NORMAL_95
from vertebro.case import Assessment, EndplatePlane, Estimate


def sagittal_angle_deg(
    superior_normal_lps: NDArray[np.float64],
    inferior_normal_lps: NDArray[np.float64],
    right_lps: NDArray[np.float64],
) -> float:
    """Angle from an upper endplate's normal to a lower one's, seen from the patient's right.

    Parameters
    ----------
    superior_normal_lps, inferior_normal_lps : (3,) float arrays
        Both to superior, world frame.
    right_lps : (3,) float array
        Normal of the sagittal plane, to the patient's right.

    Returns
    -------
    float
        Positive where the upper endplate looks further to the front than the lower one (kyphotic).

    Examples
    --------
    >>> forward = np.array([0.0, -np.sin(0.1), np.cos(0.1)])
    >>> round(sagittal_angle_deg(forward, np.array([0.0, 0.0, 1.0]), np.array([-1.0, 0.0, 0.0])), 2)
    5.73
    """
    axis = right_lps / np.linalg.norm(right_lps)
    upper = superior_normal_lps - (superior_normal_lps @ axis) * axis
    lower = inferior_normal_lps - (inferior_normal_lps @ axis) * axis
    # right-hand turn about the axis to the right carries anterior to superior, hence the sign
    return float(np.degrees(np.arctan2(np.cross(upper, lower) @ axis, upper @ lower)))


def angle_sigma_deg(plane: EndplatePlane, depth_mm: float, voxel_mm: float) -> float:
    """Standard deviation of an endplate's sagittal tilt, from its scatter, voxel size and depth."""
    rise_mm = float(np.hypot(0.5 * plane.residual_mm, 0.15 * voxel_mm))
    return float(np.degrees(np.arctan2(np.sqrt(2.0) * rise_mm, max(depth_mm, 5.0))))


def endplate_angle(
    superior: EndplatePlane | None,
    inferior: EndplatePlane | None,
    right_lps: NDArray[np.float64],
    sigma_deg: float,
    basis: str,
) -> Estimate:
    """Sagittal angle between two endplates as an estimate; missing where one is."""
    if superior is None or inferior is None:
        return Estimate.missing("deg", "an endplate could not be fitted")
    angle = sagittal_angle_deg(superior.normal_lps, inferior.normal_lps, right_lps)
    return Estimate.symmetric(angle, NORMAL_95 * sigma_deg, "deg", basis)


def cobb_deg(assessment: Assessment, *, upper: str, lower: str) -> Estimate:
    """Cobb angle between the upper endplate of one level and the lower endplate of another.

    Parameters
    ----------
    assessment : Assessment
    upper, lower : str
        Names of the upper and the lower end level, e.g. ``"T12"`` and ``"L2"``.

    Returns
    -------
    Estimate
        Degrees in the sagittal plane midway between the two levels' own; positive kyphotic; missing,
        with the reason, where a level or its endplate is.

    Examples
    --------
    >>> from vertebro.imaging import VolumeGeometry
    >>> grid = VolumeGeometry.from_spacing((1, 1, 1), (1.0, 1.0, 1.0))
    >>> empty = Assessment({}, grid, np.zeros((1, 1, 1), np.uint8))
    >>> cobb_deg(empty, upper="T12", lower="L2").basis
    'T12 was not assessed'
    """
    for name in (upper, lower):
        if name not in assessment.levels:
            return Estimate.missing("deg", f"{name} was not assessed")
    above, below = assessment.levels[upper], assessment.levels[lower]
    if above.superior_endplate is None or below.inferior_endplate is None:
        return Estimate.missing("deg", "an end level is cut or its endplate could not be fitted")
    right = above.lps_from_vertebra[:3, 0] + below.lps_from_vertebra[:3, 0]
    voxel = max(assessment.geometry.spacing_mm)
    sigma = np.hypot(
        angle_sigma_deg(above.superior_endplate, 30.0, voxel),
        angle_sigma_deg(below.inferior_endplate, 30.0, voxel),
    )
    return endplate_angle(
        above.superior_endplate,
        below.inferior_endplate,
        right,
        float(np.hypot(sigma, 0.5)),
        f"upper endplate of {upper} against lower endplate of {lower}, sagittal; positive kyphotic",
    )
