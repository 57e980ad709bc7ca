"""Time and memory of the product, measured and kept; never asserted in tests."""
