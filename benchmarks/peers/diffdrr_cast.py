"""Cast one view with DiffDRR on the processor: ``python diffdrr_cast.py IN.npz OUT.npz REPEATS``.

Run by ``bench_fluoroscopy`` with a Python that has ``diffdrr``; knows nothing of vertebro. Only the
first view is cast: the sphere in the middle looks the same from all.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
import torchio
from diffdrr.data import read
from diffdrr.drr import DRR

job = np.load(sys.argv[1])
spacing, values = job["spacing_mm"], torch.from_numpy(job["values"])
affine = np.diag([*spacing, 1.0])
affine[:3, 3] = -(np.array(values.shape) - 1) / 2 * spacing
subject = read(torchio.ScalarImage(tensor=values[None], affine=affine), orientation="AP", center_volume=True)
subject.density.set_data(values[None])
n, width_mm = int(job["n_pixels"]), float(job["detector_mm"])
turn_deg = float(job["views_deg"][0, 0])
results = {}
for renderer in ("siddon", "trilinear"):
    caster = DRR(
        subject,
        sdd=float(job["detector_distance_mm"]),
        height=n,
        delx=width_mm / n,
        renderer=renderer,
        patch_size=64,
    )
    turn = torch.tensor([[np.radians(turn_deg), 0.0, 0.0]], dtype=torch.float32)
    shift = torch.tensor([[0.0, float(job["source_mm"]), 0.0]], dtype=torch.float32)
    with torch.no_grad():
        wall, cpu = time.perf_counter(), time.process_time()
        image = caster(turn, shift, parameterization="euler_angles", convention="ZXY")
        results[renderer] = (image[0, 0].numpy(), time.perf_counter() - wall, time.process_time() - cpu)
np.savez(
    sys.argv[2],
    images=np.stack([entry[0] for entry in results.values()]),
    wall_s=[entry[1] for entry in results.values()],
    cpu_s=[entry[2] for entry in results.values()],
)
