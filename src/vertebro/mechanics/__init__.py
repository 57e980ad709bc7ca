"""Mechanics: how stiff and strong a vertebra is, from its CT, before and after cement."""
