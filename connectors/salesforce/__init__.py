"""Salesforce, over its REST API: SOQL to read, sObject Collections to write, an external id for exactly once."""

from connectors.salesforce._config import SalesforceConfig
from connectors.salesforce._connector import Salesforce

__all__ = ["Salesforce", "SalesforceConfig"]
