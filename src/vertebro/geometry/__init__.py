"""Frames, rigid transforms, lines and planes: no voxels.

World frame: DICOM LPS (x to the patient's left, y to posterior, z to superior), millimetres.
A transform is a 4×4 float64 matrix named ``a_from_b``: ``x_a = a_from_b @ x_b``.
"""

from vertebro.geometry.cylinders import cylinder_mesh
from vertebro.geometry.transforms import (
    apply_affine,
    apply_direction,
    compose,
    invert_affine,
    is_rigid,
    rigid_from_axes,
    rotation_about_axis,
    translation,
)

__all__ = [
    "apply_affine",
    "apply_direction",
    "compose",
    "cylinder_mesh",
    "invert_affine",
    "is_rigid",
    "rigid_from_axes",
    "rotation_about_axis",
    "translation",
]
