"""From Hounsfield units to what is in a voxel: soft tissue, bone mineral, metal, in g/cc.

At 70 keV, near the effective energy of a 120 kV CT, every mixture attenuates exactly
``μ_water·(1 + HU/1000)``; away from it each material follows its own curve. Air (below −950 HU) is
nothing. Between −950 and the soft-tissue limit a voxel is soft tissue thinned by air or fat. Above
it, bone mineral replaces soft tissue as 1/3.16 of its mass in volume. Above the metal threshold the
rise is metal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vertebro.fluoroscopy.settings import BeamSettings
from vertebro.imaging import Volume
from vertebro.materials.beam_attenuation import (
    beam_attenuation,
    beam_densities_g_cc,
    linear_attenuation_per_cm,
)
from vertebro.numerics import RayVolume, ValueRamps

CT_ENERGY_KEV = 70.0
"""Energy at which Hounsfield units are taken to be exact: close to the effective energy of a 120 kV
scan through a body (60–80 keV; Schneider et al., Phys Med Biol 1996;41:111)."""
AIR_HU = -950.0
"""Voxels at or below this are air; lung lies above."""
_THIN_HU = -900.0
TISSUE_HU = -300.0
"""Above this a voxel on the CT's side counts as body cut off: between lung and fat."""
_TOP_HU = 3100.0

TISSUES = ("soft_tissue", "hydroxyapatite", "titanium")
"""Materials that anatomy is made of, in the order of its line integrals. Metal stands for implants."""


@dataclass(frozen=True, eq=False)
class Anatomy:
    """A patient's CT prepared for looking at from any side. Make it once, view it often."""

    volume: Volume
    rays: RayVolume
    ramps: ValueRamps
    """Density (g/cc) of each material from HU."""
    materials: tuple[str, ...]
    """The first ``ramps.n_outputs`` of :data:`TISSUES`."""
    cut_share: float
    """Share of the CT's worst side face (not its ends along the table) that is tissue: how much the
    body is cut off."""


def prepare_anatomy(volume: Volume, beam: BeamSettings | None = None) -> Anatomy:
    """Lay a CT out for ray casting and choose its materials.

    Metal is carried only where the CT has any.

    Parameters
    ----------
    volume : Volume
    beam : BeamSettings, optional
        For the soft-tissue and metal thresholds.

    Returns
    -------
    Anatomy
        Shares the volume's voxels where their memory order allows.
    """
    settings = beam or BeamSettings()
    directions = np.abs(volume.geometry.axis_directions_lps)
    table_axis = int(np.argmax(directions[:, 2]))
    has_metal = bool(volume.hu.max() > settings.metal_from_hu)
    rays = RayVolume(volume.hu, volume.lps_from_voxel, floor=AIR_HU, fast_axis=table_axis)
    ramps = density_ramps(settings, with_metal=has_metal)
    faces = [
        np.moveaxis(volume.hu, axis, 0)[end] for axis in range(3) if axis != table_axis for end in (0, -1)
    ]
    cut_share = max(float((face > TISSUE_HU).mean()) for face in faces)
    return Anatomy(volume, rays, ramps, TISSUES[: ramps.n_outputs], cut_share)


def density_ramps(settings: BeamSettings, *, with_metal: bool) -> ValueRamps:
    """Density of soft tissue, bone mineral and, if asked for, metal (g/cc) as maps of HU.

    Examples
    --------
    >>> soft, mineral = density_ramps(BeamSettings(), with_metal=False)([0.0, 1000.0])
    >>> bool(0.98 < soft[0] < 1.02), float(mineral[0])
    (True, 0.0)
    """
    water, soft, mineral, metal = (
        float(beam_attenuation().mass_attenuation_cm2_g(name, CT_ENERGY_KEV)) for name in ("water", *TISSUES)
    )
    limit, threshold = settings.soft_tissue_limit_hu, settings.metal_from_hu
    per_hu = water / 1000.0  # 1/cm for each HU
    soft_at_limit = per_hu * (1000.0 + limit) / soft
    # Δμ = (μ/ρ)_mineral·c − (μ/ρ)_soft·ρ_soft·c/ρ_solid for c g/cc of mineral that displaces soft tissue
    displaced = soft_at_limit / beam_densities_g_cc()["hydroxyapatite"]
    mineral_per_hu = per_hu / (mineral - soft * displaced)
    knots = (
        [AIR_HU, _THIN_HU, limit, threshold, _TOP_HU] if with_metal else [AIR_HU, _THIN_HU, limit, _TOP_HU]
    )
    top = threshold if with_metal else _TOP_HU
    most = mineral_per_hu * (top - limit)
    thin = per_hu * (1000.0 + _THIN_HU) / soft
    softs = [0.0, thin, soft_at_limit, soft_at_limit - displaced * most]
    minerals = [0.0, 0.0, 0.0, most]
    if not with_metal:
        return ValueRamps.through_points(knots, [softs, minerals])
    share = (_TOP_HU - threshold) * per_hu / metal
    return ValueRamps.through_points(
        knots, [[*softs, softs[3]], [*minerals, most], [0.0, 0.0, 0.0, 0.0, share]]
    )


def water_attenuation_per_cm(energy_kev: float) -> float:
    """Linear attenuation of water, for checks and for the monoenergetic model."""
    return float(linear_attenuation_per_cm("water", energy_kev))
