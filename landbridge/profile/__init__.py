"""What live records look like, and a first draft of their mapping."""
