"""The examples on the configuration page; a test validates each."""

FLOW = """
flow: orders_to_erp
summary: Orders closed in the CRM become ERP sales orders, within a second.
owner: sales-ops
extract:   {from: crm, entity: sales_order, every: 15m, webhook: true, start: {documents: open}}
check:     {quality: sales_order, on_fail: quarantine}
resolve:   {customer: match, product: require}
deliver:
  - {to: erp, entity: sales_order, after: [customer, product]}
  - {to: scm, entity: sales_order, when: {status: [confirmed]}}
retry:     {attempts: 8, first: 2s, longest: 10m, within: 24h}
unknown:   {settle: 15m}
"""
SYSTEMS = """
crm:
  connector: salesforce
  config: {reference: Landbridge_Id__c}
  net: {concurrency: 4}
"""
ENVIRONMENT = """
crm:
  config: {url: env:CRM_URL, client_id: env:CRM_CLIENT_ID, client_secret: env:CRM_CLIENT_SECRET}
"""
OWNERSHIP = """
sales_order:
  fields:
    status: {owner: erp, when: has_target_id}
    lines.quantities.shipped: {owner: erp}
  changes:
    - {field: lines.quantities.ordered, at_least: lines.quantities.shipped, else: conflict}
    - {when: cancelled, erp: reject_lines}
"""

EXAMPLES = {
    "flow": FLOW,
    "systems": SYSTEMS,
    "environment": ENVIRONMENT,
    "ownership": OWNERSHIP,
}
"""By kind of file."""
