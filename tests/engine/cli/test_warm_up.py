"""What ``vertebro warm-up`` leaves behind: kernels that a new process loads instead of compiling."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_FIRST_IMAGE = """
import numpy as np
from vertebro.case import CArmPose
from vertebro.fluoroscopy import FluoroscopySettings, Rod, render_view
from vertebro.imaging import Volume, VolumeGeometry
from vertebro.planning import clearance
grid = VolumeGeometry.from_spacing((20, 20, 20), (4.0, 4.0, 4.0), (-40.0, -40.0, -40.0))
volume = Volume(np.zeros(grid.shape, np.int16), grid)
rod = Rod((-20.0, 0.0, 0.0), (20.0, 0.0, 0.0), 3.4)
render_view(volume, CArmPose.parse("ap", (0.0, 0.0, 0.0)), FluoroscopySettings(64, 64), instruments=[rod])
clearance.compile_kernels()
import sys
from numba.core.dispatcher import Dispatcher
kernels = {id(k): k for m in list(sys.modules.values()) if m.__name__.startswith("vertebro.")
           for k in vars(m).values() if isinstance(k, Dispatcher)}.values()
print(len(kernels), sum(sum(k.stats.cache_misses.values()) for k in kernels),
      sum(sum(k.stats.cache_hits.values()) for k in kernels))
"""


@pytest.mark.slow
def test_a_first_image_after_it_compiles_nothing(tmp_path):
    place = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "vertebro.cli.main", "warm-up"]
    told = subprocess.run(command, env=place, check=True, capture_output=True, text=True)
    assert "Ready after" in told.stdout + told.stderr

    image = subprocess.run(
        [sys.executable, "-c", _FIRST_IMAGE], env=place, check=True, capture_output=True, text=True
    )

    n_kernels, n_compiled, n_loaded = (int(word) for word in image.stdout.split())
    assert n_compiled == 0
    assert n_loaded >= n_kernels > 10
