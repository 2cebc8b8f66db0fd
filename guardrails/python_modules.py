# SPDX-License-Identifier: Apache-2.0
"""The modules, functions and methods of Python that analysis knows: a closed world.

A module that stands in none of these tables is a doubt. Of modules in `HARMLESS_MODULES` everything
may be used except other modules and private names; of those in `SOME_OF`, what stands beside them.
Effects are recorded where a function is named, whether it is called there or not.
"""
# ruff: noqa: E501, SIM905 - tables

from typing import Final

from guardrails.effects import EffectKind, EffectSeverity, Harm

_K, _S = EffectKind, EffectSeverity

HARMLESS_MODULES: Final = frozenset(
    "__future__ abc array base64 binascii bisect bz2 calendar cmath collections colorsys concurrent concurrent.futures"
    " configparser contextlib contextvars copy crypt csv datetime decimal difflib email email.message email.mime email.mime.base"
    " email.policy email.errors email.charset email.generator email.iterators email.headerregistry email.contentmanager email.feedparser email.mime.audio email.mime.message email.mime.nonmultipart"
    " email.base64mime email.quoprimime collections.abc urllib.response xml.dom.NodeFilter xml.etree.ElementPath xml.etree.ElementInclude json.scanner xml.parsers.expat.errors xml.parsers.expat.model curses.ascii"
    " email.mime.multipart email.mime.text email.mime.application email.mime.image email.utils email.header email.encoders email.parser"
    " enum errno fcntl filecmp fnmatch fractions functools getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html"
    " html.entities html.parser http http.cookies http.cookiejar ipaddress itertools json json.decoder json.encoder keyword locale lzma math mimetypes numbers operator"
    " optparse os.path posixpath ntpath platform plistlib pprint pwd queue Queue quopri random re resource sched secrets select selectors shlex signal"
    " ssl stat statistics string StringIO cStringIO stringprep struct syslog termios textwrap threading thread _thread time token tokenize"
    " tomllib traceback tty typing typing_extensions unicodedata urllib urllib.parse urlparse urllib.error uuid warnings weakref"
    " winsound xml xml.dom xml.dom.minidom xml.etree xml.etree.ElementTree xml.etree.cElementTree xml.parsers xml.parsers.expat xml.sax.handler"
    " zlib zoneinfo dataclasses logging logging.handlers io readline msvcrt curses"
    " dateutil dateutil.parser dateutil.tz pytz tzlocal requests.exceptions requests.auth urllib3.util.retry urllib3.exceptions"
    " distro tabulate colorama termcolor cpuinfo GPUtil netifaces simplejson ujson orjson toml tomli chardet idna packaging packaging.version"
    " humanize humanfriendly prettytable texttable rich.table rich.panel xmltodict"
    " certifi cachetools backoff tenacity stamina structlog systemd.journal pyudev statvfs cgi Cookie HTMLParser md5 sha sets".split()
)  # fmt: skip

# Modules whose harmless parts are named; the parts with effects follow in EFFECTS.
SOME_OF: Final[dict[str, frozenset[str]]] = {
    module: frozenset(names.split())
    for module, names in (
        ("os", ("path environ getenv getcwd getcwdb listdir scandir walk fwalk stat lstat fstat access sep linesep curdir pardir extsep altsep pathsep name devnull"
               " getpid getppid getuid geteuid getgid getegid getgroups getlogin getpgid getpgrp getsid getloadavg cpu_count uname times urandom get_terminal_size isatty ttyname"
               " fsencode fsdecode fspath PathLike DirEntry stat_result statvfs fstatvfs readlink getxattr listxattr error F_OK R_OK W_OK X_OK O_RDONLY O_WRONLY O_CREAT O_EXCL"
               " close closerange dup dup2 pipe read lseek umask sched_getaffinity sysconf confstr pathconf strerror getpriority getenvb environb"
               " WEXITSTATUS WIFEXITED WIFSIGNALED WTERMSIG WNOHANG waitpid wait _exit EX_OK EX_USAGE SEEK_SET SEEK_END supports_follow_symlinks fsync sync get_exec_path major minor chdir abort getrandom")),
        ("sys", ("argv exit stdin stdout stderr __stdin__ __stdout__ __stderr__ platform version version_info executable maxsize maxunicode maxint byteorder getsizeof getdefaultencoding"
                " getfilesystemencoding exc_info getrecursionlimit setrecursionlimit flags implementation hexversion getwindowsversion prefix base_prefix exec_prefix float_info int_info intern"
                " getrefcount stdlib_module_names builtin_module_names hash_info api_version copyright winver last_traceback exception exc_clear setdefaultencoding tracebacklimit dont_write_bytecode is_finalizing")),
        ("pathlib", "Path PurePath PosixPath WindowsPath PurePosixPath PureWindowsPath"),
        ("shutil", "which disk_usage get_terminal_size SameFileError Error ignore_patterns get_archive_formats"),
        ("subprocess", "PIPE STDOUT DEVNULL CalledProcessError TimeoutExpired SubprocessError CompletedProcess list2cmdline CREATE_NO_WINDOW CREATE_NEW_CONSOLE CREATE_NEW_PROCESS_GROUP DETACHED_PROCESS STARTUPINFO STARTF_USESHOWWINDOW SW_HIDE"),
        ("socket", ("gethostname getfqdn gethostbyname gethostbyname_ex gethostbyaddr getaddrinfo getnameinfo getservbyname getservbyport inet_aton inet_ntoa inet_pton inet_ntop htons ntohs htonl ntohl"
                   " AF_INET AF_INET6 AF_UNIX AF_UNSPEC AF_PACKET SOCK_STREAM SOCK_DGRAM SOCK_RAW SOL_SOCKET SO_REUSEADDR SO_BROADCAST SO_KEEPALIVE IPPROTO_TCP IPPROTO_UDP IPPROTO_ICMP IPPROTO_IP TCP_NODELAY IP_TTL SHUT_RDWR"
                   " timeout error gaierror herror setdefaulttimeout getdefaulttimeout has_ipv6 if_nameindex INADDR_ANY")),
        ("urllib.request", "Request HTTPError URLError HTTPHandler HTTPSHandler ProxyHandler HTTPBasicAuthHandler HTTPPasswordMgrWithDefaultRealm AbstractHTTPHandler HTTPDefaultErrorHandler HTTPRedirectHandler HTTPErrorProcessor install_opener getproxies quote unquote pathname2url url2pathname"),
        ("urllib2", "Request HTTPError URLError HTTPHandler HTTPSHandler ProxyHandler AbstractHTTPHandler HTTPDefaultErrorHandler HTTPRedirectHandler HTTPErrorProcessor install_opener quote unquote"),
        ("requests", "exceptions auth codes HTTPError RequestException ConnectionError Timeout Response Request structures"),
        ("httpx", "HTTPError RequestError HTTPStatusError TimeoutException Timeout Response"),
        ("urllib3", "exceptions disable_warnings Retry Timeout"),
        ("urllib3.util", "Retry Timeout Url parse_url make_headers"),
        ("requests.packages.urllib3", "disable_warnings exceptions"),
        ("requests.packages.urllib3.exceptions", "InsecureRequestWarning MaxRetryError HTTPError"),
        ("requests.adapters", "HTTPAdapter Retry"),
        ("requests.utils", "quote unquote requote_uri urlparse default_headers default_user_agent"),
        ("urllib.robotparser", ""),
        ("argparse", ("ArgumentParser Namespace Action HelpFormatter RawDescriptionHelpFormatter RawTextHelpFormatter ArgumentDefaultsHelpFormatter MetavarTypeHelpFormatter ArgumentError"
                      " ArgumentTypeError BooleanOptionalAction REMAINDER SUPPRESS OPTIONAL ZERO_OR_MORE ONE_OR_MORE")),
        ("asyncio", ("run gather wait wait_for sleep create_task Task ensure_future Queue PriorityQueue LifoQueue Lock Event Semaphore BoundedSemaphore Condition TimeoutError CancelledError get_event_loop"
                     " new_event_loop set_event_loop get_running_loop iscoroutine iscoroutinefunction as_completed shield timeout to_thread TaskGroup current_task all_tasks Future QueueEmpty QueueFull"
                     " InvalidStateError IncompleteReadError StreamReader StreamWriter FIRST_COMPLETED FIRST_EXCEPTION ALL_COMPLETED subprocess Runner run_coroutine_threadsafe set_event_loop_policy WindowsSelectorEventLoopPolicy get_event_loop_policy")),
        ("multiprocessing", ("Process Queue JoinableQueue SimpleQueue Lock RLock Event Semaphore Barrier Condition Value Array cpu_count current_process active_children freeze_support set_start_method"
                             " get_start_method TimeoutError ProcessError")),
        ("zipfile", "ZipInfo is_zipfile BadZipFile BadZipfile LargeZipFile ZIP_DEFLATED ZIP_STORED ZIP_BZIP2 ZIP_LZMA Path"),
        ("tarfile", "is_tarfile TarInfo TarError ReadError CompressionError HeaderError ExtractError data_filter tar_filter ENCODING"),
        ("tempfile", "gettempdir gettempdirb gettempprefix"),
        ("lxml.etree", "fromstring XML HTML tostring Element SubElement ElementTree Comment QName HTMLParser iterparse indent XMLSyntaxError ParserError LxmlError XPathError"),
        ("xml.sax", "ContentHandler SAXException SAXParseException parseString handler"),
        ("xml.sax.saxutils", "escape unescape quoteattr"),
        ("six", ("PY2 PY3 string_types text_type binary_type integer_types class_types MAXSIZE iteritems iterkeys itervalues viewitems viewkeys viewvalues u b print_ ensure_str ensure_text ensure_binary"
                 " with_metaclass add_metaclass next StringIO BytesIO raise_from reraise unichr int2byte")),
        ("attr", "s ib attrs attrib Factory define field frozen mutable asdict astuple evolve fields validators converters exceptions NOTHING has"),
        ("attrs", "define field frozen mutable asdict astuple evolve fields validators converters exceptions NOTHING Factory has"),
        ("pydantic", ("BaseModel Field validator field_validator root_validator model_validator ValidationError ConfigDict HttpUrl AnyUrl AnyHttpUrl EmailStr SecretStr constr conint conlist confloat"
                      " PositiveInt NonNegativeInt PositiveFloat StrictStr StrictInt StrictBool IPvAnyAddress DirectoryPath FilePath UUID4")),
        ("psutil", ("Process process_iter pids pid_exists cpu_percent cpu_times cpu_times_percent cpu_count cpu_freq cpu_stats virtual_memory swap_memory disk_usage disk_partitions disk_io_counters"
                    " net_io_counters net_connections net_if_addrs net_if_stats boot_time users sensors_temperatures sensors_fans sensors_battery getloadavg wait_procs win_service_iter win_service_get"
                    " NoSuchProcess AccessDenied ZombieProcess TimeoutExpired Error version_info WINDOWS LINUX MACOS POSIX BSD STATUS_RUNNING STATUS_ZOMBIE STATUS_SLEEPING STATUS_STOPPED STATUS_DEAD"
                    " STATUS_IDLE STATUS_DISK_SLEEP CONN_LISTEN CONN_ESTABLISHED AF_LINK NIC_DUPLEX_FULL")),
        ("dotenv", "dotenv_values find_dotenv get_key"),
        ("rich", "print print_json get_console box"),
        ("rich.console", "Console Group RenderableType"),
        ("rich.progress", "Progress track SpinnerColumn TextColumn BarColumn TimeElapsedColumn TimeRemainingColumn MofNCompleteColumn TaskProgressColumn DownloadColumn TransferSpeedColumn"),
        ("tqdm", "tqdm trange auto write"),
        ("sqlite3", ("Row Error DatabaseError OperationalError IntegrityError ProgrammingError InterfaceError InternalError DataError NotSupportedError Warning Cursor PARSE_DECLTYPES PARSE_COLNAMES version"
                     " version_info sqlite_version sqlite_version_info")),
        ("wave", "Error"),
        ("winreg", ("HKEY_LOCAL_MACHINE HKEY_CURRENT_USER HKEY_CLASSES_ROOT HKEY_USERS KEY_READ KEY_WRITE KEY_ALL_ACCESS KEY_SET_VALUE KEY_WOW64_64KEY KEY_WOW64_32KEY KEY_QUERY_VALUE REG_SZ REG_DWORD REG_EXPAND_SZ REG_BINARY REG_MULTI_SZ REG_QWORD"
                   " OpenKey OpenKeyEx ConnectRegistry QueryValue QueryValueEx QueryInfoKey EnumKey EnumValue CloseKey ExpandEnvironmentStrings HKEYType")),
        ("yaml", "safe_load safe_load_all dump safe_dump YAMLError SafeLoader CSafeLoader SafeDumper"),
        ("ast", "literal_eval"),
        ("inspect", "currentframe getframeinfo cleandoc getdoc"),
        ("timeit", "default_timer"),
        ("pkg_resources", "get_distribution parse_version DistributionNotFound VersionConflict require working_set"),
        ("importlib.metadata", "version PackageNotFoundError distributions metadata"),
        ("importlib", "metadata util"),
        ("importlib.util", "find_spec"),
        ("atexit", "register unregister"),
        ("fileinput", ""),
        ("http.client", "HTTPException BadStatusLine responses OK NOT_FOUND IncompleteRead RemoteDisconnected"),
        ("httplib", "HTTPException BadStatusLine FakeSocket"),
        ("smtplib", "SMTPException SMTPAuthenticationError"),
        ("socketserver", ""),
        ("http.server", ""),
        ("ftplib", "error_perm all_errors"),
        ("telnetlib", ""),
        ("imaplib", ""),
        ("poplib", ""),
        ("keyring", ""),
        ("netrc", ""),
        ("spwd", ""),
        ("paramiko", "AutoAddPolicy RejectPolicy WarningPolicy SSHException AuthenticationException"),
        ("boto3", ""),
        ("win32crypt", ""),
        ("pynput", "keyboard mouse"),
        ("pynput.keyboard", "Key KeyCode"),
        ("keyboard", ""),
        ("pyautogui", ""),
        ("PIL", "Image ImageDraw ImageFont"),
        ("PIL.Image", "open"),
        ("PIL.ImageGrab", ""),
        ("mss", ""),
        ("win32evtlog", "OpenEventLog ReadEventLog CloseEventLog GetNumberOfEventLogRecords EVENTLOG_BACKWARDS_READ EVENTLOG_SEQUENTIAL_READ EVENTLOG_FORWARDS_READ EVENTLOG_ERROR_TYPE EVENTLOG_WARNING_TYPE EVENTLOG_INFORMATION_TYPE"),
        ("win32serviceutil", "QueryServiceStatus"),
        ("pty", ""),
        ("commands", ""),
        ("asyncio.subprocess", "PIPE STDOUT DEVNULL"),
        ("mmap", "mmap ACCESS_READ PAGESIZE"),
        ("cryptography.fernet", "InvalidToken"),
        ("Crypto.Cipher", ""),
    )
}  # fmt: skip

EFFECTS: Final[dict[str, Harm]] = {
    name: entry
    for names, entry in (
        ("os.remove os.unlink os.rmdir os.removedirs os.ftruncate", (_K.DELETES_FILES, _S.MEDIUM)),
        ("shutil.rmtree", (_K.DELETES_FILES, _S.HIGH)),
        ("os.open shutil.copyfileobj shutil.unpack_archive", (_K.WRITES_SYSTEM_FILES, _S.MEDIUM)),
        ("os.write os.writev os.pwrite os.sendfile os.copy_file_range os.fdatasync", (_K.WRITES_SYSTEM_FILES, _S.LOW)),
        ("os.chmod os.chown os.lchown os.fchmod os.fchown os.lchmod os.chflags os.lchflags shutil.chown", (_K.CHANGES_PERMISSIONS, _S.MEDIUM)),
        ("os.kill os.killpg signal.pthread_kill signal.pidfd_send_signal resource.prlimit", (_K.ENDS_PROCESSES, _S.MEDIUM)),
        ("os.nice os.setpriority os.sched_setaffinity os.sched_setscheduler os.setsid os.setpgid os.setpgrp", (_K.ENDS_PROCESSES, _S.LOW)),
        ("os.mount os.umount os.sethostname socket.sethostname os.setns os.unshare", (_K.CHANGES_DISKS, _S.HIGH)),
        ("os.chroot os.setuid os.setgid os.seteuid os.setegid os.setreuid os.setregid os.setresuid os.setresgid os.setgroups os.initgroups", (_K.ELEVATES, _S.HIGH)),
        ("os.memfd_create os.eventfd", (_K.INJECTS_CODE, _S.HIGH)),
        ("winreg.SetValue winreg.SetValueEx winreg.DeleteKey winreg.DeleteKeyEx winreg.DeleteValue winreg.CreateKey winreg.CreateKeyEx winreg.LoadKey winreg.SaveKey winreg.DisableReflectionKey winreg.EnableReflectionKey winreg.FlushKey", (_K.CHANGES_REGISTRY, _S.MEDIUM)),
        (("urllib.request.urlopen urllib.request.urlretrieve urllib.request.URLopener urllib.request.FancyURLopener urllib2.urlopen urllib.urlopen urllib.urlretrieve"
         " requests.get requests.head requests.options requests.request requests.Session requests.session httpx.get httpx.head httpx.options httpx.request httpx.stream httpx.Client httpx.AsyncClient"
         " urllib3.PoolManager urllib3.request urllib3.ProxyManager ssl.get_server_certificate urllib.request.build_opener urllib2.build_opener urllib.request.OpenerDirector http.client.HTTPConnection http.client.HTTPSConnection httplib.HTTPConnection httplib.HTTPSConnection boto3.client boto3.resource boto3.Session"), (_K.DOWNLOADS, _S.MEDIUM)),
        (("requests.post requests.put requests.patch requests.delete httpx.post httpx.put httpx.patch httpx.delete ftplib.FTP ftplib.FTP_TLS smtplib.SMTP smtplib.SMTP_SSL smtplib.LMTP paramiko.SSHClient paramiko.Transport paramiko.SFTPClient"
         " telnetlib.Telnet imaplib.IMAP4 imaplib.IMAP4_SSL poplib.POP3 poplib.POP3_SSL logging.handlers.HTTPHandler logging.handlers.SMTPHandler logging.handlers.SocketHandler logging.handlers.DatagramHandler"), (_K.SENDS_DATA, _S.HIGH)),
        (("socket.socket socket.create_server socket.create_connection socket.socketpair socket.fromfd socket.SocketType socketserver.TCPServer socketserver.UDPServer socketserver.ThreadingTCPServer socketserver.BaseRequestHandler socketserver.StreamRequestHandler"
         " http.server.HTTPServer http.server.ThreadingHTTPServer http.server.SimpleHTTPRequestHandler http.server.BaseHTTPRequestHandler asyncio.start_server asyncio.start_unix_server asyncio.open_connection asyncio.open_unix_connection"), (_K.OPENS_NETWORK, _S.HIGH)),
        ("pty.spawn pty.fork pty.openpty", (_K.OPENS_NETWORK, _S.HIGH)),
        ("keyring.get_password keyring.get_credential win32crypt.CryptUnprotectData spwd.getspnam spwd.getspall netrc.netrc", (_K.READS_CREDENTIALS, _S.HIGH)),
        ("keyring.set_password keyring.delete_password", (_K.READS_CREDENTIALS, _S.MEDIUM)),
        ("pynput.keyboard.Listener pynput.mouse.Listener keyboard.hook keyboard.on_press keyboard.record keyboard.read_event pyautogui.screenshot PIL.ImageGrab PIL.ImageGrab.grab mss.mss", (_K.CAPTURES_DATA, _S.HIGH)),
        ("time.clock_settime", (_K.CHANGES_TIME, _S.MEDIUM)),
        ("os.setxattr os.removexattr", (_K.CHANGES_PERMISSIONS, _S.MEDIUM)),
        ("getpass.getpass", (_K.READS_CREDENTIALS, _S.MEDIUM)),
        ("win32serviceutil.StopService win32serviceutil.StartService win32serviceutil.RestartService", (_K.CHANGES_SERVICES, _S.MEDIUM)),
        ("win32evtlog.ClearEventLog", (_K.ERASES_TRACES, _S.CRITICAL)),
        ("cryptography.fernet.Fernet Crypto.Cipher.AES", (_K.ENCRYPTS_FILES, _S.MEDIUM)),
        ("fcntl.ioctl", (_K.WRITES_SYSTEM_FILES, _S.MEDIUM)),
        ("termios.tcsetattr", (_K.WRITES_SYSTEM_FILES, _S.LOW)),
        ("os.fork", (_K.ENDS_PROCESSES, _S.MEDIUM)),
    )
    for name in names.split()
}  # fmt: skip

# Methods by name alone, whatever the object: pathlib, zipfile, psutil, sqlite3, paramiko, ...
METHOD_EFFECTS: Final[dict[str, Harm]] = {
    name: entry
    for names, entry in (
        ("unlink rmdir rmtree unlink_missing", (_K.DELETES_FILES, _S.MEDIUM)),
        ("write_text write_bytes symlink_to hardlink_to link_to extractall extract rename touch renames mkdir", (_K.WRITES_SYSTEM_FILES, _S.LOW)),
        ("chmod lchmod chown", (_K.CHANGES_PERMISSIONS, _S.MEDIUM)),
        ("terminate kill send_signal suspend", (_K.ENDS_PROCESSES, _S.MEDIUM)),
        ("sendmail send_message storbinary storlines sendto sendall upload_file upload_fileobj put_object putfo send sendfile sock_sendall sock_sendto", (_K.SENDS_DATA, _S.MEDIUM)),
        ("create_connection create_server create_datagram_endpoint create_unix_connection create_unix_server sock_connect sock_accept connect_accepted_socket start_tls wrap_socket", (_K.OPENS_NETWORK, _S.HIGH)),
        ("http_open https_open ftp_open proxy_open do_open urlopen retrbinary retrlines urlretrieve download_file download_fileobj", (_K.DOWNLOADS, _S.MEDIUM)),
    )
    for name in names.split()
}  # fmt: skip
METHOD_DOUBTS: Final = frozenset(
    "system popen exec_command load_extension enable_load_extension create_function unsafe_load full_load"
    " load_module exec_module find_module find_spec get_code run_code run_module runcode runsource run_path"
    " invoke_shell loadTestsFromName f_globals f_locals f_builtins f_back gi_frame cr_frame gi_code tb_frame"
    " func_globals func_code co_code im_func im_self set_trace settrace setprofile call_soon_code modules meta_path path_hooks"
    " startfile spawn spawnv spawnl spawnvp execv execve execvp execl execlp posix_spawn getoutput getstatusoutput"
    " check_output check_call Popen create_subprocess_exec create_subprocess_shell subprocess_exec subprocess_shell".split()
)  # fmt: skip

# Pools of processes and threads: the first argument says how many.
POOLS: Final = frozenset(
    "multiprocessing.Pool multiprocessing.pool.Pool multiprocessing.pool.ThreadPool concurrent.futures.ProcessPoolExecutor concurrent.futures.ThreadPoolExecutor".split()
)

# Functions that run commands: how their first arguments are read.
SHELL_CALLS: Final = frozenset(
    "os.system os.popen subprocess.run subprocess.call subprocess.check_call subprocess.Popen"
    " subprocess.check_output subprocess.getoutput subprocess.getstatusoutput commands.getoutput"
    " commands.getstatusoutput asyncio.create_subprocess_shell asyncio.create_subprocess_exec"
    " asyncio.subprocess.create_subprocess_shell asyncio.subprocess.create_subprocess_exec pty.spawn platform.popen".split()
)
EXEC_CALLS: Final = frozenset(
    "os.execv os.execve os.execl os.execle os.execvp os.execvpe os.execlp os.execlpe os.posix_spawn"
    " os.posix_spawnp".split()
)
SPAWN_CALLS: Final = frozenset(
    "os.spawnv os.spawnve os.spawnl os.spawnle os.spawnvp os.spawnvpe os.spawnlp os.spawnlpe".split()
)
CODE_CALLS: Final = frozenset(("exec", "eval"))
LOADERS: Final = frozenset(("pickle.load", "pickle.loads", "marshal.load", "marshal.loads", "__import__", "importlib.import_module"))  # fmt: skip
# Of harmless modules, what evaluates text all the same.
EXCEPTIONS: Final = frozenset(
    "typing.get_type_hints typing.ForwardRef typing.evaluate_forward_ref typing_extensions.get_type_hints typing_extensions.ForwardRef typing_extensions.evaluate_forward_ref"
    " typing_extensions.get_annotations xml.dom.getDOMImplementation tempfile.TemporaryDirectory. operator.setitem operator.ior functools.update_wrapper logging.config dataclasses.make_dataclass"
    " email.headerregistry.parser xml.dom.domreg xml.dom.expatbuilder xml.dom.minicompat xml.dom.pulldom xml.dom.xmlbuilder xml.dom.minidom.domreg"
    " concurrent.futures.process concurrent.futures.thread curses.has_key curses.panel curses.textpad json.tool"
    " operator.methodcaller operator.attrgetter multiprocessing.connection multiprocessing.managers"
    " multiprocessing.Manager platform.popen cgi.test readline.set_completer readline.read_init_file"
    " readline.parse_and_bind gettext.c2py".split()
)

# Attributes of harmless modules that are other modules, whose functions would come in that way.
INNER_MODULES: Final = frozenset(
    "os sys subprocess builtins codecs io shutil importlib types inspect ctypes socket pickle marshal"
    " bltns stdlib_re genericpath errors scanner utils code pty platform imp runpy posix nt signal threading warnings functools re linecache tokenize".split()
)

# Python's own functions; the ones left out (exec, eval, globals, ...) are doubts where they are named.
HARMLESS_BUILTINS: Final = frozenset(
    "abs aiter all anext any ascii bin bool bytearray bytes callable chr classmethod complex dict dir divmod enumerate filter float"
    " format frozenset hasattr hash hex id input int isinstance issubclass iter len list map max memoryview min next object oct ord pow print"
    " property range repr reversed round set slice sorted staticmethod str sum super tuple type zip exit quit copyright credits license"
    " True False None Ellipsis NotImplemented __debug__ __name__ __file__ __doc__ unicode xrange raw_input basestring long unichr reduce cmp file"
    " ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError BrokenPipeError BufferError BytesWarning ChildProcessError"
    " ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError EncodingWarning EnvironmentError Exception"
    " ExceptionGroup FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError ImportError ImportWarning IndentationError IndexError"
    " InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError NotImplementedError OSError"
    " OverflowError PendingDeprecationWarning PermissionError ProcessLookupError RecursionError ReferenceError ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration"
    " StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError"
    " UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning WindowsError ZeroDivisionError".split()
)  # fmt: skip
HARMLESS_DUNDERS: Final = frozenset(
    "__name__ __doc__ __file__ __init__ __version__ __str__ __repr__ __len__ __iter__ __next__ __enter__ __exit__ __eq__ __hash__ __lt__"
    " __contains__ __getitem__ __setitem__ __post_init__ __author__ __all__ __main__ __qualname__ __stdin__ __stdout__ __stderr__ __cause__ __context__ __traceback__ __new__ __call__ __del__".split()
)  # fmt: skip
