# SPDX-License-Identifier: Apache-2.0
"""People whom their context gives away: greetings, signatures, roles, mail headers, chats."""
# ruff: noqa: E501 - a regular expression does not read better in pieces

from dataclasses import replace
from typing import Final

from guardrails.pattern_parts import (
    FULL_NAME,
    LOWER_NAME,
    NAME,
    NO_NAME,
    NO_NAME_ANYWHERE,
    TWO_NAMES,
    IdentifierPattern,
    patterns,
)
from guardrails.plain_words import is_plain, name_length, names_length
from guardrails.vocabulary import is_listed

_GREETING: Final = r"(?i:hi|hello|hey|hiya|dear|hallo|hola|bonjour|salut|ciao|buongiorno|ol\u00e1|moin|servus|guten[ ](?:tag|morgen)|liebe[rs]?|sehr[ ]geehrte[rs]?[ ](?:herr|frau)|good[ ](?:morning|afternoon|evening|day)|morning|greetings|ahoj|cze\u015b\u0107|hej|namaste)"
_CLOSING: Final = r"(?i:(?:best|kind|kindest|warm|warmest|many)[ ](?:regards|wishes|thanks)|all[ ]the[ ]best|regards|sincerely|cheers|thanks(?:[ ](?:in[ ]advance|again|a[ ]lot|so[ ]much|and[ ]regards))?|thank[ ]you(?:[ ](?:very[ ]much|in[ ]advance))?|thx|tnx|ty|best|same[ ]here|yours(?:[ ](?:truly|sincerely|faithfully))?|br|rgds|vg|lg|mfg|gr\u00fc\u00dfe|(?:viele|beste|liebe|freundliche)[ ]gr\u00fc\u00dfe|mit[ ]freundlichen[ ]gr\u00fc\u00dfen|cordialement|saludos|un[ ]saludo|cordiali[ ]saluti|atenciosamente|pozdrawiam|s[ ]pozdravem|med[ ]v\u00e4nlig[ ]h\u00e4lsning|mvh|groetjes|groeten|sayg\u0131lar)"
_ROLE: Final = r"(?i:user|caller|customer|client|colleague|co-?worker|employee|manager|boss|supervisor|director|team[ ]?lead(?:er)?|lead|head|assistant|secretary|intern|trainee|apprentice|contractor|consultant|requester|requestor|contact(?:[ ]person)?|approver|technician|engineer|admin|administrator|analyst|accountant|buyer|nurse|doctor|teacher|student|professor|new[ ](?:starter|hire|joiner|employee|colleague)|starter|joiner|leaver|hire|requested[ ](?:by|for)|reported[ ](?:by|for)|raised[ ]by|opened[ ](?:by|for)|submitted[ ]by|created[ ]by|logged[ ]by|approved[ ]by|escalated[ ](?:by|to)|assigned[ ]to|forwarded[ ](?:by|to)|handed[ ](?:over[ ])?to|on[ ]behalf[ ]of|behalf|spoke[ ](?:to|with)|talked[ ](?:to|with)|met[ ]with|attention|attn|attention[ ]of|display[ _]?name|full[ _]?name|employee[ ]name|first[ _]?name|last[ _]?name|surname|given[ _]?name|real[ ]name|maiden[ ]name|owner|reported[ ]user|affected[ ]user|signed|cc|husband|wife|son|daughter|brother|sister|friend|partner)"
_LOWER_STOP: Final = r"(?!(?i:and|but|from|i|my|the|in|at|with|on|here|is|was|has|had|have|to|a|an|of|for|or|so|as|not|can|cannot|cant|needs?|wants?|says?|said|will|would|who|that|this|it|we|you|he|she|they|said|pls|please|again|also|still|just|get|gets|got|his|her|our|your|their|are|if|when|because|since|after|before|does|did|do|by|about|pc|laptop|account|team|there|all|any|support|help|helpdesk|name|user|new|old|no|yes|left|gone|out|back|now|off|over|up|down|asked|told|called|cant|wont|dont|via|re|fwd|desk|guys|folks|everyone)\b)"
_LOWER_TWO: Final = rf"{_LOWER_STOP}{LOWER_NAME}[ ]{_LOWER_STOP}{LOWER_NAME}"
_DAY: Final = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|May|June|July|August|September|October|November|December|Today|Yesterday|Windows|Outlook|Teams|Excel|Office|Chrome|Edge|Error|Event|Adobe|Microsoft)"

_IN_CONTEXT: Final = patterns(
    # --- mail headers, quotes
    (
        "PERSON",
        0.84,
        rf"(?m)(?:^|[;|>])[ \t>]{{0,12}}(?i:cc|bcc|from|to|attn|attention|name|von|an|de|sender|recipient|requester|requestor|caller|reported by|contact|user|owner|employee|manager|customer|assigned to|assignee|full name|display ?name|first ?name|last ?name|given ?name|surname)[ ]?:[ \t]{{0,8}}[\"'*]{{0,2}}(?!{_DAY}\b){NO_NAME}\K{FULL_NAME}(?:,[ ]{NAME})?(?=[ ]*(?:[<(;,|\"'*/\n\t]|\Z|-[ ]))",
        ":",
    ),
    (
        "PERSON",
        0.84,
        rf"(?m)^[ \t>]{{0,12}}(?i:cc|bcc|to)[ ]?:[^\n]{{1,200}}?[;,][ ]{{0,2}}\K{TWO_NAMES}(?=[ ]*(?:[<;,\n]|\Z))",
        "cc to",
    ),
    (
        "PERSON",
        0.84,
        rf"(?=[\p{{Lu}}\p{{Lo}}]){NO_NAME}{TWO_NAMES}(?=[ ]?<[\w.+%'-]{{1,64}}@)",
        "@",
    ),
    (
        "PERSON",
        0.82,
        rf"(?=[\p{{Lu}}\p{{Lo}}]){NO_NAME}(?:{NAME},[ ]{NAME}|{TWO_NAMES})(?=[ ]?[(\[](?:[\w.+%'-]{{2,64}}@[\w.-]{{2,128}}|(?=[\w.-]*(?:\d|[a-z][._][a-z]))[a-z][\w.-]{{2,32}}|\+?[\d -]{{6,20}})[)\]])",
        "( [",
    ),
    (
        "PERSON",
        0.82,
        rf"(?i:\bon[ ][^\n]{{3,80}}?[ ,])(?!(?:at|{_DAY}|AM|PM)\b){NO_NAME}\K{FULL_NAME}(?=[ ](?:<[^>\n]{{3,128}}>[ ])?(?i:wrote|schrieb|a[ ]\u00e9crit|escribi\u00f3|ha[ ]scritto|napisa\u0142)[: ])",
        "wrote schrieb crit escrib scritto napisa",
    ),
    # --- people introduce themselves
    (
        "PERSON",
        0.86,
        rf"(?i:\b(?:my|his|her|their|the[ ]user['\u2019]s|partner['\u2019]s|caller['\u2019]s|[,;])[ ](?:(?:full|first|last|maiden|sur|real|new|given)[ ]?)?name(?:[ ]is|['\u2019]s|:|[ ]was)?[ ]){NO_NAME}\K{FULL_NAME}",
        "name",
    ),
    (
        "PERSON",
        0.85,
        rf"(?i:\bmy[ ](?:full[ ])?name(?:[ ]is|['\u2019]s)[ ])\K{_LOWER_STOP}{LOWER_NAME}(?:[ ]{_LOWER_STOP}{LOWER_NAME})?",
        "name",
    ),
    (
        "PERSON",
        0.82,
        rf"(?i:\b(?:i['\u2019]?m|i am|this is|it['\u2019]s|it is|here is|speaking:?|here['\u2019]s)[ ]){NO_NAME}(?!{_DAY}\b)\K{TWO_NAMES}(?=[ ]?(?:[,.;!\n(-]|\Z|(?:from|in|at|and|here|with|on|again|speaking|of|the|calling|writing)\b))",
    ),
    (
        "PERSON",
        0.76,
        rf"(?=[\p{{Lu}}\p{{Lo}}]){NO_NAME_ANYWHERE}(?!{_DAY}\b){NAME}(?:[ ]{NAME})?(?=[ ](?:from|in|of)[ ](?:the[ ])?(?i:accounting|accounts|finance|hr|sales|marketing|legal|logistics|purchasing|engineering|reception|payroll|procurement|operations|production|facilities|controlling|r&d|warehouse|quality|design|compliance|treasury|editorial|admissions|maintenance|development|management|human resources|customer service|back ?office|cleaning|catering|front desk|stores|dispatch|shipping|receiving|audit|tax|risk|claims|underwriting|pharmacy|radiology|nursing|research|training|admin|post ?room|mail ?room|canteen|transport|fleet|estates|ops|upstairs|downstairs|next door|housekeeping)\b)",
        "account finance hr sales market legal logistic purchas engineer reception payroll procure operat product facilit control r&d warehouse quality design compliance treasury editorial admission mainten develop manag human customer back clean cater front store dispatch ship receiv audit tax risk claim underwrit pharm radiol nurs research train admin post mail canteen transport fleet estates ops stairs next housekeep",
    ),
    (
        "PERSON",
        0.84,
        rf"(?i:\b(?:this is|i am|i['\u2019]m|it['\u2019]s)[ ]){NO_NAME}(?!{_DAY}\b)\K{NAME}(?=[ ](?:from|in|at|of)[ ](?:the[ ])?(?i:accounting|finance|hr|sales|marketing|legal|it|logistics|purchasing|engineering|reception|payroll|procurement|support|operations|production|facilities|security|the|floor|building|room)\b)",
    ),
    ("PERSON", 0.84, rf"{FULL_NAME}(?=[ ](?:here|speaking)\b[ ,.!:])", "here speaking"),
    (
        "PERSON",
        0.8,
        rf"(?<![\w])(?:{_LOWER_TWO}|(?<=\b(?i:hi|hey|hello)[ ,]{{1,2}}){_LOWER_STOP}{LOWER_NAME})(?=[ ](?:here|speaking)\b[ ,.!:])",
        "here speaking",
    ),
    # --- signatures
    (
        "PERSON",
        0.86,
        rf"(?<!\w){_CLOSING}[ ]?[,.!\u2013-]?[ ]?\s{{0,4}}(?:[-\u2013][ ]?)?{NO_NAME}(?!{_DAY}\b)\K{FULL_NAME}(?=[ \t]*(?:\n|\Z|[,.|(/<!]|[-\u2013][ ]))",
        "regards wishes thank best sincer cheers thx tnx ty yours br rgds vg lg mfg gr\u00fc cordial salud salut atencios pozdr h\u00e4lsning mvh groet sayg same",
    ),
    # the line after a closing line with a first name, or after a name and a title
    (
        "PERSON",
        0.84,
        rf"(?m)(?<!\w){_CLOSING}[ ]?[,.!]?[ ]?\n{{1,3}}(?:[^\n]{{1,40}}\n{{1,3}})?{NO_NAME}(?!{_DAY}\b)\K{TWO_NAMES}(?=[ \t]*(?:\n|\Z|[,|]))",
        "\n",
    ),
    (
        "PERSON",
        0.8,
        rf"(?m)(?:^|\n)(?:--|__+|\*\*)[ ]?\n{NO_NAME}\K{FULL_NAME}(?=[ \t]*(?:\n|\Z|[,|]))",
        "-- __ **",
    ),
    (
        "PERSON",
        0.8,
        rf"(?m)^{NO_NAME}(?!{_DAY}\b)\K{TWO_NAMES}(?=[ \t]*\n(?:[^\n]{{3,60}}\n){{0,3}}(?:[^\n]{{0,30}}@[\w.-]{{3,}}|(?i:tel|phone|mobile|cell|fax|direct|office|mob|m|t|p)\b[.:]?[ :+(\d]))",
        "\n",
    ),
    (
        "PERSON",
        0.8,
        rf"(?m)^[ \t]*{NO_NAME}(?!{_DAY}\b)\K{NAME}(?=[ \t]*\n{{1,2}}(?i:sent from my|gesendet von|envoy\u00e9 de))",
        "sent gesendet envoy",
    ),
    # --- roles and relations
    (
        "PERSON",
        0.83,
        rf"(?<![\p{{L}}-]){_ROLE}[ ]{{0,2}}[:=]?[ ]{{1,2}}(?:(?i:is|named|called|mr\.?|mrs\.?|ms\.?)[ ])?[\"'(]?{NO_NAME}(?!{_DAY}\b)\K{TWO_NAMES}",
        "user caller customer client colleague worker employee manager boss supervis direct lead head assist secret intern train apprent contract consult request contact approv technic engineer admin analyst account buyer nurse doctor teacher student profess start join leav hire by behalf spoke talk met assign forward hand attention attn name owner sign cc husband wife son daughter brother sister friend partner escalat",
    ),
    (
        "PERSON",
        0.8,
        rf"(?<![\p{{L}}-])(?i:caller|colleague|co-?worker|boss|supervisor|requester|requestor|(?:my|our|his|her|their)[ ](?:new[ ])?(?:manager|boss|colleague|assistant|intern|lead|supervisor|director|team[ ]lead|wife|husband|partner|son|daughter|brother|sister|friend|teammate|coworker)|raised[ ]by|reported[ ]by|opened[ ]by|requested[ ](?:by|for)|submitted[ ]by|approved[ ]by|on[ ]behalf[ ]of|spoke[ ](?:to|with)|talked[ ](?:to|with)|assigned[ ]to|escalated[ ]to|attn|attention|new[ ](?:starter|hire|joiner|colleague))[ ]{{0,2}}[:=,]?[ ]{{1,2}}(?:(?i:is|named|called)[ ])?[\"'(]?{NO_NAME}(?!{_DAY}\b)\K{FULL_NAME}",
        "caller colleague worker boss supervis request my our his her their by behalf spoke talk assign escalat attn attention new",
    ),
    (
        "PERSON",
        0.78,
        rf"(?<![\p{{L}}-])(?i:new[ ](?:starter|hire|joiner|colleague|employee)|starter|joiner|leaver|colleague|manager|boss|caller|requester|on[ ]behalf[ ]of|behalf|raised[ ]by|reported[ ]by|spoke[ ](?:to|with)|talked[ ](?:to|with)|assigned[ ]to)[ :]{{1,2}}\K{_LOWER_TWO}(?=[ ]?(?:[,.;!?\n(]|\Z|(?:needs?|needed|has|had|is|was|cannot|can|can't|cant|wants?|will|says?|said|gets?|got|who|and|from|in|at|asked|told|called|left|reports?|reported)\b))",
        "new starter joiner leaver colleague manager boss caller request behalf raised reported spoke talk assign",
    ),
    (
        "PERSON",
        0.84,
        rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Herr|Frau|Hr|Fr|Mme|Mlle|M|Sr|Sra|Srta|Sig|Sig\.ra|Ing|Dipl|Sir|Madam|Dott|Pan|Pani|Capt|Lt|Sgt|Rev)(?:\.[ ]?|[ ]){NO_NAME}\K{FULL_NAME}",
    ),
    (
        "PERSON",
        0.8,
        r"(?i)\b(?:mr|mrs|ms|dr)\.?[ ]\K[a-z][\p{L}'-]{2,30}(?=[ ,.;!?]|\Z)",
        "mr ms dr",
    ),
    # a family name and an initial, as directories and old systems show them
    (
        "PERSON",
        0.8,
        r"(?<![\w./\\-])(?!(?:DRIVE|DISK|PORT|PLAN|ROOM|BLOCK|LEVEL|CLASS|GROUP|TYPE|UNIT|LINE|PAGE|STEP|TABLE|VITAMIN|OPTION|SERIES|GRADE|NODE|ZONE|HALL|SITE|TEAM|USER|STOP)\b)\p{Lu}{3,20}(?:['\u2019-]\p{Lu}{2,20})?[ ]\p{Lu}\.?(?=[ ](?i:logged|signed|cannot|can['\u2019]?t|is[ ]locked|locked|called|reports?|reported|says|said|asked|wants|forgot|needs|lost|left|joined|has[ ]left|has[ ]no|was[ ]unable)\b)",
        "logged signed can locked called report says said asked wants forgot needs lost left joined has was",
    ),
    (
        "PERSON",
        0.8,
        rf"(?i:(?<![\w-])(?:user|caller|requester|requested[ ](?:by|for)|assigned[ ]to|reported[ ]by|opened[ ]by|owner|employee|contact|customer|on[ ]behalf[ ]of|spoke[ ](?:to|with))[ :]{{1,2}}){NO_NAME}\K\p{{Lu}}{{3,20}}(?:['\u2019-]\p{{Lu}}{{2,20}})?[ ]\p{{Lu}}(?![\w'\u2019.-]\w|\w)",
        "user caller request assigned reported opened owner employee contact customer behalf spoke",
        lambda text: not is_plain(text.split()[0]) or is_listed(text.split()[0], given=False),
    ),
    # --- greetings
    (
        "PERSON",
        0.8,
        rf"(?m)(?:^|[.!?>\]\"][ ]{{1,2}}|\n)[ \t>]{{0,12}}{_GREETING}(?:[ ](?i:there|again))?,?[ ](?:(?i:mr|mrs|ms|dr|herr|frau)\.?[ ])?{NO_NAME}(?!{_DAY}\b)\K{FULL_NAME}(?:(?:[ ]?(?:and|&|/|und|,)[ ]?){NAME})?(?=[ ]?(?:[,!:.;\n\u2013-]|\Z))",
    ),
    (
        "PERSON",
        0.78,
        rf"(?m)^[ \t>]{{0,12}}(?i:hi|hello|hey|dear)[ ]{_LOWER_STOP}(?!(?i:team|all|support|there|sir|madam|mate|folks|everybody|everyone|colleague|colleagues|helpdesk|service|help|it|to|whom)\b)\K[a-z][\p{{L}}'-]{{1,24}}(?=[ ]?[,!:\n])",
        "hi hello hey dear",
    ),
    (
        "PERSON",
        0.74,
        rf"(?<!\w)(?i:thx|thanks|thank[ ]you|cheers|tnx|ty|sorry|ok|okay|hi|hey|hello|bye|yes|no|pls|please)[ ,]{{1,2}}{NO_NAME}(?!{_DAY}\b)\K{NAME}(?=[ ]?(?:[!,.;?]|\n|\Z)(?![\w]))",
    ),
    # --- chats
    (
        "PERSON",
        0.82,
        rf"(?m)^[ \t>]{{0,12}}[\[(]?\d{{1,2}}[:.h]\d{{2}}(?:[:.]\d{{2}})?(?:[ ]?[AP]M)?[\])]?[ ]?[-\u2013|]?[ ]?(?!(?i:info|warn|warning|error|debug|trace|note|event|status)\b)\K(?:{FULL_NAME}|{LOWER_NAME}(?:[ ]{LOWER_NAME})?)(?=[ ]?:[ ])",
        ":",
    ),
    (
        "PERSON",
        0.78,
        rf"(?m)^[ \t>]{{0,12}}{NO_NAME}(?!{_DAY}\b)\K{FULL_NAME}(?=[ ]?(?:\(\d{{1,2}}:\d{{2}}\)|\[\d{{1,2}}:\d{{2}}\]|,?[ ]\d{{1,2}}:\d{{2}}(?:[ ]?[AP]M)?)[ ]?:?[ \n])",
        ":",
    ),
    (
        "PERSON",
        0.8,
        rf"(?<![\w@.])@(?=[\p{{L}} -]{{1,40}}(?:[,:!?\n]|[ ](?i:and|or|&|can|could|please|pls|is|are|do|did|will|has|have|thanks|thx)|\Z))\K(?!(?i:here|channel|all|everyone|team|echo|media|import|param|return|override|property)\b)(?:{FULL_NAME}|[a-z]{{3,30}})(?![\w@/.])",
        "@",
    ),
    (
        "PERSON",
        0.76,
        r"(?m)^[ \t>]{0,12}\K[a-z]{3,20}(?=[ ](?:says|said|asks|asked|told|reports|reported|called|called|needs|cannot|can't|cant|has|wants)\b)",
        "says said asks asked told report called needs can has wants",
    ),
    # --- verbs that take people
    (
        "PERSON",
        0.76,
        rf"(?<![\p{{L}}-])(?i:ask(?:ed|s|ing)?|tell(?:s|ing)?|told|inform(?:ed)?|notify|notified|contact(?:ed)?|email(?:ed)?|call(?:ed)?|phoned|ping(?:ed)?|met|meet|helped|helping|invite(?:d)?|cc['\u2019]?d|remind(?:ed)?|thank(?:ed)?|blame|trained|replaced|replaces|hired|introduced|follow[ ]up[ ]with|check[ ]with|work(?:s|ed|ing)?[ ]with|reports[ ]to|belongs[ ]to|belonging[ ]to|used[ ]by|owned[ ]by|issued[ ]to|given[ ]to|lent[ ]to|handed[ ]to|signed[ ]by|sent[ ](?:by|to)|shared[ ](?:by|with)|access[ ]for|for[ ]user|cover(?:s|ing)?[ ]for|give)[ ]{NO_NAME}(?!{_DAY}\b)\K{TWO_NAMES}",
        "ask tell told inform notif contact mail call phone ping met meet help invite cc remind thank blame train replace hired introduc follow check work report belong used owned issued given lent handed signed sent shared access user cover give",
    ),
    (
        "PERSON",
        0.74,
        rf"(?<![\p{{L}}-])(?i:ask(?:ed)?|tell|told|inform(?:ed)?|notified|emailed|phoned|pinged|remind(?:ed)?|thanked|spoke[ ](?:to|with)|spoken[ ](?:to|with)|talked[ ](?:to|with)|talk[ ]to|speak[ ](?:to|with)|check[ ]with|reports[ ]to|belongs[ ]to|owned[ ]by|issued[ ]to|lent[ ]to|handed[ ]to|chat[ ]with|per|met)[ ]{NO_NAME}(?!{_DAY}\b)\K{FULL_NAME}(?=[ ]?(?:[,.;!?\n]|\Z|(?:that|if|to|about|and|at|in|from|on|whether|who|has|had|is|was|says|said|yesterday|today)\b))",
        "ask tell told inform notified emailed phoned pinged remind thanked spoke talk check report belong owned issued lent handed chat per met",
    ),
    (
        "PERSON",
        0.76,
        rf"{NO_NAME}(?!{_DAY}\b){FULL_NAME}(?=['\u2019]s[ ](?:(?:new|old|own|work|company|personal|home)[ ])?(?i:monitor|laptop|computer|pc|mailbox|account|email|e-mail|phone|mobile|keyboard|mouse|screen|desk|manager|access|password|calendar|machine|macbook|iphone|ipad|headset|dock|onedrive|profile|login|team|boss|workstation|desktop|address|badge|birthday|replacement|request|ticket|inbox|signature|daughter|son|wife|husband|mother|father|brother|sister)\b)",
        "'s \u2019s",
    ),
    (
        "PERSON",
        0.76,
        rf"(?=[\p{{Lu}}\p{{Lo}}]){NO_NAME}(?!{_DAY}\b){TWO_NAMES}(?=[ ](?i:cannot|can['\u2019]t|could[ ]not|couldn['\u2019]t|has[ ]been|has[ ]left|left[ ]the[ ]company|is[ ](?:locked|affected|waiting|away|out[ ]of|working|not[ ]able|back|on[ ](?:holiday|vacation|sick)|new[ ]in|the[ ]owner)|is[ ]unable|was[ ]unable|asked|told|called|reported|reports|says|said|joined|joins|works|complained|complains|wants|wanted|needs[ ]|gets[ ]|tried|forgot|lost|received|sits|wrote|mentioned|confirmed|approved|resigned|is[ ]on[ ]leave|is[ ]my|is[ ]our|and[ ]I|has[ ]no|does[ ]not|doesn['\u2019]t)\b)",
    ),
    (
        "PERSON",
        0.74,
        rf"(?=[\p{{Lu}}\p{{Lo}}]){NO_NAME}(?!{_DAY}\b){TWO_NAMES}(?=,?[ ](?:born[ ]|\(?(?i:dob|born|ext|employee|personnel|id|age|badge|tel|phone|mobile|user)\b))",
        "born dob ext employee personnel id age badge tel phone mobile user",
    ),
    (
        "PERSON",
        0.76,
        rf"(?i:\b(?:it[ ](?:was|is)|that[ ](?:was|is))[ ]){NO_NAME}(?!{_DAY}\b)\K{FULL_NAME}(?=[ ]who\b)",
        "who",
    ),
    (
        "PERSON",
        0.76,
        rf"(?i:\bname[ ](?:was[ ]changed[ ])?from[ ])\K{FULL_NAME}(?=[ ]to\b)",
        "name",
    ),
    (
        "PERSON",
        0.76,
        rf"(?i:\bname[ ](?:was[ ]changed[ ])?from[ ][^\n]{{2,40}}?[ ]to[ ])\K{FULL_NAME}",
        "name",
    ),
    (
        "PERSON",
        0.74,
        rf"(?<![\w@.])@\p{{Lu}}[\p{{L}}-]{{1,30}}(?:[ ]\p{{Lu}}[\p{{L}}-]{{1,30}})?(?:,|[ ](?:and|or|&))[ ]@?\K{FULL_NAME}",
        "@",
    ),
    # what belongs to people, or is for them
    (
        "PERSON",
        0.76,
        rf"(?<![\p{{L}}-])(?i:laptop|pc|computer|machine|account|accounts|mailbox|desk|phone|parcel|package|ticket|request|replacement|monitor|device|access|licen[cs]es?|profile|password|calendar|e-?mails?|message|call|order|equipment|screen|keyboard|headset|badge|mfa|chair|room|desktop|notebook|tablet|macbook|iphone|onedrive|folder|files?|drive|signature|inbox|login|user|session|permissions?|rights|contract|invoice|payslip|approval|manager|assistant|sent|written|signed|left|bought|needed)[ ](?:of|for|from|by|belonging[ ]to|used[ ]by)[ ](?:(?i:mr|mrs|ms|dr|herr|frau|user|our|my)\.?[ ](?:colleague[ ])?)?{NO_NAME}(?!{_DAY}\b)\K{TWO_NAMES}",
        "of for from by used belonging",
    ),
    # a name in a row of a table or a form, before what belongs to people
    (
        "PERSON",
        0.8,
        rf"(?m)(?:^|[\t|;,>][ ]?){NO_NAME}(?!{_DAY}\b)\K{FULL_NAME}(?=[ ]?[\t|;,/][ ]?[\w.+%'-]{{1,64}}@[\w.-]{{3,128}})",
        "@",
    ),
    (
        "PERSON",
        0.8,
        rf"(?m)(?:^|[\t|;/][ ]?){NO_NAME}(?!{_DAY}\b)\K{TWO_NAMES}(?=[ ]?[\t|;/][ ]?(?:\+?[\d(][\d ()/.-]{{6,}}|[A-Z0-9]{{2,10}}-[A-Z0-9-]{{2,20}}))",
    ),
    (
        "PERSON",
        0.82,
        rf"<(?i:name|first_?name|last_?name|full_?name|display_?name|person|contact|owner|user|given_?name|surname)>[ ]?\K{FULL_NAME}(?=[ ]?</)",
        "</",
    ),
    (
        "PERSON",
        0.82,
        rf"(?i:[\"'](?:name|full_?name|display_?name|first_?name|last_?name|given_?name|surname|contact|caller|requester|owner|manager|employee|person|author|assignee|reporter)[\"'][ ]?:[ ]?[\"']){NO_NAME}\K{FULL_NAME}(?=[\"'])",
        "name contact caller request owner manager employee person author assign report",
    ),
    (
        "PERSON",
        0.8,
        rf"(?m)^{NO_NAME}\K{NAME}(?:[ ]{NAME})?,[ ]{NAME}(?=[ ]?(?:[-\u2013:(|;\t\n]|\Z))",
        ",",
    ),
)

_TITLES: Final = patterns(
    # an academic title of several parts is masked with the name
    (
        "PERSON",
        0.85,
        rf"\b(?:Dr|Prof)\.[ ]?(?:Dr\.[ ]?)?\K(?:(?:med|phil|rer|nat|jur|iur|ing|dent|vet|pol|oec|theol|habil|h|c)\.[ ]?){{1,4}}(?={NO_NAME}{FULL_NAME})",
        "dr. prof.",
    ),
)

# A name ends before the first plain word; of two names a plain one leaves none.
PEOPLE: Final[tuple[IdentifierPattern, ...]] = (
    *_TITLES,
    *(
        replace(
            pattern,
            trim=names_length
            if TWO_NAMES in pattern.expression and FULL_NAME not in pattern.expression
            else name_length,
        )
        for pattern in _IN_CONTEXT
    ),
)
