"""Whatever is drawn and done, cement is accounted for to the last part in a million million."""

from __future__ import annotations

import numpy as np
import pytest

from cement_case import box_survey, needle
from vertebro.case import Compartment, Side
from vertebro.cement import InjectionAction, InjectionSettings, begin, draw_variation, make_site, step
from vertebro.cement.deposit import cement_fraction, compartment_volumes_ml
from vertebro.devices.cements import cement_names, load_cement


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_random_injections_conserve_cement(seed: int) -> None:
    rng = np.random.default_rng((41, seed))
    survey = box_survey(with_void=bool(rng.random() < 0.5), porosity=0.9)
    settings = InjectionSettings(product=str(rng.choice(cement_names())), start_min=float(rng.uniform(2, 12)))
    paths = [needle(Side.LEFT, tuple(rng.uniform([-15, -10, -7], [15, 10, 7])))]  # type: ignore[arg-type]
    product = load_cement(settings.product)
    variation = draw_variation(survey, settings, product, len(paths), rng)
    state = begin(make_site(survey, paths, settings, variation))

    for _ in range(5):
        rate = float(rng.choice([0.0, 1.0, 4.0, 12.0]))
        state = step(state, InjectionAction((rate,)), float(rng.uniform(1.0, 12.0)), n_threads=1)

    volumes = compartment_volumes_ml(state)
    assert sum(volumes.values()) == pytest.approx(state.injected_ml, abs=1e-11)
    assert min(volumes.values()) >= 0.0
    assert float(state.flow.saturation.min()) >= -1e-12
    assert float(state.flow.saturation.max()) <= 1.0 + 1e-12
    field = cement_fraction(state)
    assert float(field.sum(dtype=np.float64)) * survey.spacing_mm**3 / 1000.0 == pytest.approx(
        state.injected_ml, rel=1e-4, abs=1e-6
    )
    assert volumes[Compartment.INSIDE] <= survey.body_ml
