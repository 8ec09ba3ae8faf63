"""Salesforce's HTTP API over a sandbox store: OAuth, SOQL over REST, describe, replication and Bulk API 2.0 queries.

Store kinds are the sObject names of `schema.SOBJECTS`; `Record.fields` hold JSON values by field name. Id, CreatedDate,
SystemModstamp, IsDeleted and MasterRecordId come from the record itself. Facts are from Salesforce's own guides (REST
API, Bulk API 2.0, SOQL and SOSL reference, object reference) as read in November 2026.
"""
