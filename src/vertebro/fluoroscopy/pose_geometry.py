"""From a C-arm's pose to rays: source, detector, projection matrix; and back from two views to points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.case import CArmPose, Finding, finding
from vertebro.devices import CArmPlane
from vertebro.errors import InputError
from vertebro.numerics import ConeBeam


def cone_beam(pose: CArmPose, plane: CArmPlane, shape: tuple[int, int]) -> ConeBeam:
    """The rays of a pose.

    Rows of the image run towards the patient's feet. Looking from the detector at the patient,
    columns run to the viewer's right, or to the left where the pose is mirrored.

    Parameters
    ----------
    pose : CArmPose
    plane : CArmPlane
    shape : (int, int)
        Rows and columns that the detector field is binned into.
    """
    towards = pose.towards_detector_lps
    right, down = image_axes(pose)
    column_step = right * plane.detector_width_mm / shape[1]
    row_step = down * plane.detector_height_mm / shape[0]
    isocentre = pose.isocentre_in_patient_mm
    detector = isocentre + towards * (plane.source_detector_mm - plane.source_isocentre_mm)
    corner = detector - column_step * (shape[1] - 1) / 2 - row_step * (shape[0] - 1) / 2
    return ConeBeam(isocentre - towards * plane.source_isocentre_mm, corner, column_step, row_step, shape)


def image_axes(pose: CArmPose) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Unit directions of the image's columns (to the right) and rows (downwards) in LPS.

    Examples
    --------
    >>> right, down = image_axes(CArmPose.parse("ap", (0, 0, 0)))
    >>> bool(right[0] > 0.999), bool(down[2] < -0.999)
    (True, True)
    """
    towards = pose.towards_detector_lps
    lao = np.radians(pose.lao_deg)
    right = np.array([np.cos(lao), np.sin(lao), 0.0])  # of a viewer at the detector, head up
    down = np.cross(right, towards)
    if is_mirrored(pose):
        right = -right
    return right + 0.0, down + 0.0


def is_mirrored(pose: CArmPose) -> bool:
    """Whether the image is shown as seen from the tube."""
    if pose.is_mirrored is not None:
        return pose.is_mirrored
    return abs(pose.lao_deg) > 135.0


def triangulate(
    projection_matrices: Sequence[ArrayLike], columns_rows: Sequence[ArrayLike]
) -> NDArray[np.float64]:
    """The world points that best explain where they appear in two or more views.

    Linear least squares (Hartley & Zisserman, Multiple View Geometry, 2nd ed., 12.2) followed by
    Gauss–Newton on the distance in the images.

    Parameters
    ----------
    projection_matrices : sequence of (3, 4) array_like
    columns_rows : sequence of (n, 2) array_like
        Column and row of the same n points in each view.

    Returns
    -------
    (n, 3) array, LPS mm

    Raises
    ------
    InputError
        If there are fewer than two views, or all look along one line (``view.triangulation``).
    """
    matrices = [np.asarray(matrix, dtype=np.float64) for matrix in projection_matrices]
    images = [np.atleast_2d(np.asarray(image, dtype=np.float64)) for image in columns_rows]
    centres = [-np.linalg.solve(matrix[:, :3], matrix[:, 3]) for matrix in matrices]
    spread = max((float(np.linalg.norm(centre - centres[0])) for centre in centres), default=0.0)
    if len(matrices) < 2 or spread < 1.0:
        raise InputError(
            "view.triangulation",
            got=f"{len(matrices)} view(s) from sources {spread:.1f} mm apart",
            needed="two views from different directions",
            remedy="Give a frontal and a lateral view.",
            fields=("projection_matrices",),
        )
    return np.stack(
        [_one_point(matrices, [image[index] for image in images]) for index in range(len(images[0]))]
    )


def _one_point(matrices: list[NDArray[np.float64]], places: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    rows = [
        place[axis] * matrix[2] - matrix[axis]
        for matrix, place in zip(matrices, places, strict=True)
        for axis in (0, 1)
    ]
    system = np.array([row / np.linalg.norm(row[:3]) for row in rows])
    point = np.linalg.lstsq(system[:, :3], -system[:, 3], rcond=None)[0]
    for _ in range(4):
        residual, slope = [], []
        for matrix, place in zip(matrices, places, strict=True):
            image = matrix[:, :3] @ point + matrix[:, 3]
            at = image[:2] / image[2]
            residual.append(place - at)
            slope.append((matrix[:2, :3] - at[:, None] * matrix[2, :3]) / image[2])
        point = point + np.linalg.lstsq(np.vstack(slope), np.concatenate(residual), rcond=None)[0]
    return np.asarray(point)


def reach_findings(pose: CArmPose, plane: CArmPlane) -> tuple[Finding, ...]:
    """Whether the plane can mechanically stand so."""
    low, high = plane.lao_range_deg
    turn = (pose.lao_deg - plane.home_lao_deg + 180.0) % 360.0 - 180.0
    if plane.name == "lateral":
        turn = pose.lao_deg
    tilt_low, tilt_high = plane.cra_range_deg
    if low <= turn <= high and tilt_low <= pose.cra_deg <= tilt_high:
        return ()
    return (
        finding(
            "view.unreachable",
            f"The C-arm plane '{plane.name}' does not reach {pose.label}: the image is geometry only.",
            where=pose.label,
            evidence={"lao_deg": round(pose.lao_deg, 1), "cra_deg": round(pose.cra_deg, 1)},
        ),
    )
