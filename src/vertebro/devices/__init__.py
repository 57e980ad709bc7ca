"""Devices as data files: dimensions and limits with the document they come from. No images."""

from vertebro.devices.c_arms import CArm, CArmPlane, c_arm_from_toml, c_arm_names, load_c_arm

__all__ = ["CArm", "CArmPlane", "c_arm_from_toml", "c_arm_names", "load_c_arm"]
