"""A small phantom patient on disk, made once for all tests that need files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from vertebro.phantoms import Fracture, Phantom, PhantomSettings, make_phantom
from vertebro.workflow.phantom_files import write_phantom


@cache
def small_phantom() -> Phantom:
    """T12 to L2 on 2.5 mm voxels, L1 a wedge fracture of 40 %."""
    return make_phantom(
        PhantomSettings(
            levels=("T12", "L1", "L2"),
            fractures=(Fracture("L1", "wedge", 40.0),),
            spacing_mm=(2.5, 2.5, 2.5),
            field_of_view_mm=(140.0, 150.0),
            margin_mm=15.0,
        )
    )


def write_small_patient(folder: Path) -> tuple[Path, Path]:
    """CT and labels of the small phantom as NIfTI; returns both paths."""
    write_phantom(folder, small_phantom())
    return folder / "ct.nii.gz", folder / "labels.nii.gz"
