"""What operators of the department may ask for: deliveries, mappings, code tables, and help for a school.

Every call needs an operator's key and a role; whatever changes something is written into the audit trail.
"""
