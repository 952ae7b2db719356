"""Normalisation: two spellings of one value become equal, and what says nothing becomes none."""

import mdm.normalise._company
import mdm.normalise._contact
import mdm.normalise._dates
import mdm.normalise._identifier
import mdm.normalise._places
import mdm.normalise._product
import mdm.normalise._text  # noqa: F401  # each of these registers its normalisers
from mdm.normalise._elements import Elements
from mdm.normalise._features import Extractor, features, problems_of
from mdm.normalise._registry import NORMALISERS, PLACEHOLDERS, Normaliser, reference, says_nothing

__all__ = [
    "NORMALISERS",
    "PLACEHOLDERS",
    "Elements",
    "Extractor",
    "Normaliser",
    "features",
    "problems_of",
    "reference",
    "says_nothing",
]
