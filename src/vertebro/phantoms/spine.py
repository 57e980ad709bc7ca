"""Stacking vertebrae into a spine: which way each body points and where it stands.

Patient frame: x right, y anterior, z superior (mm). Discs are placed between the robust planes of
neighbouring endplates, so a collapsed body brings the spine above it down and forward, as it does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.geometry import apply_affine, compose, invert_affine, rotation_about_axis, translation
from vertebro.geometry.transforms import Affine
from vertebro.phantoms import body_kernels as bk
from vertebro.phantoms.body import Shape, break_shape, make_shape
from vertebro.phantoms.morphometry import Morphometry, morphometry
from vertebro.phantoms.posterior import Posterior, make_posterior
from vertebro.phantoms.settings import Fracture, PhantomSettings

_LUMBAR_SHARE = {"L1": 0.12, "L2": 0.15, "L3": 0.18, "L4": 0.25, "L5": 0.30}
"""Share of the discs' lordosis by the level above the disc; assumed, largest at the lowest discs."""


@dataclass(frozen=True, eq=False, slots=True)
class PhantomVertebra:
    """One vertebra as formulas, with its place in the patient."""

    sizes: Morphometry
    whole: Shape
    """The unbroken body."""
    shape: Shape
    """The body as it is."""
    posterior: Posterior
    fracture: Fracture | None
    patient_from_body: Affine

    @property
    def name(self) -> str:
        """The level's name."""
        return self.sizes.level


def make_spine(settings: PhantomSettings, generator: np.random.Generator) -> tuple[PhantomVertebra, ...]:
    """All vertebrae, cranial to caudal, in the patient frame (origin near the middle of the run)."""
    sizes = [morphometry()[level] for level in settings.levels]
    whole = [make_shape(row, settings, generator) for row in sizes]
    broken_by_level = {fracture.level: fracture for fracture in settings.fractures}
    fractures = [broken_by_level.get(level) for level in settings.levels]
    shapes = [
        shape if fracture is None else break_shape(shape, fracture)
        for shape, fracture in zip(whole, fractures, strict=True)
    ]
    poses = _curve(_stack(sizes, shapes, settings), settings)
    return tuple(
        PhantomVertebra(
            row, unbroken, shape, make_posterior(row, unbroken, settings.body_scale), fracture, pose
        )
        for row, unbroken, shape, fracture, pose in zip(sizes, whole, shapes, fractures, poses, strict=True)
    )


def disc_angles_deg(settings: PhantomSettings) -> dict[str, float]:
    """Lordotic opening of the disc below each level, so that the unbroken curves are as asked for."""
    table = morphometry()
    body = {
        name: float(
            np.degrees(
                np.arctan(
                    row.posterior_height_mm
                    * (row.anterior_posterior_ratio - 1.0)
                    / (0.5 * (row.depth_superior_mm + row.depth_inferior_mm))
                )
            )
        )
        for name, row in table.items()
    }
    lumbar = [name for name in table if name[0] == "L"]
    thoracic = [name for name in table if name[0] == "T"]
    lumbar_left = settings.lumbar_lordosis_deg - sum(body[name] for name in lumbar)
    thoracic_left = -settings.thoracic_kyphosis_deg - sum(body[name] for name in thoracic)
    angles = {name: lumbar_left * _LUMBAR_SHARE[name] for name in lumbar}
    angles |= {name: thoracic_left / (len(thoracic) - 1) for name in thoracic[:-1]}
    return angles | {"T12": 1.0}


def _natural_tilt_rad(settings: PhantomSettings, level: str) -> float:
    """Tilt of a level in the unbroken spine, with L3 level; positive where the front stands higher."""
    table = morphometry()
    names = list(table)
    discs = disc_angles_deg(settings)
    tilt, tilts = 0.0, {names[-1]: 0.0}
    for lower, upper in zip(names[::-1], names[-2::-1], strict=False):
        halves = 0.0
        for name in (lower, upper):
            row = table[name]
            rise = row.posterior_height_mm * (row.anterior_posterior_ratio - 1.0)
            halves += 0.5 * np.degrees(np.arctan(rise / row.depth_superior_mm))
        tilt += discs[upper] + halves
        tilts[upper] = tilt
    return float(np.radians(tilts[level] - tilts["L3"]))


def _stack(sizes: list[Morphometry], shapes: list[Shape], settings: PhantomSettings) -> list[Affine]:
    """Poses in the sagittal plane, cranial to caudal, built upwards from the lowest vertebra."""
    discs = disc_angles_deg(settings)
    tilt = _natural_tilt_rad(settings, sizes[-1].level)
    pose = rotation_about_axis((1.0, 0.0, 0.0), tilt)
    poses = [pose]
    for index in range(len(sizes) - 2, -1, -1):
        row, upper, lower = sizes[index], shapes[index], shapes[index + 1]
        top_angle = tilt + np.arctan(lower[bk.SLOPE_SUPERIOR])
        bottom_angle = top_angle + np.radians(discs[row.level])
        new_tilt = float(bottom_angle - np.arctan(upper[bk.SLOPE_INFERIOR]))
        mid = 0.5 * (top_angle + bottom_angle)
        below = apply_affine(pose, _plate_centre(lower, bk.Z_SUPERIOR, bk.SLOPE_SUPERIOR))
        gap = row.disc_below_mm * settings.body_scale
        target = below + gap * np.array([0.0, -np.sin(mid), np.cos(mid)])
        turn = rotation_about_axis((1.0, 0.0, 0.0), new_tilt)
        bottom = apply_affine(turn, _plate_centre(upper, bk.Z_INFERIOR, bk.SLOPE_INFERIOR))
        pose, tilt = compose(translation(target - bottom), turn), new_tilt
        poses.append(pose)
    return poses[::-1]


def _plate_centre(shape: Shape, level: int, slope: int) -> NDArray[np.float64]:
    y = shape[bk.BACK_Y] + 0.25 * (shape[bk.DEPTH_SUPERIOR] + shape[bk.DEPTH_INFERIOR])
    return np.array([0.0, y, shape[level] + shape[slope] * y])


def _curve(poses: list[Affine], settings: PhantomSettings) -> list[Affine]:
    """Centre the run on the origin and bend it sideways by the scoliosis asked for."""
    centres = np.array([pose[:3, 3] for pose in poses])
    middle = 0.5 * (centres.max(axis=0) + centres.min(axis=0))
    centred = [compose(translation(-middle), pose) for pose in poses]
    if settings.scoliosis_deg == 0.0 or len(poses) < 2:
        return centred
    cobb = np.radians(settings.scoliosis_deg)
    result: list[Affine] = []
    previous_old, previous_new = centred[-1][:3, 3], centred[-1][:3, 3]
    for index in range(len(centred) - 1, -1, -1):
        fraction = index / (len(centred) - 1)
        coronal = 0.5 * cobb * np.cos(np.pi * fraction)
        axial = -0.3 * cobb * np.sin(np.pi * fraction)
        step = centred[index][:3, 3] - previous_old
        bend = rotation_about_axis((0.0, 1.0, 0.0), -coronal)
        place = previous_new + bend[:3, :3] @ step
        previous_old, previous_new = centred[index][:3, 3], place
        turn = compose(bend, rotation_about_axis((0.0, 0.0, 1.0), axial))
        pose = turn @ centred[index]
        pose[:3, 3] = place
        result.append(pose)
    shift = np.mean([pose[:3, 3] for pose in result], axis=0) * np.array([1.0, 0.0, 0.0])
    return [compose(translation(-shift), pose) for pose in result[::-1]]


def body_from_patient(vertebra: PhantomVertebra) -> Affine:
    """The inverse of ``patient_from_body``."""
    return invert_affine(vertebra.patient_from_body)
