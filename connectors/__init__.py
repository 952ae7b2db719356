"""Connectors: one module per product; the integration engineer's extension point."""
