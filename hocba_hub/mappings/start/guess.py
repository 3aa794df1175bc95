"""What the fields of a sample may be on a card: guessed from their names and values, and how sure each guess is.

Nothing is invented: a rule reads a place of the sample, or follows from the code table that another rule uses. What
cannot be told from the sample stays a question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hocba_hub.mappings.compile.conversion import fit
from hocba_hub.mappings.records.rows import BETWEEN
from hocba_hub.mappings.schemas.targets import TargetField
from hocba_hub.mappings.start.draft import Draft, Guess, Rule, Sureness
from hocba_hub.mappings.start.names import NameMatch, name_match, names_of, spoken
from hocba_hub.mappings.start.sample import Sample, SampleField, SampleList, words_of
from hocba_hub.mappings.start.transforms import transforms
from hocba_hub.mappings.tables.code_table import Outcome, Table
from hocba_hub.mappings.values.transforms import TRANSFORMS
from hocba_hub.mappings.values.value import ArgumentError, JsonValue, ValueRejected, as_text, without_accents

_PARTED = re.compile(r"[^;|]*([;|])[^;|]*(?:\1[^;|]*)*")
_LEVELS = {"tot": "T", "kha": "K", "dat": "Đ", "chuadat": "CĐ"}
_LEVEL_CODES = frozenset({"T", "K", "Đ", "CĐ", "1", "2", "3", "4"})
_BY_TABLE: Mapping[str, JsonValue] = {
    "pupil/ethnic_code": {"name": "ethnic-groups", "from": "name", "to": "qd121"},
    "circular": "circulars",
    "year/title": {"name": "titles", "where": {"level": "THCS"}},
    "year/result": {"name": "evaluation-letters", "from": "name", "to": "name", "where": {"scope": "primary-year"}},
}
"""Targets whose values one of the hub's tables knows."""
_GENDERS = {"nam": "1", "male": "1", "nu": "2", "female": "2"}
_FITS, _SOME = 0.95, 0.5
_MOST_OWN = 60


class Guesser:
    """Guesses for one sample."""

    def __init__(self, sample: Sample, card: TargetField, tables: Mapping[str, Table]) -> None:
        """`card` is the schema of the report card with its kinds."""
        self.sample, self.card, self.tables = sample, card, tables
        self.own: dict[str, dict[str, str | None]] = {}
        self.used: dict[int, SampleField] = {}
        """Fields that a guess reads, by their identity."""
        subjects = tables["subjects"]
        self._subject_names, self._subject_codes = subjects.view("name", "name"), subjects.view("name", "code")
        self._plain_names = {"".join(words_of(name)): name for row in subjects.rows for name in row.values["name"]}

    def draft(self) -> Draft:
        """What can be told of the sample."""
        fields = [*self.sample.head.values(), *self.sample.fields.values()]
        kind = self._kind(fields)
        card = self.card.variant(kind or "secondary")
        subjects = self._subjects(card, fields)
        guesses = list(self._levels_in_parts(fields, card)) if kind != "primary" else []
        names = {
            target: known for target, known in names_of("record").items() if target not in {g.target for g in guesses}
        }
        guesses += self._assigned([f for f in fields if id(f) not in self.used], names, card)
        guesses += self._following(guesses)
        guesses += subjects
        everything = [*fields, *(one for listed in self.sample.lists.values() for one in listed.fields.values())]
        read = {one.path for one in self.used.values()}
        used = {name for guess in guesses for name in _tables_of(guess)}
        own = {name: pairs for name, pairs in self.own.items() if name in used}
        return Draft(kind, guesses, own, [one for one in everything if one.path not in read and one.count])

    def _kind(self, fields: Iterable[SampleField]) -> str:
        """Primary, if all grades are; secondary otherwise, unless nothing tells the grade."""
        names = names_of("record")
        for target in ("class/grade", "class/name"):
            for one in fields:
                if name_match(one, names[target]) >= NameMatch.IN_HEAD:
                    grades = {_grade(text) for text in one.texts()} - {None}
                    if grades:
                        return "primary" if max(g for g in grades if g) < 6 else "secondary"  # noqa: PLR2004 - grades 1 to 5
        return ""

    def _assigned(
        self, fields: list[SampleField], names: Mapping[str, list[str]], target: TargetField, above: str = ""
    ) -> list[Guess]:
        """Each target with the field that fits it best, each field once."""
        found: list[tuple[float, int, str, SampleField, Rule, NameMatch]] = []
        for path, known in names.items():
            here = target.find(path)
            if here is None or (here.open and not here.type):
                continue
            known_names = [*known, *spoken(here)]
            for number, one in enumerate(fields):
                score = name_match(one, known_names)
                if score:
                    rule, share = self._rule(above + path, here, one)
                    if score + share > 1 + _SOME:
                        found.append((score + share, -number, path, one, rule, score))
        guesses: dict[str, Guess] = {}
        for total, _, path, one, rule, score in sorted(found, key=lambda hit: (-hit[0], -hit[1])):
            if path in guesses or id(one) in self.used:
                continue
            self.used[id(one)] = one
            fits = total - score >= _FITS
            good = score == NameMatch.WHOLE
            is_likely = good or (fits and score > NameMatch.NEARLY)
            sureness = Sureness.SURE if good and fits else Sureness.LIKELY if is_likely else Sureness.GUESS
            guesses[path] = Guess(above + path, rule, sureness)
        return [guesses[path] for path in names if path in guesses]

    def _following(self, guesses: list[Guess]) -> Iterator[Guess]:
        """Rules that follow from others."""
        known = {one.target: one for one in guesses}
        if "pupil/ethnic_code" in known:
            yield Guess("pupil/ethnic_list", {"value": "QD121"}, Sureness.SURE, follows=True)
        grade = known.get("class/grade") or known.get("class/name")
        if grade is not None and "class/grade" not in known and _all(_grade, self._of(grade)):
            rule = {"from": grade.rule["from"], "apply": ["leading-number"], "required": True}
            yield Guess("class/grade", rule, Sureness.LIKELY, follows=True)
        yield from self._absences(known)
        province = known.get("school/province_name")
        if province is not None and "school/province_code" not in known:
            table = {"name": "provinces", "from": "name", "to": "code"}
            rule = {"from": province.rule["from"], "table": table, "required": True}
            yield Guess("school/province_code", rule, Sureness.LIKELY, follows=True)
        if grade is not None and "school/level" not in known and _all(_grade, self._of(grade)):
            numbers = {str(_grade(text)) for text in self._of(grade)}
            levels = {self.tables["grades"].view("number", "level").find(number).value for number in numbers}
            self._own("cap-hoc", {level: self._level_code(level) for level in sorted(filter(None, levels))})
            chain = [{"name": "grades", "from": "number", "to": "level"}, "cap-hoc"]
            rule = {"from": grade.rule["from"], "apply": ["leading-number"], "table": chain, "required": True}
            yield Guess("school/level", rule, Sureness.GUESS, follows=True)

    def _absences(self, known: Mapping[str, Guess]) -> Iterator[Guess]:
        """The days of absence of a year, where both kinds are counted apart."""
        fields = [one for one in self.sample.fields.values() if id(one) not in self.used]
        names = names_of("record")
        parts = [
            one
            for part in ("excused", "unexcused")
            for one in fields
            if name_match(one, names[f"year/absences_{part}"]) == NameMatch.WHOLE
        ]
        if "year/absences" not in known and "year/absences_excused" not in known and len(parts) == 2:  # noqa: PLR2004 - both
            self.used |= {id(one): one for one in parts}
            rule = {"from": [one.path for one in parts], "apply": ["sum", "integer"], "required": True}
            yield Guess("year/absences", rule, Sureness.LIKELY)

    def _of(self, guess: Guess) -> list[str]:
        """The values of the field that a guess reads."""
        fields = (*self.sample.head.values(), *self.sample.fields.values())
        return next((one.texts() for one in fields if one.path == guess.rule.get("from")), [])

    # Subjects: a list of each record, or columns that are named by subjects.
    def _subjects(self, card: TargetField, fields: list[SampleField]) -> list[Guess]:
        subject = card.find("year/subjects")
        item = subject.item if subject is not None else None
        if item is None:
            return []
        listed = [(self._knows_subjects(one), one) for one in self.sample.lists.values()]
        best = max(listed, key=lambda hit: hit[0], default=(0.0, None))
        guesses = []
        if best[1] is not None and best[0] > 0:
            guesses.append(self._listed(best[1], item))
        else:
            columns = self._columns(fields, item)
            guesses += [columns] if columns is not None else []
        history = card.find("study_history")
        for one in self.sample.lists.values():
            names = {
                "school_year": ["namhoc", "nam"],
                "class_name": ["lop", "tenlop"],
                "school_name": ["truong", "tentruong"],
            }
            names |= {"province_name": ["tinh", "tentinh"], "arrived_on": ["ngayden", "ngaychuyenden"]}
            if one is not best[1] and history is not None and history.item is not None:
                below = self._assigned(list(one.fields.values()), names, history.item)
                if len(below) > 2:  # noqa: PLR2004 - what makes a list of earlier years
                    guesses.append(Guess("study_history", {"each": one.path}, Sureness.LIKELY, below))
        return guesses

    def _knows_subjects(self, one: SampleList) -> float:
        """How much a list looks like one of subjects."""
        names = names_of("subject")["code"]
        return max(
            (name_match(f, names) / NameMatch.WHOLE + self._share_of_subjects(f) for f in one.fields.values()),
            default=0.0,
        )

    def _share_of_subjects(self, one: SampleField) -> float:
        texts = one.texts()
        return sum(self._subject(text) is not None for text in texts) / len(texts) if texts else 0.0

    def _subject(self, text: str) -> str | None:
        """The name of the subject that a text means, with or without accents; None if no subject is so called."""
        if self._subject_names.find(text).outcome in (Outcome.FOUND, Outcome.AMBIGUOUS):
            return text
        return self._plain_names.get("".join(words_of(text)))

    def _listed(self, one: SampleList, item: TargetField) -> Guess:
        fields = list(one.fields.values())
        if set(one.fields) <= set(
            self.sample.fields
        ):  # rows of one sheet: what is the pupil's is the same in all of them
            fields = [each for each in fields if each.varies] or fields
        below: list[Guess] = []
        if one.is_plain:
            return Guess("year/subjects", {"each": one.path, "required": True}, Sureness.GUESS)
        named = max(fields, key=lambda f: (self._share_of_subjects(f), name_match(f, names_of("subject")["code"])))
        self.used[id(named)] = named
        below += self._subject_rules(named)
        for parted in [f for f in fields if f is not named]:
            below += self._parts(parted, {"hk1": "term1", "hk2": "term2", "cn": "year"}, item, "mark")
        rest = [f for f in fields if id(f) not in self.used]
        known = {guess.target for guess in below}
        names = {target: known_as for target, known_as in names_of("subject").items() if target not in known}
        below += self._assigned(rest, names, item)
        return Guess("year/subjects", {"each": one.path, "required": True}, Sureness.SURE, below)

    def _subject_rules(self, one: SampleField) -> list[Guess]:
        unknown = [text for text in one.texts() if self._subject_known(text) is None]
        chain: list[JsonValue] = []
        sureness = Sureness.SURE
        if unknown:
            self._own("mon-hoc", {text: self._subject(text) for text in one.texts()})
            chain, sureness = ["mon-hoc"], Sureness.LIKELY
        path = one.path or "."
        return [
            Guess(
                name,
                {"from": path, "table": [*chain, {"name": "subjects", "from": "name", "to": to}], "required": True},
                sureness,
            )
            for name, to in (("code", "code"), ("name", "short_name"))
        ]

    def _subject_known(self, text: str) -> str | None:
        return text if self._subject_codes.find(text).outcome in (Outcome.FOUND, Outcome.AMBIGUOUS) else None

    def _parts(self, one: SampleField, into: Mapping[str, str], of: TargetField, last: JsonValue) -> list[Guess]:
        """One text with the results of both terms and the year (`8,5;7,9;8,1`); `into` says which part is which."""
        texts = one.texts()
        separators = {match[1] for text in texts if (match := _PARTED.fullmatch(text))}
        counts = {len(text.split(next(iter(separators)))) for text in texts} if len(separators) == 1 else set()
        if counts != {len(into)}:
            return []
        self.used[id(one)] = one
        at, names = next(iter(separators)), list(into)
        return [
            Guess(
                target,
                {
                    "from": one.path,
                    "apply": [{"split": {"at": at, "into": names, "part": part}}, last],
                    **_demanded(of.find(target)),
                },
                Sureness.GUESS,
            )
            for part, target in into.items()
        ]

    def _levels_in_parts(self, fields: list[SampleField], card: TargetField) -> Iterator[Guess]:
        """Levels of learning or training as one text: `T;K;T`."""
        for of in ("year/learning", "year/training"):
            for one in fields:
                names = names_of("record")[f"{of}/year"]
                if id(one) not in self.used and name_match(one, names) == NameMatch.WHOLE:
                    into = {"hk1": f"{of}/term1", "hk2": f"{of}/term2", "cn": f"{of}/year"}
                    yield from self._parts(one, into, card, {"level": "letter"})

    def _columns(self, fields: list[SampleField], item: TargetField) -> Guess | None:
        """Columns that are named by subject and result: `Toán > HK1`, `TOAN_HK1`."""
        groups: dict[str, list[tuple[SampleField, tuple[str, ...]]]] = {}
        for one in fields:
            found = self._subject_column(one)
            if found is not None:
                groups.setdefault(found[0], []).append((one, found[1]))
        if len(groups) < 2:  # noqa: PLR2004 - one alone may be anything
            return None
        items = []
        for name, members in groups.items():
            entry = [
                Guess(
                    "code",
                    {"value": name, "table": [{"name": "subjects", "from": "name", "to": "code"}]},
                    Sureness.SURE,
                ),
                Guess(
                    "name",
                    {"value": name, "table": [{"name": "subjects", "from": "name", "to": "short_name"}]},
                    Sureness.SURE,
                ),
            ]
            inner = [SampleField(rest or (name,), values=one.values, count=one.count) for one, rest in members]
            made = self._assigned(inner, {k: v for k, v in names_of("subject").items() if k != "code"}, item)
            for guess in made:
                source = next(
                    one for one, shown in zip(members, inner, strict=True) if shown.path == guess.rule["from"]
                )
                # A subject that a pupil does not have is left out: nothing of it is required.
                guess.rule = {
                    **{key: part for key, part in guess.rule.items() if key != "required"},
                    "from": source[0].path,
                }
                self.used[id(source[0])] = source[0]
            items.append([*entry, *made])
        return Guess("year/subjects", {"required": True}, Sureness.LIKELY, items=items)

    def _subject_column(self, one: SampleField) -> tuple[str, tuple[str, ...]] | None:
        name = one.names[-1]
        if BETWEEN in name:
            first, *rest = name.split(BETWEEN)
            subject = self._subject(first)
            return (subject, tuple(rest)) if subject is not None else None
        words = words_of(name)
        for end in range(len(words) - 1, 0, -1):
            subject = self._subject("".join(words[:end]))
            if subject is not None:
                return subject, ("".join(words[end:]),)
        return None

    # The rule for a target that reads a field, and the share of its values that it takes.
    def _rule(self, path: str, target: TargetField, one: SampleField) -> tuple[Rule, float]:
        rule: Rule = {"from": one.path}
        special = self._special(path, target, one)
        if special is not None:
            rule |= special
        else:
            apply = transforms(path, target, one)
            if apply:
                rule["apply"] = apply
        rule |= _demanded(target)
        return rule, self._share(rule, target, one)

    def _special(self, path: str, target: TargetField, one: SampleField) -> Rule | None:
        """The rule for what is a code: by a table of the hub, or by an own one; None for anything else."""
        if path in _BY_TABLE:
            return {"table": _BY_TABLE[path]}
        if path == "school/level":
            return self._level(one)
        if path == "pupil/gender":
            return self._coded("gioi-tinh", one, _GENDERS)
        if target.allowed == frozenset(_LEVELS.values()):
            letters = all(text.upper() in _LEVEL_CODES for text in one.texts())
            of = path.split("/")[1]
            return {"apply": [{"level": "letter"}]} if letters else self._coded(f"muc-{of}", one, _LEVELS)
        if path == "pupil/nationality" and not all(re.fullmatch("[A-Z]{2}", text) for text in one.texts()):
            return self._coded("quoc-tich", one, {"vietnam": "VN"})
        return None

    def _level(self, one: SampleField) -> Rule:
        """By an own table: the hub's has levels that have no report cards."""
        return self._coded("cap-hoc", one, {"".join(words_of(text)): self._level_code(text) for text in one.texts()})

    def _level_code(self, text: str) -> str | None:
        views = (self.tables["levels"].view(system, "code") for system in ("code", "abbreviation", "name"))
        return next((answer for view in views if (answer := view.find(text).value) is not None), None)

    def _coded(self, table: str, one: SampleField, words: Mapping[str, str | None]) -> Rule:
        """By an own table: what its values surely mean, and the others as questions."""
        values = one.texts()
        if len(values) > _MOST_OWN:
            return {}
        self._own(table, {text: words.get("".join(words_of(text))) for text in values})
        return {"table": table}

    def _own(self, name: str, pairs: Mapping[str, str | None]) -> None:
        known = self.own.setdefault(name, {})
        known.update({text: known.get(text) or meaning for text, meaning in pairs.items()})

    def _share(self, rule: Rule, target: TargetField, one: SampleField) -> float:
        if not one.values:
            return 0.0
        chain = []
        for applied in rule.get("apply", ()):
            name, argument = next(iter(applied.items())) if isinstance(applied, dict) else (applied, None)
            try:
                chain.append(TRANSFORMS[name].made(argument))
            except (ArgumentError, KeyError):
                return 0.0
        fitting = fit(target, forms=True)
        return sum(self._passes(value, chain, rule.get("table"), fitting) for value in one.values) / len(one.values)

    def _passes(self, value: JsonValue, chain: Iterable[Any], table: JsonValue, fitting: Any) -> bool:  # noqa: ANN401 - changes
        try:
            for change in chain:
                value = change(value) if value is not None else None
            if value is None:
                return False
            for use in table if isinstance(table, list) else [table] if table else []:
                value = self._looked_up(use, as_text(value))
            return value is not None and (fitting is None or fitting(value) is not None)
        except ValueRejected:
            return False

    def _looked_up(self, use: JsonValue, text: str) -> str | None:
        named: dict[str, Any] = {"name": use} if isinstance(use, str) else use
        if named["name"] in self.own:
            return self.own[named["name"]].get(text)
        view = self.tables[named["name"]].view(named.get("from"), named.get("to"), named.get("where"))
        return view.find(text).value


def _demanded(target: TargetField | None) -> Rule:
    """What makes a rule stop a card without a value, if the card may not be without."""
    return {"required": True} if target is not None and (target.required or target.needed) else {}


def _tables_of(guess: Guess) -> Iterator[str]:
    """The names of the tables that a guess uses."""
    table = guess.rule.get("table", [])
    for use in table if isinstance(table, list) else [table]:
        yield use if isinstance(use, str) else use["name"]
    for inner in (*guess.below, *(one for entry in guess.items for one in entry)):
        yield from _tables_of(inner)


def _grade(text: str) -> int | None:
    found = re.search(r"[0-9]+", without_accents(text))
    grade = int(found[0]) if found and len(found[0]) < 3 else 0  # noqa: PLR2004 - two digits
    return grade if 1 <= grade <= 12 else None  # noqa: PLR2004 - grades


def _all(reads: Any, texts: list[str]) -> bool:  # noqa: ANN401 - a function of a text
    return bool(texts) and all(reads(text) is not None for text in texts)
