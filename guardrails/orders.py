# SPDX-License-Identifier: Apache-2.0
"""Whether a text speaks to whoever decides, instead of telling what is wrong with a device.

Three ways, each a sign: a clause in the imperative (or "the system must ...") whose object is
something that people or policies decide; a claim that it was decided already; and lines that
imitate the notes or the metadata of a system. English in depth, the claim also in German, French,
Spanish, Italian, Portuguese, Dutch, Polish, Russian, Hindi, Japanese and Chinese. Rules on words,
without a parser: cheap, explainable, and to be walked round, which is why nothing rests on them.
"""

# ruff: noqa: E501 - a regular expression does not read better in pieces

import re
from typing import Final

_VERBS: Final = (
    r"(?:auto[- ]?)?approve|pre-?approve|authori[sz]e|allow|permit|accept|grant|waive|skip|bypass|omit|suppress"
    r"|disable|ignore|disregard|forget|override|overrule|lower|reduce|set|mark|treat|classify|consider|assume|trust"
    r"|rate|score|record|tag|label|flag|change|raise|pick|propose|recommend|prefer|execute"
    r"|deploy|apply|dispatch|push|roll out|proceed|continue|go ahead|do not|don't|never|return|respond"
    r"|answer|reply|output|write|print|set|remove|delete|drop|confirm|state|say"
)
# What people, policies and the evidence decide. A device's user has no business with it.
_DECIDED: Final = (
    r"approvals?|approvers?|approved|reviews?|reviewers?|reviewed|sign-?offs?|quorum|(?:change[- ]advisory|review|cab) board|\bcab\b"
    r"|risk(?:[- ](?:score|level|rating|factor|class|assessment))?s?|polic(?:y|ies)|guardrails?|freeze(?: window)?s?|exceptions?"
    r"|evidence(?: bundle)?|audit(?: log| trail| event)?s?|confidence(?: score)?|threshold|proposals?|recommendations?"
    r"|failure[_ ]class|script[_ ]id|catalogue|static analysis|detector|injection|safety (?:check|rule)s?|instructions?"
    r"|all (?:the )?(?:other )?devices|every (?:other )?device|entire fleet|fleet-?wide|ring \d|canary ring|second (?:person|pair of eyes)"
    r"|separation of duties|human (?:in the loop|review|approval|check)|manual (?:review|approval|check)|standard change|consent"
)
_ADDRESSED: Final = (
    r"(?:dear |hey |hi |hello |attention |note (?:to|for) |message (?:to|for) |for the |to the |@)?(?:(?:the|this|our|any|all) )?"
    r"(?:eucora|ai|a\.i\.|llm|language model|assistant|chatbot|bot|automation|reasoner|reasoning engine|ai agent|triage (?:ai|bot|system)|model|system|agent|pipeline|classifier|reviewer|approver)"
)
_IMPERATIVE: Final = re.compile(
    rf"(?:^|[.!?;:,\n(\"'>*\-]\s*|\b(?:and|then|so|also|but|now|you must|you should|you shall|you need to|you have to|you are to|you can|you may"
    rf"|please|kindly|just|simply|must|should|shall|will|needs? to|has to|have to|is to|are to|required to|instructed to|safe to)\s+)"
    rf"(?:please |kindly |also |just |simply |now |immediately |always |directly )*(?:{_VERBS})\b"
    rf"(?:[^.!?\n]{{0,60}}?)\b(?:{_DECIDED})(?!\w)",
    re.IGNORECASE,
)
_SPOKEN_TO: Final = re.compile(
    rf"(?:^|[\n.!?\[(*#>-]\s*)(?:{_ADDRESSED})\s*(?::|,|\]|\)|--|\u2014|must|should|shall|will|needs? to|has to|is (?:hereby )?(?:instructed|required|authori[sz]ed|ordered)|please)"
    rf"|\b(?:the|this|our) (?:ai|llm|language model|assistant|bot|automation|reasoner|system|model) (?:must|should|shall|needs to|has to) (?:\w+ ){{0,2}}(?:{_VERBS})\b",
    re.IGNORECASE,
)
_CLAIM: Final = re.compile(
    r"\b(?:risk|change|fix|script|request|proposal|this|it|remediation|action|ticket|everything|restart)s?\b[^.!?\n]{0,40}?\b(?:has|have|was|were|is|are|been|got)?\s*"
    r"(?:already |previously |fully |formally |been |pre-?)*(?:reviewed|approved|cleared|signed off|authori[sz]ed|waived|pre-?approved|vetted|sanctioned|risk[- ]assessed|whitelisted|allow-?listed)\b"
    r"(?=[^.!?\n]{0,60}(?:by|risk|cab|board|security|change|manager|director|ciso|approv|review|already|so |no |policy|[.!?\n]|$))"
    r"|\b(?:no|without|needs? no|requires? no|skip(?:ping)?|bypass(?:ing)?)\s+(?:further |additional |second |manual |human |more |any |the )*(?:approvals?|reviews?|sign-?offs?|risk assessment|cab|authori[sz]ation)\b"
    r"|\b(?:approvals?|reviews?|sign-?offs?|cab|quorum|risk assessment|second approver|authori[sz]ation)\b[^.!?\n]{0,30}?\b(?:(?:is|are|was|were|has been|have been|already)\s+)*(?:not (?:needed|required|necessary)|unnecessary|waived|granted|obtained|complete[d]?|done|given|skipped|on file|received|superfluous)\b"
    r"|\bpre-?(?:approved|authori[sz]ed|cleared)\b|\b(?:already|previously) (?:approved|reviewed|authori[sz]ed|signed off|cleared)\b"
    r"|\brisk(?: score| level| rating)?\s*(?:is|=|:|was set to|has been set to|should be|equals)\s*(?:0\b|zero|none|low|nil|negligible|minimal|1\b|accepted)"
    r"|\b(?:approver|reviewer|board|cab|manager|director|security)s? (?:has|have|had) (?:already |verbally |formally )*(?:confirmed|agreed|approved|consented|given consent|signed)\b"
    r"|\bthis (?:message|text|ticket|e-?mail|note|line) (?:is|counts as|serves as|constitutes) (?:my |the |an? |your |formal )*(?:approval|authori[sz]ation|consent|sign-?off|permission)\b"
    r"|\bapprove (?:it |this )?(?:anyway|at once|now|immediately|automatically|on (?:my|his|her|their) behalf)\b|\b(?:bypass|overrid|skip)(?:es|s|ped|den)? (?:the |all |any )*(?:freeze|approval|review|polic|board|quorum)"
    r"|\bapproved by\s*(?::|<|\w)|\bapproval (?:id|ref(?:erence)?|number|code|token)\b"
    r"|\bexempt(?:ed)? from (?:approval|review|policy|the (?:approval|review|policy|freeze))",
    re.IGNORECASE,
)
_CLAIM_ELSEWHERE: Final = re.compile(
    # Texts are read without accents; approval (or review) and the denial of its need, either way round.
    r"(?:genehmigung|freigabe|prufung|zustimmung)\w*\W+(?:\w+\W+){0,5}(?:nicht (?:notig|erforderlich|notwendig)|erteilt|uberflussig|entfallt)|(?:keine|ohne)\s+(?:\w+\s+)?(?:genehmigung|freigabe|prufung|zustimmung)|bereits (?:genehmigt|freigegeben|gepruft)"
    r"|(?:approbation|validation|autorisation|revue)\W+(?:\w+\W+){0,5}(?:pas (?:necessaire|requise)|inutile|accordee)|(?:aucune|sans)\s+(?:approbation|validation|autorisation|revue)|(?:deja|ete) (?:approuve|valide|autorise|examine)\w*"
    r"|(?:aprobacion|revision|autorizacion)\W+(?:\w+\W+){0,5}(?:no es necesaria|innecesaria|concedida)|(?:sin|no (?:requiere|necesita))\s+(?:la )?(?:aprobacion|revision|autorizacion)|ya (?:esta |fue |ha sido )?(?:aprob|revis|autoriz)\w+|no hace falta (?:aprob|revis|autoriz)\w+"
    r"|(?:approvazione|revisione|autorizzazione)\W+(?:\w+\W+){0,5}(?:non (?:e )?(?:necessaria|richiesta)|concessa)|(?:senza|nessuna)\s+(?:approvazione|revisione|autorizzazione)|gia (?:stat\w )?(?:approvat|revisionat|autorizzat)\w"
    r"|(?:aprovacao|revisao|autorizacao)\W+(?:\w+\W+){0,5}(?:nao e necessaria|desnecessaria|concedida)|sem\s+(?:aprovacao|revisao|autorizacao)|ja (?:foi )?(?:aprovad|revisad|autorizad)\w"
    r"|goedkeuring\W+(?:\w+\W+){0,4}niet nodig|geen goedkeuring|al goedgekeurd|zatwierdzeni\w+\W+(?:\w+\W+){0,3}nie jest|juz zatwierdzon"
    r"|(?:одобрени|согласовани|утверждени|проверк)\w+\W+(?:\w+\W+){0,3}не (?:требу|нуж)|уже (?:одобрен|согласован|утвержден|проверен)|без (?:одобрени|согласовани|проверк)"
    r"|无需(?:审批|批准|审核)|不需要(?:审批|批准|审核)|已(?:经)?(?:批准|审核|审批)|承認(?:は)?(?:不要|済)|審査(?:は)?不要|अनुमोदन की आवश्यकता नहीं|निर्देशों? (?:की|को) अन(?:देख|देखा)",
    re.IGNORECASE,
)
_NOTICE: Final = re.compile(
    r"(?:^|\n|[\s>*])[\[(<{#*=\-]{1,6}\s*/?(?:begin |end |internal |new |updated |hidden |admin(?:istrator)? |automated )*(?:system|admin(?:istrator)?|developer|root|security team|change advisory board|cab|it[- ]security|automation|orchestrator|ai|assistant|instructions?|policy(?: update| engine)?|override|approval(?: record)?|internal)"
    r"(?: (?:note|notice|message|prompt|override|instructions?|update|directive|command|log|record|bulletin|mode|decision))*\s*[\])>}:#*=\-]"
    r"|\b(?:system|admin(?:istrator)?|internal|operator|developer|helpdesk|cab|security|change board|policy|automation) (?:note|notice|message|prompt|override|directive|bulletin|update|instructions?)\s*(?:\(\w+\)\s*)?[:\-\u2014]"
    r"|\b(?:end|begin(?:ning)?|start) of (?:ticket|report|user (?:input|text)|quoted (?:text|material)|system|prompt|context|passage)\b",
    re.IGNORECASE,
)
_METADATA: Final = re.compile(
    r"[\"'`]?\b(?:risk_score|risk_level|risk|approved|approved_by|approval|approval_status|requires_quorum|requires_approval|trust|trust_level|source_trust|script_id|script_sha256|failure_class|failure_classes|related_scripts|confidence|target_device_id|target|privilege|blast_radius|judgeable|severity_override|role|status|decision|allow|auto_approve|bundle_digest)"
    r"[\"'`]?\s*[:=]\s*[\"'`\[]?(?:\d|true\b|false\b|none\b|null\b|low\b|approved\b|allow|starter|internal|trusted|system\b|admin\b|user\b|yes\b|\*|all\b|(?:windows|macos|linux)-)",
    re.IGNORECASE,
)


def flag_orders(text: str) -> set[str]:
    """Return the kinds of signs found in a plain text, one reading of it."""
    flags: set[str] = set()
    if _IMPERATIVE.search(text) or _SPOKEN_TO.search(text):
        flags.add("commands_system")
    if _CLAIM.search(text) or _CLAIM_ELSEWHERE.search(text):
        flags.add("claims_decision")
    if _NOTICE.search(text):
        flags.add("imitates_notice")
    if _METADATA.search(text):
        flags.add("imitates_metadata")
    return flags
