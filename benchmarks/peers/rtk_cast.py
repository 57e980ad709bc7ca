"""Cast one view with RTK's Joseph projector: ``python rtk_cast.py IN.npz OUT.npz REPEATS``.

Run by ``bench_fluoroscopy`` with a Python that has ``itk-rtk``; knows nothing of vertebro.
"""

from __future__ import annotations

import sys
import time

import itk
import numpy as np
from itk import RTK as rtk  # noqa: N811 - the module's own name

job = np.load(sys.argv[1])
spacing, shape = job["spacing_mm"], job["values"].shape
# RTK turns about its y axis: patient (x, y, z) go to its (x, z, y)
volume = itk.image_from_array(np.ascontiguousarray(job["values"].transpose(1, 2, 0)))
order = (0, 2, 1)
volume.SetSpacing([float(spacing[a]) for a in order])
volume.SetOrigin([-(shape[a] - 1) / 2 * float(spacing[a]) for a in order])
image_type = itk.Image[itk.F, 3]
n, width_mm = int(job["n_pixels"]), float(job["detector_mm"])
pitch = width_mm / n
rows = []
for turn_deg, tilt_deg in job["views_deg"]:
    geometry = rtk.ThreeDCircularProjectionGeometry.New()
    geometry.AddProjection(
        float(job["source_mm"]), float(job["detector_distance_mm"]), float(turn_deg), 0, 0, float(tilt_deg), 0
    )
    times = []
    for _ in range(int(sys.argv[3])):
        blank = rtk.ConstantImageSource[image_type].New()
        blank.SetOrigin((-(n - 1) / 2 * pitch, -(n - 1) / 2 * pitch, 0))
        blank.SetSpacing((pitch, pitch, 1))
        blank.SetSize((n, n, 1))
        blank.SetConstant(0.0)
        caster = rtk.JosephForwardProjectionImageFilter[image_type, image_type].New()
        caster.SetInput(0, blank.GetOutput())
        caster.SetInput(1, volume)
        caster.SetGeometry(geometry)
        wall, cpu = time.perf_counter(), time.process_time()
        caster.Update()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    rows.append(
        (itk.array_from_image(caster.GetOutput())[0], min(t[0] for t in times), min(t[1] for t in times))
    )
np.savez(
    sys.argv[2],
    images=np.stack([row[0] for row in rows]),
    wall_s=[row[1] for row in rows],
    cpu_s=[row[2] for row in rows],
)
