"""Pages: views, templates, the design system. No logic."""
