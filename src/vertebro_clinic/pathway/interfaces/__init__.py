"""How people's input reaches the verbs: forms, exports."""
