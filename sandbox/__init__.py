"""Local servers that speak the vendors' protocols, for the demo and the tests; they import nothing from the kernel."""
