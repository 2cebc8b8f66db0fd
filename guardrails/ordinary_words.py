# SPDX-License-Identifier: Apache-2.0
"""Words that are ordinary language, computing or products, and also somebody's name.

A list cannot hold all; it errs towards words that helpdesk text is full of. A name that stands here
is masked where its capital letter and its neighbours say that a person is meant, not elsewhere.
"""

from typing import Final

_LANGUAGE: Final = """
a able about above after again ago all also always am american an and another any anyone april are
art as ask at august autumn away back bad ball banks barber bark barn baron bass bay be beach bean
bear beck been bell bench best better big bill bird bishop bit black blank block bloom blue board
boat bond book booth born both bow bowl box boy branch brand bread bridge bright broad brook brown
buck bug burn burns bus bush busy but buy by call can cannon cant car card care carry cart carter
cash castle cat cave chain chance change charity chase cherry chip church city clay clear cliff
close cloud coast cold cole come company constant cook cool copper corn cotton could court crane
cross crow crown curry cut dale dame date dawn day days deal dean dear december deep deer desire did
do doctor does dog don done dont down draper drew drive drop duke during each earl early earth east
easter easy else end ends english enough even ever every faith fall false far farmer fast favor
february few field fields finch find fine fire first fish fisher fit flood floor flower flowers food
for ford forest forth foster found fox frank free french fresh friday friend from front frost full
game garden gardener gate gates gave gay general genius gentle german get gift give given glad glass
go goes gold golden gone good goodness got grace grant grass gray great green grey ground grove
guard had half hall hand hands hang hard hardy hare harm has have haven hawk hay he head heard heart
heath hello help her here hero herring hey hi high hill hills him his holder hole holiday holly home
honey honor hood hook hope horn horse host hot hour house how hunt hunter i ice if ill in ink into
iris iron is island it italian ivory ivy jack jade january jasmine jewel job joy judge july june
junior just keen keep key keys kid kids killer kind king kings kit kitchen knight knows lace lady
lake lamb land lane large lark last late later law lawn lead leaf league lean learn least led left
less lest let levy life light lily line link lion little live load lock long look lord lot loud love
low lower luck lucky made maiden mail main major make man many march mark marks marsh marshal
marshall mason master match mathematics may me means meek melody mercy merry might mile miles mill
miller mills min mine miner minor mint miss mode monday moon moor moral more morning moss most mount
move mr mrs much music must my name names nature near neat need never new next nice nicely night no
noble none nor normal north not note november now number nurse oak october odd of off office often
oh oil old olive on once one only onto open or orange order other our out over own pace page pages
paige pain paint pair palm paper parent parish park parks part parts past patience peace peach pearl
pen penny people pepper per perfect pick piece pike pine pink place plain plan plant play please
point poll pollen pond pool poor pop pope poppy port post potter power powers pray price pride
priest prince print prior prize proud purple put queen quick quiet race rain ran rank rare ray read
ready real reason red reed reeves regal rest rich ridge right rise river road rob robin rock rod
roman romance room root roots rope rose round row royal ruby rule run running rush sad safe sage
said saint salt same sand saturday saw say sea see seed sell send senior september set seven sharp
she shell shepherd shine ship shore short show shy sick side silver simple since sing singer single
six skill sky slack sleep slow small smart smith smooth snow so soft sold sole some son song soon
soul south space spanish sparrow spear spring square stable stack star stark start state stay steel
step stern still stone stop storm story stout street strong such summer summers sun sunday sung
sunny super sure swan sweet swift system table tank tap taylor team teams temple ten tender term
terry test than that the their them then there these they thick thin thing things think this thorn
those three through thursday tide tiger till tim time tin to today together told too took tool top
town trace trade travel tree trip true trust try tuesday turn turner twin two under union unity up
upon us use used user vale valentine valid valley very victor view vine violet virtue visitor wade
wait walk walker wall walls war ward ware warm warn was wash watch water waters watts wave way we
weak wear weather weaver web wednesday week weeks well wells were west wheat wheel wheeler when
where which while white who whole why wide wild will willing willow win wind windows wing winner
winter wise wish with without wolf won wonder wont wood woods word words work world worth would
write wrong year yes yet you young your zero
"""
_COMPUTING: Final = """
access account ace active ada adapter add admin agent alarm alert alpha amber android apache api app
apple archive atom audio audit avast azure backup base bash basic batch beta bin blade bolt boot
browser buffer build bundle byte cable cache carbon case cases cell channel chart chat check chef
chip chrome cisco citrix class clean client clock clone cluster code command condor config connect
console cookie copy core count crash crystal current cursor cyan data date debug default delete dell
delta demo deploy desk desktop dev device dial dir direct disk display dock docker document domain
door draft drive driver drop dump echo eclipse edge edit editor emerald engine epson error event
excel exchange exit export express falcon fan feature feed fiber file filter finder firefox firewall
fix flag flash flow focus folder font form forward frame fresh gamma gateway git global google grid
group guest guide hash hat header hex history host hub icon id idle image import inbox index info
input install intel issue item java jenkins jet jira job journal json kernel keyboard keychain
killer lab label lan laptop laser launch layer layout lead lease lenovo lens level library limit
linux list local log login logon loop luks mac mail manager manual map max media memory menu merge
message meta meter micro min mini mirror mobile modem monitor mouse nano native net network node
notes null object office online onyx opera option oracle outlook output pack package pages pam panel
parent park parser paste patch path pause phone photon pilot ping pipe pixel platform player plug
pointer policy portal ports preview print printer privacy process profile project prompt proof proxy
pulse python query queue ram range reader record refresh release remote reply repo report reset
restore retry rewind ring rip roam robot router ruby rust safari sas scan scanner scope scout screen
script scroll search sector secure security serial server service session setup share shell shield
shift signal silver siri site skip skype slack slate slice slide slot smart snap socket software
sonar sonic sound source spark speaker splash split spool spooler spot spotlight sql stack stage
standard startup state static station status stick stream studio style subject submit sudo support
surface suspend swap switch symbol sync sys syslog system tab table tablet tag tango target task
team teams template terminal test text theme thread ticket tile timer token toner topaz touch tower
trace track tray trend trigger twain ubuntu unit unix update upgrade upload usb user users value
vault vector version video view virtual virus vista visual voice volume vpn wave webex widget wifi
window windows wizard word worker works workspace xerox zone zoom
"""
ORDINARY_WORDS: Final = frozenset(f"{_LANGUAGE} {_COMPUTING}".split())
