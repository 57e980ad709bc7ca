"""Settings of the clinic.

``base`` for all, ``local`` for one machine, ``production`` for a served address.
"""
