"""JSON for other programs: no logic."""
