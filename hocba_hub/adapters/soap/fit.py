"""Whether a destination file and its mappings fit a service's contract: looked at when a process starts."""

from __future__ import annotations

from dataclasses import dataclass

from hocba_hub.adapters import filling
from hocba_hub.adapters.destination import Destination, DestinationError, refuse
from hocba_hub.adapters.lists import check_year
from hocba_hub.adapters.places import SELF, nested
from hocba_hub.adapters.soap.contract import Contract
from hocba_hub.adapters.soap.options import SoapOptions, contradictions
from hocba_hub.adapters.soap.requests import Requests, page
from hocba_hub.adapters.soap.writer import Written
from hocba_hub.adapters.translation import Translations


def check_fit(
    destination: Destination, options: SoapOptions, contract: Contract, requests: Requests, translations: Translations
) -> None:
    """Do nothing if a destination fits.

    Raises:
        DestinationError: it does not, with the reason.
    """
    if (several := translations.makes_several()) is not None:
        raise DestinationError(f"{several.label}: makes several records of a card; soap sends one.")
    refuse(destination, contradictions(destination, options))
    translations.check_record_ids(options.submit.record_id)
    _Fit(destination, options, contract, requests).check()
    for document in translations.documents():
        requests.record_writer(options.submit).check(document.fields)


@dataclass(frozen=True, slots=True)
class _Fit:
    _destination: Destination
    _options: SoapOptions
    _contract: Contract
    _requests: Requests

    def check(self) -> None:
        self._submit()
        self._result()
        self._card()
        self._inventory()
        self._identity()
        self._code_lists()

    def _submit(self) -> None:
        submit = self._options.submit
        if submit.record != SELF:  # else a record is all of it, and compared with each mapping
            records = [Written()] * self._destination.batch.records
            self._requests.check(submit, {submit.record: records}, filling.BATCH)
        if submit.sha256 is not None:
            self._requests.record_writer(submit).check_names(nested([(submit.sha256, "")]))
        self._contract.check_reply(submit.operation, SELF, submit.reference)
        if submit.results is not None:
            self._verdicts(submit.operation, submit.results)

    def _result(self) -> None:
        result = self._options.result
        if result is None:
            return
        references = ["x"] * self._destination.acknowledgement.references
        self._requests.check(result, {result.reference: references if len(references) > 1 else "x"})
        self._verdicts(result.operation, result.results)
        if len(references) > 1:
            self._contract.check_reply(result.operation, result.results, self._options.verdict.reference)
            self._contract.check_reply(result.operation, SELF, result.unknown)

    def _verdicts(self, operation: str, results: str) -> None:
        names = self._options.verdict
        self._contract.check_reply(operation, results, names.record_id, names.version, names.verdict, names.code)

    def _card(self) -> None:
        card, names = self._options.card, self._options.standing
        if card is not None:
            self._requests.check(card, {card.record_id: "x"} if card.record_id else {}, filling.CARD)
            of_standing = (names.version, names.verdict, names.code, card.reference)
            self._contract.check_reply(card.operation, card.standing, *of_standing)

    def _inventory(self) -> None:
        inventory = self._options.inventory
        if inventory is not None:
            check_year(self._destination, "inventory", inventory.school_year)
            asked = page(inventory, "x") | ({inventory.ids: "x"} if inventory.ids else {})
            self._requests.check(inventory, asked)
            self._contract.check_reply(inventory.operation, SELF, inventory.next)
            of_line = (inventory.record_id, inventory.school_year, inventory.version, inventory.state, inventory.sha256)
            self._contract.check_reply(inventory.operation, inventory.lines, *of_line)

    def _identity(self) -> None:
        identity = self._options.identity
        if identity is not None:
            check_year(self._destination, "identity", identity.school_year)
            self._requests.check(identity, page(identity, "x"))
            self._contract.check_reply(identity.operation, SELF, identity.next)
            of_line = (identity.record_id, identity.school_year, identity.version, identity.result)
            self._contract.check_reply(identity.operation, identity.lines, *of_line)

    def _code_lists(self) -> None:
        lists = self._options.code_list
        if self._destination.code_lists:
            self._requests.check(lists, {lists.list: "x"})
            self._contract.check_reply(lists.operation, SELF, lists.version)
            self._contract.check_reply(lists.operation, lists.items, lists.code, lists.name)
