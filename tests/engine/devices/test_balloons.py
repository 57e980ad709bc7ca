from __future__ import annotations

import pytest

from vertebro.devices.balloons import balloon_named, load_balloons
from vertebro.errors import SettingsError


def test_every_balloon_has_limits_and_a_source():
    for balloon in load_balloons():
        assert 0.0 < balloon.deflated_ml < balloon.rated_volume_ml
        assert 1000.0 <= balloon.rated_pressure_kpa <= 5000.0
        assert balloon.source


def test_balloons_are_found_by_name_and_length():
    assert balloon_named("15") is balloon_named("15 mm tamp")


def test_an_unknown_balloon_is_refused():
    with pytest.raises(SettingsError) as caught:
        balloon_named("17")

    assert caught.value.code == "balloon.device"
