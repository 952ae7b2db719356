"""Declarations out of YAML: config/mdm/<entity>.yaml, or a file of one's own for `landbridge mdm evaluate`."""

from mdm.declare._models import DeclarationFile
from mdm.declare._project import FOLDER, check, load, read, read_project, schema

__all__ = ["FOLDER", "DeclarationFile", "check", "load", "read", "read_project", "schema"]
