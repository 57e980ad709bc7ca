"""Reads of patients' data. All start from ``*_visible_to(actor)``."""
