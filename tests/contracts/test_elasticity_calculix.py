"""The same bricks in CalculiX: reactions within 1e-5, displacements within 1e-4 of the largest."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from external_tools import require_tool
from vertebro.errors import InputError
from vertebro.io.calculix import CalculixDeck, YieldLine, write_inp
from vertebro.numerics.elasticity import (
    ElasticityProblem,
    IsotropicMaterial,
    NodeConditions,
    OrthotropicMaterial,
    solve_elasticity,
)
from vertebro.numerics.elasticity_material import Material
from vertebro.numerics.elastoplasticity import PlasticMaterial, solve_load_path

SHAPE, SPACING_MM = (12, 10, 9), (1.0, 1.0, 1.2)


def calculix(deck: CalculixDeck) -> tuple[np.ndarray, np.ndarray]:
    """Run a deck; (3, nodes) displacements and reactions of the last increment."""
    program = require_tool("ccx", "apt-get install calculix-ccx")
    run = subprocess.run(
        [program, deck.path.stem],
        check=False,
        cwd=deck.path.parent,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert run.returncode == 0, run.stdout[-500:].decode()
    blocks: dict[str, list[list[float]]] = {}
    rows: list[list[float]] = []
    for line in deck.path.with_suffix(".dat").read_text(encoding="ascii").splitlines():
        if "(vx,vy,vz)" in line or "(fx,fy,fz)" in line:
            rows = blocks["u" if "vx" in line else "f"] = []
        elif line.strip() and line.split()[0].isdigit():
            rows.append([float(part) for part in line.split()])
    fields = []
    for name in ("u", "f"):
        table = np.array(blocks[name])
        by_number = np.zeros((int(deck.node_numbers.max()) + 1, 3))
        by_number[table[:, 0].astype(int)] = table[:, 1:]
        fields.append(np.moveaxis(by_number[deck.node_numbers], -1, 0))
    return fields[0], fields[1]


def _modulus(name: str) -> np.ndarray:
    """Three maps: layers and a shell, random voxels, a stiff ball in soft bone with a hole."""
    places = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in SHAPE), indexing="ij"))
    middle = np.array(SHAPE)[:, None, None, None] / 2
    reach = np.sqrt((((places - middle) / middle) ** 2).sum(axis=0))
    if name == "shell":
        young = np.where(reach > 0.85, 2000.0, np.where(places[2] > 5.0, 300.0, 150.0))
        return np.where(((places - middle) / middle)[:2].__pow__(2).sum(axis=0) <= 1.0, young, 0.0)
    if name == "random":
        return np.random.default_rng(1).choice([50.0, 120.0, 400.0, 2000.0], SHAPE)
    young = np.where(reach < 0.5, 2500.0, 100.0)
    young[2:4, 3:6, 4:7] = 0.0
    return young


def _problem(material: Material) -> ElasticityProblem:
    bottom, top = material.end_nodes(2, -1), material.end_nodes(2, 1)
    side = material.end_nodes(0, 1) & ~top & ~bottom
    conditions = (
        NodeConditions.free(SHAPE)
        .hold(bottom)
        .hold(top, (0, 1))
        .hold(top, (2,), -0.1)
        .push(side, (3.0, 20.0, -5.0))
    )
    return ElasticityProblem(material, SPACING_MM, conditions)


@pytest.mark.slow
@pytest.mark.parametrize("law", ["isotropic", "transversely isotropic"])
@pytest.mark.parametrize("name", ["shell", "random", "ball"])
def test_calculix_agrees(name: str, law: str, tmp_path: Path) -> None:
    young = _modulus(name)
    material: Material = IsotropicMaterial(young, 0.3)
    if law != "isotropic":
        material = OrthotropicMaterial.transversely_isotropic(young, 2)
    problem = _problem(material)

    displacement, reactions = calculix(write_inp(tmp_path / "body.inp", problem))

    ours = solve_elasticity(problem)
    top = material.end_nodes(2, 1)
    force = reactions[:, top].sum(axis=1)
    assert ours.reactions_n[:, top].sum(axis=1) == pytest.approx(force, abs=1e-5 * np.abs(force).max())
    assert np.abs(ours.displacement_mm - displacement).max() <= 1e-4 * np.abs(displacement).max()


def test_a_deck_says_each_material_once(tmp_path: Path) -> None:
    material = IsotropicMaterial(_modulus("random"), 0.3)

    deck = write_inp(tmp_path / "body.inp", _problem(material))

    text = deck.path.read_text(encoding="ascii")
    assert deck.n_materials == 4 == text.count("*MATERIAL")
    assert int(deck.element_numbers.max()) == np.prod(SHAPE)


def test_moduli_can_be_rounded(tmp_path: Path) -> None:
    material = IsotropicMaterial(np.random.default_rng(1).uniform(100.0, 110.0, SHAPE), 0.3)

    deck = write_inp(tmp_path / "body.inp", _problem(material), relative_step=0.01)

    assert 9 <= deck.n_materials <= 12


def test_what_calculix_cannot_do_is_refused(tmp_path: Path) -> None:
    nothing = IsotropicMaterial(np.zeros(SHAPE), 0.3)
    with pytest.raises(InputError, match="without any element"):
        write_inp(tmp_path / "a.inp", ElasticityProblem(nothing, SPACING_MM, NodeConditions.free(SHAPE)))
    trabecular = OrthotropicMaterial.transversely_isotropic(np.full(SHAPE, 100.0))
    with pytest.raises(InputError, match="isotropic"):
        write_inp(tmp_path / "b.inp", _problem(trabecular), yielding=YieldLine(0.008, 0.05))


@pytest.mark.slow
def test_calculix_agrees_beyond_yield(tmp_path: Path) -> None:
    """A bone of stiff shell and soft core, ends held, pressed to 2.4 %: von Mises, hardening."""
    young = _modulus("shell")
    material = IsotropicMaterial(young, 0.3)
    bottom, top = material.end_nodes(2, -1), material.end_nodes(2, 1)
    press = -0.024 * SHAPE[2] * SPACING_MM[2]
    conditions = NodeConditions.free(SHAPE).hold(bottom).hold(top, (0, 1)).hold(top, (2,), press)
    problem = ElasticityProblem(material, SPACING_MM, conditions)
    line = YieldLine(strain=0.008, hardening_ratio=0.05, n_increments=10)

    _, reactions = calculix(write_inp(tmp_path / "body.inp", problem, yielding=line))

    law = PlasticMaterial(0.008, 0.008, hardening_ratio=0.05, max_damage=0.0)
    curve = solve_load_path(problem, law, np.linspace(0.1, 1.0, 10), monitor=top)
    elastic = 10.0 * curve.force_n[0, 2]
    assert curve.force_n[-1, 2] > 0.5 * elastic  # far beyond yield
    assert curve.force_n[-1, 2] == pytest.approx(reactions[2][top].sum(), rel=0.02)
