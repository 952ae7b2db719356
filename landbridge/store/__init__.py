"""The store: everything the kernel keeps, on PostgreSQL."""
