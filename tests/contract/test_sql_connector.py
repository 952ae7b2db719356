"""The SQL connector beyond the contract suite: PostgreSQL with its unpleasant parts, SQLite files, other dialects' words."""
