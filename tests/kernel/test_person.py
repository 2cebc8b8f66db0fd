# SPDX-License-Identifier: Apache-2.0
"""One person is one, in the normal form and wherever people are told apart."""

import pytest

from kernel.person import is_person, is_same_person, normalise_person
from models.label_bounds import count_people

ADA = ["user:ada", "cli:ada", "ada", " ADA ", "CLI:Ada", "user: ada", "\uff55ser:\uff41da"]


@pytest.mark.parametrize("spelling", ADA)
def test_spellings_of_one_person_are_one_everywhere(spelling):
    assert normalise_person(spelling) == "ada"
    assert is_same_person(spelling, "user:ada")
    assert is_same_person(spelling, "user:bob", "user:ada")
    assert is_person(spelling)
    assert count_people([spelling, "user:ada"]) == 1


@pytest.mark.parametrize("other", ["user:adam", "service:ada", "device:ada", "cli:bob", "system"])
def test_others_stay_others(other):
    assert normalise_person(other) == other.removeprefix("user:").removeprefix("cli:")
    assert not is_same_person(other, "user:ada")
    assert count_people([other, "user:ada"]) == 2


def test_nobody_is_no_person():
    assert normalise_person("") == normalise_person(" user: ") == ""
    assert count_people(["", "cli:"]) == 0
    assert not is_person(" user: ")


def test_nobody_is_the_same_as_nobody():
    """So a decision of nobody is refused as one's own, not believed."""
    assert is_same_person("", "cli:", " ")
    assert not is_same_person("", "ada")


@pytest.mark.parametrize("actor", ["service:ada", "device:ada", "service: ada", "SERVICE:ada"])
def test_services_and_devices_are_no_people(actor):
    assert not is_person(actor)
