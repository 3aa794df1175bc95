"""The outward adapter `soap`: batches of documents to a SOAP service that gives its verdicts later.

`adapter.py` is what the engine calls, `options.py` what a destination file says to it; `contract.py` reads the WSDL,
`writer.py` and `requests.py` write requests by it, `fit.py` looks whether file and mappings fit it, `description.py`
tells what it has.
"""
