"""The hub inside the engine: what it is asked, with which model, and what its own feeds say."""

from mdm.publish._engine import EngineHub
from mdm.publish._models import model_of, untrained
from mdm.publish._open import open_hub

__all__ = ["EngineHub", "model_of", "open_hub", "untrained"]
