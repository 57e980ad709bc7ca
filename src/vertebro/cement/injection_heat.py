"""The heat of an injected level: tissues and sites from the survey, cement from the product."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.case import Compartment, LevelInjection
from vertebro.cement.heat import HeatSettings, simulate_curing_heat
from vertebro.cement.regions import index_of
from vertebro.cement.settings import InjectionSettings
from vertebro.cement.survey import LevelSurvey
from vertebro.devices.cements import CementProduct
from vertebro.imaging import ScalarVolume
from vertebro.materials.curing import CuringLaw
from vertebro.materials.thermal import CementHeat, ThermalTissue
from vertebro.progress import Progress, silent

SITES = ("centre", "posterior_wall", "canal", "superior_endplate", "inferior_endplate")
"""Places whose temperatures are told."""
_NEAR_MM = 3.0


def injection_heat(
    survey: LevelSurvey,
    level: LevelInjection,
    product: CementProduct,
    settings: InjectionSettings,
    progress: Progress = silent,
) -> tuple[Mapping[str, float | None], ScalarVolume]:
    """Temperatures after an injection.

    Parameters
    ----------
    survey : LevelSurvey
    level : LevelInjection
        Its fill is used.
    product : CementProduct
    settings : InjectionSettings
    progress : Progress

    Returns
    -------
    mapping
        ``<site>_peak_c``, ``<site>_above_45_s``, ``<site>_above_50_s``, ``<site>_cem43_min`` of every
        place of :data:`SITES`; None where the place is not on the map. ``peak_c``: the highest anywhere.
    ScalarVolume
        The highest temperature of each voxel, °C.
    """
    at_c = settings.body_c
    law = CuringLaw.from_setting_time(
        setting_s=60.0 * product.set_min.value / product.ageing_rate(at_c), at_degc=at_c
    )
    cement = CementHeat(
        curing=law,
        heat_j_g=product.heat_j_g.value,
        density_g_cm3=product.density_g_cc.value,
        conductivity_w_mk=product.conductivity_w_mk.value,
        heat_capacity_j_gk=product.heat_capacity_j_gk.value,
    )
    times = level.series["time_s"]
    result = simulate_curing_heat(
        level.cement_fraction,
        thermal_tissue(survey),
        cement,
        injected_s=60.0 * level.start_min + float(times[-1]),
        sites=thermal_sites(survey),
        settings=HeatSettings(body_degc=at_c, room_degc=settings.room_c),
        progress=progress,
    )
    told: dict[str, float | None] = {"peak_c": float(result.peak_degc.values.max())}
    for name in SITES:
        site = result.sites.get(name)
        told[f"{name}_peak_c"] = None if site is None else float(site.peak_degc)
        told[f"{name}_above_45_s"] = None if site is None else float(site.seconds_above_45)
        told[f"{name}_above_50_s"] = None if site is None else float(site.seconds_above_50)
        told[f"{name}_cem43_min"] = None if site is None else float(min(site.cem43_min, 1e9))
    return told, result.peak_degc


def thermal_tissue(survey: LevelSurvey) -> NDArray[np.uint8]:
    """(i, j, k): what each voxel is to heat."""
    tissue = np.full(survey.body.shape, ThermalTissue.SOFT, np.uint8)
    regions = survey.compartments
    for place in (Compartment.DISC_ABOVE, Compartment.DISC_BELOW):
        tissue[regions == index_of(place)] = ThermalTissue.DISC
    tissue[regions == index_of(Compartment.CANAL)] = ThermalTissue.CANAL
    tissue[regions == index_of(Compartment.INSIDE)] = ThermalTissue.CORTICAL
    tissue[ndimage.binary_erosion(survey.domain)] = ThermalTissue.CANCELLOUS
    return tissue


def thermal_sites(survey: LevelSurvey) -> dict[str, NDArray[np.bool_]]:
    """Masks of the places whose temperatures are told."""
    body = survey.body
    shell = body & ~ndimage.binary_erosion(body)
    reach = max(1, round(_NEAR_MM / survey.spacing_mm))
    canal = survey.compartments == index_of(Compartment.CANAL)
    near_body = ndimage.binary_dilation(body, iterations=reach)
    above = ndimage.binary_dilation(survey.compartments == index_of(Compartment.DISC_ABOVE), iterations=1)
    below = ndimage.binary_dilation(survey.compartments == index_of(Compartment.DISC_BELOW), iterations=1)
    beside_canal = ndimage.binary_dilation(canal, iterations=1)
    depth = ndimage.distance_transform_edt(body)
    sites = {
        "centre": depth >= 0.6 * depth.max(),
        "posterior_wall": shell & beside_canal,
        "canal": canal & near_body,
        "superior_endplate": shell & above,
        "inferior_endplate": shell & below,
    }
    return {name: np.asarray(mask, dtype=np.bool_) for name, mask in sites.items() if mask.any()}
