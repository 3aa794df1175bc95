"""The outward adapter `soap`: batches of documents to a SOAP service that gives its verdicts later.

`adapter.py` is what the engine calls, `contract.py` reads the WSDL, `batch.py` writes the body of a batch.
"""
