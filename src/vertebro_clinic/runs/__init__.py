"""The only bridge to the engine: a table of jobs, a worker that runs them, results put on the record."""
