"""A local Salesforce org: REST API, SOQL, OAuth2, and the unpleasant parts on request."""

from sandbox.salesforce._alter import altered
from sandbox.salesforce._errors import SalesforceError
from sandbox.salesforce._ids import long_id, read_id
from sandbox.salesforce._objects import SOBJECTS
from sandbox.salesforce._sandbox import SalesforceSandbox

__all__ = ["SOBJECTS", "SalesforceError", "SalesforceSandbox", "altered", "long_id", "read_id"]
