# SPDX-License-Identifier: Apache-2.0
"""The methods of Python's objects that analysis knows by name, whatever the object: a closed world.

A method that stands neither here nor in a class of the script may do anything, and is a doubt. Of
those that `guardrails.python_modules` gives an effect or a doubt, these tables say nothing.
"""
# ruff: noqa: E501, SIM905 - tables

from typing import Final

KNOWN_METHODS: Final = frozenset(
    # Text, bytes, numbers, containers.
    "add append appendleft capitalize casefold center clear copy count decode difference difference_update discard elements encode endswith expandtabs extend extendleft find format format_map fromhex"
    " fromkeys get group groupdict groups hex index insert intersection intersection_update isalnum isalpha isascii isdecimal isdigit isdisjoint isidentifier islower isnumeric isprintable isspace issubset"
    " issuperset istitle isupper items join keys ljust lower lstrip maketrans most_common move_to_end partition pop popitem popleft remove removeprefix removesuffix replace reverse rfind rindex rjust rotate"
    " rpartition rsplit rstrip setdefault sort split splitlines startswith strip subtract swapcase symmetric_difference title total translate union update upper values zfill has_key iteritems itervalues"
    " iterkeys bit_length is_integer to_bytes from_bytes tobytes tolist frombytes as_integer_ratio quantize end expand finditer findall fullmatch match search span start sub subn lastindex substitute safe_substitute"
    " conjugate to_integral_value is_nan is_zero limit_denominator"
    # Dates, random numbers, addresses, identities.
    " astimezone combine ctime date dst fromisoformat fromordinal fromtimestamp isocalendar isoformat isoweekday now strftime strptime time timestamp timetuple timetz today toordinal total_seconds tzname utcfromtimestamp"
    " utcnow utcoffset utctimetuple weekday localize normalize itermonthdates monthdatescalendar choice choices randint random randrange sample shuffle uniform gauss getrandbits token_hex hosts subnets supernet overlaps"
    " subnet_of supernet_of address_exclude bytes int digest hexdigest"
    # Files that were opened, paths, archives that are looked at.
    " close closed detach fileno flush isatty read read1 readable readall readinto readline readlines seek seekable tell writable write writelines getvalue getbuffer writerow writerows writeheader absolute as_posix as_uri cwd"
    " exists expanduser glob group home is_absolute is_block_device is_char_device is_dir is_fifo is_file is_mount is_relative_to is_socket is_symlink iterdir joinpath lstat match owner read_bytes read_text readlink"
    " relative_to resolve rglob samefile stat walk with_name with_stem with_suffix inode getinfo getmember getmembers getnames infolist namelist testzip extractfile isdir isfile issym isreg next cleanup writestr printdir"
    " setpassword truncate open"
    # Arguments, settings, texts with structure, logs, tables.
    " add_argument add_argument_group add_mutually_exclusive_group add_parser add_subparsers add_option add_option_group error exit format_help format_usage parse_args parse_known_args print_help print_usage set_defaults"
    " get_default add_section getboolean getfloat getint has_option has_section options read_dict read_file read_string readfp remove_option remove_section sections set iter iterfind itertext findtext getroot xpath toxml toprettyxml"
    " getElementsByTagName getElementById getAttribute hasAttribute hasChildNodes createElement createTextNode appendChild removeChild insertBefore setAttribute writexml documentElement iterparse feed goahead handle_data"
    " handle_endtag handle_starttag get_starttag_text raw_decode iterencode default addFilter addHandler critical debug exception fatal getChild getEffectiveLevel handle hasHandlers info isEnabledFor log removeHandler setFormatter"
    " setLevel warn warning formatTime formatException bind new msg success add_row add_column print print_json rule status advance track add_task set_description set_postfix set_description_str pprint field_names"
    " as_string as_bytes add_header add_attachment set_content get_content get_content_type get_filename get_payload set_payload attach is_multipart set_param model_dump model_dump_json model_validate dict parse_obj"
    # Processes that were started, threads, tasks, locks.
    " communicate poll wait returncode check_returncode acquire release locked notify notify_all is_set isSet is_alive isAlive getName setName setDaemon start cancel cancelled done result exception running add_done_callback submit map"
    " shutdown as_completed terminate_all apply apply_async starmap imap imap_unordered close join empty full get_nowait put put_nowait qsize task_done run_until_complete run_forever stop run_in_executor create_task is_running"
    " is_closed time gather callback enter_context enter pop_all throw value"
    # What psutil tells of processes.
    " as_dict children cmdline connections net_connections cpu_num cpu_percent cpu_times create_time environ exe gids uids io_counters is_running memory_full_info memory_info memory_maps memory_percent name num_ctx_switches num_fds"
    " num_handles num_threads oneshot open_files parent parents pid ppid terminal threads username _asdict _replace"
    # Databases, whose statements are read, and the registry.
    " commit connect cursor execute executemany executescript fetchall fetchmany fetchone iterdump rollback backup Close"
    # Answers of the network, whose connections have an effect where they are made.
    " getcode geturl getheader getheaders getresponse info iter_content iter_lines json raise_for_status get_all head options post put patch delete request mount accept bind listen recv recvfrom recv_into setblocking setsockopt settimeout"
    " gettimeout getpeername getsockname makefile connect_ex serve_forever server_close handle_request starttls login quit ehlo helo noop set_missing_host_key_policy load_system_host_keys send_response send_header end_headers"
    " log_message putheader endheaders add_unredirected_header has_header get_method get_adapter prepare nlst mlsd retrlines pwd size getpeercert cipher version load_default_certs set_ciphers".split()
)
# Methods that only tell when they are given nothing, and set with an argument.
TELLING_METHODS: Final = frozenset("nice ionice rlimit cpu_affinity".split())
# What classes of libraries are asked without an object: their makers, not what acts on any object.
CLASS_METHODS: Final = frozenset(
    "home cwd now today utcnow fromtimestamp utcfromtimestamp fromisoformat fromordinal strptime combine min max resolution utc from_iterable fromkeys fromhex from_bytes maketrans"
    " default format name value members parse_obj model_validate default_timer get items keys add_argument filter handle_starttag join run start __init__ __new__ __str__ __repr__ __enter__ __exit__ __call__".split()
)
# Attributes that no object does anything with but show, or compare.
HARMLESS_ATTRIBUTES: Final = frozenset(
    "daemon propagate disabled level description epilog usage prog timeout headers params text tail attrib value row_factory encoding maxDiff align padding_width border field_names sortby help".split()
)
