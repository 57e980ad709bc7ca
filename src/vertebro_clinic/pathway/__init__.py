"""The pathway of a patient: THE data app. Enums and rules, models, domain verbs and queries, forms."""
