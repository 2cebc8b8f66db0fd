# SPDX-License-Identifier: Apache-2.0
"""A quotation cut from its negation supports nothing, in each language with known negations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasoning.advice_support import CitedSentence, _find_windows
from reasoning.negation import knows_language, read_polarity
from reasoning.untrusted import ChunkId, UntrustedText
from retrieval.keywords import list_terms

CHUNK = ChunkId("a@1#0")


def supports(passage: str, claim: str) -> bool:
    cited = CitedSentence(sentence=UntrustedText(claim), citations=(CHUNK,))
    return bool(_find_windows(cited, {CHUNK: passage}))


CUT = [
    # English: before, behind, far off, across a comma, a colon, a line, a list, an abbreviation
    ("Do not restart the print service.", "Restart the print service."),
    ("Do not ever restart the print service.", "Restart the print service."),
    ("Never, in any case, restart the print service.", "Restart the print service."),
    ("You should never under load restart the print service.", "Restart the print service."),
    ("Restarting the print service is not recommended.", "Restart the print service."),
    ("Don\u2019t simply restart the print service.", "Restart the print service."),
    ("Avoid at all cost to restart the print service.", "Restart the print service."),
    ("Do not\nrestart the print service.", "Restart the print service."),
    ("Do not do this: restart the print service.", "Restart the print service."),
    ("Never do the following:\n\n- Restart the print service.", "Restart the print service."),
    (
        "Never do the following:\n- Delete the folder.\n- Restart the print service.\n",
        "Restart the print service.",
    ),
    (
        "Do not (e.g. after an update) restart the print service.",
        "Restart the print service.",
    ),
    ("Do not, e.g. to save time, restart the print service.", "Restart the print service."),
    (
        "Do not pull the cable, restart the print service, or format the disk.",
        "Restart the print service.",
    ),
    # German: first, last, in a list
    ("Starten Sie den Druckdienst nicht neu.", "Starten Sie den Druckdienst neu."),
    ("Den Druckdienst keinesfalls, also nie neu starten.", "Den Druckdienst neu starten."),
    ("Tun Sie nichts davon:\n- Druckdienst neu starten\n", "Druckdienst neu starten."),
    ("Ne redémarrez pas le service d'impression.", "Redémarrez le service d'impression."),
    ("N'arrêtez jamais le service d'impression.", "Arrêtez le service d'impression."),
    ("No reinicie el servicio de impresión.", "Reinicie el servicio de impresión."),
    ("Nunca reinicie el servicio de impresión.", "Reinicie el servicio de impresión."),
    ("Non riavviare il servizio di stampa.", "Riavviare il servizio di stampa."),
    ("Não reinicie o serviço de impressão.", "Reinicie o serviço de impressão."),
    ("Start de afdrukservice niet opnieuw.", "Start de afdrukservice opnieuw."),
    ("Starta inte om utskriftstjänsten.", "Starta om utskriftstjänsten."),
    ("Nie uruchamiaj ponownie usługi drukowania.", "Uruchamiaj ponownie usługi drukowania."),
    ("\u041d\u0435 перезапускайте службу печати.", "Перезапускайте службу печати."),
    ("印刷サービスを再起動しないでください。", "印刷サービスを再起動してください。"),
    ("请不要重新启动打印服务。", "请重新启动打印服务。"),
    ("प्रिंट सेवा को पुनः आरंभ न करें।", "प्रिंट सेवा को पुनः आरंभ करें।"),
    ("لا تعيد تشغيل خدمة الطباعة.", "تعيد تشغيل خدمة الطباعة."),
]


@pytest.mark.parametrize(("passage", "claim"), CUT)
def test_a_quotation_without_its_negation_is_not_supported(passage, claim):
    assert not supports(passage, claim)


@pytest.mark.parametrize(
    ("claim", "passage"), [pair for pair in CUT if "\n-" not in pair[0] and ":" not in pair[0]]
)
def test_a_claim_that_denies_what_its_passage_says_is_not_supported(claim, passage):
    assert not supports(passage, claim)


@pytest.mark.parametrize(("passage", "claim"), CUT)
def test_the_same_without_a_negation_is(passage, claim):
    """Else the rule would hold because nothing of that language is ever supported."""
    assert supports(claim, claim)


@pytest.mark.parametrize(
    ("passage", "claim"),
    [
        ("The disk is not full, restart the print service.", "Restart the print service."),
        ("The disk is not full. Restart the print service.", "Restart the print service."),
        ("Do not delete files; restart the print service.", "Restart the print service."),
        (
            "If the page does not open:\n- Restart the print service.\n- Wait a minute.",
            "Restart the print service.",
        ),
        ("Do not restart the print service.", "Do not restart the print service."),
        (
            "Never do this:\n- Delete it.\n\nRestart the print service.",
            "Restart the print service.",
        ),
        ("Use a non-admin account. Restart the print service.", "Restart the print service."),
    ],
)
def test_a_negation_of_something_else_costs_nothing(passage, claim):
    assert supports(passage, claim)


def test_what_cannot_be_told_to_deny_is_not_weighed():
    """Turkish and Czech negate by endings and prefixes, which nothing here reads."""
    assert not knows_language("tr")
    assert not knows_language("cs")
    claim = (
        "Yazd\u0131rma hizmetini yeniden başlat\u0131n ve bilgisayar\u0131 kapat\u0131p aç\u0131n."
    )
    assert not supports(claim, claim)


# A word of one language that negates in another; languages with a script of their own have none.
FALSE_FRIENDS = [
    ("de", "Noch einmal den Dienst neu starten.", "nl"),
    ("de", "Im Mai den Dienst neu starten.", "it"),
    ("pt", "Reinicie o serviço no servidor.", "en"),
    ("pt", "Reinicie o serviço no servidor.", "es"),
    ("sv", "Start tjänsten nu.", "ro"),
    ("da", "Start tjenesten nu.", "ro"),
    ("no", "Start tjenesten nu.", "ro"),
    ("nl", "Start de dienst nu.", "ro"),
    ("en", "Enter the sin and cos of the angle.", "es"),
    ("en", "Start the non paged pool.", "it"),
    ("fr", "Redémarrez nu le service.", "ro"),
    ("es", "Redes sem fio.", "pt"),
    ("it", "Se ne riavvia il servizio.", "fr"),
    ("pl", "Uruchom no usługę.", "en"),
    ("ro", "Cu ce pas se reia serviciul.", "fr"),
    ("id", "Mulai langkah no satu.", "en"),
    ("vi", "Mở tệp nem.", "pt"),
    ("ja", "别のサービスを再起動します。", "zh"),
]


@pytest.mark.parametrize(("language", "text", "other"), FALSE_FRIENDS)
def test_an_ordinary_word_of_one_language_is_no_negation_of_another(language, text, other):
    assert not read_polarity(text, languages=frozenset([language])).denied
    assert read_polarity(text, languages=frozenset([other])).denied


@pytest.mark.parametrize(
    "text",
    ["Repeat step no 5 again.", "Repeat step No. 12 again.", "See rule no. 7, then restart."],
)
def test_a_number_of_something_is_no_negation(text):
    assert not read_polarity(text).denied
    assert read_polarity("There is no 3rd-party service.").denied


def test_a_word_that_negates_elsewhere_supports_no_negation():
    again, not_again = "Den Dienst noch einmal neu starten.", "Den Dienst nicht einmal neu starten."
    assert supports(again, again)
    assert not supports(not_again, again)
    assert not supports(again, not_again)
    behind = " Danach prüfen Sie bitte, ob der Drucker im Netzwerk wieder gefunden wird."
    assert supports(again + behind, again)
    assert not supports(not_again + behind, again)
    claim = "Reinicie o serviço de impressão do Windows no servidor."
    assert supports(f"{claim} Depois verifique se a impressora foi encontrada na rede.", claim)


@pytest.mark.parametrize(
    ("denying", "claim"),
    [
        ("Do not restart the print service.", "Restart the print service."),
        ("Den Druckdienst nicht neu starten.", "Den Druckdienst neu starten."),
        ("Não reinicie o serviço de impressão.", "Reinicie o serviço de impressão."),
        ("印刷サービスを再起動しないでください。", "印刷サービスを再起動してください。"),
    ],
)
def test_a_sentence_in_a_guide_of_another_language_denies_all_the_same(denying, claim):
    for guide in (
        "Prüfen Sie zuerst, ob der Drucker eingeschaltet ist und im Netzwerk gefunden wird.",
        "Check first that the printer is switched on and can be found in the network.",
    ):
        assert not supports(f"{guide} {denying} {guide}", claim)
        assert supports(f"{guide} {claim} {guide}", claim)


@given(st.text(alphabet="not do restart.,:\n-- eg1", max_size=200), st.integers(0, 200))
def test_no_word_is_lost_or_made(text, start):
    """Every word of the part that is asked for is affirmed or denied, and no other."""
    start = min(start, len(text))
    found = read_polarity(text, start)
    words = {term for term in list_terms(text[start:]) if " " not in term}
    assert found.affirmed | found.denied == words
