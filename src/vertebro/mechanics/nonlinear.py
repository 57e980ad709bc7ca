"""Raising the load until the bone fails: the load-displacement curve and where it breaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vertebro.case.mechanics import CurvePoint
from vertebro.errors import SolverError
from vertebro.imaging import ScalarVolume, VolumeGeometry
from vertebro.materials.bone_elasticity import YIELD_STRAIN_COMPRESSION, YIELD_STRAIN_TENSION
from vertebro.mechanics.loading import plate_conditions
from vertebro.mechanics.model import VertebraModel
from vertebro.mechanics.settings import MechanicsSettings
from vertebro.mechanics.states import Curve, Pressed
from vertebro.numerics.elasticity import ElasticityProblem
from vertebro.numerics.elasticity_material import IsotropicMaterial
from vertebro.numerics.elastoplasticity import (
    LoadCurve,
    NonlinearSettings,
    PlasticMaterial,
    solve_load_path,
)
from vertebro.progress import Progress, silent

TENSION_RATIO = YIELD_STRAIN_TENSION / YIELD_STRAIN_COMPRESSION
"""Yield strain in tension over that in compression."""
_CEMENT_TENSION_RATIO = 0.4
"""Tensile over compressive strength of acrylic cement: 30 to 50 against 70 to 110 MPa (Lewis, J Biomed
Mater Res 1997;38:155)."""
_CAP_STRAIN = 10.0
"""Caps and metal never yield (any large strain)."""
_BROKEN_DAMAGE = 0.05
"""Share of stiffness lost above which a cube counts as broken when the site is told (assumed)."""
STEPS_PERCENT = (0.5, 0.75, 1.0, 1.3, 1.6, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0)
"""Overall strains at which the load is read: dense where bodies fail (assumed)."""


def load_curve(pressed: Pressed, settings: MechanicsSettings, progress: Progress = silent) -> Curve:
    """The curve of one state, its highest load, and where bone broke.

    Parameters
    ----------
    pressed : Pressed
        A transversely isotropic model is loaded with its axial moduli, isotropic.
    settings : MechanicsSettings
    progress : Progress

    Returns
    -------
    Curve
        ``strength_n`` is the highest force up to ``end_strain_percent``.

    Raises
    ------
    SolverError
        If not even the first step came to an end.
    """
    height = max(pressed.model.mesh.height_mm, 1.0)
    model = coarsened(pressed.model, round(settings.curve_spacing_mm / pressed.model.mesh.spacing_mm))
    mesh = model.mesh
    end = settings.end_strain_percent / 100.0 * height
    conditions, upper, _, _ = plate_conditions(model, end)
    h = mesh.spacing_mm
    material = IsotropicMaterial(model.young_mpa, settings.model.poisson_ratio)
    strains = [step for step in STEPS_PERCENT if step < settings.end_strain_percent]
    factors = [step / settings.end_strain_percent for step in strains] + [1.0]
    curve = solve_load_path(
        ElasticityProblem(material, (h, h, h), conditions),
        plastic_material(model),
        factors,
        NonlinearSettings(),
        monitor=upper,
        progress=progress,
    )
    points = _points(curve)
    if len(points) < 2:
        raise SolverError(
            "The load could not be raised: the first step did not come to an end. "
            "Look at the outline of the level or take larger cubes."
        )
    damage = np.where(mesh.bone, curve.damage, 0.0)
    return Curve(
        points=points,
        strength_n=max(point.force_n for point in points),
        damage=ScalarVolume(damage.astype(np.float32), mesh.geometry, "share of stiffness lost"),
        site=failure_site(model, damage),
        status=curve.status[-1].sentence,
    )


def coarsened(model: VertebraModel, factor: int) -> VertebraModel:
    """The model on cubes ``factor`` times as large: means of modulus, yield stress and cement.

    A large cube is bone where at least half of it was; what it holds of cap, cement and bone is averaged,
    so that the stiffness changes little (on real vertebrae by a few percent).
    """
    if factor <= 1:
        return model
    mesh = model.mesh
    filled = model.young_mpa > 0.0
    first = int(np.flatnonzero(mesh.cap_inferior.any(axis=(0, 1)))[0]) if mesh.cap_inferior.any() else 0
    pads = [(0, (-n) % factor) for n in filled.shape[:2]]
    before = (-first) % factor
    pads.append((before, (-(filled.shape[2] + before)) % factor))

    def mean(values: NDArray[np.generic]) -> NDArray[np.float64]:
        padded = np.pad(np.asarray(values, dtype=np.float64), pads)
        shape = [n for size in padded.shape for n in (size // factor, factor)]
        return np.asarray(padded.reshape(shape).mean(axis=(1, 3, 5)))

    share = mean(filled)
    keep = share >= 0.5
    never = mean(~np.isfinite(model.yield_mpa) & filled) >= 0.5
    finite = np.where(np.isfinite(model.yield_mpa), model.yield_mpa, 0.0)
    yields = np.where(never, np.inf, mean(finite))
    geometry = mesh.geometry
    step = np.diag([float(factor)] * 3 + [1.0])
    step[:3, 3] = (factor - 1.0) / 2.0
    step[2, 3] -= before
    shape = (int(keep.shape[0]), int(keep.shape[1]), int(keep.shape[2]))
    cap_up, cap_low = (keep & (mean(m) >= 0.25) for m in (mesh.cap_superior, mesh.cap_inferior))
    body = keep & (mean(mesh.body) >= 0.25) & ~cap_up & ~cap_low
    coarse = replace(
        mesh,
        geometry=VolumeGeometry(shape, geometry.lps_from_voxel @ step),
        density_mg_cc=mean(mesh.density_mg_cc).astype(np.float32),
        body=body,
        posterior=keep & ~body & ~cap_up & ~cap_low,
        cap_superior=cap_up,
        cap_inferior=cap_low,
    )
    young = np.where(keep, mean(model.young_mpa), 0.0)
    material = IsotropicMaterial(young, 0.3)
    return replace(
        model,
        mesh=coarse,
        young_mpa=young,
        yield_mpa=np.where(keep, yields, 0.0),
        cement_fraction=mean(model.cement_fraction),
        material=material,
    )


def column_strength_n(model: VertebraModel) -> float:
    """What the body's columns carry if each is as strong as its weakest cube: no help from the side.

    Spongy bone crushes in itself, so that a layer of it between cement and endplate gains little from
    being held at its edges; a yielding model without crushing lets it gain severalfold. The ratio of this
    sum after and before cement bounds what cement can add.

    Examples
    --------
    >>> from vertebro.mechanics.mesh import box_mesh
    >>> from vertebro.mechanics.model import build_model
    >>> from vertebro.mechanics.settings import ModelSettings
    >>> mesh = box_mesh((4, 4, 4), density_mg_cc=100.0, spacing_mm=1.0, cap_voxels=2)
    >>> round(column_strength_n(build_model(mesh, ModelSettings())) / 16.0, 2)
    1.52
    """
    mesh = model.mesh
    pressed = mesh.cap_superior.any(axis=2) & mesh.cap_inferior.any(axis=2) & mesh.body.any(axis=2)
    columns = pressed if pressed.any() else mesh.body.any(axis=2)
    weakest = np.where(mesh.body, model.yield_mpa, np.inf).min(axis=2)
    carried = weakest[columns & np.isfinite(weakest)]
    return float(carried.sum()) * mesh.spacing_mm**2


def limited_by_columns(after: Curve, before: Curve, ratio: float) -> Curve:
    """The curve with cement, ended where uncemented bone between cement and endplate would crush.

    Parameters
    ----------
    after, before : Curve
    ratio : float
        :func:`column_strength_n` with cement over that without.
    """
    limit = before.strength_n * max(1.0, ratio)
    if after.strength_n <= limit:
        return after
    points: list[CurvePoint] = []
    for point in after.points:
        if point.force_n >= limit:
            last = points[-1]
            share = (limit - last.force_n) / (point.force_n - last.force_n)
            shift = last.displacement_mm + share * (point.displacement_mm - last.displacement_mm)
            points.append(CurvePoint(shift, limit))
            break
        points.append(point)
    return replace(after, points=tuple(points), strength_n=limit, is_limited=True)


def plastic_material(model: VertebraModel) -> PlasticMaterial:
    """Yield strains of every cube: bone and cement by their yield stress over modulus, caps never."""
    young = np.where(model.young_mpa > 0.0, model.young_mpa, 1.0)
    strain = np.where(np.isfinite(model.yield_mpa), model.yield_mpa / young, _CAP_STRAIN)
    strain = np.where(strain > 0.0, strain, YIELD_STRAIN_COMPRESSION)
    strain = np.clip(strain, 1e-3, _CAP_STRAIN)
    share = model.cement_fraction
    ratio = (1.0 - share) * TENSION_RATIO + share * _CEMENT_TENSION_RATIO
    return PlasticMaterial(yield_strain_compression=strain, yield_strain_tension=strain * ratio)


def _points(curve: LoadCurve) -> tuple[CurvePoint, ...]:
    """The unloaded state and every step whose forces balance."""
    points = [CurvePoint(0.0, 0.0)]
    for shift, force, status in zip(curve.displacement_mm, curve.force_n, curve.status, strict=True):
        if not status.is_usable:
            break
        points.append(CurvePoint(-float(shift[2]), -float(force[2])))
    return tuple(points)


def failure_site(model: VertebraModel, damage: NDArray[np.float64]) -> str:
    """Where in the body most stiffness was lost, in words a reader knows.

    Thirds of the body's height and depth, weighed by the damage there.
    """
    body = model.mesh.body
    lost = np.where(body & (damage > _BROKEN_DAMAGE), damage, 0.0)
    if lost.sum() <= 0.0:
        return "no bone broke"
    places = np.argwhere(body)
    weights = lost[body]
    low, high = places.min(axis=0), places.max(axis=0)
    centre = (weights[:, None] * places).sum(axis=0) / weights.sum()
    share = (centre - low) / np.maximum(high - low, 1)
    height = ("the lower third", "the middle third", "the upper third")[min(2, int(share[2] * 3))]
    depth = ("the back", "the middle", "the front")[min(2, int(share[1] * 3))]
    extent = 100.0 * float((lost > 0.0).sum()) / float(body.sum())
    return f"{height} of the body, {depth}; {extent:.0f} % of it broke"
