"""The line that every generated page begins with."""

MADE = "<!-- Made by `make docs` from the models; change those, not this page. -->\n"
