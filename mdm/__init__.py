"""The master-data hub: match, survivorship, golden records, stewardship."""
