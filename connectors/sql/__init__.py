"""A database whose product has no API: tables, views and statements through SQLAlchemy Core."""

from connectors.sql._config import SqlConfig
from connectors.sql._connector import Sql

__all__ = ["Sql", "SqlConfig"]
