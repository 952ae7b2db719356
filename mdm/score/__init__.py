"""Scorers: how much two records weigh for being one, and by which keys candidates are found."""

from mdm.score._blocks import BREAK, blocks_of, key_of, keys_by, many_columns, number_columns
from mdm.score._compare import FAR, SIGNS, SLACK, held, measures, threshold
from mdm.score._model import Frequencies, Model, check_model, comparison_settings, declared_otherwise
from mdm.score._parties import PartyScorer
from mdm.score._scorer import PRIOR, Scored, Scorer, Step

__all__ = [
    "BREAK",
    "FAR",
    "PRIOR",
    "SIGNS",
    "SLACK",
    "Frequencies",
    "Model",
    "PartyScorer",
    "Scored",
    "Scorer",
    "Step",
    "blocks_of",
    "check_model",
    "comparison_settings",
    "declared_otherwise",
    "held",
    "key_of",
    "keys_by",
    "many_columns",
    "measures",
    "number_columns",
    "threshold",
]
