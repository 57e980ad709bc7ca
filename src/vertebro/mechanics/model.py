"""From a mesh to elastic constants: bone by its density, cement, caps, gaps, metal, damage.

MPa. A cube holds bone, cement or both by share; nothing is sharper than the share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from vertebro.findings import Finding, finding
from vertebro.materials.bone_elasticity import (
    CEMENT_STRENGTH_MPA,
    METAL_MODULUS_MPA,
    bone_law,
    cemented_modulus_mpa,
)
from vertebro.mechanics.mesh import VertebraMesh
from vertebro.mechanics.settings import ModelSettings
from vertebro.numerics.elasticity_material import IsotropicMaterial, Material, OrthotropicMaterial

Field = NDArray[np.float64]
N_BINS = 128
"""Modulus bins of the study that ``compat="walle2025"`` repeats."""
FIRST_BIN_MG_CC = -31.0
"""Density at which they begin."""
_EARLIER_CEMENT_MG_CC = 700.0
"""Spongy bone deep inside a body never reaches this; cement with contrast does (assumed)."""
_EARLIER_CEMENT_ML = 0.3
"""Less is an island of dense bone (assumed)."""
_DEEP_MM = 4.0
"""Farther from the surface than cortex and endplate reach (assumed)."""
_METAL_ML = 0.02
"""Less is noise or a calcification (assumed)."""


@dataclass(frozen=True, eq=False, slots=True)
class BoneCondition:
    """What is left of the bone, against what its density alone would tell.

    Examples
    --------
    >>> BoneCondition().is_sound
    True
    """

    stiffness_ratio: float = 1.0
    """Times the body's moduli."""
    strength_ratio: float = 1.0
    """Times the body's yield stress."""
    compaction: float = 1.0
    """By how much crushing raised the body's density; undone before the law is applied."""
    note: str = ""

    @property
    def is_sound(self) -> bool:
        """Whether nothing is taken off."""
        return self.stiffness_ratio == self.strength_ratio == self.compaction == 1.0


SOUND = BoneCondition()


@dataclass(frozen=True, eq=False, slots=True)
class VertebraModel:
    """A mesh with the constants that the solver takes."""

    mesh: VertebraMesh
    young_mpa: Field
    """(ni, nj, nk) axial modulus; 0 where there is nothing."""
    yield_mpa: Field
    """(ni, nj, nk) compressive yield stress; 0 where there is nothing."""
    cement_fraction: Field
    material: Material
    findings: tuple[Finding, ...] = ()

    @property
    def cement_ml(self) -> float:
        """Cement inside the body."""
        inside = self.cement_fraction[self.mesh.body]
        return float(inside.sum()) * self.mesh.spacing_mm**3 / 1000.0

    @property
    def fill_percent(self) -> float:
        """Cement inside the body against the body's volume."""
        return 100.0 * self.cement_ml / self.mesh.body_ml if self.mesh.body_ml else 0.0


def build_model(
    mesh: VertebraMesh,
    settings: ModelSettings,
    *,
    condition: BoneCondition = SOUND,
    cement_fraction: NDArray[np.floating] | None = None,
    density_ratio: NDArray[np.floating] | None = None,
) -> VertebraModel:
    """Constants of every cube.

    Parameters
    ----------
    mesh : VertebraMesh
    settings : ModelSettings
    condition : BoneCondition
        Damage of the body; arch and caps are not touched.
    cement_fraction : (ni, nj, nk) array, optional
        Share of the cube that is cement, 0 to 1.
    density_ratio : (ni, nj, nk) array, optional
        Compaction by a balloon: 1 outside the rim.

    Returns
    -------
    VertebraModel
        ``findings``: ``mechanics.metal``, ``mechanics.earlier_cement``, ``mechanics.gas``,
        ``mechanics.zero_density``.
    """
    bone, body = mesh.bone, mesh.body
    metal, old_cement, found = _foreign(mesh, settings)
    density = mesh.density_mg_cc.astype(np.float64)
    density = np.where(body, density / condition.compaction, density)
    if density_ratio is not None:
        density = np.where(body, density * density_ratio, density)
    law = bone_law(settings.bone_law)
    binned = _next_bin(density, bone) if settings.compat else density
    young = np.where(bone, np.maximum(law.modulus_mpa(binned), settings.floor_modulus_mpa), 0.0)
    strength = np.where(bone, law.yield_stress_mpa(binned), 0.0)
    young[body] *= condition.stiffness_ratio
    strength[body] *= condition.strength_ratio
    gas = body & (mesh.density_mg_cc < settings.gas_density_mg_cc)
    young[gas], strength[gas] = 0.0, 0.0
    share = np.zeros(young.shape)
    if cement_fraction is not None:
        share = np.clip(np.nan_to_num(np.asarray(cement_fraction, dtype=np.float64)), 0.0, 1.0)
        share[~(body | mesh.posterior)] = 0.0
    share[old_cement] = 1.0
    young = cemented_modulus_mpa(young, share, settings.cement_modulus_mpa)
    strength = cemented_modulus_mpa(strength, share, CEMENT_STRENGTH_MPA)
    cap = mesh.cap_superior | mesh.cap_inferior
    young[cap] = settings.cap_modulus_mpa if settings.ends == "caps" else settings.layer_modulus_mpa
    strength[cap] = np.inf
    young[metal], strength[metal] = METAL_MODULUS_MPA, np.inf
    found += _empty_findings(mesh, gas, density)
    material = _material(young, bone & (share < 0.5) & ~metal, settings)
    return VertebraModel(mesh, young, strength, share, material, tuple(found))


def _material(young: Field, spongy: NDArray[np.bool_], settings: ModelSettings) -> Material:
    isotropic = IsotropicMaterial(young, settings.poisson_ratio)
    if not settings.is_transversely_isotropic:
        return isotropic
    along = OrthotropicMaterial.transversely_isotropic(np.where(spongy, young, 0.0), axis=2)
    return OrthotropicMaterial.from_isotropic(young, settings.poisson_ratio).where(spongy, along)


def _next_bin(density: Field, bone: NDArray[np.bool_]) -> Field:
    """Density at the middle of the bin above the one that holds it: the published study's offset."""
    highest = float(density[bone].max(initial=FIRST_BIN_MG_CC + 1.0))
    width = (highest - FIRST_BIN_MG_CC) / N_BINS
    index = np.clip(np.floor((density - FIRST_BIN_MG_CC) / width), 0, N_BINS - 1)
    return np.asarray(FIRST_BIN_MG_CC + (index + 1.5) * width)


def _foreign(
    mesh: VertebraMesh, settings: ModelSettings
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], list[Finding]]:
    """Metal and cement that the scan already shows."""
    voxel_ml = mesh.spacing_mm**3 / 1000.0
    metal = mesh.bone & (mesh.density_mg_cc > settings.metal_density_mg_cc)
    found = []
    if metal.sum() * voxel_ml > _METAL_ML:
        found.append(
            finding(
                "mechanics.metal",
                f"{metal.sum() * voxel_ml:.1f} mL in {mesh.name} is denser than bone or cement: taken for "
                "metal, and densities beside it are unreliable.",
                where=mesh.name,
                evidence={"metal_ml": round(float(metal.sum()) * voxel_ml, 3)},
            )
        )
    deep = ndimage.binary_erosion(mesh.body, iterations=max(1, round(_DEEP_MM / mesh.spacing_mm)))
    dense = mesh.body & ~metal & (mesh.density_mg_cc > _EARLIER_CEMENT_MG_CC)
    pieces, count = ndimage.label(dense)
    cement = np.zeros_like(dense)
    if count:
        sizes = np.bincount(pieces.ravel(), minlength=count + 1) * voxel_ml
        inner = np.bincount(pieces[deep].ravel(), minlength=count + 1) * voxel_ml
        is_cement = (inner > _EARLIER_CEMENT_ML) & (inner > 0.3 * sizes)
        is_cement[0] = False
        cement = is_cement[pieces]
    if cement.any():
        found.append(
            finding(
                "mechanics.earlier_cement",
                f"{cement.sum() * voxel_ml:.1f} mL deep in {mesh.name} is as dense as cement: it is taken "
                "for cement of an earlier treatment, not for bone.",
                where=mesh.name,
                evidence={"cement_ml": round(float(cement.sum()) * voxel_ml, 3)},
            )
        )
    return metal, cement, found


def _empty_findings(mesh: VertebraMesh, gas: NDArray[np.bool_], density: Field) -> list[Finding]:
    """What to say of gas and of bone without mineral."""
    voxel_ml = mesh.spacing_mm**3 / 1000.0
    n_body = max(1, int(mesh.body.sum()))
    found = []
    if gas.sum() * voxel_ml > _METAL_ML:
        found.append(
            finding(
                "mechanics.gas",
                f"{gas.sum() * voxel_ml:.1f} mL of gas in {mesh.name} carries no load in the model.",
                where=mesh.name,
                evidence={"gas_ml": round(float(gas.sum()) * voxel_ml, 3)},
            )
        )
    empty = float((density[mesh.body] <= 0.0).sum()) / n_body
    if empty > 0.3:
        found.append(
            finding(
                "mechanics.zero_density",
                f"{100.0 * empty:.0f} % of {mesh.name}'s body shows no mineral: its stiffness rests on the "
                "rest, and is very uncertain.",
                where=mesh.name,
                evidence={"empty_percent": round(100.0 * empty, 1)},
            )
        )
    return found
