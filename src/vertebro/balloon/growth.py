"""How a balloon's cavity spreads in the body, and where the bone that it pushes aside goes.

A balloon grows outwards from its folded length, sooner where the bone is weak and later where it is
strong, never into the shell. Its cavity at a volume is all room up to one *front*, so that the cavity of a
smaller volume lies within that of a larger one, and its volume is the balloon's to rounding. The bone
swept up is laid into the rim just beyond the front, no grain of it lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.balloon.body import BodyField
from vertebro.balloon.settings import BalloonSettings
from vertebro.devices.balloons import Balloon

Field = NDArray[np.float64]
_RESISTANCE_POWER = 1.0 / 3.0
"""Reach of the front against strength: softened, since the balloon's skin spreads its push (assumed)."""
_RESISTANCE_RANGE = (0.55, 1.6)
_END_STIFFNESS = 2.5
"""A tamp grows in girth rather than in length: its ends move out this much less (assumed: a 15 mm tamp of
4 mL measures about 19 by 20 mm)."""
_RIM_FELT_MM = 2.5
"""Bone this far beyond the front is what the balloon has to crush next (assumed)."""
_BISECTIONS = 60
_TIE_MM = 1e-6
"""Balloons whose fronts come this close together come at once."""
_CONTACT_VOXELS = 6
"""Fewer voxels of contact than this are chance."""


@dataclass(frozen=True, eq=False, slots=True)
class Placed:
    """A folded balloon in the vertebra's frame."""

    device: Balloon
    centre_v: NDArray[np.float64]
    axis_v: NDArray[np.float64]
    """Unit, towards the tip."""


@dataclass(frozen=True, eq=False, slots=True)
class Growth:
    """One balloon's way through the body: when its front reaches each voxel, and what it meets by volume."""

    placed: Placed
    arrival: Field
    """(n,): front at which each voxel with room is reached, mm; infinite in another balloon's part."""
    room: Field
    """(n,): share of each voxel that this balloon may take; two that come at once share it evenly."""
    volumes_ml: Field
    """Volumes at which the following were read."""
    strength_mpa: Field
    """Mean strength of the bone next to be crushed."""
    footprint_mm2: Field
    """Area of the cavity seen from above."""
    lift_mm3: Field
    """Lost height over the footprint: volume that regaining all of it would open above the balloon."""
    wall_ml: float
    """Volume at which a wall is touched; infinite where it never is."""
    endplate_ml: float
    gap_ml: float

    @property
    def room_ml(self) -> float:
        """Largest volume there is room for."""
        return float(self.volumes_ml[-1])


def grow(
    body: BodyField, placed: tuple[Placed, ...], deficit_mm: Field, settings: BalloonSettings
) -> tuple[Growth, ...]:
    """Work out every balloon's way.

    Parameters
    ----------
    body : BodyField
    placed : tuple of Placed
    deficit_mm : (n,) array
        Height lost at each voxel's place, mm.
    settings : BalloonSettings
    """
    slowness = _slowness(body, settings)
    fronts = np.stack([_distance_mm(body.points_v, item) * slowness for item in placed])
    is_first = fronts <= fronts.min(axis=0) + _TIE_MM
    parts = is_first / is_first.sum(axis=0)
    growths = []
    for item, front, part in zip(placed, fronts, parts, strict=True):
        own = replace(body, room=body.room * part)
        arrival = _connected(own, np.where(part > 0.0, front, np.inf))
        growths.append(_read(own, item, arrival, deficit_mm, settings))
    return tuple(growths)


def cavity_share(body: BodyField, growth: Growth, volume_ml: float) -> Field:
    """(n,): share of each voxel that the balloon takes at a volume; their sum is the volume."""
    own = replace(body, room=growth.room)
    return _share(own, growth.arrival, _front_mm(own, growth.arrival, volume_ml))


def compact(body: BodyField, cavity: Field, arrival: Field, settings: BalloonSettings) -> Field:
    """(n,): density of the bone left in each voxel against that before; the swept bone is all in the rim.

    ``arrival`` is measured from the cavity's surface: the rim fills from there outwards, each voxel to the
    compaction ratio; where the room beyond runs out, the rim becomes denser than that.
    """
    mass = body.density_mg_cc * body.room
    swept = float(np.sum(body.density_mg_cc * cavity))
    left = np.maximum(mass - body.density_mg_cc * cavity, 0.0)
    ratio = np.ones_like(cavity)
    if swept <= 0.0:
        return ratio
    order = np.argsort(arrival, kind="stable")
    order = order[(left[order] > 0.0) & np.isfinite(arrival[order])]
    room_for = left[order] * (settings.compaction_ratio - 1.0)
    before = np.concatenate([[0.0], np.cumsum(room_for)[:-1]])
    taken = np.clip(swept - before, 0.0, room_for)
    missing = swept - float(taken.sum())
    if missing > 0.0 and taken.size:
        taken += missing * left[order] / left[order].sum()
    ratio[order] = 1.0 + taken / left[order]
    return ratio


def _slowness(body: BodyField, settings: BalloonSettings) -> Field:
    """(n,): how much later than in bone of the body's middle strength the front comes."""
    spread = body.on_grid(body.strength_mpa, 0.0).astype(np.float64)
    weight = body.on_grid(np.ones_like(body.room), 0.0).astype(np.float64)
    sigma = 2.0 / settings.spacing_mm
    smooth = ndimage.gaussian_filter(spread, sigma) / np.maximum(ndimage.gaussian_filter(weight, sigma), 1e-6)
    strength = smooth.ravel()[body.voxels]
    usual = float(np.median(strength))
    if usual <= 0.0:
        return np.ones_like(strength)
    return np.asarray(np.clip((strength / usual) ** _RESISTANCE_POWER, *_RESISTANCE_RANGE))


def _distance_mm(points_v: Field, placed: Placed) -> Field:
    """Distance from the folded balloon's middle line; beyond its ends, along it, several times the length."""
    half = 0.5 * placed.device.length_mm - 0.5 * placed.device.deflated_diameter_mm
    offset = points_v - placed.centre_v
    along = offset @ placed.axis_v
    beyond = np.maximum(np.abs(along) - half, 0.0)
    across2 = np.maximum(np.einsum("ij,ij->i", offset, offset) - along**2, 0.0)
    return np.asarray(np.sqrt(across2 + (_END_STIFFNESS * beyond) ** 2))


def _connected(body: BodyField, arrival: Field) -> Field:
    """Room that hangs together with the voxel reached first; the rest is never reached."""
    mask = np.zeros(body.geometry.shape, dtype=np.bool_)
    reachable = np.isfinite(arrival)
    if not reachable.any():
        return arrival
    mask.ravel()[body.voxels[reachable]] = True
    pieces, _ = ndimage.label(mask)
    piece = pieces.ravel()[body.voxels]
    first = piece[int(np.argmin(arrival))]
    return np.where(piece == first, arrival, np.inf)


def _read(
    body: BodyField, placed: Placed, arrival: Field, deficit_mm: Field, settings: BalloonSettings
) -> Growth:
    reachable = np.isfinite(arrival)
    room_ml = float(body.room[reachable].sum()) * body.voxel_mm3 / 1000.0
    most = min(room_ml, placed.device.rated_volume_ml + settings.step_ml)
    least = min(placed.device.deflated_ml, most)
    volumes = np.unique(np.concatenate([[least], np.arange(settings.step_ml / 2, most, 0.25), [most]]))
    volumes = volumes[volumes >= least]
    strengths, areas, lifts = [], [], []
    for volume in volumes:
        front = _front_mm(body, arrival, float(volume))
        share = _share(body, arrival, front)
        felt = (arrival > front - 0.5) & (arrival <= front + _RIM_FELT_MM)
        weights = body.room * felt
        found = float(np.average(body.strength_mpa, weights=weights)) if weights.sum() > 0 else np.nan
        strengths.append(found)
        area, lift = _footprint(body, share, deficit_mm)
        areas.append(area)
        lifts.append(lift)
    strength = np.array(strengths)
    known = np.isfinite(strength)
    strength = np.interp(volumes, volumes[known], strength[known]) if known.any() else np.zeros_like(volumes)
    return Growth(
        placed,
        arrival,
        body.room,
        volumes,
        strength,
        np.array(areas),
        np.array(lifts),
        wall_ml=_touch_ml(body, arrival, body.is_wall),
        endplate_ml=_touch_ml(body, arrival, body.is_endplate),
        gap_ml=_touch_ml(body, arrival, body.is_gap),
    )


def _touch_ml(body: BodyField, arrival: Field, places: NDArray[np.bool_]) -> float:
    """Volume at which the front has reached a few voxels of a place."""
    reached = np.sort(arrival[places & np.isfinite(arrival)])
    if reached.size < _CONTACT_VOXELS:
        return float("inf")
    front = float(reached[_CONTACT_VOXELS - 1])
    return float(_share(body, arrival, front).sum()) * body.voxel_mm3 / 1000.0


def _footprint(body: BodyField, share: Field, deficit_mm: Field) -> tuple[float, float]:
    """Area of a cavity seen from above, mm², and the lost height summed over it, mm³."""
    shape = body.geometry.shape
    column = body.voxels // shape[2]
    height = np.bincount(column, weights=share, minlength=shape[0] * shape[1])
    weight = np.minimum(height, 1.0)
    count = np.maximum(np.bincount(column, minlength=shape[0] * shape[1]), 1)
    lost = np.bincount(column, weights=deficit_mm, minlength=shape[0] * shape[1]) / count
    cell = body.voxel_mm3 ** (2.0 / 3.0)
    return float(weight.sum()) * cell, float(np.dot(weight, lost)) * cell


def _share(body: BodyField, arrival: Field, front_mm: float) -> Field:
    step = body.voxel_mm3 ** (1.0 / 3.0)
    return np.asarray(body.room * np.clip((front_mm - arrival) / step + 0.5, 0.0, 1.0))


def _front_mm(body: BodyField, arrival: Field, volume_ml: float) -> float:
    """Front at which the cavity has a volume, by halving; the far end where there is not that much room."""
    step = body.voxel_mm3 ** (1.0 / 3.0)
    finite = arrival[np.isfinite(arrival)]
    if not finite.size:
        return 0.0
    low, high = -step, float(finite.max()) + step
    wanted = volume_ml * 1000.0 / body.voxel_mm3
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        if float(_share(body, arrival, middle).sum()) < wanted:
            low = middle
        else:
            high = middle
    return float(0.5 * (low + high))
