"""The vertebro service: the patient's pathway from referral to follow-up.

The engine in :mod:`vertebro` never imports this package.
"""
