"""Quality rules declared once and checked twice: compiled for single messages, by great-expectations at the gate."""
