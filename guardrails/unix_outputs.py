# SPDX-License-Identifier: Apache-2.0
"""Programs of Linux and macOS that write the files which their arguments name: a closed table.

Each row says which options and operands are written, which are taken away, and with which options
the program only looks. A program that no argument makes write has no row here and stands among the
plain looks (guardrails.unix_programs). GNU programs take the beginning of a long option for all of
it, and single letters in one word: both are read so.
"""
# ruff: noqa: E501 - tables

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Final, Literal

from guardrails.bash_words import Word
from guardrails.program_rows import index_rows

Operands = Literal["none", "all", "last", "first", "second", "from second"]


class Deed(StrEnum):
    """What is done to a file that an argument names."""

    WRITES = "writes"
    LOSES = "loses"  # it is moved away, emptied or replaced


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a program does to one file."""

    word: Word
    deed: Deed


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """What one program writes.

    Attributes:
        written: options whose value is written, or is the folder that is written into.
        valued: other options that take a value.
        operands: which of the other words are written.
        instead: options that stand for what is written otherwise: all operands are sources.
        looks: options with which no operand is written.
        reads: options with which nothing is.
        removed_operands: which operands are taken away.
        removing_options: options that take all operands away.
        edits: options that write all operands.
        script: options that stand for the first operand, which is no file otherwise.
        unpacks: options with which the archive, `-f`, is read.
        extracts_anywhere: without one of `looks` it writes what an archive or a patch names, anywhere.
        path_traversal: options with which what an archive names may lie outside of the folder.
        extracts_within: options with which it writes within one folder all the same.
        keeping_options: options with which no operand is taken away.

    """

    written: frozenset[str]
    valued: frozenset[str]
    operands: Operands
    instead: frozenset[str]
    looks: frozenset[str]
    reads: frozenset[str]
    removed_operands: Literal["none", "all", "sources"]
    removing_options: frozenset[str]
    edits: frozenset[str]
    script: frozenset[str]
    unpacks: frozenset[str]
    extracts_anywhere: bool
    path_traversal: frozenset[str]
    extracts_within: frozenset[str]
    keeping_options: frozenset[str]

    @property
    def options(self) -> frozenset[str]:
        """All options that the row knows."""
        return frozenset().union(
            self.written, self.valued, self.instead, self.looks, self.reads, self.removing_options,
            self.edits, self.script, self.unpacks, self.path_traversal, self.extracts_within,
            self.keeping_options,
        )  # fmt: skip


def make_writer(written: str = "", **rest: str | bool) -> Writer:
    """Return a row: names of options as words, the other fields as they are.

    Raises:
        ValueError: `rest` names no field.

    """
    plain = {"operands": "none", "removed_operands": "none", "extracts_anywhere": False}
    if unknown := rest.keys() - {each.name for each in fields(Writer)}:
        raise ValueError(f"a writer has no {', '.join(sorted(unknown))}")
    sets = {
        each.name: frozenset(str(rest.get(each.name, "")).split())
        for each in fields(Writer)
        if each.name not in plain
    }
    chosen = {name: rest.get(name, default) for name, default in plain.items()}
    return Writer(**{**sets, **chosen, "written": frozenset(written.split())})  # type: ignore[arg-type]


_ARCHIVE: Final = frozenset(("-f", "--file"))
_INTO: Final = "-t --target-directory"
_PACKS: Final = make_writer(
    "-o --output",
    operands="all",
    removed_operands="all",
    looks="-c --stdout --to-stdout -l --list -t --test -L --license -V --version -h --help",
    valued="--suffix -S -T -M --threads --memlimit",
    keeping_options="-k --keep",
)
_PACKS_BESIDE: Final = make_writer(
    "-o --output-dir-flat --output-dir-mirror",
    operands="all",
    removing_options="--rm -m",
    looks="-l --list -t --test",
    valued="-D -T -M -S --threads --memory",
)
_WRITERS: Final = (
    ("uniq", make_writer(valued="-f -s -w --skip-fields --skip-chars --check-chars", operands="second")),
    ("sort", make_writer("-o --output", valued="-k -t -S -T --key --field-separator --buffer-size --temporary-directory --compress-program --parallel --batch-size --files0-from --random-source --sort")),
    ("shuf", make_writer("-o --output", valued="-i -n --input-range --head-count --random-source")),
    ("csplit", make_writer("-f --prefix", valued="-b -n --suffix-format --digits")),
    ("split", make_writer(operands="second", valued="-a -b -C -l -n -t --suffix-length --bytes --line-bytes --lines --number --filter --separator --additional-suffix")),
    ("tree", make_writer("-o", valued="-L -P -I -H -T --filelimit --timefmt --sort --charset --du")),
    ("xxd", make_writer(operands="second", valued="-c -cols -g -groupsize -l -len -s -seek -o -n -name -R -d")),
    ("sdiff", make_writer("-o --output", valued="-w -I --width --ignore-matching-lines --diff-program")),
    ("mktemp", make_writer("-p --tmpdir", valued="--suffix -t", operands="all")),
    ("touch", make_writer(operands="all", valued="-d -t -r -A --date --time --reference")),
    ("mkdir mkfifo", make_writer(operands="all", valued="-m --mode --context")),
    ("mknod", make_writer(operands="first", valued="-m --mode --context")),
    ("cp", make_writer(_INTO, valued="-S --suffix --sparse --backup --no-preserve --preserve --reflink --context", operands="last", instead=_INTO, looks="--attributes-only")),
    ("ln", make_writer(_INTO, valued="-S --suffix --backup", operands="last", instead=_INTO)),
    ("install", make_writer(_INTO, valued="-m -o -g -S -b -B -f -D --mode --owner --group --suffix --backup --strip-program --context", operands="last", instead=_INTO)),
    ("mv", make_writer(_INTO, valued="-S --suffix --backup --context --update", operands="last", instead=_INTO, removed_operands="sources")),
    ("ditto", make_writer(valued="--arch --bom --zlibCompressionLevel", operands="last")),
    ("rsync", make_writer("--log-file --backup-dir --partial-dir --temp-dir -T --write-batch --only-write-batch", valued="-e --rsh --exclude --include --exclude-from --include-from --files-from --filter -f --chmod --chown --bwlimit --max-size --min-size --port --timeout --info --debug --out-format --password-file --compare-dest --copy-dest --link-dest --suffix -B -M --rsync-path", operands="last", looks="-n --dry-run --list-only")),
    ("tee", make_writer(operands="all", valued="--output-error")),
    ("script", make_writer("-O -B -I -T -t --log-out --log-in --log-io --log-timing --timing", operands="first", valued="-c -E -m -o --command --echo --logging-format --output-limit")),
    ("base64", make_writer("-o --output", valued="-w -b -i --wrap --break --input")),
    ("gzip gunzip bzip2 bunzip2 xz unxz compress uncompress", _PACKS),
    ("zstd unzstd zstdcat", _PACKS_BESIDE),
    ("lz4", make_writer(operands="from second", removing_options="--rm", looks="-c --stdout -t --test --list", valued="-D")),
    ("zip", make_writer("-O --output-file --out -b --temp-path -lf --logfile-path", operands="first", removing_options="-m --move", valued="-x -i -n -P -t -tt -Z -s --exclude --include --suffixes --password", looks="-h -v -L")),
    ("unzip", make_writer("-d", valued="-x -P")),
    ("tar bsdtar gtar", make_writer("-f --file -C --directory --index-file --listed-incremental -g", valued="--exclude -X --exclude-from -T --files-from --strip-components --transform --xform -b -s --owner --group --mode --mtime -K -N -H --format --level --occurrence --warning", reads="-t --list -d --diff --compare", unpacks="-x --extract --get", removing_options="--remove-files --recursive-unlink", path_traversal="-P --absolute-names --absolute-paths")),
    ("cpio", make_writer("-O -F --file", operands="last", valued="-I -H --format -R --owner -E --pattern-file -M -C --io-size -D --directory", looks="-t --list -o --create", extracts_anywhere=True, extracts_within="-p --pass-through --no-absolute-filenames")),
    ("pax", make_writer("-f", operands="last", valued="-b -s -x -o -B -E -G -U -T", unpacks="-r", extracts_anywhere=True)),
    ("ar", make_writer("--output", operands="first", valued="--target --plugin", looks="-t -p --version --help", extracts_anywhere=True, extracts_within="-r -q -d -m -s")),
    ("dos2unix unix2dos mac2unix unix2mac", make_writer(operands="all", valued="-D -c", looks="-O --to-stdout -i --info -h -V")),
    ("yq", make_writer(edits="-i --inplace --in-place -s --split-exp", script="-f --from-file", valued="-I -o -p --indent --output-format --input-format --arg --argjson")),
    ("xmllint", make_writer("-o --output", valued="--xpath --schema --relaxng --encode --path --maxmem --pattern --dtdvalid --schematron")),
    ("iconv", make_writer("-o --output", valued="-f -t --from-code --to-code")),
    ("rename prename", make_writer(valued="-e -f", operands="all", removed_operands="all", looks="-n --no-act --nono -V -h")),
    ("patch", make_writer("-o --output -d --directory -r --reject-file", valued="-p -F -i -B -b -D -V -Y -z -g --strip --fuzz --input --prefix --suffix --ifdef --version-control --get", operands="first", extracts_anywhere=True, looks="--dry-run -C --check --version -v")),
    ("uudecode", make_writer("-o", looks="-p", extracts_anywhere=True, extracts_within="-o")),
    ("msgfmt", make_writer("-o --output-file -d", valued="-D -l -L --directory --locale --resource")),
    ("sar", make_writer("-o", valued="-f -s -e -i -P -n -I")),
    ("atop", make_writer("-w", valued="-r -b -e -P -L")),
    ("blkid", make_writer("-c --cache-file", valued="-n -o -s -t -u -O -S -L -U --match-tag --match-token --output --offset --size")),
    ("lshw", make_writer("-dump", valued="-class -C -disable -enable")),
    ("hwinfo", make_writer("--log --dump-db", valued="--only")),
    ("inxi", make_writer("--output-file", valued="--output -c -t -W --weather-unit")),
    ("dmidecode", make_writer("--dump-bin", valued="-s -t -d --string --type --dev-mem --from-dump --handle -H --oem-string")),
    ("powertop", make_writer("--html -r --csv -C --debug", valued="-t -i --time --iteration")),
    ("coredumpctl", make_writer("-o --output", valued="-F --field -D --directory -S -U --since --until --file --root")),
    ("sample", make_writer("-file", valued="-mode")),
    ("spindump", make_writer("-o -file -openedfile", valued="-i")),
    ("leaks heap vmmap", make_writer("--outputGraph -outputGraph --graph", valued="-exclude")),
    ("powermetrics", make_writer("-o -u --output-file", valued="-i -n -s -f -r -a --samplers --sample-rate --sample-count --format --order")),
    ("sysdiagnose", make_writer("-f -A", valued="-V")),
    ("say", make_writer("-o --output-file", valued="-v -r -f -a -n --voice --rate --input-file --audio-device --network-send --quality --channels --file-format --data-format --bit-rate")),
    ("stapler", make_writer(operands="from second")),
    ("updatedb", make_writer("-o --output --localpaths", valued="-U -e -n --prunepaths --prunenames --database-root --prunefs")),
    ("info", make_writer("-o --output --dribble", valued="-d -f -k -n --directory --file --node --restore --index-search")),
    ("certtool", make_writer("--outfile", valued="--infile --template --load-certificate --load-privkey --load-ca-certificate --bits")),
    ("ssh-keygen", make_writer("-f", valued="-b -C -N -t -E -F -H -I -m -n -O -P -r -R -s -V -w -Y -z -Z -D -M -S -T -W -J -G -a -c", reads="-l -B -F -L -Q -y -e -r")),
    ("git", make_writer("--output", valued="")),
    ("plutil", make_writer("-o", edits="-convert -insert -replace -remove -create -extract", instead="-o")),
    ("sed gsed", make_writer(edits="-i -I --in-place", script="-e -f --expression --file", valued="-l --line-length")),
    ("curl", make_writer("-o --output --output-dir -D --dump-header -c --cookie-jar --trace --trace-ascii --stderr --etag-save --hsts --alt-svc", valued="-A -b -d -e -E -F -H -K -m -r -T -u -U -w -x -X -y -Y -z -C --max-time --connect-timeout --retry --header --data --user --proxy --request --url --write-out --cacert --resolve --user-agent")),
    ("wget", make_writer("-O --output-document -P --directory-prefix -o --output-file -a --append-output --save-cookies --warc-file", valued="-U -t -T -Q -w -i -e -l -A -R -D -I -X --header --user --password --tries --timeout --user-agent")),
    ("openssl", make_writer("-out -keyout -writerand -CAserial -sess_out -outform_file -caserial", valued="")),
    ("gpg gpg2", make_writer("-o --output --export-dir --logger-file --log-file --status-file", valued="-r -u -c --homedir --keyring")),
    ("nmap", make_writer("-oN -oX -oG -oA -oS", valued="-p")),
    ("tcpdump tshark dumpcap", make_writer("-w", valued="-i -r -c -s")),
    ("clamscan clamdscan", make_writer("-l --log --move --copy --tempdir", valued="-d -f --database --file-list --exclude --include --max-filesize")),
    ("gtk-update-icon-cache update-desktop-database update-mime-database fc-cache", make_writer(operands="all")),
    ("depmod", make_writer("-o --outdir -b --basedir", valued="-C -E -F -P --config --filesyms")),
    ("journalctl", make_writer("--cursor-file --output-file", valued="-u -t -n -p -S -U -o -b -F -D -M --unit --since --until --lines --priority --output --identifier --boot")),
    ("screencapture scrot import xwd", make_writer("-out", operands="last")),
)  # fmt: skip
WRITERS: Final = index_rows(_WRITERS)
# Letters that begin the bundle of old programs: `tar xzf`, `ar rcs`.
_BUNDLED: Final = {
    "tar": re.compile(r"[A-Za-z]+"), "bsdtar": re.compile(r"[A-Za-z]+"), "gtar": re.compile(r"[A-Za-z]+"),
    "ar": re.compile(r"[dmpqrstxabciNoPuTvVlSD]+"),
}  # fmt: skip


@dataclass(slots=True)
class _Given:
    """The words of a command, told apart; `written` holds pairs of an option and its value."""

    options: set[str] = field(default_factory=set)
    written: list[tuple[frozenset[str], Word]] = field(default_factory=list)
    operands: list[Word] = field(default_factory=list)


def list_outputs(name: str, words: Sequence[Word]) -> Iterator[Output | None]:
    """Yield what a program does to files that its arguments name; None for files that they do not.

    Args:
        name: of the program.
        words: its arguments.

    """
    writer = WRITERS.get(name)
    if writer is None:
        return
    given = _read_words(name, writer, words)
    if given.options & writer.reads:
        return
    for options, word in given.written:
        if not (options & _ARCHIVE and given.options & writer.unpacks):
            yield Output(word=word, deed=Deed.WRITES)
    if not given.options & writer.looks:
        yield from _list_operands(writer, given)
        reads_archive = name != "pax" or "-r" in given.options
        spreads = (
            writer.extracts_anywhere
            and reads_archive
            and not writer.extracts_within & given.options
        )
        if spreads or (writer.path_traversal & given.options and writer.unpacks & given.options):
            yield None
    if writer.removing_options & given.options:
        yield from (Output(word=word, deed=Deed.LOSES) for word in given.operands)
    if writer.edits & given.options and not writer.instead & given.options:
        yield from (Output(word=word, deed=Deed.WRITES) for word in given.operands)


def _list_operands(writer: Writer, given: _Given) -> Iterator[Output]:
    operands = given.operands
    sources = operands if writer.instead & given.options else operands[:-1]
    chosen: dict[str, Sequence[Word]] = {
        "none": (),
        "all": operands,
        "last": operands[len(sources) :],
        "first": operands[:1],
        "second": operands[1:2],
        "from second": operands[1:],
    }
    yield from (Output(word=word, deed=Deed.WRITES) for word in chosen[writer.operands])
    if writer.removed_operands != "none" and not writer.keeping_options & given.options:
        lost = operands if writer.removed_operands == "all" else sources
        yield from (Output(word=word, deed=Deed.LOSES) for word in lost)


def _read_words(name: str, writer: Writer, words: Sequence[Word]) -> _Given:
    given = _Given()
    position = 0
    while position < len(words):
        word = words[position]
        text = show_word(word)
        following = words[position + 1] if position + 1 < len(words) else None
        if text == "--":
            given.operands += words[position + 1 :]
            break
        if not position and name in _BUNDLED and _BUNDLED[name].fullmatch(text):
            position += _read_bundle(writer, text, words[1:], given)
        elif text.startswith("-") and text != "-":
            position += _read_option(writer, word, text, following, given)
        else:
            given.operands.append(word)
        position += 1
    if writer.script and not writer.script & given.options:
        given.operands = [each for each in given.operands if each.value != ""][1:]
    return given


def _read_bundle(writer: Writer, letters: str, rest: Sequence[Word], given: _Given) -> int:
    """Read `xCf`: each letter with a value takes the next of the words behind, in their order."""
    taken = 0
    for letter in letters:
        option = f"-{letter}"
        given.options.add(option)
        if option in writer.written | writer.valued:
            if option in writer.written and taken < len(rest):
                given.written.append((frozenset((option,)), rest[taken]))
            taken += 1
    return taken


def _read_option(
    writer: Writer, word: Word, text: str, following: Word | None, given: _Given
) -> int:
    """Note one word of options, and return how many words it takes beside itself."""
    name, glued, value = text.partition("=")
    found = _complete(writer, name)
    if not found:
        return 0 if text.startswith("--") else _read_letters(writer, word, text, following, given)
    given.options |= found
    if not found & (writer.written | writer.valued):
        return 0
    held = Word(value, value if word.value is not None else None) if glued else following
    if found & writer.written and held is not None:
        given.written.append((found, held))
    return 0 if glued else 1


def _complete(writer: Writer, name: str) -> frozenset[str]:
    """Return the options of a row that a word may stand for: itself, or what it begins."""
    if name in writer.options and len(name) > len("-o"):
        return frozenset((name,))
    if name.startswith("--") and len(name) > len("--"):
        return frozenset(option for option in writer.options if option.startswith(name))
    return frozenset()


def _read_letters(
    writer: Writer, word: Word, text: str, following: Word | None, given: _Given
) -> int:
    """Read `-abc`: a letter with a value takes the rest of the word, or the next word."""
    for place, letter in enumerate(text[1:], start=1):
        option = f"-{letter}"
        given.options.add(option)
        if option not in writer.written | writer.valued:
            continue
        rest = text[place + 1 :]
        held = Word(rest, rest if word.value is not None else None) if rest else following
        if option in writer.written and held is not None:
            given.written.append((frozenset((option,)), held))
        return 0 if rest else 1
    return 0


def show_word(word: Word) -> str:
    """Return what stands for a word: its value, or its text without quotes around it."""
    return word.value if word.value is not None else word.raw.strip("\"'")
