"""Declarations out of YAML: config/mdm/<entity>.yaml, or a file of one's own for `landbridge mdm evaluate`."""

from mdm.declare._in_use import check_in_use, misfit
from mdm.declare._models import DeclarationFile
from mdm.declare._project import check, load, read, read_project, schema

__all__ = ["DeclarationFile", "check", "check_in_use", "load", "misfit", "read", "read_project", "schema"]
