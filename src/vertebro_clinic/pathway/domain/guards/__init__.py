"""Guards: each looks at a case and returns what is still missing for a step, in plain words."""
