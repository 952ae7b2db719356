"""The steward's desk over HTTP: what waits, why, decisions with their preview and undo, and blind labels.

`application` makes the ASGI application of an installation, `openapi` its contract, `serve` runs it on this machine's
own address. Who asks shows a token; personal values are masked unless they are asked for.
"""

from mdm.steward.api._app import application
from mdm.steward.api._openapi import openapi
from mdm.steward.api._serve import serve
from mdm.steward.api._token import TOKEN_FILE, token_of

__all__ = ["TOKEN_FILE", "application", "openapi", "serve", "token_of"]
