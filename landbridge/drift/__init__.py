"""Schema drift: what systems say of their fields against what the mappings use."""
