# SPDX-License-Identifier: MIT
"""Mistakes put into C code, all of them into one build: a number says at run time which is made.

A file of TOML lists them. A [[place]] is a piece of code, unique in its function ("in") or, without
one, in its file; "mutants" gives each mistake a name and the code that is there instead. Code that
ends with a semicolon is a statement, other code an expression; "" is a statement left out.
"survives" gives the reason by name for those that cannot be caught, as they are the same program to
any caller.
"""

import os
import re
import tomllib


class Bad(Exception):
    """Something in the list or on the command line is wrong."""


class Mutant:
    def __init__(self, number, name, place, code):
        self.number = number
        self.name = name
        self.place = place
        self.code = code

    def __str__(self):
        was = " ".join(self.place["code"].split())
        return f"{self.name}: {where(self.place)}: {was} -> {self.code or 'nothing'}"

    @property
    def excuse(self):
        return self.place.get("survives", {}).get(self.name)


def where(place):
    function = f"{place['in']}()" if "in" in place else ""
    return " in ".join(filter(None, (function, place["file"])))


class List:
    """What is in a file: the places, each with its file, and their mutants."""

    def __init__(self, path, folder, file=None):
        """@folder has the code; @file is that of places that name none."""
        self.name, self.folder = os.path.basename(path), folder
        with open(path, "rb") as f:
            self.places = tomllib.load(f)["place"]
        self.mutants = []
        for place in self.places:
            place.setdefault("file", file)
            for name, code in place["mutants"].items():
                if any(name == mutant.name for mutant in self.mutants):
                    raise Bad(f"{self.name}: {name}: there are two of that name")
                self.mutants.append(Mutant(len(self.mutants) + 1, name, place, code))

    def files(self):
        return sorted({place["file"] for place in self.places})

    def _text(self, file):
        path = os.path.join(self.folder, file)
        try:
            with open(path, encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError as e:
            raise Bad(f"{self.name}: there is no {path}") from e

    def _span(self, text, place):
        """The function's body, in kernel style, where it ends with a brace in the first column."""
        if "in" not in place:
            return 0, len(text)
        # Among its parameters there may be functions, with parentheses of their own.
        match = re.search(rf"^[A-Za-z_][\w\s*]*\b{place['in']}\([^{{}};]*\)\n{{$", text,
                          re.MULTILINE)
        if not match:
            raise Bad(f"{self.name}: {place['file']} has no function {place['in']}()")
        return match.end(), text.index("\n}\n", match.end())

    def _find(self, text, place):
        words = [re.escape(word) for word in place["code"].split()]
        found = list(re.compile(r"\s+".join(words)).finditer(text, *self._span(text, place)))
        if len(found) != 1:
            raise Bad(f"{self.name}: {where(place)} has {len(found)} times '{place['code']}'"
                      " (wanted: once)")
        return found[0].span()

    def _spread(self, place, condition):
        """Code that is one of the mutants, or what was there."""
        code = place["code"]
        mine = [mutant for mutant in self.mutants if mutant.place is place]
        for mutant in mine:
            made = condition.format(mutant.number)
            if place["code"].endswith(";"):
                code = f"if ({made}) {{ {mutant.code} }} else {{ {code} }}"
            else:
                code = f"({made} ? ({mutant.code}) : ({code}))"
        return f"{{ {code} }}" if code.endswith("}") else code

    def mutate(self, file, condition):
        """The text of a file with all its mutants; @condition has {} in place of a number."""
        problems = self.problems()
        if problems:
            raise Bad(problems[0])
        text = self._text(file)
        spans = sorted(((*self._find(text, place), place) for place in self.places
                        if place["file"] == file), key=lambda span: span[0], reverse=True)
        for start, end, place in spans:
            text = text[:start] + self._spread(place, condition) + text[end:]
        return text

    def problems(self):
        """Of places that are not where they should be, once and by themselves: a line each."""
        found, taken = [], []
        for place in self.places:
            try:
                start, end = self._find(self._text(place["file"]), place)
            except Bad as problem:
                found.append(str(problem))
                continue
            found += [f"{self.name}: {where(place)}: '{place['code']}' is part of another place"
                      for file, first, last in taken
                      if file == place["file"] and start < last and first < end]
            taken.append((place["file"], start, end))
        return found

    def find(self, names):
        """The mutants of these names, all if there are none."""
        known = {mutant.name: mutant for mutant in self.mutants}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise Bad(f"{unknown[0]}: no such mutant or option; see --list and --help")
        return [known[name] for name in names] or self.mutants

    def judge(self, mutant, noticed):
        """One line of @noticed, which says what caught it, or None; and whether that is right."""
        right = bool(noticed) != bool(mutant.excuse)
        if right:
            print(f"ok {mutant.name} - {noticed or 'survives: ' + mutant.excuse}", flush=True)
        elif noticed:
            print(f"not ok {mutant.name} - {noticed}, though it was to survive", flush=True)
        else:
            print(f"not ok {mutant.name} - {mutant}", flush=True)
        return right
