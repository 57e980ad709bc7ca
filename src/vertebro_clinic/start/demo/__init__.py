"""The demo: two sites, staff of every role, invented patients at every stage. Nobody in it is real."""
