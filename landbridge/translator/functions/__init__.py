"""The functions that come with Landbridge, by subject; importing this package registers them."""

from landbridge.translator.functions import checks, dates, links, lists, numbers, text

__all__ = ["checks", "dates", "links", "lists", "numbers", "text"]
