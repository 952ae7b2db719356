"""The quality gate: great-expectations over what waits for a flow, before it is processed."""
