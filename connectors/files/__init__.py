"""Files that a product writes or takes: CSV, Excel and JSON lines, in a folder or over SFTP."""

from connectors.files._config import FilesConfig
from connectors.files._connector import Files

__all__ = ["Files", "FilesConfig"]
