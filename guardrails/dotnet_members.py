# SPDX-License-Identifier: Apache-2.0
"""What types, methods and COM classes do: the closed world of .NET and COM in PowerShell.

A type that stands in no row is unknown, and so a doubt, be it called, constructed or cast to: a
cast runs a constructor. Static methods are looked up with their type; methods of objects by name
alone, for the objects' types are not known, so a name counts as the worst of what it does on any
type that the script can have (`only_with`: words that must stand in the script for it).
Rows are `kind severity | names`; kind `-` does nothing, kind `?` runs code and is a doubt.
"""
# ruff: noqa: E501, SIM905 - tables

import re
from collections.abc import Callable
from typing import Final

from guardrails.effects import EffectKind, EffectSeverity
from guardrails.powershell_cmdlets import HARMLESS, CommandEntry

# Types whose construction, cast and static members do nothing beyond computing or looking.
_TYPES: Final = """
- | string char bool boolean byte sbyte int int16 int32 int64 uint16 uint32 uint64 uint ulong ushort short long float single double decimal bigint numerics.biginteger intptr uintptr object void array psobject pscustomobject management.automation.psobject management.automation.pscustomobject hashtable ordered collections.specialized.ordereddictionary switch switchparameter management.automation.switchparameter datetime datetimeoffset timespan timezoneinfo guid version semver management.automation.semanticversion math random enum nullable ref
- | exception systemexception platformnotsupportedexception argumentexception argumentnullexception argumentoutofrangeexception invalidoperationexception notsupportedexception notimplementedexception unauthorizedaccessexception applicationexception formatexception timeoutexception io.ioexception io.filenotfoundexception io.directorynotfoundexception io.drivenotfoundexception net.webexception net.http.httprequestexception net.sockets.socketexception net.networkinformation.pingexception management.managementexception runtime.interopservices.comexception componentmodel.win32exception data.sqlclient.sqlexception security.securityexception management.automation.itemnotfoundexception management.automation.commandnotfoundexception management.automation.runtimeexception management.automation.methodinvocationexception management.automation.parameterbindingexception management.automation.drivenotfoundexception management.automation.pipelinestoppedexception management.automation.remoting.psremotingtransportexception management.automation.errorrecord management.automation.errorcategory management.automation.psargumentexception microsoft.powershell.commands.servicecommandexception microsoft.powershell.commands.processcommandexception serviceprocess.timeoutexception microsoft.powershell.commands.httpresponseexception microsoft.management.infrastructure.cimexception microsoft.activedirectory.management.adidentitynotfoundexception microsoft.activedirectory.management.adexception microsoft.powershell.commands.membernotfoundexception microsoft.powershell.commands.usernotfoundexception microsoft.powershell.commands.groupnotfoundexception microsoft.powershell.commands.memberexistsexception
- | regex text.regularexpressions.regex text.regularexpressions.regexoptions text.regularexpressions.match text.regularexpressions.matchevaluator text.encoding text.asciiencoding text.utf8encoding text.unicodeencoding text.stringbuilder stringsplitoptions stringcomparison stringcomparer midpointrounding datetimekind dayofweek convert bitconverter buffer globalization.cultureinfo globalization.numberstyles globalization.datetimestyles globalization.calendarweekrule globalization.textinfo cultureinfo consolecolor consolekey base64formattingoptions web.httputility web.security.membership urikind net.webutility uri uribuilder uricomponents mailaddress net.mail.mailaddress
- | collections.arraylist collections.hashtable collections.queue collections.stack collections.sortedlist collections.bitarray collections.ienumerable collections.idictionary collections.ilist collections.icollection collections.dictionaryentry collections.specialized.namevaluecollection collections.specialized.stringcollection collections.generic.list collections.generic.dictionary collections.generic.hashset collections.generic.queue collections.generic.stack collections.generic.sortedlist collections.generic.sorteddictionary collections.generic.sortedset collections.generic.linkedlist collections.generic.keyvaluepair collections.generic.ienumerable collections.generic.ilist collections.generic.idictionary collections.objectmodel.collection collections.objectmodel.observablecollection collections.objectmodel.readonlycollection collections.concurrent.concurrentdictionary collections.concurrent.concurrentbag collections.concurrent.concurrentqueue tuple valuetuple
- | ipaddress net.ipaddress net.ipendpoint net.dns net.iphostentry net.securityprotocoltype net.servicepointmanager net.servicepoint net.httpstatuscode net.networkinformation.networkinterface net.networkinformation.networkinterfacetype net.networkinformation.operationalstatus net.networkinformation.ping net.networkinformation.pingoptions net.networkinformation.pingreply net.networkinformation.ipstatus net.networkinformation.ipglobalproperties net.networkinformation.physicaladdress physicaladdress net.sockets.addressfamily net.sockets.sockettype net.sockets.protocoltype net.security.sslpolicyerrors net.authenticationschemes net.cookie net.cookiecontainer net.webheadercollection net.cache.requestcachelevel net.cache.requestcachepolicy net.cache.httprequestcachepolicy net.cache.httprequestcachelevel net.decompressionmethods
- | security.principal.windowsidentity security.principal.windowsprincipal security.principal.windowsbuiltinrole security.principal.ntaccount security.principal.securityidentifier security.principal.wellknownsidtype security.principal.identityreference security.principal.tokenaccesslevels security.accesscontrol.filesystemaccessrule security.accesscontrol.filesystemrights security.accesscontrol.accesscontroltype security.accesscontrol.inheritanceflags security.accesscontrol.propagationflags security.accesscontrol.filesecurity security.accesscontrol.directorysecurity security.accesscontrol.registryaccessrule security.accesscontrol.registryrights security.accesscontrol.registrysecurity security.accesscontrol.accesscontrolsections security.accesscontrol.commonsecuritydescriptor security.accesscontrol.rawsecuritydescriptor security.accesscontrol.filesystemauditrule security.accesscontrol.auditflags security.securestring securestring
- | security.cryptography.sha1 security.cryptography.sha256 security.cryptography.sha384 security.cryptography.sha512 security.cryptography.md5 security.cryptography.sha1managed security.cryptography.sha256managed security.cryptography.sha512managed security.cryptography.md5cryptoserviceprovider security.cryptography.sha1cryptoserviceprovider security.cryptography.sha256cryptoserviceprovider security.cryptography.hashalgorithm security.cryptography.hmac security.cryptography.hmacsha1 security.cryptography.hmacsha256 security.cryptography.hmacsha512 security.cryptography.hmacmd5 security.cryptography.rngcryptoserviceprovider security.cryptography.randomnumbergenerator security.cryptography.dataprotectionscope security.cryptography.ciphermode security.cryptography.paddingmode security.cryptography.x509certificates.x509certificate security.cryptography.x509certificates.x509certificate2 security.cryptography.x509certificates.x509certificate2collection x509certificate x509certificate2 security.cryptography.x509certificates.x509chain security.cryptography.x509certificates.storename security.cryptography.x509certificates.storelocation security.cryptography.x509certificates.openflags security.cryptography.x509certificates.x509keystorageflags security.cryptography.x509certificates.x509contenttype security.cryptography.x509certificates.x509findtype security.cryptography.oid
- | xml xmldocument xml.xmldocument xml.xmlelement xml.xmlnode xml.xmlnodelist xml.xmlnamespacemanager xml.xmltextreader xml.xmlreader xml.formatting xml.xmlconvert xml.linq.xdocument xml.linq.xelement xml.xpath.xpathdocument data.datatable data.dataset data.datarow data.datacolumn data.dataview data.commandtype data.sqldbtype data.common.dbconnectionstringbuilder data.sqlclient.sqlconnectionstringbuilder web.script.serialization.javascriptserializer io.stringreader io.stringwriter io.memorystream io.path io.driveinfo io.drivetype io.searchoption io.filemode io.fileaccess io.fileshare io.fileattributes io.seekorigin io.compression.compressionmode io.compression.compressionlevel io.notifyfilters io.erroreventargs io.enumerationoptions
- | diagnostics.stopwatch diagnostics.processwindowstyle diagnostics.processpriorityclass diagnostics.fileversioninfo diagnostics.eventlogentrytype diagnostics.performancecounter diagnostics.eventing.reader.eventlogquery diagnostics.eventing.reader.eventlogreader diagnostics.eventing.reader.eventlogconfiguration diagnostics.eventing.reader.pathtype diagnostics.eventlogentry threading.thread threading.mutex threading.apartmentstate threading.threadpriority timers.timer threading.cancellationtokensource threading.semaphore threading.manualresetevent threading.autoresetevent threading.eventwaithandle runtime.interopservices.runtimeinformation runtime.interopservices.osplatform runtime.interopservices.architecture runtime.gcsettings gc environment environmentvariabletarget environment+specialfolder environment.specialfolder operatingsystem platformid console consolespecialkey
- | management.managementobjectsearcher management.managementscope management.connectionoptions management.objectquery management.wqlobjectquery management.selectquery management.enumerationoptions management.managementdatetimeconverter management.managementpath management.authenticationlevel management.impersonationlevel management.invokemethodoptions management.managementbaseobject ciminstance microsoft.management.infrastructure.ciminstance cimsession microsoft.management.infrastructure.cimsession microsoft.management.infrastructure.options.dcomsessionoptions microsoft.management.infrastructure.cimtype cimclass wmisearcher serviceprocess.servicecontroller serviceprocess.servicecontrollerstatus serviceprocess.servicestartmode serviceprocess.servicetype serviceprocess.servicestarttype microsoft.powershell.commands.servicestartuptype
- | microsoft.win32.registryhive microsoft.win32.registryview microsoft.win32.registryvaluekind microsoft.win32.registrykey microsoft.win32.registryoptions microsoft.win32.registrykeypermissioncheck windows.forms.messagebox windows.forms.messageboxbuttons windows.forms.messageboxicon windows.forms.messageboxdefaultbutton windows.forms.messageboxoptions windows.forms.dialogresult windows.forms.form windows.forms.control windows.forms.formwindowstate windows.forms.painteventhandler windows.forms.keyeventhandler windows.forms.mousebuttons windows.forms.keys eventhandler eventargs windows.forms.label windows.forms.button windows.forms.textbox windows.forms.richtextbox windows.forms.checkbox windows.forms.radiobutton windows.forms.combobox windows.forms.listbox windows.forms.listview windows.forms.listviewitem windows.forms.groupbox windows.forms.panel windows.forms.picturebox windows.forms.progressbar windows.forms.datagridview windows.forms.treeview windows.forms.treenode windows.forms.tabcontrol windows.forms.tabpage windows.forms.menustrip windows.forms.toolstripmenuitem windows.forms.notifyicon windows.forms.tooltipicon windows.forms.tooltip windows.forms.timer windows.forms.application windows.forms.openfiledialog windows.forms.savefiledialog windows.forms.folderbrowserdialog windows.forms.screen windows.forms.formstartposition windows.forms.formborderstyle windows.forms.anchorstyles windows.forms.dockstyle windows.forms.padding windows.forms.scrollbars windows.forms.datetimepicker windows.forms.numericupdown windows.forms.flowlayoutpanel windows.forms.tablelayoutpanel windows.forms.columnheader windows.forms.imagelayout windows.forms.autosizemode windows.forms.systeminformation windows.forms.powerstatus windows.messagebox windows.messageboxbutton windows.messageboximage windows.messageboxresult windows.visibility windows.window windows.media.brushes windows.media.color windows.controls.button drawing.size drawing.point drawing.font drawing.fontstyle drawing.fontfamily drawing.color drawing.icon drawing.image drawing.systemicons drawing.rectangle drawing.systemcolors drawing.contentalignment drawing.graphicsunit media.systemsounds
- | management.automation.host.choicedescription management.automation.host.size management.automation.host.coordinates management.automation.host.rectangle management.automation.host.fielddescription management.automation.pstypename management.automation.psnoteproperty management.automation.confirmimpact management.automation.actionpreference management.automation.psmembertypes management.automation.wildcardpattern management.automation.wildcardoptions management.automation.pscredential pscredential psmoduleinfo management.automation.informationrecord microsoft.powershell.commands.writeerrorexception windows.ui.notifications.toastnotificationmanager windows.ui.notifications.toastnotification windows.ui.notifications.toasttemplatetype windows.ui.notifications.notificationdata windows.data.xml.dom.xmldocument
- | parameter cmdletbinding validateset validaterange validatepattern validatelength validatecount validatenotnull validatenotnullorempty validatescript alias allownull allowemptystring allowemptycollection outputtype supportswildcards argumentcompleter dynamicparameter management.automation.hidden validateuserdrive validatetrusteddata validatedrive experimental flags flagsattribute diagnostics.codeanalysis.suppressmessageattribute diagnostics.codeanalysis.suppressmessage suppressmessageattribute psdefaultvalueattribute argumentcompletions parameterattribute dscresource dscproperty management.automation.parameter management.automation.validatenotnullorempty
reads_credentials low | net.networkcredential
reads_credentials medium | security.cryptography.protecteddata runtime.interopservices.marshal
encrypts_files low | security.cryptography.aes security.cryptography.aesmanaged security.cryptography.aescryptoserviceprovider security.cryptography.rijndaelmanaged security.cryptography.tripledes security.cryptography.rsa security.cryptography.rsacryptoserviceprovider security.cryptography.rfc2898derivebytes security.cryptography.cryptostream security.cryptography.cryptostreammode
writes_system_files low | io.streamwriter io.filestream io.binarywriter io.file io.directory io.fileinfo io.directoryinfo io.compression.zipfile io.compression.ziparchive io.compression.ziparchivemode io.compression.gzipstream io.compression.deflatestream io.textwriter xml.xmlwriter xml.xmltextwriter xml.xmlwritersettings io.streamreader io.binaryreader io.filesystemwatcher
downloads medium | net.webclient net.webrequest net.httpwebrequest net.ftpwebrequest net.filewebrequest net.http.httpclient net.http.httpclienthandler net.http.httprequestmessage net.http.httpmethod net.http.stringcontent net.http.multipartformdatacontent net.http.headers.mediatypeheadervalue net.webproxy net.credentialcache net.webrequestmethods+ftp microsoft.powershell.commands.webrequestsession
opens_network medium | net.sockets.tcpclient net.sockets.udpclient net.sockets.socket net.sockets.networkstream net.security.sslstream net.httplistener net.sockets.tcplistener data.sqlclient.sqlconnection data.sqlclient.sqlcommand data.sqlclient.sqldataadapter data.odbc.odbcconnection data.odbc.odbccommand data.oledb.oledbconnection data.oledb.oledbcommand io.pipes.namedpipeserverstream io.pipes.namedpipeclientstream
sends_data medium | net.mail.smtpclient net.mail.mailmessage net.mail.attachment net.mail.mailpriority
changes_registry low | microsoft.win32.registry
changes_preferences low | security.cryptography.x509certificates.x509store diagnostics.eventlog
explores low | adsi adsisearcher directoryservices.directoryentry directoryservices.directorysearcher directoryservices.searchscope directoryservices.propertycollection directoryservices.activedirectory.domain directoryservices.activedirectory.forest directoryservices.activedirectory.domaincontroller directoryservices.activedirectory.activedirectorysite directoryservices.accountmanagement.principalcontext directoryservices.accountmanagement.contexttype directoryservices.accountmanagement.userprincipal directoryservices.accountmanagement.groupprincipal directoryservices.accountmanagement.identitytype directoryservices.protocols.ldapconnection directoryservices.sortoption
captures_data medium | windows.forms.clipboard windows.clipboard drawing.bitmap drawing.graphics drawing.imaging.imageformat speech.synthesis.speechsynthesizer windows.forms.sendkeys
? | diagnostics.process diagnostics.processstartinfo
"""
# Static methods that do more, or less, than their type's row: `type::method`.
_STATIC: Final = """
- | io.file::exists io.file::readalltext io.file::readalllines io.file::readallbytes io.file::readlines io.file::openread io.file::opentext io.file::getlastwritetime io.file::getcreationtime io.file::getattributes io.file::getlastaccesstime io.file::getaccesscontrol io.file::getlastwritetimeutc io.directory::exists io.directory::getfiles io.directory::getdirectories io.directory::enumeratefiles io.directory::enumeratedirectories io.directory::getcurrentdirectory io.directory::getparent io.directory::getcreationtime io.directory::getlastwritetime io.directory::getaccesscontrol io.directory::getlogicaldrives io.directory::setcurrentdirectory io.directory::enumeratefilesystementries io.directory::getfilesystementries io.fileinfo::new io.directoryinfo::new io.streamreader::new io.binaryreader::new io.compression.zipfile::openread io.filesystemwatcher::new io.compression.gzipstream::new io.compression.deflatestream::new
- | diagnostics.process::getcurrentprocess diagnostics.process::getprocesses diagnostics.process::getprocessesbyname diagnostics.process::getprocessbyid diagnostics.eventlog::sourceexists diagnostics.eventlog::exists diagnostics.eventlog::geteventlogs diagnostics.eventlog::writeentry diagnostics.eventlog::new diagnostics.processstartinfo::new diagnostics.process::new diagnostics.eventlog::logfromsourcename microsoft.win32.registry::getvalue microsoft.win32.registrykey::openbasekey microsoft.win32.registrykey::openremotebasekey net.credentialcache::defaultcredentials security.cryptography.x509certificates.x509store::new
reads_credentials medium | runtime.interopservices.marshal::ptrtostringauto runtime.interopservices.marshal::ptrtostringbstr runtime.interopservices.marshal::ptrtostringuni runtime.interopservices.marshal::securestringtobstr runtime.interopservices.marshal::securestringtoglobalallocunicode runtime.interopservices.marshal::securestringtocotaskmemunicode
- | runtime.interopservices.marshal::zerofreebstr runtime.interopservices.marshal::releasecomobject runtime.interopservices.marshal::zerofreeglobalallocunicode runtime.interopservices.marshal::finalreleasecomobject runtime.interopservices.marshal::zerofreecotaskmemunicode runtime.interopservices.marshal::freehglobal
? | runtime.interopservices.marshal::* convert::frombase64string
- | windows.forms.application::run windows.forms.application::enablevisualstyles windows.forms.application::doevents windows.forms.application::exit
deletes_files medium | io.file::delete io.directory::delete io.directory::move io.file::move
changes_permissions medium | io.file::setaccesscontrol io.directory::setaccesscontrol io.file::setattributes
erases_traces high | io.file::setlastwritetime io.file::setcreationtime io.file::setlastaccesstime io.file::setlastwritetimeutc io.file::setcreationtimeutc io.directory::setlastwritetime io.directory::setcreationtime
erases_traces critical | diagnostics.eventlog::delete diagnostics.eventlog::deleteeventsource
encrypts_files medium | io.file::encrypt
changes_preferences low | diagnostics.eventlog::createeventsource
changes_registry medium | microsoft.win32.registry::setvalue environment::setenvironmentvariable
? | threading.thread::new threading.thread::getdomain threading.thread::start regex::compiletoassembly text.regularexpressions.regex::compiletoassembly
sends_data low | net.networkinformation.ping::send
"""
# Methods of objects by name.
_METHODS: Final = """
- | tostring equals compareto gethashcode trim trimstart trimend split substring replace tolower toupper tolowerinvariant toupperinvariant contains containskey containsvalue startswith endswith indexof indexofany lastindexof padleft padright remove removeat removerange insert insertrange tochararray normalize isnormalized chars join concat append appendline appendformat add addrange push pop peek enqueue dequeue clear serialize deserialize deserializeobject toarray tolist clone count getenumerator movenext keys values item getvalue get_item set_item getlength getupperbound getlowerbound reverse sort find findall findindex exists any all first last select trygetvalue tryadd binarysearch
- | adddays addhours addminutes addseconds addmilliseconds addmonths addyears addticks subtract touniversaltime tolocaltime toshortdatestring tolongdatestring toshorttimestring tofiletime tofiletimeutc tostring todatetime converttodatetime tounixtimeseconds tounixtimemilliseconds totaldays date negate duration toint32 toint64 todouble toboolean getbytes getstring getchars getbytecount getencoding getpreamble getdecoder getaddressbytes getphysicaladdress getipproperties getipv4properties getipstatistics getallnetworkinterfaces getactivetcplisteners getactivetcpconnections
- | getvaluenames getsubkeynames opensubkey getvaluekind close dispose flush read readline readtoend readblock readbyte readkey seek finddirectory match matches groups ismatch result getgroupnames getgroupnumbers isinrole translate isassignablefrom isinstanceoftype getaccesscontrol getaccessrules getowner getgroup getsecuritydescriptorsddlform getsecuritydescriptorbinaryform setaccessrule addaccessrule removeaccessrule removeaccessruleall purgeaccessrules setaccessruleprotection setowner setgroup setauditrule addauditrule setsecuritydescriptorsddlform getaccessruleall
- | selectnodes selectsinglenode loadxml createelement createattribute createtextnode createnode createcomment createcdatasection createxmldeclaration createxmlnode appendchild prependchild removechild removeall insertbefore insertafter replacechild importnode setattribute getattribute hasattribute removeattribute getelementsbytagname getelementbyid clonenode addnamespace lookupnamespace getattributenode haschildnodes getnavigator evaluate load
- | computehash hash initialize getrawcertdata getcerthashstring getserialnumberstring getexpirationdatestring geteffectivedatestring getnameinfo verify build getkeyalgorithm getissuername getname getpublickeystring nextbytes next nextdouble getint32
- | waitforexit waitforstatus refresh waitforpendingoperations closemainwindow hasexited getprocesses getfiles getdirectories enumeratefiles getfilesysteminfos getowner getownersid findall findone gettypes getrelated getrelationships getqualifier getpropertyvalue get_children dsgetdc getalltrustrelationships getdirectoryentry getunderlyingobjecttype
- | setshouldexit shouldprocess shouldcontinue promptforchoice writeerror writeverbose writewarning writedebug writeobject throwterminatingerror getresolvedproviderpathfrompspath getunresolvedproviderpathfrompspath isproviderqualified getlocation currentlocation notifybeginapplication writeline writehost getnewclosure getdynamicparameters gethelp getvariablevalue reset elapsed getbuffercontents setcursorposition flushinputbuffer
- | namespace items parsename getdetailsof verbs self title createupdatesearcher search totitlecase waitone getdatetimeformats toxml getxml createcommand endconnect createupdatesession gettotalhistorycount queryhistory expandenvironmentstrings specialfolders popup getspecialfolder fileexists folderexists driveexists getdrive getfileversion getextensionname getbasename getabsolutepathname getparentfoldername enumnetworkdrives enumprinterconnections isconnected getnetworkconnections getconnections getnetworks getadapter getcategory comparables regread gettask gettasks getfolders getrunningtasks getinstances_ instancesof execquery associators_ getinfo getinfoex getex members groups get ismember adspath nativeguid fetch summaryinformation stringdata property integerdata
- | show showdialog showballoontip hide focus bringtofront suspendlayout resumelayout performlayout performstep setbounds setstyle begininit endinit beginupdate endupdate settooltip findname selectall scrolltocaret invalidate createtoastnotifier setstringformat measurestring autosizecolumns fill newrow acceptchanges getxmlschema rejectchanges importrow select columns rows
- | hasflag isdefined getnames getvalues parse tryparse isnullorempty touint32 todecimal gettypecode compare getcategories getinstancenames getcategoryname nextvalue nextsample rawvalue exit getfullpath gettempfilename getdefaultproxy getproxy isbypassed getsystemwebproxy getresponseheader getallresponseheaders getresponsestream
- | getresult getawaiter geturi abort cancel release releasecomobject clearselected setselected getitemchecked setitemchecked getitemtext sortby orderby convertall trueforall enumerate cast asenumerable ofType distinct except intersect union unionwith exceptwith intersectwith symmetricexceptwith isSubsetOf isSupersetOf overlaps setequals min max sum average skip take single tohashset todictionary
writes_system_files low | write writeallline writebyte save open opentext openwrite createtext appendtext copyto copyhere copy createsubdirectory createdirectory extracttofile extracttodirectory createentry createentryfromfile createshortcut savetofile saveas saveas2 exportasfixedformat writeattributestring writestartelement writeendelement writeelementstring writestartdocument writeenddocument writexml readxml setlength createtextfile opentextfile copyfile copyfolder createfolder createfile
deletes_files medium | moveto movehere movefile movefolder delete deletefile deletefolder deletesubkey deletesubkeytree deletevalue delete_ deletetree
changes_registry medium | setvalue createsubkey regwrite regdelete setstringvalue setdwordvalue setbinaryvalue setexpandedstringvalue setmultistringvalue setqwordvalue createkey deletekey
changes_permissions medium | setaccesscontrol setsecuritydescriptor setsecurity takeownership takeownershipex setattributes
changes_services medium | stop pause continue changestartmode savechanges setuserauthenticationrequired setallowtsconnections startservice stopservice pauseservice resumeservice userControlService setstarttype servicestart servicestop
ends_processes medium | kill terminate
changes_accounts high | setpassword setinfo setinfoex commitchanges changepassword unlockaccount joindomainorworkgroup unjoindomainorworkgroup
changes_accounts medium | put psbase putex usepropertycache
changes_network medium | setdnsserversearchorder enablestatic enabledhcp setgateways renewdhcplease releasedhcplease setdynamicdnsregistration setdnsdomain settcpipnetbios setcategory disable enable connect disconnect addwindowsprinterconnection addprinterconnection mapnetworkdrive removenetworkdrive removeprinterconnection setdefaultprinter setproxy setproxycredential
opens_network medium | getstream accepttcpclient beginconnect connectasync openasync bind listen acceptsocket
downloads medium | downloadfile downloadstring downloaddata downloadfileasync downloadfiletaskasync downloadstringasync openreadtaskasync getresponse getasync getstringasync getbytearrayasync getstreamasync sendasync openread getfilestream beginDownload download
sends_data medium | send uploadfile uploadstring uploaddata uploadvalues uploadfileasync uploadstringtaskasync postasync putasync sendmailasync sendto getrequeststream setrequestheader sendkeys speak speakasync
changes_software medium | install uninstall upgrade removepackage createupdateinstaller createupdatedownloader accepteula
restarts_device high | win32shutdown reboot shutdown win32shutdowntracker setsuspendstate setpowerstate
encrypts_files medium | generatekey generateiv encrypt decrypt protectkeywithtpm protectkeywithnumericalpassword createencryptor createdecryptor transformfinalblock transformblock flushfinalblock
captures_data high | copyfromscreen
reads_credentials low | export
reads_credentials medium | getnetworkcredential unprotect protect exportparameters exportrsaprivatekey getkeyprotectornumericalpassword getcredential promptforcredential validatecredentials retrieveall retrievepassword
changes_preferences low | beep setbios setbiossetting setdefault optimizedrives defrag setstate setbrightness wmisetbrightness setscreensaver requestdefaultprinter printtestpage cancelalljobs scheduleautochk chkdsk addparameter executereader executenonquery executescalar executexmlreader beginTransaction commit rollback
persists high | registertaskdefinition registertask newtask setwaittimer
"""
# Names that do more where the script has an object of that kind: words | kind severity | names.
_METHODS_WITH: Final = """
adsi|directoryentry|winnt://|ldap://|accountmanagement | changes_accounts high | add remove create delete rename moveto  save psbase set
wmi|managementobject|ciminstance|schtasks | changes_services medium | rename change set
hnetcfg | disables_security medium | add remove
x509store|certstore | disables_security medium | add remove addrange
shell.application | writes_system_files low | namespace
"""
# COM classes: what an object of them is for.
_PROGIDS: Final = """
- | wscript.network msxml2.domdocument msxml2.domdocument.3.0 msxml2.domdocument.6.0 scripting.dictionary microsoft.update.session microsoft.update.systeminfo microsoft.update.autoupdate microsoft.update.servicemanager microsoft.update.updatecoll microsoft.update.searcher windowsinstaller.installer sapi.spvoice wbemscripting.swbemdatetime networklistmanager
writes_system_files low | wscript.shell shell.application scripting.filesystemobject adodb.stream adodb.recordset
opens_network low | adodb.connection adodb.command
downloads medium | msxml2.xmlhttp msxml2.serverxmlhttp winhttp.winhttprequest.5.1 microsoft.xmlhttp msxml2.serverxmlhttp.6.0 msxml2.xmlhttp.6.0 internetexplorer.application microsoft.update.installer microsoft.update.downloader
changes_network medium | hnetcfg.hnetshare hnetcfg.natupnp
disables_security medium | hnetcfg.fwpolicy2 hnetcfg.fwmgr hnetcfg.fwrule hnetcfg.fwopenport
persists medium | schedule.service
captures_data medium | outlook.application
"""
RUNS_CODE: Final = CommandEntry(EffectKind.RUNS_DYNAMIC_CODE, EffectSeverity.HIGH)
# Static methods that write files by the row of their type.
_STATIC_WRITERS: Final = frozenset(
    "writealltext writealllines writeallbytes appendalltext appendalllines create openwrite open copy replace new encrypt"
    " createfromdirectory".split()
)
_INNER_TYPES: Final = re.compile(r"[\w.+`]+")


def _read(text: str) -> dict[str, CommandEntry]:
    entries: dict[str, CommandEntry] = {}
    for row in text.strip().split("\n"):
        does, _, names = row.partition(" | ")
        kind, _, severity = does.partition(" ")
        if kind == "?":
            entry = RUNS_CODE
        elif kind == "-":
            entry = HARMLESS
        else:
            entry = CommandEntry(EffectKind(kind), EffectSeverity(severity))
        entries |= dict.fromkeys(names.lower().split(), entry)
    return entries


def _read_contexts() -> tuple[tuple[re.Pattern[str], CommandEntry, frozenset[str]], ...]:
    contexts = []
    for row in _METHODS_WITH.strip().split("\n"):
        words, does, names = row.split(" | ")
        kind, _, severity = does.partition(" ")
        entry = CommandEntry(EffectKind(kind), EffectSeverity(severity))
        contexts.append((re.compile(words), entry, frozenset(names.split())))
    return tuple(contexts)


_TYPE_ENTRIES: Final = _read(_TYPES)
_STATIC_ENTRIES: Final = _read(_STATIC)
_METHOD_ENTRIES: Final = _read(_METHODS)
_CONTEXTS: Final = _read_contexts()
_PROGID_ENTRIES: Final = _read(_PROGIDS)


def list_types(written: str) -> list[str]:
    """Return the names in a type as written, in lower case without `System.`.

    An assembly after a comma and array brackets are left out; arguments of a generic are listed.
    """
    plain = re.sub(r"[\s\"']", "", written.lower().strip("[]"))
    if "[" not in plain:
        plain = plain.partition(",")[0]
    names = [re.sub(r"^system\.|`\d+$", "", name) for name in _INNER_TYPES.findall(plain)]
    return [name for name in names if name] or [""]


def find_type(name: str) -> CommandEntry | None:
    """Return what it does to construct a type, or to cast to it; None when it is unknown."""
    return _STATIC_ENTRIES.get(f"{name}::new") or _TYPE_ENTRIES.get(name)


def find_static(name: str, member: str) -> CommandEntry | None:
    """Return what a static method does; None when the type is unknown."""
    return (
        _STATIC_ENTRIES.get(f"{name}::{member}")
        or _STATIC_ENTRIES.get(f"{name}::*")
        or _TYPE_ENTRIES.get(name)
    )


def has_effect(name: str, member: str) -> bool:
    """Say whether a static member does more than look: also where it is only named."""
    entry = _STATIC_ENTRIES.get(f"{name}::{member}") or _STATIC_ENTRIES.get(f"{name}::*")
    if entry is None and _TYPE_ENTRIES.get(name) is RUNS_CODE:
        return True
    return entry is not None and entry.kind is not None


def find_method(member: str, mentions: Callable[[re.Pattern[str]], bool]) -> CommandEntry | None:
    """Return what a method of some object does; None when it is unknown.

    `mentions` says whether a pattern occurs in the script's text in lower case.
    """
    for words, entry, names in _CONTEXTS:
        if member in names and mentions(words):
            return entry
    return _METHOD_ENTRIES.get(member)


def list_writing_methods() -> frozenset[str]:
    """Return the methods, static or not, that write, move or delete files."""
    files = (EffectKind.WRITES_SYSTEM_FILES, EffectKind.DELETES_FILES)
    names = {name for name, entry in _METHOD_ENTRIES.items() if entry.kind in files}
    statics = {name for name, entry in _STATIC_ENTRIES.items() if entry.kind in files}
    return frozenset(names | {name.rpartition("::")[2] for name in statics} | _STATIC_WRITERS)


def find_com_class(progid: str) -> CommandEntry | None:
    """Return what objects of a COM class are for; None when it is unknown."""
    return _PROGID_ENTRIES.get(progid.lower())
