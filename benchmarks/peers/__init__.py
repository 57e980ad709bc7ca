"""Scripts that run another program's projector on the benchmark's CT, in that program's own Python."""
