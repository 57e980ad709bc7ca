"""Hypothesis strategies for tests: small phantoms that take well under a second.

Hypothesis is needed only here and is imported when a strategy is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vertebro.phantoms.box import BoxSettings
from vertebro.phantoms.morphometry import morphometry
from vertebro.phantoms.settings import Fracture, PhantomSettings

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

_AXIS_ORDERS = ("LPS", "RAS", "PIR", "SAL", "ILP", "ARS", "LAI")


def fractures(level: str, *, loss_percent: tuple[float, float] = (0.0, 60.0)) -> SearchStrategy[Fracture]:
    """Fractures of one level with random shape and loss, some with a cleft, gaps or retropulsion."""
    from hypothesis import strategies as st  # noqa: PLC0415 - a test dependency

    return st.builds(
        Fracture,
        level=st.just(level),
        shape=st.sampled_from(("wedge", "biconcave", "crush")),
        height_loss_percent=st.floats(*loss_percent).map(lambda value: round(value, 2)),
        cleft=st.booleans(),
        cleft_ml=st.sampled_from((0.5, 1.0, 2.0)),
        anterior_wall_gap_mm=st.sampled_from((0.0, 2.0, 4.0)),
        posterior_wall_gap_mm=st.sampled_from((0.0, 2.0)),
        retropulsion_mm=st.sampled_from((0.0, 0.0, 2.0, 5.0)),
    )


def phantom_settings(
    *,
    n_levels: int = 3,
    spacing_mm: tuple[float, float] = (1.0, 3.0),
    loss_percent: tuple[float, float] = (0.0, 60.0),
    noise_hu: tuple[float, float] = (0.0, 30.0),
    isotropic: bool = False,
) -> SearchStrategy[PhantomSettings]:
    """Small phantoms of ``n_levels`` levels, the middle one broken in most cases.

    Parameters
    ----------
    n_levels : int
    spacing_mm : (float, float)
        Range of voxel sizes.
    loss_percent : (float, float)
        Range of the fracture's height loss.
    noise_hu : (float, float)
    isotropic : bool
        Whether voxels are cubes.

    Returns
    -------
    SearchStrategy of PhantomSettings: random levels, size, curves, pose, axis order, density and seed;
    a narrow field without table.
    """
    from hypothesis import strategies as st  # noqa: PLC0415 - a test dependency

    names = tuple(morphometry())
    size = st.floats(*spacing_mm).map(lambda value: round(value, 2))

    @st.composite
    def build(draw: DrawFn) -> PhantomSettings:
        first = draw(st.integers(0, len(names) - 1 - n_levels))
        levels = names[first : first + n_levels]
        broken = levels[n_levels // 2]
        chosen = draw(
            st.one_of(fractures(broken, loss_percent=loss_percent).map(lambda f: (f,)), st.just(()))
        )
        cube = draw(size)
        tilt = st.floats(-15.0, 15.0).map(lambda value: round(value, 1))
        return PhantomSettings(
            levels=levels,
            fractures=chosen,
            spacing_mm=(cube, cube, cube) if isotropic else (cube, draw(size), draw(size)),
            axis_codes=draw(st.sampled_from(_AXIS_ORDERS)),
            grid_rotation_deg=draw(st.one_of(st.just((0.0, 0.0, 0.0)), st.tuples(tilt, tilt, tilt))),
            patient_rotation_deg=draw(st.one_of(st.just((0.0, 0.0, 0.0)), st.tuples(tilt, tilt, tilt))),
            mirror=draw(st.booleans()),
            field_of_view_mm=(110.0, 130.0),
            margin_mm=20.0,
            thoracic_kyphosis_deg=draw(st.sampled_from((25.0, 40.0, 60.0))),
            lumbar_lordosis_deg=draw(st.sampled_from((20.0, 50.0, 65.0))),
            scoliosis_deg=draw(st.sampled_from((0.0, 0.0, 10.0, -15.0))),
            body_scale=draw(st.sampled_from((0.88, 1.0, 1.12))),
            trabecular_bmd_mg_cc=draw(st.sampled_from((50.0, 90.0, 150.0))),
            noise_hu=draw(st.floats(*noise_hu).map(lambda value: round(value, 1))),
            with_table=False,
            seed=draw(st.integers(0, 10_000)),
        )

    return build()


def box_settings(*, spacing_mm: tuple[float, float] = (0.5, 3.0)) -> SearchStrategy[BoxSettings]:
    """Single boxes, wedges and hollowed boxes of random size, loss, spacing and pose."""
    from hypothesis import strategies as st  # noqa: PLC0415 - a test dependency

    size = st.floats(*spacing_mm).map(lambda value: round(value, 2))
    tilt = st.floats(-20.0, 20.0).map(lambda value: round(value, 1))
    return st.builds(
        BoxSettings,
        shape=st.sampled_from(("box", "wedge", "biconcave")),
        size_mm=st.tuples(st.integers(30, 50), st.integers(24, 38), st.integers(18, 30)).map(
            lambda sizes: (float(sizes[0]), float(sizes[1]), float(sizes[2]))
        ),
        height_loss_percent=st.floats(0.0, 60.0).map(lambda value: round(value, 2)),
        spacing_mm=st.tuples(size, size, size),
        rotation_deg=st.one_of(st.just((0.0, 0.0, 0.0)), st.tuples(tilt, tilt, tilt)),
    )
