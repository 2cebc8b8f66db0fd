# SPDX-License-Identifier: Apache-2.0
"""Facets and filters: who names nothing is for all, and groups never loosen a filter."""

from hypothesis import given
from hypothesis import strategies as st

from retrieval.facets import SearchFilter, list_facets

names = st.sampled_from(["linux", "Windows", "macOS", "staff", "Staff", "finance"])
several = st.lists(names, max_size=3, unique=True).map(tuple)
documents = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["article", "script"]),
        "trust": st.sampled_from(["starter", "internal", "external"]),
        "language": st.sampled_from(["en", "de", "EN"]),
        "platforms": several, "products": several, "groups": several,
    }
)  # fmt: skip
filters = st.builds(
    SearchFilter,
    platform=st.none() | names,
    kind=st.none() | st.sampled_from(["article", "script"]),
    products=several,
    languages=st.lists(st.sampled_from(["en", "de"]), max_size=2).map(tuple),
    trusts=st.lists(st.sampled_from(["starter", "internal"]), max_size=2).map(tuple),
    groups=st.none() | several,
)


def passes(only, facets):
    """As the queries put it: of each dimension asked for, one is there."""
    return all(one is None or set(one) & set(facets) for one in only.alternatives().values())


def should_pass(only, document):
    """The same from the documents' own words."""

    def named(values):
        return {one.lower() for one in values}

    platforms, products = named(document["platforms"]), named(document["products"])
    return (
        (not only.platform or not platforms or only.platform.lower() in platforms)
        and (not only.kind or only.kind == document["kind"])
        and (not only.products or not products or bool(named(only.products) & products))
        and (not only.languages or document["language"].lower() in only.languages)
        and (not only.trusts or document["trust"] in only.trusts)
        and (
            only.groups is None
            or not document["groups"]
            or bool(set(only.groups) & set(document["groups"]))
        )
    )


@given(documents, filters)
def test_a_filter_passes_what_its_words_say(document, only):
    assert passes(only, list_facets(**document)) == should_pass(only, document)


@given(documents, filters)
def test_more_asked_for_never_lets_more_through(document, only):
    facets = list_facets(**document)
    assert passes(SearchFilter(), facets)
    if passes(only, facets):
        assert passes(SearchFilter(groups=only.groups), facets)
        assert passes(SearchFilter(platform=only.platform, kind=only.kind), facets)


@given(documents)
def test_facets_are_sorted_and_name_each_dimension(document):
    facets = list_facets(**document)
    assert facets == sorted(set(facets))
    assert {one.partition(":")[0] for one in facets} == {
        "kind", "trust", "language", "platform", "product", "group",
    }  # fmt: skip


def test_who_is_in_no_group_sees_what_is_for_all():
    open_one = {"kind": "article", "trust": "internal", "language": "en", "platforms": (),
                "products": (), "groups": ()}  # fmt: skip
    nobody = SearchFilter(groups=())
    assert passes(nobody, list_facets(**open_one))
    assert not passes(nobody, list_facets(**{**open_one, "groups": ("staff",)}))
    assert not passes(
        SearchFilter(groups=("Staff",)), list_facets(**{**open_one, "groups": ("staff",)})
    )
