"""People, sites, access and the audit log."""
