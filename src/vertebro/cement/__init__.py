"""Cement: where it goes, how fast, at what pressure, how hot."""
