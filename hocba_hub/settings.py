"""Settings: the only reader of the environment.

Each is `HOCBA_<NAME>` in the environment, or `NAME: value` in the YAML file that `HOCBA_SETTINGS_FILE` names; the
environment wins. There are no default secrets.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Self

from pydantic import AwareDatetime, Field, IPvAnyNetwork, PrivateAttr, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

_MOST_ADDRESSES = 1_000


def _is_in(address: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    try:
        peer = ip_address(address)
    except ValueError:
        return False
    return any(peer in network for network in networks)


class Settings(BaseSettings):
    """Everything that may differ between two installations."""

    model_config = SettingsConfigDict(env_prefix="HOCBA_", extra="ignore", frozen=True)
    _trusted: dict[str, bool] = PrivateAttr(default_factory=dict)

    home: Path = Path("var")
    """Folder of the embedded store and Redis."""
    database_url: str | None = Field(None, repr=False)
    """SQLAlchemy URL of the store; without it, SQLite in the home folder."""
    database_pool: int = Field(8, ge=2)
    """Connections that each process keeps open."""
    redis_url: str | None = Field(None, repr=False)
    """Redis 6.2 or newer, or Valkey; without it `up` starts an embedded server, other commands poll the store."""
    destinations_dir: Path | None = None
    """Folder of destination files; without it, the stand-in destinations of the package."""
    rules_file: Path | None = None
    """YAML that switches rules off or changes their severity; see docs/rules.md."""
    windows_file: Path | None = None
    """YAML that says when schools may send cards in; see docs/ministry-sync.md."""
    jobs_file: Path | None = None
    """YAML that says when jobs run; see docs/jobs.md."""

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str | None = Field(None, pattern=r"^https?://[^/?#]+(/[^?#]*)?$")
    """Where clients reach the API (https://hub.example.vn), for the addresses in the WSDL; by default host and port."""
    api_processes: int = Field(1, ge=1)
    worker_processes: int = Field(2, ge=1)

    connections: int = Field(1_000, ge=1)
    """Connections that one API process holds at once."""
    connections_per_address: int = Field(100, ge=1)
    """Of them from one address; those in `trusted_proxies` are not counted, since they bring many callers."""
    header_bytes: int = Field(16_384, ge=1_024)
    """Most bytes of a request's line and headers."""
    header_count: int = Field(64, ge=8)
    """Most headers of a request."""
    head_seconds: float = Field(10, gt=0)
    """Time in which the head of a request must have come."""
    keep_alive_seconds: int = Field(15, ge=1)
    """How long a connection may rest between two requests."""
    body_grace_seconds: float = Field(20, gt=0)
    """Time that a body may take, beside what `slowest_bytes_per_second` gives it."""
    slowest_bytes_per_second: int = Field(1_000, ge=1)
    """A body that comes more slowly than this, after the grace, is given up."""

    submission_records: int = Field(5_000, ge=1)
    """Most records of one submission."""
    submission_bytes: int = Field(64_000_000, ge=1_000)
    """Most bytes of one submission, after any content coding was undone."""
    record_bytes: int = Field(1_000_000, ge=1_000)
    """Most bytes of one record."""
    gzip_ratio: int = Field(100, ge=2)
    """A gzip body that grows more than this is refused as a bomb."""
    requests_per_second: float = Field(1_000, ge=0)
    """Calls that one client may make, over ten seconds and all processes; 0 for no limit."""
    records_per_day: int = Field(5_000_000, ge=0)
    """Records that one client may send in a day of Vietnam; 0 for no limit."""
    bytes_per_day: int = Field(100_000_000_000, ge=0)
    """Bytes that one client may send in a day of Vietnam; 0 for no limit."""
    keys_per_client: int = Field(20, ge=1)
    """Keys in force that one client or operator may have."""
    backlog_limit: int = Field(2_000_000, ge=1)
    """Deliveries not yet final; above it the hub answers 503."""
    free_disk_bytes: int = Field(500_000_000, ge=0)
    """Less free disk than this under the store (SQLite), the spool or a watched folder, and the hub answers 503."""
    watched_folders: tuple[Path, ...] = ()
    """More folders whose disks must have that much room, such as one on the volume of PostgreSQL."""
    database_bytes: int | None = Field(None, ge=1)
    """Most bytes of the PostgreSQL database; above it the hub answers 503."""
    busy_seconds: float = Field(3, gt=0)
    """How long a call waits for a locked SQLite, or for its turn to write, before the answer is 503."""
    idempotency_days: int = Field(7, ge=1)
    bodies_days: int = Field(7, ge=0)
    """How long the bodies of requests to destinations, and of their answers, are kept; 0: not at all."""
    edits_need_second: bool = True
    """Whether an edit of a card is approved by somebody other than who proposed it."""

    console_idle_minutes: int = Field(30, ge=1)
    """A session of the console ends when nothing was asked for so long."""
    console_hours: int = Field(12, ge=1)
    """A session of the console ends after so long in any case."""

    oidc_issuer: str | None = Field(
        None, pattern=r"^(https://[^/?#]+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?)(/[^?#]*)?$"
    )
    """Identity provider (OpenID Connect) at which operators and clients may sign in to the web pages."""
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_operator_claim: str = "preferred_username"
    """Claim that holds the name of an operator of the hub."""
    oidc_client_claim: str = "hocba_client"
    """Claim that holds the name of the client whose page its bearer may open."""
    anchors_file: Path | None = None
    """Where the ends of the audit trail's chain are written, to be copied away; without it, in the home folder."""

    files_dir: Path | None = None
    """Spool of the files that clients send, the same for every API and worker; without it, in the home folder."""
    file_bytes: int = Field(2_147_483_648, ge=1_000)
    """Most bytes of one file."""
    file_records: int = Field(200_000, ge=1)
    """Most records of one file."""
    open_uploads: int = Field(50, ge=1)
    """Files of one client that may be incomplete at once."""
    findings_days: int = Field(400, ge=1)
    """How long rejected records and what was found in them and in files are kept; accepted cards stay."""
    rejected_days: int = Field(30, ge=1)
    """How long the bytes of a vendor's rejected record are kept, to try a mended mapping on."""
    jobs_days: int = Field(30, ge=1)
    """How long the runs of jobs are kept."""
    files_days: int = Field(30, ge=1)
    """How long a file and its findings workbook are kept; what became of its records stays."""

    soap_digest_secret: SecretStr | None = Field(None, min_length=32)
    """From which the passwords of WS-Security digests are derived; without it, no digest is taken."""
    soap_digest_previous_secret: SecretStr | None = Field(None, min_length=32)
    """The one before it: passwords made with it count until `soap_digest_previous_until`."""
    soap_digest_previous_until: AwareDatetime | None = None
    """Needed with `soap_digest_previous_secret`; a time with its zone, as 2026-12-31T00:00:00+07:00."""
    client_certificate_header: str | None = None
    """Header in which the TLS proxy names the client's certificate; without it, no certificate is taken."""
    trusted_proxies: tuple[IPvAnyNetwork, ...] = (ip_network("127.0.0.1"), ip_network("::1"))
    """Addresses or networks (10.0.0.0/24) whose word is taken for that header, which they must overwrite where clients
    send it. They have to be named where the header is set: by default nobody is believed."""

    lease_seconds: float = Field(6, gt=1)
    """How long a worker that died keeps its deliveries."""
    poll_store_seconds: float = Field(0.5, gt=0)
    """How often workers look for due deliveries while there is no Redis."""
    drain_seconds: float = Field(10, gt=0)
    """Longest time one drain job works before the others get their turn."""
    log_level: str = "INFO"
    traces_url: str | None = Field(None, pattern=r"^https?://[^/?#]+/[^?#]*$")
    """Where traces are sent, by OTLP over HTTP (http://collector:4318/v1/traces); without it, none are made."""
    traces_share: float = Field(1.0, ge=0, le=1)
    """Share of the traces that begin here which are kept; what a caller keeps is kept here, too."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.client_certificate_header and "trusted_proxies" not in self.model_fields_set:
            raise ValueError("client_certificate_header needs trusted_proxies: who is believed about certificates")
        if (self.soap_digest_previous_secret is None) != (self.soap_digest_previous_until is None):
            raise ValueError("soap_digest_previous_secret and soap_digest_previous_until go together")
        given = {self.oidc_issuer is None, self.oidc_client_id is None, self.oidc_client_secret is None}
        if len(given) > 1:
            raise ValueError("oidc_issuer, oidc_client_id and oidc_client_secret go together")
        return self

    def is_trusted_proxy(self, address: str) -> bool:
        """Whether a peer of this IP address is one of `trusted_proxies`."""
        known = self._trusted.get(address)
        if known is None:
            if len(self._trusted) >= _MOST_ADDRESSES:
                self._trusted.clear()
            known = self._trusted[address] = _is_in(address, self.trusted_proxies)
        return known

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Call arguments, then the environment, then the file, then the defaults."""
        file = os.environ.get("HOCBA_SETTINGS_FILE")
        from_file = (YamlConfigSettingsSource(settings_cls, yaml_file=file),) if file else ()
        return (init_settings, env_settings, file_secret_settings, *from_file)

    @cached_property
    def store_url(self) -> str:
        """SQLAlchemy URL of the store that is in force."""
        return self.database_url or f"sqlite:///{(self.home / 'hub.db').absolute()}"

    @cached_property
    def public_address(self) -> str:
        """Where clients reach the API, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")

    @cached_property
    def anchors_path(self) -> Path:
        """The file of the audit trail's anchors."""
        return self.anchors_file or self.home / "anchors" / "audit.ndjson"

    @cached_property
    def files_folder(self) -> Path:
        """The spool that is in force."""
        return self.files_dir or self.home / "files"

    @cached_property
    def destinations_folder(self) -> Path:
        """Folder of the destination files that are in force."""
        return self.destinations_dir or Path(__file__).parent / "adapters" / "destinations"
