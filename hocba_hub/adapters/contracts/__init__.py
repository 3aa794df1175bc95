"""The stand-in contracts of both destinations, as files: WSDL and XSD of the Ministry, OpenAPI of the province.

They are ours, not the authorities': the official technical documents are not public. The adapters speak them, the
sandbox implements them, and the official ones shall replace them without code.
"""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent

MINISTRY_WSDL = _HERE / "ministry.wsdl"
MINISTRY_XSD = _HERE / "ministry.xsd"
MINISTRY_NAMESPACE = "urn:hocba-hub:stand-in:ministry:1"
PROVINCE_OPENAPI = _HERE / "province.openapi.yaml"
