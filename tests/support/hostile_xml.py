"""Documents that attack whoever reads XML, by name. Those of one shape fit into any envelope."""

from __future__ import annotations

from collections.abc import Callable

XXE_FILE = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
LAUGHS = b"<!DOCTYPE l [" + b"".join(
    b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha") for n in range(10)
)


def documents(wrap: Callable[[bytes], bytes] = lambda inside: b"<l>" + inside + b"</l>") -> dict[str, bytes]:
    """Name → document; `wrap` puts the part that attacks into what would otherwise be right."""
    plain = wrap(b"x")
    return {
        "external entity, file": XXE_FILE + wrap(b"&x;"),
        "external entity, network": XXE_FILE.replace(b"file:///etc/hostname", b"http://127.0.0.1:9/x") + wrap(b"&x;"),
        "external DTD": b'<!DOCTYPE l SYSTEM "http://127.0.0.1:9/l.dtd">' + plain,
        "parameter entity": b'<!DOCTYPE l [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p">%p;]>' + plain,
        "DTD after a comment": b"<!-- - --><?p?>\n<!DOCTYPE l []>" + plain,
        "billion laughs": LAUGHS + b"]>" + wrap(b"&l9;"),
        "quadratic blow-up": b'<!DOCTYPE l [<!ENTITY a "' + b"a" * 100_000 + b'">]>' + wrap(b"&a;" * 50_000),
        "undeclared entity": wrap(b"&x;"),
        "external schema": wrap(
            b'<x xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x http://127.0.0.1:9/x"/>'
        ),
        "XInclude": wrap(b'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/hostname"/>'),
        "huge attribute": wrap(b'<x a="' + b"a" * 5_000_000 + b'"/>'),
        "long attribute": wrap(b'<x a="' + b"a" * 9_000 + b'"/>'),
        "long attribute, quoted otherwise": wrap(b"<x a = '" + b"a" * 9_000 + b"'/>"),
        "many attributes": wrap(b"<x " + b" ".join(b'a%d=""' % n for n in range(90_000)) + b"/>"),
        "many namespaces": wrap(b"<x " + b" ".join(b'xmlns:a%d="u"' % n for n in range(50_000)) + b"/>"),
        "deep": wrap(b"<x>" * 100_000 + b"</x>" * 100_000),
        "many elements": wrap(b"<x/>" * 4_000_000),
        "long text": wrap(b"a" * 12_000_000),
        "long text in CDATA": wrap(b"<![CDATA[" + b"a" * 12_000_000 + b"]]>"),
        "long name": wrap(b"<" + b"a" * 5_000_000 + b"/>"),
        "UTF-16": plain.decode().encode("utf-16"),
        "UTF-16 without a mark": plain.decode().encode("utf-16-le"),
        "UTF-32": plain.decode().encode("utf-32"),
        "UTF-7": b'<?xml version="1.0" encoding="UTF-7"?>' + plain,
        "EBCDIC": b"<?xml version='1.0'\nencoding='EBCDIC-CP-US'?>" + plain,
        "Latin 1": b'<?xml version="1.0" encoding="ISO-8859-1"?>' + plain,
        "NUL": wrap(b"\0"),
        "NUL by reference": wrap(b"&#0;"),
        "control character": wrap(b"\x08"),
        "overlong UTF-8": wrap(b"\xc0\xbcx\xc0\xbe"),
        "overlong UTF-8 of three bytes": wrap(b"\xe0\x80\xaf"),
        "surrogates in UTF-8": wrap(b"\xed\xa0\x80\xed\xb0\x80"),
        "beyond Unicode": wrap(b"\xf4\x90\x80\x80"),
        "broken UTF-8": wrap(b"\xff"),
        "noncharacter": wrap(b"\xef\xbf\xbf"),
        "two roots": plain + plain,
        "cut off": plain[:-3],
        "no XML": b'{"a": 1}',
        "nothing": b"",
    }
