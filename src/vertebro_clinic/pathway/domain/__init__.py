"""What may be done: guards, the transition table, verbs, queries.

Every write is ``verb_noun(*, actor, ...)``.
"""
