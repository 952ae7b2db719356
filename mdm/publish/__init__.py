"""The hub inside the engine: what it is asked, with which model, and what its own feeds say."""

from mdm.publish._engine import EngineHub
from mdm.publish._first import FirstLoad, first_load
from mdm.publish._models import model_of, untrained
from mdm.publish._open import open_hub
from mdm.publish._training import UNTRAINED, adopt_model, kept_model, train_kept

__all__ = [
    "UNTRAINED",
    "EngineHub",
    "FirstLoad",
    "adopt_model",
    "first_load",
    "kept_model",
    "model_of",
    "open_hub",
    "train_kept",
    "untrained",
]
