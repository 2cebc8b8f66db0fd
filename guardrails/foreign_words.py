# SPDX-License-Identifier: Apache-2.0
"""Words of German and French that helpdesk text is full of, and nobody is called.

Whoever was taught names by English sentences takes a strange word where a name could stand for
one. A word that our lists of names have is none of these, whatever stands here.
"""

from functools import cache, lru_cache
from typing import Final

import regex  # type: ignore[import-untyped]  # presidio's engine; ships no types

from guardrails.person_names import fold
from guardrails.vocabulary import read_names

_GERMAN: Final = """
abmelden abteilung aber alle allem allen aller alles als also am an anbei andere anderen anfrage
anleitung anmelden anmeldung anruf anrufen anschluss anzeige arbeitet arbeitsplatz auch auf aus
ausgeschaltet bei beim bekomme benutzer benutzername benutzerkonto bereits bildschirm bin bis bitte
brauche braucht da danke dann das dass datei dateien dein deine dem den der des dich die diese
diesem diesen dieser dieses dir doch drucken drucker druckt durch durchwahl ein eine einem einen
einer eingabe einloggen einstellungen er erneut ersatzgerät ersatz es etage etwas euch euer fehler
fehlercode fehlermeldung fehlt fenster festplatte firma frage funktioniert funktionieren für gegen
geht gelöscht gerät geräte gesperrt gestern gesendet geändert habe haben handy hallo hat heute hier
hilfe hinweis ich ihm ihn ihnen ihr ihre ihrem ihren im immer in ist jetzt kabel kann kannst kein
keine keinen kennung kennwort kennzeichen können könnte konto kontakt kontaktieren kunde kundin
laden läuft laufwerk leider leitung löschen lizenz mal maus mehr mein meine meinem meinen meiner
melden meldet meldung mich mir mit mitarbeiter mitarbeiterin mitteilung morgen möchte muss nach
nachricht name netz netzlaufwerk netzwerk neu neue neuem neuen neuer neues nicht nichts noch nummer
nun nur ob oder ohne ordner parkplatz passwort personalnummer postfach problem raum rechner rechnung
reagiert rückmeldung rückruf sagt schicken schnell schon schreibt sehr sein seine seinem seinen seit
seite sicherung sich sie sind so soll sperre standort startet störung straße support tastatur
telefon telefonnummer termin testen ticket treiber über um und uns unser unsere unserem unseren
unter verbindung vergessen vielen version vom von vor wann war warum was weg wegen weil weiterhin
wenn werden wie wieder wird wo wohnung wohnort wurde zeigt zu zugang zugangsdaten zugriff zum zur
zurück zurücksetzen entsperren freigabe freigeben freischalten installieren aktualisieren neustart
drahtlos anhang
"""
_FRENCH: Final = """
accès actuellement adresse afin ai aide appeler appelez après arrêt assistance au aucun aucune
aujourd aussi avant avec avez avoir badge besoin bien bonjour bonsoir boite boîte bureau c'est ce
cela ces cet cette changement changer changez chez clavier client code collègue comme comment compte
connecter connexion contact cordialement courriel dans de demande depuis démarre démarrer désactivé
dernier dernière des deux devant disque dois donc dossier dossiers du effectuer elle elles en encore
ensuite entreprise envoyer envoyez erreur est et écran été être faire fait faut fenêtre fichier
fichiers fonctionne fonctionnent identifiant il ils impossible imprimante imprimer installer j'ai je
jour jours la laquelle le lecteur lequel les leur leurs licence ligne logiciel lors lui ma
maintenant mais matériel matricule me même merci mes message messagerie mettre mise modèle moi mois
mon mot mots ne n'est nom non nos notre nous nouveau nouvel nouvelle nouvelles numéro obtenir on
ordinateur ou où ouvrir par partagé partage pas passe peut peux plus poste pour pouvez pouvoir
prénom problème puis quand que quel quelle quelqu qui quoi rame rappeler rappelez rappelez-moi
recevoir reçu redémarrer réinitialiser réponse réseau sa salle salut sans saisir sauvegarde se
semaine ses serveur service session si signaler site soir son sont souris sous suis suite supprimer
sur svp symptôme téléphone tous tout toute toutes très trop un une utilisateur utilisateurs utiliser
version verrouillé verrouillée bloqué bloquée vérifier veuillez vers voici voir vos votre vous
"""
# German puts words together: what the last of them is, the whole is.
_HEADS: Final = regex.compile(
    r"\p{L}{2,40}(?:nummern?|passwörter|passwort|kennwort|kennzeichen|geräte?|rechner"
    r"|drucker|laufwerk|einstellung(?:en)?|verbindung(?:en)?|meldung(?:en)?|programme?|verwaltung"
    r"|anwendung(?:en)?|berechtigung(?:en)?|zugang|zugriff|schlüssel|bildschirm|tastatur"
    r"|speicher|dienste?|sicherung|fehler|treiber|konto|konten|adressen?|daten|datei(?:en)?)"
)
_CACHED_WORDS: Final = 20_000
_SHORT: Final = 40  # letters of a word that is remembered
_WORD: Final = regex.compile(r"[\p{L}\p{M}]+(?:['\u2019-][\p{L}\p{M}]+)*")


@cache
def read_foreign_words() -> frozenset[str]:
    """Return the words, in lower case, without any that people of our lists are called."""
    names = frozenset().union(*read_names())
    words = f"{_GERMAN} {_FRENCH}".split()
    return frozenset(word for word in words if fold(word).replace("'", "") not in names)


def is_foreign_word(word: str) -> bool:
    """Say whether a word is ordinary German or French."""
    return _is_foreign_short(word) if len(word) <= _SHORT else _is_foreign(word)


def _is_foreign(word: str) -> bool:
    lower = word.lower().replace("\u2019", "'")
    return lower in read_foreign_words() or bool(_HEADS.fullmatch(lower))


_is_foreign_short = lru_cache(maxsize=_CACHED_WORDS)(_is_foreign)


def are_foreign_words(text: str) -> bool:
    """Say whether a text has words, and all are ordinary German or French.

    >>> are_foreign_words("neues Passwort"), are_foreign_words("Frau Passwort-Meier")
    (True, False)
    """
    words = _WORD.findall(text)
    return bool(words) and all(map(is_foreign_word, words))
