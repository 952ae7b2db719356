"""Systems that have no connector of their own, connected by a declaration: REST and OData."""

from connectors.declarative._odata import OData
from connectors.declarative._odata_config import ODataConfig
from connectors.declarative._rest import Rest
from connectors.declarative._rest_config import RestConfig

__all__ = ["OData", "ODataConfig", "Rest", "RestConfig"]
