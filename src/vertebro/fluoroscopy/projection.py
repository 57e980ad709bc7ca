"""Mass paths: how much of each material every ray of a view passes, for anatomy and instruments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.case import CArmPose
from vertebro.devices import CArm, CArmPlane, load_c_arm
from vertebro.fluoroscopy.instruments import DISPLACED_G_CC, Instrument
from vertebro.fluoroscopy.pose_geometry import cone_beam
from vertebro.fluoroscopy.settings import BeamModel, FluoroscopySettings
from vertebro.fluoroscopy.tissue import Anatomy
from vertebro.materials.beam_attenuation import beam_attenuation
from vertebro.numerics import Backend, ConeBeam, ValueRamps, line_integrals

_MM_PER_CM = 10.0


@dataclass(frozen=True, eq=False)
class Projection:
    """A patient's anatomy seen from one pose; made once for the pose."""

    pose: CArmPose
    arm: CArm
    plane: CArmPlane
    beam: ConeBeam
    materials: tuple[str, ...]
    paths_g_cm2: NDArray[np.float32]
    """(m, rows, columns): mass path of each material."""

    @property
    def pixel_mm(self) -> float:
        """Pitch of the image's pixels on the detector, along a row."""
        return float(np.linalg.norm(self.beam.column_step_mm))

    @property
    def compositions(self) -> tuple[Mapping[str, float], ...]:
        """Mass fractions of each material."""
        return tuple({name: 1.0} for name in self.materials)


def project_anatomy(
    anatomy: Anatomy, pose: CArmPose, settings: FluoroscopySettings, *, backend: Backend = Backend.NUMBA
) -> Projection:
    """Cast every ray of a view through the anatomy, all materials in one pass.

    With one energy, all materials count as the soft tissue that attenuates alike.

    Parameters
    ----------
    anatomy : Anatomy
    pose : CArmPose
    settings : FluoroscopySettings
        For machine, plane and image size.
    backend : Backend
    """
    arm = load_c_arm(settings.c_arm)
    plane = arm.plane(settings.plane)
    beam = cone_beam(pose, plane, (settings.n_rows, settings.n_columns))
    ramps, materials = anatomy.ramps, anatomy.materials
    if settings.beam.model is BeamModel.MONOENERGETIC:
        ramps, materials = equivalent_soft_tissue(anatomy, settings.beam.single_energy_kev), materials[:1]
    paths = line_integrals(anatomy.rays, beam, ramps, backend=backend)
    paths *= np.float32(1.0 / _MM_PER_CM)
    return Projection(pose, arm, plane, beam, materials, paths)


def equivalent_soft_tissue(anatomy: Anatomy, energy_kev: float) -> ValueRamps:
    """One map from HU: the soft tissue that would attenuate as the mixture does at one energy.

    With a single energy nothing more needs to be known of a ray, so that one line integral does.
    """
    mass = [float(beam_attenuation().mass_attenuation_cm2_g(name, energy_kev)) for name in anatomy.materials]
    share = np.array(mass, dtype=np.float64) / mass[0]
    return ValueRamps(anatomy.ramps.knots, np.asarray(share @ anatomy.ramps.slopes, np.float32)[None])


@dataclass(frozen=True, eq=False)
class Footprint:
    """The part of a view that an instrument covers, and what it adds there."""

    rows: slice
    columns: slice
    composition: Mapping[str, float]
    path_g_cm2: NDArray[np.float32]
    """(rows, columns) of its substance."""
    displaced_g_cm2: NDArray[np.float32]
    """(rows, columns) of soft tissue that it took the place of."""


def footprint(instrument: Instrument, beam: ConeBeam) -> Footprint | None:
    """Project one instrument, only where it is; None where the view does not show it."""
    outline = instrument.outline_lps_mm()
    if not len(outline):
        return None
    matrix = beam.projection_matrix()
    image = outline @ matrix[:, :3].T + matrix[:, 3]
    if np.any(image[:, 2] <= 1e-6):
        return None  # at or behind the focal spot
    place = image[:, :2] / image[:, 2:]
    low = np.maximum(np.floor(place.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(place.max(axis=0)).astype(int) + 2, [beam.shape[1], beam.shape[0]])
    if np.any(high <= low):
        return None
    window = beam.window(int(low[1]), int(low[0]), (int(high[1] - low[1]), int(high[0] - low[0])))
    length, displaced = instrument.lengths_mm(window)
    substance = instrument.substance
    return Footprint(
        slice(int(low[1]), int(high[1])),
        slice(int(low[0]), int(high[0])),
        substance.mass_fractions,
        length * np.float32(substance.density_g_cc / _MM_PER_CM),
        displaced * np.float32(DISPLACED_G_CC / _MM_PER_CM),
    )


def covered_by(footprints: Iterable[Footprint], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """(rows, columns): which pixels instruments cover, with a margin for blur."""
    covered = np.zeros(shape, dtype=bool)
    for print_ in footprints:
        covered[print_.rows, print_.columns] |= print_.displaced_g_cm2 > 0.0
    return np.asarray(ndimage.binary_dilation(covered, iterations=3)) if covered.any() else covered


def with_instruments(
    projection: Projection, footprints: Iterable[Footprint], rows: slice, columns: slice
) -> tuple[NDArray[np.float32], Sequence[Mapping[str, float]]]:
    """Mass paths of anatomy and instruments in a part of the view.

    Returns
    -------
    paths : (m, rows, columns) float32 array, g/cm²
    compositions : mass fractions of each of the m materials
    """
    compositions = list(projection.compositions)
    parts = [np.array(path) for path in projection.paths_g_cm2[:, rows, columns]]
    for print_ in footprints:
        overlap = _overlap(print_, rows, columns)
        if overlap is None:
            continue
        target, source = overlap
        if print_.composition not in compositions:
            compositions.append(print_.composition)
            parts.append(np.zeros_like(parts[0]))
        parts[compositions.index(print_.composition)][target] += print_.path_g_cm2[source]
        parts[0][target] -= print_.displaced_g_cm2[source]
    return np.stack(parts), compositions


def _overlap(
    print_: Footprint, rows: slice, columns: slice
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Where a footprint and a part of the view meet: in the part's own indices, and the footprint's."""
    top, bottom = max(rows.start, print_.rows.start), min(rows.stop, print_.rows.stop)
    left, right = max(columns.start, print_.columns.start), min(columns.stop, print_.columns.stop)
    if top >= bottom or left >= right:
        return None
    target = (
        slice(top - rows.start, bottom - rows.start),
        slice(left - columns.start, right - columns.start),
    )
    source = (
        slice(top - print_.rows.start, bottom - print_.rows.start),
        slice(left - print_.columns.start, right - print_.columns.start),
    )
    return target, source
