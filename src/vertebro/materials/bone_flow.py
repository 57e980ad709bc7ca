"""Cancellous bone as something that cement and marrow flow through: porosity, permeability, marrow.

Inside units: mm, s, N, MPa: permeability mm² (1 m² = 1e6 mm²), viscosity MPa·s, density mg/cc.

Permeability follows Kozeny and Carman's dependence on porosity, ``k ∝ φ³/(1−φ)²``, fixed at the mean
that was measured with a liquid as thick as cement. Studies differ by two orders of magnitude, so a
factor with a log-normal prior multiplies it all.

References
----------
.. [1] Baroud et al., J Biomech 2004;37:189: 34 human lumbar cores, (4.45 ± 1.72)e-8 m² along the spine,
   (3.44 ± 1.26)e-8 m² front to back.
.. [2] Nauman, Fong, Keaveny, Ann Biomed Eng 1999;27:517: 2.7e-11 to 2e-8 m²; ratio along to across 2.05
   in vertebral bodies.
.. [3] Zhong & Akkus, J Mech Behav Biomed Mater 2011: yellow marrow 44–142 mPa·s; Jansen et al., Eur
   Biophys J 2015: intact marrow is a soft solid of 0.25–24.7 kPa.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vertebro.settings import setting, validate


@dataclass(frozen=True, slots=True)
class BoneFlowSettings:
    """The laws from density to flow, and the spread of their constants.

    Examples
    --------
    >>> BoneFlowSettings().marrow_pa_s
    40.0
    """

    tissue_mineral_mg_cc: float = setting(
        1050.0,
        "Mineral density of solid bone tissue: bone volume share is density over this.",
        lower=600.0,
        upper=1400.0,
        unit="mg/cc",
        source="recalled: 1.0 to 1.1 g hydroxyapatite per cc of bone tissue, the usual range of micro-CT",
    )
    permeability_axial_mm2: float = setting(
        0.0445,
        "Permeability along the spine at the reference porosity.",
        lower=1e-6,
        upper=1.0,
        unit="mm2",
        source="Baroud et al., J Biomech 2004;37:189: 4.45e-8 m²",
    )
    permeability_ratio: float = setting(
        1.3,
        "Permeability along the spine over that across it.",
        lower=0.5,
        upper=5.0,
        source="Baroud 2004: front to back 78 % of along; Nauman 1999: 2.05 (the prior spans both)",
    )
    reference_porosity: float = setting(
        0.90,
        "Porosity at which the permeability holds.",
        lower=0.5,
        upper=0.99,
        source="assumed: osteoporotic lumbar bodies have 6 to 12 % bone",
    )
    permeability_log10_sd: float = setting(
        0.5,
        "Spread of the permeability factor between vertebrae, in powers of ten.",
        lower=0.0,
        upper=1.5,
        source="spread between studies: Baroud 2004, Nauman 1999, two orders of magnitude",
    )
    permeability_ratio_log10_sd: float = setting(
        0.1,
        "Spread of the ratio, in powers of ten.",
        lower=0.0,
        upper=0.5,
        source="from 1.3 (Baroud 2004) to 2.05 (Nauman 1999)",
    )
    marrow_pa_s: float = setting(
        40.0,
        "Effective viscosity of marrow pushed out of the pores; its shear-thinning and the pores are in it.",
        lower=0.001,
        upper=1000.0,
        unit="pa_s",
        source="calibrated: 10 to 60 Pa·s reproduce that thicker cement leaks less (docs/validation); "
        "liquid marrow alone (0.04 to 0.4 Pa·s) does not; Jansen 2015: intact marrow is a soft solid",
    )
    marrow_log10_sd: float = setting(
        0.25,
        "Spread of marrow's effective viscosity, in powers of ten.",
        lower=0.0,
        upper=1.0,
        source="assumed: 10 to 90 Pa·s in 95 of 100 vertebrae, the range that shows the published trends",
    )
    vein_blood_pa_s: float = setting(
        0.1,
        "Viscosity of what cement pushes before it in veins and fissures: blood and liquid marrow.",
        lower=0.001,
        upper=10.0,
        unit="pa_s",
        source="Zhong & Akkus 2011: 44 to 142 mPa·s; blood 3 to 10 mPa·s",
    )
    lowest_porosity: float = setting(
        0.30,
        "Porosity that the densest bone keeps; sclerosis flows little.",
        lower=0.01,
        upper=0.9,
        source="assumed: the cortex itself is taken away before",
    )
    highest_porosity: float = setting(
        0.97,
        "Porosity of the emptiest bone.",
        lower=0.5,
        upper=1.0,
        source="assumed: 3 % bone is left in the emptiest osteoporotic bodies",
    )

    def __post_init__(self) -> None:
        validate(self)


def porosity_from_mineral(density_mg_cc: ArrayLike, settings: BoneFlowSettings) -> NDArray[np.float64]:
    """Share of a voxel that is marrow, from its mineral density, within the settings' bounds.

    Examples
    --------
    >>> porosity_from_mineral([105.0, -50.0, 5000.0], BoneFlowSettings()).tolist()
    [0.9, 0.97, 0.3]
    """
    solid = np.asarray(density_mg_cc, dtype=np.float64) / settings.tissue_mineral_mg_cc
    return np.clip(1.0 - solid, settings.lowest_porosity, settings.highest_porosity)


def permeability_mm2(
    porosity: ArrayLike, settings: BoneFlowSettings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Permeability across the spine and along it, mm², of bone with a porosity.

    Examples
    --------
    >>> across, along = permeability_mm2(0.9, BoneFlowSettings())
    >>> round(float(along), 4), round(float(along / across), 2)
    (0.0445, 1.3)
    """
    phi = np.asarray(porosity, dtype=np.float64)
    reference = settings.reference_porosity
    shape = kozeny_carman(phi) / kozeny_carman(reference)
    along = settings.permeability_axial_mm2 * shape
    return along / settings.permeability_ratio, along


def kozeny_carman(porosity: ArrayLike) -> NDArray[np.float64]:
    """``φ³/(1−φ)²``: how permeability grows with porosity at one trabecular thickness.

    Examples
    --------
    >>> float(kozeny_carman(0.5))
    0.5
    """
    phi = np.asarray(porosity, dtype=np.float64)
    return np.asarray(phi**3 / (1.0 - phi) ** 2)


def porous_shear_rate_per_s(
    darcy_speed_mm_s: ArrayLike, permeability: ArrayLike, porosity: ArrayLike, index: float
) -> NDArray[np.float64]:
    """Shear rate that a power-law liquid meets in pores at a Darcy speed (Christopher & Middleman).

    The rate at which its viscosity ``K γ̇^(n−1)`` gives their effective one:
    ``γ̇ = [ (9+3/n)ⁿ/12 ]^(1/(n−1)) · |u| / √(150 k φ)``; the limit for n → 1 is used near it.

    Examples
    --------
    >>> rate = porous_shear_rate_per_s(0.1, 0.04, 0.9, 0.5)
    >>> bool(0.05 < rate < 5.0)
    True
    """
    n = min(index, 0.999)
    factor = ((9.0 + 3.0 / n) ** n / 12.0) ** (1.0 / (n - 1.0))
    k, phi = np.asarray(permeability, dtype=np.float64), np.asarray(porosity, dtype=np.float64)
    return np.asarray(factor * np.abs(np.asarray(darcy_speed_mm_s)) / np.sqrt(150.0 * k * phi))
