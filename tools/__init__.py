"""The project's own tools: pages made from the code, checks of the house rules."""
