"""Pressing and bending a model: stiffness, reaction, energy, and the loads that linear rules call failure.

Both ends are moved as planes and slide freely across the axis, as between greased plates. N, mm, N·mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.errors import InputError, SolverError
from vertebro.mechanics.model import VertebraModel
from vertebro.numerics.elasticity import (
    ElasticityProblem,
    ElasticitySettings,
    ElasticitySolution,
    NodeConditions,
    resultant,
    solve_elasticity,
    strain_energy_density_mpa,
)
from vertebro.progress import Progress, silent

Field = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class LinearResponse:
    """A model pressed along its axis, plates kept parallel."""

    stiffness_n_per_mm: float
    reaction_n: float
    """At the displacement that was prescribed; positive in compression."""
    displacement_mm: float
    strain_energy_mj: float
    balance: float
    """Difference of the two ends' reactions, over the reaction."""
    effective_strain: Field
    """(ni, nj, nk): √(2·energy density / modulus) at that displacement; 0 where there is nothing."""
    solution: ElasticitySolution
    problem: ElasticityProblem
    status: str
    """The solver's word."""

    def crawford_n(self, height_mm: float, coefficient: float) -> float:
        """Failure load as a fixed overall strain: coefficient × stiffness × height."""
        return coefficient * self.stiffness_n_per_mm * height_mm

    def pistoia_n(self, bone: NDArray[np.bool_], volume_percent: float, strain: float) -> float:
        """Load at which a share of the bone exceeds a critical effective strain."""
        values = self.effective_strain[bone & (self.effective_strain > 0.0)]
        if values.size == 0:
            return 0.0
        reached = float(np.percentile(values, 100.0 - volume_percent))
        return self.reaction_n * strain / reached if reached > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class BendingResponse:
    """Force and moment against shift and tilt of the upper plate: the 2×2 stiffness of the model."""

    axial_n_per_mm: float
    coupling_n: float
    """Force for a tilt of one radian, and moment for a shift of one millimetre."""
    tilt_nmm_per_rad: float

    @property
    def flexion_nmm_per_rad(self) -> float:
        """Moment for a tilt of one radian while the plate's force is kept at 0."""
        return self.tilt_nmm_per_rad - self.coupling_n**2 / self.axial_n_per_mm

    def combined_n_per_mm(self, anterior_offset_mm: float) -> float:
        """Stiffness under a force that acts so far in front of the plate's middle, plate free to tilt."""
        matrix = np.array([[self.axial_n_per_mm, self.coupling_n], [self.coupling_n, self.tilt_nmm_per_rad]])
        shift, tilt = np.linalg.solve(matrix, np.array([1.0, anterior_offset_mm]))
        return float(1.0 / (shift + tilt * anterior_offset_mm))


def plates(model: VertebraModel) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Nodes that the upper and the lower plate touch: the caps' outer faces, else the body's outermost.

    Raises
    ------
    InputError
        If an end has nothing to press on (``mechanics.no_contact``).
    """
    mesh = model.mesh
    upper = mesh.cap_superior if mesh.cap_superior.any() else mesh.body
    lower = mesh.cap_inferior if mesh.cap_inferior.any() else mesh.body
    there = model.young_mpa > 0.0
    return _face(upper & there, +1), _face(lower & there, -1)


def _face(elements: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """Nodes of the outermost faces of some elements along the axis."""
    layers = np.flatnonzero(elements.any(axis=(0, 1)))
    if layers.size == 0:
        raise InputError(
            "mechanics.no_contact",
            got="a body without anything that a plate could press on",
            needed="a body with bone at both ends",
            remedy="Check the label of the level and the density of its bone.",
        )
    plane = int(layers[-1]) if side > 0 else int(layers[0])
    nodes = np.zeros(tuple(n + 1 for n in elements.shape), dtype=bool)
    face = elements[:, :, plane]
    level = plane + 1 if side > 0 else plane
    for i in (0, 1):
        for j in (0, 1):
            nodes[i : i + face.shape[0], j : j + face.shape[1], level] |= face
    return nodes


def plate_conditions(
    model: VertebraModel, shift_mm: float, tilt_rad: float = 0.0
) -> tuple[NodeConditions, NDArray[np.bool_], NDArray[np.bool_], tuple[float, float, float]]:
    """Conditions of parallel or tilting plates.

    Parameters
    ----------
    model : VertebraModel
    shift_mm : float
        How far the upper plate comes down.
    tilt_rad : float
        How far its front comes down, about the middle of the pressed nodes.

    Returns
    -------
    conditions : NodeConditions
    upper, lower : node masks
    middle_mm : three floats
        About which the plate tilts and moments are taken.
    """
    h = model.mesh.spacing_mm
    upper, lower = plates(model)
    centre = np.argwhere(upper).mean(axis=0) * h
    middle = (float(centre[0]), float(centre[1]), float(centre[2]))
    conditions = NodeConditions.free(model.young_mpa.shape).hold(lower, (2,), 0.0)
    conditions = conditions.pin_rigid_motion(lower, axis=2)
    if tilt_rad == 0.0:
        conditions = conditions.hold(upper, (2,), -shift_mm)
    else:
        conditions = conditions.hold_rigid(
            upper,
            spacing_mm=(h, h, h),
            translation_mm=(0.0, 0.0, -shift_mm),
            rotation_rad=(-tilt_rad, 0.0, 0.0),
            about_mm=middle,
            components=(2,),
        )
    return conditions, upper, lower, middle


def plate_problem(model: VertebraModel, shift_mm: float) -> ElasticityProblem:
    """The elastic problem of parallel plates, for another solver."""
    h = model.mesh.spacing_mm
    return ElasticityProblem(model.material, (h, h, h), plate_conditions(model, shift_mm)[0])


def press(
    model: VertebraModel,
    displacement_mm: float,
    *,
    tolerance: float = 1e-6,
    start: ElasticitySolution | None = None,
    progress: Progress = silent,
) -> LinearResponse:
    """Bring the upper plate down and read what pushes back.

    Parameters
    ----------
    model : VertebraModel
    displacement_mm : float, > 0
    tolerance : float
    start : ElasticitySolution, optional
        Of a like model (before cement, say), from which the solver starts.

    Raises
    ------
    SolverError
        If the solver did not come to a usable end; the sentence says why.
    """
    conditions, upper, lower, middle = plate_conditions(model, displacement_mm)
    h = model.mesh.spacing_mm
    problem = ElasticityProblem(model.material, (h, h, h), conditions)
    solution = solve_elasticity(
        problem, ElasticitySettings(tolerance=tolerance), start=start, progress=progress
    )
    if not solution.status.is_usable:
        raise SolverError(f"{solution.status.sentence} {solution.status.remedy}")
    top = -float(resultant(solution, upper, middle)[0][2])
    bottom = float(resultant(solution, lower, middle)[0][2])
    density = strain_energy_density_mpa(problem, solution.displacement_mm)
    there = model.young_mpa > 0.0
    strain = np.zeros_like(density)
    strain[there] = np.sqrt(2.0 * np.maximum(density[there], 0.0) / model.young_mpa[there])
    return LinearResponse(
        stiffness_n_per_mm=top / displacement_mm,
        reaction_n=top,
        displacement_mm=displacement_mm,
        strain_energy_mj=float(solution.strain_energy_mj),
        balance=abs(top - bottom) / abs(top) if top else 0.0,
        effective_strain=strain,
        solution=solution,
        problem=problem,
        status=solution.status.sentence,
    )


def bend(
    model: VertebraModel, axial: LinearResponse, *, tilt_rad: float = 0.01, tolerance: float = 1e-6
) -> BendingResponse:
    """Tilt the upper plate forwards about its middle, and put both stiffnesses together.

    Parameters
    ----------
    model : VertebraModel
    axial : LinearResponse
        Of the same model.
    tilt_rad : float
        Any small tilt: the model is linear.
    """
    conditions, upper, _, middle = plate_conditions(model, 0.0, tilt_rad)
    h = model.mesh.spacing_mm
    problem = ElasticityProblem(model.material, (h, h, h), conditions)
    solution = solve_elasticity(problem, ElasticitySettings(tolerance=tolerance), start=None)
    if not solution.status.is_usable:
        raise SolverError(f"{solution.status.sentence} {solution.status.remedy}")
    force, moment = resultant(solution, upper, middle)
    return BendingResponse(
        axial_n_per_mm=axial.stiffness_n_per_mm,
        coupling_n=-float(force[2]) / tilt_rad,
        tilt_nmm_per_rad=-float(moment[0]) / tilt_rad,
    )
