"""Bones in simple shapes with cement in them, as in the published temperature experiments.

Frame: x right, y anterior, z superior, mm, origin at the body's centre; voxels of 1 mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.case import HeatResult
from vertebro.cement.heat import HeatSettings, simulate_curing_heat
from vertebro.imaging import ScalarVolume, VolumeGeometry
from vertebro.materials.thermal import CementHeat, ThermalTissue

PORE_SHARE = 0.85
"""Cement takes the marrow's place, not the trabeculae's."""
_STEP_MM = 1.0


@dataclass(frozen=True, slots=True)
class Setup:
    """One bone and its cement."""

    half_mm: tuple[float, float, float]
    """Half width, half depth, half height of the body."""
    cement_ml: float
    apart_mm: float = 0.0
    """Distance between the centres of two boluses, one through each pedicle; 0 for one in the middle."""
    share: float = PORE_SHARE
    leak_ml: float = 0.0
    """Cement in the canal, against the back wall."""
    canal_mm: float = 8.0
    """Half width of the canal."""
    in_bath: bool = True
    """Outside the body, in a stirred bath that stands still in canal and foramina; in the body, with
    blood, if not."""


def run_setup(setup: Setup, cement: CementHeat, injected_s: float = 300.0) -> HeatResult:
    """Temperatures of a set-up at the places that the experiments measured."""
    reach = np.array(setup.half_mm) + np.array([10.0, 22.0, 10.0])
    axes = [np.arange(-r, r + 0.5, _STEP_MM) for r in reach]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    wide, deep, high = setup.half_mm
    round_part = np.sqrt((x / wide) ** 2 + (y / deep) ** 2)
    body = (round_part <= 1.0) & (np.abs(z) <= high)
    inner = (round_part <= 1.0 - 1.0 / deep) & (np.abs(z) <= high - 1.0)
    outside = ThermalTissue.BATH if setup.in_bath else ThermalTissue.SOFT
    tissue = np.full(x.shape, outside, np.uint8)
    back = -deep
    behind = (y < back - 0.5) & (y > back - 14.5) & ~body & (np.abs(z) <= high)
    canal = (np.abs(x) <= setup.canal_mm) & behind
    foramen = (np.abs(x) > setup.canal_mm) & (np.abs(x) <= setup.canal_mm + 6.0) & behind
    lamina = (np.abs(x) <= setup.canal_mm + 6.0) & (y <= back - 14.5) & (y > back - 19.5)
    tissue[canal | (foramen & (z < 0.0))] = ThermalTissue.CANAL
    tissue[(foramen & (z >= 0.0)) | (lamina & (np.abs(z) <= high))] = ThermalTissue.CORTICAL
    if not setup.in_bath:
        tissue[(round_part <= 1.0) & (np.abs(z) > high)] = ThermalTissue.DISC
    tissue[body] = ThermalTissue.CORTICAL
    tissue[inner] = ThermalTissue.CANCELLOUS
    fraction = _bolus(setup, (x, y, z), inner)
    fraction += _leak(setup, (x, y, z), canal)
    grid = VolumeGeometry.from_spacing(x.shape, (_STEP_MM,) * 3)
    near = np.abs(x) <= 3.0
    mid = near & (np.abs(z) <= 3.0)
    sites = {
        "centre": (np.abs(x) <= 1.0) & (np.abs(y) <= 1.0) & (np.abs(z) <= 1.0),
        "anterior": mid & (y > deep - 1.5) & (y <= deep),
        "posterior": mid & (y >= back) & (y < back + 1.5),
        "canal": mid & (y < back) & (y >= back - 1.5),
        "foramen": foramen
        & (np.abs(x) <= setup.canal_mm + 2.5)
        & (np.abs(z + 3.0) <= 2.0)
        & (y > back - 8.0),
        "endplate": near & (np.abs(y) <= 3.0) & (np.abs(z) > high - 1.5) & (np.abs(z) <= high),
        "disc": near & (np.abs(y) <= 3.0) & (np.abs(z) > high + 1.0) & (np.abs(z) <= high + 3.0),
        "interface": _rim(fraction > 0.0) & inner,
    }
    return simulate_curing_heat(
        ScalarVolume(fraction.astype(np.float32), grid, "cement share of the voxel"),
        tissue,
        cement,
        injected_s=injected_s,
        sites=sites,
        settings=HeatSettings(perfusion=0.0 if setup.in_bath else 1.0),
    )


def _bolus(
    setup: Setup, place: tuple[NDArray[np.float64], ...], inner: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """One or two ellipsoids of the body's proportions, as large as the cement asks for, inside the shell."""
    x, y, z = place
    wide, deep, high = setup.half_mm
    aside = (np.abs(x) - 0.5 * setup.apart_mm) / (0.5 * wide if setup.apart_mm else wide)
    far = np.sqrt(aside**2 + (y / deep) ** 2 + (z / high) ** 2)
    return _filled(far, inner, setup.share, setup.cement_ml)


def _leak(
    setup: Setup, place: tuple[NDArray[np.float64], ...], canal: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Cement in the canal that spreads over the back wall."""
    if setup.leak_ml <= 0.0:
        return np.zeros(canal.shape)
    x, y, z = place
    back = -setup.half_mm[1]
    far = np.sqrt((x / 1.4) ** 2 + ((y - back) / 0.8) ** 2 + (z / 1.6) ** 2)
    return _filled(far, canal, 1.0, setup.leak_ml)


def _filled(
    far: NDArray[np.float64], room: NDArray[np.bool_], share: float, wanted_ml: float
) -> NDArray[np.float64]:
    """The nearest room, filled to ``share`` until the volume is reached."""
    order = np.argsort(np.where(room, far, np.inf), axis=None, kind="stable")
    count = min(round(wanted_ml * 1000.0 / share / _STEP_MM**3), int(room.sum()))
    fraction = np.zeros(far.shape)
    fraction.ravel()[order[:count]] = share
    return fraction


def _rim(cement: NDArray[np.bool_]) -> NDArray[np.bool_]:
    grown = cement.copy()
    for axis in range(3):
        grown |= np.roll(cement, 1, axis) | np.roll(cement, -1, axis)
    return grown & ~cement
