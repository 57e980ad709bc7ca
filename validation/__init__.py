"""Slow comparison with published work and real images; each module writes one page of docs/validation/."""
