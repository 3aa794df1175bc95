"""SOAP intake: the same core as REST, for systems that speak SOAP 1.1 or 1.2 at `/soap/v1`.

Enter by `service.router`. A call is read by `envelope.py` (with `attachments.py`), its caller is known by
`security.py`, its body is held against `contract.py`, and `operations.py` answers; whatever fails becomes a fault.
"""
