"""What live records look like, and a first draft of their mapping."""

from landbridge.profile._columns import Column, Profile, profiled
from landbridge.profile._draft import draft

__all__ = ["Column", "Profile", "draft", "profiled"]
