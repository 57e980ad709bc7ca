"""What the core does: write the audit log, hand out links, decide who somebody is."""
