"""Forms, one file per noun. They check shape; the domain decides."""
