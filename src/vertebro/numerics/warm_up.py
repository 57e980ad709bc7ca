"""Compiling the kernels before anybody waits for them.

Numba compiles a kernel once for a machine and keeps the machine code on disk, beside the package or,
where that cannot be written, in the user's cache folder. Compiling everything takes several seconds
the very first time; loading it afterwards takes a fraction of one. An installer or a server calls
:func:`warm_up` once, so that no image waits for the compiler.
"""

from __future__ import annotations

import threading
import time
from importlib import import_module

from vertebro.progress import Progress, silent

KERNEL_MODULES = {
    "ray_casting_kernels": "casting of rays",
    "transmission_kernels": "transmission of the beam",
    "image_kernels": "image filters",
    "solid_kernels": "needles and rods",
    "elasticity_kernels": "stiffness of bone",
    "elastoplastic_kernels": "strength of bone",
    "heat_kernels": "heat of cement",
    "darcy_multigrid_kernels": "pressure of flow in bone",
    "darcy_assembly_kernels": "resistance of flow in bone",
    "front_planes_kernels": "planes of the cement's front",
    "front_kernels": "cement's front",
}
"""Modules that compile when imported, and what they are for."""


def warm_up(progress: Progress = silent) -> float:
    """Compile or load every kernel.

    Parameters
    ----------
    progress : Progress
        Told which kernels are being made ready.

    Returns
    -------
    float
        Seconds that it took; well below one where the machine code was on disk.

    Examples
    --------
    >>> warm_up() >= 0.0
    True
    """
    start = time.perf_counter()
    for index, (name, what) in enumerate(KERNEL_MODULES.items()):
        progress(index / len(KERNEL_MODULES), f"Making ready: {what}")
        import_module(f"vertebro.numerics.{name}")
    progress(1.0, "Ready")
    return time.perf_counter() - start


def warm_up_in_background() -> threading.Thread:
    """Compile or load every kernel beside other work.

    For a program that reads images before it needs a kernel. Whoever needs one earlier waits for that
    kernel's module alone: Python imports a module once. The thread ends with the program.

    Returns
    -------
    threading.Thread
        Already started; join it to wait for everything.

    Examples
    --------
    >>> thread = warm_up_in_background()
    >>> thread.join()
    >>> thread.is_alive()
    False
    """
    thread = threading.Thread(target=warm_up, name="vertebro-warm-up", daemon=True)
    thread.start()
    return thread
