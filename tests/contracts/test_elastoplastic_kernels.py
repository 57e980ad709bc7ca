"""One contract for the compiled forces of yielded bricks and a plain NumPy sum over Gauss points."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.numerics import elastoplastic_kernels as kernels
from vertebro.numerics.elasticity_layout import Layout, filled_tiles
from vertebro.numerics.elasticity_material import IsotropicMaterial, voigt
from vertebro.numerics.elasticity_reference import element_unknowns, gauss_places, strain_matrix
from vertebro.numerics.elastoplastic_law import BrickLaw, PlasticMaterial

SHAPE, SPACING_MM = (6, 9, 11), (1.0, 0.8, 1.3)


def _in_rows(packed: np.ndarray, layout: Layout) -> np.ndarray:
    return packed[:, :, : layout.n_nodes[1] * layout.n_nodes[2]].ravel()


def _reference(rows: np.ndarray, field: np.ndarray, mean_law: object) -> np.ndarray:
    """Forces where ``mean_law(rows, mean strain)`` is the stress of the mean, λ and μ meet the rest."""
    unknowns = element_unknowns(SHAPE)
    volume = float(np.prod(SPACING_MM))
    middle = strain_matrix(np.zeros(3), SPACING_MM)
    out = np.zeros_like(field)
    flat = rows.reshape(len(rows), -1)
    for element, places in enumerate(unknowns):
        u, row = field[places], flat[:, element]
        mean = middle @ u
        force = volume * middle.T @ mean_law(row, mean)  # type: ignore[operator]
        axial = row[0] + 2 * row[1]
        law = voigt(np.array([axial] * 3 + [row[0]] * 3 + [row[1]] * 3))
        for place in gauss_places():
            rest = strain_matrix(place, SPACING_MM) - middle
            force += volume / 8.0 * rest.T @ law @ (rest @ u)
        np.add.at(out, places, force)
    return out


def _tangent_stress(row: np.ndarray, strain: np.ndarray) -> np.ndarray:
    axial = row[2] + 2 * row[3]
    law = voigt(np.array([axial] * 3 + [row[2]] * 3 + [row[3]] * 3))
    one, d = np.array([1.0, 1, 1, 0, 0, 0]), row[6:]
    law = law + row[4] * np.outer(d, d) + row[5] * (np.outer(d, one) + np.outer(one, d))
    return law @ strain


@pytest.mark.parametrize("kind", ["given stress", "tangent"])
def test_the_forces_are_those_of_the_sum_over_gauss_points(kind: str) -> None:
    rng = np.random.default_rng(2)
    layout = Layout(SHAPE, SPACING_MM)
    field = rng.normal(size=(3, *layout.n_nodes))
    u, out = layout.pack(field), layout.zeros()
    rows = rng.uniform(10.0, 100.0, (8 if kind == "given stress" else 12, *SHAPE))
    packed = rows.copy()
    if kind == "given stress":
        packed[2:] *= 8.0
    else:
        packed[6:] *= 64.0 / np.prod(SPACING_MM)
    packed = layout.pack_elements(packed, np.float64)

    for first, stop in ((0, 3), (3, layout.n_nodes[0])):
        kernels.yielded_forces(
            packed,
            filled_tiles(packed),
            u,
            layout.pack(np.ones_like(field), np.float32),
            False,
            first,
            stop,
            layout.width,
            layout.steps(np.float64),
            out,
        )

    law = _tangent_stress if kind == "tangent" else lambda row, strain: row[2:]
    expected = _reference(rows, _in_rows(u, layout), law)
    assert np.abs(_in_rows(out, layout) - expected).max() <= 1e-12 * np.abs(expected).max()


def _law(n: int) -> BrickLaw:
    rng = np.random.default_rng(1)
    young = rng.uniform(50.0, 2000.0, n)
    strains = (np.full(n, 0.0084), np.full(n, 0.0078))
    return BrickLaw.of(young, np.full(n, 0.3), strains, PlasticMaterial(), 1.0)


def test_the_tangent_is_the_derivative_of_the_stress() -> None:
    law, rng = _law(500), np.random.default_rng(3)
    strain, none = rng.normal(size=(6, 500)) * 0.01, np.zeros((6, 500))

    response = law.respond(strain, none, np.zeros(500))

    assert 0.5 < response.yields.mean() < 1.0
    for axis in range(6):
        step = np.zeros((6, 500))
        step[axis] = 1e-7
        ahead, behind = (law.respond(strain + s * step, none, np.zeros(500)).stress for s in (1, -1))
        rows = np.concatenate(
            [np.zeros((2, 500)), [response.lam, response.mu, response.both, response.mixed]]
        )
        rows = np.concatenate([rows, response.direction])
        predicted = np.stack([_tangent_stress(rows[:, n], step[:, n] / 1e-7) for n in range(500)], axis=1)
        measured = (ahead - behind) / 2e-7
        assert np.abs(predicted - measured).max() <= 1e-6 * np.abs(measured).max()


def test_a_state_on_the_cone_stays_there() -> None:
    law, strain = _law(300), np.random.default_rng(4).normal(size=(6, 300)) * 0.02
    first = law.respond(strain, np.zeros((6, 300)), np.zeros(300))

    again = law.respond(strain, first.plastic_strain, first.plastic_length)

    assert np.abs(again.stress - first.stress).max() <= 1e-10 * np.abs(first.stress).max()
    assert (first.plastic_length >= 0.0).all()


def test_pulling_evenly_from_all_sides_ends_at_the_apex() -> None:
    law = _law(10)
    strain = np.zeros((6, 10))
    strain[:3] = 0.2

    response = law.respond(strain, np.zeros((6, 10)), np.zeros(10))

    strength = 1.0 + law.hardening / law.yield_stress * response.plastic_length
    pressure = response.stress[:3].mean(axis=0)
    assert (law.pressure_weight * pressure) == pytest.approx(strength, rel=1e-9)
    assert np.abs(response.stress[:3] - pressure).max() <= 1e-9 * np.abs(pressure).max()


def test_a_material_that_never_yields_is_elastic() -> None:
    n, young = 4, np.full(4, 1000.0)
    law = BrickLaw.of(young, np.full(n, 0.3), (np.full(n, np.inf),) * 2, PlasticMaterial(), 1.0)
    strain = np.random.default_rng(1).normal(size=(6, n))

    stress = law.respond(strain, np.zeros((6, n)), np.zeros(n)).stress

    constants = IsotropicMaterial(young.reshape(1, 1, 4), 0.3).constants_mpa()[:, 0, 0, 0]
    assert stress == pytest.approx(voigt(constants) @ strain, rel=1e-9)
